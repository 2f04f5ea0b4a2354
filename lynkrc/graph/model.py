"""A RouteTable to what a picture of it shows: groups of rules, tiers, chains, trust classes.

Everything is here in full; `lynkrc.graph.layout` shortens what is too long for its box. An item is
known by its kind and name (``rule:greetings``), which is also how notes refer to it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.ir.guard import ALWAYS, NEVER
from lynkrc.ir.table import (
    Chain,
    ChainId,
    Need,
    Otherwise,
    Pick,
    RouteTable,
    Rule,
    TargetId,
    Tier,
    TierId,
)
from lynkrc.ir.text import print_guard, print_points, print_preference

OTHERWISE = {
    Otherwise.ESCALATE: "higher tiers, then lower ones",
    Otherwise.DENY: "deny with 403",
    Otherwise.NONE: "refuse with 400",
}
"""What happens to a request that none of its targets can serve."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a group: a rule's part in it, a derived need, or a requested model name.

    `effect` is a few words; `tier` or `chain` is where it leads, `target` what it is about.
    `second` is shown under it, for what would not fit beside the condition.
    """

    key: str
    name: str
    when: str
    effect: str
    second: str = ""
    tier: TierId | None = None
    chain: ChainId | None = None
    target: TargetId | None = None
    kept: tuple[TargetId, ...] = ()
    """The targets that stay, where some do and some do not."""
    binds: bool = True
    """Whether it names the tier, or only bounds or hints at something."""
    note: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rules with the same effect, in the order that counts.

    `scores` marks the score's own; `filters` those that drop or reorder targets of the chain.
    """

    key: str
    title: str
    hint: str
    rows: tuple[Row, ...]
    scores: bool = False
    filters: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A tier of the ladder and the scores that lead to it; empty where `low` exceeds `high`."""

    key: str
    id: TierId
    name: str
    low: int
    high: int
    chain: ChainId
    note: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A target's place in a chain: `order` counts groups from 1, `how` says how a group picks."""

    target: TargetId
    order: int
    how: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A chain that is drawn: a tier's (no title) or a rule's."""

    id: ChainId
    title: str
    links: tuple[Link, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A target or a provider: its name, one line about it, and its trust class as a rank."""

    key: str
    name: str
    about: str
    trust: int
    provider: int
    """Index of the provider (its own, for a provider)."""
    note: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A trust class with something in it; `closed_by` are the rules that let nothing into it."""

    rank: int
    name: str
    closed_by: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """All that is drawn; targets and providers in the order of the table."""

    name: str
    groups: tuple[Group, ...]
    steps: tuple[Step, ...]
    paths: tuple[Path, ...]
    lanes: tuple[Lane, ...]
    targets: tuple[Place, ...]
    providers: tuple[Place, ...]
    otherwise: str
    classes: int
    """How many trust classes the spec has."""


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
        groups=tuple(group for group in _groups(table, known) if group.rows or group.scores),
        steps=_steps(table, known),
        paths=tuple(_paths(table)),
        lanes=tuple(_lanes(table, {place.trust for place in (*targets, *providers)})),
        targets=targets,
        providers=providers,
        otherwise=OTHERWISE[table.otherwise],
        classes=len(table.trust_levels),
    )


# -- rules ---------------------------------------------------------------------------------


def _groups(table: RouteTable, notes: Mapping[str, str]) -> Iterator[Group]:
    def rows(effect: str) -> Iterator[Row]:
        for rule in table.rules:
            if getattr(rule, effect) is not None:
                yield _row(table, rule, effect, notes)

    ends = (*rows("deny"), *rows("respond"))
    yield Group(key="ends", title="Deny or answer", hint="the first match ends it", rows=ends)
    tier = tuple(rows("tier"))
    yield Group(key="tier", title="Tier by rule", hint="the first match counts", rows=tier)
    yield Group(
        key="score",
        title="else tier by score" if tier else "Tier by score",
        hint=_score(table),
        rows=tuple(rows("add64")),
        scores=True,
    )
    bounds = (*rows("floor"), *rows("ceiling"))
    yield Group(key="bounds", title="Floor and ceiling", hint="raise, then lower", rows=bounds)
    chains = tuple(rows("chain"))
    yield Group(key="chain", title="Chain by rule", hint="instead of the tier's", rows=chains)
    requires = tuple(rows("require"))
    yield Group(
        key="require",
        title="Require",
        hint="targets that may serve",
        rows=requires,
        filters=True,
    )
    needs = tuple(_need(table, need, notes) for need in table.needs)
    yield Group(
        key="need",
        title="Needs of the request",
        hint="targets that may serve",
        rows=needs,
        filters=True,
    )
    yield Group(
        key="prefer",
        title="Prefer",
        hint="the first match orders the chain",
        rows=tuple(rows("prefer")),
        filters=True,
    )
    yield Group(
        key="model",
        title="Requested model names",
        hint="instead of a tier by rule or score",
        rows=tuple(_pins(table, notes)),
    )


def _row(table: RouteTable, rule: Rule, effect: str, notes: Mapping[str, str]) -> Row:
    """A rule's part in the group of one of its effects."""
    words, second = "", ""
    kept: Sequence[TargetId] | None = None
    tier: TierId | None = None
    chain: ChainId | None = None
    target: TargetId | None = None
    match effect:
        case "deny":
            assert rule.deny is not None
            words = f"deny {rule.deny.status}"
        case "respond":
            words = "answer"
        case "tier":
            tier = rule.tier
        case "floor" | "ceiling":
            tier = rule.floor if effect == "floor" else rule.ceiling
            words = "at least" if effect == "floor" else "at most"
        case "add64":
            assert rule.add64 is not None
            words = f"{'+' if rule.add64 >= 0 else ''}{print_points(rule.add64)}"
        case "chain":
            chain, words = rule.chain, "chain"
        case "require":
            kept = _kept(rule)
            words = "depends" if kept is None else _choice(table, kept)
            second = f"require {rule.require_source}"
        case _:
            assert rule.prefer is not None
            target = rule.prefer.target
            words = print_preference(rule.prefer, [one.name for one in table.targets])
    if tier is not None:
        words = f"{words} {table.tiers[tier].name}".strip()
    return Row(
        key=f"rule:{rule.name}",
        name=rule.name,
        when=rule.source,
        effect=words,
        second=second,
        tier=tier,
        chain=chain,
        target=target,
        kept=_some(table, kept or ()),
        binds=effect == "tier",
        note=notes.get(f"rule:{rule.name}", ""),
    )


