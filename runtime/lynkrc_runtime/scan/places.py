"""Matches in folded text to where they stand in the text as it was written.

The automaton tells where a match ends. Where it starts is found backwards: the last place from
which the same entry is confirmed at that end, so a place is the shortest match there is.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import final

from msgspec import Struct

from lynkrc_runtime.scan.edges import is_after_word
from lynkrc_runtime.scan.fold import END
from lynkrc_runtime.scan.tables import Tables

LONGEST = 512
"""Folded bytes a match is looked back for: 256 beyond its last word, and a long word."""
MOST_WORK = 2_000_000
"""Bytes read again, over all matches of a text; what is left has no known start."""

_SOME_WORD = b"\xff"
"""Stands for a word character with which no match begins."""


@final
class Place(Struct, frozen=True, kw_only=True):
    """A match in the text as written: half-open ranges of characters and of UTF-8 bytes.

    The starts are None where the match is too long to be looked back for.
    """

    start: int | None
    end: int
    byte_start: int | None
    byte_end: int


@final
class Places:
    """Finds the places of one text, whose folded form is `data`."""

    __slots__ = ("_bytes", "_data", "_folded", "_free", "_tables", "_work")

    def __init__(self, tables: Tables, text: str, data: bytes) -> None:
        self._tables = tables
        self._data = data
        self._free = frozenset(tables.free)
        self._work = 0
        self._folded: Sequence[int] | None = None
        self._bytes: Sequence[int] | None = None
        if not text.isascii():
            # A character folds to one, of another size perhaps: where each begins in `data`.
            self._folded = [at for at, byte in enumerate(data) if byte & 0xC0 != 0x80]
            sizes = (len(char.encode("utf-8", "surrogatepass")) for char in text)
            self._bytes = list(accumulate(sizes, initial=0))

    def of(self, entry: int, end: int) -> Place:
        """The place of the match of `entry` that ends before folded byte `end`."""
        start = self._start(entry, end)
        last = self._char(end - 1) + 1
        first = None if start is None else self._char(start)
        return Place(
            start=first,
            end=last,
            byte_start=None if first is None else self._byte(first),
            byte_end=self._byte(last),
        )

    def _start(self, entry: int, end: int) -> int | None:
        data = self._data
        # What confirms the match, if not its last byte.
        behind = b"" if entry in self._free else data[end : end + 1] or END
        for start in range(end - 1, max(-1, end - 1 - LONGEST), -1):
            if data[start] & 0xC0 == 0x80:
                continue
            before = _SOME_WORD if is_after_word(data, start) else b""
            if self._matches(entry, before + data[start:end] + behind):
                return start
            if self._work > MOST_WORK:
                return None
        return None

    def _matches(self, entry: int, piece: bytes) -> bool:
        """Whether a match of the entry is confirmed by the piece's last byte."""
        tables = self._tables
        self._work += len(piece)
        state = 0
        for number in piece.translate(tables.byte_class):
            state = tables.cell(tables.moves_as(state) + number)
        return entry in tables.accepts(state)

    def _char(self, offset: int) -> int:
        return offset if self._folded is None else bisect_right(self._folded, offset) - 1

    def _byte(self, char: int) -> int:
        return char if self._bytes is None else self._bytes[char]
