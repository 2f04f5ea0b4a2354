"""The lines of a usage log: what a bundle reads of requests, and what became of each of them.

One line of JSON each, told apart by `kind`. A `bundle` line describes the slots of the records
below it that name its digest; it is written whenever a log is opened. `feedback` and `signal`
judge a request whose record is not later than they are, and stands before them where the same
gateway wrote both. The gateway writes these lines, `lynkrc diff --replay` and what learns from
outcomes read them. No line holds a text of a request: strings stand as the class that the spec's
own literals put them in.
"""

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias, final

import msgspec

from lynkrc_runtime.cost import KINDS
from lynkrc_runtime.dispatch import Dispatch, Lexicon, Slot, StringClass
from lynkrc_runtime.features import written
from lynkrc_runtime.protocol.conversation import Usage
from lynkrc_runtime.telemetry.outcome import Outcome

VERSION = 2
"""Of the lines. A reader refuses a later one by its line number."""

Number: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
"""A number that a reader takes: exact as a float too, since what learns makes it one."""
SlotValue: TypeAlias = Number | str

Amount: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A count or a cost that a reader takes: no less than nothing, and exact wherever it is added."""


@final
class SlotNote(msgspec.Struct, frozen=True, kw_only=True):
    """How a slot's values are to be read.

    `classes` are a string's or an enum's (see `class_text`), else empty; `lexicon` is the digest of
    the entries it counts, None where it counts none.
    """

    type: str
    classes: list[str] = []
    lexicon: str | None = None


@final
class BundleLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="bundle"):
    """What `bundle` (a meaning digest) reads of requests, by the slot as the language writes it."""

    version: int
    time: str
    bundle: str
    name: str
    slots: dict[str, SlotNote]


@final
class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one call, each of a kind that is paid for; reasoning is output."""

    input: Amount = 0
    output: Amount = 0
    cache_read: Amount = 0
    cache_write: Amount = 0


@final
class AttemptLine(msgspec.Struct, frozen=True, kw_only=True):
    """One call: its target, how it ended, and what it was charged for, None for nothing."""

    target: str
    result: str
    tokens: Tokens | None = None
    cost_micro_usd: Amount | None = None
    estimated: bool = False


@final
class RequestLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="request"):
    """One ended request.

    `slots` are what was decided on: numbers (in 1/64 for weighted points; 0 and 1 for no and yes),
    the class as text for strings and enums; None where the request was not read. `outcome` is the
    decision's, `ending` how it ended (`lynkrc_runtime.telemetry.outcome.Ending`), `target` who
    served, `model` what that is. `cost_micro_usd` is the sum over all attempts, None where a price
    is not known. `key`, `team` and `tenant` are the caller's names, None in open mode. Requests of
    one `session` belong together; it is a keyed hash, whose key one process has and nobody keeps,
    and None where nobody looked.
    """

    version: int
    time: str
    request_id: str
    bundle: str
    surface: str
    stream: bool
    slots: dict[str, SlotValue] | None
    outcome: str | None
    ending: str
    status: int
    tier: str | None
    rule: str | None
    score: Number | None
    target: str | None
    model: str | None
    key: str | None
    team: str | None
    tenant: str | None
    fallback: bool
    duration_ms: Amount
    attempts: list[AttemptLine]
    tokens: Tokens | None
    cost_micro_usd: Amount | None
    estimated: bool
    session: str | None = None


@final
class GapLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="gap"):
    """So many requests are not in the log: it could not be written fast enough, or at all.

    `judgements` are the lines of feedback and signals that are not in it.
    """

    version: int
    time: str
    requests: Amount
    judgements: Amount = 0


@final
class FeedbackLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="feedback"):
    """What a caller says of its own request: `score` from 0, bad, to 1, good.

    `key` is that of the caller, as in the request's record: ids are chosen by clients, so an id
    alone may be another caller's. Of several for one request the last one counts.
    """

    version: int
    time: str
    request_id: str
    bundle: str
    key: str | None
    score: Annotated[float, msgspec.Meta(ge=0, le=1)]
    source: Literal["caller"] = "caller"


