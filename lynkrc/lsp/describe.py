"""A name to what the compiler knows of it, as Markdown: types, ranges, facts, prices."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from lynkrc.diagnostics.wording import printable
from lynkrc.lsp.analysis import Analysis
from lynkrc.lsp.describe_target import describe_model, describe_provider, describe_target
from lynkrc.lsp.names import Occurrence
from lynkrc.lsp.roles import Kind
from lynkrc.lsp.words import (
    FUNCTION_MEANINGS,
    PROVENANCES,
    feature_summary,
    provenance_of,
)
from lynkrc.sema.check import Checker
from lynkrc.sema.context import Subject, type_of
from lynkrc.sema.merge import Sourced, T
from lynkrc.sema.scope import FUNCTIONS, Place, Scope, type_of_feature, usage
from lynkrc.sema.shaping import usage_of
from lynkrc.sema.trust import levels_of
from lynkrc.sema.types import EnumType, Type, describe
from lynkrc.sema.walk import features_in
from lynkrc.syntax.config import Chain, Name, Rule, Tier
from lynkrc.syntax.expr import Call, Ref, StringLiteral
from lynkrc.syntax.print_expr import print_expr
from lynkrc_runtime.feature_table import FEATURES, TEXTS, Feature, Parameter
from lynkrc_runtime.providers.table import KINDS

_MOST_ENTRIES = 12
_MOST_MEMBERS = 20


def describe_name(one: Occurrence, analysis: Analysis) -> str | None:
    """The page about a name where it stands; None where nothing is known of it."""
    describer = _DESCRIBERS.get(one.kind)
    return None if describer is None else describer(one, analysis)


def _language(one: Occurrence, analysis: Analysis) -> str | None:
    scope = analysis.scope
    feature = FEATURES.get(one.name)
    if feature is not None:
        return _feature(feature, one.call, scope)
    if one.name in FUNCTIONS:
        return f"```\n{usage_of(one.name)}\n```\n\n{FUNCTION_MEANINGS[one.name]}"
    if one.name in TEXTS:
        return f"**{one.name}**: a text of the request\n\n{PROVENANCES[TEXTS[one.name]]}"
    type_ = scope.beside(Place.ASSERTION).get(one.name)
    if type_ is None:
        return None
    whose = "the target" if one.name.split(".")[0] == "target" else "the decision"
    return _lines(f"**{one.name}**: {describe(type_)}", f"A fact of {whose}.", *_order(type_))


def _feature(feature: Feature, call: Call | None, scope: Scope) -> str:
    text: str | None = None
    lexicon = None
    if call is not None and feature.parameter is Parameter.TEXT_AND_LEXICON:
        match call.args:
            case (Ref(name=word), Ref(name=named) | StringLiteral(value=named)):
                text = word
                lexicon = scope.lexicons.get(named)
            case _:
                pass
    provenance = provenance_of(feature, text)
    reads = None if provenance is None else f"Reads {PROVENANCES[provenance]}."
    return _lines(
        f"**{usage(feature)}**: {feature_summary(feature, scope, lexicon)}",
        _sentence(feature.doc),
        reads,
        *_order(type_of_feature(feature, scope)),
    )


def _order(type_: Type) -> Iterable[str]:
    """The members of an enum, in their order."""
    if isinstance(type_, EnumType):
        shown = [f"`{member}`" for member in type_.members[:_MOST_MEMBERS]]
        rest = len(type_.members) - len(shown)
        joiner = " < " if type_.ordered else ", "
        yield joiner.join(shown) + (f" and {rest} more" if rest else "")


def _named_feature(one: Occurrence, analysis: Analysis) -> str | None:
    spec = analysis.spec
    found = None if spec is None else _find(spec.features, one.name)
    if spec is None or found is None:
        return None
    checker = Checker(analysis.scope, analysis.file)
    value = checker.named(one.name)
    what = "its type is not known: it has errors" if value is None else describe(type_of(value))
    read = sorted(set(_reads(checker, one.name)))
    return _lines(
        f"**{one.name}**: {what}",
        f"```\n{print_expr(found.item.expression)}\n```",
        f"Reads {', '.join(f'`{name}`' for name in read)}." if read else None,
        _origin(found),
    )


def _reads(checker: Checker, name: str) -> Iterable[str]:
    """The provenances of the features a named expression is made of."""
    value = checker.named(name)
    if value is None or isinstance(value, Subject):
        return
    for leaf in features_in(value):
        feature = FEATURES[leaf.name]
        provenance = provenance_of(feature, leaf.args[0] if leaf.args else None)
        if provenance is not None:
            yield provenance.value


def _lexicon(one: Occurrence, analysis: Analysis) -> str | None:
    spec = analysis.spec
    found = None if spec is None else _find(spec.lexicons, one.name)
    if found is None:
        return None
    lexicon = found.item
    if lexicon.file is not None and not lexicon.entries:
        size = f"the terms of `{printable(lexicon.file.value)}`"
    else:
        count = len(lexicon.entries)
        size = f"{count} {'entry' if count == 1 else 'entries'}"
    shown = [
        f"- `{printable(entry.pattern.text)}`" + (f": {entry.weight:g}" if entry.weighted else "")
        for entry in lexicon.entries[:_MOST_ENTRIES]
    ]
    rest = len(lexicon.entries) - len(shown)
    if rest:
        shown.append(f"- and {rest} more")
    return _lines(f"**{one.name}**: a lexicon of {size}", "\n".join(shown), _origin(found))


def _target(one: Occurrence, analysis: Analysis) -> str | None:
    return describe_target(one.name, analysis)


def _provider(one: Occurrence, analysis: Analysis) -> str | None:
    return describe_provider(one.name, analysis)


def _model(one: Occurrence, analysis: Analysis) -> str | None:
    return describe_model(one, analysis)


def _provider_kind(one: Occurrence, _: Analysis) -> str | None:
    kind = KINDS.get(one.name)
    if kind is None:
        return None
    address = "must be written in `base_url`" if kind.base_url is None else kind.base_url
    return _lines(
        f"**{kind.name}**: a provider kind",
        f"- dialect: {kind.dialect}\n- address: {address}\n- `api_key`: {kind.credentials.value}",
    )


def _tier(one: Occurrence, analysis: Analysis) -> str | None:
    spec = analysis.spec
    tiers = () if spec is None else spec.tiers
    index = next((i for i, tier in enumerate(tiers) if tier.name.value == one.name), None)
    if spec is None or index is None:
        return None
    tier = tiers[index]
    rules = [
        rule.name
        for rule in spec.rules
        if one.name in (_value(rule.item.tier), _value(rule.item.floor), _value(rule.item.ceiling))
    ]
    named = f"Named by {', '.join(f'`{rule}`' for rule in rules)}." if rules else None
    return _lines(
        f"**{one.name}**: a tier, {index + 1} of {len(tiers)} from the cheapest",
        f"- scores: {_scores(tiers, index)}\n- chain: {_chain(tier.chain)}",
        named,
    )


def _scores(tiers: tuple[Tier, ...], index: int) -> str:
    below = tiers[index - 1].up_to if index else None
    low = 0 if below is None else below.value + 1
    up_to = tiers[index].up_to
    return f"{low} to {100 if up_to is None else up_to.value}"


def _chain(chain: Chain) -> str:
    groups = (
        f"`{group[0].value}`"
        if len(group) == 1
        else f"[{', '.join(f'`{n.value}`' for n in group)}]"
        for group in chain.groups
    )
    pick = "" if chain.pick is None else f" ({chain.pick.value})"
    return f"{', then '.join(groups)}{pick}"


def _rule(one: Occurrence, analysis: Analysis) -> str | None:
    spec = analysis.spec
    found = None if spec is None else _find(spec.rules, one.name)
    if found is None:
        return None
    rule = found.item
    when = "always" if rule.when is None else f"when `{print_expr(rule.when)}`"
    effects = "\n".join(f"- {effect}" for effect in _effects(rule))
    return _lines(f"**{one.name}**: a rule", when, effects, _origin(found))


def _effects(rule: Rule) -> Iterable[str]:
    for word, name in (("tier", rule.tier), ("floor", rule.floor), ("ceiling", rule.ceiling)):
        if name is not None:
            yield f"{word}: `{name.value}`"
    if rule.add is not None:
        yield f"add: {rule.add.value:g} points"
    if rule.chain is not None:
        yield f"chain: {_chain(rule.chain)}"
    if rule.require is not None:
        yield f"require: `{print_expr(rule.require)}`"
    if rule.prefer is not None:
        yield f"prefer: `{rule.prefer.value}`"
    if rule.deny is not None:
        yield f"deny: {rule.deny.status}"
    if rule.respond is not None:
        yield "respond: a text, without a model"


def _dimension(one: Occurrence, analysis: Analysis) -> str | None:
    spec = analysis.spec
    found = None if spec is None else _find(spec.dimensions, one.name)
    if found is None:
        return None
    dimension = found.item
    if dimension.terms is not None:
        over = "ask" if dimension.over is None else dimension.over.value
        what = f"adds the points of `{dimension.terms.value}` in the {over}"
    elif dimension.weight is not None and dimension.value is not None:
        what = f"adds {dimension.weight.value:g} hundredths of `{print_expr(dimension.value)}`"
    else:
        return None
    return _lines(f"**{one.name}**: a dimension of the score", what, _origin(found))


def _client(one: Occurrence, analysis: Analysis) -> str | None:
    spec = analysis.spec
    found = None if spec is None else _find(spec.clients, one.name)
    if found is None:
        return None
    client = found.item
    agents = ", ".join(f"`{printable(agent.value)}`" for agent in client.user_agent)
    return _lines(
        f"**{one.name}**: a client profile",
        f"- known by: {agents}\n- tools of its own: {len(client.baseline_tools)}",
        _origin(found),
    )


def _trust(one: Occurrence, analysis: Analysis) -> str | None:
    spec = analysis.spec
    levels = () if spec is None else levels_of(spec)
    if spec is None or one.name not in levels:
        return None
    held = [p.name for p in spec.providers if p.item.trust.value == one.name]
    return _lines(
        f"**{one.name}**: a trust level",
        " < ".join(f"`{level}`" for level in levels) + ", from the most trusted",
        f"Providers: {', '.join(f'`{name}`' for name in held)}." if held else None,
    )


def _find(items: Iterable[Sourced[T]], name: str) -> Sourced[T] | None:
    return next((one for one in items if one.name == name), None)


def _origin(one: Sourced[T]) -> str | None:
    return f"From `{one.origin}`." if one.origin else None


def _value(name: Name | None) -> str | None:
    return None if name is None else name.value


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _lines(*parts: str | None) -> str:
    return "\n\n".join(part for part in parts if part)


_DESCRIBERS: Mapping[Kind, Callable[[Occurrence, Analysis], str | None]] = MappingProxyType(
    {
        Kind.LANGUAGE: _language,
        Kind.FEATURE: _named_feature,
        Kind.LEXICON: _lexicon,
        Kind.TARGET: _target,
        Kind.PROVIDER: _provider,
        Kind.MODEL: _model,
        Kind.PROVIDER_KIND: _provider_kind,
        Kind.TIER: _tier,
        Kind.RULE: _rule,
        Kind.DIMENSION: _dimension,
        Kind.CLIENT: _client,
        Kind.TRUST: _trust,
    }
)
"""Who describes names of a kind; of a base spec there is nothing to say but where it lies."""
