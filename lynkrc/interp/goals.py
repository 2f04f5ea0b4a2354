"""What a request may show of a table, as data: goals, and whether a vector meets one.

A goal names no case: `lynkrc.analysis.reached` finds requests that meet it, or shows that none
does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, assert_never, final

from lynkrc.interp import evaluate as steps
from lynkrc.interp.expressions import Vector
from lynkrc.interp.order import decided_order
from lynkrc.ir.guard import Guard, IntExpr
from lynkrc.ir.table import ChainId, RouteTable, RuleId, TargetId, TierId
from lynkrc_runtime.decide import Outcome, Verdict


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
    """The chain is the decided one, and `then` is tried at some time after `first`."""

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
    """What a vector comes to; `order` are the targets as they are decided to be tried."""

    vector: tuple[int, ...]
    verdict: Verdict
    order: tuple[TargetId, ...]
    effective: frozenset[int]
    """The rules that took effect."""


def seen(table: RouteTable, vector: tuple[int, ...]) -> Seen:
    """What a clamped vector shows."""
    verdict = steps.evaluate(table, vector)
    return Seen(
        vector=vector,
        verdict=verdict,
        order=decided_order(table, verdict),
        effective=frozenset(_effective(table, vector, verdict)),
    )


def is_met(goal: Goal, table: RouteTable, by: Seen) -> bool:
    """Whether a vector meets a goal."""
    outcome, tier, _, chain, _, points, _ = by.verdict
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


def _effective(table: RouteTable, v: Vector, verdict: Verdict) -> Iterator[int]:
    """The rules that take effect on a vector, by id."""
    _, tier, rule, chain, _, points, prefer = verdict
    if points < 0:
        yield rule
        return
    if prefer >= 0:
        yield prefer
    pin = steps.first_pin(table, v)
    if pin is not None and pin.chain is not None:
        looked_at = [pin.chain]
    else:
        looked_at = steps.chains_in_turn(table, v, table.tiers[tier].id, pin)
        if chain >= 0:
            looked_at = looked_at[: looked_at.index(ChainId(chain)) + 1]
    met = {target for one in looked_at for target in table.chains[one].targets}
    for one in table.rules:
        takes = bool(one.add64) or any(
            keep.target in met and not steps.holds(keep.guard, v) for keep in one.require or ()
        )
        if takes and steps.holds(one.guard, v):
            yield one.id
    if pin is None:
        yield from _of_the_tier(table, v, points)
        chosen = steps.first_chain(table, v)
        if chosen is not None:
            yield chosen.id


def _of_the_tier(table: RouteTable, v: Vector, points: int) -> Iterator[int]:
    """What sets the tier, and the floor and the ceiling that move it."""
    tier, rule = steps.tier_before_bounds(table, v, points)
    if rule >= 0:
        yield rule
    floor = steps.highest_floor(table, v)
    if floor is not None and floor.floor is not None and tier < floor.floor:
        tier = floor.floor
        yield floor.id
    ceiling = steps.lowest_ceiling(table, v)
    if ceiling is not None and ceiling.ceiling is not None and tier > ceiling.ceiling:
        yield ceiling.id
