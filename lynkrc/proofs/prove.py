"""The assertions of a table to proofs: verdicts whose witnesses were replayed.

What the solver finds is shown to the reference interpreter as a vector, then built into a whole
request and read back by the code that serves. A witness the interpreter does not confirm refutes
nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias, final

from lynkrc.analysis.study import Study
from lynkrc.analysis.verdicts import Status, Verdict, another, decide
from lynkrc.interp.assertions import Claim, Decided, decided
from lynkrc.interp.trace import Trace, trace
from lynkrc.ir.assertion import Assertion, Kind
from lynkrc.ir.domain import Point
from lynkrc.testing.realise import Realise, Shows, realised
from lynkrc.testing.synthesize import Synthesized

Compare: TypeAlias = Callable[[Assertion], Verdict]
"""Decides `same_as`, which needs another table."""

UNCONFIRMED = (
    "the solver's witness is not confirmed by the reference interpreter: this is a mistake of "
    "lynkrc's, please report it"
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A request that shows something: its point, what is decided of it, and the request itself.

    Where a request was built, the point is what was read back of it, else the solver's. `plain` is
    what the plainest request has. `targets` are the attempted ones it shows it with, by name; none
    where no target is read.
    """

    point: Point
    plain: Point
    trace: Trace
    targets: tuple[str, ...]
    request: Synthesized


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """An assertion, its verdict and the witnesses of it (for monotone two, the lesser first)."""

    verdict: Verdict
    witnesses: tuple[Witness, ...]

    @property
    def assertion(self) -> Assertion:
        """What was asked."""
        return self.verdict.assertion

    @property
    def status(self) -> Status:
        """The verdict in a word."""
        return self.verdict.status

    @property
    def realised(self) -> bool:
        """Whether a whole request was built for every witness."""
        return all(witness.request.realised for witness in self.witnesses)

    @property
    def word(self) -> str:
        """``refuted (request)``, ``refuted (vector only)``, ``proved``, ``unknown``."""
        if self.status is not Status.REFUTED or not self.witnesses:
            return self.status.value
        return f"{self.status.value} ({'request' if self.realised else 'vector only'})"

    @property
    def waived(self) -> bool:
        """Whether the verdict is unknown and the author has said why that may pass."""
        return self.status is Status.UNKNOWN and self.assertion.waive is not None

    @property
    def holds(self) -> bool:
        """Whether the build may go on."""
        return self.status is Status.PROVED or self.waived


def prove(
    subject: Study,
    realise: Realise,
    compare: Compare,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Proof, ...]:
    """A proof for each assertion of the study, in the order written."""
    found = []
    for assertion in subject.assertions.items:
        progress(assertion.source)
        if assertion.kind is Kind.SAME_AS:
            found.append(Proof(verdict=compare(assertion), witnesses=()))
        else:
            found.append(_replayed(subject, decide(subject, assertion), realise))
    return tuple(found)


def _replayed(subject: Study, verdict: Verdict, realise: Realise) -> Proof:
    if not verdict.points:
        return Proof(verdict=verdict, witnesses=())
    claim = Claim(subject.table, subject.assertions, verdict.assertion, subject.domain)

    def decision(point: Point) -> Decided:
        return decided(subject.table, subject.vector(point))

    if verdict.assertion.kind is Kind.MONOTONE:
        lesser, greater = verdict.points
        if not claim.sinks((lesser, decision(lesser)), (greater, decision(greater))):
            return Proof(verdict=_unknown(verdict, UNCONFIRMED), witnesses=())
        # Each of the two must be exactly itself: they differ in one feature alone.
        witnesses = tuple(
            _witness(subject, point, (), realise(point, _exactly(point)))
            for point in verdict.points
        )
    else:
        (point,) = verdict.points
        if not claim.breaks(point, decision(point)):
            return Proof(verdict=_unknown(verdict, UNCONFIRMED), witnesses=())
        point, request = realised(
            point,
            realise,
            lambda other: bool(claim.breaks(other, decision(other))),
            lambda given: another(subject, verdict.assertion, given),
        )
        names = [one.name for one in subject.table.targets]
        breaking = claim.breaks(point, decision(point))
        reached = tuple(names[one] for one in breaking if one is not None)
        witnesses = (_witness(subject, point, reached, request),)
    return _judged(subject, Proof(verdict=verdict, witnesses=witnesses))


def _exactly(point: Point) -> Shows:
    return lambda other: other == point


def _witness(
    subject: Study, point: Point, targets: tuple[str, ...], request: Synthesized
) -> Witness:
    return Witness(
        point=point,
        plain=subject.symbols.rest,
        trace=trace(subject.table, subject.vector(point)),
        targets=targets,
        request=request,
    )


def _judged(subject: Study, proof: Proof) -> Proof:
    """The proof, unless its witness must be a request and none could be built."""
    if proof.realised:
        return proof
    missed = ", ".join(one for witness in proof.witnesses for one in witness.request.missed)
    if proof.assertion.kind is Kind.REACHABLE:
        reason = f"a vector shows it, and no request could be built that has it: {missed}"
        return replace(proof, verdict=_unknown(proof.verdict, reason))
    if any(_stands_out(proof, variable) for variable in subject.loose):
        reason = f"the witness may not exist: no request could be built that has {missed}"
        return replace(proof, verdict=_unknown(proof.verdict, reason))
    return proof


def _stands_out(proof: Proof, variable: int) -> bool:
    return any(witness.point[variable] != 0 for witness in proof.witnesses)


def _unknown(verdict: Verdict, reason: str) -> Verdict:
    return replace(verdict, status=Status.UNKNOWN, reason=reason)
