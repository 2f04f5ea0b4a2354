"""The assertions of a table to proofs: verdicts whose witnesses were replayed.

What the solver finds is shown to the reference interpreter as a vector, then built into a whole
request and read back by the code that serves. A witness the interpreter does not confirm refutes
nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias, final

from lynkrc.analysis.study import Study
from lynkrc.analysis.verdicts import Status, Verdict, decide
from lynkrc.interp.assertions import Claim, decided
from lynkrc.interp.trace import Trace, trace
from lynkrc.ir.assertion import Assertion, Kind, is_beside
from lynkrc.ir.domain import Point
from lynkrc.ir.ranges import slots_read
from lynkrc.ir.table import RouteTable
from lynkrc.testing.synthesize import Synthesized

Realise: TypeAlias = Callable[[Point], Synthesized]
"""Builds a request of a point of the study's domain and reads it back."""

Compare: TypeAlias = Callable[[str], Verdict]
"""Decides `same_as` for a file as written."""

UNCONFIRMED = (
    "the solver's witness is not confirmed by the reference interpreter: this is a mistake of "
    "lynkrc's, please report it"
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A request that shows something: its point, what is decided of it, and the request itself.

    `targets` are the attempted ones it shows it with, by name; none where no target is read.
    """

    point: Point
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
        verdict = (
            compare(assertion.file or "")
            if assertion.kind is Kind.SAME_AS
            else decide(subject, assertion)
        )
        verdict = replace(verdict, assertion=assertion)
        found.append(
            Proof(verdict=verdict, witnesses=())
            if assertion.kind is Kind.SAME_AS
            else _replayed(subject, verdict, realise)
        )
    return tuple(found)


def _replayed(subject: Study, verdict: Verdict, realise: Realise) -> Proof:
    if not verdict.points:
        return Proof(verdict=verdict, witnesses=())
    claim = Claim(subject.table, subject.assertions, verdict.assertion, subject.domain)
    shown = [decided(subject.table, subject.vector(point)) for point in verdict.points]
    if verdict.assertion.kind is Kind.MONOTONE:
        lesser, greater = zip(verdict.points, shown, strict=True)
        by: list[tuple[str, ...]] = [(), ()]
        confirmed = claim.sinks(lesser, greater)
    else:
        (point,), (found,) = verdict.points, shown
        breaking = claim.breaks(point, found)
        by = [tuple(subject.table.targets[one].name for one in breaking if one is not None)]
        confirmed = bool(breaking)
    if not confirmed:
        return Proof(verdict=_unknown(verdict, UNCONFIRMED), witnesses=())
    witnesses = tuple(
        Witness(
            point=point,
            trace=trace(subject.table, subject.vector(point)),
            targets=targets,
            request=realise(point),
        )
        for point, targets in zip(verdict.points, by, strict=True)
    )
    return _judged(subject, Proof(verdict=verdict, witnesses=witnesses))


def _judged(subject: Study, proof: Proof) -> Proof:
    """The proof, unless its witness must be a request and none could be built."""
    if proof.realised:
        return proof
    missed = ", ".join(one for witness in proof.witnesses for one in witness.request.missed)
    if proof.assertion.kind is Kind.REACHABLE:
        reason = f"a vector shows it, and no request could be built that has it: {missed}"
        return replace(proof, verdict=_unknown(proof.verdict, reason))
    if subject.loose & {i for i in subject.loose if _stands_out(proof, i)}:
        reason = f"the witness may not exist: no request could be built that has {missed}"
        return replace(proof, verdict=_unknown(proof.verdict, reason))
    return proof


def _stands_out(proof: Proof, variable: int) -> bool:
    return any(witness.point[variable] != 0 for witness in proof.witnesses)


def _unknown(verdict: Verdict, reason: str) -> Verdict:
    return replace(verdict, status=Status.UNKNOWN, reason=reason)


def assumptions(table: RouteTable, subject: Study) -> tuple[str, ...]:
    """What the proofs of a study take for granted, in words; only what its assertions lean on."""
    kinds = {one.kind for one in subject.assertions.items}
    read = {
        subject.assertions.slots[slot].feature
        for one in subject.assertions.items
        if one.guard is not None
        for slot in slots_read(one.guard)
    }
    sides = sorted({f"{call.surface} {call.call}" for call in table.calls})
    told = [text for feature, text in _OF_FEATURES.items() if feature in read]
    told += [text for kind, text in _OF_KINDS.items() if kind in kinds]
    if any(
        feature.startswith(("key.", "session.", "budget.")) for feature in read | _read(subject)
    ):
        told.append("keys, sessions and budgets may have any value in their range")
    if subject.assertions.items:
        told.append(
            f"every upstream call goes to a target of the decided chain: {len(sides)} kinds"
        )
    return tuple(told)


def _read(subject: Study) -> set[str]:
    return {slot.feature for slot in subject.domain.slots if not is_beside(slot)}


_OF_FEATURES: Mapping[str, str] = {
    "tier": "what reads `tier` speaks of requests that have one: not of those that are denied, "
    "answered by a rule, or pinned to a target",
    "target.first": "`target.first` is the decided order; sessions and breakers may begin elsewhere",
    "target.trust": "the trust of a provider is declared, not checked",
}

_OF_KINDS: Mapping[Kind, str] = {
    Kind.MAX_COST_USD: "the input is at most 1.1 times its estimate; prices are those of the spec "
    "and the catalog; every attempt is billed in full",
    Kind.MAX_LATENCY: "time-outs are kept; the time the gateway itself takes is not counted",
    Kind.MONOTONE: "all other features stay as they are",
}
