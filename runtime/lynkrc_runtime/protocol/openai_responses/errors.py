"""Problems, to the error inside a response that failed (wire reference A.3.2, A.3.3).

Before a response has begun errors have OpenAI's envelope (`openai_chat/errors.py`).

>>> response_error(Problem(status=429, kind="rate_limited", message="slow down"))
{'code': 'rate_limit_exceeded', 'message': 'slow down'}
"""

from collections.abc import Mapping
from types import MappingProxyType

from lynkrc_runtime.protocol.dialect import Problem

_CODES: Mapping[str, str] = MappingProxyType(
    {
        "invalid": "invalid_prompt",
        "too_large": "invalid_prompt",
        "context_overflow": "invalid_prompt",
        "rate_limited": "rate_limit_exceeded",
        "spent": "rate_limit_exceeded",
    }
)
"""Kind -> code. The list of codes is closed: strict clients refuse any other."""


def response_error(problem: Problem) -> dict[str, str]:
    """`error` of a response whose status is failed."""
    return {"code": _CODES.get(problem.kind, "server_error"), "message": problem.message}
