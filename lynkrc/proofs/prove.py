"""The assertions of a table to proofs: verdicts whose witnesses were replayed.

What the solver finds is shown to the reference interpreter as a vector, then built into a whole
request and read back by the code that serves. A witness the interpreter does not confirm refutes
nothing.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, final

from lynkrc.analysis.study import Study
from lynkrc.analysis.verdicts import Status, Verdict, another, decide
from lynkrc.interp.assertions import Claim, Decided, decided
from lynkrc.interp.trace import Trace, trace
from lynkrc.ir.assertion import Assertion, Kind, is_beside, reads_target
from lynkrc.ir.domain import Point
from lynkrc.ir.ranges import slots_read
from lynkrc.ir.witness import shown_value
from lynkrc.testing.beside import beside_of
from lynkrc.testing.realise import Realise, Shows, asked_again, otherwise, realised
from lynkrc.testing.synthesize import Synthesized
from lynkrc.testing.wanted import OF_KEY, SESSION_STATE

Compare: TypeAlias = Callable[[Assertion], Verdict]
"""Decides `same_as`, which needs another table."""

PAIR_ROUNDS = 3
"""How often the solver is asked for two requests, which takes it longer than one."""

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
    where no target is read. `given` is what the request does not carry (sessions, budgets, without
    `keys` a team) and has to be so beside it, as ``session.turn = 4``; `beside` is the same by the
    keys of a test. `unwanted` are the targets that must be in no chain
    of the request, where it is as clear as that what has to change.
    """

    point: Point
    plain: Point
    given: tuple[str, ...]
    beside: Mapping[str, Any]
    unwanted: tuple[str, ...]
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
        """Whether every witness is a whole request, and nothing has to be so beside it."""
        return all(one.request.realised and not one.given for one in self.witnesses)

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
        return _pair(subject, verdict, realise, claim, decision)
    (point,) = verdict.points
    if not claim.breaks(point, decision(point)):
        return Proof(verdict=_unknown(verdict, UNCONFIRMED), witnesses=())

    def again(given: Mapping[int, int]) -> Point | None:
        return next(iter(another(subject, verdict.assertion, given)), None)

    point, request = realised(
        point,
        lambda wanted, shows: _built(subject, wanted, shows, realise),
        lambda other: bool(claim.breaks(other, decision(other))),
        again,
    )
    names = [one.name for one in subject.table.targets]
    breaking = claim.breaks(point, decision(point))
    reached = tuple(names[one] for one in breaking if one is not None)
    unwanted = reached if _forbids_targets(subject, verdict.assertion) else ()
    witness = _witness(subject, point, reached, request, unwanted)
    return _judged(subject, Proof(verdict=verdict, witnesses=(witness,)))


def _pair(
    subject: Study,
    verdict: Verdict,
    realise: Realise,
    claim: Claim,
    decision: Callable[[Point], Decided],
) -> Proof:
    """The two requests of monotone: each must be exactly itself, as they differ in one feature.

    What the greater one could not do without, the lesser is given too.
    """

    def again(given: Mapping[int, int]) -> tuple[Point, ...] | None:
        return another(subject, verdict.assertion, given) or None

    points = verdict.points
    nearest: tuple[Witness, ...] = ()
    given: dict[int, int] = {}
    for _ in range(PAIR_ROUNDS):
        lesser, greater = points
        if not claim.sinks((lesser, decision(lesser)), (greater, decision(greater))):
            return Proof(verdict=_unknown(verdict, UNCONFIRMED), witnesses=())
        made = tuple(
            _witness(subject, point, (), _built(subject, point, _exactly(point), realise))
            for point in points
        )
        nearest = nearest or made
        if all(witness.request.realised for witness in made):
            nearest = made
            break
        last: dict[int, int] = {}
        for witness in made:
            last |= otherwise(witness.request, witness.point)
        found, given = asked_again(again, given, last)
        if found is None:
            break
        points = found
    return _judged(subject, Proof(verdict=verdict, witnesses=nearest))


def _built(subject: Study, point: Point, shows: Shows, realise: Realise) -> Synthesized:
    """A request, and its point as if the gateway's own state were that of the wanted one."""

    def given(read: Point) -> Point:
        return tuple(point[place] if place in state else value for place, value in enumerate(read))

    state = _state(subject)
    request = realise(point, lambda read: shows(given(read)))
    return request if request.point is None else replace(request, point=given(request.point))


def _state(subject: Study) -> frozenset[int]:
    """The variables that no request carries: the team and tenant are those of its key, if any."""
    carried = OF_KEY if json.loads(subject.table.settings).get("keys") else ()
    return frozenset(
        place
        for place, slot in enumerate(subject.domain.slots)
        if slot.feature in SESSION_STATE and slot.feature not in carried
    )


def _exactly(point: Point) -> Shows:
    return lambda other: other == point


def _forbids_targets(subject: Study, assertion: Assertion) -> bool:
    """Whether all that the assertion says of a decision is which targets it may attempt."""
    if assertion.guard is None or assertion.kind is Kind.REACHABLE:
        return False
    read = [subject.assertions.slots[slot] for slot in slots_read(assertion.guard)]
    return all(
        reads_target(slot) and slot.feature != "target.first" for slot in read if is_beside(slot)
    )


def _witness(
    subject: Study,
    point: Point,
    targets: tuple[str, ...],
    request: Synthesized,
    unwanted: tuple[str, ...] = (),
) -> Witness:
    plain, domain = subject.symbols.rest, subject.domain
    apart = [place for place in sorted(_state(subject)) if point[place] != plain[place]]
    told = trace(subject.table, subject.vector(point))
    lacking = None if request.key is None else request.key.lacks(told.tier, told.targets)
    return Witness(
        point=point,
        plain=plain,
        given=(
            *(
                f"{domain.slots[place].text} = {shown_value(domain.slots[place], point[place])}"
                for place in apart
            ),
            *([] if lacking is None else [lacking]),
        ),
        beside=beside_of(domain, point, apart),
        trace=told,
        targets=targets,
        unwanted=unwanted,
        request=request,
    )


def _judged(subject: Study, proof: Proof) -> Proof:
    """The proof, unless its witness must be a request and none could be built."""
    built = all(witness.request.realised for witness in proof.witnesses)
    if built and proof.assertion.kind is Kind.REACHABLE:
        given = " and ".join(one for witness in proof.witnesses for one in witness.given)
        reason = f"given {given}, which no request carries" if given else ""
        return replace(proof, verdict=replace(proof.verdict, reason=reason))
    if built:
        return proof
    missed = ", ".join(one for witness in proof.witnesses for one in witness.request.missed)
    if proof.assertion.kind is Kind.REACHABLE:
        reason = f"a vector shows it, and no request could be built that has it: {missed}"
        return replace(proof, verdict=_unknown(proof.verdict, reason))
    if subject.loose:
        reason = f"the witness may not exist: no request could be built that has {missed}"
        return replace(proof, verdict=_unknown(proof.verdict, reason))
    return proof


def _unknown(verdict: Verdict, reason: str) -> Verdict:
    return replace(verdict, status=Status.UNKNOWN, reason=reason)
