"""A typed boolean and, where known, the target under test to what is left to ask the request.

Whatever the ranges, the constants and the target's facts decide is folded away; with a target no
`Attribute` is left. Meaning is kept, so a result of `ALWAYS` or `NEVER` is a proof.
"""

from collections.abc import Mapping
from typing import TypeAlias, assert_never

from lynkrc.sema.comparisons import always
from lynkrc.sema.typed import (
    ALWAYS,
    NEVER,
    Attribute,
    Bool,
    Choice,
    Connective,
    Constant,
    Flag,
    Greatest,
    Least,
    Logic,
    MemberTest,
    Negation,
    Number,
    NumberTest,
    Ramp,
    Reading,
    Saturate,
    Scaled,
    Steps,
    StringTest,
    Sum,
    Truth,
)
from lynkrc.sema.types import IntType

Facts: TypeAlias = Mapping[str, bool | int | str]
"""The attributes of one target by name: ``target.trust`` and its like."""


def residue(expr: Bool, facts: Facts | None = None) -> Bool:
    """What is left of `expr` for a target with these facts; without facts, of a mere guard."""
    match expr:
        case Truth() | StringTest():
            return expr
        case Flag(leaf=leaf):
            if isinstance(leaf, Attribute) and facts is not None:
                return Truth(value=bool(facts[leaf.name]))
            return expr
        case Negation(operand=operand):
            return _not(residue(operand, facts))
        case Logic(op=op, left=left, right=right):
            return _combine(op, residue(left, facts), residue(right, facts))
        case NumberTest(op=op, left=left, right=right, span=span):
            first, second = _number(left, facts), _number(right, facts)
            decided = always(op, first, second)
            if decided is not None:
                return Truth(value=decided)
            return NumberTest(op=op, left=first, right=second, span=span)
        case MemberTest(leaf=leaf, type=type_, members=members):
            if isinstance(leaf, Attribute) and facts is not None:
                return Truth(value=facts[leaf.name] in members)
            if len(members) in (0, len(type_.members)):
                return Truth(value=bool(members))
            return expr
        case _:
            assert_never(expr)


def _not(operand: Bool) -> Bool:
    match operand:
        case Truth(value=value):
            return Truth(value=not value)
        case Negation(operand=inner):
            return inner
        case _:
            return Negation(operand=operand)


def _combine(op: Connective, left: Bool, right: Bool) -> Bool:
    if op is Connective.IMPLIES:
        if left == NEVER or right == ALWAYS:
            return ALWAYS
        if right == NEVER:
            return _not(left)
        return right if left == ALWAYS else Logic(op=op, left=left, right=right)
    # What decides the whole alone, and what leaves it to the other side.
    decider, neutral = (NEVER, ALWAYS) if op is Connective.AND else (ALWAYS, NEVER)
    if decider in (left, right):
        return decider
    if left in (neutral, right):
        return right
    return left if right == neutral else Logic(op=op, left=left, right=right)


def _number(expr: Number, facts: Facts | None) -> Number:
    """The number with the target's facts put in, its ranges as they were or narrower."""
    match expr:
        case Constant():
            return expr
        case Reading(leaf=leaf):
            if isinstance(leaf, Attribute) and facts is not None:
                value = int(facts[leaf.name])
                return Constant(value=value, type=IntType(low=value, high=value))
            return expr
        case Sum(left=left, right=right, type=type_):
            return Sum(left=_number(left, facts), right=_number(right, facts), type=type_)
        case Scaled(factor=factor, term=term, type=type_):
            return Scaled(factor=factor, term=_number(term, facts), type=type_)
        case Least(operands=operands, type=type_):
            return Least(operands=tuple(_number(o, facts) for o in operands), type=type_)
        case Greatest(operands=operands, type=type_):
            return Greatest(operands=tuple(_number(o, facts) for o in operands), type=type_)
        case Choice(condition=condition, then=then, otherwise=otherwise, type=type_):
            asked = residue(condition, facts)
            if isinstance(asked, Truth):
                return _number(then if asked.value else otherwise, facts)
            return Choice(
                condition=asked,
                then=_number(then, facts),
                otherwise=_number(otherwise, facts),
                type=type_,
            )
        case Steps(x=x, pairs=pairs, type=steps_type):
            return Steps(x=_number(x, facts), pairs=pairs, type=steps_type)
        case Ramp(x=x, low=low, high=high, type=ramp_type):
            return Ramp(x=_number(x, facts), low=low, high=high, type=ramp_type)
        case Saturate(x=x, full=full, type=full_type):
            return Saturate(x=_number(x, facts), full=full, type=full_type)
        case _:
            assert_never(expr)
