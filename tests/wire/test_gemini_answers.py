"""Gemini's answers, whole and streamed: what they say, how they end, what a client reads."""

import json
from typing import Any

import pytest

from lynkrc_runtime.protocol import anthropic, carrier, openai_chat
from lynkrc_runtime.protocol.conversation import (
    BrokenAnswer,
    Event,
    FailureClass,
    MessageEnd,
    MessageStart,
    Stop,
    StreamError,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from lynkrc_runtime.protocol.dialect import AnswerContext, TargetFacts
from lynkrc_runtime.protocol.fold import fold
from lynkrc_runtime.protocol.gemini import TARGET
from lynkrc_runtime.protocol.gemini.usage import FAILED
from lynkrc_runtime.protocol.shapes import RequestShape
from tests.wire import anthropic_lint, openai_chat_lint
from tests.wire.gemini_lint import SIGNATURE, lint_response, load, read_stream, to_sse

CASES = load("answers")
FACTS = TargetFacts(
    model="gemini-x",
    max_output=9000,
    capabilities=frozenset(),
    shape=RequestShape(),
    maker="gemini/gemini-x",
)
MESSAGES_BODY = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}'


def response(case: dict[str, Any], parts: list[Any] | None, *, last: bool = True) -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": 0}
    if parts is not None:
        candidate["content"] = {"role": "model", "parts": parts}
    if last:
        candidate["finishReason"] = case["finish"]
        if "message" in case:
            candidate["finishMessage"] = case["message"]
    made: dict[str, Any] = {"candidates": [candidate], "modelVersion": "gemini-x-001"}
    if case["usage"] is not None:
        made["usageMetadata"] = case["usage"]
    made["responseId"] = "Resp1"
    lint_response(made)
    return made


def streamed(case: dict[str, Any]) -> bytes:
    """A response for each part, and one for the finish reason if there are none."""
    parts = [[part] for part in case["parts"] or ()] or [None]
    return to_sse(
        [response(case, one, last=place == len(parts) - 1) for place, one in enumerate(parts)]
    )


def note(block: Any) -> str:
    """The notation of the Chat tests, with the signature that a carrier holds behind a plus."""
    if isinstance(block, Thinking):
        held = carrier.restored(block.signature, carrier.GEMINI, FACTS.maker)
        return f"thinking:{block.text}" + (f"+{held}" if held else "")
    return openai_chat_lint.notation((block,))[0]


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_whole_answer(name: str) -> None:
    case = CASES[name]
    answer = TARGET.read_answer(json.dumps(response(case, case["parts"])).encode(), FACTS)
    assert [note(block) for block in answer.blocks] == case["blocks"]
    assert answer.stop.value == case["stop"]
    assert answer.usage == Usage(**case["counts"])
    assert answer.lost == tuple(case.get("lost", ()))
    assert (answer.id, answer.model) == ("Resp1", "gemini-x-001")


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_stream_adds_up_to_the_whole(name: str) -> None:
    case = CASES[name]
    whole = TARGET.read_answer(json.dumps(response(case, case["parts"])).encode(), FACTS)
    assert fold(read_stream(streamed(case), facts=FACTS)) == whole


@pytest.mark.parametrize("name", ["parallel_calls", "thinking", "signature_behind_the_text"])
@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_every_split_gives_the_same_events(name: str, line_end: str) -> None:
    case = CASES[name]
    case = case | {"parts": [*case["parts"], {"text": "ça va — 晨"}]}
    data = streamed(case).replace(b"\r\n", line_end.encode())
    whole = read_stream(data, facts=FACTS)
    assert isinstance(whole[-1], MessageEnd)
    for cut in range(1, len(data)):
        assert read_stream(data, cut, facts=FACTS) == whole
    for size in (1, 7):
        assert read_stream(data, size, facts=FACTS) == whole


def client_context(dialect: Any, body: bytes) -> AnswerContext:
    return AnswerContext(
        request=dialect.CLIENT.read_request(body, {}),
        id="a" * 24,
        model="served-1",
        created=1,
        input_estimate=lambda: 17,
        request_id="req_1",
    )


