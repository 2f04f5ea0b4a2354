"""The pattern kernel in plain Python: folded text to the entries present and counts per lexicon.

One look-up and one comparison a byte. For that the states are renumbered when a `Matcher` is made:
accepting ones last, each number already multiplied by the number of classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from msgspec import Struct

from lynkrc_runtime.scan.fold import END
from lynkrc_runtime.scan.places import Places
from lynkrc_runtime.scan.tables import Tables

MAX_COUNT = 255
"""Counts are capped here."""


@final
class Found(Struct, frozen=True, kw_only=True):
    """What occurs in a text.

    Bit e of `present` is set when entry e occurs. `counts[l]` is at how many positions a match of
    lexicon l ends (several there count once), capped at `MAX_COUNT`.
    """

    present: int
    counts: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Hit:
    """What one step into an accepting state adds."""

    present: int
    lexicons: tuple[int, ...]


@final
class Matcher:
    """Runs the automaton over texts. `sizes` are the entries of each lexicon, in order.

    ValueError when there are not as many as the tables have.
    """

    __slots__ = (
        "_first_accepting",
        "_free",
        "_hits",
        "_lexicon_of",
        "_lexicons",
        "_next",
        "_nothing",
        "_order",
        "_tables",
    )

    def __init__(self, tables: Tables, sizes: Sequence[int]) -> None:
        if sum(sizes) != tables.entries:
            raise ValueError(
                f"{tables.entries} entries in the tables, {sum(sizes)} in the lexicons"
            )
        self._tables = tables
        self._lexicon_of = [number for number, size in enumerate(sizes) for _ in range(size)]
        self._lexicons = len(sizes)
        self._nothing = Found(present=0, counts=(0,) * len(sizes))
        self._free = frozenset(tables.free)
        self._hits: dict[tuple[int, int], _Hit] = {}
        classes, accepts = tables.classes, tables.accepts
        # The sort is stable and the start accepts nothing, so it stays state 0.
        self._order = sorted(range(len(accepts)), key=lambda state: bool(accepts[state]))
        base = [0] * len(accepts)
        for number, state in enumerate(self._order):
            base[state] = number * classes
        self._first_accepting = classes * sum(1 for entries in accepts if not entries)
        self._next: list[int] = []
        for state in self._order:
            row = tables.transitions[state * classes : (state + 1) * classes]
            self._next.extend(map(base.__getitem__, row))

    def scan(self, data: bytes) -> Found:
        """What occurs in the folded text `data` (without the final `END`)."""
        following = self._next
        first_accepting = self._first_accepting
        steps: dict[tuple[int, int], int] = {}
        state = 0
        for number in (data + END).translate(self._tables.byte_class):
            before = state
            state = following[state + number]
            if state >= first_accepting:
                steps[before, state] = steps.get((before, state), 0) + 1
        if not steps:
            return self._nothing
        present = 0
        counts = [0] * self._lexicons
        for step, times in steps.items():
            hit = self._hits.get(step) or self._hit(*step)
            present |= hit.present
            for lexicon in hit.lexicons:
                counts[lexicon] = min(counts[lexicon] + times, MAX_COUNT)
        return Found(present=present, counts=tuple(counts))

    def locate(self, data: bytes, limit: int = 10_000) -> list[tuple[int, int]]:
        """The first `limit` matches as (entry, end offset in `data`), by end, then by entry."""
        tables = self._tables
        found: list[tuple[int, int]] = []
        state = 0
        for offset, number in enumerate((data + END).translate(tables.byte_class)):
            state = tables.transitions[state * tables.classes + number]
            for entry in tables.accepts[state]:
                found.append((entry, offset + 1 if entry in self._free else offset))
            # One byte more: a bounded match is seen a byte later than a free one ending there.
            if len(found) >= limit and offset > found[limit - 1][1]:
                break
        found.sort(key=lambda match: (match[1], match[0]))
        return found[:limit]

    def places(self, text: str, data: bytes) -> Places:
        """What finds the places of matches in `text`, whose folded form is `data`."""
        return Places(self._tables, text, data)

    def _hit(self, before: int, state: int) -> _Hit:
        """What stepping from `before` into `state` adds.

        A free match seen in `before` and a bounded one seen in `state` end at the same position:
        for their lexicon that position has been counted.
        """
        entries_before, entries = (
            self._tables.accepts[self._order[number // self._tables.classes]]
            for number in (before, state)
        )
        of = self._lexicon_of
        counted = {of[entry] for entry in entries_before if entry in self._free}
        bounded = {of[entry] for entry in entries if entry not in self._free} - counted
        free = {of[entry] for entry in entries if entry in self._free}
        hit = _Hit(
            present=sum(1 << entry for entry in entries),
            # In one step a bounded and a free match end at different positions: both count.
            lexicons=(*sorted(bounded), *sorted(free)),
        )
        self._hits[before, state] = hit
        return hit
