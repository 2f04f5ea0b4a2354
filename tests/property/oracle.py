"""Every point of a small spec to everything the prover may say of it, by trying them all.

It knows the interpreter alone, no solver. What a finding is called in the compiler is told beside
each function; all of them ask "of any request that may occur".
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, product
from typing import Any, TypeAlias

from lynkrc.interp.assertions import (
    Claim,
    Decided,
    Witness,
    decided,
    joint_domain,
    may_occur,
)
from lynkrc.interp.evaluate import (
    chains_in_turn,
    choose_tier,
    dimension_points,
    evaluate,
    first_chain,
    first_deny,
    first_pin,
    first_respond,
    holds,
    keep,
    score,
    some_target_meets_the_needs,
    tier_before_bounds,
)
from lynkrc.interp.expressions import Vector
from lynkrc.interp.worst_case import Unpriced, worst_cost, worst_latency
from lynkrc.ir.assertion import NO_ASSERTIONS, Assertion, Assertions, Kind
from lynkrc.ir.domain import Domain, Part, Point, domain_of
from lynkrc.ir.guard import And, BoolConst, Guard, Not, Or
from lynkrc.ir.table import ChainId, Pick, RouteTable, Rule, RuleId, TargetId, TierId
from lynkrc_runtime.decide import Outcome

Occurs: TypeAlias = Callable[[Domain, Point], bool]
"""Whether a request with these values can exist: what the facts about features allow."""

Values: TypeAlias = Mapping[int, Sequence[int]]
"""The values of a variable that stand for all of its own, by the variable's index."""


def anything(domain: Domain, point: Point) -> bool:
    """Where no facts are known."""
    return len(point) == len(domain.slots)


@dataclass(frozen=True, kw_only=True)
class World:
    """Every point that may occur and what is decided of it."""

    table: RouteTable
    assertions: Assertions
    domain: Domain
    points: tuple[Point, ...]
    found: tuple[Decided, ...]
    decisions: tuple[Decided, ...]
    """Each of `found` once: the assertions may tell points apart that the table does not."""

    def __iter__(self) -> Iterator[tuple[Point, Decided]]:
        """Each point with what is decided of it."""
        return zip(self.points, self.found, strict=True)


def world(
    table: RouteTable,
    assertions: Assertions = NO_ASSERTIONS,
    *,
    occurs: Occurs = anything,
    values: Values | None = None,
) -> World:
    """All points of the joint domain that may occur; `values` are tried instead of all of some."""
    domain = joint_domain(table, assertions)
    points = tuple(
        point
        for point in points_of(domain, values or {})
        if may_occur(table, domain, point) and occurs(domain, point)
    )
    known: dict[tuple[int, ...], Decided] = {}
    found = []
    for point in points:
        vector = tuple(domain.views[0].vector(point))
        if vector not in known:
            known[vector] = decided(table, vector)
        found.append(known[vector])
    return World(
        table=table,
        assertions=assertions,
        domain=domain,
        points=points,
        found=tuple(found),
        decisions=tuple(known.values()),
    )


def points_of(domain: Domain, values: Values) -> Iterator[Point]:
    """All points, or all with these values of some variables."""
    return product(*(values.get(slot.id, range(slot.low, slot.high + 1)) for slot in domain.slots))


# -- assertions --------------------------------------------------------------------------------


def witnesses(told: World, assertion: Assertion) -> dict[Point, tuple[Witness, ...]]:
    """The points that break never, always or a bound, or show what is `reachable`; each with its
    targets. For monotone the higher of two points.
    """
    claim = Claim(told.table, told.assertions, assertion, told.domain)
    if assertion.kind is Kind.MONOTONE:
        return {higher: (None,) for _, higher in sinking(told, assertion)}
    broken = ((point, claim.breaks(point, found)) for point, found in told)
    return {point: targets for point, targets in broken if targets}


