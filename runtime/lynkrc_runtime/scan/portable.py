"""The pattern kernel in plain Python: texts to what of the lexicons occurs in them.

One look-up and one comparison a byte.
"""

from collections.abc import Sequence
from typing import final

from lynkrc_runtime.scan.fold import END, fold
from lynkrc_runtime.scan.tables import Tables

MAX_COUNT = 255
"""Counts are capped here."""


@final
class PortableKernel:
    """Runs the automaton over texts. `weights` are those of all entries."""

    __slots__ = ("_cells", "_lexicon_of", "_moves", "_tables", "_weights")

    def __init__(self, tables: Tables, weights: Sequence[int]) -> None:
        self._tables = tables
        self._weights = weights
        # A list gives out the numbers it holds; an array would make each anew.
        self._cells = tables.cells()
        first, end = tables.accepting, tables.accepting + tables.accepting_states
        self._moves = list(map(tables.moves_as, range(first, end)))
        self._lexicon_of = [number for number, size in enumerate(tables.sizes) for _ in range(size)]

    def scan(self, text: str) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] | None:
        """Counts, distinct and points of what occurs in the text; None where nothing does."""
        entered = self._entered(text)
        if not entered:
            return None
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
        return tuple(counts), tuple(distinct), tuple(points)

    def present(self, text: str) -> frozenset[int]:
        """The entries that occur in the text."""
        return frozenset(
            entry for state in self._entered(text) for entry in self._tables.accepts(state)
        )

    def _entered(self, text: str) -> dict[int, int]:
        """How often each accepting state is entered on the text."""
        cells, moves = self._cells, self._moves
        accepting = self._tables.accepting
        times: dict[int, int] = {}
        state = 0
        for number in (fold(text) + END).translate(self._tables.byte_class):
            state = cells[state + number]
            if state >= accepting:
                times[state] = times.get(state, 0) + 1
                state = moves[state - accepting]
        return times
