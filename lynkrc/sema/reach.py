"""What scores can occur, and so which tiers: by intervals, every rule matching or not by itself.

The bounds are sound, not tight: a tier found unreachable is; one not found may still be.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.sema_codes import UNREACHABLE_TIER, WEIGHTS_REACH
from lynkrc.diagnostics.wording import shown
from lynkrc.sema.merge import Spec
from lynkrc.sema.partial import residue
from lynkrc.sema.typed import ALWAYS, NEVER
from lynkrc.sema.typed_config import TypedDimension, TypedRule, TypedTier
from lynkrc.sema.types import FixedType

_FULL = 100
_POINT = 6_400  # a point of the score in the unit it is summed in: 100 * 64


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The least and the greatest score, 0..100, both inclusive."""

    low: int
    high: int


def scores_of(
    dimensions: Sequence[TypedDimension], rules: Sequence[TypedRule], offset64: int
) -> Scores:
    """Between which scores every request lies."""
    low = high = _FULL * offset64
    for dimension in dimensions:
        ends = _addend(dimension)
        low, high = low + min(ends), high + max(ends)
    for rule in rules:
        add = _FULL * (rule.add64 or 0)
        always = residue(rule.guard) == ALWAYS
        low, high = low + (add if always else min(add, 0)), high + (add if always else max(add, 0))
    return Scores(low=_score(low), high=_score(high))


def _addend(dimension: TypedDimension) -> tuple[int, int]:
    if dimension.terms is not None:
        points = dimension.terms.type
        if not isinstance(points, FixedType):
            raise AssertionError(f"{dimension.name}: points are fixed-point numbers")
        return _FULL * points.low, _FULL * points.high
    if dimension.value is None:
        raise AssertionError(f"{dimension.name} has neither value nor terms")
    value = dimension.value.type
    low, high = (max(0, min(_FULL, end)) for end in (value.low, value.high))
    return dimension.weight64 * low, dimension.weight64 * high


def _score(sum_: int) -> int:
    """The score of a sum, as the decision computes it (design: "Score")."""
    return max(0, min(_FULL, (sum_ + _POINT // 2) // _POINT))


def check_tiers(
    spec: Spec, tiers: Sequence[TypedTier], rules: Sequence[TypedRule], scores: Scores
) -> Iterable[Diagnostic]:
    """Tiers that no request gets, and tiers that the score alone never gives."""
    by_score = {tier.name for tier in _scored(tiers, scores)}
    # A mapped model name takes the place of the score, the rules, floors and ceilings.
    mapped = {one.item.tier.value for one in spec.models if one.item.tier is not None}
    reached = reached_tiers(tiers, rules, scores) | mapped
    for written, tier in zip(spec.tiers, tiers, strict=True):
        if tier.name not in reached:
            yield Diagnostic(
                code=UNREACHABLE_TIER,
                message=f"no request gets the tier {shown(tier.name)}: "
                + (
                    "rules without a condition lead past it"
                    if tier.name in by_score
                    else f"scores lie in {scores.low}..{scores.high}, and neither a rule nor a "
                    "mapped model leads to it"
                ),
                span=written.name.span,
                help="correct `up_to`, the weights or the rules, or remove the tier",
            )
        elif tier.name not in by_score and spec.has_score:
            yield Diagnostic(
                code=WEIGHTS_REACH,
                message=f"no score leads to the tier {shown(tier.name)}: scores lie in "
                f"{scores.low}..{scores.high}; only rules or mapped models do",
                span=written.name.span,
                help="correct `up_to` or the weights",
            )


def _scored(tiers: Sequence[TypedTier], scores: Scores) -> Iterable[TypedTier]:
    """The tiers that some score between the bounds chooses."""
    below = -1
    for tier in tiers:
        top = _FULL if tier.up_to is None else tier.up_to
        if below < scores.high and scores.low <= top and below < top:
            yield tier
        below = max(below, top)


def reached_tiers(
    tiers: Sequence[TypedTier], rules: Sequence[TypedRule], scores: Scores
) -> set[str]:
    """The tiers after tier rules, floors and ceilings, each of which may match or not."""
    by_score = {tier.name for tier in _scored(tiers, scores)}
    rank = {tier.name: i for i, tier in enumerate(tiers)}
    able = [rule for rule in rules if residue(rule.guard) != NEVER]
    always = [rule for rule in able if residue(rule.guard) == ALWAYS]
    chosen = {rank[name] for name in by_score}
    for rule in able:
        if rule.tier is not None:
            chosen.add(rank[rule.tier])
    if any(rule.tier is not None for rule in always):
        chosen = {rank[rule.tier] for rule in able if rule.tier is not None}
    least = max((rank[rule.floor] for rule in always if rule.floor is not None), default=0)
    floors = {rank[rule.floor] for rule in able if rule.floor is not None} | {least}
    raised = {max(tier, floor, least) for tier in chosen for floor in floors}
    top = len(tiers) - 1
    most = min((rank[rule.ceiling] for rule in always if rule.ceiling is not None), default=top)
    ceilings = {rank[rule.ceiling] for rule in able if rule.ceiling is not None} | {most}
    lowered = {min(tier, ceiling, most) for tier in raised for ceiling in ceilings}
    return {tiers[i].name for i in lowered}