def _kept(rule: Rule) -> list[TargetId] | None:
    """The targets that a requirement lets stay; None where that depends on the request."""
    keeps = rule.require or ()
    if any(keep.guard not in (ALWAYS, NEVER) for keep in keeps):
        return None
    return [keep.target for keep in keeps if keep.guard == ALWAYS]


def _choice(table: RouteTable, kept: Sequence[TargetId]) -> str:
    """``only small``, ``not mid``, ``keeps 2 of 4``: the shortest words for some of the targets."""
    names = [target.name for target in table.targets]
    dropped = [name for number, name in enumerate(names) if number not in kept]
    if not dropped:
        return "keeps all"
    if not kept:
        return "keeps none"
    if len(kept) == 1:
        return f"only {names[kept[0]]}"
    return f"not {dropped[0]}" if len(dropped) == 1 else f"keeps {len(kept)} of {len(names)}"


def _some(table: RouteTable, kept: Sequence[TargetId]) -> tuple[TargetId, ...]:
    return () if len(kept) == len(table.targets) else tuple(kept)


def _need(table: RouteTable, need: Need, notes: Mapping[str, str]) -> Row:
    key = f"need:{need.name}"
    return Row(
        key=key,
        name=need.name,
        when=print_guard(need.guard, table.slots),
        effect=_choice(table, need.met_by),
        kept=_some(table, need.met_by),
        note=notes.get(key, ""),
    )


def _pins(table: RouteTable, notes: Mapping[str, str]) -> Iterator[Row]:
    """A row for each tier or target that can be asked for, with all names that ask for it."""
    names: dict[tuple[TierId | None, TargetId | None], list[str]] = {}
    for pin in table.pins:
        target = None if pin.chain is None else table.chains[pin.chain].targets[0]
        names.setdefault((pin.tier, target), []).append(pin.pattern)
    for (tier, target), patterns in names.items():
        goal = table.tiers[tier].name if tier is not None else ""
        if target is not None:
            goal = table.targets[target].name
        key = f"model:{patterns[0]}"
        yield Row(
            key=key,
            name=patterns[0],
            when=f"or {', '.join(patterns[1:])}" if len(patterns) > 1 else "",
            effect=goal,
            tier=tier,
            target=target,
            binds=False,
            note=notes.get(key, ""),
        )


def _score(table: RouteTable) -> str:
    count = len(table.dimensions)
    words = f"{count} dimension{'' if count == 1 else 's'}"
    if table.offset64:
        words += f", offset {'+' if table.offset64 > 0 else ''}{print_points(table.offset64)}"
    return f"{words}: 0 to 100 points"


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
