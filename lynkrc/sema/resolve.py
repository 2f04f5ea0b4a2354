"""A document, its bases and the catalog to a typed spec: the order of `sema` on one screen."""

from collections.abc import Sequence

from lynkrc.diagnostics.model import Diagnostic, Severity
from lynkrc.diagnostics.sema_codes import MISSING_FACT, MISSING_SECTION
from lynkrc.sema.allows import check_allows, open_allows, unneeded_allows, without_allowed
from lynkrc.sema.assertions import type_assertions
from lynkrc.sema.cascade import certain
from lynkrc.sema.catalog_read import read_catalog
from lynkrc.sema.check import Checker
from lynkrc.sema.effects import (
    check_dimensions,
    check_fallbacks,
    check_floors,
    check_preferences,
    check_rules,
    check_weights,
)
from lynkrc.sema.emptiness import check_emptiness
from lynkrc.sema.facts import type_targets
from lynkrc.sema.ladder import type_ladder, type_mappings
from lynkrc.sema.loader import Loader
from lynkrc.sema.lossy import check_losses
from lynkrc.sema.merge import Spec, merge
from lynkrc.sema.overlaps import check_overlaps
from lynkrc.sema.policy import type_dimensions, type_rules
from lynkrc.sema.reach import check_tiers, scores_of
from lynkrc.sema.scope import Scope, lexicon_facts
from lynkrc.sema.scripts import check_scripts
from lynkrc.sema.settings import read_settings
from lynkrc.sema.settings_use import check_use
from lynkrc.sema.trust import check_trust, levels_of
from lynkrc.sema.typed_config import TypedConfig, TypedLexicon
from lynkrc.sema.types import to_64ths
from lynkrc.sema.unserved import check_served
from lynkrc.sema.usage import check_clients, check_names, check_unused
from lynkrc.source.text import SourceFile
from lynkrc.syntax.config import Config
from lynkrc.syntax.print_expr import print_expr


def resolve(
    config: Config, loader: Loader, catalog_files: Sequence[SourceFile]
) -> tuple[TypedConfig | None, list[Diagnostic]]:
    """The typed spec, None where there are errors, and every finding.

    `config` is expected whole: of a document in which the reader found errors, names that only
    look unknown would be reported.
    """
    catalog, unread = read_catalog(catalog_files)
    spec, broken = merge(config, loader)
    own = config.span.file
    findings = _sections(spec)
    findings += [*check_names(spec), *check_clients(spec.clients), *check_trust(spec)]
    findings += check_allows(config)
    targets, found = type_targets(spec, catalog)
    findings += found
    tiers, found = type_ladder(spec)
    findings += found
    mappings, found = type_mappings(spec)
    findings += found
    checker = Checker(scope_of(spec), own)
    for feature in spec.features:
        checker.named(feature.name)
    rules, found = type_rules(spec, targets, checker)
    findings += found
    dimensions, found = type_dimensions(spec, checker)
    findings += found
    assertions, found = type_assertions(spec, checker)
    findings += [*found, *checker.findings]
    # A target that lacks a fact is left out of `targets`, and is a target by name all the same.
    settings, found = read_settings(
        spec.settings,
        tiers=[tier.name for tier in tiers],
        targets=[one.name for one in spec.targets],
    )
    findings += [*found, *check_served(spec)]
    if has_errors(unread):
        # Facts that the catalog would have stated are not missing.
        findings = [one for one in findings if one.code != MISSING_FACT]
    if has_errors(broken):
        # What a base would have said is not known: what holds all the same is told.
        findings = certain(findings)
    findings = [*unread, *broken, *findings]
    features, lexicons = checker.used()
    offset64 = to_64ths(spec.offset.value) if spec.offset is not None else 0
    if not has_errors(findings):
        # Only of a spec whose every part is known can it be said what has no effect.
        scores = scores_of(dimensions, rules, offset64)
        findings += check_unused(spec, features, lexicons, settings)
        findings += check_tiers(spec, tiers, rules, scores)
        findings += check_rules(spec, rules, tiers, own)
        findings += check_floors(spec, rules, tiers, own)
        findings += check_weights(spec, rules, dimensions, assertions, lexicons)
        findings += check_preferences(spec, rules, tiers, own)
        findings += check_dimensions(spec, dimensions, own)
        findings += check_fallbacks(spec, targets, rules)
        findings += check_emptiness(spec, tiers, rules, targets)
        findings += check_overlaps(spec)
        findings += check_scripts(spec)
        findings += check_use(settings, spec.settings, tiers=tiers, rules=rules, targets=targets)
        findings += check_losses(spec, tiers, rules, dimensions, offset64, targets)
        findings += unneeded_allows(findings, config)
    allows = open_allows(findings, config, spec.documents)
    findings = without_allowed(findings, (config, *spec.documents))
    if has_errors(findings):
        return None, findings
    shown = {one.name: one for one in spec.lexicons}
    return (
        TypedConfig(
            path=own.path,
            name=spec.name.value,
            trust_levels=levels_of(spec),
            lexicons=tuple(
                sorted(
                    (
                        TypedLexicon(name=shown[name].shown, lexicon=shown[name].item)
                        for name in lexicons
                    ),
                    key=lambda lexicon: lexicon.name,
                )
            ),
            clients=tuple(sorted((c.item for c in spec.clients), key=lambda c: c.name.value)),
            providers=tuple(sorted((p.item for p in spec.providers), key=lambda p: p.name.value)),
            targets=targets,
            models=mappings,
            tiers=tiers,
            rules=rules,
            definitions=tuple(
                sorted(
                    (feature.shown, print_expr(feature.item.expression))
                    for feature in spec.features
                    if feature.name in features
                )
            ),
            dimensions=dimensions,
            offset64=offset64,
            otherwise=None if spec.otherwise is None else spec.otherwise.value,
            hard_needs=frozenset(need.value for need, how in spec.needs if how.value == "hard"),
            assertions=assertions,
            settings=settings,
            allows=allows,
        ),
        findings,
    )


def has_errors(findings: list[Diagnostic]) -> bool:
    """Whether a finding stops the build."""
    return any(finding.code.severity is Severity.ERROR for finding in findings)


def scope_of(spec: Spec) -> Scope:
    """Every name that expressions of a spec may use."""
    return Scope(
        lexicons={one.name: lexicon_facts(one.item, one.shown) for one in spec.lexicons},
        features={one.name: one.item for one in spec.features},
        clients=tuple(one.name for one in spec.clients),
        targets=tuple(sorted(one.name for one in spec.targets)),
        providers=tuple(sorted(one.name for one in spec.providers)),
        trust_levels=levels_of(spec),
        tiers=tuple(tier.name.value for tier in spec.tiers),
        rules=tuple(one.shown for one in spec.rules),
    )


def _sections(spec: Spec) -> list[Diagnostic]:
    written = {
        "providers": spec.providers,
        "targets": spec.targets,
        "tiers": spec.tiers,
    }
    return [
        Diagnostic(
            code=MISSING_SECTION,
            message=f"there are no `{section}`, here or in a base",
            span=spec.name.span,
            help="a spec needs `providers`, `targets` and `tiers`; this may be a base for others",
        )
        for section, found in written.items()
        if not found
    ]
