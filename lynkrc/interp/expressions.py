"""A guard or an integer expression to a function of a vector: what it means, node by node.

A node is looked at once, however many vectors are asked of it: a build asks hundreds. What was made
of a node is remembered by the node itself, not by what it says, as comparing deep trees costs more
than making them anew.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Generic, TypeAlias, TypeVar, assert_never, final

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
from lynkrc.ir.ranges import ramp_value, saturate_value, step_value

Vector: TypeAlias = Sequence[int]
"""Clamped values in slot order."""

Predicate: TypeAlias = Callable[[Vector], bool]
Number: TypeAlias = Callable[[Vector], int]

MOST_REMEMBERED = 10_000
"""Guards, and as many expressions, that are remembered."""

N = TypeVar("N")
F = TypeVar("F")


@final
class _Remembered(Generic[N, F]):
    """What was made of nodes, by who they are; forgotten as a whole where there are too many."""

    def __init__(self, make: Callable[[N], F]) -> None:
        self._make = make
        # The node stands beside what was made of it: while it lives no other has its id.
        self._made: dict[int, tuple[N, F]] = {}

    def __call__(self, node: N) -> F:
        found = self._made.get(id(node))
        if found is not None:
            return found[1]
        made = self._make(node)
        if len(self._made) >= MOST_REMEMBERED:
            self._made.clear()
        self._made[id(node)] = node, made
        return made


def _predicate(guard: Guard) -> Predicate:
    match guard:
        case BoolConst(value=constant):
            return lambda _: constant
        case BoolSlot(slot=slot):
            return lambda v: v[slot] == 1
        case ClassTest(slot=slot, classes=classes):
            return lambda v: v[slot] in classes
        case IntCompare(op=op, left=left, right=right):
            return _comparison(_OPERATORS[op], _number(left), _number(right))
        case Not(operand=operand):
            negated = _predicate(operand)
            return lambda v: not negated(v)
        case And(operands=operands):
            return _all([_predicate(operand) for operand in operands])
        case Or(operands=operands):
            return _any([_predicate(operand) for operand in operands])
        case _:
            assert_never(guard)


def _number(expr: IntExpr) -> Number:
    match expr:
        case IntConst(value=constant):
            return lambda _: constant
        case IntSlot(slot=slot):
            return operator.itemgetter(slot)
        case IntSum(terms=terms):
            return _sum([_number(term) for term in terms])
        case IntScale(factor=factor, term=term):
            scaled = _number(term)
            return lambda v: factor * scaled(v)
        case IntMin(operands=operands):
            least = [_number(operand) for operand in operands]
            return lambda v: min([one(v) for one in least])
        case IntMax(operands=operands):
            most = [_number(operand) for operand in operands]
            return lambda v: max([one(v) for one in most])
        case IntSelect(condition=condition, then=then, otherwise=otherwise):
            return _selection(_predicate(condition), _number(then), _number(otherwise))
        case IntSteps(x=x, pairs=pairs):
            stepped = _number(x)
            return lambda v: step_value(stepped(v), pairs)
        case IntRamp(x=x, low=low, high=high):
            rising = _number(x)
            return lambda v: ramp_value(rising(v), low, high)
        case IntSaturate(x=x, full=full):
            filling = _number(x)
            return lambda v: saturate_value(filling(v), full)
        case _:
            assert_never(expr)


_OPERATORS = {
    Compare.EQ: operator.eq,
    Compare.NE: operator.ne,
    Compare.LT: operator.lt,
    Compare.LE: operator.le,
    Compare.GT: operator.gt,
    Compare.GE: operator.ge,
}

predicate: Callable[[Guard], Predicate] = _Remembered(_predicate)
"""Whether a guard holds, as a function of a vector."""

number: Callable[[IntExpr], Number] = _Remembered(_number)
"""The value of an integer expression, as a function of a vector."""


def _comparison(compare: Callable[[int, int], bool], left: Number, right: Number) -> Predicate:
    return lambda v: compare(left(v), right(v))


# A generator for `all` and `any` would cost more than what it is asked.


def _all(operands: Sequence[Predicate]) -> Predicate:
    def all_hold(v: Vector) -> bool:
        for operand in operands:  # noqa: SIM110  a generator costs more than what it asks
            if not operand(v):
                return False
        return True

    return all_hold


def _any(operands: Sequence[Predicate]) -> Predicate:
    def one_holds(v: Vector) -> bool:
        for operand in operands:  # noqa: SIM110  a generator costs more than what it asks
            if operand(v):
                return True
        return False

    return one_holds


def _sum(terms: Sequence[Number]) -> Number:
    def total(v: Vector) -> int:
        found = 0
        for term in terms:
            found += term(v)
        return found

    return total


def _selection(condition: Predicate, then: Number, otherwise: Number) -> Number:
    return lambda v: then(v) if condition(v) else otherwise(v)
