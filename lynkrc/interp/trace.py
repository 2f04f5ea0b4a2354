"""A RouteTable and a feature vector to the reasons of the verdict, step by step.

The same steps as `lynkrc.interp.evaluate`, with what each of them found; the generated
``explain.py`` is tested against `as_json` of it. All points are exact, in 1/6400.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from lynkrc.interp import evaluate as steps
from lynkrc.interp.expressions import Vector
from lynkrc.ir.atoms import atoms_of, print_atom, sides_of, slots_of
from lynkrc.ir.effects import effects_of
from lynkrc.ir.guard import Guard, IntExpr
from lynkrc.ir.table import Need, RouteTable, Rule, TierId
from lynkrc_runtime.decide import RULE_PIN, RULE_SCORE, Outcome, Verdict


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionTrace:
    """What a dimension measures, the `value` (0..100; for terms: 1/64 points) and what it added.

    `points6400` is `factor` times `value`.
    """

    name: str
    measures: str
    value: int
    factor: int
    points6400: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTrace:
    """A target of a looked-at chain and what dropped it (nothing: it stayed)."""

    target: str
    dropped_by: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ChainTrace:
    """A chain that was looked at, before and after the filters."""

    chain: str
    targets: tuple[TargetTrace, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AtomTrace:
    """An atom of a condition, whether it holds, and the slots it reads.

    `sides` are the values of what it compares, where those are more than a slot or a literal.
    """

    atom: str
    holds: bool
    sides: tuple[int, int] | None
    reads: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTrace:
    """A rule: its condition as written with the atoms of it, and each effect in words.

    An effect *took* where the outcome of a step is this rule's: a floor that the score had passed
    did not, nor a requirement that every target looked at meets.
    """

    name: str
    when: str
    matched: bool
    atoms: tuple[AtomTrace, ...]
    effects: tuple[tuple[str, bool], ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TierTrace:
    """Steps 4 and 5: the tier and what chose it, then (tier, rule) of what moved it."""

    chosen: str
    chosen_by: str
    raised: tuple[str, str] | None
    lowered: tuple[str, str] | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A verdict with its reasons, in names.

    Rules are in spec order. `sum6400` is rounded to `rounded` points, the score is that within
    0..100. `tiers` is None with a pin or where the request ended before. `chain_rule` took the
    place of the tier's chain, `prefer` orders what is left of it. `chains` are those looked at, in
    order: after the first come the steps of `escalate`.
    """

    verdict: Verdict
    outcome: str
    tier: str | None
    rule: str
    score: int | None
    chain: str | None
    targets: tuple[str, ...]
    offset6400: int
    dimensions: tuple[DimensionTrace, ...]
    adds: tuple[tuple[str, int], ...]
    sum6400: int
    rounded: int
    rules: tuple[RuleTrace, ...]
    pin: str | None
    tiers: TierTrace | None
    needs: tuple[str, ...]
    chain_rule: str | None
    prefer: str | None
    chains: tuple[ChainTrace, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AtomWords:
    """What can be said of an atom before there is a vector."""

    guard: Guard
    atom: str
    sides: tuple[IntExpr, IntExpr] | None
    reads: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWords:
    """A rule's atoms, and its effects by their kinds, in words."""

    atoms: tuple[AtomWords, ...]
    effects: tuple[tuple[str, str], ...]


def words_of(table: RouteTable) -> tuple[RuleWords, ...]:
    """What `trace` says of each rule whatever the vector: made once where many are traced."""
    return tuple(
        RuleWords(
            atoms=tuple(
                AtomWords(
                    guard=atom,
                    atom=print_atom(atom, table.slots),
                    sides=sides_of(atom),
                    reads=tuple(int(slot) for slot in slots_of(atom)),
                )
                for atom in atoms_of(rule.guard)
            ),
            effects=tuple(effects_of(rule, table)),
        )
        for rule in table.rules
    )


def trace(table: RouteTable, v: Vector, words: Sequence[RuleWords] | None = None) -> Trace:
    """The verdict on a clamped vector, with its reasons; `words` are those of `words_of`."""
    said = words_of(table) if words is None else words
    verdict = steps.evaluate(table, v)
    outcome, tier, rule, chain, mask, points, prefer = verdict
    ended_early = points < 0
    pin = None if ended_early else steps.first_pin(table, v)
    tiers = None if ended_early or pin is not None else _tiers(table, v, points)
    dimensions = _dimensions(table, v)
    adds = tuple(
        (r.name, steps.add_points(r, v))
        for r in table.rules
        if r.add64 is not None and steps.holds(r.guard, v)
    )
    total = steps.offset_points(table)
    total += sum(d.points6400 for d in dimensions) + sum(added for _, added in adds)
    chain_rule = None if ended_early or pin is not None else steps.first_chain(table, v)
    chains = () if ended_early else _chains(table, v, verdict)
    names = {RULE_SCORE: "score", RULE_PIN: "pin"}
    return Trace(
        verdict=verdict,
        outcome=Outcome(outcome).name.lower(),
        tier=None if tier < 0 else table.tiers[tier].name,
        rule=names[rule] if rule < 0 else table.rules[rule].name,
        score=None if points < 0 else points,
        chain=None if chain < 0 else table.chains[chain].name,
        targets=()
        if chain < 0
        else tuple(table.targets[t].name for t in table.chains[chain].targets if mask >> t & 1),
        offset6400=steps.offset_points(table),
        dimensions=dimensions,
        adds=adds,
        sum6400=total,
        rounded=(total + 3200) // 6400,
        rules=tuple(
            _rule(r, one, v, _took(r, table, v, verdict, chains))
            for r, one in zip(table.rules, said, strict=True)
        ),
        pin=None if pin is None else pin.pattern,
        tiers=tiers,
        needs=tuple(need.name for need in table.needs if steps.holds(need.guard, v)),
        chain_rule=None if chain_rule is None else chain_rule.name,
        prefer=None if prefer < 0 else table.rules[prefer].name,
        chains=chains,
    )


def as_json(found: Trace) -> dict[str, Any]:
    """The trace as `explain` of the generated code returns it."""
    return {
        "verdict": [int(number) for number in found.verdict],
        "outcome": found.outcome,
        "tier": found.tier,
        "rule": found.rule,
        "score": found.score,
        "chain": found.chain,
        "targets": list(found.targets),
        "points": {
            "offset": found.offset6400,
            "dimensions": [
                {
                    "name": d.name,
                    "measures": d.measures,
                    "value": d.value,
                    "factor": d.factor,
                    "points": d.points6400,
                }
                for d in found.dimensions
            ],
            "adds": [{"rule": rule, "points": points} for rule, points in found.adds],
            "sum": found.sum6400,
            "rounded": found.rounded,
        },
        "rules": [_rule_json(rule) for rule in found.rules],
        "pin": found.pin,
        "tiers": None if found.tiers is None else _tiers_json(found.tiers),
        "needs": list(found.needs),
        "chain_rule": found.chain_rule,
        "prefer": found.prefer,
        "chains": [
            {
                "chain": chain.chain,
                "targets": [
                    {"target": t.target, "dropped_by": list(t.dropped_by)} for t in chain.targets
                ],
            }
            for chain in found.chains
        ],
    }


def _rule_json(rule: RuleTrace) -> dict[str, Any]:
    return {
        "name": rule.name,
        "when": rule.when,
        "matched": rule.matched,
        "atoms": [
            {
                "atom": atom.atom,
                "holds": atom.holds,
                "sides": None if atom.sides is None else list(atom.sides),
                "reads": list(atom.reads),
            }
            for atom in rule.atoms
        ],
        "effects": [{"effect": words, "took": took} for words, took in rule.effects],
    }


def _tiers_json(tiers: TierTrace) -> dict[str, Any]:
    raised, lowered = (
        None if moved is None else {"tier": moved[0], "rule": moved[1]}
        for moved in (tiers.raised, tiers.lowered)
    )
    return {
        "chosen": tiers.chosen,
        "chosen_by": tiers.chosen_by,
        "raised": raised,
        "lowered": lowered,
    }


def _rule(rule: Rule, words: RuleWords, v: Vector, took: frozenset[str]) -> RuleTrace:
    return RuleTrace(
        name=rule.name,
        when=rule.source,
        matched=steps.holds(rule.guard, v),
        atoms=tuple(
            AtomTrace(
                atom=atom.atom,
                holds=steps.holds(atom.guard, v),
                sides=None
                if atom.sides is None
                else (steps.value(atom.sides[0], v), steps.value(atom.sides[1], v)),
                reads=atom.reads,
            )
            for atom in words.atoms
        ),
        effects=tuple((effect, kind in took) for kind, effect in words.effects),
    )


def _took(
    rule: Rule, table: RouteTable, v: Vector, verdict: Verdict, chains: Sequence[ChainTrace]
) -> frozenset[str]:
    """The kinds of the rule's effects that the decision shows."""
    outcome, _, by, _, _, points, prefer = verdict
    if not steps.holds(rule.guard, v):
        return frozenset()
    if points < 0:
        ending = "deny" if outcome == Outcome.DENY else "respond"
        return frozenset({ending} if by == rule.id else ())
    pin = steps.first_pin(table, v)
    took = {"add"}
    if any(f"rule {rule.name}" in t.dropped_by for chain in chains for t in chain.targets):
        took.add("require")
    if prefer == rule.id:
        took.add("prefer")
    if pin is not None:
        return frozenset(took)
    tier, chosen_by = steps.tier_before_bounds(table, v, points)
    if chosen_by == rule.id:
        took.add("tier")
    raised, lowered = _moved(table, v, tier)
    took |= {kind for kind, moved in (("floor", raised), ("ceiling", lowered)) if moved is rule}
    if steps.first_chain(table, v) is rule:
        took.add("chain")
    return frozenset(took)


def _tiers(table: RouteTable, v: Vector, points: int) -> TierTrace:
    tier, by = steps.tier_before_bounds(table, v, points)
    raised, lowered = _moved(table, v, tier)
    return TierTrace(
        chosen=table.tiers[tier].name,
        chosen_by="score" if by == RULE_SCORE else table.rules[by].name,
        raised=None
        if raised is None or raised.floor is None
        else (table.tiers[raised.floor].name, raised.name),
        lowered=None
        if lowered is None or lowered.ceiling is None
        else (table.tiers[lowered.ceiling].name, lowered.name),
    )


def _moved(table: RouteTable, v: Vector, tier: TierId) -> tuple[Rule | None, Rule | None]:
    """The rules whose floor raises the tier, and whose ceiling then lowers it."""
    floor, ceiling = steps.highest_floor(table, v), steps.lowest_ceiling(table, v)
    raised = lowered = None
    if floor is not None and floor.floor is not None and tier < floor.floor:
        tier, raised = floor.floor, floor
    if ceiling is not None and ceiling.ceiling is not None and tier > ceiling.ceiling:
        lowered = ceiling
    return raised, lowered


def _dimensions(table: RouteTable, v: Vector) -> tuple[DimensionTrace, ...]:
    found = []
    for dimension in table.dimensions:
        if dimension.terms is not None:
            value = v[dimension.terms]
        else:
            assert dimension.value is not None
            value = min(100, max(0, steps.value(dimension.value, v)))
        found.append(
            DimensionTrace(
                name=dimension.name,
                measures=dimension.source,
                value=value,
                factor=100 if dimension.value is None else dimension.weight64,
                points6400=steps.dimension_points(dimension, v),
            )
        )
    return tuple(found)


def _chains(table: RouteTable, v: Vector, verdict: Verdict) -> tuple[ChainTrace, ...]:
    """The chains step 7 and 8 looked at, up to the first with a target left."""
    _, tier, _, chain, _, _, _ = verdict
    pin = steps.first_pin(table, v)
    if pin is not None and pin.chain is not None:
        return (_chain(table, v, pin.chain),)
    looked_at = []
    for candidate in steps.chains_in_turn(table, v, table.tiers[tier].id, pin):
        looked_at.append(_chain(table, v, candidate))
        if candidate == chain:
            break
    return tuple(looked_at)


def _chain(table: RouteTable, v: Vector, chain: int) -> ChainTrace:
    found = []
    for target in table.chains[chain].targets:
        objections = steps.objections(table, v, target)
        reasons = tuple(
            f"need {objection.name}" if isinstance(objection, Need) else f"rule {objection.name}"
            for objection in objections
        )
        found.append(TargetTrace(target=table.targets[target].name, dropped_by=reasons))
    return ChainTrace(chain=table.chains[chain].name, targets=tuple(found))
