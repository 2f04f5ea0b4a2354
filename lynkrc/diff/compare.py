"""Two route tables to the plan of what changes: matched, searched, classified, grouped, ordered.

Equal meaning digests settle it. So does a decision that is the same whatever a request says: then
only what surrounds it can differ. Otherwise the solver looks for every request that is treated
otherwise.
"""

import json
from collections.abc import Callable
from dataclasses import replace

from lynkrc.analysis.moves import Attempts, attempts, dearest, moves
from lynkrc.diff.changes import other_changes
from lynkrc.diff.cost import in_micro
from lynkrc.diff.identity import Pair, pair_of
from lynkrc.diff.items import changed_items
from lynkrc.diff.plan import Change, Plan, Region, Relation, Spec
from lynkrc.diff.regions import Regions
from lynkrc.diff.requests import Requests
from lynkrc.diff.search import compared
from lynkrc.ir.digest import meaning_digest
from lynkrc.ir.domain import Part, domain_of
from lynkrc.ir.table import Pick, RouteTable, Rule
from lynkrc.testing.sample import Walker

MOST = 200
"""Regions of one plan; more say nothing more to a person, and the plan says that there are."""

SAME_ATTEMPTS = Attempts(gains=False, loses=False)


def compare(
    old: RouteTable,
    new: RouteTable,
    *,
    specs: tuple[Spec, Spec],
    walker: Walker | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Plan:
    """The plan from `old` to `new`, which `specs` name and digest.

    Where a `walker` is given, which knows the lexicons of both, differences come with a request.
    """
    pair = pair_of(old, new)
    items = changed_items(old, new)
    changes = other_changes(pair, old_name=specs[0].name, new_name=specs[1].name)
    domain = domain_of(_part(old), _part(new))
    requests = None if walker is None else Requests(pair, domain, walker)
    two = compared(pair, domain, None if requests is None else requests.plainest())
    regions: tuple[Region, ...] = ()
    unknown: tuple[str, ...] = ()
    reached = SAME_ATTEMPTS
    if specs[0].digest != specs[1].digest:
        progress("attempts")
        reached = attempts(two)
        if pair.moved or not same_decision(old, new):
            found = moves(two, progress=progress)
            regions, unknown = Regions(pair, two, items, changes, requests).found(found, progress)
    if old.clients != new.clients:
        unknown = (
            *unknown,
            "other client profiles read other features from the same request: what becomes of "
            "requests that they read otherwise is not compared",
        )
    if len(regions) > MOST:
        unknown = (*unknown, f"{len(regions) - MOST:,} kinds of difference beyond the {MOST} told")
        regions = regions[:MOST]
    progress("costs")
    return Plan(
        old=specs[0],
        new=specs[1],
        relation=_relation(pair, reached, changes),
        unknown=unknown,
        regions=regions,
        changes=changes,
        items=items,
        cost_before=in_micro(dearest(two, two.before)),
        cost_after=in_micro(dearest(two, two.after)),
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


def _relation(pair: Pair, reached: Attempts, changes: tuple[Change, ...]) -> Relation | None:
    """How all attempts relate, those of embeddings too; None where that is not known."""
    if pair.old.clients != pair.new.clients:
        # One request is two points then, and the solver knows of one.
        return None
    named = [one.item for one in changes if one.item.kind == "embeddings"]
    declared = set(json.loads(pair.new.settings).get("embeddings", {}).values())
    is_moved = bool(declared & pair.moved.keys())
    gains = is_moved or any(item.after is not None for item in named) or reached.gains
    loses = is_moved or any(item.before is not None for item in named) or reached.loses
    if gains is None or loses is None:
        return None
    if gains and loses:
        return Relation.INCOMPARABLE
    if gains:
        return Relation.WIDER
    return Relation.NARROWER if loses else Relation.EQUIVALENT
