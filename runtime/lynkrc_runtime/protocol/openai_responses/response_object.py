"""A request and what came of it, to the `response` object (wire reference A.3.2).

The object echoes the request: members the client gave as it gave them, the rest at the values the
API has without them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from lynkrc_runtime.protocol.conversation import Request, Usage
from lynkrc_runtime.protocol.dialect import AnswerContext
from lynkrc_runtime.protocol.known_tools import written_once
from lynkrc_runtime.protocol.openai_chat.checks import decode_member
from lynkrc_runtime.protocol.openai_responses.output_items import IN_PROGRESS, Json

_ECHOED: Mapping[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
"""Members that are echoed as they were given, and what holds without them."""


def response_base(context: AnswerContext) -> Json:
    """The response as it begins; what comes later is merged over it."""
    members = context.request.members
    echoed = {name: _echo(members.get(name), usual) for name, usual in _ECHOED.items()}
    return {
        "id": f"resp_{context.id}",
        "object": "response",
        "created_at": context.created,
        "status": IN_PROGRESS,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": context.model,
        "output": [],
        **echoed,
        "reasoning": _object(members, "reasoning", {"effort": None, "summary": None}),
        "service_tier": "default",
        "store": False,
        "text": _object(members, "text", {"format": {"type": "text"}}),
        "tools": _spelled_tools(context.request),
        "usage": None,
        "metadata": context.request.metadata,
    }


def _echo(raw: bytes | None, usual: Any) -> Any:
    return usual if raw is None or raw == b"null" else msgspec.Raw(raw)


def _object(members: Mapping[str, bytes], name: str, usual: Json) -> Json:
    raw = members.get(name)
    given = {} if raw is None or raw == b"null" else decode_member(raw, name)
    return usual | {key: value for key, value in given.items() if value is not None}


def _spelled_tools(request: Request) -> msgspec.Raw:
    """The tools as they are echoed, worked out once for a set of them."""
    members = request.members

    def spell() -> msgspec.Raw:
        return msgspec.Raw(msgspec.json.encode(_tools(members)))

    return written_once(request.tools, response_base, spell)


def _tools(members: Mapping[str, bytes]) -> Sequence[Any]:
    raw = members.get("tools")
    if raw is None or raw == b"null":
        return []
    return [_tool(tool) for tool in decode_member(raw, "tools")]


def _tool(tool: Json) -> Json:
    """A function with the members every one has in a response."""
    if tool["type"] != "function":
        return tool
    return {"parameters": None, "strict": None, **tool}


def write_usage(usage: Usage) -> Json:
    """The counts, with both objects of details: strict clients want them."""
    given = usage.input + usage.cache_read + usage.cache_write
    return {
        "input_tokens": given,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write,
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning or 0},
        "total_tokens": given + usage.output,
    }
