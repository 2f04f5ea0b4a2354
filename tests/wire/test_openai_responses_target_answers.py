"""Answers and streams of Responses targets, to neutral ones; both the same, at every split."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol.carrier import OPENAI, restored
from lynkrc_runtime.protocol.conversation import (
    Answer,
    BrokenAnswer,
    FailureClass,
    MessageEnd,
    MessageStart,
    Refusal,
    Stop,
    StreamError,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from lynkrc_runtime.protocol.fold import fold
from lynkrc_runtime.protocol.openai_responses import TARGET
from tests.wire.openai_responses_upstream import (
    MAKER,
    events_of,
    facts_of,
    load,
    read_stream,
    response,
    to_sse,
)

ANSWERS = load("answers")
STREAMS = load("streams")
WHOLE = sorted(name for name in STREAMS if name not in ("failed", "error_event"))


def read(whole: dict[str, Any]) -> Answer:
    return TARGET.read_answer(json.dumps(whole).encode(), facts_of())


def message(*texts: str, **members: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": content, **members}


def reasoning(*summary: str, **members: Any) -> dict[str, Any]:
    parts = [{"type": "summary_text", "text": text} for text in summary]
    return {"type": "reasoning", "id": "rs_1", "summary": parts, **members}


def call(name: str = "f", arguments: str = '{"a":1}', identity: str = "call_1") -> dict[str, Any]:
    base = {"type": "function_call", "id": "fc_1", "call_id": identity}
    return {**base, "name": name, "arguments": arguments, "status": "completed"}


def custom(text: str, identity: str = "call_2") -> dict[str, Any]:
    return {"type": "custom_tool_call", "call_id": identity, "name": "patch", "input": text}


# -- whole -----------------------------------------------------------------------------------


def test_answers_are_read() -> None:
    found = {name: read(value) for name, value in ANSWERS.items() if name != "failed"}
    assert {name: (answer.stop, answer.blocks) for name, answer in found.items()} == {
        "cache_usage": (Stop.END, (Text(text="Cached."),)),
        "function_call": (
            Stop.TOOL_USE,
            (ToolCall(id="call_P", name="get_weather", arguments='{"city":"Paris"}'),),
        ),
        "incomplete_max_tokens": (Stop.LENGTH, (Text(text="Cut in the mid"),)),
        "parallel_function_calls": (
            Stop.TOOL_USE,
            (
                Text(text="Checking both."),
                ToolCall(id="call_P", name="get_weather", arguments='{"city":"Paris"}'),
                ToolCall(id="call_O", name="get_weather", arguments='{"city":"Oslo"}'),
            ),
        ),
        "reasoning_encrypted": (
            Stop.END,
            (found["reasoning_encrypted"].blocks[0], Text(text="4")),
        ),
        "refusal": (Stop.REFUSAL, (Refusal(text="I can't help with that."),)),
        "text": (Stop.END, (Text(text="Hello there."),)),
    }
    assert all((answer.id, answer.model) == ("resp_1", "up-model") for answer in found.values())
    assert found["cache_usage"].usage == Usage(
        input=9, output=12, cache_read=18432, cache_write=2048, reasoning=0
    )


def test_reasoning_is_sealed_for_its_maker() -> None:
    [thinking, _] = read(ANSWERS["reasoning_encrypted"]).blocks
    assert isinstance(thinking, Thinking)
    assert thinking.text == "Adding numbers."
    data = restored(thinking.signature, OPENAI, MAKER)
    assert data is not None
    assert json.loads(data) == {"encrypted_content": "gAAA==", "id": "rs_1"}
    assert restored(thinking.signature, OPENAI, "openai/other") is None


def test_reasoning_that_is_too_long_to_carry_is_listed_as_lost() -> None:
    answer = read(response(reasoning("So.", encrypted_content="g" * 70_000), message("4")))
    assert answer.blocks[0] == Thinking(text="So.", signature=None)
    assert answer.lost == ("reasoning.encrypted_content",)


def test_open_reasoning_without_a_seal_has_no_signature() -> None:
    open_text = [{"type": "reasoning_text", "text": "2+2"}]
    answer = read(response(reasoning(content=open_text), message("4")))
    assert answer.blocks[0] == Thinking(text="2+2")


def test_reasoning_that_says_and_hides_nothing_is_no_block() -> None:
    assert read(response(reasoning(), message("4"))).blocks == (Text(text="4"),)


def test_what_has_no_neutral_part_is_lost_by_name() -> None:
    cited = message("4")
    cited["content"][0]["annotations"] = [{"type": "url_citation"}]
    answer = read(response({"type": "web_search_call", "id": "ws_1"}, cited))
    assert answer.lost == ("web_search_call", "annotations")


def test_unfinished_and_unknown_endings() -> None:
    cut = {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
    assert read(response(message("x"), **cut)).stop is Stop.REFUSAL
    other = {"status": "incomplete", "incomplete_details": {"reason": "steered"}}
    assert read(response(message("x"), **other)).stop is Stop.END
    assert read(response(message("x"), status=None)).stop is Stop.END


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"", 0, FailureClass.TRANSIENT),
        (b"<html>", 0, FailureClass.TRANSIENT),
        (b"[1]", 0, FailureClass.TRANSIENT),
        (b"{}", 0, FailureClass.TRANSIENT),
        (b'{"output":[7]}', 0, FailureClass.TRANSIENT),
        (b'{"output":[],"status":"queued"}', 0, FailureClass.TRANSIENT),
        (b'{"error":"busy"}', 502, FailureClass.TRANSIENT),
        (b'{"status":"failed","error":null,"output":[]}', 502, FailureClass.TRANSIENT),
        (
            b'{"status":"failed","error":{"code":"rate_limit_exceeded","message":"slow"}}',
            429,
            FailureClass.THROTTLED,
        ),
        (
            b'{"status":"failed","error":{"code":"invalid_image","message":"no"}}',
            400,
            FailureClass.CALLERS,
        ),
    ],
)
def test_what_is_no_answer(body: bytes, status: int, kind: FailureClass) -> None:
    with pytest.raises(BrokenAnswer) as caught:
        TARGET.read_answer(body, facts_of())
    assert (caught.value.failure.status, caught.value.failure.kind) == (status, kind)


def test_reasoning_nobody_can_read_is_told_apart() -> None:
    error = {
        "message": "The encrypted content gAAA...== could not be verified.",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_encrypted_content",
    }
    failure = TARGET.read_failure(400, {}, json.dumps({"error": error}).encode())
    assert failure.unreadable_thinking


# -- streams ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_every_split_gives_the_same_events(name: str) -> None:
    data = to_sse(STREAMS[name])
    whole = read_stream(data)
    for cut in range(1, len(data)):
        assert read_stream(data, cut, len(data)) == whole, cut
    assert read_stream(data, 1) == whole


@pytest.mark.parametrize("name", WHOLE)
def test_a_stream_is_the_response_at_its_end(name: str) -> None:
    events = read_stream(to_sse(STREAMS[name]))
    assert isinstance(events[0], MessageStart)
    assert isinstance(events[-1], MessageEnd)
    assert fold(events) == read(STREAMS[name][-1]["response"])


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_other_line_ends_give_the_same_events(line_end: str) -> None:
    items = STREAMS["function_calls"]
    assert read_stream(to_sse(items, line_end), 1) == read_stream(to_sse(items))


@pytest.mark.parametrize("name", WHOLE)
def test_a_missing_last_line_end_costs_nothing(name: str) -> None:
    data = to_sse(STREAMS[name])
    assert read_stream(data.removesuffix(b"\n\n")) == read_stream(data)


@pytest.mark.parametrize("name", WHOLE)
def test_a_stream_cut_anywhere_is_broken(name: str) -> None:
    data = to_sse(STREAMS[name])
    last = data.rindex(b"event: ")
    for cut in range(0, len(data) - 3, 7):
        events = read_stream(data[:cut])
        assert isinstance(events[-1], StreamError), cut
        assert events[-1].failure.message == "upstream stream ended early"
    for size in (3, 50):
        [*_, end] = read_stream(data[: last + size])
        assert isinstance(end, StreamError)


@pytest.mark.parametrize(("name", "status"), [("error_event", 429), ("failed", 500)])
def test_an_error_in_the_stream_has_its_own_status(name: str, status: int) -> None:
    end = read_stream(to_sse(STREAMS[name]))[-1]
    assert isinstance(end, StreamError)
    assert end.failure.status == status


@pytest.mark.parametrize(
    "item",
    [
        {"type": "error", "error": {"code": "rate_limit_exceeded", "message": "slow"}},
        {"type": "error", "code": "rate_limit_exceeded", "message": "slow", "param": None},
        'data: {"error":{"code":"rate_limit_exceeded","message":"slow"}}',
    ],
)
def test_errors_flat_and_nested(item: Any) -> None:
    [end] = read_stream(to_sse([item]))
    assert isinstance(end, StreamError)
    assert (end.failure.status, end.failure.message) == (429, "slow")


FULL = response(
    reasoning("First.", "Then.", encrypted_content="gB=="),
    message("Let me ", "see."),
    {"type": "web_search_call", "id": "ws_1", "status": "completed"},
    call(),
    call("g", "", "call_9"),
    custom("*** patch"),
    message("Done."),
)


@pytest.mark.parametrize(
    "left_out",
    [
        (),
        (".delta",),
        (".delta", "_text.done", "arguments.done", "input.done", "refusal.done"),
        (".delta", "text.done", "part.done", "arguments.done", "input.done"),
        ("output_item.added",),
        ("output_item.", ".delta", "text.done", "part.done", "arguments.done", "input.done"),
        ("created", "in_progress"),
    ],
)
def test_servers_may_leave_out_any_event_but_the_last(left_out: tuple[str, ...]) -> None:
    items = [
        event
        for event in events_of(FULL)
        if event["type"] == "response.completed" or not any(p in event["type"] for p in left_out)
    ]
    if "created" in left_out:
        assert fold(read_stream(to_sse(items))).blocks == read(FULL).blocks
    else:
        assert fold(read_stream(to_sse(items))) == read(FULL)


def test_a_seal_that_comes_behind_its_block_is_listed_as_lost() -> None:
    items = [event for event in events_of(FULL) if not event["type"].endswith(".done")]
    answer, whole = fold(read_stream(to_sse(items))), read(FULL)
    assert answer.blocks[0] == Thinking(text="First.\n\nThen.", signature=None)
    assert answer.blocks[1:] == whole.blocks[1:]
    assert answer.lost == ("reasoning.encrypted_content", "web_search_call")


def test_pieces_of_interleaved_calls_keep_to_their_call() -> None:
    items = events_of(response(call(), call("g", '{"b":2}', "call_9")))
    added = [event for event in items if "added" in event["type"]]
    deltas = [event for event in items if event["type"].endswith("arguments.delta")]
    mixed = [items[0], *added, *deltas[::2], *deltas[1::2], *items[-1:]]
    assert fold(read_stream(to_sse(mixed))) == read(
        response(call(), call("g", '{"b":2}', "call_9"))
    )


def test_what_is_unknown_is_passed_over() -> None:
    odd: list[Any] = [
        ": comment",
        "data: {}",
        "data: 7",
        {"type": "response.invented.delta", "delta": {"x": 1}, "output_index": "a"},
        {"type": "keepalive"},
    ]
    plain = events_of(FULL)
    del odd[2]
    mixed = [plain[0], *odd, *plain[1:], "data: [DONE]"]
    assert read_stream(to_sse(mixed)) == read_stream(to_sse(plain))


@pytest.mark.parametrize(
    "item",
    [
        "data: {",
        "data: 7",
        {"type": "response.completed"},
        {"type": "response.completed", "response": {"status": "failed"}},
        {"type": "response.cancelled", "response": {"id": "r"}},
    ],
)
def test_a_stream_that_breaks_its_own_rules_is_broken(item: Any) -> None:
    events = read_stream(to_sse([STREAMS["text"][0], item, *STREAMS["text"][1:]]))
    assert isinstance(events[-1], StreamError)
    assert not any(isinstance(event, MessageEnd) for event in events)


def test_a_call_without_a_name_is_broken() -> None:
    delta = {"type": "response.function_call_arguments.delta", "output_index": 0, "delta": "{"}
    end = {"type": "response.completed", "response": response()}
    assert isinstance(read_stream(to_sse([delta, end]))[-1], StreamError)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8)
ITEMS = st.one_of(
    st.lists(TEXTS, min_size=1, max_size=3).map(lambda texts: message(*texts)),
    st.builds(
        lambda texts, hidden: reasoning(*texts, encrypted_content=hidden),
        st.lists(TEXTS, max_size=2),
        st.sampled_from(["", "gC=="]),
    ),
    TEXTS.map(custom),
    st.builds(call, TEXTS, st.sampled_from(["", "{}", '{"a":[1,"é"]}'])),
)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(ITEMS, min_size=1, max_size=5), st.integers(1, 40))
def test_a_stream_equals_the_whole_answer(output: list[dict[str, Any]], size: int) -> None:
    whole = response(*output)
    assert fold(read_stream(to_sse(events_of(whole)), size)) == read(whole)
