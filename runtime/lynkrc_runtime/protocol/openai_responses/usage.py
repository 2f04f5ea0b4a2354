"""Token counts and endings of Responses, to neutral ones (wire reference A.3.2, C.1.8, C.5.4).

>>> given = {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 5},
...          "output_tokens": 3, "output_tokens_details": {"reasoning_tokens": 1}}
>>> read_usage(given) == Usage(input=4, output=3, cache_read=5, reasoning=1)
True
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lynkrc_runtime.protocol.conversation import Stop, Usage
from lynkrc_runtime.protocol.outside import tokens

_REASONS: Mapping[str, Stop] = MappingProxyType(
    {"max_output_tokens": Stop.LENGTH, "content_filter": Stop.REFUSAL}
)
"""Why an answer is incomplete; any other reason ends it as it stands."""


def read_usage(given: Any) -> Usage | None:
    """The counts; None where the object holds none. Cached tokens leave `input`."""
    if not isinstance(given, dict):
        return None
    total, output = tokens(given, "input_tokens"), tokens(given, "output_tokens")
    if total is None and output is None:
        return None
    inner = given.get("input_tokens_details")
    inner = inner if isinstance(inner, dict) else {}
    read, wrote = tokens(inner, "cached_tokens") or 0, tokens(inner, "cache_write_tokens") or 0
    outer = given.get("output_tokens_details")
    return Usage(
        input=max(0, (total or 0) - read - wrote),
        output=output or 0,
        cache_read=read,
        cache_write=wrote,
        reasoning=tokens(outer, "reasoning_tokens") if isinstance(outer, dict) else None,
    )


def read_stop(response: Mapping[str, Any], *, has_calls: bool, has_refusal: bool) -> Stop:
    """Why a response that did not fail has ended.

    >>> read_stop({"status": "completed"}, has_calls=True, has_refusal=False)
    <Stop.TOOL_USE: 'tool_use'>
    """
    if response.get("status") == "incomplete":
        details = response.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        stop = _REASONS.get(reason) if isinstance(reason, str) else None
        if stop is not None:
            return stop
    if has_calls:
        return Stop.TOOL_USE
    return Stop.REFUSAL if has_refusal else Stop.END
