"""The pattern kernel in plain Python: folded text to the entries present and counts per lexicon.

Text is fed in chunks, a word and what stands between it and the next. Words recur, so what a short
chunk does in a state is remembered (in bounded memory, never written anywhere): known words cost a
look-up, not a step a byte.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

from lynkrc_runtime.scan.fold import END
from lynkrc_runtime.scan.tables import Tables

MAX_COUNT = 255
"""Counts are capped here."""

# The final `END` is no word byte, so these cover a text without rest.
_CHUNK = re.compile(rb"[0-9A-Za-z_\x80-\xff]*[^0-9A-Za-z_\x80-\xff]+")
_LONGEST_REMEMBERED = 32  # bytes
_MOST_REMEMBERED = 20_000  # chunks, over all states


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
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


class _Memo(dict[bytes, tuple["_Memo", tuple[_Hit, ...]]]):
    """What chunks do in `state`: the memo of the state they lead to, and the hits on the way."""

    __slots__ = ("state",)

    def __init__(self, state: int) -> None:
        self.state = state


_Step: TypeAlias = tuple[_Memo, tuple[_Hit, ...]]


@final
class Matcher:
    """Runs the automaton over texts. `sizes` are the entries of each lexicon, in order.

    ValueError when there are not as many as the tables have.
    """

    __slots__ = (
        "_accepting",
        "_free",
        "_hits",
        "_lexicon_of",
        "_memos",
        "_remembered",
        "_sizes",
        "_tables",
    )

    def __init__(self, tables: Tables, sizes: Sequence[int]) -> None:
        if sum(sizes) != tables.entries:
            raise ValueError(
                f"{tables.entries} entries in the tables, {sum(sizes)} in the lexicons"
            )
        self._tables = tables
        self._sizes = tuple(sizes)
        self._lexicon_of = [number for number, size in enumerate(sizes) for _ in range(size)]
        self._accepting = bytes(bool(entries) for entries in tables.accepts)
        self._free = frozenset(tables.free)
        self._hits: dict[tuple[int, int], _Hit] = {}
        self._memos: dict[int, _Memo] = {}
        self._remembered = 0

    def scan(self, data: bytes) -> Found:
        """What occurs in the folded text `data` (without the final `END`)."""
        hits: list[_Hit] = []
        memo = self._memo(0)
        for chunk in _CHUNK.findall(data + END):
            step = memo.get(chunk) or self._learn(memo, chunk)
            memo = step[0]
            if step[1]:
                hits.extend(step[1])
        return self._sum(hits)

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

    def _sum(self, hits: list[_Hit]) -> Found:
        present = 0
        counts = [0] * len(self._sizes)
        for hit in hits:
            present |= hit.present
            for lexicon in hit.lexicons:
                counts[lexicon] += 1
        return Found(present=present, counts=tuple(min(count, MAX_COUNT) for count in counts))

    def _memo(self, state: int) -> _Memo:
        memo = self._memos.get(state)
        if memo is None:
            memo = self._memos[state] = _Memo(state)
        return memo

    def _learn(self, memo: _Memo, chunk: bytes) -> _Step:
        state, hits = self._run(memo.state, chunk)
        step = (self._memo(state), hits)
        if len(chunk) <= _LONGEST_REMEMBERED:
            if self._remembered >= _MOST_REMEMBERED:
                for known in self._memos.values():
                    known.clear()
                self._remembered = 0
            memo[chunk] = step
            self._remembered += 1
        return step

    def _run(self, state: int, chunk: bytes) -> tuple[int, tuple[_Hit, ...]]:
        classes = self._tables.classes
        transitions = self._tables.transitions
        accepting = self._accepting
        hits: list[_Hit] = []
        for number in chunk.translate(self._tables.byte_class):
            following = transitions[state * classes + number]
            if accepting[following]:
                hits.append(self._hits.get((state, following)) or self._hit(state, following))
            state = following
        return state, tuple(hits)

    def _hit(self, before: int, state: int) -> _Hit:
        """What stepping from `before` into `state` adds.

        A free match seen in `before` and a bounded one seen in `state` end at the same position:
        for their lexicon that position has been counted.
        """
        accepts = self._tables.accepts
        of = self._lexicon_of
        counted = {of[entry] for entry in accepts[before] if entry in self._free}
        ended = {of[entry] for entry in accepts[state] if entry not in self._free} - counted
        free = [of[entry] for entry in accepts[state] if entry in self._free]
        hit = _Hit(
            present=sum(1 << entry for entry in accepts[state]),
            # A bounded and a free match in one state end at different positions: both count.
            lexicons=(*sorted(ended), *sorted(set(free))),
        )
        self._hits[before, state] = hit
        return hit
