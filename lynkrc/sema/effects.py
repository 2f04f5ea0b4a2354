"""Typed rules, dimensions and chains to the findings about what can have no effect.

Everything here is read off the structure: equal guards, constant guards, requirements that a
target's facts decide. What needs a proof over guards is not looked for.
"""

from collections.abc import Iterable, Sequence
from typing import final

from lynkrc.diagnostics.model import Diagnostic, Label
from lynkrc.diagnostics.sema_codes import (
    CHAIN_MAY_BE_EMPTY,
    DEAD_FALLBACK,
    REQUIREMENT_UNMET,
    SHADOWED_RULE,
    WITHOUT_EFFECT,
)
from lynkrc.diagnostics.wording import listed, shown
from lynkrc.sema.merge import Sourced, Spec
from lynkrc.sema.partial import residue
from lynkrc.sema.typed import ALWAYS, NEVER, Bool
from lynkrc.sema.typed_config import TypedDimension, TypedRule, TypedTarget, TypedTier
from lynkrc.source.text import SourceFile
from lynkrc.syntax.config import Rule
from lynkrc_runtime.feature_table import CAPABILITIES

NEEDED: tuple[str, ...] = ("tools", "vision", "documents", "json_schema")
"""Capabilities a request can need of its target (design: "Derived needs")."""


def check_rules(
    spec: Spec, rules: Sequence[TypedRule], tiers: Sequence[TypedTier], own: SourceFile
) -> Iterable[Diagnostic]:
    """Rules that never decide, or decide nothing. Inherited rules are exempt."""
    written = {one.shown: one for one in spec.rules}
    first, last = (tiers[0].name, tiers[-1].name) if tiers else ("", "")
    guards = [residue(rule.guard) for rule in rules]
    covers = _Covers(rules, guards)
    for i, rule in enumerate(rules):
        if rule.span.file is not own:
            continue
        name = written[rule.name].item.name.span
        cover = covers.of(i)
        if cover is not None:
            yield Diagnostic(
                code=SHADOWED_RULE,
                message=f"the rule {shown(rule.name)} never decides: {shown(cover.name)} comes "
                "first and matches whenever it does",
                span=name,
                help="put the narrower rule first, or remove one",
                labels=(Label(span=written[cover.name].item.name.span, message="this one"),),
            )
        if rule.keeps and all(keep == NEVER for keep in rule.keeps) and guards[i] != NEVER:
            yield Diagnostic(
                code=REQUIREMENT_UNMET,
                message=f"no target meets what the rule {shown(rule.name)} requires: "
                f"{shown(rule.require_source)}",
                span=name,
                help="correct it, add such a target, or say it with `deny`",
            )
        for what in _void_effects(rule, guards[i], first, last):
            yield Diagnostic(code=WITHOUT_EFFECT, message=what, span=name, help="remove it")


@final
class _Covers:
    """Who comes first with each guard: an index of rules, so that ten thousand take no square."""

    def __init__(self, rules: Sequence[TypedRule], guards: Sequence[Bool]) -> None:
        self._rules = rules
        self._guards = guards
        self._denies: dict[Bool, int] = {}
        self._chooses: dict[Bool, int] = {}
        for i, (rule, guard) in enumerate(zip(rules, guards, strict=True)):
            if rule.deny is not None:
                self._denies.setdefault(guard, i)
            elif rule.tier is not None:
                self._chooses.setdefault(guard, i)

    def of(self, index: int) -> TypedRule | None:
        """A rule that takes every effect of a rule whose first match wins.

        A denial ends the decision before any tier is chosen, wherever it is written; among rules
        of one effect the earlier one does.
        """
        rule = self._rules[index]
        if rule.floor or rule.ceiling or rule.add64 is not None or rule.keeps is not None:
            return None
        covering: list[int] = []
        for guard in (ALWAYS, self._guards[index]):
            denies, chooses = self._denies.get(guard), self._chooses.get(guard)
            if denies is not None and (denies < index or rule.deny is None):
                covering.append(denies)
            if chooses is not None and chooses < index and rule.deny is None:
                covering.append(chooses)
        return self._rules[min(covering)] if covering else None


