"""Converse's stop reasons and usage, to neutral ones (wire reference C.2).

`inputTokens` leaves out what the cache read or wrote, as the neutral form does.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lynkrc_runtime.protocol.conversation import Stop, Usage
from lynkrc_runtime.protocol.outside import tokens

MALFORMED = frozenset(("malformed_model_output", "malformed_tool_use"))
"""The model wrote what Bedrock could not read: no answer, and worth another try."""

_STOPS: Mapping[str, Stop] = MappingProxyType(
    {
        "end_turn": Stop.END,
        "tool_use": Stop.TOOL_USE,
        "max_tokens": Stop.LENGTH,
        "stop_sequence": Stop.STOP_SEQUENCE,
        "guardrail_intervened": Stop.REFUSAL,
        "content_filtered": Stop.REFUSAL,
        "model_context_window_exceeded": Stop.CONTEXT,
    }
)


def read_stop(reason: Any, *, has_calls: bool) -> Stop:
    """The neutral stop; an unknown one ends like its content looks."""
    known = _STOPS.get(reason) if isinstance(reason, str) else None
    return known or (Stop.TOOL_USE if has_calls else Stop.END)


def read_usage(given: Any) -> Usage:
    """The usage object; one that is missing is not reported."""
    if not isinstance(given, dict):
        return Usage(reported=False)
    return Usage(
        input=tokens(given, "inputTokens") or 0,
        output=tokens(given, "outputTokens") or 0,
        cache_read=tokens(given, "cacheReadInputTokens") or 0,
        cache_write=tokens(given, "cacheWriteInputTokens") or 0,
        cache_write_1h=_kept_for_an_hour(given.get("cacheDetails")),
    )


def _kept_for_an_hour(details: Any) -> int | None:
    """What of the written is kept so long; None where the entries by ``ttl`` are missing."""
    if not isinstance(details, list) or not details:
        return None
    entries = [one for one in details if isinstance(one, dict) and one.get("ttl") == "1h"]
    return sum(tokens(one, "inputTokens") or 0 for one in entries)


def matched_stop(fields: Any) -> str | None:
    """The stop sequence that was met, which Claude tells among its own fields if asked to.

    >>> matched_stop({"stop_sequence": "END"})
    'END'
    """
    found = fields.get("stop_sequence") if isinstance(fields, dict) else None
    return found if isinstance(found, str) else None
