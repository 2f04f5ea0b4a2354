"""The simulator: every behaviour, in every dialect, streamed and not."""

import asyncio
from typing import Any

import msgspec
import pytest

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.protocol.conversation import (
    Answer,
    BrokenAnswer,
    Event,
    FailureClass,
    Stop,
    Text,
    ToolCall,
)
from lynkrc_runtime.protocol.fold import fold
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from lynkrc_runtime.simulator import (
    _NAMED_TOOL,
    Act,
    Behaviour,
    SimulatedResponse,
    Simulator,
    UnknownBehaviour,
    example,
    parse_behaviour,
    parse_wishes,
)
from lynkrc_runtime.upstream import UpstreamFault, UpstreamRequest
from tests.runtime.by_hand import CHAT, MESSAGES, RESPONSES
from tests.wire.openai_responses_lint import lint_response

BOTH = pytest.mark.parametrize("dialect", sorted(CLIENT_DIALECTS.keys() & TARGET_DIALECTS))
STREAMED = pytest.mark.parametrize("stream", [False, True])

SCHEMA = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "depth": {"type": "integer", "minimum": 3}},
    "required": ["path", "depth"],
}


def body(dialect: str, *, stream: bool, text: str = "Hello there", **more: Any) -> bytes:
    said = [{"role": "user", "content": text}]
    members: dict[str, Any] = {
        "model": "some-model",
        "input" if dialect == RESPONSES else "messages": said,
        "stream": stream,
    }
    if dialect == RESPONSES:
        return msgspec.json.encode(members | more)
    if dialect == MESSAGES:
        members["max_tokens"] = 100
    elif stream:
        members["stream_options"] = {"include_usage": True}
    return msgspec.json.encode(members | more)


def tools(dialect: str) -> list[dict[str, Any]]:
    if dialect == MESSAGES:
        return [{"name": "look", "description": "looks", "input_schema": SCHEMA}]
    if dialect == RESPONSES:
        return [{"type": "function", "name": "look", "parameters": SCHEMA}]
    return [{"type": "function", "function": {"name": "look", "parameters": SCHEMA}}]


async def send(dialect: str, content: bytes, behaviour: str | None = None) -> SimulatedResponse:
    request = UpstreamRequest(
        url="http://simulator.invalid",
        headers={},
        body=content,
        connect=1.0,
        fresh=False,
        target="t",
        dialect=dialect,
        simulate=behaviour,
    )
    return await Simulator(CLIENT_DIALECTS, clock=lambda: 1_700_000_000.0).send(request)


async def events_of(dialect: str, response: SimulatedResponse) -> list[Event]:
    reader = TARGET_DIALECTS[dialect].stream_reader()
    events: list[Event] = []
    while chunk := await response.read():
        events += reader.feed(chunk)
    return events + reader.close()


async def answer(
    dialect: str, *, stream: bool, behaviour: str | None = None, **more: Any
) -> Answer:
    response = await send(dialect, body(dialect, stream=stream, **more), behaviour)
    assert response.status == 200
    assert response.headers["x-lynkr-simulated"] == "1"
    if stream:
        assert response.headers["content-type"].startswith("text/event-stream")
        return fold(await events_of(dialect, response))
    return TARGET_DIALECTS[dialect].read_answer(await response.read())


@BOTH
@STREAMED
async def test_an_echo_says_that_it_is_one(dialect: str, stream: bool) -> None:
    said = await answer(dialect, stream=stream)
    (block,) = said.blocks
    assert isinstance(block, Text)
    assert "No model was called" in block.text and "Hello there" in block.text
    assert said.model == "some-model"
    assert said.stop is Stop.END
    assert said.usage.output > 0


@BOTH
async def test_streamed_and_whole_answers_say_the_same(dialect: str) -> None:
    whole = await answer(dialect, stream=False, tools=tools(dialect), text="use the look tool")
    streamed = await answer(dialect, stream=True, tools=tools(dialect), text="use the look tool")
    assert whole.stop is streamed.stop
    # Only the model name and the ask differ by nothing: the bodies differ in `stream` alone.
    assert [type(block) for block in whole.blocks] == [type(block) for block in streamed.blocks]


@BOTH
@STREAMED
@pytest.mark.parametrize(
    ("text", "behaviour", "called"),
    [
        ("use the Look tool", None, True),
        ("use some tool", None, False),
        ("say hello", "tool", True),
    ],
)
async def test_tools_are_called_when_asked_for(
    dialect: str, stream: bool, text: str, behaviour: str | None, called: bool
) -> None:
    said = await answer(
        dialect, stream=stream, behaviour=behaviour, text=text, tools=tools(dialect)
    )
    calls = [block for block in said.blocks if isinstance(block, ToolCall)]
    if not called:
        assert calls == []
        return
    (call,) = calls
    assert call.name == "look"
    assert msgspec.json.decode(call.arguments) == {"path": "example", "depth": 3}
    assert said.stop is Stop.TOOL_USE


@STREAMED
async def test_a_tools_result_is_answered_in_words(stream: bool) -> None:
    turns = [
        {"role": "user", "content": "use the look tool"},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "call_1", "name": "look", "input": {}}],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "seen"}],
        },
    ]
    said = await answer(
        MESSAGES, stream=stream, behaviour="tool", messages=turns, tools=tools(MESSAGES)
    )
    assert said.stop is Stop.END