@final
class Signal(StrEnum):
    """What a later request of the session tells of one; weak, since people do not do it to judge.

    That a request failed is told by its own record (`ending`).
    """

    USER_RETRY = "user_retry"
    """The user asked the same again."""
    TOOL_ERROR = "tool_error"
    """A tool that the answer called failed."""


@final
class SignalLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="signal"):
    """A signal about a request; `key` as in `FeedbackLine`."""

    version: int
    time: str
    request_id: str
    bundle: str
    key: str | None
    signal: Signal


Judgement: TypeAlias = FeedbackLine | SignalLine
Line: TypeAlias = BundleLine | RequestLine | GapLine | Judgement


def bundle_line(dispatch: Dispatch, digest: str, time: str) -> BundleLine:
    """The line that describes a bundle."""
    lexicons = {one.name: lexicon_digest(_entries(one)) for one in dispatch.lexicons}
    return BundleLine(
        version=VERSION,
        time=time,
        bundle=digest,
        name=dispatch.name,
        slots={
            written(slot): SlotNote(
                type=slot.type,
                classes=[class_text(one.kind, one.text) for one in slot.classes],
                lexicon=lexicons[slot.args[1]] if len(slot.args) == 2 else None,
            )
            for slot in dispatch.slots
        },
    )


def request_line(
    dispatch: Dispatch, digest: str, time: str, outcome: Outcome, session: str | None = None
) -> RequestLine:
    """The line of an ended request."""
    cost = outcome.cost
    vector = outcome.vector
    target = None if outcome.target is None else dispatch.targets[outcome.target]
    return RequestLine(
        version=VERSION,
        time=time,
        request_id=outcome.request_id,
        bundle=digest,
        surface=outcome.surface,
        stream=outcome.stream,
        slots=None if vector is None else slot_values(dispatch.slots, vector),
        outcome=outcome.verdict,
        ending=outcome.ending,
        status=outcome.status,
        tier=outcome.tier,
        rule=outcome.rule,
        score=outcome.score,
        target=None if target is None else target.name,
        model=None if target is None else target.model,
        key=outcome.key,
        team=outcome.team,
        tenant=outcome.tenant,
        fallback=outcome.fallback,
        duration_ms=round(outcome.seconds * 1000),
        attempts=[
            AttemptLine(
                target=dispatch.targets[record.target].name,
                result=record.result,
                tokens=None if record.charge is None else _tokens(record.charge.usage),
                cost_micro_usd=None
                if record.charge is None or record.charge.cost is None
                else record.charge.cost.total,
                estimated=record.charge is not None and record.charge.estimated,
            )
            for record in outcome.attempts
        ],
        tokens=None if outcome.usage is None else _tokens(outcome.usage),
        cost_micro_usd=None if cost is None else cost.total,
        estimated=outcome.is_estimated,
        session=session,
    )


def slot_values(slots: list[Slot], vector: tuple[int, ...]) -> dict[str, SlotValue]:
    """A vector by slot."""
    return {
        written(slot): _class(slot.classes[value]) if slot.classes else value
        for slot, value in zip(slots, vector, strict=True)
    }


def class_text(kind: str, text: str) -> str:
    """A class: ``absent``, ``other``, ``"literal"``, ``"prefix"*`` or an enumerator.

    >>> class_text("prefix", "gpt-"), class_text("member", "messages")
    ('"gpt-"*', 'messages')
    """
    match kind:
        case "literal":
            return json.dumps(text)
        case "prefix":
            return json.dumps(text) + "*"
        case "member":
            return text
        case _:
            return kind


def lexicon_digest(entries: list[tuple[str, int]]) -> str:
    """Of a lexicon's patterns with their weights in 1/64, in any order; 16 hex digits."""
    text = json.dumps(sorted(entries), separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _entries(lexicon: Lexicon) -> list[tuple[str, int]]:
    return list(zip(lexicon.patterns, lexicon.weights64, strict=True))


def _class(found: StringClass) -> str:
    return class_text(found.kind, found.text)


def _tokens(usage: Usage) -> Tokens:
    return Tokens(**{kind: getattr(usage, kind) for kind in KINDS})
