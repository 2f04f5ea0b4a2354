"""Edits of a text, fixes that go together, and what is removed with an entry or item."""

import pytest

from lynkrc.diagnostics.codes import UNKNOWN_KEY
from lynkrc.diagnostics.model import Applicability, Diagnostic, Edit, Fix
from lynkrc.source.edits import apply_edits, select_fixes
from lynkrc.source.fixes import rename, replacing
from lynkrc.source.parts import entry_of, naming, removal
from lynkrc.source.text import SourceFile, Span


def source(text: str) -> SourceFile:
    return SourceFile(path="routing.yaml", text=text)


def edit(file: SourceFile, start: int, end: int, text: str) -> Edit:
    return Edit(span=Span(file=file, start=start, end=end), text=text)


def at(file: SourceFile, word: str, index: int = 0) -> Span:
    start = -1
    for _ in range(index + 1):
        start = file.text.index(word, start + 1)
    return Span(file=file, start=start, end=start + len(word))


def test_edits_are_made_together_in_any_order() -> None:
    file = source("abcdef")
    edits = [edit(file, 4, 6, "!"), edit(file, 0, 1, "XY"), edit(file, 2, 2, "-")]
    assert apply_edits(file.text, edits) == "XYb-cd!"


def test_edits_may_touch() -> None:
    file = source("abcd")
    assert apply_edits(file.text, [edit(file, 0, 2, "1"), edit(file, 2, 4, "2")]) == "12"


@pytest.mark.parametrize("second", [(1, 3), (0, 2), (0, 0), (2, 9)])
def test_edits_that_overlap_or_leave_the_text_are_refused(second: tuple[int, int]) -> None:
    file = source("abcd")
    with pytest.raises(ValueError, match="edit"):
        apply_edits(file.text, [edit(file, 0, 2, ""), edit(file, *second, "")])


def finding(file: SourceFile, *edits: Edit, safe: bool = True) -> Diagnostic:
    applicability = Applicability.SAFE if safe else Applicability.UNSAFE
    fix = Fix(message="mend it", applicability=applicability, edits=edits)
    return Diagnostic(code=UNKNOWN_KEY, message="m", span=edits[0].span, fix=fix)


def test_of_fixes_in_each_others_way_the_first_is_taken_whole() -> None:
    file = source("abcdef")
    first = finding(file, edit(file, 0, 1, "1"), edit(file, 4, 5, "5"))
    second = finding(file, edit(file, 2, 3, "3"), edit(file, 4, 6, "6"))
    third = finding(file, edit(file, 5, 6, "6"))
    chosen = select_fixes([third, second, first], file, unsafe=False)
    assert chosen == (first.fix, third.fix)


def test_unsafe_fixes_and_those_of_other_files_are_left() -> None:
    file, other = source("abc"), SourceFile(path="base.yaml", text="abc")
    unsafe = finding(file, edit(file, 0, 1, ""), safe=False)
    findings = [unsafe, finding(other, edit(other, 1, 2, ""))]
    assert select_fixes(findings, file, unsafe=False) == ()
    assert select_fixes(findings, file, unsafe=True) == (unsafe.fix,)


REMOVALS = [
    ("l: [a, b, c]\n", "b", "l: [a, c]\n"),
    ("l: [a, b, c]\n", "c", "l: [a, b]\n"),
    ("m: {x: 1, y: {z: 2}}\n", "x", "m: {y: {z: 2}}\n"),
    ("m: {x: 1, y: {z: 2}}\n", "y", "m: {x: 1}\n"),
    ("l:\n  - a  # one\n  - b\n", "a", "l:\n  - b\n"),
    ("l:\n  - a\n  - b", "b", "l:\n  - a\n"),
    ("l:\n  - x: 1\n    y: 2\n", "x", "l:\n  - y: 2\n"),
    ("l:\n  - x: 1\n    y: 2\n", "y", "l:\n  - x: 1\n"),
    ("l:\n  - - p\n    - q\n", "p", "l:\n  - - q\n"),
    ("a:\n  x: >\n    long\n    text\nb: 1\n", "x", "b: 1\n"),
    ("a:\n  x: 1\n  y: 2\nb: 1\n", "y", "a:\n  x: 1\nb: 1\n"),
]


@pytest.mark.parametrize(("text", "word", "after"), REMOVALS)
def test_an_entry_or_item_is_removed_with_what_held_it_apart(
    text: str, word: str, after: str
) -> None:
    file = source(text)
    made = removal(at(file, word))
    assert made is not None
    assert apply_edits(text, [made]) == after


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("l: [a, # kept\n  b]\n", "b"),
        ("only: 1\n", "only"),
        ("a: word b\nc: 1\n", "b"),
        ("a: [", "a"),
    ],
)
def test_nothing_is_removed_where_more_would_be_lost(text: str, word: str) -> None:
    assert removal(at(source(text), word)) is None


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("w: client == a-b\n", 'w: client == "x-y"\n'),
        ("w: a-b == client\n", "w: '\"x-y\" == client'\n"),
        ("w: 'client == a-b'\n", "w: 'client == \"x-y\"'\n"),
        ('w: "client == a-b"\n', "w: \"client == 'x-y'\"\n"),
        ("w: >\n  client\n  == a-b\n", 'w: >\n  client\n  == "x-y"\n'),
    ],
)
def test_a_name_is_quoted_so_that_its_scalar_allows_it(text: str, after: str) -> None:
    file = source(text)
    made = naming(at(file, "a-b"), "x-y")
    assert made is not None
    assert apply_edits(text, [made]) == after


def test_a_plain_name_needs_no_quotes() -> None:
    file = source("w: ask.wrods > 3\n")
    assert naming(at(file, "ask.wrods"), "ask.words") == edit(file, 3, 12, "ask.words")


def test_the_entry_of_a_value() -> None:
    file = source("t: {up_to: 5}\n")
    assert entry_of(at(file, "5")) == at(file, "up_to")


@pytest.mark.parametrize(
    ("word", "applicability"),
    [
        ("base-url", Applicability.SAFE),
        ("BaseUrl", Applicability.SAFE),
        ("base_ulr", Applicability.UNSAFE),
    ],
)
def test_only_case_and_hyphens_make_a_renaming_safe(
    word: str, applicability: Applicability
) -> None:
    file = source(word)
    fix = rename(at(file, word), word, ["base_url", "api_key"])
    assert fix is not None
    assert (fix.applicability, fix.edits[0].text) == (applicability, "base_url")
    assert rename(at(file, word), "nothing like it", ["base_url"]) is None


def test_a_name_that_yaml_reads_otherwise_is_quoted() -> None:
    file = source("onn")
    fix = rename(at(file, "onn"), "onn", ["on"])
    assert fix is not None
    assert fix.edits[0].text == '"on"'
    assert replacing(at(file, "onn"), "on", "m", safe=True).edits[0].text == "on"
