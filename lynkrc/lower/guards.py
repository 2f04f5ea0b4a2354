"""Typed expressions to guards and integer expressions over slots; sugar ends here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import assert_never

from lynkrc.ir.guard import (
    ALWAYS,
    NEVER,
    And,
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
from lynkrc.lower.slots import Layout, classes_of
from lynkrc.sema.typed import (
    Bool,
    Choice,
    Connective,
    Constant,
    Flag,
    Greatest,
    Leaf,
    Least,
    Logic,
    MemberTest,
    Negation,
    Number,
    NumberTest,
    Order,
    Ramp,
    Reading,
    Saturate,
    Scaled,
    Steps,
    StringTest,
    Sum,
    Truth,
)
from lynkrc.source.text import Span

_COMPARES: Mapping[Order, Compare] = MappingProxyType(
    {order: Compare(order.value) for order in Order}
)


def lower_guard(expr: Bool, layout: Layout) -> Guard:
    """The guard that holds where `expr` does. Raises KeyError for a leaf the layout did not plan:
    only a layout of assertions has slots for attributes of a target and of the decision.
    """
    match expr:
        case Truth(value=value):
            return ALWAYS if value else NEVER
        case Flag(leaf=leaf):
            return BoolSlot(slot=layout.slot(leaf).id, span=leaf.span)
        case Negation(operand=operand):
            return Not(operand=lower_guard(operand, layout))
        case Logic(op=Connective.IMPLIES, left=left, right=right):
            denied = Not(operand=lower_guard(left, layout))
            return Or(operands=(denied, lower_guard(right, layout)))
        case Logic(op=op):
            operands = tuple(lower_guard(part, layout) for part in _flat(expr, op))
            return (And if op is Connective.AND else Or)(operands=operands)
        case NumberTest(op=order, left=first, right=second, span=span):
            return IntCompare(
                op=_COMPARES[order],
                left=lower_number(first, layout),
                right=lower_number(second, layout),
                span=span,
            )
        case MemberTest(leaf=leaf, members=members, span=span):
            slot = layout.slot(leaf)
            return _in_classes(
                layout,
                leaf,
                tuple(i for i, one in enumerate(slot.classes) if one.text in members),
                span,
            )
        case StringTest(leaf=feature, op=string_op, values=values, span=span):
            classes = classes_of(layout.slot(feature), string_op, values)
            return _in_classes(layout, feature, classes, span)
        case _:
            assert_never(expr)


def lower_number(expr: Number, layout: Layout) -> IntExpr:
    """The integer expression of the same value."""
    match expr:
        case Constant(value=value):
            return IntConst(value=value)
        case Reading(leaf=leaf):
            return IntSlot(slot=layout.slot(leaf).id)
        case Sum():
            return IntSum(terms=tuple(lower_number(term, layout) for term in _terms(expr)))
        case Scaled(factor=factor, term=term):
            return IntScale(factor=factor, term=lower_number(term, layout))
        case Least(operands=operands):
            return IntMin(operands=tuple(lower_number(one, layout) for one in operands))
        case Greatest(operands=operands):
            return IntMax(operands=tuple(lower_number(one, layout) for one in operands))
        case Choice(condition=condition, then=then, otherwise=otherwise):
            return IntSelect(
                condition=lower_guard(condition, layout),
                then=lower_number(then, layout),
                otherwise=lower_number(otherwise, layout),
            )
        case Steps(x=x, pairs=pairs):
            return IntSteps(x=lower_number(x, layout), pairs=pairs)
        case Ramp(x=x, low=low, high=high):
            return IntRamp(x=lower_number(x, layout), low=low, high=high)
        case Saturate(x=x, full=full):
            return IntSaturate(x=lower_number(x, layout), full=full)
        case _:
            assert_never(expr)


def _in_classes(layout: Layout, leaf: Leaf, classes: tuple[int, ...], span: Span) -> Guard:
    slot = layout.slot(leaf)
    if not classes:
        return NEVER
    if len(classes) == len(slot.classes):
        return ALWAYS
    return ClassTest(slot=slot.id, classes=classes, span=span)


def _flat(expr: Bool, op: Connective) -> list[Bool]:
    """The operands of nested `and`s, or of nested `or`s, in the order written."""
    if isinstance(expr, Logic) and expr.op is op:
        return [*_flat(expr.left, op), *_flat(expr.right, op)]
    return [expr]


def _terms(expr: Number) -> list[Number]:
    """The terms of nested sums in the order written."""
    if isinstance(expr, Sum):
        return [*_terms(expr.left), *_terms(expr.right)]
    return [expr]
