"""Two route tables to the plan of what changes: matched, searched, classified, grouped, ordered.

Equal meaning digests settle it. So does a decision that is the same whatever a request says: then
only what surrounds it can differ. Otherwise points are searched (`Finder`), and each is classified
on its own.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from lynkrc.diff.changes import other_changes
from lynkrc.diff.classify import Difference, Group, classify, group_of
from lynkrc.diff.cost import bound
from lynkrc.diff.identity import Pair, pair_of
from lynkrc.diff.items import acting, changed_items
from lynkrc.diff.plan import Change, Plan, Region, Relation, Spec, ordered
from lynkrc.diff.sample import Found
from lynkrc.diff.search import search
from lynkrc.diff.witness import plainest, witness_of
from lynkrc.ir.digest import meaning_digest
from lynkrc.ir.domain import Domain, Part, Point, domain_of
from lynkrc.ir.table import Pick, RouteTable, Rule

Finder: TypeAlias = Callable[[Pair, Domain], Found]
"""Finds points at which two tables may differ; the domain's views are the old and the new one."""

MOST = 200
"""Regions of one plan; more say nothing more to a person, and the plan says that there are."""


def compare(
    old: RouteTable, new: RouteTable, *, specs: tuple[Spec, Spec], find: Finder = search
) -> Plan:
    """The plan from `old` to `new`, which `specs` name and digest."""
    pair = pair_of(old, new)
    items = changed_items(old, new)
    changes = other_changes(pair, old_name=specs[0].name, new_name=specs[1].name)
    regions: tuple[Region, ...] = ()
    unknown: tuple[str, ...] = ()
    if specs[0].digest != specs[1].digest and not same_decision(old, new):
        domain = domain_of(_part(old), _part(new))
        found = find(pair, domain)
        regions, unknown = _regions(pair, domain, found)
    return Plan(
        old=specs[0],
        new=specs[1],
        relation=_relation(pair, regions, changes, is_known=not unknown),
        unknown=unknown,
        regions=regions,
        changes=changes,
        items=items,
        cost_before=bound(old),
        cost_after=bound(new),
    )


def same_decision(old: RouteTable, new: RouteTable) -> bool:
    """Whether no vector is decided otherwise; False where that is not seen at a glance.

    Names of rules are left aside, and all that only surrounds the decision.
    """
    if _by_price(old) or _by_price(new):
        prices = [{one.name: one.price for one in table.targets} for table in (old, new)]
        if prices[0] != prices[1]:
            return False
    return meaning_digest(_bare(old)) == meaning_digest(_bare(new))


def _by_price(table: RouteTable) -> bool:
    preferred = [rule.prefer.pick for rule in table.rules if rule.prefer is not None]
    return Pick.CHEAPEST in (*preferred, *(chain.pick for chain in table.chains))


def _bare(table: RouteTable) -> RouteTable:
    """The decision alone, in the form that the digest reads.

    The trust of a target stays: requests that are decided alike may then go to another class.
    """
    return replace(
        table,
        trust_levels=(),
        clients=(),
        providers=(),
        targets=tuple(
            replace(
                one,
                provider="",
                model="",
                context=0,
                max_output=0,
                capabilities=(),
                price=None,
                shape="",
                dialect=None,
                on_loss="",
            )
            for one in table.targets
        ),
        rules=tuple(_nameless(rule) for rule in table.rules),
        models=(),
        calls=(),
        settings="{}",
    )


def _nameless(rule: Rule) -> Rule:
    return replace(rule, name="")


def _part(table: RouteTable) -> Part:
    return Part(slots=table.slots, lexicons=table.lexicons)


def _regions(
    pair: Pair, domain: Domain, found: Found
) -> tuple[tuple[Region, ...], tuple[str, ...]]:
    """The points, classified and grouped: of those that show the same, the plainest is kept."""
    before, after = domain.views

    def difference(point: Point) -> Difference | None:
        return classify(pair, before.vector(point), after.vector(point))

    first: dict[Group, Point] = {}
    rules: dict[Group, dict[str, None]] = {}
    for point in found.points:
        shown = difference(point)
        if shown is not None:
            first.setdefault(group_of(shown), point)
            rules.setdefault(group_of(shown), {})[shown.after.rule] = None
    regions = []
    items = changed_items(pair.old, pair.new)
    unknown = found.unknown
    if len(first) > MOST:
        unknown = (*unknown, f"{len(first) - MOST:,} kinds of difference beyond the {MOST} told")
    ranked = sorted(first.items(), key=lambda entry: _rank(entry[0]))
    for group, point in ranked[:MOST]:

        def shows(tried: Point, group: Group = group) -> bool:
            seen = difference(tried)
            return seen is not None and group_of(seen) == group

        plain = plainest(domain, point, shows)
        shown = difference(plain)
        assert shown is not None, "the plainest point shows what the first one shows"
        vectors = before.vector(plain), after.vector(plain)
        regions.append(
            Region(
                category=shown.category,
                before=shown.before,
                after=shown.after,
                items=acting(items, pair, *vectors, (shown.before, shown.after)),
                witness=witness_of(domain, plain),
                rules=tuple(rules[group]),
                gains=shown.gains,
                loses=shown.loses,
            )
        )
    return ordered(regions), unknown


def _rank(group: Group) -> tuple[int, str]:
    return group[0].rank, repr(group[1:])


def _relation(
    pair: Pair, regions: tuple[Region, ...], changes: tuple[Change, ...], *, is_known: bool
) -> Relation | None:
    """What the regions and changes show of the attempts; None where they show nothing, unproved.

    A target that now lies elsewhere takes all its attempts along.
    """
    old = dict(zip((one.name for one in pair.old.targets), pair.old_places, strict=True))
    new = dict(zip((one.name for one in pair.new.targets), pair.new_places, strict=True))
    is_moved = any(name in new and new[name] != place for name, place in old.items())
    named = [one.item for one in changes if one.item.kind == "embeddings"]
    gains = is_moved or any(one.gains for one in regions)
    gains = gains or any(item.after is not None for item in named)
    loses = is_moved or any(one.loses for one in regions)
    loses = loses or any(item.before is not None for item in named)
    if gains and loses:
        return Relation.INCOMPARABLE
    if not is_known:
        # What is not found yet may be of the other kind.
        return None
    if gains:
        return Relation.WIDER
    return Relation.NARROWER if loses else Relation.EQUIVALENT