def sinking(told: World, assertion: Assertion) -> list[tuple[Point, Point]]:
    """The pairs of points that break monotone, the lower first."""
    claim = Claim(told.table, told.assertions, assertion, told.domain)
    lines: dict[tuple[Point, Point], list[tuple[Point, Decided]]] = {}
    for point, found in told:
        rest = point[: claim.variable], point[claim.variable + 1 :]
        lines.setdefault(rest, []).append((point, found))
    return [
        (lower[0], higher[0])
        for line in lines.values()
        for lower in line
        for higher in line
        if claim.sinks(lower, higher)
    ]


def verdict(told: World, assertion: Assertion) -> bool | None:
    """Whether the assertion holds; None where a price is missing and no known cost is too high."""
    found = witnesses(told, assertion)
    if assertion.kind is Kind.REACHABLE:
        return bool(found)
    if assertion.kind is Kind.MAX_COST_USD and not found and unpriced(told):
        return None
    return not found


def unpriced(told: World) -> set[TargetId]:
    """Targets of final chains that have no price."""
    costs = (worst_cost(told.table, found.vector, found.targets) for found in told.decisions)
    return {target for cost in costs if isinstance(cost, Unpriced) for target in cost.targets}


def dearest(told: World) -> Fraction:
    """The most that a request may cost whose chain is priced, in USD."""
    costs = (worst_cost(told.table, found.vector, found.targets) for found in told.decisions)
    return max((cost for cost in costs if not isinstance(cost, Unpriced)), default=Fraction())


def slowest(told: World) -> Fraction:
    """The longest that a request may take to its first byte, in seconds."""
    times = (worst_latency(told.table, found.targets) for found in told.decisions)
    return max(times, default=Fraction())


# -- rules -------------------------------------------------------------------------------------

FIRST = ("deny", "respond", "tier", "chain")
"""Effects of which the first matching rule has its way."""


def deciding(told: World) -> set[tuple[RuleId, str]]:
    """The rules that have their way for some request, by effect. Those of FIRST that match
    somewhere and are not among them are shadowed.
    """
    table, found = told.table, set()
    for one in told.decisions:
        v = one.vector
        denied, answered = first_deny(table, v), first_respond(table, v)
        if denied is not None:
            found.add((denied.id, "deny"))
        elif answered is not None:
            found.add((answered.id, "respond"))
        elif first_pin(table, v) is None:
            _, by = tier_before_bounds(table, v, score(table, v))
            chosen = first_chain(table, v)
            if by >= 0:
                found.add((by, "tier"))
            if chosen is not None:
                found.add((chosen.id, "chain"))
    return found


def contradictory(told: World) -> set[RuleId]:
    """The rules that match nothing."""
    return {
        rule.id
        for rule in told.table.rules
        if not any(holds(rule.guard, one.vector) for one in told.decisions)
    }


def shadows(told: World, rule: Rule, effect: str) -> set[frozenset[RuleId]]:
    """The smallest sets of rules that leave an effect of a rule nothing to decide.

    Rules that stand before it with the same effect, those that deny, and, but for `deny`, those
    that answer (before it, for `respond`). What is pinned has no tier or chain to be chosen. None
    where no set does; the empty set alone where nothing that the rule matches is left to it.
    """
    table = told.table
    before = [other for other in table.rules if _comes_before(other, rule, effect)]
    covers: set[frozenset[RuleId]] = set()
    for one in told.decisions:
        v = one.vector
        is_free = effect in ("deny", "respond") or first_pin(table, v) is None
        if is_free and holds(rule.guard, v):
            covers.add(frozenset(other.id for other in before if holds(other.guard, v)))
    smallest: set[frozenset[RuleId]] = set()
    for count in range(len(before) + 1):
        for chosen in combinations([other.id for other in before], count):
            picked = frozenset(chosen)
            if all(picked & cover for cover in covers) and not any(
                known <= picked for known in smallest
            ):
                smallest.add(picked)
    return smallest


def _comes_before(other: Rule, rule: Rule, effect: str) -> bool:
    if other.deny is not None and effect != "deny":
        return True
    if other.respond is not None and effect in ("tier", "chain"):
        return True
    return getattr(other, effect) is not None and other.id < rule.id


