"""A file's text and places in it: offsets to lines and columns.

Offsets count code points from 0; lines and columns count from 1 where people see them.

>>> file = SourceFile(path="routing.yaml", text="a: 1\\nb: 2\\n")
>>> file.position(5)
(2, 1)
>>> file.line(2)
'b: 2'
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate
from typing import final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One source text under the path it is shown by; lines end at ``\\n`` (CRLF is kept)."""

    path: str
    text: str
    starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index where each line begins."""
        lengths = [len(line) + 1 for line in self.text.split("\n")]
        object.__setattr__(self, "starts", (0, *accumulate(lengths[:-1])))

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of a code-point offset."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of line `number` (from 1) without its line end."""
        start = self.starts[number - 1]
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A half-open range of code-point offsets ``[start, end)`` in one file."""

    file: SourceFile = field(repr=False)
    start: int
    end: int

    @property
    def line(self) -> int:
        """The line (from 1) the span starts on."""
        return self.file.position(self.start)[0]

    @property
    def column(self) -> int:
        """The column (from 1) the span starts at."""
        return self.file.position(self.start)[1]

    @property
    def text(self) -> str:
        """The source text the span covers."""
        return self.file.text[self.start : self.end]
