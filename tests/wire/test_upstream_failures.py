"""Error answers of many providers: message, class, wait, and nothing secret."""

import json
from typing import Any

import pytest

from lynkrc_runtime.protocol.conversation import FailureClass, StreamError
from lynkrc_runtime.protocol.failures import (
    MAX_MESSAGE,
    broken,
    classify,
    dig_message,
    failure_of,
    read_failure,
    retry_after,
    stream_problem,
)

TRANSIENT, THROTTLED = FailureClass.TRANSIENT, FailureClass.THROTTLED
MISFIT, OURS, CALLERS = FailureClass.MISFIT, FailureClass.OURS, FailureClass.CALLERS


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (401, {"statusCode": 401, "message": "Wrong key."}, OURS, "Wrong key."),
        (403, {"Message": "Authentication failed"}, OURS, "Authentication failed"),
        (
            403,
            {"error": {"message": "Input failed moderation"}},
            CALLERS,
            "Input failed moderation",
        ),
        (404, {"error": "model not found"}, OURS, "model not found"),
        (301, {}, OURS, "upstream answered 301 Moved Permanently"),
        (
            400,
            {"error": {"message": "API key not valid.", "code": 400}},
            OURS,
            "API key not valid.",
        ),
        (400, {"error": {"message": "bad", "code": "content_filter"}}, CALLERS, "bad"),
        (400, {"error": "gemma does not support tools"}, MISFIT, "gemma does not support tools"),
        (
            400,
            {"error": {"message": "Unsupported parameter: 'x'", "code": "unsupported_parameter"}},
            MISFIT,
            "Unsupported parameter: 'x'",
        ),
        (400, {"object": "error", "message": "too small", "code": 400}, CALLERS, "too small"),
        (405, {"detail": "Method Not Allowed"}, CALLERS, "Method Not Allowed"),
        (402, {"error": {"message": "No credit"}}, THROTTLED, "No credit"),
        (429, {"error": {"code": "1113", "message": "No balance"}}, THROTTLED, "No balance"),
        (429, [{"error": {"code": 429, "message": "Exhausted"}}], THROTTLED, "Exhausted"),
        (
            429,
            {"error": {"message": "Overloaded", "type": "engine_overloaded_error"}},
            TRANSIENT,
            "Overloaded",
        ),
        (
            429,
            {"error": {"message": "Provider failed", "metadata": {"raw": '{"error":"too fast"}'}}},
            THROTTLED,
            "Provider failed: too fast",
        ),
        (408, {}, TRANSIENT, "upstream answered 408 Request Timeout"),
        (
            424,
            {"message": "The model failed", "originalStatusCode": 500},
            TRANSIENT,
            "The model failed",
        ),
        (500, {"error_code": "X", "message": '{"error":{"message":"inner"}}'}, TRANSIENT, "inner"),
        (503, {"error": "server busy"}, TRANSIENT, "server busy"),
        (599, {}, TRANSIENT, "upstream answered 599"),
    ],
)
def test_readers_and_classes(status: int, body: Any, kind: FailureClass, message: str) -> None:
    failure = read_failure(status, {}, json.dumps(body).encode())
    assert (failure.kind, failure.message, failure.status) == (kind, message, status)


def test_lists_of_details_name_the_parameter() -> None:
    body = {"message": {"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs"}]}}
    assert dig_message(json.dumps(body).encode()) == ("Extra inputs", None, None, "stream_options")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("prompt is too long: 9 tokens > 8 maximum", None),
        ("words", "context_length_exceeded"),
        ("This model's maximum context length is 8192 tokens.", None),
        ("the request exceeds the available context size", None),
        ("Input is too long for requested model.", None),
        ("The input token count (9) exceeds the maximum number of tokens allowed (8).", None),
        ("input length and `max_tokens` exceed context limit: 9 + 9 > 8", None),
    ],
)
def test_overflows_of_the_context(message: str, code: str | None) -> None:
    for status in (400, 413):
        assert classify(status, message, code, None) == (MISFIT, True)
    assert classify(429, message, None, None) == (THROTTLED, False)


def test_web_pages_are_not_shown() -> None:
    failure = read_failure(502, {}, b"<html><h1>nginx</h1></html>")
    assert failure.message == "upstream answered 502 Bad Gateway"
    assert read_failure(500, {}, b"plain words").message == "plain words"


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-abc*****123.",
        "header Authorization: Bearer abcdefgh12345678 refused",
        "bad x-api-key: abcdefgh1234",
        "AIzaSyA0123456789 is expired",
    ],
)
def test_secrets_are_stripped(text: str) -> None:
    message = read_failure(401, {}, json.dumps({"error": {"message": text}}).encode()).message
    assert "[key]" in message
    assert not any(part in message for part in ("abc", "1234", "AIza"))


def test_innocent_words_stay_and_long_ones_are_cut() -> None:
    assert read_failure(401, {}, b'"invalid bearer token"').message == "invalid bearer token"
    long = read_failure(400, {}, b"x" * 9000).message
    assert len(long) == MAX_MESSAGE


