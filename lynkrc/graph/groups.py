"""The rules of a RouteTable to groups by effect; a rule with several effects is in several."""

from collections.abc import Iterator, Mapping, Sequence

from lynkrc.graph.model import Group, Row
from lynkrc.ir.guard import ALWAYS, NEVER
from lynkrc.ir.table import ChainId, Need, RouteTable, Rule, TargetId, TierId
from lynkrc.ir.text import print_guard, print_points, print_preference


def groups_of(table: RouteTable, notes: Mapping[str, str]) -> Iterator[Group]:
    """Every group in the order of the decision, those without rows among them."""

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