def constant_atoms(told: World) -> list[tuple[RuleId, Guard, bool]]:
    """The atoms of rules' guards that are the same for every request, and what they are."""
    found = []
    for rule in told.table.rules:
        for atom in dict.fromkeys(atoms_in(rule.guard)):
            truths = {holds(atom, one.vector) for one in told.decisions}
            if len(truths) == 1:
                found.append((rule.id, atom, truths.pop()))
    return found


def atoms_in(guard: Guard) -> Iterator[Guard]:
    """The tests a guard is made of, constants left out."""
    match guard:
        case Not(operand=operand):
            yield from atoms_in(operand)
        case And(operands=operands) | Or(operands=operands):
            for operand in operands:
                yield from atoms_in(operand)
        case BoolConst():
            pass
        case _:
            yield guard


def crossing(told: World) -> set[tuple[RuleId, RuleId]]:
    """A floor and a lower ceiling that both match a request whose tier is chosen by the policy."""
    table, found = told.table, set()
    floors = [rule for rule in table.rules if rule.floor is not None]
    ceilings = [rule for rule in table.rules if rule.ceiling is not None]
    for one in told.decisions:
        v = one.vector
        if first_deny(table, v) or first_respond(table, v) or first_pin(table, v):
            continue
        for low in floors:
            for high in ceilings:
                assert low.floor is not None and high.ceiling is not None
                if low.floor > high.ceiling and holds(low.guard, v) and holds(high.guard, v):
                    found.add((low.id, high.id))
    return found


def idle_effects(told: World) -> set[tuple[RuleId, str]]:
    """Effects without which the same requests go the same ways."""
    found, ways = set(), _ways(told)
    for rule in told.table.rules:
        for effect in ("require", "floor", "ceiling", "add64", "prefer"):
            if getattr(rule, effect) is None:
                continue
            without: Any = {effect: None}
            rules = tuple(
                replace(one, **without) if one.id == rule.id else one for one in told.table.rules
            )
            if _goes_the_same_ways(told, replace(told.table, rules=rules), ways):
                found.add((rule.id, effect))
    return found


# -- score and tiers ---------------------------------------------------------------------------


def idle_dimensions(told: World) -> set[str]:
    """Dimensions without which the same requests go the same ways."""
    table, ways = told.table, _ways(told)
    others = (
        (one, tuple(other for other in table.dimensions if other != one))
        for one in table.dimensions
    )
    return {
        one.name
        for one, dimensions in others
        if _goes_the_same_ways(told, replace(table, dimensions=dimensions), ways)
    }


def constant_dimensions(told: World) -> set[str]:
    """Dimensions that add the same to every request."""
    return {
        one.name
        for one in told.table.dimensions
        if len({dimension_points(one, found.vector) for found in told.decisions}) <= 1
    }


def scored_tiers(told: World) -> set[TierId]:
    """The tiers that some score comes to, whatever rules make of it; to others the weights do not
    reach.
    """
    plain = replace(told.table, rules=tuple(replace(rule, tier=None) for rule in told.table.rules))
    return {
        tier_before_bounds(plain, one.vector, score(plain, one.vector))[0] for one in told.decisions
    }


def reached_tiers(told: World) -> set[TierId]:
    """The tiers that are told of some request, routed or not."""
    return {TierId(one.verdict[1]) for one in told.decisions if one.verdict[1] >= 0}


def chosen_tiers(told: World) -> set[TierId]:
    """The tiers that some request comes to without naming them."""
    table, found = told.table, set()
    for one in told.decisions:
        v = one.vector
        if one.verdict[1] >= 0 and first_pin(table, v) is None:
            found.add(choose_tier(table, v, score(table, v), None)[0])
    return found


# -- chains ------------------------------------------------------------------------------------


def attempted(told: World) -> set[tuple[ChainId, TargetId]]:
    """The places in chains that some request may attempt; others are dead fallbacks."""
    return {(ChainId(one.verdict[3]), target) for one in told.decisions for target in one.targets}


