"""Rules whose effects no request calls for to findings, with the least set of rules to blame."""

from collections.abc import Iterator, Sequence

from lynkrc.analysis.asked import Asked, Undecided, extent_of, place_of
from lynkrc.analysis.duties import Act, acts_of
from lynkrc.analysis.duty_seen import Seen
from lynkrc.analysis.logic import any_of
from lynkrc.analysis.reasons import PINS, Coverer, contradiction, cover
from lynkrc.analysis.solver import Found, Unknown
from lynkrc.diagnostics.model import Diagnostic, Label
from lynkrc.diagnostics.sema_codes import (
    CONTRADICTORY,
    FLOOR_OVER_CEILING,
    SHADOWED_RULE,
    WITHOUT_EFFECT,
)
from lynkrc.diagnostics.wording import listed, shown
from lynkrc.ir.table import Rule

_FIRST_MATCH = (Act.DENIES, Act.ANSWERS, Act.TIER, Act.CHAIN)
"""Of which only the first matching rule counts, and a rule that is never the first is an error."""

_WHY = {
    Act.RAISES: "its floor raises no request",
    Act.LOWERS: "its ceiling lowers no request",
    Act.ADDS: "its points change the tier of no request",
    Act.DROPS: "its requirement drops no target of any chain it meets",
    Act.PREFERS: "its preference changes the order of no request",
}


def rule_findings(asked: Asked) -> Iterator[Diagnostic]:
    """One finding a rule and code at most."""
    skipped = {Act.ADDS} if asked.is_score_idle else set()
    for rule in asked.study.table.rules:
        if rule.span.file.path != asked.own:
            continue
        if asked.is_dead(Act.MATCHES, rule.id):
            yield from _contradictory(asked, rule)
            continue
        acts = list(acts_of(rule))
        dead = [act for act in acts if asked.is_dead(act, rule.id)]
        first = [act for act in dead if act in _FIRST_MATCH]
        if first:
            yield from _shadowed(asked, rule, first, is_all=len(dead) == len(acts))
        others = [act for act in dead if act in _WHY and act not in skipped]
        if others and not (first and len(dead) == len(acts)):
            yield from _without_effect(asked, rule, others)


def _contradictory(asked: Asked, rule: Rule) -> Iterator[Diagnostic]:
    decides = any(act in _FIRST_MATCH for act in acts_of(rule))
    code = CONTRADICTORY if decides else WITHOUT_EFFECT
    if asked.is_told(code, extent_of(rule)):
        return
    spans = contradiction(asked.study, asked.first, rule)
    labels = [
        Label(span=span, message="this" if i == 0 else "and this exclude each other")
        for i, span in enumerate(spans)
    ]
    if len(spans) > 2:
        labels = [
            Label(span=span, message="one of those that exclude one another") for span in spans
        ]
    if len(spans) == 1:
        labels = [Label(span=spans[0], message="no request is like this")]
    yield Diagnostic(
        code=code,
        message=f"the rule {shown(rule.name)} never matches: no request meets its condition",
        span=place_of(rule),
        help="correct the condition, or remove the rule",
        labels=tuple(labels),
    )


def _shadowed(
    asked: Asked, rule: Rule, acts: Sequence[Act], *, is_all: bool
) -> Iterator[Diagnostic]:
    if asked.is_told(SHADOWED_RULE, extent_of(rule)):
        return
    covers = dict.fromkeys(
        one for act in acts for one in cover(asked.study, asked.first, rule, act)
    )
    what = f"the rule {shown(rule.name)}"
    if not is_all:
        what = f"{listed((act.value for act in acts), 'and')} of {what}"
    yield Diagnostic(
        code=SHADOWED_RULE,
        message=f"{what} never {'decides' if is_all or len(acts) == 1 else 'decide'}: wherever it "
        f"matches, {_who(tuple(covers))} first",
        span=place_of(rule),
        help="put the narrower rule first, or remove one",
        labels=_labels(tuple(covers)),
    )


def _without_effect(asked: Asked, rule: Rule, acts: Sequence[Act]) -> Iterator[Diagnostic]:
    if asked.is_told(WITHOUT_EFFECT, extent_of(rule)):
        return
    covers = cover(asked.study, asked.first, rule, acts[0])
    why = ", and ".join(_WHY[act] for act in acts)
    if covers:
        why = f"wherever it matches, {_who(covers)} first"
    yield Diagnostic(
        code=WITHOUT_EFFECT,
        message=f"the rule {shown(rule.name)} has no effect: {why}"
        if len(acts) == len(list(acts_of(rule)))
        else f"{listed((act.value for act in acts), 'and')} of the rule {shown(rule.name)} "
        f"{'has' if len(acts) == 1 else 'have'} no effect: {why}",
        span=place_of(rule),
        help="remove it, or correct the condition or the value",
        labels=_labels(covers),
    )


def _who(covers: Sequence[Coverer]) -> str:
    names = [shown(one.name) for one in covers if one != PINS and isinstance(one, Rule)]
    if PINS in covers:
        names.append("a requested name that stands for a tier or target")
    if not names:
        return "others come"
    if len(names) == 1:
        return f"{names[0]} comes"
    return f"{', '.join(names[:-1])} or {names[-1]} comes"


def _labels(covers: Sequence[Coverer]) -> tuple[Label, ...]:
    return tuple(
        Label(span=place_of(one), message="this one" if len(covers) == 1 else "one of them")
        for one in covers
        if isinstance(one, Rule)
    )


def floor_findings(asked: Asked) -> Iterator[Diagnostic | Undecided]:
    """Floors over the ceiling of a rule that can match with them. One finding a floor."""
    study, table = asked.study, asked.study.table
    for rule in table.rules:
        lower = [
            other
            for other in table.rules
            if rule.floor is not None
            and other.ceiling is not None
            and other.ceiling < rule.floor
            and asked.own in (rule.span.file.path, other.span.file.path)
        ]
        if not lower:
            continue
        matches = study.encoded.matches
        either = any_of(*(matches[other.id] for other in lower))
        answer = asked.first.ask(asked.formulas.unpinned, matches[rule.id], either)
        if isinstance(answer, Unknown):
            yield Undecided(what=f"the floor of {shown(rule.name)}", span=place_of(rule))
        if not isinstance(answer, Found):
            continue
        seen = Seen(table, study.vector(answer.points[0]))
        both = [other for other in lower if other.id in seen.matches]
        yield from _floor_over(asked, rule, min(both, key=lambda one: (one.ceiling or 0, one.id)))


def _floor_over(asked: Asked, rule: Rule, other: Rule) -> Iterator[Diagnostic]:
    assert rule.floor is not None and other.ceiling is not None
    own, beside = (rule, other) if rule.span.file.path == asked.own else (other, rule)
    if asked.is_told(FLOOR_OVER_CEILING, extent_of(own)):
        return
    tiers = asked.study.table.tiers
    which = "its own ceiling" if other is rule else f"that of {shown(other.name)}"
    yield Diagnostic(
        code=FLOOR_OVER_CEILING,
        message=f"the floor {shown(tiers[rule.floor].name)} of {shown(rule.name)} is over {which}, "
        f"{shown(tiers[other.ceiling].name)}: where both match, the ceiling wins",
        span=place_of(own),
        help="lower the floor, raise the ceiling, or give one of them a condition",
        labels=() if other is rule else (Label(span=place_of(beside), message="the other rule"),),
    )
