"""Marked places of one file to numbered source lines with underlines.

Columns are those of a terminal: a tab is four, a wide character two, a combining one none, and
what cannot be printed is shown escaped. A longer line is cut around its marks.

>>> file = SourceFile(path="routing.yaml", text="chain: [one, two, one]\\n")
>>> again = Mark(span=Span(file=file, start=18, end=21), sign="^")
>>> first = Mark(span=Span(file=file, start=8, end=11), sign="-", message="first here")
>>> for row in snippet(file, [again, first]):
...     print(row.source or "".join(segment.text for segment in row.segments))
chain: [one, two, one]
        ---       ^^^
        |
        first here
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

from lynkrc.diagnostics.wording import printable
from lynkrc.source.text import SourceFile, Span

WIDTH = 100
"""Most columns of a source line that are shown where nothing says how wide the screen is."""

_TAB = "    "
_CUT = "..."
_MOST_LINES = 6
_CONTEXT = 20
_PRIMARY = "^"
_LONG = 10  # widths of the screen from which on only a part of a line is laid out


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A span to underline with `sign` and, behind it, `message`."""

    span: Span
    sign: str
    message: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A piece of a row below a source line; it belongs to a mark with `sign`, blanks to none."""

    text: str
    sign: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a snippet: a source line with its number, what stands below it, or a gap."""

    number: int | None = None
    source: str | None = None
    segments: tuple[Segment, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Stroke:
    """A part of a mark on one line, in code points or in columns."""

    start: int
    end: int
    sign: str
    message: str


def snippet(file: SourceFile, marks: Sequence[Mark], width: int = WIDTH) -> list[Row]:
    """The rows of the lines that hold `marks`, from top to bottom, cut to `width` columns.

    Two `...` of a cut come on top of `width`.
    """
    strokes: dict[int, list[_Stroke]] = {}
    for mark in marks:
        for line, stroke in _strokes(file, mark):
            strokes.setdefault(line, []).append(stroke)
    rows: list[Row] = []
    before: int | None = None
    for number in sorted(strokes):
        if before is not None and number > before + 1:
            rows.append(Row())
        before = number
        rows += _line_rows(number, file.line(number), strokes[number], width)
    return rows


def _strokes(file: SourceFile, mark: Mark) -> list[tuple[int, _Stroke]]:
    """The strokes of one mark; of many lines only the first and the last ones."""
    first, column = file.position(mark.span.start)
    last, end_column = file.position(max(mark.span.start, mark.span.end - 1))
    strokes: list[tuple[int, _Stroke]] = []
    for number in range(first, last + 1):
        if last - first >= _MOST_LINES and first + 2 < number < last:
            continue
        line = file.line(number)
        blanks = len(line) - len(line.lstrip())
        start = column - 1 if number == first else blanks
        end = end_column if number == last else len(line.rstrip())
        if number not in (first, last) and start >= end:
            continue  # an empty line inside
        message = mark.message if number == last else ""
        stroke = _Stroke(start=start, end=max(end, start + 1), sign=mark.sign, message=message)
        strokes.append((number, stroke))
    return strokes


def _line_rows(number: int, line: str, strokes: Sequence[_Stroke], width: int) -> list[Row]:
    line, strokes = _part(line, strokes, width)
    shown, columns = _lay_out(line)
    # Behind the last character stands the line's end, one column wide.
    ends = (*columns, columns[-1] + 1)
    placed = [
        replace(
            stroke,
            start=columns[min(stroke.start, len(line))],
            end=ends[min(stroke.end, len(line) + 1)],
        )
        for stroke in strokes
    ]
    source, offset = _cut(shown, columns, _window(placed, columns[-1], width), width)
    # What lies outside a cut is marked below its dots.
    last = columns_of(source) if columns[-1] > width else columns[-1] + 1
    moved = []
    for stroke in placed:
        start = min(max(stroke.start - offset, 0), last - 1)
        end = max(start + 1, min(stroke.end - offset, last))
        moved.append(replace(stroke, start=start, end=end))
    rows = [Row(number=number, source=source)]
    for layer in _layers(moved):
        rows += _layer_rows(layer)
    return rows


def _window(strokes: Sequence[_Stroke], length: int, width: int) -> int:
    """The column that a line of `length` is shown from, so that its marks are seen."""
    first = min(stroke.start for stroke in strokes)
    if length <= width or max(stroke.end for stroke in strokes) <= width:
        return 0
    if max(stroke.end for stroke in strokes) - first > width - _CONTEXT:
        # They do not fit together: the finding itself is what must be seen.
        first = min(strokes, key=lambda stroke: (stroke.sign != _PRIMARY, stroke.start)).start
    return first - _CONTEXT if first > width - _CONTEXT else 0


def _layers(strokes: Sequence[_Stroke]) -> list[list[_Stroke]]:
    """The strokes from left to right, those that overlap in different layers."""
    layers: list[list[_Stroke]] = []
    for stroke in sorted(strokes, key=lambda stroke: (stroke.start, stroke.end)):
        free = (layer for layer in layers if layer[-1].end <= stroke.start)
        layer = next(free, None)
        if layer is None:
            layers.append([stroke])
        else:
            layer.append(stroke)
    return layers


def _layer_rows(layer: Sequence[_Stroke]) -> list[Row]:
    """The underlines in one row with the last message behind; the others hang below them."""
    row = [
        (stroke.start, stroke.sign * (stroke.end - stroke.start), stroke.sign) for stroke in layer
    ]
    last = layer[-1]
    if last.message:
        row.append((last.end + 1, last.message, last.sign))
    rows = [_row(row)]
    hung = [stroke for stroke in layer[:-1] if stroke.message]
    if hung:
        rows.append(_row([(stroke.start, "|", stroke.sign) for stroke in hung]))
    while hung:
        stroke = hung.pop()
        row = [(left.start, "|", left.sign) for left in hung]
        rows.append(_row([*row, (stroke.start, stroke.message, stroke.sign)]))
    return rows


def _row(pieces: Sequence[tuple[int, str, str]]) -> Row:
    """A row of pieces that begin at these columns; only the last may be wider than its length."""
    segments: list[Segment] = []
    column = 0
    for start, text, sign in pieces:
        if start > column:
            segments.append(Segment(text=" " * (start - column)))
        segments.append(Segment(text=text, sign=sign))
        column = start + len(text)
    return Row(segments=tuple(segments))


def _part(line: str, strokes: Sequence[_Stroke], width: int) -> tuple[str, Sequence[_Stroke]]:
    """A very long line to the part of it that may be shown: a line can be a mebibyte."""
    if len(line) <= _LONG * width:
        return line, strokes
    begin = max(0, min(stroke.start for stroke in strokes) - 2 * width)
    line = line[begin : begin + _LONG * width]
    return line, [
        replace(
            stroke,
            start=min(stroke.start - begin, len(line)),
            end=min(stroke.end - begin, len(line) + 1),
        )
        for stroke in strokes
    ]


def _lay_out(line: str) -> tuple[list[str], list[int]]:
    """What each character is shown as, and the column each begins at, with the end's last."""
    shown: list[str] = []
    columns = [0]
    for char in line:
        text = _TAB if char == "\t" else printable(char)
        shown.append(text)
        columns.append(columns[-1] + _columns(text))
    return shown, columns


def columns_of(text: str) -> int:
    """How many columns of a terminal printable text takes."""
    return sum(_columns(char) for char in text)


def _columns(text: str) -> int:
    """The width of one character, or of ASCII text."""
    if text.isascii():
        return len(text)
    if unicodedata.combining(text) or unicodedata.category(text) in ("Mn", "Me"):
        return 0
    if "\u1160" <= text <= "\u11ff":
        return 0  # vowels and finals that join the Korean syllable before them
    return 2 if unicodedata.east_asian_width(text) in "WF" else 1


def _cut(shown: Sequence[str], columns: Sequence[int], start: int, width: int) -> tuple[str, int]:
    """The line from column `start` on, cut to `width`; and how far its columns moved left."""
    begin = next((i for i, column in enumerate(columns) if column >= start), 0)
    stop = next(
        (i for i, column in enumerate(columns) if column - columns[begin] > width), len(columns)
    )
    text = "".join(shown[begin : stop - 1])
    if stop < len(columns):
        text += _CUT
    if begin == 0:
        return text, 0
    return _CUT + text, columns[begin] - len(_CUT)
