"""Tiers, chains and mapped model names of a spec to typed ones, with the findings on their form."""

from collections.abc import Collection, Iterable, Sequence
from itertools import islice, pairwise

from lynkrc.diagnostics.model import MAX_FINDINGS, Code, Diagnostic, Fix, Label
from lynkrc.diagnostics.sema_codes import (
    DUPLICATE_NAME,
    TIER_BOUNDS,
    UNKNOWN_TIER,
)
from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import shown
from lynkrc.sema.chains import check_chain, type_chain, unknown_target
from lynkrc.sema.comparisons import normal_text
from lynkrc.sema.merge import Spec
from lynkrc.sema.typed_config import TypedMapping, TypedTier
from lynkrc.source.fixes import fix_of, rename
from lynkrc.source.parts import entry_of, removal
from lynkrc.source.text import Span
from lynkrc.syntax.config import Name, Tier


def type_ladder(spec: Spec) -> tuple[tuple[TypedTier, ...], list[Diagnostic]]:
    """The tiers, cheapest first."""
    findings = list(_bounds(spec.tiers))
    targets = dict.fromkeys(one.name for one in spec.targets)
    for tier in spec.tiers:
        found = check_chain(tier.chain, tier.name.value, targets)
        findings += islice(found, MAX_FINDINGS + 1)
    return (
        tuple(
            TypedTier(
                name=tier.name.value,
                up_to=None if tier.up_to is None else tier.up_to.value,
                chain=type_chain(tier.chain),
                span=tier.span,
                name_span=tier.name.span,
            )
            for tier in spec.tiers
        ),
        findings,
    )


def type_mappings(spec: Spec) -> tuple[tuple[TypedMapping, ...], list[Diagnostic]]:
    """The mapped names: exact ones before prefixes, longer prefixes first, so that the closest
    one is met first whatever order they were written in."""
    findings: list[Diagnostic] = []
    tiers = dict.fromkeys(tier.name.value for tier in spec.tiers)
    targets = dict.fromkeys(one.name for one in spec.targets)
    seen: dict[str, Name] = {}
    typed = []
    for one in spec.models:
        mapping = one.item
        folded = normal_text(mapping.pattern.value)
        first = seen.setdefault(folded, mapping.pattern)
        if first is not mapping.pattern:
            findings.append(
                _finding(
                    DUPLICATE_NAME,
                    f"{shown(mapping.pattern.value)} is mapped twice: case does not count",
                    mapping.pattern.span,
                    "remove one of the two",
                    (Label(span=first.span, message="first mapped here"),),
                )
            )
        if len(findings) > MAX_FINDINGS:
            break  # no more are shown
        if mapping.tier is not None and mapping.tier.value not in tiers:
            findings.append(unknown_tier(mapping.tier, tiers))
        if mapping.target is not None and mapping.target.value not in targets:
            findings.append(unknown_target(mapping.target, targets))
        typed.append(
            TypedMapping(
                pattern=mapping.pattern.value,
                tier=None if mapping.tier is None else mapping.tier.value,
                target=None if mapping.target is None else mapping.target.value,
            )
        )
    return tuple(sorted(typed, key=_closeness)), findings


def _closeness(mapping: TypedMapping) -> tuple[bool, int, str]:
    folded = normal_text(mapping.pattern)
    return folded.endswith("*"), -len(folded), folded


def unknown_tier(name: Name, tiers: Collection[str]) -> Diagnostic:
    """The finding about a tier that is not there."""
    return _finding(
        UNKNOWN_TIER,
        f"there is no tier {shown(name.value)}",
        name.span,
        did_you_mean(name.value, tiers, "tiers"),
        fix=rename(name.span, name.value, tiers),
    )


def _bounds(tiers: Sequence[Tier]) -> Iterable[Diagnostic]:
    for tier in tiers[:-1]:
        if tier.up_to is None:
            yield _finding(
                TIER_BOUNDS,
                f"{shown(tier.name.value)} has no `up_to`, so no score is above it",
                tier.name.span,
                "only the last tier goes without",
            )
    if tiers and tiers[-1].up_to is not None:
        yield _finding(
            TIER_BOUNDS,
            f"{shown(tiers[-1].name.value)} is the last tier and has an `up_to`",
            tiers[-1].up_to.span,
            "remove it: the last tier takes every score above the others",
            fix=_removed(entry_of(tiers[-1].up_to.span)),
        )
    bounded = [tier.up_to for tier in tiers[:-1] if tier.up_to is not None]
    for before, after in pairwise(bounded):
        if after.value <= before.value:
            yield _finding(
                TIER_BOUNDS,
                f"`up_to: {after.value}` does not rise above {before.value}",
                after.span,
                "write the tiers cheapest first, each with a higher bound than the one before",
                (Label(span=before.span, message="the tier before ends here"),),
            )


def _finding(
    code: Code,
    message: str,
    span: Span,
    help: str,
    labels: tuple[Label, ...] = (),
    fix: Fix | None = None,
) -> Diagnostic:
    return Diagnostic(code=code, message=message, span=span, help=help, labels=labels, fix=fix)


def _removed(at: Span) -> Fix | None:
    """The fix of what means nothing where it stands."""
    edit = removal(at)
    return None if edit is None else fix_of(edit, "remove it", safe=True)
