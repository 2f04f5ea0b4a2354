"""An integer expression to the interval its value lies in, from the ranges of the slots it reads.

Sound, not exact: every value that occurs lies in the interval. A table whose intermediate results
all fit 64 bits means the same in Python and in C; `lynkrc.ir.verify` demands it.

>>> from lynkrc.ir.guard import IntConst, IntRamp, IntScale
>>> interval(IntScale(factor=-2, term=IntConst(value=3)), ())
(-6, -6)
>>> interval(IntRamp(x=IntConst(value=75), low=0, high=100), ())
(75, 75)
"""

from collections.abc import Sequence
from typing import TypeAlias, assert_never

from lynkrc.ir.guard import (
    And,
    BoolConst,
    BoolSlot,
    ClassTest,
    Compare,
    Guard,
    IntCompare,
    IntConst,
    IntExpr,
    IntMax,
    IntMin,
    IntRamp,
    IntSaturate,
    IntScale,
    IntSelect,
    IntSlot,
    IntSteps,
    IntSum,
    Not,
    Or,
    SlotId,
)
from lynkrc.ir.table import Slot

Interval: TypeAlias = tuple[int, int]
"""Inclusive bounds."""


def step_value(x: int, pairs: Sequence[tuple[int, int]]) -> int:
    """The value of the last pair whose threshold is at most `x`; 0 below the first."""
    found = 0
    for threshold, value in pairs:
        if threshold <= x:
            found = value
    return found


def ramp_value(x: int, low: int, high: int) -> int:
    """0 at or below `low`, 100 at or above `high`, a rounded-down line between."""
    if x <= low:
        return 0
    if x >= high:
        return 100
    return 100 * (x - low) // (high - low)


def saturate_value(x: int, full: int) -> int:
    """100 x / `full` rounded down, kept within 0..100."""
    if x <= 0:
        return 0
    return min(100, 100 * x // full)


def interval(expr: IntExpr, slots: Sequence[Slot]) -> Interval:
    """The bounds of `expr` over all clamped vectors."""
    match expr:
        case IntConst(value=value):
            return value, value
        case IntSlot(slot=slot):
            return slots[slot].low, slots[slot].high
        case IntSum(terms=terms):
            bounds = [interval(term, slots) for term in terms]
            return sum(low for low, _ in bounds), sum(high for _, high in bounds)
        case IntScale(factor=factor, term=term):
            ends = [factor * end for end in interval(term, slots)]
            return min(ends), max(ends)
        case IntMin(operands=operands):
            bounds = [interval(operand, slots) for operand in operands]
            return min(low for low, _ in bounds), min(high for _, high in bounds)
        case IntMax(operands=operands):
            bounds = [interval(operand, slots) for operand in operands]
            return max(low for low, _ in bounds), max(high for _, high in bounds)
        case IntSelect(then=then, otherwise=otherwise):
            then_low, then_high = interval(then, slots)
            else_low, else_high = interval(otherwise, slots)
            return min(then_low, else_low), max(then_high, else_high)
        case IntSteps(x=x, pairs=pairs):
            low, high = interval(x, slots)
            values = [step_value(low, pairs)]
            values += [value for threshold, value in pairs if low < threshold <= high]
            return min(values), max(values)
        case IntRamp(x=x, low=start, high=end):
            low, high = interval(x, slots)
            return ramp_value(low, start, end), ramp_value(high, start, end)
        case IntSaturate(x=x, full=full):
            low, high = interval(x, slots)
            return saturate_value(low, full), saturate_value(high, full)
        case _:
            assert_never(expr)


def slots_read(node: Guard | IntExpr) -> frozenset[SlotId]:
    """Every slot a guard or expression reads.

    >>> sorted(slots_read(Not(operand=BoolSlot(slot=SlotId(3)))))
    [3]
    """
    match node:
        case BoolSlot(slot=slot) | ClassTest(slot=slot) | IntSlot(slot=slot):
            return frozenset((slot,))
        case _:
            return frozenset().union(*(slots_read(part) for part in subexpressions(node)))


def subexpressions(node: Guard | IntExpr) -> list[Guard | IntExpr]:
    """The direct operands of a guard or expression, in order."""
    match node:
        case IntConst() | IntSlot() | BoolConst() | BoolSlot() | ClassTest():
            return []
        case IntSum(terms=operands):
            return list(operands)
        case IntMin(operands=operands) | IntMax(operands=operands):
            return list(operands)
        case And(operands=guards) | Or(operands=guards):
            return list(guards)
        case IntScale(term=term):
            return [term]
        case IntSelect(condition=condition, then=then, otherwise=otherwise):
            return [condition, then, otherwise]
        case IntSteps(x=x) | IntRamp(x=x) | IntSaturate(x=x):
            return [x]
        case IntCompare(left=left, right=right):
            return [left, right]
        case Not(operand=operand):
            return [operand]
        case _:
            assert_never(node)


def compare_ranges(op: Compare, left: Interval, right: Interval) -> bool | None:
    """Whether `left` op `right` holds for all values, for none (False), or depends (None)."""
    (left_low, left_high), (right_low, right_high) = left, right
    match op:
        case Compare.LT:
            return _decided(left_high < right_low, left_low >= right_high)
        case Compare.LE:
            return _decided(left_high <= right_low, left_low > right_high)
        case Compare.GT:
            return _decided(left_low > right_high, left_high <= right_low)
        case Compare.GE:
            return _decided(left_low >= right_high, left_high < right_low)
        case Compare.EQ:
            same = left_low == left_high == right_low == right_high
            return _decided(same, left_high < right_low or left_low > right_high)
        case Compare.NE:
            same = left_low == left_high == right_low == right_high
            return _decided(left_high < right_low or left_low > right_high, same)
        case _:
            assert_never(op)


def _decided(always: bool, never: bool) -> bool | None:
    if always:
        return True
    return False if never else None
