"""Chat streams: bytes to events at any split, events to legal chunks, and both the same."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol.conversation import (
    BlockEnd,
    BrokenAnswer,
    Event,
    FailureClass,
    MessageEnd,
    MessageStart,
    OpaqueEvent,
    RedactedThinkingBlock,
    Stop,
    StreamError,
    TextDelta,
    ThinkingDelta,
    ThinkingEnd,
    ToolCall,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
)
from lynkrc_runtime.protocol.failures import broken
from lynkrc_runtime.protocol.fold import fold, unfold
from lynkrc_runtime.protocol.naming import legal_name
from lynkrc_runtime.protocol.openai_chat import CLIENT, TARGET
from lynkrc_runtime.protocol.openai_chat.usage_chunk import unasked
from tests.wire.openai_chat_lint import (
    check_answer,
    context_of,
    lint_stream,
    load,
    read_stream,
    split_data,
    to_sse,
)

STREAMS = load("streams")
BROKEN = load("broken_streams")
START = MessageStart(id="x", model="up", usage=Usage())
END = MessageEnd(stop=Stop.END, stop_sequence=None, usage=Usage(input=5, output=2, cache_read=3))
ASKED = {"stream": True, "stream_options": {"include_usage": True}}


def write_stream(events: list[Event], **members: Any) -> bytes:
    writer = CLIENT.stream_writer(context_of(**members))
    return b"".join(writer.write(event) for event in events)


# -- reading ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_a_stream_is_read(name: str) -> None:
    want = STREAMS[name]
    events = read_stream(to_sse(want["items"]))
    starts = [event for event in events if isinstance(event, MessageStart)]
    assert [(start.id, start.model) for start in starts] == [("chatcmpl-s1", "up-model")]
    assert events[0] is starts[0]
    assert isinstance(events[-1], MessageEnd)
    check_answer(fold(events), want)


@pytest.mark.parametrize("name", sorted(STREAMS) + sorted(BROKEN))
def test_every_split_gives_the_same_events(name: str) -> None:
    data = to_sse((STREAMS | BROKEN)[name]["items"])
    whole = read_stream(data)
    for cut in range(1, len(data)):
        assert read_stream(data, cut, len(data)) == whole, cut
    assert read_stream(data, 1) == whole
    assert read_stream(data, 7) == whole


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
@pytest.mark.parametrize("name", ["text", "parallel_interleaved", "openrouter_comments_reasoning"])
def test_other_line_ends_give_the_same_events(name: str, line_end: str) -> None:
    items = STREAMS[name]["items"]
    assert read_stream(to_sse(items, line_end), 1) == read_stream(to_sse(items))


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_a_missing_last_line_end_costs_nothing(name: str) -> None:
    data = to_sse(STREAMS[name]["items"])
    assert read_stream(data.removesuffix(b"\n\n")) == read_stream(data)
    assert read_stream(data.removesuffix(b"\n")) == read_stream(data)


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_broken_stream_ends_with_an_error(name: str) -> None:
    want = BROKEN[name]
    events = read_stream(to_sse(want["items"]))
    *before, last = events
    assert isinstance(last, StreamError)
    assert not any(isinstance(event, MessageEnd | StreamError) for event in before)
    assert "".join(e.text for e in before if isinstance(e, TextDelta)) == want["text"]
    assert last.failure.status == want["status"]
    assert last.failure.kind.value == want["kind"]
    with pytest.raises(BrokenAnswer):
        fold(events)


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_a_cut_anywhere_before_the_finish_is_never_a_clean_end(name: str) -> None:
    data = to_sse(STREAMS[name]["items"])
    finish = data.find(b'"finish_reason": "')
    limit = finish if finish > 0 else data.find(b"data: [DONE]")
    for cut in range(0, limit, 5):
        last = read_stream(data[:cut])[-1]
        assert isinstance(last, StreamError), cut
        assert last.failure.kind is FailureClass.TRANSIENT


def test_a_cut_behind_the_finish_reason_is_an_end() -> None:
    data = to_sse(STREAMS["text"]["items"])
    cut = data.index(b'"usage"') + 12
    last = read_stream(data[:cut])[-1]
    assert last == MessageEnd(stop=Stop.END, stop_sequence=None, usage=Usage(reported=False))


def test_nothing_comes_after_the_end() -> None:
    reader = TARGET.stream_reader()
    data = to_sse(STREAMS["text"]["items"])
    assert isinstance(reader.feed(data + data)[-1], MessageEnd)
    assert reader.feed(data) == []
    assert reader.close() == []


def test_an_error_event_by_name_is_an_error() -> None:
    data = b'event: error\ndata: {"message":"busy","code":503}\n\n'
    [last] = read_stream(data)
    assert isinstance(last, StreamError)
    assert (last.failure.status, last.failure.message) == (503, "busy")


def test_calls_are_numbered_and_end_once() -> None:
    events = read_stream(to_sse(STREAMS["parallel_interleaved"]["items"]))
    assert [e.index for e in events if isinstance(e, ToolCallStart)] == [0, 1]
    assert [e.index for e in events if isinstance(e, ToolCallDelta)] == [0, 1, 0, 1]
    assert [e.index for e in events if isinstance(e, ToolCallEnd)] == [0, 1]


def test_thinking_ends_before_what_follows() -> None:
    events = read_stream(to_sse(STREAMS["deepseek_reasoning_then_call"]["items"]))
    kinds = [type(event) for event in events]
    assert kinds.index(ThinkingDelta) < kinds.index(ThinkingEnd) < kinds.index(ToolCallStart)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.lists(st.integers(1, 9), max_size=4))
def test_no_bytes_raise(data: bytes, sizes: list[int]) -> None:
    events = read_stream(b"data: " + data, *sizes)
    assert isinstance(events[-1], MessageEnd | StreamError)


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "stop", "{}"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["content", "name", "text"]), inner, max_size=2)
    ),
    max_leaves=4,
)
_CALL = st.fixed_dictionaries(
    {}, optional={"index": _ANY, "id": _ANY, "function": _ANY, "custom": _ANY}
)
_DELTA = st.fixed_dictionaries(
    {},
    optional={
        "content": _ANY,
        "reasoning": _ANY,
        "reasoning_details": _ANY,
        "refusal": _ANY,
        "tool_calls": _ANY | st.lists(_CALL, max_size=3),
        "function_call": _ANY,
    },
)
_CHUNK = st.fixed_dictionaries(
    {},
    optional={
        "id": _ANY,
        "model": _ANY,
        "usage": _ANY,
        "error": _ANY,
        "x_groq": _ANY,
        "choices": _ANY
        | st.lists(
            st.fixed_dictionaries(
                {"delta": _DELTA}, optional={"index": _ANY, "finish_reason": _ANY, "usage": _ANY}
            ),
            max_size=2,
        ),
    },
)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.lists(_CHUNK, max_size=5))
def test_no_chunks_raise(chunks: list[Any]) -> None:
    events = read_stream(to_sse([*chunks, "[DONE]"]))
    assert isinstance(events[-1], MessageEnd | StreamError)
    assert sum(isinstance(event, MessageStart) for event in events) <= 1


# -- writing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("members", [{}, ASKED], ids=["plain", "usage"])
@pytest.mark.parametrize("name", sorted(set(STREAMS) - {"length_inside_call"}))
def test_a_stream_read_is_written_legally(name: str, members: dict[str, Any]) -> None:
    events = read_stream(to_sse(STREAMS[name]["items"]))
    with_usage = bool(members) and STREAMS[name]["usage"] is not None
    stream = write_stream(events, **members)
    if not members or with_usage:
        chunks = lint_stream(stream, with_usage=with_usage)
        assert chunks[0].id == "chatcmpl-" + "A" * 24
        assert chunks[0].model == "served-1"
    assert stream.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_the_stream_equals_the_whole_answer(name: str) -> None:
    answer = fold(read_stream(to_sse(STREAMS[name]["items"])))
    streamed = fold(read_stream(write_stream(unfold(answer), **ASKED)))
    whole = TARGET.read_answer(CLIENT.write_answer(answer, context_of()))
    calls = [block for block in streamed.blocks if isinstance(block, ToolCall)]
    texts = [block for block in streamed.blocks if not isinstance(block, ToolCall)]
    assert (*texts, *calls) == whole.blocks
    assert (streamed.stop, streamed.usage) == (whole.stop, whole.usage)
    assert (streamed.id, streamed.model) == (whole.id, whole.model)


def test_the_chunks_of_a_call() -> None:
    events: list[Event] = [
        START,
        TextDelta(text="Go."),
        BlockEnd(),
        ToolCallStart(index=0, id="toolu_1", name="go"),
        ToolCallDelta(index=0, json=""),
        ToolCallDelta(index=0, json='{"a":'),
        ToolCallDelta(index=0, json="1}"),
        ToolCallEnd(index=0),
        OpaqueEvent(dialect="anthropic-messages", type="server_tool_use"),
        ToolCallStart(index=1, id="toolu_2", name="stop"),
        ToolCallEnd(index=1),
        MessageEnd(stop=Stop.TOOL_USE, stop_sequence=None, usage=Usage(input=1, output=1)),
    ]
    deltas = [chunk.choices[0].delta for chunk in lint_stream(write_stream(events))]
    sent = [delta.model_dump(exclude_unset=True) for delta in deltas]
    assert sent == [
        {"role": "assistant", "content": ""},
        {"content": "Go."},
        _call(0, {"name": "go", "arguments": ""}, id="toolu_1", type="function"),
        _call(0, {"arguments": '{"a":'}),
        _call(0, {"arguments": "1}"}),
        _call(1, {"name": "stop", "arguments": ""}, id="toolu_2", type="function"),
        _call(1, {"arguments": "{}"}),
        {},
    ]


def _call(index: int, function: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, **members, "function": function}]}


def test_thinking_is_reasoning_content() -> None:
    events: list[Event] = [
        START,
        ThinkingDelta(text=""),
        ThinkingDelta(text="Hm"),
        ThinkingEnd(signature="s"),
        RedactedThinkingBlock(data="x"),
        TextDelta(text="4"),
        END,
    ]
    values = [json.loads(item) for item in split_data(write_stream(events))[:-1]]
    deltas = [value["choices"][0]["delta"] for value in values]
    assert [list(delta) for delta in deltas[1:4]] == [
        ["reasoning_content"],
        ["reasoning_details"],
        ["content"],
    ]


def test_usage_comes_only_where_asked() -> None:
    events: list[Event] = [START, TextDelta(text="Hi"), END]
    lint_stream(write_stream(events))
    last = lint_stream(write_stream(events, **ASKED), with_usage=True)[-1]
    assert last.usage is not None
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (8, 2)


def test_usage_nobody_reported_gets_no_chunk() -> None:
    end = MessageEnd(stop=Stop.END, stop_sequence=None, usage=Usage(reported=False))
    data = split_data(write_stream([START, TextDelta(text="Hi"), end], **ASKED))
    assert json.loads(data[-2])["choices"][0]["finish_reason"] == "stop"


def test_an_error_ends_the_stream_without_done() -> None:
    error = StreamError(failure=broken("upstream stream ended early"))
    writer = CLIENT.stream_writer(context_of())
    head = writer.write(START) + writer.write(TextDelta(text="Par"))
    tail = writer.write(error)
    assert b"[DONE]" not in head + tail
    assert json.loads(tail.removeprefix(b"data: ")) == {
        "error": {
            "message": "upstream stream ended early",
            "type": "server_error",
            "param": None,
            "code": None,
        }
    }
    assert writer.write(END) == b""


def test_silence_is_filled_with_a_comment() -> None:
    writer = CLIENT.stream_writer(context_of())
    assert writer.keep_alive() == b": keep-alive\n\n"


def test_a_refusal_without_words_gets_some() -> None:
    end = MessageEnd(stop=Stop.REFUSAL, stop_sequence=None, usage=Usage())
    chunks = lint_stream(write_stream([START, end]))
    assert chunks[1].choices[0].delta.refusal == "The model declined to answer."
    assert chunks[-1].choices[0].finish_reason == "stop"
    chunks = lint_stream(write_stream([START, TextDelta(text="x"), end]))
    assert chunks[-1].choices[0].finish_reason == "content_filter"


def test_names_the_target_saw_mapped_are_restored() -> None:
    name = "mcp__" + "x" * 70
    tools = [{"type": "function", "function": {"name": name}}]
    start = ToolCallStart(index=0, id="a", name=legal_name(name, limit=64))
    chunks = lint_stream(write_stream([START, start, ToolCallEnd(index=0), END], tools=tools))
    [call] = chunks[1].choices[0].delta.tool_calls or []
    assert call.function is not None
    assert call.function.name == name


def test_raw_input_of_a_free_form_tool_stays_as_it_is() -> None:
    text = '{"input": "no wrapping"}'
    events: list[Event] = [
        START,
        ToolCallStart(index=0, id="a", name="shell", custom=True),
        ToolCallDelta(index=0, json=text),
        ToolCallEnd(index=0),
        END,
    ]
    data = write_stream(events, tools=[{"type": "custom", "custom": {"name": "shell"}}])
    last = [json.loads(item) for item in split_data(data)[:-1]][-2]
    assert last["choices"][0]["delta"]["tool_calls"] == [{"index": 0, "custom": {"input": text}}]


def test_a_free_form_tool_gets_its_text_back() -> None:
    tools = [{"type": "custom", "custom": {"name": "shell"}}]
    events: list[Event] = [
        START,
        ToolCallStart(index=0, id="a", name="shell"),
        ToolCallDelta(index=0, json='{"input": "ls'),
        ToolCallDelta(index=0, json=' -l"}'),
        ToolCallEnd(index=0),
        END,
    ]
    data = split_data(write_stream(events, tools=tools))
    calls = [
        call
        for item in data[:-1]
        for call in json.loads(item)["choices"][0]["delta"].get("tool_calls", [])
    ]
    assert calls == [
        {"index": 0, "id": "a", "type": "custom", "custom": {"name": "shell", "input": ""}},
        {"index": 0, "custom": {"input": "ls -l"}},
    ]


# -- the relay's filter ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "left"),
    [
        (b'{"choices":[],"usage":{"prompt_tokens":1}}', None),
        (b'{"id":"c","choices":[ ],"usage":{"prompt_tokens":1},"timings":{}}', None),
        (b'{"choices":[],"usage":null}', b'{"choices":[]}'),
        (
            b'{"id": "c","usage": null,"choices":[{"delta":{"content":"\\u00e9 1e0"}}],"x":1.50}',
            b'{"id":"c","choices":[{"delta":{"content":"\\u00e9 1e0"}}],"x":1.50}',
        ),
        (b'{"choices":[],"prompt_filter_results":[]}', ...),
        (b'{"choices":[{"delta":{"content":"\\"usage\\""}}]}', ...),
        (b'{"choices":[{"delta":{"content":",\\"usage\\":null"}}]}', ...),
        (b'{"choices":[{"delta":{}}],"usage":{"prompt_tokens":1}}', ...),
        (b'{"error":{"message":"usage","type":"usage"},"usage":{}}', ...),
        (b"[DONE]", ...),
        (b'{"usage"', ...),
        (b'["usage"]', ...),
    ],
)
def test_what_nobody_asked_for_is_taken_out(data: bytes, left: Any) -> None:
    piece = b"data: " + data + b"\n\n"
    if left is ...:
        assert unasked(piece) is piece
    elif left is None:
        assert unasked(piece) is None
    else:
        assert unasked(piece) == b"data: " + left + b"\n\n"
