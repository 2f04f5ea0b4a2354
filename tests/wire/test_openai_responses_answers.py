"""Answers of every kind as whole responses and as streams, judged by the SDK and by our rules."""

import json
from typing import Any

import pytest
from msgspec.structs import replace
from openai.types.responses import Response

from lynkrc_runtime.protocol import carrier
from lynkrc_runtime.protocol.conversation import (
    Answer,
    Block,
    Event,
    Failure,
    FailureClass,
    MessageEnd,
    MessageStart,
    OpaqueEvent,
    RedactedThinking,
    Refusal,
    Stop,
    StreamError,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolCall,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
)
from lynkrc_runtime.protocol.dialect import Problem
from lynkrc_runtime.protocol.fold import unfold
from lynkrc_runtime.protocol.free_form import unwrapped
from lynkrc_runtime.protocol.openai_responses import CLIENT
from tests.wire.openai_responses_lint import (
    context_of,
    events_of,
    lint_response,
    lint_stream,
    sdk_client,
    sdk_final,
    stream_of,
)

USAGE = Usage(input=10, output=7, cache_read=5, cache_write=2, reasoning=3)
START = MessageStart(id="up", model="m", usage=Usage())
END = MessageEnd(stop=Stop.END, stop_sequence=None, usage=USAGE)
TOOLS: list[dict[str, Any]] = [
    {"type": "function", "name": "read", "parameters": {"type": "object", "properties": {}}},
    {"type": "custom", "name": "apply_patch", "format": {"type": "text"}},
    {
        "type": "namespace",
        "name": "functions",
        "description": "Tools.",
        "tools": [{"type": "custom", "name": "exec"}, {"type": "function", "name": "wait"}],
    },
    {"type": "web_search"},
]


def answer(*blocks: Block, stop: Stop = Stop.END, usage: Usage = USAGE) -> Answer:
    return Answer(id="up", model="m", blocks=blocks, stop=stop, stop_sequence=None, usage=usage)


CASES: dict[str, Answer] = {
    "text": answer(Text(text="Hello\u2028there")),
    "nothing": answer(),
    "two texts": answer(Text(text="a"), Text(text="b")),
    "refusal": answer(Text(text="I"), Refusal(text="cannot"), stop=Stop.REFUSAL),
    "silent refusal": answer(Thinking(text="hm"), stop=Stop.REFUSAL),
    "filtered": answer(Text(text="Part of"), stop=Stop.REFUSAL),
    "cut text": answer(Text(text="Part of"), stop=Stop.LENGTH),
    "cut call": answer(
        ToolCall(id="c1", name="read", arguments='{"a"'), stop=Stop.LENGTH, usage=Usage(output=1)
    ),
    "full context": answer(Text(text="x"), stop=Stop.CONTEXT),
    "interleaved": answer(
        Thinking(text="first", signature="c2lnbmVk"),
        Text(text="Let me look."),
        ToolCall(id="c1", name="read", arguments='{"path": 1.0}'),
        ToolCall(id="c2", name="read", arguments=""),
        RedactedThinking(data="c2VjcmV0"),
        Thinking(text="", signature="c2lnbmVk"),
        Text(text="Done."),
        stop=Stop.TOOL_USE,
    ),
    "free-form": answer(
        ToolCall(id="c1", name="apply_patch", arguments='{"input": "*** Begin\\n"}'),
        ToolCall(id="c2", name="apply_patch", arguments='{"input": "as is"}', custom=True),
        ToolCall(id="c3", name="functions__exec", arguments='{"input":"ls()"}'),
        ToolCall(id="c4", name="functions__wait", arguments="{}"),
        stop=Stop.TOOL_USE,
    ),
    "unreported": answer(Text(text="Hello there"), usage=Usage(reported=False)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_whole_and_the_stream_are_the_same_response(name: str) -> None:
    context = context_of(tools=TOOLS)
    whole = lint_response(CLIENT.write_answer(CASES[name], context))
    events = lint_stream(stream_of(unfold(CASES[name]), context))
    assert events[-1]["response"] == whole


@pytest.mark.parametrize("name", CASES)
def test_the_sdk_adds_the_stream_up_to_the_response(name: str) -> None:
    context = context_of(tools=TOOLS)
    body = CLIENT.write_answer(CASES[name], context)
    with sdk_client(body, "application/json") as client:
        parsed = client.responses.create(model="m", input="x")
    if parsed.status == "completed":
        final = sdk_final(stream_of(unfold(CASES[name]), context))
        assert unparsed(final.to_dict()) == Response.model_validate(json.loads(body)).to_dict()


def unparsed(value: Any) -> Any:
    """Without what the SDK's stream adds: ``parsed`` and ``parsed_arguments``."""
    match value:
        case dict():
            kept = {name: item for name, item in value.items() if not name.startswith("parsed")}
            return {name: unparsed(item) for name, item in kept.items()}
        case list():
            return [unparsed(item) for item in value]
        case _:
            return value


def written(name: str) -> dict[str, Any]:
    return lint_response(CLIENT.write_answer(CASES[name], context_of(tools=TOOLS)))


def test_usage_counts_what_the_cache_read_and_wrote() -> None:
    assert written("text")["usage"] == {
        "input_tokens": 17,
        "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 2},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 24,
    }


def test_usage_nobody_reported_is_estimated() -> None:
    usage = written("unreported")["usage"]
    assert usage["input_tokens"] == 17
    assert usage["output_tokens"] > 0


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("text", "completed", None),
        ("interleaved", "completed", None),
        ("refusal", "completed", None),
        ("silent refusal", "completed", None),
        ("filtered", "incomplete", "content_filter"),
        ("cut text", "incomplete", "max_output_tokens"),
        ("full context", "incomplete", "max_output_tokens"),
    ],
)
def test_the_stop_becomes_a_status(name: str, status: str, reason: str | None) -> None:
    response = written(name)
    assert response["status"] == status
    assert (response["incomplete_details"] or {}).get("reason") == reason


