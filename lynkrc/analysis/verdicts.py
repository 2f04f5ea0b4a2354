"""Assertions to verdicts: proved, refuted with a witness, or unknown.

Whoever asks shows the witness to the reference interpreter (`lynkrc.analysis.replay`): the solver's
word alone is no refutation.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from types import MappingProxyType
from typing import final

import z3

from lynkrc.analysis.amounts import Amount, cost, latency
from lynkrc.analysis.claims import Claims
from lynkrc.analysis.encode import Encoder
from lynkrc.analysis.encoded import Encoded
from lynkrc.analysis.known import known_of
from lynkrc.analysis.logic import all_of
from lynkrc.analysis.solver import Answer, Found, Impossible, Solver, Unknown
from lynkrc.analysis.study import Study
from lynkrc.analysis.symbols import changed
from lynkrc.ir.assertion import Assertion, Kind
from lynkrc.ir.domain import Point
from lynkrc_runtime.decide import Outcome


class Status(Enum):
    """What is known of an assertion."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One assertion's verdict.

    `points` are what refutes it, or what shows that `reachable` holds: one request, for monotone
    two, the one with the lesser value first. `reason` is why nothing is known. `worst` is, of a
    bound, the most that was found to occur, in its unit; `is_exact` that nothing exceeds it.
    """

    assertion: Assertion
    status: Status
    points: tuple[Point, ...] = ()
    reason: str = ""
    worst: Fraction | None = None
    is_exact: bool = False


def decide(study: Study, assertion: Assertion) -> Verdict:
    """The verdict on one assertion but `same_as`, which is about two tables (ValueError)."""
    return _DECIDERS[assertion.kind](study, assertion)


def another(study: Study, assertion: Assertion, given: Mapping[int, int]) -> tuple[Point, ...]:
    """Other points that refute the assertion or show it, with these values of variables.

    Nothing where there are none, or none are found; two for monotone, which have the values in
    common but for the feature that it is about.
    """
    if assertion.kind is Kind.MONOTONE:
        answer = _sinking(study, assertion, given)
    else:
        fixed = [study.symbols.ints[variable] == value for variable, value in given.items()]
        answer = study.solver.smallest(*fixed, _speaks(study, assertion))
    return answer.points if isinstance(answer, Found) else ()


def _speaks(study: Study, assertion: Assertion) -> z3.BoolRef:
    """That a request refutes the assertion, or shows that what is claimed to be reachable is."""
    match assertion.kind:
        case Kind.NEVER | Kind.ALWAYS | Kind.REACHABLE:
            return Claims(study).against(assertion)
        case Kind.MAX_COST_USD | Kind.MAX_LATENCY:
            return _AMOUNTS[assertion.kind](study.encoded).over(Fraction(assertion.amount or 0))
        case Kind.MONOTONE | Kind.SAME_AS:
            raise ValueError(f"{assertion.source} is not about one request")


# -- never, always, reachable ----------------------------------------------------------------------


def _refute(study: Study, assertion: Assertion) -> Verdict:
    answer = study.solver.smallest(_speaks(study, assertion))
    return _verdict(assertion, answer, found=Status.REFUTED, impossible=Status.PROVED)


def _show(study: Study, assertion: Assertion) -> Verdict:
    answer = study.solver.smallest(_speaks(study, assertion))
    return _verdict(assertion, answer, found=Status.PROVED, impossible=Status.REFUTED)


def _verdict(assertion: Assertion, answer: Answer, *, found: Status, impossible: Status) -> Verdict:
    match answer:
        case Found(points=points):
            return Verdict(assertion=assertion, status=found, points=points)
        case Impossible():
            return Verdict(assertion=assertion, status=impossible)
        case Unknown(reason=reason):
            return Verdict(assertion=assertion, status=Status.UNKNOWN, reason=reason)


# -- bounds ----------------------------------------------------------------------------------------


def _bound(study: Study, assertion: Assertion) -> Verdict:
    amount = _AMOUNTS[assertion.kind](study.encoded)
    answer = study.solver.smallest(_speaks(study, assertion))
    verdict = _verdict(assertion, answer, found=Status.REFUTED, impossible=Status.PROVED)
    unpriced = study.solver.ask(amount.unknown)
    if verdict.status is Status.PROVED and not isinstance(unpriced, Impossible):
        if isinstance(unpriced, Unknown):
            reason = unpriced.reason
        else:
            reason = f"{_unpriced(study)}: state it under `price`"
        return Verdict(assertion=assertion, status=Status.UNKNOWN, reason=reason)
    worst, is_exact = most(study.solver, amount)
    return Verdict(
        assertion=assertion,
        status=verdict.status,
        points=verdict.points,
        reason=verdict.reason,
        worst=worst,
        is_exact=is_exact and isinstance(unpriced, Impossible),
    )


def _unpriced(study: Study) -> str:
    """Which targets without a price can be attempted, in words."""
    names = [
        target.name
        for target in study.table.targets
        if target.price is None
        and isinstance(study.solver.ask(study.encoded.attempted[target.id]), Found)
    ]
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    have, each = ("have", "each") if len(names) > 1 else ("has", "it")
    return f"{listed} {have} no price, and {each} can be attempted"


def most(solver: Solver, amount: Amount) -> tuple[Fraction, bool]:
    """The greatest amount that is known to occur, and whether the solver could tell that no other
    known one exceeds it.
    """
    low, high = 0, amount.most  # some request comes to `low`, none to more than `high`
    while low < high:
        middle = (low + high + 1) // 2
        match solver.ask(amount.known, amount.total >= middle):
            case Found():
                low = middle
            case Impossible():
                high = middle - 1
            case Unknown():
                return Fraction(low, amount.scale), False
    return Fraction(low, amount.scale), True


# -- monotone --------------------------------------------------------------------------------------


def _monotone(study: Study, assertion: Assertion) -> Verdict:
    """Two requests that differ in one feature: the larger is never in a lower tier."""
    answer = _sinking(study, assertion, {})
    return _verdict(assertion, answer, found=Status.REFUTED, impossible=Status.PROVED)


def _sinking(study: Study, assertion: Assertion, given: Mapping[int, int]) -> Answer:
    """The pair that refutes monotone; `given` are values that the two have in common."""
    if assertion.feature is None:
        raise ValueError(f"{assertion.source} names no feature")
    variable = study.claims.variables[assertion.feature]
    lesser, greater = study.symbols, changed(study.symbols, {variable: "greater "})
    other = Encoder(
        study.table,
        greater,
        study.domain.views[0],
        tag="greater ",
        before=study.encoded.definitions,
    ).encode()
    known = [
        *study.known,
        *other.definitions,
        *known_of(greater, (study.table,), tag="greater ").constraints,
    ]
    solver = Solver([lesser, greater], known, rlimit=study.rlimit)
    tiers = range(len(study.table.tiers))
    sinks = [all_of(study.encoded.tier[k], other.tier[below]) for k in tiers for below in range(k)]
    return solver.smallest(
        *(lesser.ints[one] == value for one, value in given.items() if one != variable),
        lesser.ints[variable] < greater.ints[variable],
        *(one.outcome[Outcome.ROUTE] for one in (study.encoded, other)),
        *(one.has_tier for one in (study.encoded, other)),
        study.encoded.formulas.some(sinks),
    )


def _other_spec(study: Study, assertion: Assertion) -> Verdict:
    raise ValueError(f"{assertion.source} is about two tables, {study.table.name} and another")


_AMOUNTS: Mapping[Kind, Callable[[Encoded], Amount]] = MappingProxyType(
    {Kind.MAX_COST_USD: cost, Kind.MAX_LATENCY: latency}
)

_DECIDERS: Mapping[Kind, Callable[[Study, Assertion], Verdict]] = MappingProxyType(
    {
        Kind.NEVER: _refute,
        Kind.ALWAYS: _refute,
        Kind.REACHABLE: _show,
        Kind.MAX_COST_USD: _bound,
        Kind.MAX_LATENCY: _bound,
        Kind.MONOTONE: _monotone,
        Kind.SAME_AS: _other_spec,
    }
)
