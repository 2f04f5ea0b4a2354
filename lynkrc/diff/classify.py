"""Two decisions on one request to their difference: its category, and both sides in words.

Pure: the tables and one vector of each go in. Who finds the vectors is not this module's matter.
"""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias, final

from lynkrc.diff.cost import in_micro, value_of, worst_case
from lynkrc.diff.decided import Decided, Place, decide, place_text
from lynkrc.diff.identity import Destination, Pair
from lynkrc.diff.plan import Category, Side, What
from lynkrc.interp.expressions import Vector
from lynkrc.ir.table import Pick, RouteTable, TierId

Group: TypeAlias = tuple[Category, tuple[str, ...]]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What two vectors of one request show; see `lynkrc.diff.plan.Region` for its members."""

    category: Category
    what: What
    before: Side
    after: Side
    gains: bool
    loses: bool


def classify(pair: Pair, v_old: Vector, v_new: Vector) -> Difference | None:
    """The difference between the two decisions; None where there is none, scores left aside."""
    old, new = decide(pair.old, v_old), decide(pair.new, v_new)
    context = _either(pair, v_old, v_new, "context.tokens")
    output = _either(pair, v_old, v_new, "request.max_tokens")
    least = worst_case(pair.old, old.targets, context=context, output=output)
    most = worst_case(pair.new, new.targets, context=context, output=output)
    before, after = side(pair.old, old, in_micro(least)), side(pair.new, new, in_micro(most))
    went = {pair.old_places[one] for one in old.targets}
    goes = {pair.new_places[one] for one in new.targets}
    category = _category(pair, old, new, least, most)
    if category is None:
        return None
    return Difference(
        category=category,
        what=_what(pair, category, before, after),
        before=before,
        after=after,
        gains=bool(goes - went),
        loses=bool(went - goes),
    )


def group_of(difference: Difference) -> Group:
    """What a person takes for one change: requests of one group need one witness.

    The category and both sides, costs left aside. A rule tells two groups apart where it ends the
    request, or is another one afterwards.
    """
    before, after = difference.before, difference.after
    rules = (before.rule, after.rule)
    if before.rule == after.rule and before.outcome == after.outcome == "route":
        rules = ("", "")
    return difference.category, (*_said(before, rules[0]), *_said(after, rules[1]))


def _said(side: Side, rule: str) -> tuple[str, ...]:
    return side.outcome, side.tier or "", rule, side.chain, side.answer or ""


def side(table: RouteTable, decided: Decided, cost: int | None) -> Side:
    """A decision in words."""
    names = [target.name for target in table.targets]
    levels = {level: rank for rank, level in enumerate(table.trust_levels)}
    trusts = [table.targets[one].trust for one in decided.targets]
    return Side(
        outcome=decided.outcome.name.lower(),
        tier=None if decided.tier is None else table.tiers[decided.tier].name,
        rule=decided.rule,
        first=tuple(names[one] for one in decided.places[0].targets) if decided.places else (),
        targets=tuple(names[one] for one in decided.targets),
        chain=" -> ".join(place_text(place, names) for place in decided.places),
        trust=max(trusts, key=lambda one: levels[one], default=None),
        answer=decided.answer,
        cost=cost,
    )


def _category(
    pair: Pair,
    old: Decided,
    new: Decided,
    cost_before: Fraction | None,
    cost_after: Fraction | None,
) -> Category | None:
    if pair.new_rank(new.targets) > pair.old_rank(old.targets):
        return Category.PRIVACY
    went = [_place(place, pair.old_places) for place in old.places]
    goes = [_place(place, pair.new_places) for place in new.places]
    if old.outcome is not new.outcome or old.answer != new.answer or went[:1] != goes[:1]:
        return Category.OUTCOME
    if _old_tier(pair, old.tier) != _new_tier(pair, new.tier):
        return Category.OUTCOME
    if cost_before is not None and (cost_after is None or cost_after > cost_before):
        return Category.COST
    if went != goes or cost_before != cost_after:
        return Category.CHAIN
    names_before = [pair.old.targets[one].name for one in old.targets]
    names_after = [pair.new.targets[one].name for one in new.targets]
    renamed = names_before != names_after or _name(pair.old, old.tier) != _name(pair.new, new.tier)
    return Category.COSMETIC if renamed or old.rule != new.rule else None


def _what(pair: Pair, category: Category, before: Side, after: Side) -> What:
    if category is Category.PRIVACY:
        return What.TRUST
    if before.outcome != after.outcome:
        return What.OUTCOME
    if before.answer != after.answer:
        return What.ANSWER
    renamed = None if after.tier is None else pair.tiers[after.tier]
    if before.tier != renamed and (before.tier is None or after.tier is None):
        return What.PINNED
    if before.tier != renamed:
        is_up = _height(pair.new, after.tier) > _old_height(pair, before.tier)
        return What.UP if is_up else What.DOWN
    if before.chain != after.chain:
        first = before.chain.split(" -> ")[:1] != after.chain.split(" -> ")[:1]
        return What.FIRST if first else What.LATER
    if category is Category.COSMETIC:
        return What.NAME
    return What.ADDRESS if category is Category.OUTCOME else What.PRICE


def _height(table: RouteTable, tier: str | None) -> int:
    return next((one.id for one in table.tiers if one.name == tier), -1)


def _old_height(pair: Pair, tier: str | None) -> int:
    """The height of an old tier on the new ladder; on its own where the new one has it not."""
    names = [name for name, was in pair.tiers.items() if was == tier]
    return _height(pair.new, names[0]) if names else _height(pair.old, tier)


def _place(place: Place, places: tuple[Destination, ...]) -> tuple[object, ...]:
    order = tuple(places[one] for one in place.targets)
    if place.pick is Pick.WEIGHTED:
        # A draw by weights knows no order.
        return place.pick, frozenset(Counter(zip(order, place.weights, strict=True)).items())
    return place.pick, order


def _name(table: RouteTable, tier: TierId | None) -> str | None:
    return None if tier is None else table.tiers[tier].name


def _old_tier(pair: Pair, tier: TierId | None) -> str | None:
    return _name(pair.old, tier)


def _new_tier(pair: Pair, tier: TierId | None) -> str | None:
    name = _name(pair.new, tier)
    return None if name is None else pair.tiers[name]


def _either(pair: Pair, v_old: Vector, v_new: Vector, feature: str) -> int | None:
    """A feature's value from whichever table reads it; the clamp of the wider range is kept."""
    found = [value_of(pair.old, v_old, feature), value_of(pair.new, v_new, feature)]
    return max((one for one in found if one is not None), default=None)
