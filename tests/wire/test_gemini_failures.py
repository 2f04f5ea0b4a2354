"""Google's errors: what they mean for the chain, how long to wait, whose fault it is."""

import json
from typing import Any

import pytest

from lynkrc_runtime.protocol.conversation import FailureClass
from lynkrc_runtime.protocol.gemini import TARGET

TRANSIENT, THROTTLED = FailureClass.TRANSIENT, FailureClass.THROTTLED
MISFIT, OURS, CALLERS = FailureClass.MISFIT, FailureClass.OURS, FailureClass.CALLERS
TYPE = "type.googleapis.com/google.rpc."


def error(code: int, status: str, message: str, *details: Any) -> dict[str, Any]:
    inner: dict[str, Any] = {"code": code, "message": message, "status": status}
    return {"error": inner | ({"details": list(details)} if details else {})}


def quota(quota_id: str, value: str = "5") -> dict[str, Any]:
    violation = {"quotaMetric": "x/requests", "quotaId": quota_id, "quotaValue": value}
    return {"@type": f"{TYPE}QuotaFailure", "violations": [violation]}


def wait(seconds: str) -> dict[str, Any]:
    return {"@type": f"{TYPE}RetryInfo", "retryDelay": seconds}


def reason(word: str) -> dict[str, Any]:
    return {"@type": f"{TYPE}ErrorInfo", "reason": word, "domain": "googleapis.com"}


def read(status: int, body: Any, **headers: str) -> Any:
    return TARGET.read_failure(status, headers, json.dumps(body).encode())


CASES = [
    (error(400, "INVALID_ARGUMENT", "Bad contents."), CALLERS, "INVALID_ARGUMENT"),
    (
        error(400, "INVALID_ARGUMENT", "API key expired. Renew it.", reason("API_KEY_INVALID")),
        OURS,
        "API_KEY_INVALID",
    ),
    (error(400, "INVALID_ARGUMENT", "API key not valid."), OURS, "INVALID_ARGUMENT"),
    (
        error(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
        MISFIT,
        "FAILED_PRECONDITION",
    ),
    (error(401, "UNAUTHENTICATED", "No credentials."), OURS, "UNAUTHENTICATED"),
    (error(403, "PERMISSION_DENIED", "Not yours."), OURS, "PERMISSION_DENIED"),
    (error(404, "NOT_FOUND", "models/x is not found."), OURS, "NOT_FOUND"),
    (error(429, "RESOURCE_EXHAUSTED", "Slow down."), THROTTLED, "RESOURCE_EXHAUSTED"),
    (error(500, "INTERNAL", "An internal error."), TRANSIENT, "INTERNAL"),
    (error(503, "UNAVAILABLE", "The model is overloaded."), TRANSIENT, "UNAVAILABLE"),
    (error(504, "DEADLINE_EXCEEDED", "Too slow."), TRANSIENT, "DEADLINE_EXCEEDED"),
]


@pytest.mark.parametrize(("body", "kind", "code"), CASES)
@pytest.mark.parametrize("as_list", [False, True])
def test_statuses(body: Any, kind: FailureClass, code: str, as_list: bool) -> None:
    status = body["error"]["code"]
    failure = read(status, [body] if as_list else body)
    assert (failure.kind, failure.status, failure.code) == (kind, status, code)
    assert failure.message == body["error"]["message"]


def test_the_wait_is_what_the_details_say() -> None:
    per_minute = quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier")
    body = error(429, "RESOURCE_EXHAUSTED", "You exceeded it.", per_minute, wait("4.5s"))
    failure = read(429, body)
    assert (failure.kind, failure.retry_after) == (THROTTLED, 4.5)
    assert read(429, body, **{"retry-after": "2"}).retry_after == 2.0
    long = error(429, "RESOURCE_EXHAUSTED", "You exceeded it.", wait("3600s"))
    assert read(429, long).retry_after == 120.0
    odd = error(429, "RESOURCE_EXHAUSTED", "You exceeded it.", wait("soon"), 7)
    assert read(429, odd).retry_after is None


@pytest.mark.parametrize(
    ("message", "detail"),
    [
        ("Quota exceeded. Please retry in 4.5s.", quota("RequestsPerDayPerProject-FreeTier")),
        ("Quota exceeded for x, limit: 0. Please retry in 4.5s.", quota("RequestsPerMinute")),
        ("Quota exceeded. Please retry in 4.5s.", quota("RequestsPerMinute", value="0")),
    ],
)
def test_a_quota_that_no_wait_refills(message: str, detail: Any) -> None:
    failure = read(429, error(429, "RESOURCE_EXHAUSTED", message, detail, wait("4.5s")))
    assert (failure.kind, failure.code) == (THROTTLED, "insufficient_quota")
    assert failure.retry_after is None


def test_a_limit_of_zero_is_not_found_in_longer_numbers() -> None:
    message = "Quota exceeded for x, limit: 05. Please retry in 4.5s."
    failure = read(429, error(429, "RESOURCE_EXHAUSTED", message))
    assert (failure.code, failure.retry_after) == ("RESOURCE_EXHAUSTED", 4.5)


@pytest.mark.parametrize(
    "message",
    [
        "Function call is missing a thought_signature in functionCall parts.",
        "Invalid thought signature.",
        "Corrupted thought signature.",
        "Thought signature is not valid",
    ],
)
def test_signatures_it_refuses_are_fixed_up(message: str) -> None:
    failure = read(400, error(400, "INVALID_ARGUMENT", message))
    assert failure.unreadable_thinking
    assert failure.kind is CALLERS
    assert not read(500, error(500, "INTERNAL", message)).unreadable_thinking


def test_a_prompt_that_is_too_long() -> None:
    message = "The input token count (9) exceeds the maximum number of tokens allowed (8)."
    failure = read(400, error(400, "INVALID_ARGUMENT", message))
    assert (failure.kind, failure.context_overflow) == (MISFIT, True)


@pytest.mark.parametrize("details", [7, {}, [7, {"violations": 7}], [{"@type": 7}], None])
@pytest.mark.parametrize("status", [7, {}, ["x"], "A_NEW_ONE", None])
def test_odd_details_say_nothing(details: Any, status: Any) -> None:
    body = {"error": {"code": 429, "message": "No.", "status": status, "details": details}}
    failure = read(429, body)
    assert (failure.kind, failure.code, failure.retry_after) == (THROTTLED, "429", None)
    odd = {"@type": f"{TYPE}QuotaFailure", "violations": [7, {"quotaId": 7}]}
    assert read(429, error(429, "RESOURCE_EXHAUSTED", "No.", odd)).code == "RESOURCE_EXHAUSTED"


def test_a_failure_of_no_json() -> None:
    failure = TARGET.read_failure(502, {}, b"<html>")
    assert (failure.kind, failure.message) == (TRANSIENT, "upstream answered 502 Bad Gateway")
    assert TARGET.read_failure(500, {}, b"plain words").message == "plain words"
