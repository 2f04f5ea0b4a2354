"""A RouteTable to ``routes.txt``: the one table a reviewer reads, at most 100 columns wide.

Everything that decides is in it: tiers and their scores, targets with what they can do, rules in
order, the score, needs, pins, clients. It is shown in a terminal and read as a diff, so it has no
ids, and a change of one thing changes few lines.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import msgspec

from lynkrc.codegen.columns import align
from lynkrc.codegen.names import printable
from lynkrc.codegen.owners_text import budget_rows, key_rows, limit_rows
from lynkrc.codegen.quantities import duration
from lynkrc.codegen.rendering import render
from lynkrc.codegen.settings_text import provider_rows, settings_rows
from lynkrc.ir.table import Client, Otherwise, Provider, RouteTable, Rule, Target, TargetId, Tier
from lynkrc.ir.text import print_chain, print_guard, print_points, print_preference
from lynkrc_runtime.dispatch import ProviderSettings
from lynkrc_runtime.feature_table import CAPABILITIES
from lynkrc_runtime.settings import Settings

_WIDTH = 98
"""Columns of a line without its indentation."""

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


def print_routes(table: RouteTable, meaning: str) -> str:
    """The text of ``routes.txt``; `meaning` is the digest the runtime reports with each answer."""
    return render(
        "routes.txt.j2",
        name=printable(table.name),
        meaning=meaning,
        trust=" < ".join(table.trust_levels),
        sections=list(_sections(table)),
    )


def _sections(table: RouteTable) -> Iterator[Section]:
    tiers = [("tier", "score", "chain, in the order tried"), *_tiers(table)]
    yield _section("TIERS, cheapest first", tiers, (20, 10))
    rules = [("rule", "effect", "when"), *(_rule(table, rule) for rule in table.rules)]
    yield _section("RULES, in order", rules, (28, 30))
    definitions = [("feature", "means"), *((d.name, d.source) for d in table.definitions)]
    yield _section("FEATURES that rules and scores name", definitions, (28,))
    score = [("dimension", "weight", "value"), *_score(table)]
    yield _section("SCORE, points added and kept within 0..100", score, (28, 8))
    pins = [("requested model", "goes to"), *_pins(table)]
    yield _section("PINS, without fallback where a target is named", pins, (40,))
    needs = [("need", "when", "met by"), *_needs(table)]
    yield _section("NEEDS, dropping the targets that do not meet them", needs, (20, 40))
    facts = ("target", "provider", "trust", "model", "context", "output", "USD/M in, out")
    targets = [facts, *(_target(target) for target in table.targets)]
    yield _section("TARGETS", targets, (16, 12, 8, 20, 8, 8))
    able = [("target", *CAPABILITIES), *(_abilities(target) for target in table.targets)]
    yield _section("CAPABILITIES", able, (18, *map(len, CAPABILITIES[:-1])))
    providers = [("provider", "kind", "trust", "reached"), *map(_provider, table.providers)]
    yield _section("PROVIDERS", providers, (16, 16, 12))
    clients = [("client", "known by", "of its envelope"), *_clients(table)]
    yield _section("CLIENTS", clients, (20, 40))
    lexicons = [("lexicon", "entries"), *_lexicons(table)]
    yield _section("LEXICONS", lexicons, (40,))
    yield from _settings(msgspec.json.decode(table.settings, type=Settings))
    if table.assertions:
        lines = [
            line
            for text in table.assertions
            for line in align([(printable(text),)], (), total=_WIDTH)
        ]
        yield Section(title="ASSERTIONS (not proved by this version)", lines=lines)
    calls = [("surface", "calls, each to a target of the decided chain"), *_calls(table)]
    yield _section("CALLS", calls, (14,))


def _settings(settings: Settings) -> Iterator[Section]:
    """How requests are served; only the tables with something in them."""
    limits = [("limit", "counted for", "allows"), *limit_rows(settings.limits)]
    budgets = [("budget", "counted for", "allows", "enforced"), *budget_rows(settings.budgets)]
    keys = [("key", "known by", "team", "tenant", "may use"), *key_rows(settings.keys)]
    others = [("setting", "value"), *settings_rows(settings)]
    tables: tuple[tuple[str, Sequence[Sequence[str]], Sequence[int]], ...] = (
        ("LIMITS", limits, (20, 32)),
        ("BUDGETS", budgets, (16, 20, 28)),
        ("KEYS", keys, (16, 24, 12, 12)),
        ("SETTINGS, where they differ from the defaults", others, (40,)),
    )
    for title, rows, limits_of_columns in tables:
        if len(rows) > 1:
            yield _section(title, rows, limits_of_columns)


def _section(title: str, rows: Sequence[Sequence[str]], limits: Sequence[int]) -> Section:
    """The first row says what the columns hold; alone, it gives way to ``none``."""
    if len(rows) == 1:
        return Section(title=title, lines=["none"])
    return Section(
        title=title, lines=align([[*map(printable, row)] for row in rows], limits, total=_WIDTH)
    )


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
    described = [f"{t.name} ({t.provider}, {t.trust})" for t in table.targets]
    return print_chain(table.chains[tier.chain], described, " -> ")


def _rule(table: RouteTable, rule: Rule) -> tuple[str, ...]:
    names = [target.name for target in table.targets]
    effects = []
    if rule.deny is not None:
        effects.append(f"deny {rule.deny.status} {rule.deny.message}")
    if rule.respond is not None:
        effects.append(f"respond {rule.respond.text!r}")
    if rule.chain is not None:
        effects.append(f"chain {print_chain(table.chains[rule.chain], names, ' -> ')}")
    if rule.prefer is not None:
        effects.append(f"prefer {print_preference(rule.prefer, names)}")
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
    rows: list[tuple[str, ...]] = []
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
    return (
        target.name,
        target.provider,
        target.trust,
        target.model,
        _thousands(target.context),
        _thousands(target.max_output),
        "-" if target.price is None else f"{target.price[0]}, {target.price[1]}",
    )


def _abilities(target: Target) -> tuple[str, ...]:
    can = ("yes" if name in target.capabilities else "-" for name in CAPABILITIES)
    return target.name, *can


def _thousands(tokens: int) -> str:
    """``128k`` for 128000; what is no round number stays as it is."""
    if tokens % 1_000_000 == 0:
        return f"{tokens // 1_000_000}M"
    return f"{tokens // 1000}k" if tokens % 1000 == 0 else str(tokens)


def _provider(provider: Provider) -> tuple[str, ...]:
    facts: dict[str, object] = {
        "address": provider.base_url or "of the kind",
        "key": provider.api_key,
        "headers": ", ".join(name for name, _ in provider.headers) or None,
        "connect": _time(provider.connect),
        "first event": _time(provider.first_event),
        "idle": _time(provider.idle),
        "total": _time(provider.total),
        "retries": provider.retries,
        "backoff": _time(provider.backoff),
        "longest backoff": _time(provider.max_backoff),
        "simulates": provider.simulate,
    }
    facts.update(provider_rows(msgspec.json.decode(provider.rest, type=ProviderSettings)))
    told = ", ".join(f"{key} {fact}" for key, fact in facts.items() if fact is not None)
    return provider.name, provider.kind, provider.trust, told


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else duration(seconds)


def _clients(table: RouteTable) -> list[tuple[str, ...]]:
    return [
        (
            client.name,
            ", ".join(client.user_agent) or ("its tools" if client.baseline_tools else "-"),
            f"{_markers(client)} text markers, {len(client.baseline_tools)} baseline tools",
        )
        for client in table.clients
    ]


def _markers(client: Client) -> int:
    markers = (client.injected_tags, client.injected_wrappers, client.injected_prefixes)
    return sum(map(len, markers))


def _lexicons(table: RouteTable) -> list[tuple[str, ...]]:
    return [(lexicon.name, str(len(lexicon.entries))) for lexicon in table.lexicons]


def _calls(table: RouteTable) -> list[tuple[str, ...]]:
    rows: dict[str, list[str]] = {}
    for call in table.calls:
        where = "" if call.source == "decision" else f" ({call.source})"
        rows.setdefault(call.surface, []).append(call.call + where)
    return [(surface, ", ".join(calls)) for surface, calls in rows.items()]
