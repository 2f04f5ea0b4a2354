"""Conditions to a condition made of them, straight through z3's C interface.

z3's own ``And``, ``Or`` and ``Not`` look at the sort of every operand and convert what is none: for
a table of hundreds of rules that took longer than to solve the questions. Here every operand is a
formula of one context already.
"""

from collections.abc import Sequence
from typing import Any

import z3


def all_of(*conditions: z3.BoolRef) -> z3.BoolRef:
    """All of one or more conditions."""
    context = conditions[0].ctx
    return z3.BoolRef(z3.Z3_mk_and(context.ref(), *_operands(conditions)), context)


def any_of(*conditions: z3.BoolRef) -> z3.BoolRef:
    """At least one of one or more conditions."""
    context = conditions[0].ctx
    return z3.BoolRef(z3.Z3_mk_or(context.ref(), *_operands(conditions)), context)


def two_of(*conditions: z3.BoolRef) -> z3.BoolRef:
    """At least two of two or more conditions."""
    return any_of(
        *(all_of(one, any_of(*conditions[i:])) for i, one in enumerate(conditions[:-1], start=1))
    )


def not_(condition: z3.BoolRef) -> z3.BoolRef:
    """The opposite."""
    context = condition.ctx
    return z3.BoolRef(z3.Z3_mk_not(context.ref(), condition.ast), context)


def implies(condition: z3.BoolRef, then: z3.BoolRef) -> z3.BoolRef:
    """`then` wherever the condition holds."""
    context = condition.ctx
    return z3.BoolRef(z3.Z3_mk_implies(context.ref(), condition.ast, then.ast), context)


def same(one: z3.ExprRef, other: z3.ExprRef) -> z3.BoolRef:
    """That two of one sort are equal."""
    context = one.ctx
    return z3.BoolRef(z3.Z3_mk_eq(context.ref(), one.ast, other.ast), context)


def choice(condition: z3.BoolRef, then: z3.ArithRef, otherwise: z3.ArithRef) -> z3.ArithRef:
    """`then` where the condition holds, else the other number."""
    context = condition.ctx
    made = z3.Z3_mk_ite(context.ref(), condition.ast, then.ast, otherwise.ast)
    return z3.ArithRef(made, context)


def _operands(conditions: Sequence[z3.BoolRef]) -> tuple[int, Any]:
    """How many there are, and the array of them that z3 reads."""
    count = len(conditions)
    return count, (z3.Ast * count)(*(one.ast for one in conditions))
