"""Texts to what of the lexicons occurs in them: the one interface to the pattern kernel."""

from collections.abc import Sequence
from typing import final

from msgspec import Struct

from lynkrc_runtime.scan.engines import KernelName, engine_of
from lynkrc_runtime.scan.fold import END
from lynkrc_runtime.scan.places import Places
from lynkrc_runtime.scan.portable import MAX_COUNT
from lynkrc_runtime.scan.tables import Tables

__all__ = ["MAX_COUNT", "Found", "Matcher"]

_MOST_POINTS = (1 << 63) - 1


@final
class Found(Struct, frozen=True, gc=False):
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

    ValueError when the weights are not as many as the entries of the tables, or their magnitudes
    sum up to more than 63 bits hold. `kernel` chooses one; otherwise the best one here serves.
    """

    __slots__ = ("_engine", "_tables", "nothing")

    def __init__(
        self,
        tables: Tables,
        weights: Sequence[int] | None = None,
        *,
        kernel: KernelName | None = None,
    ) -> None:
        weights = [0] * tables.entries if weights is None else weights
        if len(weights) != tables.entries:
            raise ValueError(f"{tables.entries} entries in the tables, {len(weights)} weights")
        if sum(map(abs, weights)) > _MOST_POINTS:
            raise ValueError("the weights sum up to more than 63 bits hold")
        self._tables = tables
        zeros = (0,) * len(tables.sizes)
        self.nothing = Found(zeros, zeros, zeros)
        """What `scan` gives of every text in which nothing occurs."""
        self._engine = engine_of(tables, weights, kernel)

    def scan(self, text: str) -> Found:
        """What occurs in the text."""
        measures = self._engine.scan(text)
        return self.nothing if measures is None else Found(*measures)

    def present(self, text: str) -> frozenset[int]:
        """The entries that occur in the text."""
        return self._engine.present(text)

    def locate(self, data: bytes, limit: int = 10_000) -> list[tuple[int, int]]:
        """The first `limit` matches in a folded text as (entry, end offset in `data`), by end,
        then by entry."""
        tables = self._tables
        accepting, free = tables.accepting, frozenset(tables.free)
        found: list[tuple[int, int]] = []
        state = 0
        for offset, number in enumerate((data + END).translate(tables.byte_class)):
            state = tables.cell(state + number)
            if state >= accepting:
                for entry in tables.accepts(state):
                    found.append((entry, offset + 1 if entry in free else offset))
                state = tables.moves_as(state)
            # One byte more: a bounded match is seen a byte later than a free one ending there.
            if len(found) >= limit and offset > found[limit - 1][1]:
                break
        found.sort(key=lambda match: (match[1], match[0]))
        return found[:limit]

    def places(self, text: str, data: bytes) -> Places:
        """What finds the places of matches in `text`, whose folded form is `data`."""
        return Places(self._tables, text, data)
