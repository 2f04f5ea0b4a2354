"""Two tables to points where they may differ, by trying: edges of their guards and random points.

Whatever it does not find may still be there: it decides nothing, and says so.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.diff.identity import Pair
from lynkrc.ir.domain import Domain, Point
from lynkrc.ir.guard import (
    And,
    BoolConst,
    BoolSlot,
    ClassTest,
    Guard,
    IntCompare,
    IntConst,
    IntExpr,
    IntRamp,
    IntSaturate,
    IntSlot,
    IntSteps,
    Not,
    Or,
    SlotId,
)
from lynkrc.ir.ranges import subexpressions
from lynkrc.ir.table import RouteTable, SlotType
from lynkrc.ir.witness import at_rest

POINTS = 1_500
"""Points that are tried at most."""
_SEED = 20_240_501
_KEPT_PLAIN = 0.6
_EDGES = 24


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Points at which the tables may differ, and what was left undecided (nothing: all is known).

    A point stands for all requests that are treated alike on both sides; points that show no
    difference do no harm.
    """

    points: tuple[Point, ...]
    unknown: tuple[str, ...]


def sample(pair: Pair, domain: Domain) -> Found:
    """The points tried, in a fixed order; always incomplete."""
    seen: dict[Point, None] = {}
    for point in _points(pair, domain):
        seen.setdefault(point)
        if len(seen) == POINTS:
            break
    reason = f"{len(seen):,} requests were tried, not all there can be"
    return Found(points=tuple(seen), unknown=(reason,))


def _points(pair: Pair, domain: Domain) -> Iterator[Point]:
    plain = at_rest(domain)
    yield plain
    edges: list[Sequence[int]] = [
        _edges(pair, domain, index) for index in range(len(domain.variables))
    ]
    for index, values in enumerate(edges):
        for value in values:
            yield (*plain[:index], value, *plain[index + 1 :])
    for view, table in zip(domain.views, (pair.old, pair.new), strict=True):
        for guard in _guards(table):
            for wanted in (True, False):
                wishes: dict[int, set[int]] = {}
                _push(guard, table, wanted, wishes)
                point = list(plain)
                for slot, wished in wishes.items():
                    variable = view.variables[slot]
                    classes = view.classes[slot]
                    for value in wished:
                        joint = value if classes is None else classes.index(value)
                        low, high = domain.slots[variable].low, domain.slots[variable].high
                        point[variable] = min(max(joint, low), high)
                yield tuple(point)
    draw = random.Random(_SEED)
    while edges:
        yield tuple(
            plain[index] if draw.random() < _KEPT_PLAIN else draw.choice(values)
            for index, values in enumerate(edges)
        )
        # Few points of a small domain are new: so many tries are enough for all of them.
        if len(edges) == 1 or draw.random() < 1 / (8 * POINTS):
            return


def _guards(table: RouteTable) -> Iterator[Guard]:
    for rule in table.rules:
        yield rule.guard
        yield from (keep.guard for keep in rule.require or ())
    yield from (pin.guard for pin in table.pins)
    yield from (need.guard for need in table.needs)


def _edges(pair: Pair, domain: Domain, index: int) -> Sequence[int]:
    """The values of a variable at which something may turn, within its range."""
    slot = domain.slots[index]
    if slot.type in (SlotType.BOOL, SlotType.CLASS):
        return range(slot.low, slot.high + 1)
    found = {slot.low, slot.high, *(v for v in (0, 1) if slot.low <= v <= slot.high)}
    for view, table in zip(domain.views, (pair.old, pair.new), strict=True):
        for own, variable in enumerate(view.variables):
            if variable == index:
                for literal in _literals(table, SlotId(own)):
                    found |= {literal - 1, literal, literal + 1}
    inside = sorted(value for value in found if slot.low <= value <= slot.high)
    return inside[:: max(1, len(inside) // _EDGES)]


def _literals(table: RouteTable, slot: SlotId) -> Iterator[int]:
    """Numbers that stand beside the slot in a comparison or a shape of a dimension."""
    roots: list[Guard | IntExpr] = list(_guards(table))
    roots += [one.value for one in table.dimensions if one.value is not None]
    while roots:
        node = roots.pop()
        match node:
            case IntCompare(left=IntSlot(slot=found), right=IntConst(value=value)) if found == slot:
                yield value
            case IntSteps(x=IntSlot(slot=found), pairs=pairs) if found == slot:
                yield from (at for at, _ in pairs)
            case IntRamp(x=IntSlot(slot=found), low=low, high=high) if found == slot:
                yield from (low, (low + high) // 2, high)
            case IntSaturate(x=IntSlot(slot=found), full=full) if found == slot:
                yield from (full // 2, full)
            case IntCompare(left=left, right=IntConst(value=value)):
                if any(isinstance(one, IntSlot) and one.slot == slot for one in _leaves(left)):
                    yield value
        roots += subexpressions(node)


def _leaves(expr: IntExpr) -> Iterator[Guard | IntExpr]:
    left: list[Guard | IntExpr] = [expr]
    while left:
        node = left.pop()
        inner = subexpressions(node)
        if not inner:
            yield node
        left += inner


def _push(guard: Guard, table: RouteTable, wanted: bool, wishes: dict[int, set[int]]) -> None:
    """Note the values that would make the guard `wanted`, as far as that is seen at a glance."""
    match guard:
        case BoolSlot(slot=slot):
            wishes[slot] = {int(wanted)}
        case ClassTest(slot=slot, classes=classes):
            every = range(len(table.slots[slot].classes))
            fitting = [one for one in every if (one in classes) == wanted]
            if fitting:
                wishes[slot] = {fitting[0]}
        case IntCompare(left=IntSlot(slot=slot), right=IntConst(value=value)):
            near = (value, value + 1, value - 1)
            # Which of the three it is follows from the operator; all are tried alone elsewhere.
            fits = {"<": 2, "<=": 0, ">": 1, ">=": 0, "==": 0, "!=": 1}
            turned = {"<": 0, "<=": 1, ">": 0, ">=": 2, "==": 1, "!=": 0}
            wishes[slot] = {near[(fits if wanted else turned)[guard.op.value]]}
        case Not(operand=operand):
            _push(operand, table, not wanted, wishes)
        case And(operands=operands) | Or(operands=operands):
            all_of_them = isinstance(guard, And) == wanted
            for operand in operands if all_of_them else operands[:1]:
                _push(operand, table, wanted, wishes)
        case IntCompare() | BoolConst():
            return
