"""Guards to negation normal form: `not` only before a boolean slot, `and`/`or` flat, no repeats.

Interpreter, prover and code generator then share one shape. The order of operands stays as
written, so generated code keeps reading like its source.

>>> from lynkrc.ir.guard import And, BoolSlot, Not, SlotId
>>> a, b = BoolSlot(slot=SlotId(0)), BoolSlot(slot=SlotId(1))
>>> print(normal_form(Not(operand=And(operands=(a, Not(operand=b)))), ()))
Or(operands=(Not(operand=BoolSlot(slot=0)), BoolSlot(slot=1)))
"""

from collections.abc import Sequence
from typing import assert_never

from lynkrc.ir.guard import And, BoolConst, BoolSlot, ClassTest, Guard, IntCompare, Not, Or
from lynkrc.ir.table import RouteTable, Slot
from lynkrc.passes.rewrite import OPPOSITE, Rewriting, conjunction, disjunction, rewrite_table


def normalize_guards(table: RouteTable) -> RouteTable:
    """The table with every guard in negation normal form."""
    return rewrite_table(table, _rewriting(table.slots))


def normal_form(guard: Guard, slots: Sequence[Slot]) -> Guard:
    """One guard in negation normal form."""
    return _rewriting(slots).guard(guard)


def _rewriting(slots: Sequence[Slot]) -> Rewriting:
    return Rewriting(on_guard=lambda guard: _guard(guard, slots), on_int=lambda expr: expr)


def _guard(guard: Guard, slots: Sequence[Slot]) -> Guard:
    return _negate(guard.operand, slots) if isinstance(guard, Not) else guard


def _negate(guard: Guard, slots: Sequence[Slot]) -> Guard:
    """The opposite of a guard that is in normal form."""
    match guard:
        case BoolConst(value=value):
            return BoolConst(value=not value)
        case BoolSlot():
            return Not(operand=guard)
        case Not(operand=operand):
            return operand
        case IntCompare(op=op, left=left, right=right):
            return IntCompare(op=OPPOSITE[op], left=left, right=right)
        case ClassTest(slot=slot, classes=classes):
            others = (i for i in range(len(slots[slot].classes)) if i not in classes)
            return ClassTest(slot=slot, classes=tuple(others))
        case And(operands=operands):
            return disjunction(_negate(operand, slots) for operand in operands)
        case Or(operands=operands):
            return conjunction(_negate(operand, slots) for operand in operands)
        case _:
            assert_never(guard)
