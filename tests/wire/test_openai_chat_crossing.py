"""Chat beside Messages: streams translated both ways, and what the official SDK makes of ours."""

import json
from typing import Any

import httpx2
import openai
import pytest
from msgspec.structs import replace

from lynkrc_runtime.protocol import anthropic
from lynkrc_runtime.protocol.conversation import Event, RedactedThinking, Text, Thinking, ToolCall
from lynkrc_runtime.protocol.dialect import AnswerContext
from lynkrc_runtime.protocol.fold import fold
from lynkrc_runtime.protocol.naming import legal_id
from lynkrc_runtime.protocol.openai_chat import CLIENT
from tests.wire import anthropic_lint
from tests.wire.openai_chat_lint import (
    context_of,
    lint_completion,
    lint_stream,
    load,
    read_stream,
    to_sse,
)
from tests.wire.openai_chat_requests import facts_of

STREAMS = load("streams")
MESSAGES_STREAMS = anthropic_lint.load("streams")
MESSAGES_WHOLE = sorted(set(MESSAGES_STREAMS) - {"error_midway", "cut"})
ASKED = {"stream": True, "stream_options": {"include_usage": True}}


def write_stream(events: list[Event], context: AnswerContext | None = None) -> bytes:
    writer = CLIENT.stream_writer(context or context_of(**ASKED))
    return b"".join(writer.write(event) for event in events)


def read_messages_stream(name: str) -> list[Event]:
    reader = anthropic.TARGET.stream_reader()
    return reader.feed(anthropic_lint.to_sse(MESSAGES_STREAMS[name])) + reader.close()


@pytest.mark.parametrize("name", sorted(set(STREAMS) - {"length_inside_call"}))
def test_a_chat_stream_is_a_legal_messages_stream(name: str) -> None:
    events = read_stream(to_sse(STREAMS[name]["items"]))
    body = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}'
    context = AnswerContext(
        request=anthropic.CLIENT.read_request(body, {}),
        id="a" * 24,
        model="served-1",
        created=1,
        input_estimate=lambda: 17,
        request_id="req_1",
    )
    writer = anthropic.CLIENT.stream_writer(context)
    stream = b"".join(writer.write(event) for event in events)
    anthropic_lint.lint_stream(stream)
    reader = anthropic.TARGET.stream_reader()
    again = fold(reader.feed(stream) + reader.close())
    first = fold(events)
    assert [b for b in again.blocks if isinstance(b, ToolCall | Text)] == [
        replace(b, id=legal_id(b.id, limit=128)) if isinstance(b, ToolCall) else Text(text=b.text)
        for b in first.blocks
        if not isinstance(b, Thinking | RedactedThinking)
    ]


@pytest.mark.parametrize("name", MESSAGES_WHOLE)
def test_a_messages_stream_is_a_legal_chat_stream(name: str) -> None:
    events = read_messages_stream(name)
    lint_stream(write_stream(events), with_usage=True)
    lint_completion(CLIENT.write_answer(fold(events), context_of()))


@pytest.mark.parametrize("name", ["error_midway", "cut"])
def test_a_broken_messages_stream_is_no_clean_chat_stream(name: str) -> None:
    stream = write_stream(read_messages_stream(name))
    assert b"[DONE]" not in stream
    assert b'data: {"error":' in stream


def client_of(body: bytes, content_type: str) -> openai.OpenAI:
    """The official client over an answer of ours, without a network."""
    answer = httpx2.Response(200, headers={"content-type": content_type}, content=body)
    transport = httpx2.MockTransport(lambda _: answer)
    return openai.OpenAI(
        api_key="k",
        base_url="http://gateway.invalid/v1",
        max_retries=0,
        http_client=openai.DefaultHttpxClient(transport=transport),
        _strict_response_validation=True,
    )


def said(message: Any) -> dict[str, Any]:
    calls = message.tool_calls or []
    return {
        "content": message.content or "",
        "refusal": message.refusal,
        "reasoning": getattr(message, "reasoning_content", None),
        "calls": [(call.id, call.function.name, call.function.arguments) for call in calls],
    }


@pytest.mark.parametrize("name", MESSAGES_WHOLE)
def test_the_sdk_makes_the_same_of_the_stream_and_of_the_whole(name: str) -> None:
    events = read_messages_stream(name)
    messages: Any = [{"role": "user", "content": "Hi"}]
    whole_body = CLIENT.write_answer(fold(events), context_of())
    with client_of(whole_body, "application/json") as client:
        whole = client.chat.completions.create(model="m", messages=messages)
    stream_body = write_stream(events)
    with client_of(stream_body, "text/event-stream") as client:
        chunks = list(client.chat.completions.create(model="m", messages=messages, stream=True))
    assert chunks[-1].usage == whole.usage
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason
    if whole.choices[0].finish_reason in ("length", "content_filter"):
        return
    with (
        client_of(stream_body, "text/event-stream") as client,
        client.chat.completions.stream(model="m", messages=messages) as stream,
    ):
        final = stream.get_final_completion()
    assert said(final.choices[0].message) == said(whole.choices[0].message)
    assert final.usage == whole.usage


def test_the_sdk_raises_on_an_error_in_the_stream() -> None:
    messages: Any = [{"role": "user", "content": "Hi"}]
    body = write_stream(read_messages_stream("error_midway"))
    with (
        client_of(body, "text/event-stream") as client,
        pytest.raises(openai.APIError) as caught,
    ):
        list(client.chat.completions.create(model="m", messages=messages, stream=True))
    error = json.loads(body.split(b"data: ")[-1])["error"]
    assert caught.value.message == error["message"]
    assert caught.value.type == error["type"]


def test_a_result_goes_to_the_call_of_exactly_its_id() -> None:
    """`x__1` is a client's own id here, not the mark of a repeated `x`."""
    calls = [
        {"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}
        for id in ("x__1", "x")
    ]
    body = {
        "model": "m",
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "tool", "tool_call_id": "x", "content": "of x"},
            {"role": "tool", "tool_call_id": "x__1", "content": "of x__1"},
        ],
    }
    request = CLIENT.read_request(json.dumps(body).encode(), {})
    written = anthropic.TARGET.write_request(request, facts_of(), {})
    results = json.loads(written.body)["messages"][-1]["content"]
    assert {result["tool_use_id"]: result["content"] for result in results} == {
        "x": "of x",
        "x__1": "of x__1",
    }
