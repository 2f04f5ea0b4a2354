"""What a client is told of each class of failure."""

from typing import Any

import pytest

from lynkrc_runtime.protocol.conversation import Failure, FailureClass, MalformedRequest
from lynkrc_runtime.server.problems import malformed, overloaded, problem_of

MESSAGES, CHAT = "anthropic-messages", "openai-chat"
RESPONSES = "openai-responses"


def failure(kind: FailureClass, status: int = 500, **members: Any) -> Failure:
    values: dict[str, Any] = {"kind": kind, "status": status, "message": "said upstream"}
    return Failure(**(values | members))


@pytest.mark.parametrize(
    ("dialect", "status", "wait"), [(MESSAGES, 529, "2"), (CHAT, 503, "2"), (RESPONSES, 503, "5")]
)
def test_transient_is_overload_in_the_dialects_number(dialect: str, status: int, wait: str) -> None:
    problem, headers = problem_of(failure(FailureClass.TRANSIENT), "mid", dialect, "r")
    assert (problem.status, problem.kind, problem.request_id) == (status, "overloaded", "r")
    assert headers == {"retry-after": wait, "x-should-retry": "true"}
    assert problem.message == "mid: said upstream"
    assert overloaded(dialect) == (status, headers)
    known = failure(FailureClass.TRANSIENT, retry_after=0.5)
    assert problem_of(known, "mid", dialect, "r")[1]["retry-after"] == "1"


def test_throttled_keeps_the_wait_rounded_up() -> None:
    told = failure(FailureClass.THROTTLED, 429, retry_after=6.2)
    problem, headers = problem_of(told, "mid", CHAT, "r")
    assert (problem.status, problem.kind) == (429, "rate_limited")
    assert headers == {"retry-after": "7", "x-should-retry": "true"}


def test_an_exhausted_quota_is_not_retried() -> None:
    _, headers = problem_of(failure(FailureClass.THROTTLED, 429), "mid", CHAT, "r")
    assert headers == {"x-should-retry": "false"}


def test_a_spent_budget_tells_when_it_begins_anew() -> None:
    told = failure(FailureClass.SPENT, 429, resets_at=4_102_444_800)
    problem, headers = problem_of(told, None, RESPONSES, "r")
    assert (problem.status, problem.kind, problem.resets_at) == (429, "spent", 4_102_444_800)
    assert headers == {"x-should-retry": "false"}


def test_misfit_is_the_dialects_word_for_it() -> None:
    told = failure(FailureClass.MISFIT, 413, context_overflow=True)
    problem, headers = problem_of(told, "mid", MESSAGES, "r")
    assert (problem.status, problem.kind) == (400, "context_overflow")
    assert headers == {"x-should-retry": "false"}
    plain, _ = problem_of(failure(FailureClass.MISFIT, 0), "mid", MESSAGES, "r")
    assert plain.kind == "invalid"


def test_ours_names_the_target_and_none_of_the_upstreams_words() -> None:
    told = failure(FailureClass.OURS, 401, message="Incorrect API key sk-123 at api.example")
    problem, headers = problem_of(told, "mid", CHAT, "r")
    assert (problem.status, problem.kind) == (424, "misconfigured")
    assert problem.message == "target mid is misconfigured in this gateway (it answered 401)"
    assert headers == {"x-should-retry": "false"}


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "invalid"), (413, "too_large"), (422, "invalid"), (402, "billing")]
)
def test_the_callers_mistake_is_passed(status: int, kind: str) -> None:
    told = failure(FailureClass.CALLERS, status, param="temperature", code="unsupported_value")
    problem, _ = problem_of(told, "mid", CHAT, "r")
    assert (problem.status, problem.kind, problem.message) == (status, kind, "said upstream")
    assert (problem.param, problem.code) == ("temperature", "unsupported_value")


def test_a_malformed_field_is_always_named() -> None:
    named = malformed(MalformedRequest("messages.0.role", "must be a string"), "r")
    assert named.message == "messages.0.role: must be a string"
    once = malformed(MalformedRequest("model", "model: must not be empty"), "r")
    assert once.message == "model: must not be empty"
    whole = malformed(MalformedRequest(None, "the body is empty"), "r")
    assert (whole.message, whole.param) == ("the body is empty", None)
