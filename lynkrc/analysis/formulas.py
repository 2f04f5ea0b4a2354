"""Guards and integer expressions over one request's symbols to formulas of linear arithmetic.

Follows `lynkrc.interp.evaluate` case by case. Division is by constants alone and rounds down, as
there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from typing import assert_never, final

import z3

from lynkrc.analysis.logic import all_of, any_of, choice, not_
from lynkrc.analysis.symbols import Symbols
from lynkrc.ir.domain import View
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
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A slot that is none of the request's: of these the one that fits its type.

    `members` has when each class holds.
    """

    truth: z3.BoolRef | None = None
    number: z3.ArithRef | None = None
    members: tuple[z3.BoolRef, ...] = ()


@final
class Formulas:
    """The formulas of one part's guards; slots are read through its view of the domain.

    A slot in `beside` is read there.
    """

    def __init__(
        self, symbols: Symbols, view: View, beside: Mapping[int, Beside] | None = None
    ) -> None:
        self._symbols = symbols
        self._view = view
        self._beside = beside or {}
        self._context = symbols.context

    def holds(self, guard: Guard) -> z3.BoolRef:
        """When a guard holds."""
        match guard:
            case BoolConst(value=value):
                return self.constant(value)
            case BoolSlot(slot=slot):
                return self._truth(slot)
            case IntCompare(op=op, left=left, right=right):
                return _compare(op, self.value(left), self.value(right))
            case ClassTest(slot=slot, classes=classes):
                return self.member(slot, classes)
            case Not(operand=operand):
                return not_(self.holds(operand))
            case And(operands=operands):
                return self.every([self.holds(operand) for operand in operands])
            case Or(operands=operands):
                return self.some([self.holds(operand) for operand in operands])
            case _:
                assert_never(guard)

    def value(self, expr: IntExpr) -> z3.ArithRef:
        """The value of an integer expression."""
        match expr:
            case IntConst(value=constant):
                return self.number(constant)
            case IntSlot(slot=slot):
                return self.slot(slot)
            case IntSum(terms=terms):
                return z3.Sum([self.value(term) for term in terms])
            case IntScale(factor=factor, term=term):
                return factor * self.value(term)
            case IntMin(operands=operands):
                return reduce(
                    lambda least, one: choice(one < least, one, least),
                    [self.value(operand) for operand in operands],
                )
            case IntMax(operands=operands):
                return reduce(
                    lambda most, one: choice(one > most, one, most),
                    [self.value(operand) for operand in operands],
                )
            case IntSelect(condition=condition, then=then, otherwise=otherwise):
                return choice(self.holds(condition), self.value(then), self.value(otherwise))
            case IntSteps(x=x, pairs=pairs):
                at = self.value(x)
                return reduce(
                    lambda below, pair: choice(at >= pair[0], self.number(pair[1]), below),
                    pairs,
                    self.number(0),
                )
            case IntRamp(x=x, low=low, high=high):
                at = self.value(x)
                between = 100 * (at - low) / (high - low)
                return self.between(at <= low, at >= high, between)
            case IntSaturate(x=x, full=full):
                at = self.value(x)
                return self.between(at <= 0, at >= full, 100 * at / full)
            case _:
                assert_never(expr)

    def between(self, empty: z3.BoolRef, full: z3.BoolRef, otherwise: z3.ArithRef) -> z3.ArithRef:
        """0 where `empty`, 100 where `full`, else the value."""
        return choice(empty, self.number(0), choice(full, self.number(100), otherwise))

    def percent(self, value: z3.ArithRef) -> z3.ArithRef:
        """The value within 0..100."""
        return self.between(value <= 0, value >= 100, value)

    def number(self, value: int) -> z3.ArithRef:
        """A constant."""
        return z3.IntVal(value, self._context)

    def constant(self, value: bool) -> z3.BoolRef:
        """Always or never."""
        return z3.BoolVal(value, self._context)

    def every(self, conditions: Sequence[z3.BoolRef]) -> z3.BoolRef:
        """All of them, which none are too."""
        return all_of(*conditions) if conditions else self.constant(True)

    def some(self, conditions: Sequence[z3.BoolRef]) -> z3.BoolRef:
        """At least one of them."""
        return any_of(*conditions) if conditions else self.constant(False)

    def _truth(self, slot: int) -> z3.BoolRef:
        known = self._beside.get(slot)
        truth = self._symbols.bools[self._view.variables[slot]] if known is None else known.truth
        if truth is None:
            raise ValueError(f"slot {slot} is no boolean")
        return truth

    def slot(self, slot: int) -> z3.ArithRef:
        """The number a slot holds."""
        known = self._beside.get(slot)
        number = self._symbols.ints[self._view.variables[slot]] if known is None else known.number
        if number is None:
            raise ValueError(f"slot {slot} is no number")
        return number

    def member(self, slot: int, classes: Sequence[int]) -> z3.BoolRef:
        """That a slot's class is one of these."""
        known = self._beside.get(slot)
        if known is not None:
            return self.some([known.members[one] for one in classes])
        map_ = self._view.classes[slot]
        if map_ is None:
            raise ValueError(f"slot {slot} has no classes")
        wanted = set(classes)
        value = self._symbols.ints[self._view.variables[slot]]
        joint = [i for i, own in enumerate(map_) if own in wanted]
        return self.some(
            [
                value == first if first == last else all_of(value >= first, value <= last)
                for first, last in _runs(joint)
            ]
        )


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Rising numbers as unbroken runs, first and last.

    >>> list(_runs([1, 2, 3, 7]))
    [(1, 3), (7, 7)]
    """
    for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        members = [number for _, number in run]
        yield members[0], members[-1]


def _compare(op: Compare, left: z3.ArithRef, right: z3.ArithRef) -> z3.BoolRef:
    match op:
        case Compare.EQ:
            return left == right
        case Compare.NE:
            return left != right
        case Compare.LT:
            return left < right
        case Compare.LE:
            return left <= right
        case Compare.GT:
            return left > right
        case Compare.GE:
            return left >= right
        case _:
            assert_never(op)
