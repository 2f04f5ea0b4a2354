"""What passes are built of: guards put together again, and a rewriting applied everywhere.

`conjunction`, `disjunction` and `select` keep the normal form of `lynkrc.ir.guard`:
constants are absorbed, nesting is flat, an operand stands once (at its first place).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import assert_never, final

from lynkrc.ir.guard import (
    ALWAYS,
    NEVER,
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
from lynkrc.ir.table import RouteTable, Rule

OPPOSITE = {
    Compare.EQ: Compare.NE,
    Compare.NE: Compare.EQ,
    Compare.LT: Compare.GE,
    Compare.GE: Compare.LT,
    Compare.GT: Compare.LE,
    Compare.LE: Compare.GT,
}


def conjunction(operands: Iterable[Guard]) -> Guard:
    """All of them."""
    kept: list[Guard] = []
    for operand in operands:
        parts = operand.operands if isinstance(operand, And) else (operand,)
        kept += [part for part in parts if part != ALWAYS]
    distinct = tuple(dict.fromkeys(kept))
    if NEVER in distinct or any(opposite(part) in distinct for part in distinct):
        return NEVER
    if len(distinct) < 2:
        return distinct[0] if distinct else ALWAYS
    return And(operands=distinct)


def disjunction(operands: Iterable[Guard]) -> Guard:
    """Any of them."""
    kept: list[Guard] = []
    for operand in operands:
        parts = operand.operands if isinstance(operand, Or) else (operand,)
        kept += [part for part in parts if part != NEVER]
    distinct = tuple(dict.fromkeys(kept))
    if ALWAYS in distinct or any(opposite(part) in distinct for part in distinct):
        return ALWAYS
    if len(distinct) < 2:
        return distinct[0] if distinct else NEVER
    return Or(operands=distinct)


def opposite(atom: Guard) -> Guard | None:
    """The opposite of a boolean slot or comparison, in normal form; None for the rest."""
    match atom:
        case BoolSlot():
            return Not(operand=atom)
        case Not(operand=BoolSlot() as slot):
            return slot
        case IntCompare(op=op, left=left, right=right):
            return IntCompare(op=OPPOSITE[op], left=left, right=right)
        case _:
            return None


def select(condition: Guard, then: IntExpr, otherwise: IntExpr) -> IntExpr:
    """`then` where `condition` holds, else `otherwise`."""
    if condition == ALWAYS or then == otherwise:
        return then
    if condition == NEVER:
        return otherwise
    return IntSelect(condition=condition, then=then, otherwise=otherwise)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rewriting:
    """What happens to each node once its operands are rewritten; both must keep the meaning."""

    on_guard: Callable[[Guard], Guard]
    on_int: Callable[[IntExpr], IntExpr]

    def guard(self, guard: Guard) -> Guard:
        """The rewritten guard."""
        match guard:
            case BoolConst() | BoolSlot() | ClassTest():
                return self.on_guard(guard)
            case IntCompare(op=op, left=left, right=right):
                rebuilt = IntCompare(op=op, left=self.expr(left), right=self.expr(right))
                return self.on_guard(rebuilt)
            case Not(operand=operand):
                return self.on_guard(Not(operand=self.guard(operand)))
            case And(operands=operands):
                return self.on_guard(conjunction(self.guard(operand) for operand in operands))
            case Or(operands=operands):
                return self.on_guard(disjunction(self.guard(operand) for operand in operands))
            case _:
                assert_never(guard)

    def expr(self, expr: IntExpr) -> IntExpr:
        """The rewritten expression."""
        match expr:
            case IntConst() | IntSlot():
                return self.on_int(expr)
            case IntSum(terms=terms):
                return self.on_int(IntSum(terms=self._all(terms)))
            case IntMin(operands=operands):
                return self.on_int(IntMin(operands=self._all(operands)))
            case IntMax(operands=operands):
                return self.on_int(IntMax(operands=self._all(operands)))
            case IntScale(term=term):
                return self.on_int(replace(expr, term=self.expr(term)))
            case IntSteps(x=x) | IntRamp(x=x) | IntSaturate(x=x):
                return self.on_int(replace(expr, x=self.expr(x)))
            case IntSelect(condition=condition, then=then, otherwise=otherwise):
                chosen = select(self.guard(condition), self.expr(then), self.expr(otherwise))
                return self.on_int(chosen)
            case _:
                assert_never(expr)

    def _all(self, exprs: tuple[IntExpr, ...]) -> tuple[IntExpr, ...]:
        return tuple(self.expr(expr) for expr in exprs)


def rewrite_table(table: RouteTable, rewriting: Rewriting) -> RouteTable:
    """The table with every guard and expression rewritten; ids and order stay."""
    return replace(
        table,
        rules=tuple(_rule(rule, rewriting) for rule in table.rules),
        pins=tuple(replace(pin, guard=rewriting.guard(pin.guard)) for pin in table.pins),
        needs=tuple(replace(need, guard=rewriting.guard(need.guard)) for need in table.needs),
        dimensions=tuple(
            dimension
            if dimension.value is None
            else replace(dimension, value=rewriting.expr(dimension.value))
            for dimension in table.dimensions
        ),
    )


def _rule(rule: Rule, rewriting: Rewriting) -> Rule:
    require = rule.require
    if require is not None:
        require = tuple(replace(keep, guard=rewriting.guard(keep.guard)) for keep in require)
    return replace(rule, guard=rewriting.guard(rule.guard), require=require)