def test_only_the_last_item_is_cut_off() -> None:
    blocks = (Text(text="a"), ToolCall(id="c", name="read", arguments='{"a'))
    cut = answer(*blocks, stop=Stop.LENGTH)
    response = lint_response(CLIENT.write_answer(cut, context_of()))
    assert [item["status"] for item in response["output"]] == ["completed", "incomplete"]


def test_calls_are_given_as_their_tools_were_offered() -> None:
    calls = written("free-form")["output"]
    heads = [(c["type"], c["name"], c.get("namespace"), c.get("input")) for c in calls]
    assert heads == [
        ("custom_tool_call", "apply_patch", None, "*** Begin\n"),
        ("custom_tool_call", "apply_patch", None, '{"input": "as is"}'),
        ("custom_tool_call", "exec", "functions", "ls()"),
        ("function_call", "wait", "functions", None),
    ]


def test_reasoning_of_claude_travels_in_carriers() -> None:
    kinds = []
    for item in written("interleaved")["output"]:
        if item["type"] == "reasoning":
            carried = carrier.unseal(item["encrypted_content"])
            assert carried is not None
            kinds.append((carried.kind, carried.data, [part["text"] for part in item["summary"]]))
    assert kinds == [
        ("claude", "c2lnbmVk", ["first"]),
        ("claude-redacted", "c2VjcmV0", []),
        ("claude", "c2lnbmVk", []),
    ]


def test_a_carrier_of_another_maker_stays_as_it_is() -> None:
    sealed = carrier.seal(carrier.GEMINI, "c2ln", "gemini/g")
    thought = answer(Thinking(text="t", signature=sealed), Text(text="x"))
    response = lint_response(CLIENT.write_answer(thought, context_of()))
    assert response["output"][0]["encrypted_content"] == sealed


