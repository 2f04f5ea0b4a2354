"""Tests of one string or enum slot beside each other in an `and`/`or` made one test.

``model == "a" or model == "b"`` becomes one membership; ``model == "a" and model == "b"`` never.
The merged test stands where the first one stood. Takes and gives negation normal form.

>>> from lynkrc.ir.guard import ClassTest, Or, SlotId
>>> tests = [ClassTest(slot=SlotId(0), classes=(i,)) for i in (3, 2)]
>>> merge_in(Or(operands=tuple(tests)))
ClassTest(slot=0, classes=(2, 3))
"""

from collections.abc import Sequence

from lynkrc.ir.guard import NEVER, And, ClassTest, Guard, Or, SlotId
from lynkrc.ir.table import RouteTable
from lynkrc.passes.rewrite import Rewriting, conjunction, disjunction, rewrite_table


def merge_class_tests(table: RouteTable) -> RouteTable:
    """The table with class tests merged in every guard."""
    return rewrite_table(table, _REWRITING)


def merge_in(guard: Guard) -> Guard:
    """One guard with its class tests merged."""
    return _REWRITING.guard(guard)


def _guard(guard: Guard) -> Guard:
    match guard:
        case And(operands=operands):
            return conjunction(_merged(operands, every=True))
        case Or(operands=operands):
            return disjunction(_merged(operands, every=False))
        case _:
            return guard


_REWRITING = Rewriting(on_guard=_guard, on_int=lambda expr: expr)


def _merged(operands: Sequence[Guard], *, every: bool) -> list[Guard]:
    classes: dict[SlotId, set[int]] = {}
    for operand in operands:
        if isinstance(operand, ClassTest):
            known = classes.setdefault(operand.slot, set(operand.classes))
            if every:
                known &= set(operand.classes)
            else:
                known |= set(operand.classes)
    merged: list[Guard] = []
    for operand in operands:
        if not isinstance(operand, ClassTest):
            merged.append(operand)
        elif operand.slot in classes:
            left = sorted(classes.pop(operand.slot))
            merged.append(ClassTest(slot=operand.slot, classes=tuple(left)) if left else NEVER)
    return merged
