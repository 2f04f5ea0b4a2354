"""Guards and integer expressions to Python text that is also Cython input.

Brackets stand only where Python needs them. ``steps`` becomes a conditional chain, ``ramp`` and
``saturate`` call the functions of the same name in the generated module.

>>> from lynkrc.ir.guard import IntRamp, IntSlot, SlotId
>>> printer = Printer(names=("ask_words",), slots=(), shared={})
>>> flat(printer.number(IntRamp(x=IntSlot(slot=SlotId(0)), low=0, high=50)))
'ramp(ask_words, 0, 50)'
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never, final

from lynkrc.codegen.layout import Bracketed, Chain, Leaf, Piece, flat
from lynkrc.codegen.sharing import Node
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
)
from lynkrc.ir.ranges import interval
from lynkrc.ir.table import Slot

# Binding strength in Python, loosest first.
_TERNARY, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _UNARY, _ATOM = range(9)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Printer:
    """Prints with an identifier a slot, and names for what is computed once."""

    names: Sequence[str]
    slots: Sequence[Slot]
    shared: Mapping[Node, str]

    def guard(self, guard: Guard) -> Piece:
        """A guard where a condition is expected."""
        return self._guard(guard, _TERNARY)

    def conjunct(self, guard: Guard) -> Piece:
        """A guard where an operand of ``and`` is expected."""
        return self._guard(guard, _AND)

    def number(self, expr: IntExpr) -> Piece:
        """An expression where any expression is expected."""
        return self._number(expr, _TERNARY)

    def factor(self, expr: IntExpr) -> Piece:
        """An expression where an operand of ``*`` is expected."""
        return self._number(expr, _UNARY)

    def definition(self, node: Node) -> Piece:
        """A shared node itself, not its name."""
        rest = {other: name for other, name in self.shared.items() if other != node}
        inner = Printer(names=self.names, slots=self.slots, shared=rest)
        match node:
            case BoolConst() | BoolSlot() | IntCompare() | ClassTest() | Not() | And() | Or():
                return inner.guard(node)
            case _:
                return inner.number(node)

    def _guard(self, guard: Guard, at_least: int) -> Piece:
        if guard in self.shared:
            return Leaf(text=self.shared[guard])
        match guard:
            case BoolConst(value=value):
                return Leaf(text=str(value))
            case BoolSlot(slot=slot):
                return Leaf(text=self.names[slot])
            case IntCompare(op=op, left=left, right=right):
                sides = self._number(left, _SUM), self._number(right, _SUM)
                return _wrap(_chain([op.value], sides), _COMPARE, at_least)
            case ClassTest(slot=slot, classes=classes):
                return _wrap(self._membership(slot, classes), _COMPARE, at_least)
            case Not(operand=operand):
                text = f"not {flat(self._guard(operand, _NOT))}"
                return _wrap(Leaf(text=text), _NOT, at_least)
            case And(operands=operands):
                pieces = [self._guard(operand, _AND + 1) for operand in operands]
                return _wrap(_chain(["and"] * (len(pieces) - 1), pieces), _AND, at_least)
            case Or(operands=operands):
                pieces = [self._guard(operand, _OR + 1) for operand in operands]
                return _wrap(_chain(["or"] * (len(pieces) - 1), pieces), _OR, at_least)
            case _:
                assert_never(guard)

    def _membership(self, slot: int, classes: tuple[int, ...]) -> Piece:
        others = [i for i in range(len(self.slots[slot].classes)) if i not in classes]
        name = self.names[slot]
        if len(classes) == 1:
            return Leaf(text=f"{name} == {classes[0]}")
        if len(others) == 1:
            return Leaf(text=f"{name} != {others[0]}")
        if not classes or not others:
            return Leaf(text=str(not others))
        if len(others) < len(classes):
            return Leaf(text=f"{name} not in ({', '.join(map(str, others))})")
        return Leaf(text=f"{name} in ({', '.join(map(str, classes))})")

    def _number(self, expr: IntExpr, at_least: int) -> Piece:
        if expr in self.shared:
            return Leaf(text=self.shared[expr])
        match expr:
            case IntConst(value=value):
                return _wrap(Leaf(text=str(value)), _UNARY if value < 0 else _ATOM, at_least)
            case IntSlot(slot=slot):
                return Leaf(text=self.names[slot])
            case IntSum(terms=terms):
                return _wrap(self._sum(terms), _SUM, at_least)
            case IntScale(factor=factor, term=term):
                text = f"{factor} * {flat(self._number(term, _UNARY))}"
                return _wrap(Leaf(text=text), _PRODUCT, at_least)
            case IntMin(operands=operands):
                return Bracketed(name="min", pieces=tuple(self.number(o) for o in operands))
            case IntMax(operands=operands):
                return Bracketed(name="max", pieces=tuple(self.number(o) for o in operands))
            case IntSelect(condition=condition, then=then, otherwise=otherwise):
                piece = Chain(
                    first=self._number(then, _OR),
                    rest=(
                        ("if", self._guard(condition, _OR)),
                        ("else", self._number(otherwise, _TERNARY)),
                    ),
                )
                return _wrap(piece, _TERNARY, at_least)
            case IntSteps(x=x, pairs=pairs):
                return _wrap(self._steps(x, pairs), _TERNARY, at_least)
            case IntRamp(x=x, low=low, high=high):
                return Leaf(text=f"ramp({flat(self.number(x))}, {low}, {high})")
            case IntSaturate(x=x, full=full):
                return Leaf(text=f"saturate({flat(self.number(x))}, {full})")
            case _:
                assert_never(expr)

    def _sum(self, terms: tuple[IntExpr, ...]) -> Piece:
        operators = []
        pieces = [self._number(terms[0], _SUM)]
        for term in terms[1:]:
            if isinstance(term, IntConst) and term.value < 0:
                operators.append("-")
                pieces.append(Leaf(text=str(-term.value)))
            else:
                operators.append("+")
                pieces.append(self._number(term, _PRODUCT))
        return _chain(operators, pieces)

    def _steps(self, x: IntExpr, pairs: tuple[tuple[int, int], ...]) -> Piece:
        """``10 if x < 500 else 30 if x < 2000 else 50``; x is a slot or has a name."""
        name = flat(self._number(x, _SUM))
        values = [0, *(value for _, value in pairs)]
        thresholds = [threshold for threshold, _ in pairs]
        if thresholds[0] <= interval(x, self.slots)[0]:
            values, thresholds = values[1:], thresholds[1:]
        cases = [
            Leaf(text=f"{value} if {name} < {threshold}")
            for value, threshold in zip(values, thresholds, strict=False)
        ]
        return _chain(["else"] * len(cases), [*cases, Leaf(text=str(values[-1]))])


def _chain(operators: Sequence[str], pieces: Sequence[Piece]) -> Piece:
    if not operators:
        return pieces[0]
    return Chain(first=pieces[0], rest=tuple(zip(operators, pieces[1:], strict=True)))


def _wrap(piece: Piece, strength: int, at_least: int) -> Piece:
    return piece if strength >= at_least else Bracketed(pieces=(piece,))
