"""A RouteTable to what a picture of it shows."""

from collections.abc import Iterator, Mapping, Sequence

from lynkrc.graph.groups import groups_of
from lynkrc.graph.model import Graph, Lane, Link, Path, Place, Step
from lynkrc.ir.guard import NEVER
from lynkrc.ir.table import Chain, Otherwise, Pick, RouteTable, Rule, TargetId, Tier

OTHERWISE = {
    Otherwise.ESCALATE: "higher tiers, then lower ones",
    Otherwise.DENY: "deny with 403",
    Otherwise.NONE: "refuse with 400",
}
"""What happens to a request that none of its targets can serve."""


def graph_of(table: RouteTable, notes: Mapping[str, str] | None = None) -> Graph:
    """What to draw of a table; `notes` say something of items, by key (``rule:greetings``)."""
    known: Mapping[str, str] = notes or {}
    ranks = {name: rank for rank, name in enumerate(table.trust_levels)}
    numbers = {provider.name: number for number, provider in enumerate(table.providers)}
    targets = tuple(
        Place(
            key=f"target:{target.name}",
            name=target.name,
            about=target.model,
            trust=ranks[target.trust],
            provider=numbers[target.provider],
            note=known.get(f"target:{target.name}", ""),
        )
        for target in table.targets
    )
    providers = tuple(
        Place(
            key=f"provider:{provider.name}",
            name=provider.name,
            about=provider.kind,
            trust=ranks[provider.trust],
            provider=number,
            note=known.get(f"provider:{provider.name}", ""),
        )
        for number, provider in enumerate(table.providers)
    )
    return Graph(
        name=table.name,
        groups=tuple(group for group in groups_of(table, known) if group.rows or group.scores),
        steps=_steps(table, known),
        paths=tuple(_paths(table)),
        lanes=tuple(_lanes(table, {place.trust for place in (*targets, *providers)})),
        targets=targets,
        providers=providers,
        otherwise=OTHERWISE[table.otherwise],
        classes=len(table.trust_levels),
    )


# -- tiers, chains, trust classes ------------------------------------------------------------


def _steps(table: RouteTable, notes: Mapping[str, str]) -> tuple[Step, ...]:
    lows = [0, *(100 if tier.up_to is None else tier.up_to + 1 for tier in table.tiers)]
    return tuple(_step(tier, low, notes) for tier, low in zip(table.tiers, lows, strict=False))


def _step(tier: Tier, low: int, notes: Mapping[str, str]) -> Step:
    key = f"tier:{tier.name}"
    return Step(
        key=key,
        id=tier.id,
        name=tier.name,
        low=low,
        high=100 if tier.up_to is None else tier.up_to,
        chain=tier.chain,
        note=notes.get(key, ""),
    )


def _paths(table: RouteTable) -> Iterator[Path]:
    """The tiers' chains in the order of the tiers, then those of rules; a pin's is its target."""
    for tier in table.tiers:
        yield Path(id=tier.chain, title="", links=_links(table.chains[tier.chain]))
    drawn = set()
    for rule in table.rules:
        if rule.chain is not None and rule.chain not in drawn:
            drawn.add(rule.chain)
            links = _links(table.chains[rule.chain])
            yield Path(id=rule.chain, title=f"rule {rule.name}", links=links)


def _links(chain: Chain) -> tuple[Link, ...]:
    weights = dict(chain.weights)
    links = []
    for order, group in enumerate(chain.groups, 1):
        for target in group:
            how = "" if len(group) == 1 else _HOW[chain.pick]
            if how and target in weights:
                how = f"x{weights[target]}"
            links.append(Link(target=target, order=order, how=how))
    return tuple(links)


_HOW = {
    Pick.ORDER: "in order",
    Pick.WEIGHTED: "weighted",
    Pick.CHEAPEST: "cheapest",
    Pick.FASTEST: "fastest",
    Pick.ROUND_ROBIN: "in turn",
}


def _lanes(table: RouteTable, used: set[int]) -> Iterator[Lane]:
    for rank, name in enumerate(table.trust_levels):
        if rank in used:
            inside = [target.id for target in table.targets if target.trust == name]
            closing = [rule.name for rule in table.rules if _closes(rule, inside)]
            yield Lane(rank=rank, name=name, closed_by=tuple(closing))


def _closes(rule: Rule, targets: Sequence[TargetId]) -> bool:
    """Whether no target of these, of which there are some, meets the rule's requirement."""
    guards = {keep.target: keep.guard for keep in rule.require or ()}
    return bool(guards and targets) and all(guards[target] == NEVER for target in targets)
