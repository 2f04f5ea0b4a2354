"""Problems, to OpenAI's error envelope, as an answer and inside a stream (wire reference A.2.4, D).

>>> write_problem(Problem(status=0, kind="timeout", message="late"))
(504, b'{"error":{"message":"late","type":"server_error","param":null,"code":"timeout"}}')
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lynkrc_runtime.protocol import sse
from lynkrc_runtime.protocol.dialect import Problem

_FORMS: Mapping[str, tuple[int, str, str | None]] = MappingProxyType(
    {
        "invalid": (400, "invalid_request_error", None),
        "authentication": (401, "invalid_request_error", "invalid_api_key"),
        "billing": (429, "insufficient_quota", "insufficient_quota"),
        "permission": (403, "permission_error", None),
        "not_found": (404, "invalid_request_error", None),
        "too_large": (413, "invalid_request_error", None),
        "rate_limited": (429, "rate_limit_error", "rate_limit_exceeded"),
        "spent": (429, "usage_limit_reached", "insufficient_quota"),
        "overloaded": (503, "service_unavailable_error", "server_is_overloaded"),
        "timeout": (504, "server_error", "timeout"),
        "internal": (500, "server_error", None),
        "bad_gateway": (502, "server_error", None),
        "misconfigured": (424, "server_error", None),
        "context_overflow": (400, "invalid_request_error", "context_length_exceeded"),
    }
)
"""Kind -> (status, type, code); where the code is None, one the problem brings is kept."""

_OTHER_INVALID = frozenset((405, 409, 415, 422, 426))
"""Statuses an invalid request may keep; any other becomes 400."""


def write_problem(problem: Problem) -> tuple[int, bytes]:
    """(status, body) of the error answer. An unknown kind is a KeyError: a mistake of ours."""
    status = _FORMS[problem.kind][0]
    if problem.kind == "invalid" and problem.status in _OTHER_INVALID:
        status = problem.status
    return status, sse.to_json(_envelope(problem))


def error_event(problem: Problem) -> bytes:
    """The error as a chunk; nothing follows it, not even ``[DONE]``."""
    return sse.data_bytes(_envelope(problem))


def _envelope(problem: Problem) -> dict[str, Any]:
    _, kind, code = _FORMS[problem.kind]
    error: dict[str, Any] = {
        "message": problem.message,
        "type": kind,
        "param": problem.param,
        "code": code or _own_code(problem.code),
    }
    if problem.resets_at is not None:
        # What Codex tells its user of such a 429; of any other it shows no message at all.
        error["resets_at"] = problem.resets_at
    return {"error": error}


def _own_code(code: str | None) -> str | None:
    """A code of the problem's own; another dialect's error type is none."""
    return None if code is None or code.endswith("_error") else code
