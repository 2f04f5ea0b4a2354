"""Free-form tools, to functions with one text, for targets that know only those (C.1.2, C.5.1).

>>> wrapped('say "hi"'), unwrapped('{"input": "ls"}'), unwrapped("no JSON")
('{"input":"say \\\\"hi\\\\""}', 'ls', 'no JSON')
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from lynkrc_runtime.protocol.conversation import Tool
from lynkrc_runtime.protocol.json_prefix import closed
from lynkrc_runtime.protocol.outside import NOT_JSON

PARAMETERS: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "properties": {"input": {"type": "string"}},
        "required": ["input"],
    }
)
"""The schema of the function that stands for a free-form tool."""


def description(tool: Tool) -> str | None:
    """The tool's description, with the grammar its input must follow: a function has none."""
    inner = tool.value.get("custom")
    form = (inner if isinstance(inner, dict) else tool.value).get("format")
    form = form if isinstance(form, dict) else {}
    grammar = form.get("grammar", form) if form.get("type") == "grammar" else {}
    rules = grammar.get("definition") if isinstance(grammar, dict) else None
    if not rules:
        return tool.description
    syntax = grammar.get("syntax", "")
    told = f"The input must follow this {syntax} grammar:\n{rules}"
    return f"{tool.description}\n\n{told}" if tool.description else told


def wrapped(text: str) -> str:
    """The arguments of the function for this input."""
    return msgspec.json.encode({"input": text}).decode()


def unwrapped(arguments: str) -> str:
    """The input inside the arguments; the arguments themselves where they hold none.

    >>> unwrapped('{"input": "cut sho')
    'cut sho'
    """
    try:
        value = msgspec.json.decode(closed(arguments))
    except NOT_JSON:
        return arguments
    text = value.get("input") if isinstance(value, dict) else None
    return text if isinstance(text, str) else arguments