def test_the_request_is_echoed() -> None:
    given: dict[str, Any] = {
        "instructions": "Be terse.",
        "tools": TOOLS,
        "tool_choice": {"type": "custom", "name": "apply_patch"},
        "parallel_tool_calls": False,
        "temperature": 0.5,
        "max_output_tokens": 50,
        "reasoning": {"effort": "low"},
        "text": {"verbosity": "low"},
        "metadata": {"a": "b"},
        "user": "ann",
        "prompt_cache_key": "k",
        "store": True,
    }
    response = lint_response(CLIENT.write_answer(CASES["text"], context_of(**given)))
    as_given = set(given) - {"tools", "store", "reasoning", "text"}
    assert {name: response[name] for name in as_given} == {name: given[name] for name in as_given}
    assert response["reasoning"] == {"effort": "low", "summary": None}
    assert response["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert response["store"] is False
    assert response["tools"][0] == {**TOOLS[0], "strict": None}
    assert response["tools"][1:] == TOOLS[1:]
    assert (response["id"], response["model"]) == ("resp_" + "A" * 24, "served-1")


def test_tools_that_came_before_are_echoed_as_if_they_had_not() -> None:
    call = CASES["free-form"]
    for tools in (TOOLS, TOOLS[:1], TOOLS, [], TOOLS[1:]):
        context = context_of(tools=tools)
        anew = replace(context, request=replace(context.request, tools=(*context.request.tools,)))
        assert type(anew.request.tools) is tuple
        assert CLIENT.write_answer(call, context) == CLIENT.write_answer(call, anew)
        assert stream_of(unfold(call), context) == stream_of(unfold(call), anew)


def test_interleaved_calls_keep_their_own_items() -> None:
    events: list[Event] = [
        START,
        TextDelta(text="a"),
        ToolCallStart(index=0, id="c0", name="read"),
        ToolCallStart(index=1, id="", name="apply_patch"),
        ToolCallDelta(index=0, json='{"a":'),
        ToolCallDelta(index=1, json='{"input":'),
        ToolCallDelta(index=0, json="1}"),
        ToolCallDelta(index=1, json=' "x"}'),
        ToolCallEnd(index=1),
        TextDelta(text="b"),
        END,
    ]
    last = lint_stream(stream_of(events, context_of(tools=TOOLS)))[-1]["response"]
    kinds = [item["type"] for item in last["output"]]
    assert kinds == ["message", "function_call", "custom_tool_call", "message"]
    assert last["output"][1]["arguments"] == '{"a":1}'
    assert last["output"][2]["input"] == "x"
    assert last["output"][2]["call_id"].startswith("call_")


def test_raw_input_is_streamed_in_pieces() -> None:
    events: list[Event] = [
        START,
        ToolCallStart(index=0, id="c0", name="apply_patch", custom=True),
        ToolCallDelta(index=0, json="*** Be"),
        ToolCallDelta(index=0, json="gin"),
        ToolCallEnd(index=0),
        END,
    ]
    found = lint_stream(stream_of(events, context_of(tools=TOOLS)))
    deltas = [e["delta"] for e in found if e["type"].endswith("call_input.delta")]
    assert deltas == ["*** Be", "gin"]


def test_reasoning_without_an_end_is_closed_by_what_follows() -> None:
    events: list[Event] = [START, ThinkingDelta(text="hm"), TextDelta(text="a"), END]
    last = lint_stream(stream_of(events, context_of()))[-1]["response"]
    assert [item["type"] for item in last["output"]] == ["reasoning", "message"]


def test_what_only_another_dialect_understands_adds_nothing() -> None:
    writer = CLIENT.stream_writer(context_of())
    writer.write(START)
    assert writer.write(OpaqueEvent(dialect="other", type="thing")) == b""


BROKEN = StreamError(
    failure=Failure(kind=FailureClass.THROTTLED, status=429, message="slow down", code="slow_down")
)


def test_a_break_fails_the_response_that_was_begun() -> None:
    events: list[Event] = [START, TextDelta(text="a"), BROKEN, END, TextDelta(text="b")]
    found = lint_stream(stream_of(events, context_of()))
    assert found[-1]["type"] == "response.failed"
    error = found[-1]["response"]["error"]
    assert error == {"code": "rate_limit_exceeded", "message": "slow down"}


@pytest.mark.parametrize(
    "kind",
    [
        *("invalid", "authentication", "billing", "permission", "not_found", "too_large"),
        *("rate_limited", "overloaded", "timeout", "internal", "bad_gateway"),
        *("spent", "misconfigured"),
        "context_overflow",
    ],
)
def test_every_problem_has_a_code_the_sdk_knows(kind: str) -> None:
    writer = CLIENT.stream_writer(context_of())
    data = writer.fail(Problem(status=0, kind=kind, message="no"))
    assert [event["type"] for event in lint_stream(data)][-1] == "response.failed"
    assert writer.fail(Problem(status=0, kind=kind, message="no")) == b""
    status, body = CLIENT.write_problem(Problem(status=0, kind=kind, message="no"))
    assert status >= 400
    assert set(json.loads(body)["error"]) == {"message", "type", "param", "code"}


def test_an_error_behind_events_that_were_passed_goes_on_with_their_numbers() -> None:
    writer = CLIENT.stream_writer(context_of())
    writer.passed(b"data: {}\n\n", [MessageStart(id="resp_up", model="m", usage=Usage())])
    writer.passed(b": comment\n\n", [])
    writer.passed(b"data: {}\n\n", [])
    (failed,) = events_of(writer.fail(Problem(status=0, kind="internal", message="no")))
    assert (failed["sequence_number"], failed["response"]["id"]) == (2, "resp_up")


def test_a_keep_alive_is_a_comment_at_any_time() -> None:
    writer = CLIENT.stream_writer(context_of())
    assert writer.keep_alive() == b": keep-alive\n\n"


def test_the_input_of_a_free_form_call_that_was_cut_short_is_what_came_of_it() -> None:
    """Not the JSON around it, which the client has never seen."""
    assert unwrapped('{"input": "*** Begin\\n+a') == "*** Begin\n+a"
    assert unwrapped('{"inp') == '{"inp'
