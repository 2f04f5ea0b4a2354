"""Lines and characters as an editor counts them to code-point offsets, and back.

An editor counts lines and characters from 0; characters are UTF-16 code units unless it and the
server agree on another unit. Lines end at ``\\n``, ``\\r\\n`` and ``\\r``.

>>> lines = Lines("a: '\U0001f600b'\\n")
>>> lines.offset(0, 6, Unit.UTF16), lines.place(5, Unit.UTF16)
(5, (0, 6))
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from enum import Enum
from typing import final

_LINE_END = re.compile("\r\n|\n|\r")


class Unit(Enum):
    """What one character of a position is."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"

    def width(self, char: str) -> int:
        """How many units a code point takes."""
        match self:
            case Unit.UTF8:
                # A lone surrogate is no character, but counts like its neighbours in the plane.
                return len(char.encode("utf-8", "surrogatepass"))
            case Unit.UTF16:
                return 2 if ord(char) > 0xFFFF else 1
            case Unit.UTF32:
                return 1


@final
@dataclass(frozen=True, slots=True)
class Lines:
    """A text and where its lines begin and end."""

    text: str = field(repr=False)
    starts: tuple[int, ...] = field(init=False, repr=False)
    ends: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Index the lines."""
        found = [match.span() for match in _LINE_END.finditer(self.text)]
        object.__setattr__(self, "starts", (0, *(end for _, end in found)))
        object.__setattr__(self, "ends", (*(start for start, _ in found), len(self.text)))

    def offset(self, line: int, character: int, unit: Unit) -> int:
        """The offset of a position; one beyond a line's or the text's end is that end.

        A position inside a code point is where that begins.
        """
        if line >= len(self.starts):
            return len(self.text)
        at, end = self.starts[line], self.ends[line]
        if unit is Unit.UTF32:
            return min(at + character, end)
        units = 0
        while at < end:
            units += unit.width(self.text[at])
            if units > character:
                break
            at += 1
        return at

    def place(self, offset: int, unit: Unit) -> tuple[int, int]:
        """Line and character of an offset; one inside a line's end is where that begins."""
        line = bisect_right(self.starts, offset) - 1
        start, stop = self.starts[line], min(offset, self.ends[line])
        if unit is Unit.UTF32:
            return line, stop - start
        return line, sum(map(unit.width, self.text[start:stop]))
