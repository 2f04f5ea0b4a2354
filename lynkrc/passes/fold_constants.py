"""Guards and expressions with what is already decided replaced by constants.

A comparison that the slots' ranges decide becomes always or never; arithmetic on constants is
done; steps that no value reaches go. Rules stay, also those that never match: ids are stable and
a dead rule is a finding, not something to lose.

>>> from lynkrc.ir.guard import Compare, IntSlot, SlotId
>>> from lynkrc.ir.table import SlotType
>>> words = Slot(id=SlotId(0), feature="ask.words", args=(), type=SlotType.INT, low=0, high=99)
>>> below = IntCompare(op=Compare.LT, left=IntSlot(slot=SlotId(0)), right=IntConst(value=0))
>>> fold_guard(below, (words,))
BoolConst(value=False)
"""

from collections.abc import Sequence
from dataclasses import replace

from lynkrc.ir.guard import (
    ALWAYS,
    NEVER,
    BoolConst,
    ClassTest,
    Guard,
    IntCompare,
    IntConst,
    IntExpr,
    IntMax,
    IntMin,
    IntScale,
    IntSteps,
    IntSum,
    Not,
)
from lynkrc.ir.ranges import Interval, compare_ranges, interval
from lynkrc.ir.table import RouteTable, Slot
from lynkrc.passes.rewrite import Rewriting, rewrite_table


def fold_constants(table: RouteTable) -> RouteTable:
    """The table with every constant part folded."""
    return rewrite_table(table, _rewriting(table.slots))


def fold_guard(guard: Guard, slots: Sequence[Slot]) -> Guard:
    """One guard with its constant parts folded."""
    return _rewriting(slots).guard(guard)


def _rewriting(slots: Sequence[Slot]) -> Rewriting:
    return Rewriting(
        on_guard=lambda guard: _guard(guard, slots), on_int=lambda expr: _int(expr, slots)
    )


def _guard(guard: Guard, slots: Sequence[Slot]) -> Guard:
    match guard:
        case IntCompare(op=op, left=left, right=right):
            decided = compare_ranges(op, interval(left, slots), interval(right, slots))
            return guard if decided is None else BoolConst(value=decided)
        case ClassTest(slot=slot, classes=classes):
            if not classes:
                return NEVER
            return ALWAYS if len(classes) == len(slots[slot].classes) else guard
        case Not(operand=BoolConst(value=value)):
            return BoolConst(value=not value)
        case _:
            return guard


def _int(expr: IntExpr, slots: Sequence[Slot]) -> IntExpr:
    low, high = interval(expr, slots)
    if low == high:
        return IntConst(value=low)
    match expr:
        case IntSum(terms=terms):
            constant = sum(term.value for term in terms if isinstance(term, IntConst))
            kept: list[IntExpr] = [term for term in terms if not isinstance(term, IntConst)]
            if constant:
                kept.append(IntConst(value=constant))
            return kept[0] if len(kept) == 1 else IntSum(terms=tuple(kept))
        case IntScale(factor=1, term=term):
            return term
        case IntScale(factor=factor, term=IntScale(factor=inner, term=term)):
            return IntScale(factor=factor * inner, term=term)
        case IntMin(operands=operands):
            # Values at or above `top` never decide, as some operand is never above it.
            bounds = [interval(operand, slots) for operand in operands]
            top = min(high for _, high in bounds)
            witness = next(i for i, (_, high) in enumerate(bounds) if high == top)
            kept = [o for i, o in enumerate(operands) if i == witness or bounds[i][0] < top]
            return _one_or(IntMin, kept)
        case IntMax(operands=operands):
            bounds = [interval(operand, slots) for operand in operands]
            bottom = max(low for low, _ in bounds)
            witness = next(i for i, (low, _) in enumerate(bounds) if low == bottom)
            kept = [o for i, o in enumerate(operands) if i == witness or bounds[i][1] > bottom]
            return _one_or(IntMax, kept)
        case IntSteps(x=x, pairs=pairs):
            return replace(expr, pairs=_reached(pairs, interval(x, slots)))
        case _:
            return expr


def _one_or(node: type[IntMin] | type[IntMax], operands: Sequence[IntExpr]) -> IntExpr:
    distinct = tuple(dict.fromkeys(operands))
    return distinct[0] if len(distinct) == 1 else node(operands=distinct)


def _reached(pairs: tuple[tuple[int, int], ...], bounds: Interval) -> tuple[tuple[int, int], ...]:
    low, high = bounds
    first = max((i for i, (threshold, _) in enumerate(pairs) if threshold <= low), default=0)
    return tuple(pair for pair in pairs[first:] if pair[0] <= high)
