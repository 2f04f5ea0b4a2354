"""Lexicon entries: what they parse to, and where and why they do not."""

import pytest

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern import (
    Alternation,
    CharClass,
    Gap,
    Literal,
    Pattern,
    Repeat,
    Sequence,
)
from lynkrc.syntax.pattern_edges import ORDINARY
from lynkrc.syntax.pattern_parse import parse_pattern

REST = Repeat(item=ORDINARY, low=0, high=None)


def read(text: str) -> tuple[Pattern | None, list[Diagnostic]]:
    """Parse as if the entry stood quoted in a file, three characters in."""
    file = SourceFile(path="routing.yaml", text=f'- "{text}"')

    def place(start: int, end: int) -> Span:
        return Span(file=file, start=3 + start, end=3 + end)

    return parse_pattern(text, place(0, len(text)), place)


def root(text: str) -> object:
    pattern, findings = read(text)
    assert not findings
    assert pattern is not None
    assert pattern.text == text
    return pattern.root


def test_words_become_folded_literals() -> None:
    assert root("Straße") == root("STRAẞE") == Literal(text="straße")
    assert root("İzmir") == Literal(text="İzmir") != root("izmir")
    assert root("don\u2019t") == Literal(text="don't")
    assert root("c++") == Literal(text="c++")
    assert root(".NET") == Literal(text=".net")


def test_a_run_of_blanks_is_one_gap() -> None:
    expected = Sequence(items=(Literal(text="step"), Gap(), Literal(text="by")))
    assert root("step by") == root("step \t  by") == root("step\u3000by") == expected


def test_alternatives_bind_loosest() -> None:
    assert root("thanks|thank you") == Alternation(
        options=(
            Literal(text="thanks"),
            Sequence(items=(Literal(text="thank"), Gap(), Literal(text="you"))),
        )
    )
    assert root("good (a|b)") == Sequence(
        items=(
            Literal(text="good"),
            Gap(),
            Alternation(options=(Literal(text="a"), Literal(text="b"))),
        )
    )


def test_a_question_mark_makes_one_character_or_group_optional() -> None:
    assert root("colou?r") == Sequence(
        items=(
            Literal(text="colo"),
            Repeat(item=Literal(text="u"), low=0, high=1),
            Literal(text="r"),
        )
    )
    assert root("(very )?big") == Sequence(
        items=(
            Repeat(item=Sequence(items=(Literal(text="very"), Gap())), low=0, high=1),
            Literal(text="big"),
        )
    )


def test_a_star_is_the_rest_of_the_word() -> None:
    assert root("verif*") == Sequence(items=(Literal(text="verif"), REST))
    assert root("formal* verif*") == Sequence(
        items=(Literal(text="formal"), REST, Gap(), Literal(text="verif"), REST)
    )


def test_a_backslash_makes_punctuation_plain() -> None:
    assert root(r"why\?") == Literal(text="why?")
    assert root(r"\~a\|b\*") == Literal(text="~a|b*")
    assert root(r"\/etc/passwd") == Literal(text="/etc/passwd")


def test_a_tilde_lifts_the_bounds() -> None:
    pattern, findings = read("~証明")
    assert findings == []
    assert pattern is not None
    assert not pattern.bounded
    assert pattern.root == Literal(text="証明")
    bounded, _ = read("proof")
    assert bounded is not None
    assert bounded.bounded


def test_regular_expressions() -> None:
    digit = CharClass(ranges=((0x30, 0x39),))
    assert root(r"/v\d{1,3}/") == Sequence(
        items=(Literal(text="v"), Repeat(item=digit, low=1, high=3))
    )
    assert root(r"/[A-C_]+/") == Repeat(
        item=CharClass(ranges=((0x5F, 0x5F), (0x61, 0x63))), low=1, high=None
    )
    assert root(r"/a(?:b|c)\.d{2}/") == Sequence(
        items=(
            Literal(text="a"),
            Alternation(options=(Literal(text="b"), Literal(text="c"))),
            Literal(text="."),
            Repeat(item=Literal(text="d"), low=2, high=2),
        )
    )
    assert root(r"/a\/b./") == Sequence(
        items=(Literal(text="a/b"), CharClass(ranges=((10, 10),), negated=True))
    )
    assert root("/[ß]/") == CharClass(ranges=((0xDF, 0xDF),))
    assert root(r"/[\s,-]/") == CharClass(ranges=((9, 13), (0x20, 0x20), (0x2C, 0x2D)))


