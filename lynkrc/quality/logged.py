"""The records of a usage log to what a bundle decides about each, by exactly the code that serves.

A record holds what was read of the request, so no text of it is needed. What cannot be decided, or
got no tier, is counted by reason.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, final

from lynkrc.diff.logged import NOTHING_KNOWN, Notes, Slots, notes_of, slots_of
from lynkrc.diff.replayed import BadLine
from lynkrc.ir.table import RouteTable
from lynkrc.quality.outcome_labels import Judgements, Verdict, verdict_of
from lynkrc_runtime.bundle import LoadedBundle
from lynkrc_runtime.decide import Decider, Decision, Outcome
from lynkrc_runtime.feature_table import EMBEDDINGS
from lynkrc_runtime.usage_record import (
    BundleLine,
    FeedbackLine,
    GapLine,
    Judgement,
    Line,
    RequestLine,
    SignalLine,
)

_Decided: TypeAlias = tuple[RequestLine, Decision, int, int, tuple[int, ...]]
LENGTHS = ("ask.chars", "ask.bytes", "ask.tokens", "ask.words")
"""Slots that tell the length of the ask, the first of them that was logged."""
BAD_LINES = 20
"""Lines that are no records, kept; the others are counted."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """A logged request that the bundle routes to a tier.

    `number` is its place among the requests of the log, from 0, `vector` what is decided on. `tier`
    is the bundle's, by index, `points` its score in 1/6400 point. `verdict` is on the answer, None
    where nothing is thought of it. `lengths` are those logged of `LENGTHS`.
    """

    number: int
    record: RequestLine
    decision: Decision
    vector: tuple[int, ...] = field(repr=False)
    tier: int
    points: int
    verdict: Verdict | None
    lengths: Mapping[str, int]

    @property
    def key(self) -> tuple[int, int]:
        """Greater: sooner to the strong model."""
        return self.tier, self.points


@final
@dataclass(slots=True, kw_only=True)
class LoggedRequests:
    """A log. ``records == len(requests) + left_out.total()``.

    `unjudged` says of which requests nothing is thought, and why. `strays` are judgements of none
    in the log, `bad` lines are no records.
    """

    records: int = 0
    requests: list[LoggedRequest] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    unjudged: Counter[str] = field(default_factory=Counter)
    strays: int = 0
    bad_lines: list[BadLine] = field(default_factory=list)
    bad: int = 0


def decide_log(
    lines: Iterable[Line | BadLine], bundle: LoadedBundle, table: RouteTable
) -> LoggedRequests:
    """Decide every request of a log anew; `table` is what the bundle was made from."""
    found = LoggedRequests()
    judgements = Judgements()
    decided: list[tuple[int, _Decided]] = []
    decider = Decider(bundle.dispatch, bundle.scorer)
    tiers = {tier.name: number for number, tier in enumerate(bundle.dispatch.tiers)}
    notes = {bundle.manifest.meaning_digest: notes_of(table)}
    slots: dict[str, Slots] = {}
    for line in lines:
        match line:
            case BadLine():
                found.bad += 1
                found.bad_lines += [line][: BAD_LINES - len(found.bad_lines)]
            case BundleLine():
                notes[line.bundle] = Notes(slots=line.slots)
                slots.pop(line.bundle, None)
            case GapLine():
                found.records += line.requests
                if line.requests:
                    found.left_out["never logged: the gateway could not write them"] += (
                        line.requests
                    )
            case FeedbackLine() | SignalLine():
                judgements.judged(line)
            case RequestLine():
                number = judgements.request(line)
                found.records += 1
                if line.bundle not in slots:
                    slots[line.bundle] = slots_of(table, notes.get(line.bundle, NOTHING_KNOWN))
                one = _decided(line, slots[line.bundle], decider, bundle, tiers)
                if isinstance(one, str):
                    found.left_out[one] += 1
                else:
                    decided.append((number, one))
    for number, one in decided:
        found.requests.append(_judged(found, number, one, judgements.said[number]))
    found.strays = judgements.strays
    return found


def _judged(
    found: LoggedRequests, number: int, one: _Decided, said: Sequence[Judgement]
) -> LoggedRequest:
    record, decision, tier, points, vector = one
    verdict = verdict_of(record, said)
    if isinstance(verdict, str):
        found.unjudged[verdict] += 1
    return LoggedRequest(
        number=number,
        record=record,
        decision=decision,
        vector=vector,
        tier=tier,
        points=points,
        verdict=None if isinstance(verdict, str) else verdict,
        lengths={
            name: value
            for name in LENGTHS
            if isinstance(value := (record.slots or {}).get(name), int)
        },
    )


def _decided(
    record: RequestLine,
    slots: Slots,
    decider: Decider,
    bundle: LoadedBundle,
    tiers: Mapping[str, int],
) -> _Decided | str:
    """The request, or why it is left out."""
    if record.slots is None:
        return "no features: the request ended before it was read"
    if record.surface == EMBEDDINGS:
        return "embeddings: their targets are declared, not decided"
    vector = slots.vector(record)
    if isinstance(vector, tuple):
        return f"{vector[0]}, which this spec reads"
    decision = decider.decide(vector)
    if decision.outcome is not Outcome.ROUTE:
        return f"the outcome is {decision.outcome.name.lower()} now (rule {decision.rule})"
    if decision.tier is None:
        return "pinned to a target: no tier"
    points: int = bundle.explain(vector)["points"]["sum"]
    return record, decision, tiers[decision.tier], points, tuple(vector)
