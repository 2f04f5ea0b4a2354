"""Problems, to Anthropic's error envelope, as an answer and as a stream event (A.1.8)."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lynkrc_runtime.protocol import sse
from lynkrc_runtime.protocol.dialect import Problem

_FORMS: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "invalid": (400, "invalid_request_error"),
        "authentication": (401, "authentication_error"),
        "billing": (402, "billing_error"),
        "permission": (403, "permission_error"),
        "not_found": (404, "not_found_error"),
        "too_large": (413, "request_too_large"),
        "rate_limited": (429, "rate_limit_error"),
        "spent": (429, "rate_limit_error"),
        "overloaded": (529, "overloaded_error"),
        "timeout": (504, "timeout_error"),
        "internal": (500, "api_error"),
        "bad_gateway": (502, "api_error"),
        "misconfigured": (424, "api_error"),
        "context_overflow": (400, "invalid_request_error"),
    }
)
_TOO_LONG = "prompt is too long"
_TOKENS = re.compile(r"\d[\d,]{2,}")


def write_problem(problem: Problem) -> tuple[int, bytes]:
    """(status, body) of the error answer. An unknown kind is a KeyError: a mistake of ours."""
    return _FORMS[problem.kind][0], sse.to_json(_envelope(problem))


def error_event(problem: Problem) -> bytes:
    """The `error` event; nothing follows it."""
    return sse.event_bytes("error", _envelope(problem))


def _envelope(problem: Problem) -> dict[str, Any]:
    envelope: dict[str, Any] = {
        "type": "error",
        "error": {"type": _FORMS[problem.kind][1], "message": _message(problem)},
    }
    if problem.request_id:
        envelope["request_id"] = problem.request_id
    return envelope


def _message(problem: Problem) -> str:
    if problem.kind == "context_overflow":
        return overflow_message(problem.message)
    # The dialect has no member for the place: its own errors begin with it.
    param = problem.param
    if param and param not in problem.message:
        return f"{param}: {problem.message}"
    return problem.message


def overflow_message(message: str) -> str:
    """An overflow in the words by which agents know that they must compact (A.1.8).

    >>> overflow_message("maximum context length is 8192 tokens, you sent 9000 tokens")
    'prompt is too long: 9000 tokens > 8192 maximum'
    """
    if message.startswith(_TOO_LONG):
        return message
    counts = sorted(int(found.replace(",", "")) for found in _TOKENS.findall(message))
    if len(counts) == 2 and counts[0] < counts[1]:
        return f"{_TOO_LONG}: {counts[1]} tokens > {counts[0]} maximum"
    return f"{_TOO_LONG}: {message}"
