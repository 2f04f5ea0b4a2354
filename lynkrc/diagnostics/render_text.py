"""Findings to text for people: what, where with the source line, and the way out.

>>> from lynkrc.diagnostics.codes import UNKNOWN_KEY
>>> from lynkrc.source.text import SourceFile, Span
>>> file = SourceFile(path="routing.yaml", text="version: 1\\ntires: []\\n")
>>> span = Span(file=file, start=11, end=16)
>>> finding = Diagnostic(code=UNKNOWN_KEY, message="unknown key `tires`", span=span, help="`tiers`")
>>> print(render_finding(finding))
error[LK101]: unknown key `tires`
 --> routing.yaml:2:1
  |
2 | tires: []
  | ^^^^^
  |
  = help: `tiers`
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from lynkrc.diagnostics.model import Applicability, Diagnostic, Fix, Severity, in_order
from lynkrc.diagnostics.secrets import without_secrets
from lynkrc.diagnostics.snippet import WIDTH, Mark, Row, snippet
from lynkrc.diagnostics.wording import printable
from lynkrc.source.text import SourceFile

_BOLD, _BLUE, _RESET = "\x1b[1m", "\x1b[1;34m", "\x1b[0m"
_COLOURS = {
    Severity.ERROR: "\x1b[1;31m",
    Severity.WARNING: "\x1b[1;33m",
    Severity.NOTE: "\x1b[1;36m",
}
_PRIMARY, _SECONDARY = "^", "-"


_FRAME = len(" | ......")
_NARROWEST = 30


def render_text(
    findings: Iterable[Diagnostic], *, colour: bool = False, columns: int | None = None
) -> str:
    """All findings in order, and a last line that counts them; each line ends with ``\\n``.

    `columns` is the width of the screen that source lines are cut to, None where there is none.
    """
    ordered = in_order(without_secrets(findings))
    parts = [render_finding(finding, colour=colour, columns=columns) for finding in ordered]
    return "\n\n".join([*parts, summary(ordered)]) + "\n"


def summary(findings: Iterable[Diagnostic]) -> str:
    """How many findings there are of each severity: "2 errors, 1 warning", or "no findings"."""
    counts = Counter(finding.severity for finding in findings)
    words = [
        f"{counts[severity]} {severity.value}{'s' if counts[severity] > 1 else ''}"
        for severity in Severity
        if counts[severity]
    ]
    return ", ".join(words) or "no findings"


def render_finding(finding: Diagnostic, *, colour: bool = False, columns: int | None = None) -> str:
    """One finding, without a line end after its last line."""
    paint = _paint if colour else _plain
    tint = _COLOURS[finding.severity]
    files = _marks_by_file(finding)
    width = WIDTH if columns is None else _width(files, columns)
    sections = [(file, snippet(file, marks, width)) for file, marks in files]
    numbers = [row.number for _, rows in sections for row in rows if row.number is not None]
    margin = " " * len(str(max(numbers, default=1)))
    bar = paint(_BLUE, f"{margin} |")

    head = paint(tint, f"{finding.severity.value}[{finding.code.id}]")
    lines = [head + paint(_BOLD, f": {printable(finding.message)}")]
    for index, (file, rows) in enumerate(sections):
        arrow = "-->" if index == 0 else ":::"
        span = finding.span if index == 0 else files[index][1][0].span
        where = f"{printable(file.path)}:{span.line}:{span.column}"
        lines.append(f"{margin}{paint(_BLUE, arrow)} {where}")
        if finding.severity is not Severity.NOTE:
            lines += [bar, *(_row(row, margin, tint, colour) for row in rows)]
    # A note is no mistake to look at: it takes as few lines as can be.
    ruled = [] if finding.severity is Severity.NOTE else [bar]
    if finding.help is not None:
        lines += [
            *ruled,
            f"{margin} {paint(_BLUE, '=')} {paint(_BOLD, 'help')}: {printable(finding.help)}",
        ]
    if finding.fix is not None:
        lines += [] if finding.help is not None else ruled
        lines.append(f"{margin} {paint(_BLUE, '=')} {paint(_BOLD, 'fix')}: {_fix(finding.fix)}")
    return "\n".join(line.rstrip() for line in lines)


def _fix(fix: Fix) -> str:
    """What a fix does, and the command that does it."""
    unsafe = " --unsafe-fixes" if fix.applicability is Applicability.UNSAFE else ""
    return f"{printable(fix.message)} (lynkrc check --fix{unsafe})"


def _marks_by_file(finding: Diagnostic) -> Sequence[tuple[SourceFile, list[Mark]]]:
    """The marks of a finding, its own file first."""
    marks = [Mark(span=finding.span, sign=_PRIMARY)]
    marks += [
        Mark(span=label.span, sign=_SECONDARY, message=printable(label.message))
        for label in finding.labels
    ]
    grouped: list[tuple[SourceFile, list[Mark]]] = []
    for mark in marks:
        for file, group in grouped:
            if file.path == mark.span.file.path:
                group.append(mark)
                break
        else:
            grouped.append((mark.span.file, [mark]))
    return grouped


def _width(files: Sequence[tuple[SourceFile, list[Mark]]], columns: int) -> int:
    """What a screen leaves for a source line behind its number."""
    last = max(mark.span.file.position(mark.span.end)[0] for _, marks in files for mark in marks)
    return max(_NARROWEST, columns - len(str(last)) - _FRAME)


def _row(row: Row, margin: str, tint: str, colour: bool) -> str:
    paint = _paint if colour else _plain
    if row.source is not None:
        number = str(row.number).rjust(len(margin))
        return f"{paint(_BLUE, f'{number} |')} {row.source}"
    if row.segments:
        strokes = {_PRIMARY: tint, _SECONDARY: _BLUE}
        text = "".join(
            paint(strokes[segment.sign], segment.text) if segment.sign else segment.text
            for segment in row.segments
        )
        return f"{paint(_BLUE, f'{margin} |')} {text}"
    return paint(_BLUE, "...")


def _paint(colour: str, text: str) -> str:
    return f"{colour}{text}{_RESET}"


def _plain(_: str, text: str) -> str:
    return text
