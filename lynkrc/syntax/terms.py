"""A file of terms to the entries of a lexicon: ``pattern<TAB>weight`` on each line.

Blank lines are skipped, and lines that begin with ``#``. A pattern is written as in
``routing.yaml``, without quotes; every byte of it counts.

>>> entries, findings = read_terms("terms.tsv", b"# proof\\nprove*\\t3.5\\n")
>>> [(entry.pattern.text, entry.weight) for entry in entries], findings
([('prove*', 3.5)], [])
"""

import re
from typing import final

from lynkrc.diagnostics import codes
from lynkrc.diagnostics.model import Code, Diagnostic, Label
from lynkrc.diagnostics.wording import shown
from lynkrc.source.decode_text import decode_source
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.config import LexiconEntry
from lynkrc.syntax.pattern_parse import parse_pattern

MOST_ENTRIES = 10_000
"""Most entries of one file."""

MOST_POINTS = 10_000
"""Greatest weight of an entry, above and below 0."""

_WEIGHT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,20})?")
_FORM = "a line is a pattern, one tab, and its weight in points, such as 3.5"


def read_terms(path: str, data: bytes) -> tuple[tuple[LexiconEntry, ...], list[Diagnostic]]:
    """The sound entries of a file that findings show under `path`, in the order written."""
    file, findings = decode_source(path, data)
    if findings:
        return (), findings
    reader = _Reader(file)
    start = 0
    for line in file.text.split("\n"):
        reader.line(start, line.removesuffix("\r"))
        start += len(line) + 1
    return reader.result()


@final
class _Reader:
    """The entries of one file, line by line."""

    def __init__(self, file: SourceFile) -> None:
        self._file = file
        self._entries: list[LexiconEntry] = []
        self._findings: list[Diagnostic] = []
        self._first: dict[str, Span] = {}

    def result(self) -> tuple[tuple[LexiconEntry, ...], list[Diagnostic]]:
        """What was read; a file without entries, or with too many, is a finding."""
        if not self._first and not self._findings:
            self._report(codes.EMPTY, "the file has no entries", 0, 0, _FORM)
        if len(self._first) > MOST_ENTRIES:
            span = list(self._first.values())[MOST_ENTRIES]
            self._report(
                codes.OUT_OF_RANGE,
                f"the file has {len(self._first):,} entries; at most {MOST_ENTRIES:,} are allowed",
                span.start,
                span.end,
                "keep those with the greatest weights",
            )
        return tuple(self._entries), self._findings

    def line(self, start: int, text: str) -> None:
        """Read the line that begins at `start`."""
        if not text.strip() or text.startswith("#"):
            return
        parts = text.split("\t")
        if len(parts) != 2 or not parts[0]:
            what = "no tab" if len(parts) == 1 else "no pattern" if len(parts) == 2 else "two tabs"
            self._report(codes.MALFORMED, f"this line has {what}", start, start + len(text), _FORM)
            return
        weight = self._weight(start + len(parts[0]) + 1, parts[1])
        span = Span(file=self._file, start=start, end=start + len(parts[0]))
        pattern, findings = parse_pattern(
            parts[0],
            span,
            lambda a, b: Span(file=self._file, start=start + a, end=start + b),
        )
        self._findings += findings
        first = self._first.setdefault(parts[0], span)
        if first is not span:
            self._findings.append(
                Diagnostic(
                    code=codes.REPEATED_ITEM,
                    message=f"{shown(parts[0])} stands twice in the file",
                    span=span,
                    help="remove one of the two",
                    labels=(Label(span=first, message="first written here"),),
                )
            )
        elif pattern is not None and weight is not None:
            self._entries.append(LexiconEntry(pattern=pattern, weight=weight, weighted=True))

    def _weight(self, start: int, text: str) -> float | None:
        if not _WEIGHT.fullmatch(text):
            message = f"{shown(text)} is not a weight" if text else "the weight is missing"
            self._report(codes.MALFORMED, message, start, start + len(text), _FORM)
            return None
        if abs(float(text)) > MOST_POINTS:
            self._report(
                codes.OUT_OF_RANGE,
                f"a weight is at most {MOST_POINTS:,} above or below 0, not {shown(text)}",
                start,
                start + len(text),
                _FORM,
            )
            return None
        return float(text)

    def _report(self, code: Code, message: str, start: int, end: int, help: str) -> None:
        span = Span(file=self._file, start=start, end=end)
        self._findings.append(Diagnostic(code=code, message=message, span=span, help=help))
