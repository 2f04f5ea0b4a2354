"""Targets as written and the catalog to targets with every fact the compiler and runtime need."""

from collections.abc import Sequence

from lynkrc.diagnostics.model import Diagnostic, Label
from lynkrc.diagnostics.sema_codes import (
    MISSING_FACT,
    TOO_MANY_TARGETS,
    UNKNOWN_PROVIDER,
    UNSPOKEN_DIALECT,
)
from lynkrc.diagnostics.suggest import closest, did_you_mean
from lynkrc.diagnostics.wording import listed, shown
from lynkrc.sema.catalog import ModelFacts, facts_of, names_for, price_of, provision_of
from lynkrc.sema.merge import Sourced, Spec
from lynkrc.sema.partial import Facts
from lynkrc.sema.typed_config import TypedTarget
from lynkrc.source.fixes import rename
from lynkrc.syntax.config import Name, Provider, Target
from lynkrc_runtime.feature_table import CAPABILITIES
from lynkrc_runtime.providers.table import KINDS

MOST_TARGETS = 62
"""Targets of one spec: the decision's mask is a signed 64-bit number."""


def type_targets(
    spec: Spec, catalog: Sequence[ModelFacts]
) -> tuple[tuple[TypedTarget, ...], list[Diagnostic]]:
    """The targets of a spec, sorted by name, as far as they are sound."""
    findings = [found for one in spec.providers for found in _spoken(one.item.dialect, one.item)]
    providers = {one.name: one.item for one in spec.providers}
    targets = []
    for one in sorted(spec.targets, key=lambda one: one.name):
        provider = providers.get(one.item.provider.value)
        if provider is None:
            findings.append(_unknown_provider(one.item, spec.providers))
            continue
        target = _complete(one.item, provider, catalog, findings)
        if target is not None:
            targets.append(target)
    if len(spec.targets) > MOST_TARGETS:
        findings.append(
            Diagnostic(
                code=TOO_MANY_TARGETS,
                message=f"{len(spec.targets)} targets; a spec has {MOST_TARGETS} at most",
                span=spec.targets[MOST_TARGETS].item.name.span,
                help="split the spec: one gateway for each group of clients",
            )
        )
    return tuple(targets), findings


def attributes_of(target: TypedTarget) -> Facts:
    """The values of the target's attributes in a requirement."""
    return {
        "target": target.name,
        "target.provider": target.provider,
        "target.trust": target.trust,
        "target.context": target.context,
        "target.max_output": target.max_output,
        **{f"target.{name}": name in target.capabilities for name in CAPABILITIES},
    }


def _complete(
    target: Target,
    provider: Provider,
    catalog: Sequence[ModelFacts],
    findings: list[Diagnostic],
) -> TypedTarget | None:
    base_url = None if provider.base_url is None else provider.base_url.value
    provision = provision_of(provider.kind.value, base_url)
    known = facts_of(catalog, target.model.value, provision)
    findings += _spoken(target.dialect, provider)
    dialect = provider.dialect if target.dialect is None else target.dialect
    context = target.context.value if target.context is not None else known.context
    capabilities: Sequence[str] | None = known.capabilities
    if target.capabilities is not None:
        capabilities = [name.value for name in target.capabilities]
    price = price_of(known, provision) if target.price is None else target.price
    if context is None or capabilities is None or price is None:
        found = {"context": context, "capabilities": capabilities, "price": price}
        missing = [fact for fact, value in found.items() if value is None]
        findings.append(_missing(target, missing, known, names_for(catalog, provision)))
        return None
    output = target.max_output.value if target.max_output is not None else known.max_output
    return TypedTarget(
        name=target.name.value,
        provider=provider.name.value,
        kind=provider.kind.value,
        trust=provider.trust.value,
        model=target.model.value,
        context=context,
        max_output=context if output is None else output,
        capabilities=tuple(name for name in CAPABILITIES if name in capabilities),
        price=price,
        shape=known.shape,
        dialect=None if dialect is None else dialect.value,
        on_loss="warn" if target.on_loss is None else target.on_loss.value,
        span=target.span,
    )


def _missing(
    target: Target, missing: Sequence[str], known: ModelFacts, models: Sequence[str]
) -> Diagnostic:
    help_ = f"write {_and([f'`{fact}:`' for fact in missing])} here"
    if "price" in missing:
        help_ += "; a price is `free` or `{input, output}` in USD per million tokens"
    # A model of which only the price is missing is a known one: it is not misspelled.
    near = closest(target.model.value, models) if known.context is None else None
    if near is not None:
        help_ += f"; or did you mean the model {shown(near)}?"
    label = "the catalog does not say it of this model"
    if known.price is not None and "price" in missing:
        label = f"what the catalog knows is the price of {known.seller}'s own API"
    return Diagnostic(
        code=MISSING_FACT,
        message=f"nothing states the {_and(missing)} of {shown(target.name.value)}",
        span=target.name.span,
        help=help_,
        labels=(Label(span=target.model.span, message=label),),
    )


def _spoken(dialect: Name | None, provider: Provider) -> list[Diagnostic]:
    """A finding where the provider's kind does not speak the dialect that is written."""
    kind = provider.kind.value
    spoken = [endpoint.dialect for endpoint in KINDS[kind].endpoints]
    if dialect is None or dialect.value in spoken:
        return []
    near = closest(dialect.value, spoken)
    meant = "" if near is None or len(spoken) == 1 else f"did you mean {shown(near)}? "
    return [
        Diagnostic(
            code=UNSPOKEN_DIALECT,
            message=f"a provider of kind {shown(kind)} does not speak {shown(dialect.value)}",
            span=dialect.span,
            help=f"{meant}it speaks {listed(spoken, 'and')}; leave the key out to let it choose",
            fix=rename(dialect.span, dialect.value, spoken),
        )
    ]


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _unknown_provider(target: Target, providers: Sequence[Sourced[Provider]]) -> Diagnostic:
    name = target.provider
    return Diagnostic(
        code=UNKNOWN_PROVIDER,
        message=f"there is no provider {shown(name.value)}",
        span=name.span,
        help=did_you_mean(name.value, [one.name for one in providers], "providers"),
        fix=rename(name.span, name.value, [one.name for one in providers]),
    )
