"""Tiers, chains and mapped model names of a spec to typed ones, with the findings on their form."""

from collections.abc import Collection, Iterable, Sequence
from itertools import islice, pairwise

from lynkrc.diagnostics.model import MAX_FINDINGS, Code, Diagnostic, Label
from lynkrc.diagnostics.sema_codes import (
    DUPLICATE_NAME,
    TARGET_TWICE,
    TIER_BOUNDS,
    UNKNOWN_TARGET,
    UNKNOWN_TIER,
)
from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import shown
from lynkrc.sema.comparisons import normal_text
from lynkrc.sema.merge import Spec
from lynkrc.sema.typed_config import TypedMapping, TypedTier
from lynkrc.source.text import Span
from lynkrc.syntax.config import Name, Tier


def type_ladder(spec: Spec) -> tuple[tuple[TypedTier, ...], list[Diagnostic]]:
    """The tiers, cheapest first."""
    findings = list(_bounds(spec.tiers))
    targets = dict.fromkeys(one.name for one in spec.targets)
    for tier in spec.tiers:
        findings += islice(_chain(tier, targets), MAX_FINDINGS + 1)
    return (
        tuple(
            TypedTier(
                name=tier.name.value,
                up_to=None if tier.up_to is None else tier.up_to.value,
                chain=tuple(name.value for name in tier.chain),
                span=tier.span,
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
        for name, known, code in (
            (mapping.tier, tiers, UNKNOWN_TIER),
            (mapping.target, targets, UNKNOWN_TARGET),
        ):
            if name is not None and name.value not in known and len(findings) <= MAX_FINDINGS:
                findings.append(unknown(code, name, known))
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


def unknown(code: Code, name: Name, known: Collection[str]) -> Diagnostic:
    """The finding for a tier or target that is not there."""
    what = "tier" if code is UNKNOWN_TIER else "target"
    return _finding(
        code,
        f"there is no {what} {shown(name.value)}",
        name.span,
        did_you_mean(name.value, known, f"{what}s"),
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


def _chain(tier: Tier, targets: Collection[str]) -> Iterable[Diagnostic]:
    seen: dict[str, Name] = {}
    for name in tier.chain:
        if name.value not in targets:
            yield unknown(UNKNOWN_TARGET, name, targets)
        first = seen.setdefault(name.value, name)
        if first is not name:
            yield _finding(
                TARGET_TWICE,
                f"{shown(name.value)} stands twice in the chain of {shown(tier.name.value)}",
                name.span,
                "remove it; `retries` of the provider repeats an attempt",
                (Label(span=first.span, message="first here"),),
            )


def _finding(
    code: Code, message: str, span: Span, help: str, labels: tuple[Label, ...] = ()
) -> Diagnostic:
    return Diagnostic(code=code, message=message, span=span, help=help, labels=labels)
