"""Anthropic usage objects and stop reasons, to neutral ones and back (wire reference A.1.5, C.1.8).

`input_tokens` leaves out what the cache read or wrote, as the neutral form does.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from lynkrc_runtime.protocol.conversation import Stop, Usage
from lynkrc_runtime.protocol.outside import MOST_TOKENS

_Count = TypeVar("_Count", int, int | None)

_STOPS: Mapping[str, Stop] = MappingProxyType(
    {
        "end_turn": Stop.END,
        "max_tokens": Stop.LENGTH,
        "stop_sequence": Stop.STOP_SEQUENCE,
        "tool_use": Stop.TOOL_USE,
        "pause_turn": Stop.PAUSE,
        "refusal": Stop.REFUSAL,
        "model_context_window_exceeded": Stop.CONTEXT,
    }
)
# A member of an enum is slow to ask for, by its class, in Python 3.11.
_TOOL_USE, _REFUSAL, _STOP_SEQUENCE = Stop.TOOL_USE, Stop.REFUSAL, Stop.STOP_SEQUENCE
_CUT = (Stop.LENGTH, Stop.CONTEXT, Stop.REFUSAL)
_REASONS: Mapping[Stop, str] = MappingProxyType({stop: word for word, stop in _STOPS.items()})


def read_usage(given: Any, so_far: Usage) -> Usage:
    """`so_far` with what the object states: totals, so a stated value replaces."""
    if not isinstance(given, dict):
        return so_far
    get = given.get
    details, written = get("output_tokens_details"), get("cache_creation")
    reasoning, hour = so_far.reasoning, so_far.cache_write_1h
    if type(details) is dict:
        reasoning = read_count(details.get("thinking_tokens"), reasoning)
    if type(written) is dict:
        hour = read_count(written.get("ephemeral_1h_input_tokens"), hour)
    return Usage(
        input=read_count(get("input_tokens"), so_far.input),
        output=read_count(get("output_tokens"), so_far.output),
        cache_read=read_count(get("cache_read_input_tokens"), so_far.cache_read),
        cache_write=read_count(get("cache_creation_input_tokens"), so_far.cache_write),
        reasoning=reasoning,
        cache_write_1h=hour,
    )


def write_usage(usage: Usage) -> dict[str, Any]:
    """The usage object; every part is stated, since some clients read only one place."""
    found: dict[str, Any] = {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output,
    }
    hour = usage.cache_write_1h
    if hour is not None:
        found["cache_creation"] = {
            "ephemeral_5m_input_tokens": max(0, usage.cache_write - hour),
            "ephemeral_1h_input_tokens": hour,
        }
    if usage.reasoning is not None:
        found["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return found


def read_stop(reason: Any, has_calls: bool) -> Stop:
    """The neutral stop of a `stop_reason`; an unknown one ends like its content looks."""
    known = _STOPS.get(reason) if isinstance(reason, str) else None
    return known or (Stop.TOOL_USE if has_calls else Stop.END)


def settle_stop(stop: Stop, *, has_calls: bool, refused: bool) -> Stop:
    """What an answer stops with: calls mean tool_use, unless it was cut short or declined."""
    if stop in _CUT:
        return stop
    if has_calls:
        return _TOOL_USE
    if refused:
        return _REFUSAL
    return Stop.END if stop is _TOOL_USE else stop


def write_stop(stop: Stop, stop_sequence: str | None) -> dict[str, Any]:
    """`stop_reason`, `stop_sequence`, and `stop_details` of a refusal."""
    found: dict[str, Any] = {
        "stop_reason": _REASONS[stop],
        "stop_sequence": stop_sequence if stop is _STOP_SEQUENCE else None,
    }
    if stop is _REFUSAL:
        found["stop_details"] = {"type": "refusal", "category": None, "explanation": None}
    return found


def read_count(given: Any, otherwise: _Count) -> int | _Count:
    """A count of tokens, where it may be one."""
    # As `outside.count` has it, without a call: every answer states several.
    return given if type(given) is int and 0 <= given <= MOST_TOKENS else otherwise
