"""A RouteTable to ``routes.txt``: the one table a reviewer reads, at most 110 columns wide.

Everything that decides is in it: tiers and their scores, targets with what they can do, rules in
order, the score, needs, pins, clients. It is shown in a terminal and read as a diff, so it has no
ids, and a change of one thing changes few lines.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.codegen.columns import align
from lynkrc.codegen.names import printable
from lynkrc.codegen.rendering import render
from lynkrc.ir.table import Otherwise, Provider, RouteTable, Rule, Target, TargetId, Tier
from lynkrc.ir.text import print_guard, print_points

_OTHERWISE = {
    Otherwise.ESCALATE: "escalate: the higher tiers' chains, then the lower ones downwards",
    Otherwise.DENY: "deny with 403",
    Otherwise.NONE: "refuse with 400",
}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and its lines."""

    title: str
    lines: Sequence[str]


def print_routes(table: RouteTable) -> str:
    """The text of ``routes.txt``."""
    return render(
        "routes.txt.j2",
        name=printable(table.name),
        trust=" < ".join(table.trust_levels),
        sections=list(_sections(table)),
    )


def _sections(table: RouteTable) -> Iterator[Section]:
    yield _section("TIERS, cheapest first", _tiers(table), (20, 10, 74))
    yield _section("RULES, in order", [_rule(table, rule) for rule in table.rules], (28, 30, 46))
    yield _section("SCORE, points added and kept within 0..100", _score(table), (28, 8, 68))
    yield _section("PINS, requested names that fix a tier or a target", _pins(table), (40, 64))
    yield _section("NEEDS, dropping the targets that do not meet them", _needs(table), (20, 40, 44))
    yield _section("TARGETS", [_target(t) for t in table.targets], (14, 14, 10, 26, 17, 17))
    yield _section("PROVIDERS", [_provider(p) for p in table.providers], (14, 20, 10, 56))
    yield _section("CLIENTS, known by their user agent", _clients(table), (20, 84))
    yield _section("LEXICONS", _lexicons(table), (40, 64))
    yield _section("CALLS that leave the gateway", _calls(table), (14, 90))


def _section(title: str, rows: Sequence[Sequence[str]], limits: Sequence[int]) -> Section:
    cells = [[printable(cell) for cell in row] for row in rows] or [["none"] + [""] * len(limits)]
    return Section(title=title, lines=align([row[: len(limits)] for row in cells], limits))


def _names(table: RouteTable, targets: Sequence[TargetId]) -> str:
    return ", ".join(table.targets[target].name for target in targets)


def _tiers(table: RouteTable) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    low = 0
    for tier in table.tiers:
        high = 100 if tier.up_to is None else tier.up_to
        rows.append((tier.name, _band(low, high), _chain(table, tier)))
        low = high + 1
    return [*rows, ("otherwise", "", _OTHERWISE[table.otherwise])]


def _band(low: int, high: int) -> str:
    return f"{low}..{high}" if low <= high else "-"


def _chain(table: RouteTable, tier: Tier) -> str:
    chain = table.chains[tier.chain].targets
    described = (
        f"{table.targets[t].name} ({table.targets[t].provider}, {table.targets[t].trust})"
        for t in chain
    )
    return " -> ".join(described)


def _rule(table: RouteTable, rule: Rule) -> tuple[str, ...]:
    effects = []
    if rule.deny is not None:
        effects.append(f"deny {rule.deny.status} {rule.deny.message}")
    for effect, tier in (("tier", rule.tier), ("floor", rule.floor), ("ceiling", rule.ceiling)):
        if tier is not None:
            effects.append(f"{effect} {table.tiers[tier].name}")
    if rule.add64 is not None:
        effects.append(f"add {_signed(rule.add64)}")
    if rule.require is not None:
        effects.append(f"require {rule.require_source}")
    return rule.name, "; ".join(effects), rule.source


def _signed(sixty_fourths: int) -> str:
    sign = "+" if sixty_fourths >= 0 else ""
    return sign + print_points(sixty_fourths)


def _score(table: RouteTable) -> list[tuple[str, ...]]:
    rows = [
        (d.name, "terms" if d.value is None else print_points(d.weight64), d.source)
        for d in table.dimensions
    ]
    return [*rows, ("offset", _signed(table.offset64), "")]


def _pins(table: RouteTable) -> list[tuple[str, ...]]:
    rows = []
    for pin in table.pins:
        if pin.tier is not None:
            to = f"tier {table.tiers[pin.tier].name}"
        else:
            assert pin.chain is not None
            to = f"target {_names(table, table.chains[pin.chain].targets)}"
        rows.append((pin.pattern, to))
    return rows


def _needs(table: RouteTable) -> list[tuple[str, ...]]:
    return [
        (
            need.name,
            print_guard(need.guard, table.slots),
            _names(table, need.met_by) or "no target",
        )
        for need in table.needs
    ]


def _target(target: Target) -> tuple[str, ...]:
    price = "-"
    if target.price is not None:
        price = f"{target.price[0]} in, {target.price[1]} out USD/M"
    return (
        target.name,
        target.provider,
        target.trust,
        target.model,
        f"{target.context} tokens, answers {target.max_output}; {price}",
        ", ".join(target.capabilities) or "-",
    )


def _provider(provider: Provider) -> tuple[str, ...]:
    facts: dict[str, object] = {
        "address": provider.base_url or "of the kind",
        "key": provider.api_key,
        "headers": ", ".join(name for name, _ in provider.headers) or None,
        "connect": provider.connect,
        "first event": provider.first_event,
        "idle": provider.idle,
        "total": provider.total,
        "retries": provider.retries,
        "simulates": provider.simulate,
    }
    told = ", ".join(f"{key} {fact}" for key, fact in facts.items() if fact is not None)
    return provider.name, provider.kind, provider.trust, told


def _clients(table: RouteTable) -> list[tuple[str, ...]]:
    return [
        (
            client.name,
            f"{', '.join(client.user_agent)}; {len(client.baseline_tools)} baseline tools,"
            f" strips {len(client.injected_tags)} tags and"
            f" {len(client.injected_prefixes)} prefixes from the ask",
        )
        for client in table.clients
    ]


def _lexicons(table: RouteTable) -> list[tuple[str, ...]]:
    return [
        (
            lexicon.name,
            f"{len(lexicon.entries)} {'entry' if len(lexicon.entries) == 1 else 'entries'}",
        )
        for lexicon in table.lexicons
    ]


def _calls(table: RouteTable) -> list[tuple[str, ...]]:
    rows: dict[str, list[str]] = {}
    for call in table.calls:
        where = "" if call.source == "decision" else f" ({call.source})"
        rows.setdefault(call.surface, []).append(call.call + where)
    return [(surface, ", ".join(calls)) for surface, calls in rows.items()]