def _void_effects(rule: TypedRule, guard: Bool, first: str, last: str) -> Iterable[str]:
    called = f"the rule {shown(rule.name)}"
    if guard == NEVER:
        yield f"{called} never matches"
        return
    if rule.deny is not None and any(
        effect is not None
        for effect in (rule.tier, rule.floor, rule.ceiling, rule.add64, rule.keeps)
    ):
        yield f"{called} denies, which ends the decision: its other effects never apply"
        return
    if rule.floor == first and first:
        yield f"{called} raises to {shown(first)}, the lowest tier"
    if rule.ceiling == last and last:
        yield f"{called} lowers to {shown(last)}, the highest tier"
    if rule.add64 == 0:
        yield f"{called} adds nothing (points are rounded to 1/64)"
    if rule.keeps is not None and all(keep == ALWAYS for keep in rule.keeps):
        yield f"{called} requires what every target has"


def check_dimensions(
    spec: Spec, dimensions: Sequence[TypedDimension], own: SourceFile
) -> Iterable[Diagnostic]:
    """Dimensions that add nothing to any score."""
    written = {one.shown: one.item.name for one in spec.dimensions}
    for dimension in dimensions:
        value = dimension.value
        is_void = dimension.weight64 == 0 or (value is not None and value.type.high <= 0)
        if is_void and dimension.span.file is own:
            yield Diagnostic(
                code=WITHOUT_EFFECT,
                message=f"the dimension {shown(dimension.name)} adds nothing to any score",
                span=written[dimension.name].span,
                help="remove it, or correct its weight or value",
            )


def check_fallbacks(
    spec: Spec,
    targets: Sequence[TypedTarget],
    rules: Sequence[TypedRule],
) -> Iterable[Diagnostic]:
    """Positions in chains that no request attempts: an unconditional requirement drops them."""
    dropped: dict[str, TypedRule] = {}
    for rule in rules:
        if rule.keeps is not None and residue(rule.guard) == ALWAYS:
            for target, keep in zip(targets, rule.keeps, strict=True):
                if keep == NEVER:
                    dropped.setdefault(target.name, rule)
    written = {one.shown: one for one in spec.rules}
    for tier in spec.tiers:
        for name in tier.chain:
            found = dropped.get(name.value)
            if found is not None:
                yield Diagnostic(
                    code=DEAD_FALLBACK,
                    message=f"{shown(name.value)} is never tried: {shown(found.name)} always "
                    f"requires {shown(found.require_source)}",
                    span=name.span,
                    help="remove it from the chain, or give the rule a condition",
                    labels=(_place(written[found.name]),),
                )


def _place(rule: Sourced[Rule]) -> Label:
    return Label(span=rule.item.name.span, message="required here")


def check_emptiness(
    spec: Spec, tiers: Sequence[TypedTier], targets: Sequence[TypedTarget]
) -> Iterable[Diagnostic]:
    """Without `otherwise`: tiers whose whole chain lacks what another target could serve.

    Requests are taken to need any set of capabilities in any tier. Whether a rule's requirement
    can empty a chain is not looked for.
    """
    if spec.otherwise is not None:
        return
    by_name = {target.name: target for target in targets}
    for written, tier in zip(spec.tiers, tiers, strict=True):
        chain = [by_name[name] for name in tier.chain]
        # What the most able targets serve covers what the others do.
        for able in targets:
            if not any(_serves(target, able) for target in chain):
                lacking = _lacking(chain, able)
                yield Diagnostic(
                    code=CHAIN_MAY_BE_EMPTY,
                    message=f"a request in tier {shown(tier.name)} that needs {lacking} has no "
                    f"target left, though {shown(able.name)} could serve it",
                    span=written.name.span,
                    help="add `otherwise: escalate` to go on with other tiers, or "
                    "`otherwise: deny`",
                )
                break


def _serves(target: TypedTarget, other: TypedTarget) -> bool:
    """Whether `target` can serve every request that `other` can."""
    needed = [name for name in other.capabilities if name in NEEDED]
    return target.context >= other.context and all(n in target.capabilities for n in needed)


def _lacking(chain: Sequence[TypedTarget], able: TypedTarget) -> str:
    """What `able` has and no single target of the chain does, in words."""
    missing = [
        name
        for name in CAPABILITIES
        if name in NEEDED
        and name in able.capabilities
        and not all(name in target.capabilities for target in chain)
    ]
    words = [listed(missing, "and")] if missing else []
    if any(target.context < able.context for target in chain):
        words.append(f"a window of {able.context} tokens")
    return " and ".join(words)
