"""A typed expression to the features it reads, in the order they stand."""

from collections.abc import Iterator
from typing import assert_never

from lynkrc.sema.typed import (
    Attribute,
    Choice,
    Constant,
    Feature,
    Flag,
    Greatest,
    Leaf,
    Least,
    Logic,
    MemberTest,
    Negation,
    NumberTest,
    Ramp,
    Reading,
    Saturate,
    Scaled,
    Steps,
    StringTest,
    Sum,
    Truth,
    TypedExpr,
)


def children(expr: TypedExpr) -> tuple[TypedExpr, ...]:
    """The parts of a node that are expressions themselves."""
    match expr:
        case Truth() | Flag() | MemberTest() | StringTest() | Constant() | Reading():
            return ()
        case Negation(operand=operand):
            return (operand,)
        case Logic(left=left_bool, right=right_bool):
            return (left_bool, right_bool)
        case NumberTest(left=left, right=right) | Sum(left=left, right=right):
            return (left, right)
        case Scaled(term=term):
            return (term,)
        case Least(operands=operands) | Greatest(operands=operands):
            return operands
        case Choice(condition=condition, then=then, otherwise=otherwise):
            return (condition, then, otherwise)
        case Steps(x=x) | Ramp(x=x) | Saturate(x=x):
            return (x,)
        case _:
            assert_never(expr)


def nodes_in(expr: TypedExpr) -> Iterator[TypedExpr]:
    """Every node of the expression, the outer ones first."""
    yield expr
    for child in children(expr):
        yield from nodes_in(child)


def leaves_in(expr: TypedExpr) -> Iterator[Leaf]:
    """Every leaf read, as often as it is read."""
    for node in nodes_in(expr):
        match node:
            case Flag(leaf=leaf) | Reading(leaf=leaf) | MemberTest(leaf=leaf):
                yield leaf
            case StringTest(leaf=feature):
                yield feature
            case _:
                pass


def features_in(expr: TypedExpr) -> Iterator[Feature]:
    """Every feature of the request read, as often as it is read."""
    for leaf in leaves_in(expr):
        if not isinstance(leaf, Attribute):
            yield leaf
