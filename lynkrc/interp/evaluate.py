"""A RouteTable and a feature vector to a verdict: the reference semantics, dull on purpose.

One function a step of "The decision" (design: language.md). Every other engine (generated Python,
native code) is tested against this one. The verdict's members are told in
`lynkrc_runtime.decide`.
"""

from collections.abc import Sequence

from lynkrc.interp.expressions import Vector, number, predicate
from lynkrc.ir.guard import Guard, IntExpr
from lynkrc.ir.table import (
    ChainId,
    Dimension,
    Need,
    Otherwise,
    Pin,
    RouteTable,
    Rule,
    RuleId,
    TargetId,
    TierId,
)
from lynkrc_runtime.decide import RULE_PIN, RULE_SCORE, Outcome, Verdict


def evaluate(table: RouteTable, v: Vector) -> Verdict:
    """The verdict on a clamped vector."""
    denied = first_deny(table, v)
    if denied is not None:
        return Outcome.DENY, -1, denied.id, -1, 0, -1, -1
    answered = first_respond(table, v)
    if answered is not None:
        return Outcome.RESPOND, -1, answered.id, -1, 0, -1, -1
    points = score(table, v)
    pin = first_pin(table, v)
    if pin is not None and pin.chain is not None:
        left = keep(table, v, table.chains[pin.chain].targets)
        if not left:
            return Outcome.REFUSE, -1, RULE_PIN, -1, 0, points, -1
        return Outcome.ROUTE, -1, RULE_PIN, pin.chain, mask(left), points, -1
    tier, rule = choose_tier(table, v, points, pin)
    for chain in chains_in_turn(table, v, tier, pin):
        left = keep(table, v, table.chains[chain].targets)
        if left:
            prefer = first_prefer(table, v)
            return Outcome.ROUTE, tier, rule, chain, mask(left), points, prefer
    if table.otherwise is Otherwise.DENY and some_target_meets_the_needs(table, v):
        return Outcome.DENY, tier, rule, -1, 0, points, -1
    return Outcome.REFUSE, tier, rule, -1, 0, points, -1


# -- the steps -----------------------------------------------------------------------------


def first_deny(table: RouteTable, v: Vector) -> Rule | None:
    """Step 1: the first matching rule that denies."""
    for rule in table.rules:
        if rule.deny is not None and holds(rule.guard, v):
            return rule
    return None


def first_respond(table: RouteTable, v: Vector) -> Rule | None:
    """Step 2: the first matching rule that answers."""
    for rule in table.rules:
        if rule.respond is not None and holds(rule.guard, v):
            return rule
    return None


