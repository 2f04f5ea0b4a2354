"""A typed spec to its RouteTable. Total, but for lexicons too large to become an automaton.

Everything that YAML gives in no order (providers, targets, lexicons, clients, slots) is ordered by
name, so two specs that differ in that order give one table. Rules stand in decision order,
dimensions as written and then as inherited.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import msgspec

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.ir.automaton import Automaton
from lynkrc.ir.table import (
    ChainId,
    Client,
    Definition,
    Deny,
    Dimension,
    Entry,
    Keep,
    Lexicon,
    LexiconId,
    Ordinary,
    Otherwise,
    Pick,
    Prefer,
    Provider,
    Respond,
    RouteTable,
    Rule,
    RuleId,
    Target,
    TargetId,
    Tier,
    TierId,
)
from lynkrc.lower.chains import (
    listed_models,
    lower_calls,
    lower_chains,
    lower_needs,
    lower_pins,
    needs,
    pin_tests,
    rule_chains,
)
from lynkrc.lower.decimals import written
from lynkrc.lower.guards import lower_guard, lower_number
from lynkrc.lower.patterns import AutomatonTooLarge, build_automaton, too_large
from lynkrc.lower.slots import Layout, SlotPlan
from lynkrc.sema.typed_config import (
    TypedAssertion,
    TypedConfig,
    TypedDimension,
    TypedLexicon,
    TypedRule,
    TypedTarget,
)
from lynkrc.sema.types import to_64ths
from lynkrc.syntax import config
from lynkrc_runtime.dispatch import ProviderSettings
from lynkrc_runtime.settings import Breaker, Concurrency, Resilience

T = TypeVar("T")


NO_AUTOMATON = Automaton(classes=1, byte_class=bytes(256), transitions=(0,), accepts=((),), free=())
"""One that matches nothing."""


def lower(typed: TypedConfig) -> tuple[RouteTable | None, list[Diagnostic]]:
    """The table of a spec; None with one finding where its lexicons are too large."""
    patterns = [[entry.pattern for entry in one.lexicon.entries] for one in typed.lexicons]
    try:
        automaton = build_automaton(patterns)
    except AutomatonTooLarge as error:
        return None, [too_large([one for lexicon in patterns for one in lexicon], error)]
    return _table(typed, automaton), []


def lower_decision(typed: TypedConfig) -> RouteTable:
    """The table of a spec without its automaton, which is dear and says nothing of decisions."""
    return _table(typed, NO_AUTOMATON)


def without_automaton(table: RouteTable) -> RouteTable:
    """The table as `lower_decision` makes it."""
    return replace(table, automaton=NO_AUTOMATON)


def _table(typed: TypedConfig, automaton: Automaton) -> RouteTable:
    layout = _layout(typed)
    return RouteTable(
        name=typed.name,
        trust_levels=typed.trust_levels,
        slots=layout.slots,
        lexicons=_lexicons(typed.lexicons),
        automaton=automaton,
        clients=tuple(_client(client) for client in typed.clients),
        providers=tuple(_provider(one, typed.settings.resilience) for one in typed.providers),
        targets=tuple(_target(i, target) for i, target in enumerate(typed.targets)),
        chains=lower_chains(typed),
        tiers=tuple(
            Tier(
                id=TierId(i),
                name=tier.name,
                up_to=tier.up_to,
                chain=ChainId(i),
                span=tier.span,
                name_span=tier.name_span,
            )
            for i, tier in enumerate(typed.tiers)
        ),
        pins=lower_pins(typed, layout),
        needs=lower_needs(typed, layout),
        rules=_rules(typed, layout),
        definitions=tuple(
            Definition(name=name, source=source) for name, source in typed.definitions
        ),
        dimensions=tuple(_dimension(dimension, layout) for dimension in typed.dimensions),
        offset64=typed.offset64,
        otherwise=Otherwise(typed.otherwise or "none"),
        models=listed_models(typed),
        calls=lower_calls(),
        settings=msgspec.json.encode(typed.settings, order="sorted").decode(),
        assertions=tuple(_assertion(assertion) for assertion in typed.assertions),
    )


def _assertion(assertion: TypedAssertion) -> str:
    """Its text, and in brackets its name and why an unknown verdict may pass."""
    told = [] if assertion.name is None else [assertion.name]
    told += [] if assertion.waive is None else [f"waived: {assertion.waive}"]
    return f"{assertion.source} ({'; '.join(told)})" if told else assertion.source


def _layout(typed: TypedConfig) -> Layout:
    plan = SlotPlan()
    for rule in typed.rules:
        plan.read((rule.guard, *(rule.keeps or ())))
    for dimension in typed.dimensions:
        if dimension.value is not None:
            plan.read((dimension.value,))
        if dimension.terms is not None:
            plan.add(dimension.terms)
    plan.read(pin_tests(typed))
    plan.read(condition for _, condition, _ in needs(typed))
    return plan.layout()


def _lexicons(lexicons: Sequence[TypedLexicon]) -> tuple[Lexicon, ...]:
    lowered, first = [], 0
    for i, one in enumerate(lexicons):
        entries = tuple(
            Entry(pattern=entry.pattern.text, weight64=to_64ths(entry.weight))
            for entry in one.lexicon.entries
        )
        lowered.append(Lexicon(id=LexiconId(i), name=one.name, entries=entries, first=first))
        first += len(entries)
    return tuple(lowered)


def _rules(typed: TypedConfig, layout: Layout) -> tuple[Rule, ...]:
    tiers = {tier.name: TierId(i) for i, tier in enumerate(typed.tiers)}
    targets = {target.name: TargetId(i) for i, target in enumerate(typed.targets)}
    chains = rule_chains(typed)

    def prefer(name: str) -> Prefer:
        if name in targets:
            return Prefer(pick=None, target=targets[name])
        return Prefer(pick=Pick(name), target=None)

    def tier(name: str | None) -> TierId | None:
        return None if name is None else tiers[name]

    def lowered(index: int, rule: TypedRule) -> Rule:
        return Rule(
            id=RuleId(index),
            name=rule.name,
            guard=lower_guard(rule.guard, layout),
            deny=None
            if rule.deny is None
            else Deny(status=rule.deny.status, message=rule.deny.message),
            tier=tier(rule.tier),
            floor=tier(rule.floor),
            ceiling=tier(rule.ceiling),
            add64=rule.add64,
            require=None
            if rule.keeps is None
            else tuple(
                Keep(target=TargetId(i), guard=lower_guard(keep, layout))
                for i, keep in enumerate(rule.keeps)
            ),
            respond=None if rule.respond is None else Respond(text=rule.respond),
            chain=chains.get(rule.name),
            prefer=None if rule.prefer is None else prefer(rule.prefer),
            source=rule.source,
            require_source=rule.require_source,
            span=rule.span,
            name_span=rule.name_span,
        )

    return tuple(lowered(i, rule) for i, rule in enumerate(typed.rules))


def _dimension(dimension: TypedDimension, layout: Layout) -> Dimension:
    value, terms = dimension.value, dimension.terms
    return Dimension(
        name=dimension.name,
        weight64=dimension.weight64,
        value=None if value is None else lower_number(value, layout),
        terms=None if terms is None else layout.slot(terms).id,
        source=dimension.source,
        span=dimension.span,
        name_span=dimension.name_span,
    )


def _target(index: int, target: TypedTarget) -> Target:
    return Target(
        id=TargetId(index),
        name=target.name,
        provider=target.provider,
        model=target.model,
        trust=target.trust,
        context=target.context,
        max_output=target.max_output,
        capabilities=target.capabilities,
        price=_price(target.price),
        shape=msgspec.json.encode(target.shape, order="sorted").decode(),
        dialect=target.dialect,
        on_loss=target.on_loss,
        span=target.span,
    )


def _price(price: config.Price) -> tuple[str, str, str, str]:
    read = price.input if price.cache_read is None else price.cache_read
    write = price.input if price.cache_write is None else price.cache_write
    return written(price.input), written(price.output), written(read), written(write)


def _provider(provider: config.Provider, resilience: Resilience) -> Provider:
    times, retry = provider.timeouts, provider.retry
    headers = ((name.value.lower(), value.value) for name, value in provider.headers)
    shared, again = resilience.timeouts, resilience.retry
    return Provider(
        name=provider.name.value,
        kind=provider.kind.value,
        trust=provider.trust.value,
        base_url=_text(provider.base_url),
        api_key=_text(provider.api_key),
        headers=tuple(sorted(headers)),
        connect=_or(times.connect, shared.connect),
        first_event=_or(times.first_event, shared.first_event),
        idle=_or(times.idle, shared.idle),
        total=_or(times.total, shared.total),
        retries=_or(retry.times, again.times),
        backoff=_or(retry.backoff, again.backoff),
        max_backoff=_or(retry.max_backoff, again.max_backoff),
        rest=msgspec.json.encode(_rest(provider, resilience), order="sorted").decode(),
        simulate=_text(provider.simulate),
    )


def _rest(provider: config.Provider, resilience: Resilience) -> ProviderSettings:
    own, shared = provider.breaker, resilience.breaker
    concurrency = None
    if provider.concurrency is not None:
        concurrency = Concurrency(
            limit=provider.concurrency.limit,
            queue=provider.concurrency.queue,
            wait=provider.concurrency.wait,
        )
    return ProviderSettings(
        breaker=Breaker(
            failures=_or(own.failures, shared.failures),
            within=_or(own.within, shared.within),
            open_for=_or(own.open_for, shared.open_for),
            successes=_or(own.successes, shared.successes),
        ),
        concurrency=concurrency,
        region=_text(provider.region),
        project=_text(provider.project),
        api_version=_text(provider.api_version),
        proxy=_text(provider.proxy),
        ca_file=_text(provider.ca_file),
        forwards_credentials=provider.forwards_credentials,
    )


def _or(own: T | None, shared: T | None) -> T | None:
    """What the provider says, else what holds for all."""
    return shared if own is None else own


def _text(name: config.Name | None) -> str | None:
    return None if name is None else name.value


def _client(client: config.Client) -> Client:
    return Client(
        name=client.name.value,
        user_agent=_sorted(client.user_agent),
        injected_tags=_sorted(client.injected_tags),
        injected_prefixes=_sorted(client.injected_prefixes),
        injected_wrappers=_sorted(client.injected_wrappers),
        baseline_tools=_sorted(client.baseline_tools),
        tool_weights=tuple(sorted((tool.value, weight) for tool, weight in client.tool_weights)),
        ordinary=None if client.ordinary is None else _ordinary(client.ordinary),
    )


def _ordinary(ordinary: config.Ordinary) -> Ordinary:
    return Ordinary(
        surface=_text(ordinary.surface),
        context=ordinary.context,
        max_tokens=ordinary.max_tokens,
        tools=ordinary.tools,
        thinking=ordinary.thinking,
        stream=ordinary.stream,
    )


def _sorted(names: Sequence[config.Name]) -> tuple[str, ...]:
    """Sets written as lists: their order says nothing."""
    return tuple(sorted({name.value for name in names}))
