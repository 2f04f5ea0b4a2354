"""A RouteTable to the values at which its slots begin to mean something else.

A comparison with a literal changes its truth between two neighbouring values; both are edges, as
are the ends of a range, every class of a string and both truths of a boolean. Where a literal is
compared with more than one slot, what each has to reach by itself counts.
"""

from collections import defaultdict
from collections.abc import Iterator

from lynkrc.ir.guard import (
    Guard,
    IntCompare,
    IntConst,
    IntExpr,
    IntRamp,
    IntSaturate,
    IntSteps,
)
from lynkrc.ir.ranges import slots_read, subexpressions
from lynkrc.ir.table import RouteTable, Slot, SlotType

MOST = 64
"""Edges of one slot that are kept: the lowest ones."""


def edges_of(table: RouteTable) -> tuple[tuple[int, ...], ...]:
    """The edges of each slot, rising."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for node in nodes_of(table):
        for slot, value in _literals(node):
            found[slot] |= {value - 1, value, value + 1}
    return tuple(_edges(slot, found[slot.id]) for slot in table.slots)


def nodes_of(table: RouteTable) -> Iterator[Guard | IntExpr]:
    """Every guard and value of the table."""
    for rule in table.rules:
        yield rule.guard
        yield from (keep.guard for keep in rule.require or ())
    yield from (pin.guard for pin in table.pins)
    yield from (need.guard for need in table.needs)
    yield from (one.value for one in table.dimensions if one.value is not None)


def _edges(slot: Slot, near: set[int]) -> tuple[int, ...]:
    if slot.type in (SlotType.BOOL, SlotType.CLASS):
        return tuple(range(slot.low, slot.high + 1))[:MOST]
    ends = {slot.low, slot.low + 1, min(max(0, slot.low), slot.high), slot.high - 1, slot.high}
    values = {value for value in near | ends if slot.low <= value <= slot.high}
    return tuple(sorted(values, key=abs)[:MOST])


def _literals(node: Guard | IntExpr) -> Iterator[tuple[int, int]]:
    """Slots with the literals they are compared with, below a node."""
    match node:
        case IntCompare(left=left, right=right):
            constants = [one.value for one in (left, right) if isinstance(one, IntConst)]
            for side in (left, right):
                for slot in slots_read(side):
                    yield from ((slot, value) for value in constants)
        case IntSteps(x=x, pairs=pairs):
            for slot in slots_read(x):
                yield from ((slot, threshold) for threshold, _ in pairs)
        case IntRamp(x=x, low=low, high=high):
            for slot in slots_read(x):
                yield from ((slot, value) for value in (low, (low + high) // 2, high))
        case IntSaturate(x=x, full=full):
            yield from ((slot, full) for slot in slots_read(x))
        case _:
            pass
    for part in subexpressions(node):
        yield from _literals(part)