FAULTS = [
    # entry, code, the text the finding points at
    ("good (morning", "LK201", "("),
    ("morning)", "LK201", ")"),
    ("/(a/", "LK201", "("),
    ("/a)/", "LK201", ")"),
    ("/[ab/", "LK201", "["),
    ("/a]/", "LK201", "]"),
    ("/a{2/", "LK201", "{"),
    ("/abc", "LK201", "/"),
    ("/", "LK201", "/"),
    (r"/abc\/", "LK201", "/"),
    ("a||b", "LK202", "|"),
    ("(a|)", "LK202", ")"),
    ("()", "LK202", ")"),
    ("?a", "LK202", "?"),
    ("a ?", "LK202", "?"),
    ("pro*ve", "LK202", "*"),
    ("* prove", "LK202", "*"),
    ("(a|b)*", "LK202", "*"),
    ("a[bc]", "LK202", "["),
    (r"a\d", "LK202", r"\d"),
    ("/a{3,2}/", "LK202", "{3,2}"),
    ("/a{0}/", "LK202", "{0}"),
    ("/a{x}/", "LK202", "{x}"),
    ("/a{" + "9" * 900 + "}/", "LK202", "{" + "9" * 900 + "}"),
    ("/+a/", "LK202", "+"),
    ("/[z-a]/", "LK202", "z-a"),
    ("/[]/", "LK202", "[]"),
    ("/[[:alpha:]]+/", "LK202", ":alpha:"),
    ("/a[:digit:]{3}/", "LK202", ":digit:"),
    ("/[^[:space:]_]/", "LK202", ":space:"),
    (r"/[\]x[:alnum:]]/", "LK202", ":alnum:"),
    (r"/[^\w\W]/", "LK202", r"[^\w\W]"),
    (r"/\q/", "LK202", r"\q"),
    ("/a/b/", "LK202", "/"),
    ("/|a/", "LK202", "|"),
    ("(" * 33 + "a" + ")" * 33, "LK202", "("),
    ("", "LK203", ""),
    ("~", "LK203", "~"),
    ("//", "LK203", "//"),
    ("(a)?", "LK203", "(a)?"),
    (r"/\w*/", "LK203", r"/\w*/"),
    ("a?b?", "LK203", "a?b?"),
    ("a?", "LK203", "a?"),
    ("~a?", "LK203", "~a?"),
    ("a?|b", "LK203", "a?|b"),
    ("(a?)", "LK203", "(a?)"),
    ("(a?b?|c)(d)?", "LK203", "(a?b?|c)(d)?"),
    ("/x?/", "LK203", "/x?/"),
    ("/x{0,3}/", "LK203", "/x{0,3}/"),
    ("~/x{0,3}/", "LK203", "~/x{0,3}/"),
    (r"/(\w+)?/", "LK203", r"/(\w+)?/"),
    ("/(a|b?)/", "LK203", "/(a|b?)/"),
    ("/(a{0,2}|b){2}/", "LK203", "/(a{0,2}|b){2}/"),
    ("/.*a/", "LK204", ".*"),
    (r"/a\s+b/", "LK204", r"\s+"),
    ("/a[^b]{2,}/", "LK204", "[^b]{2,}"),
    ("/(a b)+c/", "LK204", "(a b)+"),
    ("/a(?=b)/", "LK205", "(?=b"),
    ("/(?<!a)b/", "LK205", "(?<!"),
    (r"/(a)\1/", "LK205", r"\1"),
    (r"/\bfoo/", "LK205", r"\b"),
    ("/^foo/", "LK205", "^"),
    ("/foo$/", "LK205", "$"),
    ("/a+?b/", "LK205", "+?"),
    ("/(a{1,99}){1,99}/", "LK206", "/(a{1,99}){1,99}/"),
    (r"/\w{65}/", "LK206", r"/\w{65}/"),
    ("a \u2192 b", "LK207", "\u2192"),
    ("/[\u2190-\u2193]/", "LK207", "\u2190-\u2193"),
    ("hi | hello", "LK208", " "),
    (" hi", "LK208", " "),
    ("~hi ", "LK208", " "),
]


@pytest.mark.parametrize(("entry", "code", "shown"), FAULTS)
def test_faults_are_found_where_they_are(entry: str, code: str, shown: str) -> None:
    pattern, findings = read(entry)
    assert pattern is None
    first = findings[0]
    assert (first.code.id, first.span.text) == (code, shown)
    assert first.help


@pytest.mark.parametrize("mark", ["\u0301", "\u093f", "\u3099", "\u0e48"])
def test_a_star_before_a_mark_ends_no_word(mark: str) -> None:
    pattern, findings = read(f"ab*{mark}")
    assert pattern is None
    assert findings[0].code.id == "LK202"


def test_findings_that_do_not_hinder_reading_are_collected() -> None:
    _, findings = read("/.* \u2192 [^a]+/")
    assert [finding.code.id for finding in findings] == ["LK204", "LK207", "LK204"]


def test_without_a_place_findings_show_the_whole_entry() -> None:
    span = Span(file=SourceFile(path="-", text="a)b"), start=0, end=3)
    _, findings = parse_pattern("a)b", span, None)
    assert [finding.span for finding in findings] == [span]


def test_256_bytes_are_allowed() -> None:
    assert read(r"/\w{64}/")[1] == []
    assert read(r"/\w{64}[a-z]+/")[0] is None
    assert read(r"/\w{64}[a-z]*/")[1] == []


def test_what_stands_before_a_syntax_error_is_found_too() -> None:
    _, findings = read(r"/.*\q(/")
    assert [finding.code.id for finding in findings] == ["LK204", "LK202"]
    _, findings = read(" a)")
    assert [finding.code.id for finding in findings] == ["LK208", "LK201"]


@pytest.mark.parametrize(
    "entry",
    [
        *("(a|)", "(|a)", "|", "a||b", "*", "~*", "?", "~?", "()", " ", "-?"),
        *("/()/", "/(a|)/", "/|/", "/a|/", "/x*/", "/()?/", "/(a?){1,3}/", "/a{0,1}b{0,1}/"),
    ],
)
def test_no_form_of_nothing_is_read(entry: str) -> None:
    pattern, findings = parse_pattern(
        entry, Span(file=SourceFile(path="-", text=entry), start=0, end=len(entry)), None
    )
    assert pattern is None
    assert {one.code.id for one in findings} <= {"LK202", "LK203", "LK208"}
    assert findings
