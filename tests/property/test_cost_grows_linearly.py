"""Four times the conversation, or the stream, costs four times the calls: none is walked again.

Counted are calls of functions, Python's and C's, since a time says nothing on a busy machine.
"""

import json
import sys
from collections.abc import Callable
from types import FrameType

import pytest
from msgspec.structs import replace

from lynkrc_runtime.protocol.conversation import (
    MessageEnd,
    Stop,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
)
from lynkrc_runtime.protocol.open_calls import OpenCalls
from lynkrc_runtime.protocol.pieces import EventSplitter
from lynkrc_runtime.protocol.sse import SseParser
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from tests.bench.agent_bodies import body
from tests.bench.streams import stream
from tests.bench.work import context, relay, translate

PAIRS = [(client, target) for client in CLIENT_DIALECTS for target in TARGET_DIALECTS]
FACTOR = 4
SLACK = 1.1


def calls_of(run: Callable[[], object]) -> int:
    """How many functions are called."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count


def assert_linear(small: Callable[[], object], large: Callable[[], object]) -> None:
    small()  # what is made once, on first use, is nobody's cost
    assert calls_of(large) <= calls_of(small) * FACTOR * SLACK


@pytest.mark.parametrize(("client", "target"), PAIRS)
def test_a_conversation_of_2_mb(client: str, target: str) -> None:
    small, large = body(client, 500_000), body(client, 2_000_000)
    assert_linear(translate(client, target, small), translate(client, target, large))


@pytest.mark.parametrize(("client", "target"), PAIRS)
def test_a_stream_of_10_000_chunks(client: str, target: str) -> None:
    small, large = stream(target, 2_500), stream(target, 10_000)
    assert len(large) >= 10_000
    assert_linear(relay(target, client, small), relay(target, client, large))


def side_by_side(client: str, count: int) -> bytes:
    """Calls that are all made in one turn, and answered in the opposite order."""
    made = json.loads(body(client, 2_000))
    name, ids = "tool_1", [f"call_{number}" for number in range(count)]
    ask = {"role": "user", "content": "Fix the build."}
    match client:
        case "anthropic-messages":
            uses = [{"type": "tool_use", "id": one, "name": name, "input": {}} for one in ids]
            answers = [
                {"type": "tool_result", "tool_use_id": one, "content": "ok"} for one in ids[::-1]
            ]
            made["messages"] = [
                ask,
                {"role": "assistant", "content": uses},
                {"role": "user", "content": answers},
            ]
        case "openai-chat":
            function = {"name": name, "arguments": "{}"}
            entries = [{"id": one, "type": "function", "function": function} for one in ids]
            made["messages"] = [
                ask,
                {"role": "assistant", "content": None, "tool_calls": entries},
                *({"role": "tool", "tool_call_id": one, "content": "ok"} for one in ids[::-1]),
            ]
        case _:
            made["input"] = [
                {"type": "message", **ask},
                *(
                    {"type": "function_call", "call_id": one, "name": name, "arguments": "{}"}
                    for one in ids
                ),
                *(
                    {"type": "function_call_output", "call_id": one, "output": "ok"}
                    for one in ids[::-1]
                ),
            ]
    return json.dumps(made).encode()


@pytest.mark.parametrize(("client", "target"), PAIRS)
def test_many_calls_in_one_turn(client: str, target: str) -> None:
    small, large = side_by_side(client, 100), side_by_side(client, 400)
    assert_linear(translate(client, target, small), translate(client, target, large))


@pytest.mark.parametrize("client", CLIENT_DIALECTS)
def test_calls_that_are_streamed_side_by_side(client: str) -> None:
    asked = context(client)

    def run(count: int) -> None:
        writer = CLIENT_DIALECTS[client].stream_writer(asked)
        for index in range(count):
            writer.write(ToolCallStart(index=index, id=f"c{index}", name="f"))
        for index in range(count):
            writer.write(ToolCallDelta(index=index, json="{}"))
        for index in range(count):
            writer.write(ToolCallEnd(index=index))
        end = MessageEnd(stop=Stop.TOOL_USE, stop_sequence=None, usage=Usage(input=1, output=1))
        assert writer.write(end)

    assert_linear(lambda: run(100), lambda: run(400))


def test_what_waits_for_a_call_keeps_its_order() -> None:
    """Text between two calls that wait stays between them, and a text behind both behind both."""
    writer = CLIENT_DIALECTS["anthropic-messages"].stream_writer(context("anthropic-messages"))
    events = [
        ToolCallStart(index=0, id="a", name="f"),
        ToolCallStart(index=1, id="b", name="f"),
        TextDelta(text="first"),
        ToolCallEnd(index=1),
        TextDelta(text=" second"),
        ToolCallEnd(index=0),
        MessageEnd(stop=Stop.TOOL_USE, stop_sequence=None, usage=replace(Usage(), input=1)),
    ]
    written = b"".join(writer.write(event) for event in events).decode()
    places = [written.index(part) for part in ('"id":"a"', '"id":"b"', "first", " second")]
    assert places == sorted(places)


def test_a_long_line_is_put_together_once() -> None:
    """In small pieces it is kept as pieces: nothing is joined before its end has come."""
    parser, splitter = SseParser(), EventSplitter()
    data = b'event: e\ndata: {"x":"' + b"x" * 100_000 + b'"}\n\n'
    events, pieces = [], []
    for place in range(0, len(data), 7):
        events += parser.feed(data[place : place + 7])
        pieces += splitter.feed(data[place : place + 7])
    assert events == [("e", data[15:-2])]
    assert pieces == [data]

    def feed(size: int) -> None:
        reader = SseParser()
        reader.feed(b"data: ")
        for _ in range(size):
            assert reader.feed(b"x" * 10) == []
        assert reader.feed(b"\n\n") == [("", b"x" * 10 * size)]

    assert_linear(lambda: feed(500), lambda: feed(2_000))


def test_results_of_a_repeated_id_are_matched_in_order() -> None:
    names = ["a", *(f"a__{number}" for number in range(1, 50)), "b"]
    calls = OpenCalls(names)
    assert [calls.take("a") for _ in range(51)] == [*names[:-1], None]
    assert calls.left == ["b"]


def test_an_id_is_cut_before_its_number() -> None:
    given = "c" * 40
    calls = OpenCalls([given, f"{given[:35]}__1"])
    assert [calls.take(given, 35), calls.take(given, 35)] == [given, f"{given[:35]}__1"]
