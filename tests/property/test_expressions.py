"""What is made of a guard and of an expression is what they say, said here a second time."""

import operator
from typing import Any, assert_never

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from lynkrc.interp import expressions as made
from lynkrc.interp.evaluate import holds, value
from lynkrc.interp.expressions import Vector, number, predicate
from lynkrc.ir.guard import (
    And,
    BoolConst,
    BoolSlot,
    ClassTest,
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
from lynkrc.ir.ranges import ramp_value, saturate_value, step_value
from tests.property.effort import tried
from tests.property.random_tables import expressions, guards, vectors

moderate = tried(50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
several_vectors = st.lists(vectors, min_size=4, max_size=12)

OPERATORS: dict[str, Any] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def says(guard: Guard, v: Vector) -> bool:
    match guard:
        case BoolConst():
            return guard.value
        case BoolSlot():
            return v[guard.slot] == 1
        case ClassTest():
            return v[guard.slot] in guard.classes
        case IntCompare():
            return bool(OPERATORS[guard.op.value](counts(guard.left, v), counts(guard.right, v)))
        case Not():
            return not says(guard.operand, v)
        case And():
            return all(says(one, v) for one in guard.operands)
        case Or():
            return any(says(one, v) for one in guard.operands)
        case _:
            assert_never(guard)


def counts(expr: IntExpr, v: Vector) -> int:
    match expr:
        case IntConst():
            return expr.value
        case IntSlot():
            return v[expr.slot]
        case IntSum():
            return sum(counts(term, v) for term in expr.terms)
        case IntScale():
            return expr.factor * counts(expr.term, v)
        case IntMin():
            return min(counts(one, v) for one in expr.operands)
        case IntMax():
            return max(counts(one, v) for one in expr.operands)
        case IntSelect():
            return counts(expr.then if says(expr.condition, v) else expr.otherwise, v)
        case IntSteps():
            return step_value(counts(expr.x, v), expr.pairs)
        case IntRamp():
            return ramp_value(counts(expr.x, v), expr.low, expr.high)
        case IntSaturate():
            return saturate_value(counts(expr.x, v), expr.full)
        case _:
            assert_never(expr)


@moderate
@given(guards, several_vectors)
def test_a_guard_holds_where_it_says(guard: Guard, found: list[list[int]]) -> None:
    for vector in found:
        assert holds(guard, vector) is says(guard, vector)


@moderate
@given(expressions, several_vectors)
def test_an_expression_is_worth_what_it_says(expr: IntExpr, found: list[list[int]]) -> None:
    for vector in found:
        assert value(expr, vector) == counts(expr, vector)


def test_what_was_made_is_remembered_by_the_node_itself() -> None:
    node = BoolSlot(slot=SlotId(0))
    assert predicate(node) is predicate(node)
    assert predicate(BoolSlot(slot=SlotId(0))) is not predicate(node)


def test_no_node_is_taken_for_another_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nodes are made where forgotten ones stood: each must be asked as itself.
    monkeypatch.setattr(made, "MOST_REMEMBERED", 3)
    for constant in range(200):
        assert number(IntConst(value=constant))(()) == constant
