"""Findings as text: labels, columns, colours, hostile text."""

from lynkrc.diagnostics.codes import DUPLICATE_KEY, UNKNOWN_KEY
from lynkrc.diagnostics.model import Code, Diagnostic, Label, Severity
from lynkrc.diagnostics.render_text import render_finding, render_text, summary
from lynkrc.diagnostics.suggest import closest, did_you_mean
from lynkrc.diagnostics.wording import listed, shown
from lynkrc.source.text import SourceFile, Span


def finding(text: str, marked: str, *labels: tuple[str, str], path: str = "a.yaml") -> Diagnostic:
    """A finding about the first `marked` in `text`, with labels at other first occurrences."""
    file = SourceFile(path=path, text=text)

    def place(part: str) -> Span:
        start = text.index(part)
        return Span(file=file, start=start, end=start + len(part))

    return Diagnostic(
        code=UNKNOWN_KEY,
        message="so it is",
        span=place(marked),
        labels=tuple(Label(span=place(part), message=message) for part, message in labels),
    )


def rows(found: Diagnostic) -> list[str]:
    return render_finding(found).splitlines()[3:]


def test_underlines_count_columns_of_a_terminal() -> None:
    assert rows(finding("\t漢字e\u0301: x\n", "x")) == [
        "1 |     漢字e\u0301: x",
        "  |            ^",
    ]


def test_a_wide_character_is_underlined_wide() -> None:
    assert rows(finding("a 漢字 b\n", "漢字"))[1] == "  |   ^^^^"


def test_labels_stand_with_their_messages_and_gaps_between() -> None:
    text = "one\ntwo\nthree\nfour\n" + "\n" * 6 + "end\n"
    assert rows(finding(text, "end", ("two", "before"), ("three", "between"))) == [
        " 2 | two",
        "   | --- before",
        " 3 | three",
        "   | ----- between",
        "...",
        "11 | end",
        "   | ^^^",
    ]


def test_marks_of_one_line_share_a_row_and_their_messages_hang_below() -> None:
    assert rows(finding("a b c d\n", "b", ("c", "later"), ("a", "sooner"), ("d", "last"))) == [
        "1 | a b c d",
        "  | - ^ - - last",
        "  | |   |",
        "  | |   later",
        "  | sooner",
    ]


def test_marks_that_overlap_have_rows_of_their_own() -> None:
    assert rows(finding("one two\n", "one", ("one two", "both"), ("e t", "between"))) == [
        "1 | one two",
        "  | ^^^",
        "  | ------- both",
        "  |   --- between",
    ]


def test_a_long_line_is_cut_around_its_mark() -> None:
    source, underline = rows(finding("x" * 300 + " here " + "y" * 300 + "\n", "here"))
    assert len(source) < 120
    assert source.startswith("1 | ...")
    assert source.endswith("...")
    assert source[underline.index("^") :].startswith("here ")
    assert underline.count("^") == 4


def test_two_marks_of_a_long_line_are_both_seen_if_they_fit() -> None:
    text = "x" * 300 + " here and there " + "y" * 300 + "\n"
    source, underline = rows(finding(text, "there", ("here", "first")))[:2]
    assert source[underline.index("^") :].startswith("there ")
    assert source[underline.index("-") :].startswith("here ")


def test_a_mark_outside_the_cut_is_shown_below_its_dots() -> None:
    text = "far " + "x" * 300 + " here " + "y" * 300 + " off\n"
    source, underline, *_ = rows(finding(text, "here", ("far", "left"), ("off", "right")))
    assert source[underline.index("^") :].startswith("here ")
    assert underline.startswith("  | - ")
    assert underline.endswith("- right")
    assert len(underline) <= len(source) + len(" right")


def test_emoji_and_korean_are_as_wide_as_they_are_shown() -> None:
    assert rows(finding("\U0001f600 \u1100\u1161 x\n", "x"))[1] == "  |       ^"


def test_a_mark_over_many_lines_shows_its_first_and_last_ones() -> None:
    lines = [f"  line {number}" for number in range(1, 11)]
    text = "\n".join(lines) + "\n"
    found = rows(finding(text, text.strip()))
    assert [row for row in found if "line" in row or row == "..."] == [
        " 1 |   line 1",
        " 2 |   line 2",
        " 3 |   line 3",
        "...",
        "10 |   line 10",
    ]
    assert found.count("   |   ^^^^^^") == 3


def test_the_end_of_the_file_can_be_marked() -> None:
    file = SourceFile(path="a.yaml", text="a\n")
    span = Span(file=file, start=2, end=2)
    text = render_finding(Diagnostic(code=UNKNOWN_KEY, message="m", span=span))
    assert text.splitlines()[1:] == [" --> a.yaml:2:1", "  |", "2 |", "  | ^"]


def test_a_label_in_another_file_has_its_own_section() -> None:
    other = finding("base\n", "base", path="base.yaml")
    found = finding("x: 1\n", "x")
    both = Diagnostic(
        code=DUPLICATE_KEY,
        message="m",
        span=found.span,
        labels=(Label(span=other.span, message="there"),),
    )
    assert render_finding(both).splitlines()[1:] == [
        " --> a.yaml:1:1",
        "  |",
        "1 | x: 1",
        "  | ^",
        " ::: base.yaml:1:1",
        "  |",
        "1 | base",
        "  | ---- there",
    ]


def test_a_terminal_is_not_steered_by_the_file() -> None:
    text = "a: \x1b[31m\u202e\u200b\n"
    rendered = render_finding(finding(text, "a", path="\x1b]0;t\x07.yaml"))
    assert all(char.isprintable() or char == "\n" for char in rendered)
    assert r"\u{1b}[31m\u{202e}\u{200b}" in rendered
    assert shown("\x1b[0m") == r"`\u{1b}[0m`"


def test_colour_changes_no_character() -> None:
    found = finding("a b\n", "b", ("a", "first"))
    coloured = render_finding(found, colour=True)
    assert "\x1b[1;31m" in coloured
    plain = coloured
    for code in ("\x1b[0m", "\x1b[1m", "\x1b[1;31m", "\x1b[1;34m"):
        plain = plain.replace(code, "")
    assert plain == render_finding(found)


def test_findings_are_sorted_and_counted() -> None:
    text = "a b\n"
    late, early = finding(text, "b"), finding(text, "a")
    rendered = render_text([late, early])
    assert rendered.index("a.yaml:1:1") < rendered.index("a.yaml:1:3")
    assert rendered.endswith("\n\n2 errors\n")


def test_summaries_name_each_severity() -> None:
    warning = Code(id="LK999", name="w", severity=Severity.WARNING)
    found = finding("a\n", "a")
    other = Diagnostic(code=warning, message="m", span=found.span)
    assert summary([]) == "no findings"
    assert summary([other, found, found]) == "2 errors, 1 warning"


def test_the_nearest_name_is_meant() -> None:
    names = ["providers", "targets", "tiers", "base_url"]
    assert closest("tragets", names) == "targets"
    assert closest("TIERS", names) == "tiers"
    assert closest("base-url", names) == "base_url"
    assert closest("zebra", names) is None
    assert did_you_mean("zebra", ["a", "b"], "there are") == "there are: `a` and `b`"
    assert listed([]) == "nothing"
