"""Plain words read without the grammar are read as by it, and any entry is read or explained."""

from hypothesis import example, given
from hypothesis import strategies as st

from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern_parse import parse_entry, parse_pattern, plain_words
from tests.property.effort import tried

PARTS = (
    *("a", "Word", "ß", "İ", "中", "é", "\u02bc", "e\u0301", "1", "_", "'", "→", "\u2019"),
    *(" ", "  ", "|", "(", "(?:", ")", "?", "*", "+", "{2}", "{1,3}", "{", "}", "[a-c]", "[", "]"),
    *("[^a]", "\\", "\\d", "\\w", "\\.", "\\b", "\\1", "~", "/", ".", "^", "-", "{0}", "$", "(?="),
)
ENTRIES = st.lists(st.sampled_from(PARTS), max_size=8).map("".join)


def span_of(text: str) -> Span:
    return Span(file=SourceFile(path="-", text=text), start=0, end=len(text))


WORDS = st.text(min_size=1, max_size=3).map(lambda word: word + "*"[: len(word) % 2])


@tried(300)
@given(st.lists(WORDS, min_size=1, max_size=3).map(" ".join), st.sampled_from(("", "~")))
@example("a" * 300, "")
@example("\u02bca*", "")
@example("a\u02bc*", "~")
def test_plain_words_are_what_the_grammar_reads(text: str, edge: str) -> None:
    entry = edge + text
    plain = plain_words(entry, span_of(entry))
    if plain is not None:
        assert parse_entry(entry, span_of(entry), None) == (plain, [])


def test_every_character_alone_is_what_the_grammar_reads() -> None:
    for code in [*range(0x20, 0x600), *range(0x1E00, 0x2100), *range(0xFF00, 0xFFA0)]:
        entry = f"a{chr(code)}"
        plain = plain_words(entry, span_of(entry))
        if plain is not None:
            assert parse_entry(entry, span_of(entry), None) == (plain, []), hex(code)


@tried(300)
@given(ENTRIES, st.booleans(), st.booleans())
@example("(?:(", True, False)
@example("{b(?={1,3}$", True, True)
def test_any_entry_is_read_or_explained(text: str, is_regex: bool, is_free: bool) -> None:
    entry = ("~" if is_free else "") + (f"/{text}/" if is_regex else text)
    span = span_of(entry)
    pattern, findings = parse_pattern(
        entry, span, lambda a, b: Span(file=span.file, start=a, end=b)
    )
    assert (pattern is None) is bool(findings)
    for finding in findings:
        assert 0 <= finding.span.start <= finding.span.end <= len(entry)
        assert finding.help