def score(table: RouteTable, v: Vector) -> int:
    """Step 3: the score, 0..100."""
    total = offset_points(table)
    total += sum(dimension_points(dimension, v) for dimension in table.dimensions)
    total += sum(add_points(rule, v) for rule in table.rules)
    return min(100, max(0, (total + 3200) // 6400))


def offset_points(table: RouteTable) -> int:
    """The offset in 1/6400 points."""
    return 100 * table.offset64


def dimension_points(dimension: Dimension, v: Vector) -> int:
    """What a dimension adds, in 1/6400 points."""
    if dimension.terms is not None:
        return 100 * v[dimension.terms]
    assert dimension.value is not None
    return dimension.weight64 * min(100, max(0, value(dimension.value, v)))


def add_points(rule: Rule, v: Vector) -> int:
    """What a rule's `add` adds, in 1/6400 points; 0 without one or where it does not match."""
    if rule.add64 is None or not holds(rule.guard, v):
        return 0
    return 100 * rule.add64


def first_pin(table: RouteTable, v: Vector) -> Pin | None:
    """The pin that stands in for steps 4 and 5, if the request named one."""
    for pin in table.pins:
        if holds(pin.guard, v):
            return pin
    return None


def choose_tier(
    table: RouteTable, v: Vector, points: int, pin: Pin | None
) -> tuple[TierId, RuleId]:
    """Steps 4 and 5, or the pinned tier: the tier and what is reported to have set it."""
    if pin is not None:
        assert pin.tier is not None
        return pin.tier, RuleId(RULE_PIN)
    tier, chosen_by = tier_before_bounds(table, v, points)
    changed_by = RuleId(RULE_SCORE)
    floor = highest_floor(table, v)
    if floor is not None and floor.floor is not None and tier < floor.floor:
        tier, changed_by = floor.floor, floor.id
    ceiling = lowest_ceiling(table, v)
    if ceiling is not None and ceiling.ceiling is not None and tier > ceiling.ceiling:
        tier, changed_by = ceiling.ceiling, ceiling.id
    return tier, changed_by if chosen_by == RULE_SCORE else chosen_by


def tier_before_bounds(table: RouteTable, v: Vector, points: int) -> tuple[TierId, RuleId]:
    """Step 4: the first matching `tier` rule, else the first tier whose bound takes the score."""
    for rule in table.rules:
        if rule.tier is not None and holds(rule.guard, v):
            return rule.tier, rule.id
    for tier in table.tiers:
        if tier.up_to is None or points <= tier.up_to:
            return tier.id, RuleId(RULE_SCORE)
    raise AssertionError("the last tier has no bound")


def highest_floor(table: RouteTable, v: Vector) -> Rule | None:
    """The matching floor of the highest tier; of several, the first as written."""
    found: Rule | None = None
    for rule in table.rules:
        if rule.floor is None or not holds(rule.guard, v):
            continue
        if found is None or found.floor is None or rule.floor > found.floor:
            found = rule
    return found


def lowest_ceiling(table: RouteTable, v: Vector) -> Rule | None:
    """The matching ceiling of the lowest tier; of several, the first as written."""
    found: Rule | None = None
    for rule in table.rules:
        if rule.ceiling is None or not holds(rule.guard, v):
            continue
        if found is None or found.ceiling is None or rule.ceiling < found.ceiling:
            found = rule
    return found


def chains_in_turn(table: RouteTable, v: Vector, tier: TierId, pin: Pin | None) -> list[ChainId]:
    """Steps 6 and 8: the chain of the first matching rule that has one, else the tier's; then
    where `escalate` looks next. A pinned tier takes the place of step 6 too.
    """
    first = table.tiers[tier].chain
    chosen = None if pin is not None else first_chain(table, v)
    if chosen is not None and chosen.chain is not None:
        first = chosen.chain
    return [first, *(table.tiers[other].chain for other in other_tiers(table, v, tier))]


def first_chain(table: RouteTable, v: Vector) -> Rule | None:
    """The first matching rule that chooses the chain."""
    for rule in table.rules:
        if rule.chain is not None and holds(rule.guard, v):
            return rule
    return None


def first_prefer(table: RouteTable, v: Vector) -> int:
    """Step 9: the first matching rule that prefers, -1 without one."""
    for rule in table.rules:
        if rule.prefer is not None and holds(rule.guard, v):
            return rule.id
    return -1


def keep(table: RouteTable, v: Vector, chain: Sequence[TargetId]) -> list[TargetId]:
    """Step 7: the targets of a chain that meet every present need and matching requirement."""
    return [target for target in chain if not objections(table, v, target)]


def objections(table: RouteTable, v: Vector, target: TargetId) -> list[Need | Rule]:
    """What drops a target: the unmet needs, then the rules whose requirement it fails."""
    unmet: list[Need | Rule] = [
        need for need in table.needs if target not in need.met_by and holds(need.guard, v)
    ]
    for rule in table.rules:
        if rule.require is None or not holds(rule.guard, v):
            continue
        own = [kept.guard for kept in rule.require if kept.target == target]
        unmet += [rule for guard in own if not holds(guard, v)]
    return unmet


def other_tiers(table: RouteTable, v: Vector, tier: TierId) -> list[TierId]:
    """Step 8: where `escalate` looks next: the higher tiers, then the lower ones downwards.

    None of them lies above a matching ceiling. (Only a pinned tier can itself lie above one.)
    """
    if table.otherwise is not Otherwise.ESCALATE:
        return []
    ceiling = lowest_ceiling(table, v)
    highest = len(table.tiers) - 1
    if ceiling is not None and ceiling.ceiling is not None:
        highest = ceiling.ceiling
    order = [*range(tier + 1, len(table.tiers)), *range(tier - 1, -1, -1)]
    return [TierId(other) for other in order if other <= highest]


def some_target_meets_the_needs(table: RouteTable, v: Vector) -> bool:
    """Whether any target of the spec, in a chain or not, could serve the request."""
    present = [need for need in table.needs if holds(need.guard, v)]
    return any(all(target.id in need.met_by for need in present) for target in table.targets)


def mask(targets: Sequence[TargetId]) -> int:
    """The set of targets as bits."""
    return sum(1 << target for target in targets)


# -- guards and expressions ----------------------------------------------------------------


def holds(guard: Guard, v: Vector) -> bool:
    """Whether a guard holds."""
    return predicate(guard)(v)


def value(expr: IntExpr, v: Vector) -> int:
    """The value of an integer expression."""
    return number(expr)(v)
