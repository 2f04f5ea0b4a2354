"""Rules and dimensions of a spec to typed ones."""

from collections.abc import Iterable, Sequence

from lynkrc.diagnostics.model import MAX_FINDINGS, Diagnostic, Label
from lynkrc.diagnostics.sema_codes import ENVELOPE_DIMENSION, UNKNOWN_TIER
from lynkrc.diagnostics.wording import listed, shown
from lynkrc.sema.chains import check_chain, check_preference, type_chain
from lynkrc.sema.check import Checker
from lynkrc.sema.facts import attributes_of
from lynkrc.sema.ladder import unknown_tier
from lynkrc.sema.merge import Sourced, Spec
from lynkrc.sema.partial import residue
from lynkrc.sema.scope import type_of_feature
from lynkrc.sema.typed import ALWAYS, Feature
from lynkrc.sema.typed_config import TypedDimension, TypedRule, TypedTarget
from lynkrc.sema.types import to_64ths
from lynkrc.sema.walk import features_in
from lynkrc.syntax.config import Dimension, Name, Rule
from lynkrc.syntax.print_expr import print_expr
from lynkrc_runtime.feature_table import FEATURES, FIXED_UNIT

ALWAYS_SOURCE = "true"
"""The canonical text of the guard of a rule without `when`."""


def type_rules(
    spec: Spec, targets: Sequence[TypedTarget], checker: Checker
) -> tuple[tuple[TypedRule, ...], list[Diagnostic]]:
    """The rules in decision order, as far as they are sound; types are reported to `checker`."""
    findings = [*_tiers(spec), *_targets(spec)]
    rules = []
    for one in spec.rules:
        if len(checker.findings) > MAX_FINDINGS:
            break  # no more are shown
        rule = _rule(one, targets, checker)
        if rule is not None:
            rules.append(rule)
    return tuple(rules), findings


def type_dimensions(
    spec: Spec, checker: Checker
) -> tuple[tuple[TypedDimension, ...], list[Diagnostic]]:
    """The dimensions in the order written, as far as they are sound."""
    findings: list[Diagnostic] = []
    dimensions = []
    for one in spec.dimensions:
        typed = _terms(one, checker) if one.item.terms is not None else _weighted(one, checker)
        if typed is None:
            continue
        dimensions.append(typed)
        findings += _envelope(one, typed, checker)
    return tuple(dimensions), findings


def _rule(one: Sourced[Rule], targets: Sequence[TypedTarget], checker: Checker) -> TypedRule | None:
    rule = one.item
    guard = ALWAYS if rule.when is None else checker.guard(rule.when)
    requirement = None if rule.require is None else checker.requirement(rule.require)
    if guard is None or (rule.require is not None and requirement is None):
        return None
    keeps = None
    if requirement is not None:
        keeps = tuple(residue(requirement, attributes_of(target)) for target in targets)
    return TypedRule(
        name=one.shown,
        guard=guard,
        deny=rule.deny,
        tier=_value(rule.tier),
        floor=_value(rule.floor),
        ceiling=_value(rule.ceiling),
        add64=None if rule.add is None else to_64ths(rule.add.value),
        keeps=keeps,
        respond=_value(rule.respond),
        chain=None if rule.chain is None else type_chain(rule.chain),
        prefer=_value(rule.prefer),
        source=ALWAYS_SOURCE if rule.when is None else print_expr(rule.when),
        require_source="" if rule.require is None else print_expr(rule.require),
        span=rule.span,
        name_span=rule.name.span,
    )


def _value(name: Name | None) -> str | None:
    return None if name is None else name.value


def _tiers(spec: Spec) -> Iterable[Diagnostic]:
    """Tiers that rules name and the spec does not have; rules of a base need them of the spec."""
    tiers = [tier.name.value for tier in spec.tiers]
    inherited: dict[str, list[tuple[str, Name]]] = {}
    unknown_own = 0
    for one in spec.rules:
        for name in (one.item.tier, one.item.floor, one.item.ceiling):
            if name is None or name.value in tiers or not tiers:
                continue
            if one.origin:
                inherited.setdefault(name.value, []).append((one.shown, name))
            elif (unknown_own := unknown_own + 1) <= MAX_FINDINGS + 1:
                yield unknown_tier(name, tiers)
    for missing, places in inherited.items():
        rules = dict.fromkeys(rule for rule, _ in places)
        yield Diagnostic(
            code=UNKNOWN_TIER,
            message=f"there is no tier {shown(missing)}, named by {listed(rules, 'and')}",
            span=spec.tiers[0].name.span,
            help="name the tiers as the base does, or replace these rules by your own",
            labels=(Label(span=places[0][1].span, message="named here"),),
        )


def _targets(spec: Spec) -> Iterable[Diagnostic]:
    """Targets that rules name and the spec does not have."""
    targets = sorted(one.name for one in spec.targets)
    for one in spec.rules:
        if one.item.chain is not None:
            yield from check_chain(one.item.chain, one.name, targets)
        if one.item.prefer is not None:
            yield from check_preference(one.item.prefer, targets)


def _weighted(one: Sourced[Dimension], checker: Checker) -> TypedDimension | None:
    dimension = one.item
    if dimension.value is None or dimension.weight is None:
        raise AssertionError("the schema demands weight and value, or terms")
    value = checker.value(dimension.value)
    if value is None:
        return None
    return TypedDimension(
        name=one.shown,
        weight64=to_64ths(dimension.weight.value),
        value=value,
        terms=None,
        source=print_expr(dimension.value),
        span=dimension.span,
        name_span=dimension.name.span,
    )


def _terms(one: Sourced[Dimension], checker: Checker) -> TypedDimension | None:
    dimension = one.item
    if dimension.terms is None:
        raise AssertionError("only called for terms")
    facts = checker.lexicon(dimension.terms.value, dimension.terms.span)
    if facts is None:
        return None
    over = dimension.over.value if dimension.over is not None else "ask"
    points = Feature(
        name="points",
        args=(over, facts.shown),
        type=type_of_feature(FEATURES["points"], checker.scope, facts),
        span=dimension.terms.span,
    )
    return TypedDimension(
        name=one.shown,
        weight64=FIXED_UNIT,
        value=None,
        terms=points,
        source=f"points({over}, {dimension.terms.value})",
        span=dimension.span,
        name_span=dimension.name.span,
    )


def _envelope(
    one: Sourced[Dimension], typed: TypedDimension, checker: Checker
) -> Iterable[Diagnostic]:
    read = [typed.terms] if typed.terms is not None else []
    if typed.value is not None:
        read += features_in(typed.value)
    if one.item.span.file is checker.own and any("envelope" in f.args[:1] for f in read):
        yield Diagnostic(
            code=ENVELOPE_DIMENSION,
            message=f"the dimension {shown(one.name)} reads the envelope",
            span=one.item.name.span,
            help="the same ask then scores differently inside another client; read `ask`",
        )
