"""Token counts and finish reasons of Chat, to neutral ones and back (wire reference C.1.8).

>>> usage = read_usage({"prompt_tokens": 9, "completion_tokens": 3, "prompt_cache_hit_tokens": 5})
>>> usage == Usage(input=4, output=3, cache_read=5)
True
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lynkrc_runtime.protocol.conversation import Stop, Usage
from lynkrc_runtime.protocol.outside import MOST_TOKENS

_STOPS: Mapping[str, Stop] = MappingProxyType(
    {
        "stop": Stop.END,
        "tool_calls": Stop.END,
        "function_call": Stop.END,
        "length": Stop.LENGTH,
        "model_length": Stop.LENGTH,
        "model_context_window_exceeded": Stop.CONTEXT,
        "content_filter": Stop.REFUSAL,
        "sensitive": Stop.REFUSAL,
    }
)
"""Without calls; `stop` and its like become TOOL_USE beside calls. Unknown words end normally."""

FAILED = MappingProxyType(
    {"error": "502", "network_error": "502", "insufficient_system_resource": "503"}
)
"""Finish reasons that are failures, and the status each stands for (B.9, B.13, B.14)."""

_FINISHES: Mapping[Stop, str] = MappingProxyType(
    {
        Stop.END: "stop",
        Stop.STOP_SEQUENCE: "stop",
        Stop.PAUSE: "stop",
        Stop.LENGTH: "length",
        Stop.CONTEXT: "length",
        Stop.TOOL_USE: "tool_calls",
        Stop.REFUSAL: "content_filter",
    }
)


# A member of an enum is slow to ask for, by its class, in Python 3.11.
_END, _TOOL_USE, _REFUSAL = Stop.END, Stop.TOOL_USE, Stop.REFUSAL


def read_usage(given: Any) -> Usage | None:
    """The counts; None where the object holds none. Cached tokens leave `input`."""
    if not isinstance(given, dict):
        return None
    prompt = _count(given.get("prompt_tokens"))
    completion = _count(given.get("completion_tokens"))
    if prompt is None and completion is None:
        return None
    prompt, completion = prompt or 0, completion or 0
    cache_write = 0
    cache_read = reasoning = None
    details = given.get("prompt_tokens_details")
    if type(details) is dict:
        cache_read = _count(details.get("cached_tokens"))
        cache_write = _count(details.get("cache_write_tokens")) or 0
    if cache_read is None:
        cache_read = _count(given.get("prompt_cache_hit_tokens"))
        if cache_read is None:
            cache_read = _count(given.get("cached_tokens")) or 0
    out = given.get("completion_tokens_details")
    if type(out) is dict:
        reasoning = _count(out.get("reasoning_tokens"))
    if reasoning and _count(given.get("total_tokens")) == prompt + completion + reasoning:
        # xAI counts reasoning beside the completion, not in it (B.1).
        completion += reasoning
    return Usage(
        input=max(0, prompt - cache_read - cache_write),
        output=completion,
        cache_read=cache_read,
        cache_write=cache_write,
        reasoning=reasoning,
    )


def write_usage(usage: Usage) -> dict[str, Any]:
    """Chat's counts: the prompt with what the cache read and wrote."""
    prompt = usage.input + usage.cache_read + usage.cache_write
    return {
        "prompt_tokens": prompt,
        "completion_tokens": usage.output,
        "total_tokens": prompt + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning or 0},
    }


def read_stop(
    finish: str | None, matched: Any, *, has_calls: bool, has_refusal: bool
) -> tuple[Stop, str | None]:
    """(stop, stop sequence). `matched` is vLLM's `stop_reason`, a string for a sequence.

    >>> read_stop("stop", None, has_calls=True, has_refusal=False)
    (<Stop.TOOL_USE: 'tool_use'>, None)
    """
    stop = _STOPS.get(finish or "stop", _END)
    if stop is not _END:
        return stop, None
    if has_calls:
        return _TOOL_USE, None
    if has_refusal:
        return Stop.REFUSAL, None
    if isinstance(matched, str) and matched:
        return Stop.STOP_SEQUENCE, matched
    return _END, None


def write_finish(stop: Stop, *, has_calls: bool, has_refusal: bool) -> str:
    """The finish reason. A refusal said in words ends with `stop`, as OpenAI ends it."""
    if has_calls and (stop is _END or stop is _TOOL_USE):
        return "tool_calls"
    if stop is _TOOL_USE or (stop is _REFUSAL and has_refusal):
        return "stop"
    return _FINISHES[stop]


def _count(given: Any) -> int | None:
    # As `outside.count` has it, without a second call: every answer states several.
    return given if type(given) is int and 0 <= given <= MOST_TOKENS else None
