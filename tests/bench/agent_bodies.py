"""What a coding agent sends, in each client dialect: instructions, tools, rounds of calls.

The same conversation in all of them, about as long as asked for.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

Json = dict[str, Any]

MODEL = "served"
_SCHEMA = {
    "type": "object",
    "properties": {
        "path": {"type": "string", "description": "Path of the file"},
        "limit": {"type": "integer", "minimum": 1},
    },
    "required": ["path"],
    "additionalProperties": False,
}
_WHAT = "Reads a file of the project and returns its lines. " * 3
_LINES = "The quick brown fox jumps over the lazy dog and reads the build log again. "
_ASK = "Fix the build."
_SAID = "I read the file."


def body(dialect: str, size: int, *, stream: bool = False) -> bytes:
    """A request of `size` bytes, give or take a round."""
    # A short request has few tools and short results.
    is_short = size < 5_000
    tools, lines = (2, 2) if is_short else (12, 12)
    system = "You are an agent. " * (10 if is_short else 100)
    write = WRITE[dialect]

    def written(rounds: int) -> bytes:
        made = write(system, tools, _LINES * lines, rounds)
        return json.dumps(made | {"stream": True} if stream else made).encode()

    bare, one = len(written(0)), len(written(1))
    return written(max(1, (size - bare) // (one - bare)))


def _arguments(number: int) -> Json:
    return {"path": f"src/module_{number}.py", "limit": 200}


def _messages(system: str, tools: int, result: str, rounds: int) -> Json:
    messages: list[Json] = [{"role": "user", "content": _ASK}]
    for number in range(rounds):
        call_id = f"toolu_{number:04}"
        call = {"type": "tool_use", "id": call_id, "name": "tool_1", "input": _arguments(number)}
        answer = {"type": "tool_result", "tool_use_id": call_id, "content": result}
        messages += [
            {"role": "assistant", "content": [{"type": "text", "text": _SAID}, call]},
            {"role": "user", "content": [answer]},
        ]
    mark = {"type": "ephemeral"}
    return {
        "model": MODEL,
        "max_tokens": 1000,
        "system": [{"type": "text", "text": system, "cache_control": mark}],
        "messages": messages,
        "tools": [
            {"name": f"tool_{number}", "description": _WHAT, "input_schema": _SCHEMA}
            for number in range(tools)
        ],
    }


def _chat(system: str, tools: int, result: str, rounds: int) -> Json:
    messages: list[Json] = [
        {"role": "system", "content": system},
        {"role": "user", "content": _ASK},
    ]
    for number in range(rounds):
        call_id = f"call_{number:04}"
        function = {"name": "tool_1", "arguments": json.dumps(_arguments(number))}
        call = {"id": call_id, "type": "function", "function": function}
        messages += [
            {"role": "assistant", "content": _SAID, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call_id, "content": result},
        ]
    return {
        "model": MODEL,
        "messages": messages,
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": f"tool_{number}",
                    "description": _WHAT,
                    "parameters": _SCHEMA,
                },
            }
            for number in range(tools)
        ],
    }


def _responses(system: str, tools: int, result: str, rounds: int) -> Json:
    ask = [{"type": "input_text", "text": _ASK}]
    said = [{"type": "output_text", "text": _SAID}]
    items: list[Json] = [{"type": "message", "role": "user", "content": ask}]
    for number in range(rounds):
        call_id = f"call_{number:04}"
        items += [
            {"type": "message", "role": "assistant", "content": said},
            {
                "type": "function_call",
                "call_id": call_id,
                "name": "tool_1",
                "arguments": json.dumps(_arguments(number)),
            },
            {"type": "function_call_output", "call_id": call_id, "output": result},
        ]
    return {
        "model": MODEL,
        "instructions": system,
        "input": items,
        "store": False,
        "tools": [
            {
                "type": "function",
                "name": f"tool_{number}",
                "description": _WHAT,
                "parameters": _SCHEMA,
                "strict": False,
            }
            for number in range(tools)
        ],
    }


WRITE: Mapping[str, Callable[[str, int, str, int], Json]] = {
    "anthropic-messages": _messages,
    "openai-chat": _chat,
    "openai-responses": _responses,
}
