"""A DFA to the least one of the same meaning: equal states joined, equal byte classes joined.

The result is canonical: states are numbered in the order a breadth-first walk by class meets them.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import final

from lynkrc.lower.pattern_dfa import Dfa, Entries


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LeastDfa:
    """`cells[state * classes + class]` is the next state; state 0 is the start."""

    byte_class: bytes
    classes: int
    cells: "array[int]"
    accepts: list[Entries]

    @property
    def rows(self) -> int:
        """How many rows of cells differ: of states that move alike, all but one accept."""
        raw = memoryview(self.cells).cast("B")
        size = self.classes * self.cells.itemsize
        return len({raw[at : at + size].tobytes() for at in range(0, len(raw), size)})


def minimise(dfa: Dfa) -> LeastDfa:
    """The least DFA with the same accepted entries after every text."""
    return _join_classes(_walk(dfa, _blocks(dfa)))


def _blocks(dfa: Dfa) -> list[int]:
    """The block of each state; states share one when no text tells them apart (Moore).

    Blocks of one state are settled and not looked at again. Most states of a lexicon stand alone
    by their marks, which is what makes this quicker here than Hopcroft's bookkeeping.
    """
    numbers: dict[object, int] = {}
    told = zip(dfa.accepts, dfa.marks, strict=True)
    block = [numbers.setdefault(key, len(numbers)) for key in told]
    count = len(numbers)
    if count == len(block):
        return block
    members: dict[int, list[int]] = {}
    for state, number in enumerate(block):
        members.setdefault(number, []).append(state)
    unsettled = [states for states in members.values() if len(states) > 1]
    changed = True
    while changed:
        changed = False
        split: list[list[int]] = []
        moved: list[tuple[int, int]] = []
        block_of = block.__getitem__
        for states in unsettled:
            groups: dict[tuple[int, ...], list[int]] = {}
            for state in states:
                groups.setdefault(tuple(map(block_of, dfa.rows[state])), []).append(state)
            parts = iter(groups.values())
            first = next(parts)
            if len(first) > 1:
                split.append(first)
            for part in parts:
                changed = True
                moved.extend((state, count) for state in part)
                count += 1
                if len(part) > 1:
                    split.append(part)
        # Applied after the round, so that a round compares by one and the same partition.
        for state, number in moved:
            block[state] = number
        unsettled = split
    return block


def _walk(dfa: Dfa, block: Sequence[int]) -> LeastDfa:
    """One state for each block, met from the start on."""
    # Of a block the state met first stands for all.
    order = {block[0]: 0}
    kept = [0]
    met: set[int] = {0}
    for state in kept:
        row = dfa.rows[state]
        if not met.issuperset(row):
            for target in row:
                if target not in met:
                    met.add(target)
                    if block[target] not in order:
                        order[block[target]] = len(kept)
                        kept.append(target)
    # What was not met is led to by nothing that was.
    number_of = [order.get(one, 0) for one in block]
    cells = array("I")
    for state in kept:
        cells.extend(map(number_of.__getitem__, dfa.rows[state]))
    return LeastDfa(
        byte_class=dfa.byte_class,
        classes=len(dfa.rows[0]),
        cells=cells,
        accepts=[dfa.accepts[state] for state in kept],
    )


def _join_classes(dfa: LeastDfa) -> LeastDfa:
    columns: dict[bytes, int] = {}
    joined = [
        columns.setdefault(dfa.cells[number :: dfa.classes].tobytes(), len(columns))
        for number in range(dfa.classes)
    ]
    if len(columns) == dfa.classes:
        return dfa
    kept = (memoryview(column).cast("I") for column in columns)
    return LeastDfa(
        byte_class=bytes(joined[number] for number in dfa.byte_class),
        classes=len(columns),
        cells=array("I", chain.from_iterable(zip(*kept, strict=True))),
        accepts=dfa.accepts,
    )
