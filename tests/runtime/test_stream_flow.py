"""A stream's bytes to the client's, in every combination of dialects, at any split."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol.conversation import Request, StreamError
from lynkrc_runtime.protocol.dialect import AnswerContext, Problem
from lynkrc_runtime.protocol.fold import fold
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from lynkrc_runtime.server.flow import Flow
from lynkrc_runtime.simulator import Behaviour, compose, parse_behaviour
from tests.runtime.by_hand import CHAT, MESSAGES, RESPONSES, body
from tests.wire.openai_responses_lint import lint_stream

COMBINATIONS = [
    (source, sink) for source in (MESSAGES, CHAT) for sink in (MESSAGES, CHAT, RESPONSES)
]
READABLE = [(source, sink) for source, sink in COMBINATIONS if sink in TARGET_DIALECTS]


def request(dialect: str, **more: Any) -> Request:
    tool: dict[str, Any] = {"name": "look", "description": "looks", "input_schema": {}}
    if dialect == CHAT:
        tool = {"type": "function", "function": {"name": "look", "parameters": {}}}
    if dialect == RESPONSES:
        tool = {"type": "function", "name": "look", "parameters": {}}
    content = body(dialect, stream=True, text="use a tool, ünïcode", tools=[tool], **more)
    return CLIENT_DIALECTS[dialect].read_request(content, {})


def context(asked: Request) -> AnswerContext:
    return AnswerContext(
        request=asked,
        id="a" * 24,
        model="model-one",
        created=1,
        input_estimate=lambda: 5,
        request_id="req_test",
    )


def upstream_request(source: str) -> Request:
    """As a gateway sends it: it always asks for usage."""
    more = {"stream_options": {"include_usage": True}} if source == CHAT else {}
    return request(source, **more)


def upstream_bytes(source: str, behaviour: str = "tool") -> bytes:
    asked = upstream_request(source)
    writer = CLIENT_DIALECTS[source].stream_writer(context(asked))
    events = compose(asked, parse_behaviour(behaviour))
    return b"".join(map(writer.write, events))


def relayed(source: str, sink: str, chunks: list[bytes], **more: Any) -> tuple[Flow, bytes]:
    flow = Flow(TARGET_DIALECTS[source], CLIENT_DIALECTS[sink], context(request(sink, **more)))
    out: list[bytes] = []
    for chunk in [*chunks, b""]:
        if not flow.has_ended and flow.failure is None:
            out += flow.feed(chunk)
    return flow, b"".join(out)


@pytest.mark.parametrize(("source", "sink"), COMBINATIONS)
@settings(derandomize=True, max_examples=25)
@given(cuts=st.lists(st.integers(min_value=1, max_value=2000), max_size=12))
def test_any_split_gives_the_same_bytes(source: str, sink: str, cuts: list[int]) -> None:
    data = upstream_bytes(source)
    places = [0, *sorted({cut for cut in cuts if cut < len(data)}), len(data)]
    chunks = [data[start:end] for start, end in pairwise(places)]
    whole_flow, whole = relayed(source, sink, [data])
    flow, out = relayed(source, sink, chunks)
    assert out == whole
    assert flow.has_ended and flow.failure is None
    assert flow.usage == whole_flow.usage


@pytest.mark.parametrize(("source", "sink"), COMBINATIONS)
def test_every_end_of_the_bytes_but_the_proper_one_is_a_failure(source: str, sink: str) -> None:
    data = upstream_bytes(source)
    flow, _ = relayed(source, sink, [data])
    assert flow.has_ended
    # Up to the last event that is not the terminal sign, in both dialects.
    cut = data.index(b'finish_reason":"' if source == CHAT else b"event: message_delta")
    flow, _ = relayed(source, sink, [data[:cut]])
    assert not flow.has_ended
    assert flow.failure is not None


@pytest.mark.parametrize(("source", "sink"), READABLE)
def test_the_client_reads_what_the_upstream_said(source: str, sink: str) -> None:
    said = fold(compose(upstream_request(source), Behaviour()))
    more = {"stream_options": {"include_usage": True}} if sink == CHAT else {}
    _, out = relayed(source, sink, [upstream_bytes(source, "echo")], **more)
    reader = TARGET_DIALECTS[sink].stream_reader()
    events = reader.feed(out) + reader.close()
    assert not [event for event in events if isinstance(event, StreamError)]
    heard = fold(events)
    assert (heard.blocks, heard.stop) == (said.blocks, said.stop)
    assert (heard.usage.input, heard.usage.output) == (said.usage.input, said.usage.output)


@pytest.mark.parametrize("source", [MESSAGES, CHAT])
def test_a_responses_client_gets_a_stream_that_breaks_no_rule(source: str) -> None:
    _, out = relayed(source, RESPONSES, [upstream_bytes(source)])
    last = lint_stream(out)[-1]["response"]
    assert last["status"] == "completed"
    assert [item["type"] for item in last["output"]] == ["message", "function_call"]


@pytest.mark.parametrize("source", [MESSAGES, CHAT])
def test_the_error_of_a_broken_stream_is_the_writers(source: str) -> None:
    flow, out = relayed(source, RESPONSES, [upstream_bytes(source)[:800]])
    assert flow.failure is not None
    problem = Problem(status=502, kind="bad_gateway", message="cut")
    events = lint_stream(out + flow.fail(problem))
    assert events[-1]["type"] == "response.failed"
    assert flow.fail(problem) == b""


def test_usage_we_asked_for_is_taken_out_again() -> None:
    data = upstream_bytes(CHAT)
    _, plain = relayed(CHAT, CHAT, [data])
    _, asked = relayed(CHAT, CHAT, [data], stream_options={"include_usage": True})
    assert asked == data
    assert b'"usage":{' in asked
    assert b'"usage":{' not in plain
    assert plain.endswith(b"data: [DONE]\n\n")
    flow, _ = relayed(CHAT, CHAT, [data])
    assert flow.usage is not None and flow.usage.output > 0


def test_an_empty_answer_is_a_failure_only_when_translated() -> None:
    def empty() -> bytes:
        chunk = {
            "id": "c",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": "stop"}],
        }
        return b"data: " + msgspec.json.encode(chunk) + b"\n\ndata: [DONE]\n\n"

    translated, _ = relayed(CHAT, MESSAGES, [empty()])
    assert translated.failure is not None
    passed, out = relayed(CHAT, CHAT, [empty()])
    assert passed.failure is None and out == empty()
