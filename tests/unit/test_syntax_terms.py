"""A file of terms to entries, and the findings about its lines."""

import pytest

from lynkrc.syntax import terms
from lynkrc.syntax.terms import read_terms


def read(text: str) -> tuple[list[tuple[str, float]], list[tuple[str, str]]]:
    entries, findings = read_terms("terms.tsv", text.encode())
    assert all(entry.weighted for entry in entries)
    return (
        [(entry.pattern.text, entry.weight) for entry in entries],
        [(one.code.id, one.span.text) for one in findings],
    )


def test_lines_are_patterns_and_weights() -> None:
    entries, findings = read("# tuned\n\nprove*\t3.5\nstep by step\t-2\n  \n/a{2}/\t+0.25\n")
    assert entries == [("prove*", 3.5), ("step by step", -2.0), ("/a{2}/", 0.25)]
    assert findings == []


def test_line_ends_change_nothing() -> None:
    assert read("a\t1\r\nb\t2") == read("a\t1\nb\t2\n")


def test_a_pattern_points_into_the_file() -> None:
    entries, _ = read_terms("terms.tsv", b"# one\nhi|hello\t1\n")
    span = entries[0].pattern.span
    assert (span.file.path, span.line, span.column, span.text) == ("terms.tsv", 2, 1, "hi|hello")


@pytest.mark.parametrize(
    ("line", "code", "place"),
    [
        ("prove*", "LK106", "prove*"),
        ("prove* 3", "LK106", "prove* 3"),
        ("\t3", "LK106", "\t3"),
        ("prove*\t3\tof them", "LK106", "prove*\t3\tof them"),
        ("prove*\t", "LK106", ""),
        ("prove*\tmuch", "LK106", "much"),
        ("prove*\t 3", "LK106", " 3"),
        ("prove*\t1e3", "LK106", "1e3"),
        ("prove*\tnan", "LK106", "nan"),
        ("prove*\t03", "LK106", "03"),
        ("prove*\t10001", "LK105", "10001"),
        ("prove*\t-10000.5", "LK105", "-10000.5"),
        ("(prove\t3", "LK201", "("),
        ("first\t3", "LK108", "first"),
    ],
)
def test_a_line_that_cannot_be_read_is_found_and_left_out(line: str, code: str, place: str) -> None:
    entries, findings = read(f"first\t1\n{line}\nlast\t2\n")
    assert entries == [("first", 1.0), ("last", 2.0)]
    assert findings == [(code, place)]


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n"])
def test_a_file_without_entries_is_found(text: str) -> None:
    assert read(text) == ([], [("LK107", "")])


def test_a_file_that_is_no_text_is_found() -> None:
    entries, findings = read_terms("terms.tsv", b"\xff\t1\n")
    assert (entries, [one.code.id for one in findings]) == ((), ["LK002"])


def test_too_many_entries_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terms, "MOST_ENTRIES", 2)
    entries, findings = read("a\t1\nb\t2\nc\t3\n")
    assert len(entries) == 3
    assert findings == [("LK105", "c")]
