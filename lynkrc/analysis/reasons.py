"""A dead duty to why no request calls for it: the least set of rules, tests or needs."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, final

import z3

from lynkrc.analysis.covers import least
from lynkrc.analysis.duties import Act, atoms_in
from lynkrc.analysis.logic import implies, not_
from lynkrc.analysis.solver import Solver
from lynkrc.analysis.study import Study
from lynkrc.ir.guard import And, BoolConst, Guard, Not, Or
from lynkrc.ir.table import Chain, Need, Rule, TargetId
from lynkrc.source.text import Span

PINS: Literal["pins"] = "pins"
"""Requested names that take the place of the tier and its rules."""

Coverer: TypeAlias = Rule | Literal["pins"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """Why a target is not in what is left of a chain: the rules and the needs that drop it."""

    rules: tuple[Rule, ...]
    needs: tuple[Need, ...]


def cover(study: Study, first: Solver, rule: Rule, act: Act) -> tuple[Coverer, ...]:
    """Who takes this act from a rule wherever it matches; empty where that is not so.

    Those that end the decision, those of the same effect that stand before it, and pins.
    """
    e = study.encoded
    taking: list[tuple[Coverer, z3.BoolRef]] = []
    for other in study.table.rules:
        if other is not rule and _takes(other, act, is_before=other.id < rule.id):
            taking.append((other, not_(e.matches[other.id])))
    if act in (Act.TIER, Act.CHAIN, Act.RAISES, Act.ADDS):
        taking.append((PINS, not_(e.pinned)))
    return least(first, [e.matches[rule.id]], taking) or ()


def _takes(other: Rule, act: Act, *, is_before: bool) -> bool:
    """Whether, where it matches too, another rule keeps one from its act."""
    if act is Act.DENIES:
        return is_before and other.deny is not None
    if other.deny is not None:
        return True
    if act is Act.ANSWERS:
        return is_before and other.respond is not None
    if other.respond is not None:
        return True
    effects = {Act.TIER: other.tier, Act.CHAIN: other.chain, Act.PREFERS: other.prefer}
    return is_before and effects.get(act) is not None


def contradiction(study: Study, first: Solver, rule: Rule) -> tuple[Span, ...]:
    """The parts of a condition that exclude each other, by where they are written."""
    guard = rule.guard
    if not isinstance(guard, And):
        return ()
    f = study.encoded.formulas
    parts = [(span_of(part), f.holds(part)) for part in guard.operands]
    found = least(first, [], parts) or ()
    return tuple(span for span in found if span is not None)


def exclusion(study: Study, chain: Chain, target: TargetId) -> Excluded | None:
    """What drops a target from a chain in every request that comes to it."""
    e, f = study.encoded, study.encoded.formulas
    conditions: list[tuple[Rule | Need, z3.BoolRef]] = []
    for rule in study.table.rules:
        for keep in rule.require or ():
            if keep.target == target:
                stays = implies(e.matches[rule.id], f.holds(keep.guard))
                conditions.append((rule, stays))
    for need, present in zip(study.table.needs, e.needs, strict=True):
        if target not in need.met_by:
            conditions.append((need, not_(present)))
    found = least(study.solver, [e.final[chain.id]], conditions)
    if found is None:
        return None
    return Excluded(
        rules=tuple(one for one in found if isinstance(one, Rule)),
        needs=tuple(one for one in found if isinstance(one, Need)),
    )


def span_of(guard: Guard) -> Span | None:
    """From the first to the last of a guard's tests that stand in one file."""
    spans = [
        one.span
        for one in atoms_in(guard)
        if not isinstance(one, BoolConst | Not | And | Or) and one.span is not None
    ]
    if not spans:
        return None
    first = spans[0]
    beside = [one for one in spans if one.file is first.file]
    start, end = min(one.start for one in beside), max(one.end for one in beside)
    return Span(file=first.file, start=start, end=end)