@pytest.mark.parametrize("name", sorted(CASES))
def test_messages_clients_read_every_answer(name: str) -> None:
    case = CASES[name]
    answer = TARGET.read_answer(json.dumps(response(case, case["parts"])).encode(), FACTS)
    context = client_context(anthropic, MESSAGES_BODY)
    whole = anthropic_lint.lint_message(anthropic.CLIENT.write_answer(answer, context))
    calls = [block for block in answer.blocks if isinstance(block, ToolCall)]
    found = [block for block in whole["content"] if block["type"] == "tool_use"]
    assert [block["name"] for block in found] == [call.name for call in calls]
    assert len({block["id"] for block in found}) == len(calls)
    usage = whole["usage"]
    assert usage["input_tokens"] == answer.usage.input
    assert usage["cache_read_input_tokens"] == answer.usage.cache_read
    assert usage["output_tokens"] == answer.usage.output
    writer = anthropic.CLIENT.stream_writer(context)
    events = read_stream(streamed(case), facts=FACTS)
    stream = b"".join(writer.write(event) for event in events)
    message = anthropic_lint.fold_stream(anthropic_lint.lint_stream(stream))
    assert message["stop_reason"] == whole["stop_reason"]
    assert message["usage"]["output_tokens"] == usage["output_tokens"]
    assert message["usage"]["input_tokens"] == usage["input_tokens"]


@pytest.mark.parametrize("name", sorted(CASES))
def test_chat_clients_read_every_answer(name: str) -> None:
    case = CASES[name]
    answer = TARGET.read_answer(json.dumps(response(case, case["parts"])).encode(), FACTS)
    context = openai_chat_lint.context_of(stream=True, stream_options={"include_usage": True})
    whole = openai_chat_lint.lint_completion(openai_chat.CLIENT.write_answer(answer, context))
    writer = openai_chat.CLIENT.stream_writer(context)
    events = read_stream(streamed(case), facts=FACTS)
    chunks = openai_chat_lint.lint_stream(
        b"".join(writer.write(event) for event in events), with_usage=True
    )
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason
    assert whole.usage is not None
    assert chunks[-1].usage == whole.usage
    assert whole.usage.prompt_tokens == answer.usage.input + answer.usage.cache_read
    assert whole.usage.completion_tokens == answer.usage.output


def test_the_same_traffic_counts_the_same_in_every_dialect() -> None:
    """9 + 2048 read anew, 18432 from the cache: Gemini does not tell what a cache wrote."""
    case = CASES["cached"]
    answer = TARGET.read_answer(json.dumps(response(case, case["parts"])).encode(), FACTS)
    total = answer.usage.input + answer.usage.cache_read + answer.usage.cache_write
    assert (total, answer.usage.cache_read) == (20489, 18432)
    context = openai_chat_lint.context_of()
    chat = json.loads(openai_chat.CLIENT.write_answer(answer, context))["usage"]
    assert chat["prompt_tokens"] == 20489
    assert chat["prompt_tokens_details"]["cached_tokens"] == 18432


def test_the_last_counts_are_the_right_ones() -> None:
    case = CASES["text"]
    first = response(case, [{"text": "Hel"}], last=False)
    first["usageMetadata"] = {"promptTokenCount": 21, "candidatesTokenCount": 2}
    behind = {"usageMetadata": case["usage"], "modelVersion": "gemini-x-001"}
    last = response(case, [{"text": "lo"}])
    del last["usageMetadata"]
    events = read_stream(to_sse([first, last, behind]), facts=FACTS)
    start, end = events[0], events[-1]
    assert isinstance(start, MessageStart)
    assert start.usage == Usage(input=21, output=2)
    assert isinstance(end, MessageEnd)
    assert end.usage == Usage(input=21, output=12)


