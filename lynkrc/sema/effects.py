"""Typed rules, dimensions and chains to the findings about what can have no effect.

Everything here is read off the structure: equal guards, constant guards, requirements that a
target's facts decide. What needs a proof over guards is not looked for.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import final

from lynkrc.diagnostics.model import Diagnostic, Fix, Label
from lynkrc.diagnostics.sema_codes import (
    CONTRADICTORY,
    DEAD_FALLBACK,
    FLOOR_OVER_CEILING,
    REQUIREMENT_UNMET,
    SHADOWED_RULE,
    WITHOUT_EFFECT,
)
from lynkrc.diagnostics.wording import shown
from lynkrc.sema.chains import STRATEGIES
from lynkrc.sema.merge import Sourced, Spec
from lynkrc.sema.partial import residue
from lynkrc.sema.typed import ALWAYS, NEVER, Bool
from lynkrc.sema.typed_config import (
    TypedAssertion,
    TypedDimension,
    TypedRule,
    TypedTarget,
    TypedTier,
)
from lynkrc.sema.types import FixedType
from lynkrc.sema.walk import features_in
from lynkrc.source.fixes import fix_of
from lynkrc.source.parts import removal
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.config import Rule


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
        end = covers.end_of(i) if _adds_up(rule) and guards[i] != NEVER else None
        if end is not None:
            yield Diagnostic(
                code=WITHOUT_EFFECT,
                message=f"the rule {shown(rule.name)} has no effect: {shown(end.name)} matches "
                "whenever it does, and ends the decision",
                span=name,
                help="remove one of the two, or give the one that ends it a narrower condition",
                labels=(Label(span=written[end.name].item.name.span, message="this one"),),
            )
        if rule.keeps and all(keep == NEVER for keep in rule.keeps) and guards[i] != NEVER:
            yield Diagnostic(
                code=REQUIREMENT_UNMET,
                message=f"no target meets what the rule {shown(rule.name)} requires: "
                f"{shown(rule.require_source)}",
                span=name,
                help="correct it, add such a target, or say it with `deny`",
            )
        if guards[i] == NEVER:
            yield Diagnostic(
                code=WITHOUT_EFFECT if not _effects(rule) - {"prefer"} else CONTRADICTORY,
                message=f"the rule {shown(rule.name)} never matches",
                span=name,
                help="correct the condition, or remove the rule",
            )
            continue
        for what in _void_effects(rule, first, last):
            yield Diagnostic(code=WITHOUT_EFFECT, message=what, span=name, help="remove it")


@final
class _Covers:
    """Who has an effect first with each guard: an index, so that ten thousand rules take no square.

    Of the effects of `_FIRST_MATCH` only the first match counts. What ends the decision does so
    before anything else, wherever it is written: a denial before an answer, either before a tier.
    """

    def __init__(self, rules: Sequence[TypedRule], guards: Sequence[Bool]) -> None:
        self._rules = rules
        self._guards = guards
        self._first: dict[tuple[Bool, str], int] = {}
        for i, (rule, guard) in enumerate(zip(rules, guards, strict=True)):
            for effect in _effects(rule):
                self._first.setdefault((guard, effect), i)

    def of(self, index: int) -> TypedRule | None:
        """A rule that, alone or with others, takes every effect of the rule at `index`."""
        rule = self._rules[index]
        if _adds_up(rule):
            return None
        end = self.end_of(index)
        if end is not None:
            return end
        guards = (ALWAYS, self._guards[index])
        takers: list[int] = []
        for effect in _effects(rule):
            earlier = [i for guard in guards if (i := self._first.get((guard, effect))) is not None]
            if not earlier or min(earlier) >= index:
                return None
            takers.append(min(earlier))
        return self._rules[max(takers)] if takers else None

    def end_of(self, index: int) -> TypedRule | None:
        """A rule that ends the decision before the rule at `index` has any effect."""
        guards = (ALWAYS, self._guards[index])
        for effect in _FIRST_MATCH[: _ending(self._rules[index])]:
            ends = [i for guard in guards if (i := self._first.get((guard, effect))) is not None]
            if ends:
                return self._rules[min(ends)]
        return None


_FIRST_MATCH = ("deny", "respond", "tier", "chain", "prefer")
"""Effects of which the first matching rule's counts, in the order of the decision's steps."""

_OPEN = 2
"""Those before it end the decision."""


def _effects(rule: TypedRule) -> set[str]:
    """The effects of `_FIRST_MATCH` that a rule has, without those after one that ends."""
    has = (rule.deny, rule.respond, rule.tier, rule.chain, rule.prefer)
    written = [name for name, effect in zip(_FIRST_MATCH, has, strict=True) if effect is not None]
    return set(written if _ending(rule) == _OPEN else written[:1])


def _adds_up(rule: TypedRule) -> bool:
    """Whether the rule has an effect that counts beside those of other rules."""
    return (
        rule.floor is not None
        or rule.ceiling is not None
        or rule.add64 is not None
        or rule.keeps is not None
    )


def _ending(rule: TypedRule) -> int:
    """Where in `_FIRST_MATCH` the rule ends the decision; `_OPEN` where it does not."""
    return 0 if rule.deny is not None else 1 if rule.respond is not None else _OPEN


def _void_effects(rule: TypedRule, first: str, last: str) -> Iterable[str]:
    called = f"the rule {shown(rule.name)}"
    later = (rule.tier, rule.floor, rule.ceiling, rule.add64, rule.keeps, rule.chain, rule.prefer)
    ends = rule.deny is not None or rule.respond is not None
    if ends and any(effect is not None for effect in later):
        verb = "denies" if rule.deny is not None else "answers"
        yield f"{called} {verb}, which ends the decision: its other effects never apply"
        return
    if rule.deny is not None and rule.respond is not None:
        yield f"{called} denies, so it never answers"
    if rule.floor == first and first:
        yield f"{called} raises to {shown(first)}, the lowest tier"
    if rule.ceiling == last and last:
        yield f"{called} lowers to {shown(last)}, the highest tier"
    if rule.add64 == 0:
        yield f"{called} adds nothing (points are rounded to 1/64)"
    if rule.keeps is not None and all(keep == ALWAYS for keep in rule.keeps):
        yield f"{called} requires what every target has"


def check_floors(
    spec: Spec, rules: Sequence[TypedRule], tiers: Sequence[TypedTier], own: SourceFile
) -> Iterable[Diagnostic]:
    """Floors above the ceiling of a rule that matches whenever they do, or the other way round.

    The ceiling wins, so such a floor raises less than it says. One finding a floor.
    """
    rank = {tier.name: i for i, tier in enumerate(tiers)}
    written = {one.shown: one.item.name.span for one in spec.rules}
    guards = [residue(rule.guard) for rule in rules]
    lowest: dict[Bool, TypedRule] = {}
    least: TypedRule | None = None
    for rule, guard in zip(rules, guards, strict=True):
        if rule.ceiling is None or guard == NEVER or _ending(rule) != _OPEN:
            continue
        least = _lower(least, rule, rank)
        lowest[guard] = _lower(lowest.get(guard), rule, rank)
    for rule, guard in zip(rules, guards, strict=True):
        if rule.floor is None or guard == NEVER or _ending(rule) != _OPEN:
            continue
        beside = (least,) if guard == ALWAYS else (lowest.get(ALWAYS), lowest.get(guard))
        for other in beside:
            if (
                other is not None
                and other.ceiling is not None
                and rank[other.ceiling] < rank[rule.floor]
                and own in (rule.span.file, other.span.file)
            ):
                which = "its own ceiling" if other is rule else f"that of {shown(other.name)}"
                yield Diagnostic(
                    code=FLOOR_OVER_CEILING,
                    message=f"the floor {shown(rule.floor)} of {shown(rule.name)} is over "
                    f"{which}, {shown(other.ceiling)}: where both match, the ceiling wins",
                    span=written[rule.name if rule.span.file is own else other.name],
                    help="lower the floor, raise the ceiling, or give one of them a condition",
                    labels=()
                    if other is rule
                    else (
                        Label(
                            span=written[other.name if rule.span.file is own else rule.name],
                            message="the other rule",
                        ),
                    ),
                )
                break


def _lower(first: TypedRule | None, second: TypedRule, rank: Mapping[str, int]) -> TypedRule:
    """Of two rules with ceilings that with the lower one, the first where they are equal."""
    if first is None or first.ceiling is None or second.ceiling is None:
        return second
    return second if rank[second.ceiling] < rank[first.ceiling] else first


def check_weights(
    spec: Spec,
    rules: Sequence[TypedRule],
    dimensions: Sequence[TypedDimension],
    assertions: Sequence[TypedAssertion],
    used_lexicons: Collection[str],
) -> Iterable[Diagnostic]:
    """Lexicons of the document with weights that nothing reads: only `points` and `terms` do.

    One that is unused as a whole is told of elsewhere.
    """
    read: set[str] = set()
    expressions = [expr for rule in rules for expr in (rule.guard, *(rule.keeps or ()))]
    conditions = [one.condition for one in assertions if one.condition is not None]
    values = [one.value for one in dimensions if one.value is not None]
    for expr in (*expressions, *conditions, *values):
        read |= {one.args[1] for one in features_in(expr) if one.name == "points"}
    leaves = [one.terms for one in dimensions] + [one.feature for one in assertions]
    read |= {one.args[1] for one in leaves if one is not None and one.name == "points"}
    for lexicon in spec.lexicons:
        weighted = any(entry.weighted for entry in lexicon.item.entries)
        if lexicon.origin or lexicon.name not in used_lexicons:
            continue
        if weighted and lexicon.shown not in read:
            yield Diagnostic(
                code=WITHOUT_EFFECT,
                message=f"the weights of {shown(lexicon.name)} have no effect: nothing reads them",
                span=lexicon.item.name.span,
                help=f"read them with `points(ask, {lexicon.name})` or `terms: {lexicon.name}`, "
                "or write the entries as a list",
            )


def check_preferences(
    spec: Spec, rules: Sequence[TypedRule], tiers: Sequence[TypedTier], own: SourceFile
) -> Iterable[Diagnostic]:
    """Rules whose `prefer` changes the order of no chain, and picks that have nothing to order.

    Of the last that prefers alone: the others may keep a later one from requests of theirs.
    """
    chains = [tier.chain for tier in tiers]
    chains += [rule.chain for rule in rules if rule.chain is not None]
    has_groups = any(len(group) > 1 for chain in chains for group in chain.groups)
    preferring = [one for one in spec.rules if one.item.prefer is not None]
    for one in preferring[-1:]:
        prefer = one.item.prefer
        if prefer is None or prefer.span.file is not own:
            continue
        what = None
        if prefer.value in STRATEGIES and not has_groups:
            what = f"no chain has a group that {shown(prefer.value)} could order"
        elif prefer.value not in STRATEGIES and all(
            chain.targets[:1] == (prefer.value,) or prefer.value not in chain.targets
            for chain in chains
        ):
            what = f"{shown(prefer.value)} is no fallback in any chain"
        if what is not None:
            yield Diagnostic(
                code=WITHOUT_EFFECT,
                message=f"the rule {shown(one.name)} prefers to no effect: {what}",
                span=prefer.span,
                help="a group is an inner list, as in `chain: [[a, b], c]`"
                if prefer.value in STRATEGIES
                else "remove it, or add the target to a chain",
            )


def check_dimensions(
    spec: Spec, dimensions: Sequence[TypedDimension], own: SourceFile
) -> Iterable[Diagnostic]:
    """Dimensions that add nothing to any score."""
    written = {one.shown: one.item.name for one in spec.dimensions}
    for dimension in dimensions:
        value = dimension.value
        terms = None if dimension.terms is None else dimension.terms.type
        is_void = (
            dimension.weight64 == 0
            or (value is not None and value.type.high <= 0)
            or (isinstance(terms, FixedType) and terms.low == terms.high == 0)
        )
        if is_void and dimension.span.file is own:
            yield Diagnostic(
                code=WITHOUT_EFFECT,
                message=f"the dimension {shown(dimension.name)} adds nothing to any score",
                span=written[dimension.name].span,
                help="remove it, or correct its weight or value",
                fix=_removed(written[dimension.name].span),
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
    ruled = [one.item.chain for one in spec.rules if one.item.chain is not None]
    for chain in (*(tier.chain for tier in spec.tiers), *ruled):
        for name in chain.targets:
            found = dropped.get(name.value)
            if found is not None:
                yield Diagnostic(
                    code=DEAD_FALLBACK,
                    message=f"{shown(name.value)} is never tried: {shown(found.name)} always "
                    f"requires {shown(found.require_source)}",
                    span=name.span,
                    help="remove it from the chain, or give the rule a condition",
                    fix=_removed(name.span),
                    labels=(_place(written[found.name]),),
                )


def _removed(at: Span) -> Fix | None:
    edit = removal(at)
    return None if edit is None else fix_of(edit, "remove it", safe=False)


def _place(rule: Sourced[Rule]) -> Label:
    return Label(span=rule.item.name.span, message="required here")
