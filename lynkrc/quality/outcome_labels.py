"""The records of a usage log to labels: whether each answer was bad, and how much that counts.

All of them are weak. Nobody graded these answers: a caller gave a number, a user asked again, a
tool failed, or nothing happened. What another model would have answered is not known, and who is
served well seldom says so. So a label has a weight (`WEIGHTS`), and each request the strongest one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias, assert_never, final

from lynkrc.diff.replayed import BadLine
from lynkrc_runtime.feature_table import EMBEDDINGS
from lynkrc_runtime.usage_record import (
    BundleLine,
    FeedbackLine,
    GapLine,
    Judgement,
    Line,
    RequestLine,
    Signal,
    SignalLine,
    SlotValue,
)


class Source(StrEnum):
    """What a label rests on, the strongest first."""

    CALLER = "caller"
    """The last feedback of the caller; below `BAD_BELOW` it is bad."""
    USER_RETRY = "user_retry"
    """The user asked the same again: bad."""
    TOOL_ERROR = "tool_error"
    """A tool that the answer called failed: bad, or the tool was to fail."""
    ERROR = "error"
    """No answer came, or not all of it: bad, and mostly not for what was asked."""
    CLEAN = "clean"
    """Nothing happened: good, for all that is known."""


WEIGHTS: Mapping[Source, float] = MappingProxyType(
    {
        Source.CALLER: 1.0,
        Source.USER_RETRY: 0.5,
        Source.TOOL_ERROR: 0.25,
        Source.ERROR: 0.1,
        Source.CLEAN: 0.1,
    }
)
"""What a label counts, next to a person's who was asked: chosen, not measured."""
BAD_BELOW = 0.5
"""Scores of callers go from 0, bad, to 1, good."""
FAILED = frozenset(("broken", "misfit", "transient", "throttled"))
"""Endings of a request that was sent to a target and not answered well."""

_SIGNALS = ((Signal.USER_RETRY, Source.USER_RETRY), (Signal.TOOL_ERROR, Source.TOOL_ERROR))
_Named: TypeAlias = tuple[str | None, str]
"""A request by its caller and its id: an id alone may be another caller's."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is thought of an answer; `weight` is above 0."""

    is_bad: bool
    weight: float
    source: Source


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeLabel:
    """A logged request, and what is thought of its answer.

    `slots` are what `bundle` read of it (`lynkrc.diff.logged.slots_of` makes vectors of them),
    `score` the points that it gave. Labels of one `group` are of one session, and not independent.
    """

    request_id: str
    key: str | None
    group: str
    bundle: str
    surface: str
    tier: str | None
    rule: str | None
    target: str | None
    slots: Mapping[str, SlotValue]
    score: int | None
    is_bad: bool
    weight: float
    source: Source


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeLabels:
    """A log's labels in the order of its requests; `left_out` counts requests without one, by why.

    ``len(labels) + left_out.total()`` requests there were. `strays` are judgements of requests that
    are not in the log, `lost` judgements never came into it, `bad` lines are no records.
    """

    labels: tuple[OutcomeLabel, ...]
    left_out: Mapping[str, int]
    strays: int
    lost: int
    bad: tuple[BadLine, ...]


@final
@dataclass(slots=True)
class Judgements:
    """What lines say of requests; each request is known by its number, from 0.

    A judgement stands behind the record of its request, or, where one worker has written it before
    another wrote the record, is later than that by its time.
    """

    said: list[list[Judgement]] = field(default_factory=list)
    strays: int = 0
    _last: dict[_Named, int] = field(default_factory=dict)
    _early: dict[_Named, list[Judgement]] = field(default_factory=dict)

    def request(self, line: RequestLine) -> int:
        """The number of the next request."""
        name = line.key, line.request_id
        self._last[name] = number = len(self.said)
        early = self._early.pop(name, ())
        own = [one for one in early if _moment(one.time) >= _moment(line.time)] if early else []
        self.strays -= len(own)
        self.said.append(own)
        return number

    def judged(self, line: Judgement) -> None:
        """A judgement is of the last request before it that its caller gave this id, if any."""
        name = line.key, line.request_id
        number = self._last.get(name)
        if number is None:
            self.strays += 1
            self._early.setdefault(name, []).append(line)
        else:
            self.said[number].append(line)


def _moment(time: str) -> datetime:
    """Of a line that `lynkrc.diff.logged.read_lines` has let pass."""
    return datetime.fromisoformat(time)


def verdict_of(record: RequestLine, said: Sequence[Judgement]) -> Verdict | str:
    """What is thought of a request's answer, or why nothing is; `said` is in the log's order."""
    if record.surface == EMBEDDINGS:
        return "embeddings: their targets are declared, not decided"
    if record.slots is None:
        return "no features: the request ended before it was read"
    if record.outcome != "route":
        return f"the policy did not route it ({record.outcome})"
    scores = [one.score for one in said if isinstance(one, FeedbackLine)]
    if scores:
        return _verdict(Source.CALLER, is_bad=scores[-1] < BAD_BELOW)
    signals = {one.signal for one in said if isinstance(one, SignalLine)}
    for signal, source in _SIGNALS:
        if signal in signals:
            return _verdict(source, is_bad=True)
    if record.ending == "served":
        return _verdict(Source.CLEAN, is_bad=False)
    if record.ending in FAILED:
        return _verdict(Source.ERROR, is_bad=True)
    return f"it ended as {record.ending}, which says nothing of the answer"


def outcome_labels(lines: Iterable[Line | BadLine]) -> OutcomeLabels:
    """The labels of a log; `lines` are as `lynkrc.diff.logged.read_lines` gives them.

    Requests that never came into the log (its gaps) are counted among those left out.
    """
    judgements, records = Judgements(), []
    left_out: Counter[str] = Counter()
    lost = 0
    bad = []
    for line in lines:
        match line:
            case RequestLine():
                judgements.request(line)
                records.append(line)
            case FeedbackLine() | SignalLine():
                judgements.judged(line)
            case GapLine():
                lost += line.judgements
                if line.requests:
                    left_out["never logged: the gateway could not write them"] += line.requests
            case BundleLine():
                pass
            case BadLine():
                bad.append(line)
            case _:
                assert_never(line)
    labels = []
    for record, said in zip(records, judgements.said, strict=True):
        verdict = verdict_of(record, said)
        if isinstance(verdict, str):
            left_out[verdict] += 1
        else:
            labels.append(_label(record, verdict))
    return OutcomeLabels(
        labels=tuple(labels),
        left_out=MappingProxyType(left_out),
        strays=judgements.strays,
        lost=lost,
        bad=tuple(bad),
    )


def _verdict(source: Source, *, is_bad: bool) -> Verdict:
    return Verdict(is_bad=is_bad, weight=WEIGHTS[source], source=source)


def _label(record: RequestLine, verdict: Verdict) -> OutcomeLabel:
    own = f"{record.key or ''}/{record.request_id}"
    return OutcomeLabel(
        request_id=record.request_id,
        key=record.key,
        group=own if record.session is None else record.session,
        bundle=record.bundle,
        surface=record.surface,
        tier=record.tier,
        rule=record.rule,
        target=record.target,
        slots=record.slots or {},
        score=record.score,
        is_bad=verdict.is_bad,
        weight=verdict.weight,
        source=verdict.source,
    )
