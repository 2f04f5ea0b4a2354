"""A failure of the chain to what the client is told: status, words, and whether to try again.

The class table of the runtime design, "Attempts", last column. What the client hears never holds
a secret or an upstream's address; of a misconfigured target it hears the name alone.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from typing import assert_never

from lynkrc_runtime.protocol.conversation import Failure, FailureClass, MalformedRequest
from lynkrc_runtime.protocol.dialect import Problem

_OVERLOADED: Mapping[str, tuple[int, int]] = {
    "anthropic-messages": (529, 2),
    "openai-responses": (503, 5),
}
_ELSEWHERE = (503, 2)
"""By dialect: the status of an overload, and its `retry-after` seconds where nobody gave any.

Codex, the client of Responses, asks 30 times, exactly so long apart, whatever else it is told.
"""

_KINDS: Mapping[int, str] = {
    401: "authentication",
    402: "billing",
    403: "permission",
    404: "not_found",
    408: "timeout",
    413: "too_large",
    429: "rate_limited",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}


def kind_of(status: int) -> str:
    """The `Problem.kind` an HTTP status stands for."""
    return _KINDS.get(status, "invalid" if status < 500 else "internal")


def overloaded(dialect: str, wait: float | None = None) -> tuple[int, dict[str, str]]:
    """The status and headers of an overload, which may be over after `wait` seconds."""
    status, usual = _OVERLOADED.get(dialect, _ELSEWHERE)
    seconds = _seconds(usual if wait is None else wait)
    return status, {"retry-after": seconds, "x-should-retry": "true"}


def problem_of(
    failure: Failure, target: str | None, dialect: str, request_id: str
) -> tuple[Problem, dict[str, str]]:
    """The problem and its headers for a client of `dialect`; `target` names who failed."""
    problem = Problem(status=0, kind="", message=failure.message, request_id=request_id)
    match failure.kind:
        case FailureClass.TRANSIENT:
            status, headers = overloaded(dialect, failure.retry_after)
            message = failure.message if target is None else f"{target}: {failure.message}"
            return replace(problem, status=status, kind="overloaded", message=message), headers
        case FailureClass.THROTTLED:
            limited = replace(problem, status=429, kind="rate_limited", code=failure.code)
            if failure.retry_after is None:
                # An exhausted quota: trying again soon is of no use.
                return limited, {"x-should-retry": "false"}
            return limited, {"retry-after": _seconds(failure.retry_after), "x-should-retry": "true"}
        case FailureClass.MISFIT:
            kind = "context_overflow" if failure.context_overflow else "invalid"
            return (
                replace(problem, status=400, kind=kind, param=failure.param, code=failure.code),
                {"x-should-retry": "false"},
            )
        case FailureClass.OURS:
            message = f"target {target} is misconfigured in this gateway"
            if failure.status:
                message += f" (it answered {failure.status})"
            return (
                replace(problem, status=424, kind="misconfigured", message=message),
                {"x-should-retry": "false"},
            )
        case FailureClass.CALLERS:
            status = failure.status if 400 <= failure.status <= 499 else 400
            return (
                replace(
                    problem,
                    status=status,
                    kind=kind_of(status),
                    param=failure.param,
                    code=failure.code,
                ),
                {"x-should-retry": "false"},
            )
        case FailureClass.SPENT:
            # Without `retry-after`: it is no use to wait for what a period's end alone changes.
            return (
                replace(
                    problem,
                    status=429,
                    kind="spent",
                    code=failure.code,
                    resets_at=failure.resets_at,
                ),
                {"x-should-retry": "false"},
            )
        case _:
            assert_never(failure.kind)


def malformed(error: MalformedRequest, request_id: str) -> Problem:
    """A body that cannot be read; the message names the field, whatever the dialect shows."""
    message = error.message
    if error.field is not None and error.field not in message:
        message = f"{error.field}: {message}"
    return Problem(
        status=400, kind="invalid", message=message, param=error.field, request_id=request_id
    )


def _seconds(wait: float) -> str:
    return str(max(1, ceil(wait)))
