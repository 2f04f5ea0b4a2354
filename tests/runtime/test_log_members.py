"""The line of a request says all there is to say of it, and spells it as a dict would be."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lynkrc_runtime.attempt import AttemptRecord, Fault, Result
from lynkrc_runtime.cost import Charge, Cost, total_of
from lynkrc_runtime.protocol.conversation import Failure, FailureClass, Usage
from lynkrc_runtime.settings import Log as Declared
from lynkrc_runtime.telemetry.log import Level, Log
from lynkrc_runtime.telemetry.outcome import Ending, Outcome, milliseconds
from tests.runtime.by_hand import dispatch, provider, target

TABLE = dispatch(
    [provider("sim", "simulator"), provider("far", "anthropic-compatible")],
    [target("one", 0), target("zwei-\N{SNOWMAN}", 1)],
)
NAMES = [
    "request_id",
    "surface",
    "dialect",
    "model",
    "stream",
    "tier",
    "rule",
    "score",
    "target",
    "provider",
    "served_model",
    "fallback",
    "calls",
    "attempts",
    "status",
    "class",
    "key",
    "team",
    "tenant",
    "usage",
    "cost_micro_usd",
    "cost_by_kind",
    "estimated",
    "duration_ms",
    "first_byte_ms",
    "transforms",
    "losses",
]
HEAD = {"time": "2026-11-22T00:00:00.123+00:00", "level": "info", "event": "request"}
NOW = 1_795_305_600.12349

words = st.text(max_size=4) | st.just("x" * 201)
counts = st.integers(0, 1000)
seconds = st.floats(0, 1e6)
costs = st.builds(Cost, input=counts, output=counts, cache_read=counts, cache_write=counts)
usages = st.builds(Usage, input=counts, output=counts, reasoning=st.none() | counts)
charges = st.builds(Charge, usage=usages, cost=st.none() | costs, estimated=st.booleans())
failures = st.builds(
    Failure, kind=st.sampled_from(FailureClass), status=st.integers(0, 599), message=words
)
records = st.builds(
    AttemptRecord,
    target=st.integers(0, 1),
    started=seconds,
    seconds=seconds,
    result=st.sampled_from(Result),
    fault=st.none() | st.sampled_from(Fault),
    failure=st.none() | failures,
    charge=st.none() | charges,
)
names = st.lists(words, max_size=2).map(tuple) | st.just(("n" * 101,) * 52)
outcomes = st.builds(
    Outcome,
    request_id=words,
    surface=st.sampled_from(("messages", "chat")),
    dialect=st.just("openai-chat"),
    model=words,
    stream=st.booleans(),
    ending=st.sampled_from(Ending),
    status=st.integers(0, 599),
    seconds=seconds,
    first_byte=st.none() | seconds,
    tier=st.none() | words,
    rule=st.none() | words,
    score=st.none() | st.integers(0, 100),
    target=st.none() | st.integers(0, 1),
    fallback=st.booleans(),
    calls=st.integers(0, 9),
    attempts=st.lists(records, max_size=3).map(tuple),
    usage=st.none() | usages,
    transforms=names,
    losses=names,
    key=st.none() | words,
    team=st.none() | words,
    tenant=st.none() | words,
)


def written(outcome: Outcome, fields: list[str] | None = None, worker: int | None = None) -> str:
    lines: list[str] = []
    log = Log(write=lines.append, clock=lambda: NOW, worker=worker)
    log.follow(Declared(fields=fields))
    log.outcome(TABLE, outcome)
    (line,) = lines
    return line


@given(outcomes)
def test_every_member_is_spelled_as_one_of_a_dict(outcome: Outcome) -> None:
    told = members(outcome)
    assert list(told) == NAMES
    assert written(outcome) == spelled(HEAD | told)


@given(outcomes, st.none() | st.lists(st.sampled_from(NAMES), unique=True), st.none() | counts)
def test_a_spec_chooses_members_and_every_line_names_its_worker(
    outcome: Outcome, fields: list[str] | None, worker: int | None
) -> None:
    head = HEAD | ({} if worker is None else {"worker": worker})
    told = members(outcome)
    kept = told if fields is None else {name: told[name] for name in NAMES if name in fields}
    assert written(outcome, fields, worker) == spelled(head | kept)


@given(st.dictionaries(st.sampled_from("abc"), words | counts | st.lists(words, max_size=1)))
def test_a_notice_is_spelled_as_one_dict(told: dict[str, Any]) -> None:
    lines: list[str] = []
    Log(write=lines.append, clock=lambda: NOW, worker=2).line(Level.ERROR, "mistake", **told)
    head = HEAD | {"level": "error", "event": "mistake", "worker": 2}
    assert lines == [spelled(head | told)]


@given(seconds)
def test_a_span_is_told_to_the_tenth_of_a_millisecond(span: float) -> None:
    assert milliseconds(span) == int(span * 10_000 + 0.5) / 10


def test_every_line_has_its_own_moment() -> None:
    moments, lines = iter((0.0, 0.0509, 1.9996, 1.9999996, 3.0)), list[str]()
    log = Log(write=lines.append, clock=lambda: next(moments))
    for _ in range(5):
        log.line(Level.INFO, "here")
    assert [json.loads(line)["time"][17:] for line in lines] == [
        "00.000+00:00",
        "00.050+00:00",
        "01.999+00:00",
        "02.000+00:00",
        "03.000+00:00",
    ]


def spelled(said: Mapping[str, Any]) -> str:
    """ASCII, in one line."""
    try:
        data = msgspec.json.encode(said)
    except UnicodeEncodeError:
        data = b"\xff"
    if data.isascii():
        return data.decode() + "\n"
    return json.dumps(msgspec.to_builtins(said), separators=(",", ":")) + "\n"


def members(outcome: Outcome) -> dict[str, Any]:
    place = None if outcome.target is None else TABLE.targets[outcome.target]
    cost = total_of(one.charge for one in outcome.attempts if one.charge is not None)
    first = outcome.first_byte
    return {
        "request_id": outcome.request_id,
        "surface": outcome.surface,
        "dialect": outcome.dialect,
        "model": outcome.model[:200],
        "stream": outcome.stream,
        "tier": outcome.tier,
        "rule": outcome.rule,
        "score": outcome.score,
        "target": None if place is None else place.name,
        "provider": None if place is None else TABLE.providers[place.provider].name,
        "served_model": None if place is None else place.model,
        "fallback": outcome.fallback,
        "calls": outcome.calls,
        "attempts": [attempt(record) for record in outcome.attempts],
        "status": outcome.status,
        "class": outcome.ending,
        "key": outcome.key,
        "team": outcome.team,
        "tenant": outcome.tenant,
        "usage": outcome.usage,
        "cost_micro_usd": None if cost is None else cost.total,
        "cost_by_kind": cost,
        "estimated": outcome.is_estimated,
        "duration_ms": milliseconds(outcome.seconds),
        "first_byte_ms": None if first is None else milliseconds(first),
        "transforms": bounded(outcome.transforms),
        "losses": bounded(outcome.losses),
    }


def bounded(names: tuple[str, ...]) -> list[str]:
    kept = [name[:100] for name in names[:50]]
    return kept if len(names) <= 50 else [*kept, f"+{len(names) - 50}"]


def attempt(record: AttemptRecord) -> dict[str, Any]:
    told: dict[str, Any] = {
        "target": TABLE.targets[record.target].name,
        "result": record.result,
        "duration_ms": milliseconds(record.seconds),
    }
    if record.failure is not None and record.fault is not None:
        told |= {
            "fault": record.fault,
            "class": record.failure.kind.value,
            "status": record.failure.status,
        }
    if record.charge is not None:
        cost = record.charge.cost
        told |= {
            "usage": record.charge.usage,
            "cost_micro_usd": None if cost is None else cost.total,
            "cost_by_kind": cost,
            "estimated": record.charge.estimated,
        }
    return told
