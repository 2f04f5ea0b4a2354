"""Whole Messages answers, failures and problems: read, written, re-shaped."""

import json
from typing import Any

import pytest

from lynkrc_runtime.protocol.anthropic import CLIENT, TARGET
from lynkrc_runtime.protocol.conversation import (
    Answer,
    Block,
    BrokenAnswer,
    FailureClass,
    Image,
    Opaque,
    RedactedThinking,
    Refusal,
    Stop,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from lynkrc_runtime.protocol.dialect import AnswerContext, Problem
from tests.wire.anthropic_lint import lint_message, load

ANSWERS = load("answers")
ERRORS = load("errors")
CONTEXT = AnswerContext(
    request=CLIENT.read_request(
        b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}', {}
    ),
    id="a" * 24,
    model="served-1",
    created=1,
    input_estimate=lambda: 17,
    request_id="req_1",
)


def read(name: str) -> Answer:
    return TARGET.read_answer(json.dumps(ANSWERS[name]).encode())


def answer(*blocks: Block, stop: Stop = Stop.END, **more: Any) -> Answer:
    whole = {"id": "x", "model": "m", "stop_sequence": None, "usage": Usage(input=1, output=1)}
    return Answer(blocks=blocks, stop=stop, **(whole | more))


def write(given: Answer) -> dict[str, Any]:
    return lint_message(CLIENT.write_answer(given, CONTEXT))


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_an_answer_reads_and_writes_back(name: str) -> None:
    given = ANSWERS[name]
    written = write(read(name))
    kept = [
        {k: v for k, v in block.items() if k not in ("citations", "caller")}
        for block in given["content"]
        if block["type"] not in ("server_tool_use", "web_search_tool_result")
    ]
    if name == "refusal":
        kept = [{"type": "text", "text": "This was declined."}]
    assert written["content"] == kept
    assert written["stop_reason"] == given["stop_reason"]
    assert written["stop_sequence"] == given["stop_sequence"]
    assert (
        written["usage"].items()
        <= (
            given["usage"] | {"output_tokens_details": given["usage"].get("output_tokens_details")}
        ).items()
    )
    assert (written["id"], written["model"]) == ("msg_" + "a" * 24, "served-1")


def test_details() -> None:
    assert read("cache_usage").usage == Usage(
        input=9, output=12, cache_read=18432, cache_write=2048, cache_write_1h=1024
    )
    assert read("thinking").usage.reasoning == 31
    assert read("thinking_omitted_redacted").blocks[:2] == (
        Thinking(text="", signature="EqQBLynkrcOmitted=="),
        RedactedThinking(data="EuYBLynkrcRedacted=="),
    )
    assert read("refusal").blocks == (Refusal(text="This was declined."),)
    assert read("context_management").lost == ("context_management",)
    assert isinstance(read("pause_turn").blocks[0], Opaque)
    second = read("parallel_tools").blocks[1]
    assert isinstance(second, ToolCall)
    assert json.loads(second.arguments) == {"city": "Tromsø"}


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 0, "empty"),
        (b"<html>Bad gateway</html>", 0, "web page"),
        (b'{"id":"x"', 0, "not valid JSON"),
        (b"[]", 0, "must be an object"),
        (b'{"id":"x"}', 0, "content"),
        (b'{"type":"error","error":{"type":"overloaded_error","message":"Busy"}}', 529, "Busy"),
        (b'{"error":{"code":502,"message":"Provider failed"}}', 502, "Provider failed"),
        (b'{"error":"no such luck"}', 502, "no such luck"),
    ],
)
def test_what_is_no_answer_is_broken(body: bytes, status: int, words: str) -> None:
    with pytest.raises(BrokenAnswer) as caught:
        TARGET.read_answer(body)
    assert caught.value.failure.status == status
    assert words in caught.value.failure.message
    assert caught.value.failure.kind is FailureClass.TRANSIENT


CALL = ToolCall(id="call_1", name="n", arguments='{"a": 1.0}')


@pytest.mark.parametrize(
    ("blocks", "stop", "wanted"),
    [
        ((CALL,), Stop.END, "tool_use"),
        ((CALL,), Stop.TOOL_USE, "tool_use"),
        ((CALL,), Stop.LENGTH, "max_tokens"),
        ((), Stop.TOOL_USE, "end_turn"),
        ((Refusal(text="No."),), Stop.END, "refusal"),
        ((Text(text="a"),), Stop.CONTEXT, "model_context_window_exceeded"),
        ((), Stop.PAUSE, "pause_turn"),
    ],
)
def test_stop_reasons(blocks: tuple[Block, ...], stop: Stop, wanted: str) -> None:
    assert write(answer(*blocks, stop=stop))["stop_reason"] == wanted


def test_foreign_reasoning_gets_our_signature_and_empty_text_no_block() -> None:
    content = write(answer(Thinking(text="hm"), Text(text=""), Image(url="https://x")))["content"]
    assert [block["type"] for block in content] == ["thinking"]
    assert content[0]["signature"].startswith("gw1.")


