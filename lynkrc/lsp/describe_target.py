"""Providers, targets and models to what the spec and the catalog say of them, as Markdown."""

from collections.abc import Iterator

from lynkrc.diagnostics.wording import printable
from lynkrc.lsp.analysis import Analysis
from lynkrc.lsp.names import Occurrence
from lynkrc.sema.catalog import (
    CatalogPrice,
    ModelFacts,
    Provision,
    Source,
    covers,
    facts_of,
    price_of,
    provision_of,
)
from lynkrc.sema.merge import Spec
from lynkrc.syntax.config import Price, Provider, Target
from lynkrc_runtime.providers.table import KINDS
from lynkrc_runtime.providers.ways import ways

_STATED = "stated in the spec"


def describe_target(name: str, analysis: Analysis) -> str | None:
    """A target with every fact and where it comes from."""
    spec = analysis.spec
    target = None if spec is None else _target(spec, name)
    if spec is None or target is None:
        return None
    provider = _provider(spec, target.provider.value)
    provision = None if provider is None else _provision(provider)
    known = ModelFacts(ids=())
    if provision is not None:
        known = facts_of(analysis.catalog, target.model.value, provision)
    rows = [f"- provider: `{target.provider.value}`" + _kind(provider)]
    rows.append(f"- model: `{printable(target.model.value)}`")
    rows += _called(target, provider, known)
    stated_context = None if target.context is None else target.context.value
    stated_output = None if target.max_output is None else target.max_output.value
    rows += _tokens("context", stated_context, known.context)
    rows += _tokens("max output", stated_output, known.max_output)
    stated = None if target.capabilities is None else tuple(c.value for c in target.capabilities)
    able = known.capabilities if stated is None else stated
    if able is not None:
        origin = "the catalog" if stated is None else _STATED
        rows.append(f"- can: {', '.join(able) or 'nothing special'} ({origin})")
    if target.price is not None:
        rows.append(f"- price: {_amounts(target.price)} ({_STATED})")
    elif provision is not None and known.price is not None and price_of(known, provision):
        rows += _price_rows(known.price)
    return "\n".join([f"**{name}**: a target", "", *rows])


def _called(target: Target, provider: Provider | None, known: ModelFacts) -> Iterator[str]:
    """The dialects it is called in, and what is done where one would lose something."""
    kind = None if provider is None else KINDS.get(provider.kind.value)
    if provider is None or kind is None:
        return
    written = provider.dialect if target.dialect is None else target.dialect
    name = None if written is None else written.value
    found = [one.dialect for one in ways(kind, target.model.value, name, known.shape.dialects)]
    if found:
        loss = ", never with a loss" if target.on_loss and target.on_loss.value == "deny" else ""
        yield f"- called in: {', '.join(f'`{one}`' for one in found)}{loss}"


def describe_provider(name: str, analysis: Analysis) -> str | None:
    """A provider: its API, its address, how far it is trusted, what it serves."""
    spec = analysis.spec
    provider = None if spec is None else _provider(spec, name)
    if spec is None or provider is None:
        return None
    kind = KINDS.get(provider.kind.value)
    dialect = "" if kind is None else f", which speaks {kind.dialect}"
    address = None if kind is None else kind.base_url
    if provider.base_url is not None:
        address = provider.base_url.value
    served = [one.name for one in spec.targets if one.item.provider.value == name]
    rows = [f"- kind: `{provider.kind.value}`{dialect}", f"- trust: `{provider.trust.value}`"]
    if address is not None:
        rows.append(f"- address: {printable(address)}")
    if served:
        rows.append(f"- targets: {', '.join(f'`{target}`' for target in served)}")
    return "\n".join([f"**{name}**: a provider", "", *rows])


def describe_model(one: Occurrence, analysis: Analysis) -> str | None:
    """What the catalog says of a model, as the provider of its target offers it."""
    provision = _provision_around(one, analysis)
    if provision is None:
        entry = next(
            (e for e in analysis.catalog if any(i != "*" and covers(i, one.name) for i in e.ids)),
            None,
        )
    else:
        entry = facts_of(analysis.catalog, one.name, provision)
    if entry is None or (entry.context is None and entry.price is None):
        return (
            f"**{printable(one.name)}**: a model the catalog does not know\n\n"
            "Write its `context`, `capabilities` and `price` in the target."
        )
    rows = [
        *_tokens("context", None, entry.context),
        *_tokens("max output", None, entry.max_output),
    ]
    if entry.capabilities is not None:
        rows.append(f"- can: {', '.join(entry.capabilities)}")
    if entry.price is not None and (provision is None or price_of(entry, provision) is not None):
        rows += _price_rows(entry.price)
    if entry.retires is not None:
        rows.append(f"- retires: {entry.retires}")
    rows += _source_rows(entry.sources)
    return "\n".join([f"**{printable(one.name)}**: a model of the catalog", "", *rows])


def _provision_around(one: Occurrence, analysis: Analysis) -> Provision | None:
    spec = analysis.spec
    for target in () if spec is None else spec.targets:
        span = target.item.model.span
        if span.file == one.span.file and span.start <= one.span.start < span.end:
            provider = _provider(spec, target.item.provider.value) if spec is not None else None
            return None if provider is None else _provision(provider)
    return None


def _target(spec: Spec, name: str) -> Target | None:
    return next((one.item for one in spec.targets if one.name == name), None)


def _provider(spec: Spec, name: str) -> Provider | None:
    return next((one.item for one in spec.providers if one.name == name), None)


def _provision(provider: Provider) -> Provision:
    base_url = None if provider.base_url is None else provider.base_url.value
    return provision_of(provider.kind.value, base_url)


def _kind(provider: Provider | None) -> str:
    if provider is None:
        return ""
    return f" ({provider.kind.value}, trust {provider.trust.value})"


def _tokens(label: str, stated: int | None, known: int | None) -> Iterator[str]:
    if stated is not None:
        yield f"- {label}: {stated:,} tokens ({_STATED})"
    elif known is not None:
        yield f"- {label}: {known:,} tokens (the catalog)"


def _price_rows(price: CatalogPrice) -> Iterator[str]:
    longest = "" if price.tokens is None else " for longer prompts"
    if price.below is not None:
        yield f"- price: {_amounts(price.below)} up to {price.tokens:,} tokens"
    yield f"- price: {_amounts(price.price)}{longest}"
    yield from _source_rows(price.sources)


def _source_rows(sources: tuple[Source, ...]) -> Iterator[str]:
    for source in sources:
        yield f"- source: {source.url} (read {source.date})"


def _amounts(price: Price) -> str:
    if not price.input and not price.output:
        return "free"
    parts = [f"${price.input:g} in", f"${price.output:g} out"]
    if price.cache_read is not None:
        parts.append(f"${price.cache_read:g} cache read")
    if price.cache_write is not None:
        parts.append(f"${price.cache_write:g} cache write")
    return f"{', '.join(parts)}, USD per million tokens"
