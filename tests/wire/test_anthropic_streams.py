"""Messages streams: bytes to events at any split, events to legal bytes, and both the same."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol.anthropic import CLIENT, TARGET
from lynkrc_runtime.protocol.conversation import (
    Answer,
    BlockEnd,
    BrokenAnswer,
    Event,
    FailureClass,
    MessageEnd,
    MessageStart,
    OpaqueEvent,
    RedactedThinking,
    Refusal,
    RefusalDelta,
    Stop,
    StreamError,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ThinkingEnd,
    ToolCall,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
)
from lynkrc_runtime.protocol.dialect import AnswerContext
from lynkrc_runtime.protocol.failures import broken, failure_of
from lynkrc_runtime.protocol.fold import fold, unfold
from tests.wire.anthropic_lint import fold_stream, lint_message, lint_stream, load, to_sse

STREAMS = load("streams")
WHOLE = sorted(set(STREAMS) - {"error_midway", "cut"})
REQUEST = CLIENT.read_request(
    b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],'
    b'"tools":[{"name":"mcp__files__' + b"x" * 60 + b'","input_schema":{"type":"object"}}]}',
    {},
)
CONTEXT = AnswerContext(
    request=REQUEST,
    id="a" * 24,
    model="served-1",
    created=1,
    input_estimate=lambda: 17,
    request_id="req_1",
)
START = MessageStart(id="x", model="up", usage=Usage())
END = MessageEnd(stop=Stop.END, stop_sequence=None, usage=Usage(input=5, output=2, cache_read=3))


def read(data: bytes, size: int | None = None) -> list[Event]:
    reader = TARGET.stream_reader()
    step = size or len(data)
    events = [e for i in range(0, len(data), step) for e in reader.feed(data[i : i + step])]
    return events + reader.close()


def write(*events: Event) -> bytes:
    writer = CLIENT.stream_writer(CONTEXT)
    return b"".join(writer.write(event) for event in events)


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_every_split_gives_the_same_events(name: str) -> None:
    data = to_sse(STREAMS[name])
    whole = read(data)
    for position in range(1, len(data)):
        reader = TARGET.stream_reader()
        events = reader.feed(data[:position]) + reader.feed(data[position:]) + reader.close()
        assert events == whole
    assert read(data, 1) == whole
    assert read(to_sse(STREAMS[name], "\r\n"), 7) == whole


@pytest.mark.parametrize("name", WHOLE)
def test_a_written_stream_is_legal_and_says_what_was_read(name: str) -> None:
    events = read(to_sse(STREAMS[name]))
    data = write(*events)
    lint_stream(data)
    again, before = fold(read(data)), fold(events)
    assert again.usage == before.usage
    assert again.stop is before.stop
    assert again.stop_sequence == before.stop_sequence
    # The dialect has no refusal block: it becomes text.
    wanted = [Text(text=b.text) if isinstance(b, Refusal) else b for b in before.blocks]
    assert list(again.blocks) == wanted


@pytest.mark.parametrize("name", WHOLE)
def test_the_stream_adds_up_to_the_whole_answer(name: str) -> None:
    events = read(to_sse(STREAMS[name]))
    whole = lint_message(CLIENT.write_answer(fold(events), CONTEXT))
    streamed = fold_stream(lint_stream(write(*events)))
    assert streamed == whole


@pytest.mark.parametrize("name", ["tool_use", "parallel_tools", "thinking", "stop_sequence"])
def test_stream_and_answer_of_one_conversation_read_alike(name: str) -> None:
    streamed = fold(read(to_sse(STREAMS[name])))
    whole = TARGET.read_answer(json.dumps(load("answers")[name]).encode())
    assert [type(block) for block in streamed.blocks] == [type(block) for block in whole.blocks]
    assert (streamed.stop, streamed.stop_sequence) == (whole.stop, whole.stop_sequence)
    calls = [
        [(c.id, c.name, json.loads(c.arguments)) for c in a.blocks if isinstance(c, ToolCall)]
        for a in (streamed, whole)
    ]
    assert calls[0] == calls[1]


def test_thinking_keeps_its_signature_byte_for_byte() -> None:
    answer = fold(read(to_sse(STREAMS["thinking_omitted_redacted"])))
    assert answer.blocks[:2] == (
        Thinking(text="", signature="EqQBLynkrcOmitted=="),
        RedactedThinking(data="EuYBLynkrcRedacted=="),
    )


def test_usage_is_cumulative_and_counted_once() -> None:
    answer = fold(read(to_sse(STREAMS["text"])))
    assert answer.usage == Usage(input=21, output=12, cache_read=1024)


def test_blocks_of_server_tools_are_named_and_not_mistaken_for_calls() -> None:
    answer = fold(read(to_sse(STREAMS["server_tool"])))
    assert answer.lost == ("server_tool_use", "web_search_tool_result", "citations_delta")
    assert answer.blocks == (Text(text="514 m."),)
    assert answer.stop is Stop.END


def test_an_error_event_ends_the_stream() -> None:
    events = read(to_sse(STREAMS["error_midway"]) + to_sse(STREAMS["text"]))
    assert isinstance(events[-1], StreamError)
    assert events[-1].failure.kind is FailureClass.TRANSIENT
    assert events[-1].failure.status == 529
    assert not any(isinstance(event, MessageEnd) for event in events)


@pytest.mark.parametrize("position", range(0, 8))
def test_a_cut_is_an_error_wherever_it_falls(position: int) -> None:
    events = read(to_sse(STREAMS["text"][:position]) or b": nothing\n\n")
    assert isinstance(events[-1], StreamError)
    assert sum(isinstance(event, StreamError | MessageEnd) for event in events) == 1


def test_the_last_event_counts_without_its_blank_line() -> None:
    assert isinstance(read(to_sse(STREAMS["text"]).rstrip(b"\n"))[-1], MessageEnd)


@pytest.mark.parametrize(
    "data",
    [
        b"event: message_start\ndata: {oops\n\n",
        b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta"}}\n\n',
        b'data: {"type":"message_stop"}\n\n',
        b'data: {"type":7}\n\n',
        b"data: []\n\n",
        b"data: \xff\xfe\n\n",
        b"<html>busy</html>",
    ],
)
def test_malformed_streams_break(data: bytes) -> None:
    events = read(data)
    assert [type(event) for event in events] == [StreamError]


def test_done_and_unknown_events_are_tolerated() -> None:
    data = to_sse(STREAMS["text"])
    marked = data + b"data: [DONE]\n\n"
    assert read(marked) == read(data)
    news = b'event: news\ndata: {"type":"news"}\n\n'
    assert read(news + data) == read(data)
    odd = data.replace(b"event: ping", news + b"event: ping", 1)
    assert read(odd)[1] == OpaqueEvent(dialect="anthropic-messages", type="news")
    assert read(odd)[:1] + read(odd)[2:] == read(data)
    done_midway = data.replace(b"event: ping", b"data: [DONE]\n\nevent: ping")
    assert read(done_midway) == read(data)


def test_an_input_in_the_head_of_a_call_is_not_lost() -> None:
    head = {"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}}
    events = [
        STREAMS["text"][0],
        {"type": "content_block_start", "index": 0, "content_block": head},
        {"type": "content_block_stop", "index": 0},
        *STREAMS["tool_use"][-2:],
    ]
    assert fold(read(to_sse(events))).blocks == (ToolCall(id="t", name="n", arguments='{"a":1}'),)


# -- the writer ------------------------------------------------------------------------------


def test_message_start_estimates_and_message_delta_states_all_usage() -> None:
    events = lint_stream(write(START, TextDelta(text="a"), END))
    assert events[0]["message"]["usage"]["input_tokens"] == 17
    assert events[0]["message"]["model"] == "served-1"
    assert events[0]["message"]["id"] == "msg_" + "a" * 24
    assert events[-2]["usage"] == {
        "input_tokens": 5,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 3,
        "output_tokens": 2,
    }


def test_unreported_usage_is_estimated() -> None:
    end = MessageEnd(stop=Stop.END, stop_sequence=None, usage=Usage(reported=False))
    events = lint_stream(write(START, TextDelta(text="word " * 8), end))
    assert events[-2]["usage"]["input_tokens"] == 17
    assert events[-2]["usage"]["output_tokens"] == 10


INTERLEAVED: list[Event] = [
    START,
    TextDelta(text="Both."),
    ToolCallStart(index=0, id="c0", name="first"),
    ToolCallDelta(index=0, json='{"a":'),
    ToolCallStart(index=1, id="c1", name="second"),
    ToolCallDelta(index=1, json='{"b":'),
    ToolCallDelta(index=0, json="1}"),
    ToolCallStart(index=2, id="c2", name="third"),
    ToolCallEnd(index=2),
    ToolCallDelta(index=1, json="2}"),
    TextDelta(text="After."),
    BlockEnd(),
    TextDelta(text="And more."),
    ToolCallEnd(index=1),
    ToolCallEnd(index=0),
    END,
]


def test_interleaved_calls_come_out_whole_and_in_order() -> None:
    message = fold_stream(lint_stream(write(*INTERLEAVED)))
    assert [(b["type"], b.get("id"), b.get("input")) for b in message["content"]] == [
        ("text", None, None),
        ("tool_use", "c0", {"a": 1}),
        ("tool_use", "c1", {"b": 2}),
        ("tool_use", "c2", {}),
        ("text", None, None),
        ("text", None, None),
    ]
    assert message["content"][4]["text"] == "After."
    assert message["stop_reason"] == "tool_use"


def test_a_waiting_call_that_is_whole_lets_the_one_behind_it_begin_first() -> None:
    events: list[Event] = [ToolCallStart(index=n, id=f"c{n}", name="look") for n in range(3)]
    for index in (1, 2, 0):
        events.append(ToolCallDelta(index=index, json=f'{{"n": {index}}}'))
        events.append(ToolCallEnd(index=index))
    message = fold_stream(lint_stream(write(START, *events, END)))
    assert [block["input"] for block in message["content"]] == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_the_first_call_is_streamed_while_others_wait() -> None:
    writer = CLIENT.stream_writer(CONTEXT)
    sizes = [len(writer.write(event)) for event in INTERLEAVED[:7]]
    assert [size > 0 for size in sizes] == [True, True, True, True, False, False, True]


def test_calls_left_open_by_a_proper_end_are_closed() -> None:
    opened = [event for event in INTERLEAVED if not isinstance(event, ToolCallEnd)]
    assert fold_stream(lint_stream(write(*opened))) == fold_stream(lint_stream(write(*INTERLEAVED)))


@pytest.mark.parametrize(
    ("pieces", "wanted"),
    [
        ([], {}),
        (["", " "], {}),
        (["null"], {}),
        (["[1,", "2]"], {"value": [1, 2]}),
        (['"te', 'xt"'], {"value": "text"}),
        (['{"a": "cut of'], {"a": "cut of"}),
        (['{"a": {"b": [1, tr'], {"a": {"b": [1, True]}}),
        (["  ", '{"a":1}'], {"a": 1}),
    ],
)
def test_arguments_always_end_as_an_object(pieces: list[str], wanted: dict[str, Any]) -> None:
    events: list[Event] = [ToolCallDelta(index=0, json=piece) for piece in pieces]
    start = ToolCallStart(index=0, id="c", name="n")
    data = write(START, start, *events, ToolCallEnd(index=0), END)
    assert fold_stream(lint_stream(data))["content"][0]["input"] == wanted
    answer = fold([START, start, *events, ToolCallEnd(index=0), END])
    assert lint_message(CLIENT.write_answer(answer, CONTEXT))["content"][0]["input"] == wanted


def test_malformed_arguments_are_held_back_and_end_in_an_error() -> None:
    data = write(
        START,
        ToolCallStart(index=0, id="c", name="n"),
        ToolCallDelta(index=0, json='{"a":'),
        ToolCallDelta(index=0, json="<oops>"),
        ToolCallEnd(index=0),
        END,
    )
    assert b"oops" not in data
    events = lint_stream(data, ends="error")
    assert events[-1]["error"]["type"] == "api_error"


def test_raw_input_of_a_free_form_call_is_given_as_an_object() -> None:
    data = write(
        START,
        ToolCallStart(index=0, id="c", name="patch", custom=True),
        ToolCallDelta(index=0, json='*** "Be'),
        ToolCallDelta(index=0, json="gin"),
        ToolCallEnd(index=0),
        END,
    )
    (call,) = fold_stream(lint_stream(data))["content"]
    assert (call["type"], call["input"]) == ("tool_use", {"input": '*** "Begin'})


def test_an_error_is_the_last_word() -> None:
    error = StreamError(failure=failure_of(0, "Busy", None, "overloaded_error"))
    writer = CLIENT.stream_writer(CONTEXT)
    data = writer.write(START) + writer.write(TextDelta(text="a")) + writer.write(error)
    events = lint_stream(data, ends="error")
    assert events[-1]["error"] == {"type": "overloaded_error", "message": "Busy"}
    assert events[-1]["request_id"] == "req_1"
    assert writer.write(END) == b""
    assert writer.keep_alive() == b""


def test_a_cut_is_an_api_error() -> None:
    data = write(StreamError(failure=broken("upstream stream ended early")))
    assert json.loads(data.split(b"data: ")[1])["error"]["type"] == "api_error"


def test_keep_alive_is_a_comment_then_a_ping() -> None:
    writer = CLIENT.stream_writer(CONTEXT)
    assert writer.keep_alive() == b": keep-alive\n\n"
    writer.write(START)
    assert writer.keep_alive() == b'event: ping\ndata: {"type":"ping"}\n\n'
    writer.write(END)
    assert writer.keep_alive() == b""


def test_foreign_reasoning_gets_our_signature() -> None:
    data = write(
        START, ThinkingDelta(text="hm"), ThinkingEnd(signature=None), TextDelta(text="a"), END
    )
    block = fold_stream(lint_stream(data))["content"][0]
    assert block["thinking"] == "hm"
    assert block["signature"].startswith("gw1.")
    left_open = write(START, ThinkingDelta(text="hm"), TextDelta(text="a"), END)
    assert left_open == data


def test_a_refusal_becomes_text_and_its_stop_reason() -> None:
    message = fold_stream(lint_stream(write(START, RefusalDelta(text="No."), END)))
    assert message["content"] == [{"type": "text", "text": "No."}]
    assert message["stop_reason"] == "refusal"


def test_an_empty_answer_has_one_block() -> None:
    assert fold_stream(lint_stream(write(START, END)))["content"] == [{"type": "text", "text": ""}]


def test_line_separators_are_escaped() -> None:
    data = write(START, TextDelta(text="a\u2028b\u2029c\u0085d"), END)
    assert not any(mark.encode() in data for mark in "\u2028\u2029\u0085")
    assert fold_stream(lint_stream(data))["content"][0]["text"] == "a\u2028b\u2029c\u0085d"


def test_a_shortened_tool_name_is_restored_and_ids_are_made_legal_and_unique() -> None:
    from lynkrc_runtime.protocol.naming import legal_name

    name = REQUEST.tools[0].name
    data = write(
        START,
        ToolCallStart(index=0, id="functions.read:0", name=legal_name(name, limit=64)),
        ToolCallEnd(index=0),
        ToolCallStart(index=1, id="functions.read:0", name="other"),
        ToolCallEnd(index=1),
        END,
    )
    first, second = fold_stream(lint_stream(data))["content"]
    assert (first["name"], second["name"]) == (name, "other")
    assert first["id"].replace("_", "").isalnum()
    assert first["id"] != second["id"]


TEXTS = st.text(alphabet=st.characters(codec="utf-8"), max_size=20)
BLOCKS = st.one_of(
    TEXTS.map(lambda text: Text(text=text)),
    st.builds(Thinking, text=TEXTS, signature=st.sampled_from([None, "EqSig=="])),
    st.builds(
        ToolCall,
        id=st.sampled_from(["a", "b", "c-1"]),
        name=st.sampled_from(["n", "m"]),
        arguments=st.dictionaries(TEXTS, TEXTS | st.integers(), max_size=3).map(json.dumps),
    ),
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.lists(BLOCKS, max_size=5), st.sampled_from(list(Stop)), st.integers(1, 40))
def test_any_answer_streams_to_itself(blocks: list[Any], stop: Stop, size: int) -> None:
    answer = Answer(
        id="x", model="m", blocks=tuple(blocks), stop=stop, stop_sequence=None, usage=Usage(input=3)
    )
    whole = lint_message(CLIENT.write_answer(answer, CONTEXT))
    data = write(*unfold(answer))
    streamed = fold_stream(lint_stream(data))
    if not whole["content"]:
        whole["content"] = [{"type": "text", "text": ""}]
    for message in (streamed, whole):
        for position, block in enumerate(message["content"]):
            if block["type"] == "tool_use":
                block["id"] = f"call {position}"
    assert streamed == whole
    assert read(data, size) == read(data)


def test_folding_a_broken_stream_raises_its_failure() -> None:
    failure = broken("gone")
    with pytest.raises(BrokenAnswer) as caught:
        fold([START, StreamError(failure=failure)])
    assert caught.value.failure is failure
    with pytest.raises(BrokenAnswer):
        fold([START, TextDelta(text="a")])


def test_members_spelled_out_as_null_mean_nothing() -> None:
    """Compatible servers dump every member of an event, the ones that do not apply as null."""
    start = {"id": None, "model": None, "usage": {"input_tokens": 1}}
    thinking = {"type": "thinking", "thinking": "", "signature": None, "text": None, "data": None}
    nothing = {"text": None, "partial_json": None, "thinking": None, "signature": None}
    said = nothing | {"type": "thinking_delta", "thinking": "a"}
    events = [
        {"type": "message_start", "index": None, "delta": None, "message": start},
        {"type": "content_block_start", "index": 0, "content_block": thinking},
        {"type": "content_block_delta", "index": 0, "delta": said, "message": None},
        {"type": "content_block_stop", "index": 0},
        *STREAMS["text"][-2:],
    ]
    answer = fold(read(to_sse(events)))
    assert answer.blocks == (Thinking(text="a"),)
    assert (answer.id, answer.model) == ("", "")
