"""Any answer of any target reaches any client whole, streamed or not, however its bytes are cut."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkrc_runtime.protocol.conversation import Event, MessageEnd, MessageStart
from lynkrc_runtime.protocol.dialect import AnswerContext
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from tests.property.effort import tried
from tests.property.test_pair_requests import PAIRS, facts_of, write
from tests.property.upstreams import DIALECTS, speeches
from tests.wire.client_oracles import JUDGES
from tests.wire.target_oracles import ORACLES

Json = dict[str, Any]

_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
ASKED: dict[str, Json] = {
    "anthropic-messages": {
        "model": "asked",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [{"name": name, "input_schema": _SCHEMA} for name in ("look", "patch")],
    },
    "openai-chat": {
        "model": "asked",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream_options": {"include_usage": True},
        "tools": [
            {"type": "function", "function": {"name": "look", "parameters": _SCHEMA}},
            {"type": "custom", "custom": {"name": "patch"}},
        ],
    },
    "openai-responses": {
        "model": "asked",
        "input": [{"role": "user", "content": "Hi"}],
        "tools": [
            {"type": "function", "name": "look", "parameters": _SCHEMA, "strict": False},
            {"type": "custom", "name": "patch"},
        ],
    },
}
"""What the client asked: a function, and a free-form tool where it knows them."""
_LEGAL = re.compile("[a-zA-Z0-9_-]+")
"""Ids that Messages knows: others are mapped, always alike."""
SHAPE = RequestShape(reasoning_replay="always", reasoning_field="reasoning_details")


def context_of(client: str, asked: Json | None = None) -> AnswerContext:
    body = json.dumps(asked or ASKED[client]).encode()
    return AnswerContext(
        request=CLIENT_DIALECTS[client].read_request(body, {}),
        id="A" * 24,
        model="served",
        created=1795240000,
        input_estimate=lambda: 17,
        request_id="req_1",
    )


def whole(target: str, client: str, body: bytes) -> bytes:
    """What the client gets for an upstream's whole answer."""
    answer = TARGET_DIALECTS[target].read_answer(body, facts_of(target, SHAPE))
    return CLIENT_DIALECTS[client].write_answer(answer, context_of(client))


def events_of(target: str, data: bytes, sizes: list[int]) -> list[Event]:
    """The events of a stream that comes in pieces of these sizes, the last one repeated."""
    reader = TARGET_DIALECTS[target].stream_reader(facts_of(target, SHAPE))
    events: list[Event] = []
    at, pending = 0, list(sizes)
    size = len(data)
    while at < len(data):
        size = pending.pop(0) if pending else size
        events += reader.feed(data[at : at + size])
        at += size
    return events + reader.close()


def streamed(target: str, client: str, data: bytes, sizes: list[int] | None = None) -> bytes:
    """What the client gets for an upstream's stream."""
    events = events_of(target, data, sizes or [])
    assert isinstance(events[0], MessageStart)
    assert isinstance(events[-1], MessageEnd)
    writer = CLIENT_DIALECTS[client].stream_writer(context_of(client))
    return b"".join(writer.write(event) for event in events)


def test_every_dialect_is_here() -> None:
    assert set(JUDGES) == set(ASKED) == set(CLIENT_DIALECTS)
    assert set(DIALECTS) == set(TARGET_DIALECTS)


@pytest.mark.parametrize(("client", "target"), PAIRS)
@tried(25)
@given(data=st.data(), sizes=st.lists(st.integers(1, 40), min_size=1, max_size=4))
def test_a_stream_is_the_whole_answer(
    client: str, target: str, data: st.DataObject, sizes: list[int]
) -> None:
    speech = data.draw(speeches(target))
    sent = DIALECTS[target].stream(speech)
    got = streamed(target, client, sent)
    assert streamed(target, client, sent, sizes) == got, "however it is cut"
    assert not {"\u0085", "\u2028", "\u2029"} & set(got.decode())
    once = JUDGES[client].whole(whole(target, client, DIALECTS[target].whole(speech)))
    assert comparable(JUDGES[client].stream(got)) == comparable(once)


def comparable(answer: Json) -> Any:
    """The answer, with arguments as values: an upstream's stream and whole spell them apart.

    A Messages stream that says nothing has one empty text, for clients that want a block.
    """
    if answer.get("content") == [{"type": "text", "text": ""}]:
        return answer | {"content": []}
    return _parsed(answer)


def _parsed(value: Any) -> Any:
    if isinstance(value, list):
        return [_parsed(item) for item in value]
    if isinstance(value, dict):
        return {
            name: json.loads(item) if name == "arguments" else _parsed(item)
            for name, item in value.items()
        }
    return value


@pytest.mark.parametrize(("client", "target"), PAIRS)
@tried(25)
@given(data=st.data())
def test_tools_in_are_tools_out(client: str, target: str, data: st.DataObject) -> None:
    speech = data.draw(speeches(target))
    judge = JUDGES[client]
    answer = judge.stream(streamed(target, client, DIALECTS[target].stream(speech)))
    calls = judge.calls(answer)
    wanted = [(call.name, json.loads(call.arguments)) for call in speech.calls]
    assert [(name, _wrapped(value)) for _, name, value in calls] == wanted
    assert len({told for told, _, _ in calls}) == len(calls)
    for call, (told, _, _) in zip(speech.calls, calls, strict=True):
        assert told
        if call.id and (client != "anthropic-messages" or _LEGAL.fullmatch(call.id)):
            assert told == call.id

    results = {told: f"of {place}" for place, (told, _, _) in enumerate(calls)}
    turns = judge.replay(answer, results)
    body = ASKED[client] | {judge.turns: [*ASKED[client][judge.turns], *turns]}
    written = write(client, target, json.dumps(body).encode(), SHAPE)
    oracle = ORACLES[target]
    sent = json.loads(written.body) if client == target else oracle.accept(written.body)
    heard = oracle.hear(sent)
    assert [(name, _wrapped(value)) for _, name, value in heard.calls] == wanted
    assert [told for told, _ in heard.results] == [told for told, _, _ in heard.calls]
    for place, (_, text) in enumerate(heard.results):
        assert f"of {place}" in text


def _wrapped(given: Any) -> Any:
    """The arguments of a function; the input of a free-form tool as a function has it."""
    return {"input": given} if isinstance(given, str) else given
