"""Converse answers, whole and streamed: any split, the same sum, and legal for every client."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol.anthropic import CLIENT as MESSAGES
from lynkrc_runtime.protocol.bedrock_converse import TARGET
from lynkrc_runtime.protocol.conversation import (
    Answer,
    BrokenAnswer,
    Event,
    FailureClass,
    MessageEnd,
    OpaqueEvent,
    RedactedThinking,
    Stop,
    StreamError,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from lynkrc_runtime.protocol.event_stream import MAX_FRAME, BrokenFrames, FrameReader
from lynkrc_runtime.protocol.fold import fold
from lynkrc_runtime.protocol.openai_chat import CLIENT as CHAT
from tests.wire import anthropic_lint, openai_chat_lint
from tests.wire.bedrock_frames import NOVA, frame, frame_of, frames, load, parsed, sealed
from tests.wire.bedrock_send import facts

ANSWERS, STREAMS, ERRORS = load("answers"), load("streams"), load("errors")
WHOLE = ["text", "parallel_tools", "reasoning"]
FACTS = facts()


def read(data: bytes, size: int | None = None, **more: Any) -> list[Event]:
    reader = TARGET.stream_reader(facts(**more))
    step = size or len(data) or 1
    events = [e for i in range(0, len(data), step) for e in reader.feed(data[i : i + step])]
    return events + reader.close()


def answer(name: str) -> Answer:
    body = json.dumps(ANSWERS[name], separators=(",", ":"))
    return TARGET.read_answer(body.encode(), FACTS)


def failure(rows: list[Any], **more: Any) -> Any:
    last = read(frames(rows), **more)[-1]
    assert isinstance(last, StreamError)
    return last.failure


START = ["event", "messageStart", {"role": "assistant"}]
HELLO = ["event", "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hello"}}]
STOP = ["event", "messageStop", {"stopReason": "end_turn"}]
USAGE = ["event", "metadata", {"usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}}]


@pytest.mark.parametrize("name", sorted(set(STREAMS) - {"invoke_anthropic_stream"}))
def test_every_split_gives_the_same_events(name: str) -> None:
    data = frames(STREAMS[name])
    assert all(parsed(data)), "botocore reads what the tests build"
    whole = read(data)
    for position in range(1, len(data)):
        reader = TARGET.stream_reader(FACTS)
        events = reader.feed(data[:position]) + reader.feed(data[position:]) + reader.close()
        assert events == whole
    assert read(data, 1) == whole


def test_streams_add_up() -> None:
    told = {name: fold(read(frames(STREAMS[name]))) for name in WHOLE}
    assert told["text"].blocks == (Text(text="Hello there — ça va?"),)
    assert told["text"].usage == Usage(input=21, output=12)
    assert told["parallel_tools"] == answer("parallel_tools")
    assert told["reasoning"].blocks == answer("reasoning_cache").blocks
    assert told["reasoning"].usage == Usage(input=21, output=12, cache_read=1024)


@pytest.mark.parametrize(
    ("name", "stop", "usage"),
    [
        ("text", Stop.END, Usage(input=21, output=12)),
        ("guardrail", Stop.REFUSAL, Usage(input=21, output=12)),
        ("max_tokens", Stop.LENGTH, Usage(input=21, output=12)),
        (
            "reasoning_cache",
            Stop.END,
            Usage(input=9, output=40, cache_read=18432, cache_write=2048, cache_write_1h=1024),
        ),
        ("parallel_tools", Stop.TOOL_USE, Usage(input=21, output=12)),
    ],
)
def test_stops_and_usage(name: str, stop: Stop, usage: Usage) -> None:
    assert (answer(name).stop, answer(name).usage) == (stop, usage)


def test_blocks_of_an_answer() -> None:
    content = [
        {"reasoningContent": {"redactedContent": "cmVk"}},
        {"text": ""},
        {"toolUse": {"toolUseId": "a", "name": "f", "input": {"n": 1.5}}},
        {"toolUse": {"toolUseId": "s", "name": "f", "input": {}, "type": "server_tool_use"}},
        {"citationsContent": {"content": [{"text": "cited"}], "citations": []}},
        {"video": {}},
    ]
    body = {"output": {"message": {"role": "assistant", "content": content}}}
    body |= {
        "stopReason": "stop_sequence",
        "additionalModelResponseFields": {"stop_sequence": "END"},
    }
    found = TARGET.read_answer(json.dumps(body).encode().replace(b"1.5", b"1.50"), FACTS)
    assert found.blocks == (
        RedactedThinking(data="cmVk"),
        ToolCall(id="a", name="f", arguments='{"n": 1.50}'),
        Text(text="cited"),
    )
    assert (found.stop, found.stop_sequence) == (Stop.STOP_SEQUENCE, "END")
    assert found.lost == ("server_tool_use", "citations", "video")
    assert not found.usage.reported


def test_only_claude_signs_its_reasoning() -> None:
    body = json.dumps(ANSWERS["reasoning_cache"]).encode()
    assert TARGET.read_answer(body, facts(NOVA)).blocks[0] == Thinking(text="2+2")
    folded = fold(read(frames(STREAMS["reasoning"]), model=NOVA))
    assert folded.blocks[0] == Thinking(text="2+2")


def test_redacted_reasoning_and_matched_stops_in_a_stream() -> None:
    def piece(data: str) -> list[Any]:
        delta = {"reasoningContent": {"redactedContent": data}}
        return ["event", "contentBlockDelta", {"contentBlockIndex": 0, "delta": delta}]

    stop = {
        "stopReason": "stop_sequence",
        "additionalModelResponseFields": {"stop_sequence": "END"},
    }
    end = ["event", "contentBlockStop", {"contentBlockIndex": 0}]
    rows = [START, piece("cmU="), piece("ZA=="), end, ["event", "messageStop", stop], USAGE]
    folded = fold(read(frames(rows)))
    assert folded.blocks == (RedactedThinking(data="cmVk"),)
    assert folded.stop_sequence == "END"


def test_blocks_without_an_end_of_their_own() -> None:
    other = ["event", "contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "x"}}]
    assert fold(read(frames([HELLO, other, STOP, USAGE]))).blocks == (
        Text(text="Hello"),
        Text(text="x"),
    )


def test_usage_that_never_came_is_not_made_up() -> None:
    end = read(frames([START, HELLO, STOP]))[-1]
    assert end == MessageEnd(stop=Stop.END, stop_sequence=None, usage=Usage(reported=False))


def test_what_comes_after_the_end_is_ignored() -> None:
    assert read(frames([START, HELLO, STOP, USAGE, HELLO]))[-1].__class__ is MessageEnd


@pytest.mark.parametrize("rows", [[], [START], [START, HELLO]])
def test_a_stream_without_its_end_is_broken(rows: list[Any]) -> None:
    assert failure(rows).kind is FailureClass.TRANSIENT


@pytest.mark.parametrize(
    ("row", "kind", "status"),
    [
        (STREAMS["throttled_mid"][-1], FailureClass.THROTTLED, 429),
        (["exception", "modelStreamErrorException", {"message": "x"}], FailureClass.TRANSIENT, 424),
        (["exception", "internalServerException", {"message": "x"}], FailureClass.TRANSIENT, 500),
        (["exception", "serviceUnavailableException", {}], FailureClass.TRANSIENT, 503),
        (["exception", "modelTimeoutException", {"message": "x"}], FailureClass.TRANSIENT, 408),
        (["exception", "validationException", {"message": "x"}], FailureClass.CALLERS, 400),
        (["exception", "newException", b"not json"], FailureClass.TRANSIENT, 502),
        (["error", "InternalError", b""], FailureClass.TRANSIENT, 502),
    ],
)
def test_exception_frames(row: list[Any], kind: FailureClass, status: int) -> None:
    found = failure([START, row, STOP, USAGE])
    assert (found.kind, found.status) == (kind, status)


def test_an_error_frame_tells_in_its_headers() -> None:
    told = {":message-type": "error", ":error-code": "Gone", ":error-message": "it is gone"}
    last = read(frame_of(told, b""))[-1]
    assert isinstance(last, StreamError) and last.failure.message == "it is gone"


@pytest.mark.parametrize("reason", ["malformed_model_output", "malformed_tool_use"])
def test_an_answer_bedrock_could_not_read_is_no_answer(reason: str) -> None:
    assert failure([START, ["event", "messageStop", {"stopReason": reason}]]).status == 0
    with pytest.raises(BrokenAnswer, match=reason):
        TARGET.read_answer(json.dumps(ANSWERS["text"] | {"stopReason": reason}).encode(), FACTS)


@pytest.mark.parametrize(
    "row",
    [
        ["event", "contentBlockDelta", b"{"],
        ["event", "contentBlockDelta", {"delta": {"toolUse": {"input": ""}}}],
        ["event", "contentBlockDelta", {"contentBlockIndex": "0"}],
        ["event", "messageStop", b"\xff"],
    ],
)
def test_malformed_events_break_the_stream(row: list[Any]) -> None:
    assert failure([START, row, STOP]).kind is FailureClass.TRANSIENT


def test_unknown_events_and_blocks_are_named() -> None:
    image = {"contentBlockIndex": 0, "start": {"image": {"format": "png"}}}
    delta = {"contentBlockIndex": 0, "delta": {"image": {"source": {}}}}
    cited = {"contentBlockIndex": 1, "delta": {"citation": {"title": "t"}}}
    rows = [START, ["event", "contentBlockStart", image], ["event", "contentBlockDelta", delta]]
    rows += [["event", "contentBlockDelta", cited], ["event", "later", {}], STOP, USAGE]
    named = [event.type for event in read(frames(rows)) if isinstance(event, OpaqueEvent)]
    assert named == ["contentBlock", "citations", "later"]


GOOD = frame(*HELLO)


@pytest.mark.parametrize(
    "data",
    [
        GOOD[:-1] + bytes([GOOD[-1] ^ 1]),
        bytes([GOOD[0], GOOD[1] ^ 1]) + GOOD[2:],
        sealed(b"", 0, total=0),
        sealed(b"", 0, total=MAX_FRAME + 1),
        sealed(b"", 900, total=16),
        sealed(b"\x05ab", 3),
        sealed(b"\x01a\x63", 3),
        b"event: message_start\ndata: {}\n\n",
        b"<html>" * 9,
    ],
    ids=["sum", "head", "nothing", "huge", "headers", "short", "type", "sse", "html"],
)
def test_hostile_frames_end_in_a_clean_error(data: bytes) -> None:
    assert failure_of_bytes(data).kind is FailureClass.TRANSIENT
    assert failure_of_bytes(data, 1).kind is FailureClass.TRANSIENT


def failure_of_bytes(data: bytes, size: int | None = None) -> Any:
    last = read(data, size)[-1]
    assert isinstance(last, StreamError)
    return last.failure


def test_a_huge_frame_is_refused_before_it_comes() -> None:
    with pytest.raises(BrokenFrames, match="length"):
        list(FrameReader().feed(sealed(b"", 0, total=2**32 - 1)[:12]))


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(min_value=0, max_value=300), st.booleans())
def test_any_bytes_end_in_an_event(noise: bytes, place: int, replaces: bool) -> None:
    data = frames(STREAMS["text"])
    rest = data[place + len(noise) :] if replaces else data[place:]
    events = read(data[:place] + noise + rest, 7)
    assert isinstance(events[-1], StreamError | MessageEnd)
    assert not any(isinstance(event, StreamError | MessageEnd) for event in events[:-1])


@pytest.mark.parametrize("name", WHOLE)
def test_clients_get_legal_streams(name: str) -> None:
    context = openai_chat_lint.context_of(stream=True, stream_options={"include_usage": True})
    messages, chat = MESSAGES.stream_writer(context), CHAT.stream_writer(context)
    events = read(frames(STREAMS[name]))
    sse = b"".join(messages.write(event) for event in events)
    message = anthropic_lint.fold_stream(anthropic_lint.lint_stream(sse))
    assert message["usage"]["input_tokens"] == 21
    assert message["usage"]["output_tokens"] == 12
    chunks = openai_chat_lint.lint_stream(
        b"".join(chat.write(event) for event in events), with_usage=True
    )
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 12


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_clients_get_legal_answers(name: str) -> None:
    context = openai_chat_lint.context_of()
    message = anthropic_lint.lint_message(MESSAGES.write_answer(answer(name), context))
    completion = openai_chat_lint.lint_completion(CHAT.write_answer(answer(name), context))
    usage = ANSWERS[name]["usage"]
    cached = usage.get("cacheReadInputTokens", 0), usage.get("cacheWriteInputTokens", 0)
    assert message["usage"]["input_tokens"] == usage["inputTokens"]
    assert message["usage"]["cache_read_input_tokens"] == cached[0]
    assert message["usage"]["cache_creation_input_tokens"] == cached[1]
    assert completion.usage is not None
    assert completion.usage.total_tokens == usage["totalTokens"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty body"),
        (b"<html>", "web page"),
        (b"[]", "something else"),
        (b'{"output":null}', "something else"),
        (b'{"message":"Too many"}', "Too many"),
        (b'{"output":{"message":{"content":{}}}}', "something else"),
    ],
)
def test_no_answer_is_told_apart(body: bytes, said: str) -> None:
    with pytest.raises(BrokenAnswer, match=said):
        TARGET.read_answer(body, FACTS)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("400_validation", FailureClass.MISFIT),
        ("403_bearer", FailureClass.OURS),
        ("424_model", FailureClass.TRANSIENT),
        ("429_throttling", FailureClass.THROTTLED),
    ],
)
def test_error_answers(name: str, kind: FailureClass) -> None:
    status, headers, body = ERRORS[name]
    found = TARGET.read_failure(status, headers, json.dumps(body).encode())
    assert (found.kind, found.status) == (kind, status)
    assert found.message == body.get("message", body.get("Message"))
    assert found.code == headers["x-amzn-errortype"].partition(":")[0]


@pytest.mark.parametrize(
    ("status", "name", "kind", "overflow"),
    [
        (429, "ModelNotReadyException", FailureClass.TRANSIENT, False),
        (400, "ServiceQuotaExceededException", FailureClass.THROTTLED, False),
        (400, "ValidationException", FailureClass.MISFIT, True),
        (408, "ModelTimeoutException", FailureClass.TRANSIENT, False),
    ],
)
def test_the_type_of_an_error_says_more_than_its_status(
    status: int, name: str, kind: FailureClass, overflow: bool
) -> None:
    body = b'{"message":"Input is too long for requested model."}'
    found = TARGET.read_failure(status, {"x-amzn-errortype": name}, body)
    assert (found.kind, found.context_overflow) == (kind, overflow)
