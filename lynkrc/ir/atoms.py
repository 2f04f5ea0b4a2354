"""A guard to its atoms: the smallest parts that are true or false, as a person would read them.

>>> from lynkrc.ir.guard import And, BoolSlot, Compare, IntCompare, IntConst, IntSlot, Not, SlotId
>>> from lynkrc.ir.table import SlotType
>>> stream = Slot(id=SlotId(0), feature="wants.stream", args=(), type=SlotType.BOOL, low=0, high=1)
>>> points = Slot(
...     id=SlotId(1), feature="points", args=("ask", "x"), type=SlotType.FIXED, low=0, high=640
... )
>>> many = IntCompare(op=Compare.GT, left=IntSlot(slot=SlotId(1)), right=IntConst(value=96))
>>> guard = And(operands=(Not(operand=BoolSlot(slot=SlotId(0))), many))
>>> [print_atom(atom, (stream, points)) for atom in atoms_of(guard)]
['not wants.stream', 'points(ask, x) > 1.5']
>>> slots_of(many)
(1,)
"""

from collections.abc import Iterator, Sequence

from lynkrc.ir.guard import (
    And,
    BoolConst,
    BoolSlot,
    ClassTest,
    Guard,
    IntCompare,
    IntConst,
    IntExpr,
    IntSlot,
    Not,
    Or,
    SlotId,
)
from lynkrc.ir.ranges import subexpressions
from lynkrc.ir.table import Slot, SlotType
from lynkrc.ir.text import print_guard, print_points


def atoms_of(guard: Guard) -> tuple[Guard, ...]:
    """The distinct atoms in the order they are written; constants are none.

    A negated boolean is one atom, so that what the guard demands is what the atom says.
    """
    return tuple(dict.fromkeys(_atoms(guard)))


def slots_of(atom: Guard) -> tuple[SlotId, ...]:
    """The slots an atom reads, each once, in the order it names them."""
    return tuple(dict.fromkeys(_slots(atom)))


def print_atom(atom: Guard, slots: Sequence[Slot]) -> str:
    """One line for an atom; a literal beside a fixed-point slot is the number that was written."""
    match atom:
        case IntCompare(op=op, left=IntSlot(slot=slot), right=IntConst(value=value)):
            if slots[slot].type is SlotType.FIXED:
                return f"{slots[slot].text} {op.value} {print_points(value)}"
        case IntCompare(op=op, left=IntConst(value=value), right=IntSlot(slot=slot)):
            if slots[slot].type is SlotType.FIXED:
                return f"{print_points(value)} {op.value} {slots[slot].text}"
        case _:
            pass
    return print_guard(atom, slots)


def sides_of(atom: Guard) -> tuple[IntExpr, IntExpr] | None:
    """What a comparison compares, where a side is more than a slot or a literal."""
    match atom:
        case IntCompare(left=IntSlot() | IntConst(), right=IntSlot() | IntConst()):
            return None
        case IntCompare(left=left, right=right):
            return left, right
        case _:
            return None


def _atoms(guard: Guard) -> Iterator[Guard]:
    match guard:
        case BoolConst():
            return
        case And(operands=operands) | Or(operands=operands):
            for operand in operands:
                yield from _atoms(operand)
        case Not(operand=BoolSlot() | ClassTest() | IntCompare()):
            yield guard
        case Not(operand=operand):
            yield from _atoms(operand)
        case _:
            yield guard


def _slots(node: Guard | IntExpr) -> Iterator[SlotId]:
    if isinstance(node, BoolSlot | ClassTest | IntSlot):
        yield node.slot
    for child in subexpressions(node):
        yield from _slots(child)
