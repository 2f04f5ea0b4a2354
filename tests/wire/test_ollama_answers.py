"""Ollama's answers and streams, to neutral ones, and on to clients of both dialects."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from lynkrc_runtime.protocol import anthropic, openai_chat
from lynkrc_runtime.protocol.carrier import mark
from lynkrc_runtime.protocol.conversation import (
    Answer,
    BrokenAnswer,
    FailureClass,
    MessageEnd,
    Stop,
    StreamError,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from lynkrc_runtime.protocol.dialect import AnswerContext
from lynkrc_runtime.protocol.fold import fold
from lynkrc_runtime.protocol.ollama import TARGET
from lynkrc_runtime.protocol.sse import MAX_EVENT
from tests.wire import anthropic_lint, openai_chat_lint
from tests.wire.ollama_lint import FACTS, STREAMS, call, line, read, to_ndjson, whole

MARK = mark(FACTS.maker)
USAGE = Usage(input=21, output=12)


def context() -> AnswerContext:
    body = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}'
    return AnswerContext(
        request=anthropic.CLIENT.read_request(body, {}),
        id="a" * 24,
        model="served-1",
        created=1,
        input_estimate=lambda: 17,
        request_id="req_1",
    )


def failure_of(data: bytes) -> StreamError:
    last = read(data)[-1]
    assert isinstance(last, StreamError)
    return last


def test_reasoning_and_a_call_are_read_in_order() -> None:
    answer = TARGET.read_answer(whole("thinking_and_call"), FACTS)
    assert answer.blocks == (
        Thinking(text="Need weather.", signature=MARK),
        ToolCall(id="call_1", name="get_weather", arguments='{"city": "Paris"}'),
    )
    assert (answer.stop, answer.usage, answer.model) == (Stop.TOOL_USE, USAGE, "qwen3:8b")
    assert answer.lost == ("total_duration",)


def test_text_that_reached_the_limit() -> None:
    answer = TARGET.read_answer(whole("length"), FACTS)
    assert answer.blocks == (Text(text="Cut in the mid"),)
    assert answer.stop is Stop.LENGTH


def test_calls_without_ids_get_stable_ones_that_differ() -> None:
    calls = [b for b in TARGET.read_answer(whole("calls_without_ids")).blocks[1:]]
    ids = [block.id for block in calls if isinstance(block, ToolCall)]
    assert len(set(ids)) == 3
    again = fold(read(to_ndjson(STREAMS["calls_without_ids"])))
    assert [b.id for b in again.blocks if isinstance(b, ToolCall)] == ids


def test_an_id_used_twice_is_numbered() -> None:
    answer = TARGET.read_answer(whole("calls_with_one_id"))
    assert [b.id for b in answer.blocks if isinstance(b, ToolCall)] == ["c", "c__1"]


def test_a_prompt_that_was_cached_is_not_reported() -> None:
    for usage in (
        TARGET.read_answer(whole("cached_prompt")).usage,
        fold(read(to_ndjson(STREAMS["cached_prompt"]))).usage,
    ):
        assert usage == Usage(output=12, reported=False)


@pytest.mark.parametrize("arguments", ['{"city":"Paris"}', "null", '""'])
def test_arguments_as_text_or_missing_are_an_object(arguments: str) -> None:
    given = whole("thinking_and_call").replace(b'{"city": "Paris"}', arguments.encode())
    found = TARGET.read_answer(given).blocks[-1]
    assert isinstance(found, ToolCall)
    assert isinstance(json.loads(found.arguments), dict)


def test_numbers_in_arguments_keep_their_spelling() -> None:
    given = whole("thinking_and_call").replace(b'"Paris"', b"1.50e2")
    found = TARGET.read_answer(given).blocks[-1]
    assert isinstance(found, ToolCall)
    assert found.arguments == '{"city": 1.50e2}'


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_a_stream_folds_to_the_whole_answer(name: str) -> None:
    want = TARGET.read_answer(whole(name), FACTS)
    assert fold(read(to_ndjson(STREAMS[name]))) == replace(want, lost=())


@pytest.mark.parametrize("name", sorted(STREAMS))
@settings(max_examples=20, derandomize=True)
@given(size=st.integers(1, 200), end=st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_any_split_gives_the_same_events(name: str, size: int, end: str) -> None:
    assert read(to_ndjson(STREAMS[name], end), size) == read(to_ndjson(STREAMS[name]))


def test_the_last_line_may_lack_its_end() -> None:
    data = to_ndjson(STREAMS["text"])
    assert read(data[:-1]) == read(data)


def test_nothing_is_read_behind_the_end() -> None:
    data = to_ndjson([*STREAMS["text"], line("more"), {"error": "late"}])
    assert read(data) == read(to_ndjson(STREAMS["text"]))


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_stream_without_its_last_line_is_broken(cut: int) -> None:
    data = to_ndjson(STREAMS["text"])
    failure = failure_of(data[: -cut - 2]).failure
    assert (failure.kind, failure.message) == (
        FailureClass.TRANSIENT,
        "upstream stream ended early",
    )


def test_an_error_line_breaks_the_stream() -> None:
    data = to_ndjson([line("Par"), {"error": "an error was encountered while running the model"}])
    failure = failure_of(data).failure
    assert failure.kind is FailureClass.TRANSIENT
    assert failure.message == "an error was encountered while running the model"


@pytest.mark.parametrize(
    "data",
    [b"", b"<html>", b"[]", b"{}", b'{"message":3}', b'{"done":"yes"}', b"\xff\xfe", b"[" * 5000],
)
def test_what_is_no_answer_breaks(data: bytes) -> None:
    assert failure_of(data + b"\n").failure.kind is FailureClass.TRANSIENT
    with pytest.raises(BrokenAnswer):
        TARGET.read_answer(data, FACTS)


def test_a_line_without_end_is_refused_in_bounded_memory() -> None:
    reader = TARGET.stream_reader(FACTS)
    piece = b"x" * (1 << 22)
    events = [event for _ in range(MAX_EVENT // len(piece) + 1) for event in reader.feed(piece)]
    assert [type(event) for event in events] == [StreamError]
    assert reader.feed(piece) == [] and reader.close() == []


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_clients_of_messages_and_chat_read_it(name: str) -> None:
    events = read(to_ndjson(STREAMS[name]))
    answer = fold(events)
    for client, lint in (
        (anthropic.CLIENT, anthropic_lint.lint_message),
        (openai_chat.CLIENT, openai_chat_lint.lint_completion),
    ):
        lint(client.write_answer(answer, context()))
    assert isinstance(events[-1], MessageEnd)
    messages = anthropic.CLIENT.stream_writer(context())
    anthropic_lint.lint_stream(b"".join(messages.write(event) for event in events))
    is_known = answer.usage.reported
    asked = openai_chat_lint.context_of(stream=True, stream_options={"include_usage": is_known})
    chat = openai_chat.CLIENT.stream_writer(asked)
    stream = b"".join(chat.write(event) for event in events)
    openai_chat_lint.lint_stream(stream, with_usage=is_known)


def test_reasoning_comes_back_to_its_maker() -> None:
    answer: Answer = fold(read(to_ndjson(STREAMS["thinking_and_call"])))
    written: dict[str, Any] = json.loads(anthropic.CLIENT.write_answer(answer, context()))
    assert written["content"][0]["signature"] == MARK


@pytest.mark.parametrize(
    ("status", "text", "kind", "overflow", "fixable"),
    [
        (404, 'model "nope" not found, try pulling it first', FailureClass.OURS, False, False),
        (400, '"gemma:2b" does not support tools', FailureClass.MISFIT, False, False),
        (400, '"gemma:2b" does not support thinking', FailureClass.MISFIT, False, True),
        (
            400,
            "the input length exceeds the context length",
            FailureClass.MISFIT,
            True,
            False,
        ),
        (400, "invalid options", FailureClass.CALLERS, False, False),
        (429, "too many requests", FailureClass.THROTTLED, False, False),
        (502, "cloud unreachable", FailureClass.TRANSIENT, False, False),
        (
            503,
            "server busy, please try again.  maximum pending requests exceeded",
            FailureClass.TRANSIENT,
            False,
            False,
        ),
    ],
)
def test_errors_are_classified(
    status: int, text: str, kind: FailureClass, overflow: bool, fixable: bool
) -> None:
    failure = TARGET.read_failure(status, {}, json.dumps({"error": text}).encode())
    assert (failure.kind, failure.message) == (kind, text)
    assert (failure.context_overflow, failure.unreadable_thinking) == (overflow, fixable)


def test_a_call_keeps_the_text_before_it_apart() -> None:
    data = to_ndjson(
        [line("Now."), line(tool_calls=[call("Oslo")]), line("Done."), line(done=True)]
    )
    blocks = fold(read(data)).blocks
    assert [type(block) for block in blocks] == [Text, ToolCall, Text]
