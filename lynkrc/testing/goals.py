"""What a test may show of a table, as data: goals, and whether a decided vector meets one.

A goal names no case. A prover may ask which vectors meet it, or show that none does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never, final

from lynkrc.interp import evaluate as steps
from lynkrc.interp.evaluate import Vector
from lynkrc.interp.trace import Trace
from lynkrc.ir.guard import Guard, IntExpr
from lynkrc.ir.table import ChainId, RouteTable, RuleId, TargetId, TierId
from lynkrc_runtime.decide import Outcome


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Decides:
    """A rule takes effect: it ends, sets or moves the tier, sets or orders the chain, drops a
    target, or adds points.
    """

    rule: RuleId


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """A rule's guard holds."""

    rule: RuleId


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AtomIs:
    """A part of a guard that has no operators holds, or does not."""

    atom: Guard
    value: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reaches:
    """The decision's tier is this one."""

    tier: TierId


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FallsBack:
    """The chain is chosen, and `then` is tried at some time after `first`."""

    chain: ChainId
    first: TargetId
    then: TargetId


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Escalates:
    """The decision's tier is one, and the chain that serves is another's."""

    tier: TierId
    to: TierId


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreIs:
    """The score has this value."""

    score: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class NumberIs:
    """An expression of a guard has one of these values."""

    expr: IntExpr
    values: tuple[int, ...]


Goal: TypeAlias = Decides | Matches | AtomIs | Reaches | FallsBack | Escalates | ScoreIs | NumberIs


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A vector that was decided about; `order` are the targets as they are tried."""

    vector: tuple[int, ...]
    why: Trace
    order: tuple[int, ...]
    effective: frozenset[int]
    """The rules that took effect."""


def seen(table: RouteTable, vector: tuple[int, ...], why: Trace, order: Sequence[int]) -> Seen:
    """What a decided vector shows."""
    return Seen(
        vector=vector,
        why=why,
        order=tuple(order),
        effective=frozenset(effective_rules(table, vector, why)),
    )


def is_met(goal: Goal, table: RouteTable, by: Seen) -> bool:
    """Whether a decided vector meets a goal."""
    outcome, tier, _, chain, _, points, _ = by.why.verdict
    match goal:
        case Decides(rule=rule):
            return rule in by.effective
        case Matches(rule=rule):
            return steps.holds(table.rules[rule].guard, by.vector)
        case AtomIs(atom=atom, value=value):
            return steps.holds(atom, by.vector) == value
        case Reaches(tier=wanted):
            return tier == wanted
        case FallsBack(chain=wanted_chain, first=first, then=then):
            if chain != wanted_chain or first not in by.order or then not in by.order:
                return False
            return by.order.index(first) < by.order.index(then)
        case Escalates(tier=start, to=end):
            served = outcome == Outcome.ROUTE and chain == table.tiers[end].chain
            return served and tier == start
        case ScoreIs(score=score):
            return points == score
        case NumberIs(expr=expr, values=values):
            return steps.value(expr, by.vector) in values
        case _:
            assert_never(goal)


def effective_rules(table: RouteTable, v: Vector, why: Trace) -> set[int]:
    """The rules that take effect on a vector, by id."""
    _, _, rule, _, _, points, prefer = why.verdict
    if points < 0:
        return {rule}
    found: set[int] = {prefer} if prefer >= 0 else set()
    found |= {rule.id for rule in table.rules if rule.add64 and steps.holds(rule.guard, v)}
    dropping = {
        reason for chain in why.chains for target in chain.targets for reason in target.dropped_by
    }
    found |= {
        rule.id
        for rule in table.rules
        if rule.require is not None and f"rule {rule.name}" in dropping
    }
    if steps.first_pin(table, v) is None:
        found |= _of_the_tier(table, v, points)
        chosen = steps.first_chain(table, v)
        found |= set() if chosen is None else {chosen.id}
    return found


def _of_the_tier(table: RouteTable, v: Vector, points: int) -> set[int]:
    """What sets the tier, and the floor and the ceiling that move it."""
    tier, rule = steps.tier_before_bounds(table, v, points)
    found: set[int] = {rule} if rule >= 0 else set()
    floor = steps.highest_floor(table, v)
    if floor is not None and floor.floor is not None and tier < floor.floor:
        tier = floor.floor
        found.add(floor.id)
    ceiling = steps.lowest_ceiling(table, v)
    if ceiling is not None and ceiling.ceiling is not None and tier > ceiling.ceiling:
        found.add(ceiling.id)
    return found