async def test_a_forbidden_tool_is_not_called() -> None:
    said = await answer(
        CHAT, stream=False, text="use the look tool", tools=tools(CHAT), tool_choice="none"
    )
    assert said.stop is Stop.END


async def test_a_schema_is_followed() -> None:
    wish = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}
    said = await answer(CHAT, stream=False, response_format=wish)
    (block,) = said.blocks
    assert isinstance(block, Text)
    assert msgspec.json.decode(block.text) == {"path": "example", "depth": 3}


@BOTH
@STREAMED
async def test_length_and_empty(dialect: str, stream: bool) -> None:
    assert (await answer(dialect, stream=stream, behaviour="length")).stop is Stop.LENGTH
    assert (await answer(dialect, stream=stream, behaviour="empty")).blocks == ()


@BOTH
@pytest.mark.parametrize(
    ("behaviour", "status", "kind", "wait"),
    [
        ("fail:503", 503, FailureClass.TRANSIENT, None),
        ("fail:429:2", 429, FailureClass.THROTTLED, 2.0),
        ("fail:401", 401, FailureClass.OURS, None),
        ("fail:422", 422, FailureClass.CALLERS, None),
    ],
)
async def test_failures(
    dialect: str, behaviour: str, status: int, kind: FailureClass, wait: float | None
) -> None:
    response = await send(dialect, body(dialect, stream=True), behaviour)
    assert response.status == status
    content = await response.read()
    failure = TARGET_DIALECTS[dialect].read_failure(response.status, response.headers, content)
    assert (failure.kind, failure.retry_after) == (kind, wait)
    assert "simulated" in failure.message


@BOTH
async def test_an_error_event_comes_before_any_content(dialect: str) -> None:
    response = await send(dialect, body(dialect, stream=True), "error")
    with pytest.raises(BrokenAnswer) as caught:
        fold(await events_of(dialect, response))
    assert caught.value.failure.kind is FailureClass.TRANSIENT
    assert (await send(dialect, body(dialect, stream=False), "error")).status == 529


@BOTH
@STREAMED
async def test_a_break_cuts_after_some_content(dialect: str, stream: bool) -> None:
    response = await send(dialect, body(dialect, stream=stream), "break")
    seen = b""
    with pytest.raises(UpstreamFault) as caught:
        while chunk := await response.read():
            seen += chunk
    assert caught.value.fault is Fault.BROKEN
    assert seen


@BOTH
async def test_a_stall_never_answers_and_a_hang_never_ends(dialect: str) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await send(dialect, body(dialect, stream=True), "stall")
    response = await send(dialect, body(dialect, stream=True), "hang")
    assert await response.read()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            while await response.read():
                pass


@BOTH
async def test_what_is_no_request_is_refused(dialect: str) -> None:
    response = await send(dialect, b'{"model": 3}')
    assert response.status == 400


@pytest.mark.parametrize(
    "text", ["", "dance", "fail", "fail:200", "fail:x", "fail:503:x", "fail:503:1:2", "echo:1"]
)
def test_unknown_behaviours_are_refused(text: str) -> None:
    with pytest.raises(UnknownBehaviour):
        parse_behaviour(text)


def test_wishes_by_target() -> None:
    assert parse_behaviour(" fail:503 ") == Behaviour(act=Act.FAIL, status=503)
    assert parse_wishes("mid=fail:503, small = tool") == {"mid": "fail:503", "small": "tool"}
    with pytest.raises(UnknownBehaviour):
        parse_wishes("tool")


def test_examples_fit_odd_schemas() -> None:
    assert example({"anyOf": [{"type": "integer"}, {"type": "null"}]}) == 1
    assert example({"type": ["null", "string"]}) is None
    assert example({"enum": ["b", "a"]}) == "b"
    assert example({"type": "array", "items": {"type": "string"}}) == []
    endless: dict[str, Any] = {"type": "object", "required": ["next"]}
    endless["properties"] = {"next": endless}
    value = example(endless)
    assert set(value) == {"next"}


def test_a_schema_that_repeats_its_names_costs_no_more() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(9):
        schema = {"required": ["a"] * 100 + [["a"], 1], "properties": {"a": schema}}
    value = example(schema)
    for _ in range(8):
        value = value["a"]
    assert value == {}


def test_an_endless_word_is_looked_through_once() -> None:
    assert _NAMED_TOOL.findall("use the Read tool") == ["Read"]
    assert _NAMED_TOOL.findall("a" * 300_000) == []


def test_a_wait_of_any_length_is_refused_in_words() -> None:
    with pytest.raises(UnknownBehaviour, match="SECONDS"):
        parse_behaviour("fail:503:" + "9" * 5000)


async def test_a_free_form_tool_gets_raw_input() -> None:
    tool = {"type": "custom", "name": "patch"}
    response = await send(RESPONSES, body(RESPONSES, stream=False, tools=[tool]), "tool")
    call = lint_response(await response.read())["output"][-1]
    assert (call["type"], call["name"], call["input"]) == ("custom_tool_call", "patch", "example")
