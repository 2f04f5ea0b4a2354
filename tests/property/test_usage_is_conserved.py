"""Tokens by kind survive every pair of dialects, streamed and whole: none lost, none counted twice.

A fake upstream says some usage in its dialect; our reader and the client's writer carry it; the
numbers are read back in the client's dialect. A dialect joins by a `Fake` (it is a target) or by a
reader of its own answers, which every dialect that clients speak has in `TARGET_DIALECTS`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lynkrc_runtime.protocol.conversation import Answer, Usage
from lynkrc_runtime.protocol.dialect import ANY_TARGET, AnswerContext
from lynkrc_runtime.protocol.fold import fold
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS

MESSAGES, CHAT = "anthropic-messages", "openai-chat"

REQUESTS = {
    MESSAGES: {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]},
    CHAT: {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream_options": {"include_usage": True},
    },
}
"""What a client of each dialect asked, so that it hears the usage of a stream."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Fake:
    """An upstream that reports a usage: as a whole answer, and as a stream."""

    whole: Callable[[Usage], bytes]
    stream: Callable[[Usage], bytes]
    splits_cache_writes: bool = False
    """Whether it tells how long what was written to the cache is kept."""


def _messages_usage(usage: Usage) -> dict[str, Any]:
    found: dict[str, Any] = {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output,
        "server_tool_use": None,
        "service_tier": "standard",
    }
    if usage.reasoning is not None:
        found["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if usage.cache_write_1h is not None:
        found["cache_creation"] = {
            "ephemeral_5m_input_tokens": usage.cache_write - usage.cache_write_1h,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        }
    return found


def _message(usage: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage,
    } | members


def _messages_stream(usage: Usage) -> bytes:
    """As the API streams: the input first, with one token of output; the totals at the end."""
    said = _messages_usage(usage)
    opening = {name: said[name] for name in said if name != "output_tokens_details"}
    start = _message(opening | {"output_tokens": 1}, content=[], stop_reason=None)
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "Hi"},
        },
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {
                name: said[name]
                for name in ("output_tokens", "output_tokens_details")
                if name in said
            },
        },
        {"type": "message_stop"},
    ]
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events
    )