@pytest.mark.parametrize("message", [None, "It is blocked."])
def test_a_prompt_that_is_blocked(message: str | None) -> None:
    feedback = {"blockReason": "PROHIBITED_CONTENT"}
    if message is not None:
        feedback["blockReasonMessage"] = message
    body = {"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 21}}
    lint_response(body)
    answer = TARGET.read_answer(json.dumps(body).encode(), FACTS)
    assert answer.stop is Stop.REFUSAL
    assert [note(block) for block in answer.blocks] == (
        [] if message is None else [f"refusal:{message}"]
    )
    assert answer.usage == Usage(input=21)
    assert fold(read_stream(to_sse([body]), facts=FACTS)) == answer


@pytest.mark.parametrize("reason", sorted(FAILED))
def test_finish_reasons_that_are_failures(reason: str) -> None:
    case = {"finish": reason, "usage": None, "message": "print(x)"}
    with pytest.raises(BrokenAnswer) as raised:
        TARGET.read_answer(json.dumps(response(case, None)).encode(), FACTS)
    failure = raised.value.failure
    assert failure.kind is FailureClass.TRANSIENT
    assert failure.message == f"upstream ended with {reason}: print(x)"
    events = read_stream(to_sse([response(case, [{"text": "I "}])]), facts=FACTS)
    assert events[-1] == StreamError(failure=failure)


def test_a_new_finish_reason_ends_normally() -> None:
    body = json.dumps({"candidates": [{"finishReason": "A_NEW_ONE"}]}).encode()
    answer = TARGET.read_answer(body, FACTS)
    assert (answer.stop, answer.usage) == (Stop.END, Usage(reported=False))


def test_only_the_first_candidate_speaks() -> None:
    candidates = [
        {"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"},
        {"content": {"parts": [{"text": "b"}]}, "finishReason": "STOP", "index": 1},
    ]
    answer = TARGET.read_answer(json.dumps({"candidates": candidates}).encode(), FACTS)
    assert answer.blocks == (Text(text="a"),)
    assert answer.lost == ("candidates",)


def test_numbers_of_arguments_keep_their_spelling() -> None:
    body = (
        b'{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":'
        b'{"n": 123456789012345678901234567890, "x": 1.50, "t": "\\u00e9"}}}]},'
        b'"finishReason":"STOP"}]}'
    )
    call = TARGET.read_answer(body, FACTS).blocks[0]
    assert isinstance(call, ToolCall)
    assert call.arguments == ('{"n": 123456789012345678901234567890, "x": 1.50, "t": "\\u00e9"}')


def test_what_a_client_cannot_carry_is_lost_and_said() -> None:
    part = {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "A" * 70_000}
    body = json.dumps(response({"finish": "STOP", "usage": None}, [part])).encode()
    answer = TARGET.read_answer(body, FACTS)
    assert [type(block) for block in answer.blocks] == [ToolCall]
    assert answer.lost == ("thoughtSignature",)


def test_a_signature_never_lands_behind_the_text_it_signs() -> None:
    parts = [{"text": "a"}, {"text": "b", "thoughtSignature": SIGNATURE}]
    body = json.dumps(response({"finish": "STOP", "usage": None}, parts)).encode()
    answer = TARGET.read_answer(body, FACTS)
    assert answer.blocks == (Text(text="ab"),)
    assert answer.lost == ("thoughtSignature",)


UNAVAILABLE = {"error": {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}}
BROKEN = [
    (b"", "upstream answered with an empty body"),
    (b"<html>", "upstream answered with a web page, not JSON"),
    (b"[1]", "upstream answered with something else than an object"),
    (b"{", "upstream sent a response that is malformed"),
    (b'{"candidates":[{"content":7}]}', "upstream sent a response that is malformed"),
    (b'{"candidates":[]}', "upstream's answer has no finish reason"),
    (json.dumps(UNAVAILABLE).encode(), "Overloaded."),
    (json.dumps([UNAVAILABLE]).encode(), "Overloaded."),
    (
        b'{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":"\xff"}}}]},'
        b'"finishReason":"STOP"}]}',
        "upstream sent a response that is malformed",
    ),
]


@pytest.mark.parametrize(("body", "message"), BROKEN)
def test_a_200_that_is_no_answer(body: bytes, message: str) -> None:
    with pytest.raises(BrokenAnswer) as raised:
        TARGET.read_answer(body, FACTS)
    assert raised.value.failure.message == message
    assert raised.value.failure.kind is FailureClass.TRANSIENT


def ending(events: list[Event]) -> StreamError:
    error = events[-1]
    assert isinstance(error, StreamError)
    assert not [event for event in events[:-1] if isinstance(event, StreamError | MessageEnd)]
    return error


def test_a_stream_without_a_finish_reason_was_cut() -> None:
    case = CASES["text"]
    data = to_sse([response(case, [{"text": "Hel"}], last=False)])
    for length in range(len(data) + 1):
        error = ending(read_stream(data[:length], facts=FACTS))
        assert error.failure.message == "upstream stream ended early"


def test_a_stream_may_be_cut_behind_its_finish_reason() -> None:
    data = streamed(CASES["text"]) + to_sse([{"usageMetadata": {"promptTokenCount": 9}}])
    first = len(streamed(CASES["text"]))
    for length in range(first - 2, len(data)):
        assert isinstance(read_stream(data[:length], facts=FACTS)[-1], MessageEnd)


def test_an_error_inside_a_stream() -> None:
    case = CASES["text"]
    data = to_sse([response(case, [{"text": "Hel"}], last=False), UNAVAILABLE])
    failure = ending(read_stream(data, facts=FACTS)).failure
    assert (failure.kind, failure.status) == (FailureClass.TRANSIENT, 503)
    assert (failure.message, failure.code) == ("Overloaded.", "UNAVAILABLE")


@pytest.mark.parametrize("payload", ["{", "7", '{"candidates":{}}', "[]", "\x00", '{"a":' * 5000])
def test_a_hostile_stream_ends_in_one_error(payload: str) -> None:
    events = read_stream(to_sse([payload, {"candidates": []}]), facts=FACTS)
    assert len([event for event in events if isinstance(event, StreamError)]) == 1
    assert isinstance(events[-1], StreamError)