@pytest.mark.parametrize(
    ("headers", "message", "wait"),
    [
        ({"retry-after-ms": "120", "retry-after": "1"}, "", 0.12),
        ({"retry-after": "1.5"}, "", 1.5),
        ({"retry-after": "9999"}, "", 120.0),
        ({"retry-after": "-1"}, "", 0.0),
        ({"retry-after": "nan"}, "", None),
        (
            {
                "retry-after": "Sat, 21 Nov 2026 06:00:17 GMT",
                "date": "Sat, 21 Nov 2026 06:00:00 GMT",
            },
            "",
            17.0,
        ),
        ({"retry-after": "Sat, 21 Nov 2026 06:00:17 GMT"}, "", None),
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "1m2.5s",
                "x-ratelimit-remaining-tokens": "5",
                "x-ratelimit-reset-tokens": "90s",
            },
            "",
            62.5,
        ),
        ({}, "Please try again in 1.2s.", 1.2),
        ({}, "Please retry after 8 seconds.", 8.0),
        ({}, "please try again after 1 seconds", 1.0),
        ({}, "try again in 250ms", 0.25),
        ({}, "try again later", None),
    ],
)
def test_waits(headers: dict[str, str], message: str, wait: float | None) -> None:
    assert retry_after(headers, message) == wait


@pytest.mark.parametrize(
    ("code", "kind", "status", "failure_class"),
    [
        ("502", None, 502, TRANSIENT),
        (None, "overloaded_error", 529, TRANSIENT),
        (None, "rate_limit_error", 429, THROTTLED),
        (None, "invalid_request_error", 400, CALLERS),
        ("context_length_exceeded", "invalid_request_error", 400, MISFIT),
        ("insufficient_quota", None, 429, THROTTLED),
        (None, None, 502, TRANSIENT),
    ],
)
def test_errors_without_a_status_of_their_own(
    code: str | None, kind: str | None, status: int, failure_class: FailureClass
) -> None:
    failure = failure_of(0, "words", code, kind)
    assert (failure.status, failure.kind) == (status, failure_class)


@pytest.mark.parametrize(
    ("status", "kind", "problem"),
    [
        (529, None, "overloaded"),
        (504, None, "timeout"),
        (500, None, "bad_gateway"),
        (429, None, "rate_limited"),
        (400, "context_length_exceeded", "context_overflow"),
        (400, None, "invalid"),
        (413, None, "too_large"),
        (401, None, "bad_gateway"),
    ],
)
def test_what_a_broken_stream_tells_the_client(status: int, kind: str | None, problem: str) -> None:
    error = StreamError(failure=failure_of(status, "words", kind))
    assert stream_problem(error, "req").kind == problem
    cut = stream_problem(StreamError(failure=broken("cut")), "req_1")
    assert (cut.kind, cut.message, cut.request_id) == ("bad_gateway", "cut", "req_1")


@pytest.mark.parametrize(
    "date",
    ["Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "0, 1 Jan 2020 00:00:00 +99999999999999"],
)
def test_a_date_out_of_every_range_is_no_wait(date: str) -> None:
    today = "Mon, 01 Jan 2024 00:00:00 GMT"
    assert retry_after({"retry-after": date, "date": today}, "") is None
    assert retry_after({"retry-after": today, "date": date}, "") is None


def test_an_overflow_is_looked_for_once_not_from_every_word() -> None:
    """Gemini's words, and what they looked like to a pattern that searched on to the end."""
    said = "The input token count (1200000) exceeds the maximum number of tokens allowed."
    assert classify(400, said, None, None) == (MISFIT, True)
    far_apart = "input token count" + " " * 100_000 + "exceeds"
    assert classify(400, far_apart, None, None) == (CALLERS, False)


@pytest.mark.parametrize(
    ("status", "code", "seen", "kind"),
    [
        (0, "1302", 429, THROTTLED),
        (0, "1113", 402, THROTTLED),
        (0, "1001", 401, OURS),
        (0, "1211", 404, OURS),
        (400, "1211", 400, OURS),
        (0, "1261", 400, MISFIT),
        (0, "1301", 400, CALLERS),
        (0, "1234", 502, TRANSIENT),
        (400, "invalid_model", 400, OURS),
    ],
)
def test_business_codes_stand_for_a_status(
    status: int, code: str, seen: int, kind: FailureClass
) -> None:
    """Z.AI numbers its errors, in streams without a status; Baidu names an unknown model."""
    failure = failure_of(status, "no", code)
    assert (failure.status, failure.kind) == (seen, kind)


@pytest.mark.parametrize(
    "message",
    [
        "messages.3.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
        "`tool_use`. When `thinking` is enabled, a final `assistant` message must start with a "
        "thinking block.",
        "messages.1.content.0: Invalid `signature` in `thinking` block",
    ],
)
def test_reasoning_that_claude_misses_can_be_left_out(message: str) -> None:
    """A turn that a model without reasoning made has none to begin with (C.1.7)."""
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": message}}
    failure = read_failure(400, {}, json.dumps(error).encode())
    assert failure.unreadable_thinking