def _chat_usage(usage: Usage) -> dict[str, Any]:
    prompt = usage.input + usage.cache_read + usage.cache_write
    found: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": usage.output,
        "total_tokens": prompt + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write,
            "audio_tokens": 0,
        },
    }
    if usage.reasoning is not None:
        found["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning}
    return found


def _chat_whole(usage: Usage) -> bytes:
    message = {"role": "assistant", "content": "Hi", "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    base = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m"}
    return json.dumps(base | {"choices": [choice], "usage": _chat_usage(usage)}).encode()


def _chat_stream(usage: Usage) -> bytes:
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    deltas = [({"role": "assistant", "content": "Hi"}, None), ({}, "stop")]
    chunks = [
        base | {"choices": [{"index": 0, "delta": delta, "finish_reason": end}], "usage": None}
        for delta, end in deltas
    ]
    chunks.append(base | {"choices": [], "usage": _chat_usage(usage)})
    return (
        b"".join(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks)
        + b"data: [DONE]\n\n"
    )


FAKES = {
    MESSAGES: Fake(
        whole=lambda usage: json.dumps(_message(_messages_usage(usage))).encode(),
        stream=_messages_stream,
        splits_cache_writes=True,
    ),
    CHAT: Fake(whole=_chat_whole, stream=_chat_stream),
}

SPLITS = frozenset((MESSAGES,))
"""Client dialects that tell how long what was written to the cache is kept."""

PAIRS = [(target, client) for target in FAKES for client in REQUESTS]
CHECK = Usage(input=9, output=140, cache_read=18432, cache_write=2048, reasoning=128)


def context_of(client: str) -> AnswerContext:
    body = json.dumps(REQUESTS[client]).encode()
    return AnswerContext(
        request=CLIENT_DIALECTS[client].read_request(body, {}),
        id="a" * 24,
        model="served",
        created=1,
        input_estimate=lambda: 777,
        request_id="req_1",
    )


def whole(target: str, client: str, usage: Usage) -> bytes:
    """What the client gets, whole."""
    answer = TARGET_DIALECTS[target].read_answer(FAKES[target].whole(usage), ANY_TARGET)
    return CLIENT_DIALECTS[client].write_answer(answer, context_of(client))


def streamed(target: str, client: str, usage: Usage, step: int = 0) -> bytes:
    """What the client gets as a stream, where the upstream's comes `step` bytes at a time."""
    reader = TARGET_DIALECTS[target].stream_reader(ANY_TARGET)
    data = FAKES[target].stream(usage)
    pieces = [data[at : at + step] for at in range(0, len(data), step)] if step else [data]
    events = [event for piece in pieces for event in reader.feed(piece)] + reader.close()
    writer = CLIENT_DIALECTS[client].stream_writer(context_of(client))
    return b"".join(writer.write(event) for event in events)


def read_stream(client: str, data: bytes) -> Answer:
    reader = TARGET_DIALECTS[client].stream_reader(ANY_TARGET)
    return fold(reader.feed(data) + reader.close())


def expected(target: str, client: str, usage: Usage) -> Usage:
    """The same, but for what one of the two has no words for."""
    if not (FAKES[target].splits_cache_writes and client in SPLITS):
        usage = replace(usage, cache_write_1h=None)
    if client == CHAT and usage.reasoning is None:
        # Chat's object always has the detail: none known is none used.
        usage = replace(usage, reasoning=0)
    return usage


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    count = st.integers(0, 10**7)
    # No input at all is what upstreams say that do not know it: there a writer puts its estimate.
    usage = Usage(
        input=draw(st.integers(1, 10**7)),
        output=draw(st.integers(1, 10**7)),
        cache_read=draw(count),
        cache_write=draw(count),
    )
    return replace(
        usage,
        reasoning=draw(st.none() | st.integers(0, usage.output)),
        cache_write_1h=draw(st.none() | st.integers(0, usage.cache_write)),
    )


def test_every_dialect_is_here() -> None:
    assert set(FAKES) == set(TARGET_DIALECTS)
    assert set(REQUESTS) == set(CLIENT_DIALECTS)


@pytest.mark.parametrize(("target", "client"), PAIRS)
@settings(derandomize=True, max_examples=40, deadline=None)
@given(usage=usages(), step=st.sampled_from([0, 1, 7]))
def test_usage_by_kind_survives(target: str, client: str, usage: Usage, step: int) -> None:
    wanted = expected(target, client, usage)
    answer = TARGET_DIALECTS[client].read_answer(whole(target, client, usage), ANY_TARGET)
    assert answer.usage == wanted
    assert read_stream(client, streamed(target, client, usage, step)).usage == wanted


@pytest.mark.parametrize(("target", "client"), PAIRS)
def test_the_check_traffic_is_the_same_everywhere(target: str, client: str) -> None:
    body = json.loads(whole(target, client, CHECK))["usage"]
    for usage in (body, last_usage(client, streamed(target, client, CHECK))):
        if client == MESSAGES:
            prompt = (
                usage["input_tokens"],
                usage["cache_creation_input_tokens"],
                usage["cache_read_input_tokens"],
            )
            assert prompt == (9, 2048, 18432)
            assert sum(prompt) == 20489
            assert usage["output_tokens"] == 140
        else:
            assert usage["prompt_tokens"] == 20489
            assert usage["prompt_tokens_details"]["cached_tokens"] == 18432
            assert usage["total_tokens"] == 20489 + 140


def last_usage(client: str, stream: bytes) -> dict[str, Any]:
    """The last usage object of a stream, which some clients read alone."""
    found: dict[str, Any] = {}
    for line in stream.decode().split("\n"):
        if line.startswith("data: {"):
            found = json.loads(line.removeprefix("data: ")).get("usage") or found
    assert found, client
    return found


@pytest.mark.parametrize("target", FAKES)
def test_message_delta_repeats_the_whole_input(target: str) -> None:
    """Some Anthropic clients read nothing but `message_delta`."""
    assert last_usage(MESSAGES, streamed(target, MESSAGES, CHECK)) == {
        "input_tokens": 9,
        "cache_creation_input_tokens": 2048,
        "cache_read_input_tokens": 18432,
        "output_tokens": 140,
        "output_tokens_details": {"thinking_tokens": 128},
    }
