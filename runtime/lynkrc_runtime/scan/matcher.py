"""Texts to what of the lexicons occurs in them: the one interface to the pattern kernel."""

from collections.abc import Sequence
from typing import final

from msgspec import Struct

from lynkrc_runtime.scan.fold import END, fold
from lynkrc_runtime.scan.places import Places
from lynkrc_runtime.scan.portable import PortableKernel
from lynkrc_runtime.scan.tables import Tables

MAX_COUNT = 255
"""Counts are capped here."""


@final
class Found(Struct, frozen=True, kw_only=True):
    """What occurs in a text, by lexicon.

    `counts[l]` is at how many positions a match of lexicon l ends (several there count once),
    capped at `MAX_COUNT`; `distinct[l]` how many of its entries occur; `points[l]` the sum of their
    weights.
    """

    counts: tuple[int, ...]
    distinct: tuple[int, ...]
    points: tuple[int, ...]


@final
class Matcher:
    """Runs the automaton over texts. `weights` are those of all entries, in any unit.

    ValueError when the weights are not as many as the entries of the tables.
    """

    __slots__ = ("_kernel", "_lexicon_of", "_nothing", "_tables", "_weights")

    def __init__(self, tables: Tables, weights: Sequence[int] | None = None) -> None:
        weights = [0] * tables.entries if weights is None else weights
        if len(weights) != tables.entries:
            raise ValueError(f"{tables.entries} entries in the tables, {len(weights)} weights")
        self._tables = tables
        self._weights = weights
        self._lexicon_of = [number for number, size in enumerate(tables.sizes) for _ in range(size)]
        zeros = (0,) * len(tables.sizes)
        self._nothing = Found(counts=zeros, distinct=zeros, points=zeros)
        self._kernel = PortableKernel(tables)

    def scan(self, text: str) -> Found:
        """What occurs in the text."""
        entered = self._kernel.entered(fold(text))
        if not entered:
            return self._nothing
        tables, lexicon_of, weights = self._tables, self._lexicon_of, self._weights
        counts = [0] * len(tables.sizes)
        distinct, points = counts.copy(), counts.copy()
        present: set[int] = set()
        for state, times in entered.items():
            present.update(tables.accepts(state))
            for lexicon in tables.counts(state):
                counts[lexicon] = min(counts[lexicon] + times, MAX_COUNT)
        for entry in present:
            lexicon = lexicon_of[entry]
            distinct[lexicon] += 1
            points[lexicon] += weights[entry]
        return Found(counts=tuple(counts), distinct=tuple(distinct), points=tuple(points))

    def present(self, text: str) -> frozenset[int]:
        """The entries that occur in the text."""
        entered = self._kernel.entered(fold(text))
        return frozenset(entry for state in entered for entry in self._tables.accepts(state))

    def locate(self, data: bytes, limit: int = 10_000) -> list[tuple[int, int]]:
        """The first `limit` matches in a folded text as (entry, end offset in `data`), by end,
        then by entry."""
        tables = self._tables
        cells, accepting, free = tables.cells, tables.accepting, frozenset(tables.free)
        found: list[tuple[int, int]] = []
        state = 0
        for offset, number in enumerate((data + END).translate(tables.byte_class)):
            state = cells[state + number]
            if state >= accepting:
                for entry in tables.accepts(state):
                    found.append((entry, offset + 1 if entry in free else offset))
            # One byte more: a bounded match is seen a byte later than a free one ending there.
            if len(found) >= limit and offset > found[limit - 1][1]:
                break
        found.sort(key=lambda match: (match[1], match[0]))
        return found[:limit]

    def places(self, text: str, data: bytes) -> Places:
        """What finds the places of matches in `text`, whose folded form is `data`."""
        return Places(self._tables, text, data)