def test_arguments_keep_their_spelling_and_ids_are_legal_and_unique() -> None:
    odd = ToolCall(id="f.x:0", name="n", arguments="")
    body = CLIENT.write_answer(answer(CALL, odd, odd), CONTEXT)
    assert b'"input":{"a": 1.0}' in body
    ids = [block["id"] for block in lint_message(body)["content"]]
    assert len(set(ids)) == 3
    assert all(found.replace("_", "").isalnum() for found in ids)


def test_unreported_usage_is_estimated() -> None:
    usage = write(answer(Text(text="word " * 8), usage=Usage(reported=False)))["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (17, 10)


def test_line_separators_are_escaped() -> None:
    assert "\u2028".encode() not in CLIENT.write_answer(answer(Text(text="\u2028")), CONTEXT)


@pytest.mark.parametrize(
    ("name", "kind", "retry_after"),
    [
        ("invalid_request", FailureClass.CALLERS, None),
        ("prompt_too_long", FailureClass.MISFIT, None),
        ("authentication", FailureClass.OURS, None),
        ("billing", FailureClass.THROTTLED, None),
        ("permission", FailureClass.OURS, None),
        ("not_found", FailureClass.OURS, None),
        ("too_large", FailureClass.CALLERS, None),
        ("rate_limit", FailureClass.THROTTLED, 17.0),
        ("rate_limit_by_reset", FailureClass.THROTTLED, 17.0),
        ("spend_limit", FailureClass.THROTTLED, None),
        ("internal", FailureClass.TRANSIENT, None),
        ("timeout", FailureClass.TRANSIENT, None),
        ("overloaded", FailureClass.TRANSIENT, None),
    ],
)
def test_failures(name: str, kind: FailureClass, retry_after: float | None) -> None:
    error = ERRORS[name]
    failure = TARGET.read_failure(
        error["status"], error["headers"], json.dumps(error["body"]).encode()
    )
    assert (failure.kind, failure.retry_after) == (kind, retry_after)
    assert failure.message == error["body"]["error"]["message"]
    assert failure.context_overflow == (name == "prompt_too_long")


@pytest.mark.parametrize(
    ("kind", "status", "error_type"),
    [
        ("invalid", 400, "invalid_request_error"),
        ("authentication", 401, "authentication_error"),
        ("billing", 402, "billing_error"),
        ("permission", 403, "permission_error"),
        ("not_found", 404, "not_found_error"),
        ("too_large", 413, "request_too_large"),
        ("rate_limited", 429, "rate_limit_error"),
        ("overloaded", 529, "overloaded_error"),
        ("timeout", 504, "timeout_error"),
        ("internal", 500, "api_error"),
        ("bad_gateway", 502, "api_error"),
        ("misconfigured", 424, "api_error"),
        ("spent", 429, "rate_limit_error"),
    ],
)
def test_problems(kind: str, status: int, error_type: str) -> None:
    problem = Problem(status=0, kind=kind, message="Words", request_id="req_9")
    found, body = CLIENT.write_problem(problem)
    wanted = {
        "type": "error",
        "error": {"type": error_type, "message": "Words"},
        "request_id": "req_9",
    }
    assert (found, json.loads(body)) == (status, wanted)
    writer = CLIENT.stream_writer(CONTEXT)
    event = writer.fail(problem)
    assert writer.fail(problem) == b""
    assert event.startswith(b"event: error\ndata: ")
    assert json.loads(event.split(b"data: ")[1]) == wanted


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        (
            "prompt is too long: 9 tokens > 8 maximum",
            "prompt is too long: 9 tokens > 8 maximum",
        ),
        (
            "maximum context length is 400000 tokens. However, you sent 412,345 tokens",
            "prompt is too long: 412345 tokens > 400000 maximum",
        ),
        ("context full", "prompt is too long: context full"),
    ],
)
def test_an_overflow_says_what_agents_know_it_by(message: str, wanted: str) -> None:
    status, body = CLIENT.write_problem(
        Problem(status=400, kind="context_overflow", message=message)
    )
    assert status == 400
    assert json.loads(body) == {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": wanted},
    }


def test_a_problem_names_its_place() -> None:
    problem = Problem(status=400, kind="invalid", message="too small", param="max_tokens")
    body = CLIENT.write_problem(problem)[1]
    assert json.loads(body)["error"]["message"] == "max_tokens: too small"


def test_blocks_and_members_without_a_place_elsewhere_are_named() -> None:
    content = [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        {"type": "text", "text": "a", "citations": [{"url": "u"}]},
        {"type": "text", "text": "b", "citations": []},
    ]
    body = {"type": "message", "content": content, "stop_reason": "end_turn"}
    found = TARGET.read_answer(json.dumps(body).encode())
    assert found.lost == ("server_tool_use", "web_search_tool_result", "citations")
