"""A RouteTable to ``dispatch.json``: the facts the runtime needs, in a form made to be diffed.

The shape is `lynkrc_runtime.dispatch`. Members come in its order, maps and capability lists are
sorted; lists whose order means something (chains, rules, clients, models) keep it.
"""

import msgspec

from lynkrc.ir.table import Chain, Client, Lexicon, Provider, RouteTable, Rule, Slot, Target
from lynkrc_runtime import dispatch
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.settings import Settings


def print_dispatch(table: RouteTable) -> bytes:
    """The bytes of ``dispatch.json``, indented, ending in a newline."""
    compact = msgspec.json.encode(dispatch_of(table), order="deterministic")
    return msgspec.json.format(compact, indent=2) + b"\n"


def dispatch_of(table: RouteTable) -> dispatch.Dispatch:
    """The document as the runtime will see it."""
    providers = {provider.name: index for index, provider in enumerate(table.providers)}
    return dispatch.Dispatch(
        name=table.name,
        slots=[_slot(slot) for slot in table.slots],
        lexicons=[_lexicon(lexicon) for lexicon in table.lexicons],
        clients=[_client(client) for client in table.clients],
        providers=[_provider(provider) for provider in table.providers],
        targets=[_target(target, providers[target.provider]) for target in table.targets],
        chains=[_chain(c) for c in table.chains],
        tiers=[dispatch.Tier(name=t.name, up_to=t.up_to, chain=t.chain) for t in table.tiers],
        rules=[_rule(rule) for rule in table.rules],
        needs=[need.name for need in table.needs],
        dimensions=[dimension.name for dimension in table.dimensions],
        models=list(table.models),
        settings=msgspec.json.decode(table.settings, type=Settings),
        has_assertions=bool(table.assertions),
    )


def _slot(slot: Slot) -> dispatch.Slot:
    return dispatch.Slot(
        feature=slot.feature,
        args=list(slot.args),
        type=slot.type.value,
        low=slot.low,
        high=slot.high,
        classes=[dispatch.StringClass(kind=c.kind, text=c.text) for c in slot.classes],
    )


def _lexicon(lexicon: Lexicon) -> dispatch.Lexicon:
    return dispatch.Lexicon(
        name=lexicon.name,
        first=lexicon.first,
        patterns=[entry.pattern for entry in lexicon.entries],
        weights64=[entry.weight64 for entry in lexicon.entries],
    )


def _client(client: Client) -> dispatch.Client:
    return dispatch.Client(
        name=client.name,
        user_agent=list(client.user_agent),
        injected_tags=list(client.injected_tags),
        injected_prefixes=list(client.injected_prefixes),
        injected_wrappers=list(client.injected_wrappers),
        baseline_tools=list(client.baseline_tools),
        tool_weights=dict(client.tool_weights),
    )


def _provider(provider: Provider) -> dispatch.Provider:
    return dispatch.Provider(
        name=provider.name,
        kind=provider.kind,
        trust=provider.trust,
        base_url=provider.base_url,
        api_key=provider.api_key,
        headers=dict(provider.headers),
        connect=provider.connect,
        first_event=provider.first_event,
        idle=provider.idle,
        total=provider.total,
        retries=provider.retries,
        backoff=provider.backoff,
        max_backoff=provider.max_backoff,
        simulate=provider.simulate,
        rest=msgspec.json.decode(provider.rest, type=dispatch.ProviderSettings),
    )


def _target(target: Target, provider: int) -> dispatch.Target:
    price = None
    if target.price is not None:
        price = dispatch.Price(
            input=target.price[0],
            output=target.price[1],
            cache_read=target.price[2],
            cache_write=target.price[3],
        )
    return dispatch.Target(
        name=target.name,
        provider=provider,
        model=target.model,
        context=target.context,
        max_output=target.max_output,
        capabilities=sorted(target.capabilities),
        price=price,
        shape=msgspec.json.decode(target.shape, type=RequestShape),
        dialect=target.dialect,
        on_loss=target.on_loss,
    )


def _chain(chain: Chain) -> dispatch.Chain:
    weights = dict(chain.weights)
    return dispatch.Chain(
        name=chain.name,
        groups=[list(group) for group in chain.groups],
        pick=chain.pick.value,
        weights=[weights[target] for target in chain.targets] if weights else [],
    )


def _rule(rule: Rule) -> dispatch.Rule:
    deny = None
    if rule.deny is not None:
        deny = dispatch.Deny(status=rule.deny.status, message=rule.deny.message)
    prefer = None
    if rule.prefer is not None:
        pick = rule.prefer.pick
        prefer = dispatch.Prefer(
            pick=None if pick is None else pick.value, target=rule.prefer.target
        )
    return dispatch.Rule(
        name=rule.name,
        deny=deny,
        respond=None if rule.respond is None else rule.respond.text,
        prefer=prefer,
    )
