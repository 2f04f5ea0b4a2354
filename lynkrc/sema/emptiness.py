"""Chains, derived needs and requirements to the findings about requests with no target left.

Without `otherwise` such a request would be refused though another target could serve it. Requests
are taken to need any set of capabilities in any tier, and each rule's requirement is taken alone:
whether several requirements together empty a chain is not looked for.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.diagnostics.model import Diagnostic, Label
from lynkrc.diagnostics.sema_codes import CHAIN_MAY_BE_EMPTY
from lynkrc.diagnostics.wording import listed, shown
from lynkrc.sema.merge import Spec
from lynkrc.sema.partial import residue
from lynkrc.sema.typed import NEVER
from lynkrc.sema.typed_config import TypedRule, TypedTarget, TypedTier
from lynkrc.syntax.config import Name
from lynkrc_runtime.feature_table import CAPABILITIES

NEEDED: tuple[str, ...] = ("tools", "vision", "documents", "json_schema")
"""Capabilities a request can need of its target (design: "Derived needs")."""

_HELP = "add `otherwise: escalate` to go on with other tiers, or `otherwise: deny`"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Owner:
    """What has a chain: "tier `LOW`", where it is named, and its targets."""

    title: str
    name: Name
    targets: Sequence[TypedTarget]


def check_emptiness(
    spec: Spec,
    tiers: Sequence[TypedTier],
    rules: Sequence[TypedRule],
    targets: Sequence[TypedTarget],
) -> Iterable[Diagnostic]:
    """Chains that a need or a requirement can leave empty while another target could serve."""
    if spec.otherwise is not None:
        return
    needed = (*NEEDED, *(need.value for need, how in spec.needs if how.value == "hard"))
    for owner in _owners(spec, tiers, rules, targets):
        found = _by_needs(owner, targets, needed) or _by_requirement(owner, spec, rules, targets)
        if found is not None:
            yield found


def _owners(
    spec: Spec,
    tiers: Sequence[TypedTier],
    rules: Sequence[TypedRule],
    targets: Sequence[TypedTarget],
) -> Iterator[_Owner]:
    by_name = {target.name: target for target in targets}
    written = {one.shown: one.item.name for one in spec.rules}
    for tier, typed in zip(spec.tiers, tiers, strict=True):
        chain = [by_name[name] for name in typed.chain.targets]
        yield _Owner(title=f"in tier {shown(typed.name)}", name=tier.name, targets=chain)
    for rule in rules:
        if rule.chain is not None and residue(rule.guard) != NEVER:
            chain = [by_name[name] for name in rule.chain.targets]
            title = f"of the rule {shown(rule.name)}"
            yield _Owner(title=title, name=written[rule.name], targets=chain)


def _by_needs(
    owner: _Owner, targets: Sequence[TypedTarget], needed: Sequence[str]
) -> Diagnostic | None:
    # What the most able targets serve covers what the others do.
    for able in targets:
        if not any(serves(target, able, needed) for target in owner.targets):
            return Diagnostic(
                code=CHAIN_MAY_BE_EMPTY,
                message=f"a request {owner.title} that needs "
                f"{_lacking(owner.targets, able, needed)} has no target left, though "
                f"{shown(able.name)} could serve it",
                span=owner.name.span,
                help=_HELP,
            )
    return None


def _by_requirement(
    owner: _Owner, spec: Spec, rules: Sequence[TypedRule], targets: Sequence[TypedTarget]
) -> Diagnostic | None:
    places = {one.shown: one.item.name.span for one in spec.rules}
    for rule in rules:
        if rule.keeps is None or residue(rule.guard) == NEVER:
            continue
        kept = [
            target.name for target, keep in zip(targets, rule.keeps, strict=True) if keep != NEVER
        ]
        if kept and not any(target.name in kept for target in owner.targets):
            return Diagnostic(
                code=CHAIN_MAY_BE_EMPTY,
                message=f"a request {owner.title} that matches {shown(rule.name)} has no target "
                f"left: none of the chain meets {shown(rule.require_source)}, though "
                f"{listed(kept, 'and')} would",
                span=owner.name.span,
                help=_HELP,
                labels=(Label(span=places[rule.name], message="required here"),),
            )
    return None


def serves(target: TypedTarget, other: TypedTarget, needed: Sequence[str]) -> bool:
    """Whether `target` can serve every request that `other` can."""
    names = [name for name in other.capabilities if name in needed]
    if "max_tokens" in needed and target.max_output < other.max_output:
        return False
    return target.context >= other.context and all(n in target.capabilities for n in names)


def _lacking(chain: Sequence[TypedTarget], able: TypedTarget, needed: Sequence[str]) -> str:
    """What `able` has and no single target of the chain does, in words."""
    missing = [
        name
        for name in CAPABILITIES
        if name in needed
        and name in able.capabilities
        and not all(name in target.capabilities for target in chain)
    ]
    words = [listed(missing, "and")] if missing else []
    if any(target.context < able.context for target in chain):
        words.append(f"a window of {able.context} tokens")
    if "max_tokens" in needed and any(t.max_output < able.max_output for t in chain):
        words.append(f"an output of {able.max_output} tokens")
    return " and ".join(words)