def reached_targets(told: World) -> set[TargetId]:
    """The targets that some request may attempt."""
    return {target for one in told.decisions for target in one.targets}


def emptied(told: World) -> dict[ChainId, list[Point]]:
    """The chains that step 6 comes to and of which nothing is left, though some target of the spec
    meets the needs.
    """
    table = told.table
    found: dict[ChainId, list[Point]] = {}
    for point, one in told:
        v, pin = one.vector, first_pin(table, one.vector)
        if one.verdict[5] < 0:
            continue
        if pin is not None and pin.chain is not None:
            first = pin.chain
        else:
            tier, _ = choose_tier(table, v, one.verdict[5], pin)
            first = chains_in_turn(table, v, tier, pin)[0]
        if not keep(table, v, table.chains[first].targets) and some_target_meets_the_needs(
            table, v
        ):
            found.setdefault(first, []).append(point)
    return found


# -- two tables --------------------------------------------------------------------------------


def differences(
    old: RouteTable,
    new: RouteTable,
    *,
    occurs: Occurs = anything,
    values: Values | None = None,
) -> tuple[Domain, list[Point]]:
    """The points of the domain of both tables that they do not treat alike."""
    domain = domain_of(
        Part(slots=old.slots, lexicons=old.lexicons), Part(slots=new.slots, lexicons=new.lexicons)
    )
    first, second = domain.views
    return domain, [
        point
        for point in points_of(domain, values or {})
        if may_occur(old, domain, point)
        and may_occur(new, domain, point)
        and occurs(domain, point)
        and treated(old, first.vector(point)) != treated(new, second.vector(point))
    ]


def treated(table: RouteTable, v: Vector) -> tuple[object, ...]:
    """What becomes of a request, in names: outcome, tier, what is answered, which targets in which
    order. Who decided it and the score are left out.
    """
    result = evaluate(table, v)
    outcome, tier, rule, chain, mask, _, prefer = result
    answer: object = None
    if outcome in (Outcome.DENY, Outcome.RESPOND) and rule >= 0:
        by = table.rules[rule]
        answer = by.deny if outcome == Outcome.DENY else by.respond
    tried: object = None
    if outcome == Outcome.ROUTE:
        row = table.chains[chain]
        preference = table.rules[prefer].prefer if prefer >= 0 else None
        pick, first = row.pick, None
        if preference is not None:
            pick, first = preference.pick or pick, preference.target
        left = [[t for t in group if mask >> t & 1] for group in row.groups]
        if first is not None and any(first in group for group in left):
            left = [[first], *([one for one in group if one != first] for group in left)]
        places = (_places(table, group, pick, dict(row.weights)) for group in left if group)
        tried = tuple(place for group in places for place in group)
    return (
        Outcome(outcome),
        None if tier < 0 else table.tiers[tier].name,
        answer,
        tried,
    )


def _places(
    table: RouteTable, group: Sequence[TargetId], pick: Pick, weights: Mapping[TargetId, int]
) -> Sequence[object]:
    """A group as names in their order, or as one draw and what it goes by."""
    names = {one: table.targets[one].name for one in group}
    if len(group) == 1 or pick is Pick.ORDER:
        return list(names.values())
    if pick is Pick.CHEAPEST:
        prices = {one: table.targets[one].price for one in group}
        costs = {
            one: (price is None, Fraction() if price is None else sum(map(Fraction, price[:2])))
            for one, price in prices.items()
        }
        return [names[one] for one in sorted(group, key=costs.__getitem__)]
    if pick is Pick.WEIGHTED:
        return [(pick, frozenset((name, weights[one]) for one, name in names.items()))]
    return [(pick, tuple(names.values()))]


def _ways(told: World) -> list[tuple[object, ...]]:
    return [treated(told.table, one.vector) for one in told.decisions]


def _goes_the_same_ways(told: World, other: RouteTable, ways: Sequence[tuple[object, ...]]) -> bool:
    return all(
        treated(other, one.vector) == way for one, way in zip(told.decisions, ways, strict=True)
    )
