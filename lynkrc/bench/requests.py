"""A size to bodies of requests that a client would send: a question, and an agent's conversation.

>>> sorted(BODIES)
['agent', 'question']
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from lynkrc.bench.texts import text_of

DIALECT: Final = "anthropic-messages"
SURFACE: Final = "messages"
_RESULT = 1_200
"""Bytes of one tool's answer, where there is room for it."""


def question(size: int) -> bytes:
    """The body of one long question, of about `size` bytes."""
    return _body([{"role": "user", "content": text_of("prose", max(1, size - 150), ())}])


def agent(size: int) -> bytes:
    """The body of a conversation with tools, of about `size` bytes: most of it is tool output."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": text_of("prose", 200, ())}]
    room = size - 900
    while room > 0:
        shown = min(_RESULT, room)
        call = f"toolu_{len(messages):04}"
        use = {"type": "tool_use", "id": call, "name": "read_file", "input": {"path": "a.py"}}
        result = text_of(("tools", "code")[len(messages) // 2 % 2], shown, ())
        messages += [
            {"role": "assistant", "content": [{"type": "text", "text": "I look."}, use]},
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": call, "content": result}],
            },
        ]
        room -= shown + 350
    schema = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
    tool = {"name": "read_file", "description": "Reads a file.", "input_schema": schema}
    return _body(messages, tools=[tool], system=text_of("prose", 300, ()))


def _body(messages: list[dict[str, Any]], **more: Any) -> bytes:
    return json.dumps(
        {"model": "auto", "max_tokens": 1000, "messages": messages, **more}, ensure_ascii=False
    ).encode()


BODIES: Final[Mapping[str, Callable[[int], bytes]]] = {"question": question, "agent": agent}
CALLED: Final = {"question": "one long question", "agent": "an agent's conversation"}
