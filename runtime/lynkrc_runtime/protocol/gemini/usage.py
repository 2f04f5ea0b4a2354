"""Gemini's token counts and finish reasons, to neutral ones (wire reference B.8, C.3).

>>> given = {"promptTokenCount": 9, "cachedContentTokenCount": 5, "thoughtsTokenCount": 2}
>>> read_usage(given) == Usage(input=4, output=2, cache_read=5, reasoning=2)
True
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lynkrc_runtime.protocol.conversation import Stop, Usage
from lynkrc_runtime.protocol.outside import tokens

_STOPS: Mapping[str, Stop] = MappingProxyType(
    {
        "STOP": Stop.END,
        "MAX_TOKENS": Stop.LENGTH,
        "SAFETY": Stop.REFUSAL,
        "RECITATION": Stop.REFUSAL,
        "LANGUAGE": Stop.REFUSAL,
        "BLOCKLIST": Stop.REFUSAL,
        "PROHIBITED_CONTENT": Stop.REFUSAL,
        "SPII": Stop.REFUSAL,
        "MODEL_ARMOR": Stop.REFUSAL,
        "IMAGE_SAFETY": Stop.REFUSAL,
        "IMAGE_PROHIBITED_CONTENT": Stop.REFUSAL,
        "IMAGE_RECITATION": Stop.REFUSAL,
        "IMAGE_OTHER": Stop.REFUSAL,
        "NO_IMAGE": Stop.REFUSAL,
    }
)
"""Without calls; STOP beside calls is TOOL_USE. Words we do not know end normally."""

FAILED = frozenset(
    (
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MALFORMED_RESPONSE",
        "MISSING_THOUGHT_SIGNATURE",
        "OTHER",
    )
)
"""Finish reasons that are failures: another try may go well."""


def read_usage(given: Any) -> Usage | None:
    """The counts; None where the object holds none. Cached tokens leave `input`."""
    if not isinstance(given, dict):
        return None
    prompt, said = tokens(given, "promptTokenCount"), tokens(given, "candidatesTokenCount")
    thought, cached = tokens(given, "thoughtsTokenCount"), tokens(given, "cachedContentTokenCount")
    if prompt is None and said is None and thought is None:
        return None
    by_tools = tokens(given, "toolUsePromptTokenCount")
    return Usage(
        input=max(0, (prompt or 0) + (by_tools or 0) - (cached or 0)),
        output=(said or 0) + (thought or 0),
        cache_read=cached or 0,
        reasoning=thought,
    )


def read_stop(finish: str, *, has_calls: bool) -> Stop:
    """Why the answer ended."""
    stop = _STOPS.get(finish, Stop.END)
    return Stop.TOOL_USE if has_calls and stop is Stop.END else stop
