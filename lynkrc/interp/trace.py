"""A RouteTable and a feature vector to the reasons of the verdict, step by step.

The same steps as `lynkrc.interp.evaluate`, with what each of them found; the generated
``explain.py`` is tested against `as_json` of it. All points are exact, in 1/6400.
"""

from dataclasses import dataclass
from typing import Any, final

from lynkrc.interp import evaluate as steps
from lynkrc.interp.evaluate import Vector
from lynkrc.ir.table import Need, RouteTable
from lynkrc_runtime.decide import RULE_PIN, RULE_SCORE, Outcome, Verdict


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionTrace:
    """A dimension's `value` (0..100; for terms: 1/64 points) and what it added, in 1/6400."""

    name: str
    value: int
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
class Trace:
    """A verdict with its reasons, in names.

    Rules are named in spec order. `chosen_tier` is the tier after step 4 (None with a pin or where
    the request ended before), `tier` the one after step 5. `chain_rule` took the place of the
    tier's chain, `prefer` orders what is left of it. `chains` are those looked at, in order.
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
    matched: tuple[str, ...]
    pin: str | None
    chosen_tier: str | None
    floors: tuple[str, ...]
    ceilings: tuple[str, ...]
    needs: tuple[str, ...]
    chain_rule: str | None
    prefer: str | None
    chains: tuple[ChainTrace, ...]


def trace(table: RouteTable, v: Vector) -> Trace:
    """The verdict on a clamped vector, with its reasons."""
    verdict = steps.evaluate(table, v)
    outcome, tier, rule, chain, mask, points, prefer = verdict
    matching = [candidate for candidate in table.rules if steps.holds(candidate.guard, v)]
    ended_early = points < 0
    pin = None if ended_early else steps.first_pin(table, v)
    chosen = None
    if not ended_early and pin is None:
        chosen = table.tiers[steps.tier_before_bounds(table, v, points)[0]].name
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
        dimensions=_dimensions(table, v),
        adds=tuple((r.name, steps.add_points(r, v)) for r in matching if r.add64 is not None),
        matched=tuple(candidate.name for candidate in matching),
        pin=None if pin is None else pin.pattern,
        chosen_tier=chosen,
        floors=tuple(r.name for r in matching if r.floor is not None),
        ceilings=tuple(r.name for r in matching if r.ceiling is not None),
        needs=tuple(need.name for need in table.needs if steps.holds(need.guard, v)),
        chain_rule=None if ended_early or pin is not None else _chain_rule(table, v),
        prefer=None if prefer < 0 else table.rules[prefer].name,
        chains=() if ended_early else _chains(table, v, verdict),
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
        "offset6400": found.offset6400,
        "dimensions": [
            {"name": d.name, "value": d.value, "points6400": d.points6400} for d in found.dimensions
        ],
        "adds": [{"rule": rule, "points6400": points} for rule, points in found.adds],
        "matched": list(found.matched),
        "pin": found.pin,
        "chosen_tier": found.chosen_tier,
        "floors": list(found.floors),
        "ceilings": list(found.ceilings),
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


def _dimensions(table: RouteTable, v: Vector) -> tuple[DimensionTrace, ...]:
    found = []
    for dimension in table.dimensions:
        if dimension.terms is not None:
            value = v[dimension.terms]
        else:
            assert dimension.value is not None
            value = min(100, max(0, steps.value(dimension.value, v)))
        points = steps.dimension_points(dimension, v)
        found.append(DimensionTrace(name=dimension.name, value=value, points6400=points))
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


def _chain_rule(table: RouteTable, v: Vector) -> str | None:
    rule = steps.first_chain(table, v)
    return None if rule is None else rule.name


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
