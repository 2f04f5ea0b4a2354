"""Tokens by kind survive every pair of dialects, streamed and whole: none lost, none counted twice.

An upstream says some usage in its dialect (`upstreams.py`); our reader and the client's writer
carry it; the numbers are read back in the client's dialect.
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lynkrc_runtime.protocol.conversation import Answer, Usage
from lynkrc_runtime.protocol.dialect import ANY_TARGET, AnswerContext
from lynkrc_runtime.protocol.fold import fold
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from tests.property.effort import tried
from tests.property.upstreams import DIALECTS, speech_of

MESSAGES, CHAT, RESPONSES = "anthropic-messages", "openai-chat", "openai-responses"

REQUESTS = {
    MESSAGES: {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]},
    CHAT: {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream_options": {"include_usage": True},
    },
    RESPONSES: {"model": "m", "input": "Hi"},
}
"""What a client of each dialect asked, so that it hears the usage of a stream."""

SPLITS = frozenset((MESSAGES,))
"""Client dialects that tell how long what was written to the cache is kept."""

PAIRS = [(target, client) for target in DIALECTS for client in REQUESTS]
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


def said(target: str, usage: Usage) -> bytes:
    """An upstream's whole answer with this usage."""
    return DIALECTS[target].whole(speech_of(target, usage))


def whole(target: str, client: str, usage: Usage) -> bytes:
    """What the client gets, whole."""
    answer = TARGET_DIALECTS[target].read_answer(said(target, usage), ANY_TARGET)
    return CLIENT_DIALECTS[client].write_answer(answer, context_of(client))


def streamed(target: str, client: str, usage: Usage, step: int = 0) -> bytes:
    """What the client gets as a stream, where the upstream's comes `step` bytes at a time."""
    reader = TARGET_DIALECTS[target].stream_reader(ANY_TARGET)
    data = DIALECTS[target].stream(speech_of(target, usage))
    pieces = [data[at : at + step] for at in range(0, len(data), step)] if step else [data]
    events = [event for piece in pieces for event in reader.feed(piece)] + reader.close()
    writer = CLIENT_DIALECTS[client].stream_writer(context_of(client))
    return b"".join(writer.write(event) for event in events)


def read_stream(client: str, data: bytes) -> Answer:
    reader = TARGET_DIALECTS[client].stream_reader(ANY_TARGET)
    return fold(reader.feed(data) + reader.close())


def expected(target: str, client: str, usage: Usage) -> Usage:
    """The same, but for what one of the two has no words for."""
    usage = DIALECTS[target].sayable(usage)
    if client not in SPLITS:
        usage = replace(usage, cache_write_1h=None)
    if client in (CHAT, RESPONSES) and usage.reasoning is None:
        # OpenAI's objects always have the detail: none known is none used.
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
    assert set(DIALECTS) == set(TARGET_DIALECTS)
    assert set(REQUESTS) == set(CLIENT_DIALECTS)


@pytest.mark.parametrize(("target", "client"), PAIRS)
@tried(20)
@given(usage=usages(), step=st.sampled_from([0, 1, 7]))
def test_usage_by_kind_survives(target: str, client: str, usage: Usage, step: int) -> None:
    wanted = expected(target, client, usage)
    answer = TARGET_DIALECTS[client].read_answer(whole(target, client, usage), ANY_TARGET)
    assert answer.usage == wanted
    assert read_stream(client, streamed(target, client, usage, step)).usage == wanted


@pytest.mark.parametrize(("target", "client"), PAIRS)
def test_the_check_traffic_is_the_same_everywhere(target: str, client: str) -> None:
    """One request of 20,489 tokens, by the names of each client; a kind a target has no words for
    stands at 0."""
    told = DIALECTS[target].sayable(CHECK)
    prompt = told.input + told.cache_read + told.cache_write
    body = json.loads(whole(target, client, CHECK))["usage"]
    for usage in (body, last_usage(client, streamed(target, client, CHECK))):
        match client:
            case "anthropic-messages":
                assert usage["input_tokens"] == told.input
                assert usage["cache_creation_input_tokens"] == told.cache_write
                assert usage["cache_read_input_tokens"] == told.cache_read
                assert usage["output_tokens"] == 140
            case "openai-chat":
                assert usage["prompt_tokens"] == prompt
                assert usage["prompt_tokens_details"]["cached_tokens"] == told.cache_read
                assert usage["total_tokens"] == prompt + 140
            case _:
                assert usage["input_tokens"] == prompt
                assert usage["input_tokens_details"]["cached_tokens"] == told.cache_read
                assert usage["total_tokens"] == prompt + 140
    if "cache_write" in DIALECTS[target].counts:
        assert prompt == 20489


def last_usage(client: str, stream: bytes) -> dict[str, Any]:
    """The last usage object of a stream, which some clients read alone."""
    found: dict[str, Any] = {}
    for line in stream.decode().split("\n"):
        if line.startswith("data: {"):
            event = json.loads(line.removeprefix("data: "))
            found = event.get("usage") or event.get("response", {}).get("usage") or found
    assert found, client
    return found


@pytest.mark.parametrize("target", DIALECTS)
def test_message_delta_repeats_the_whole_input(target: str) -> None:
    """Some Anthropic clients read nothing but `message_delta`."""
    told = DIALECTS[target].sayable(CHECK)
    thought = {} if told.reasoning is None else {"thinking_tokens": told.reasoning}
    assert last_usage(MESSAGES, streamed(target, MESSAGES, CHECK)) == {
        "input_tokens": told.input,
        "cache_creation_input_tokens": told.cache_write,
        "cache_read_input_tokens": told.cache_read,
        "output_tokens": 140,
        **({"output_tokens_details": thought} if thought else {}),
    }
