"""Neutral tools and tool choice from another dialect, to the flat ones of Responses (C.5.1)."""

from collections.abc import Mapping
from typing import Any

from lynkrc_runtime.protocol.changes import Changes, list_extra
from lynkrc_runtime.protocol.conversation import ChoiceKind, Tool, ToolChoice
from lynkrc_runtime.protocol.naming import CHAT_NAME_LIMIT, legal_name
from lynkrc_runtime.protocol.openai_chat.schemas import object_schema
from lynkrc_runtime.protocol.openai_chat.write_messages import tool_name
from lynkrc_runtime.protocol.openai_chat.write_parts import Json
from lynkrc_runtime.protocol.openai_chat.write_tools import (
    WRITTEN,
    offered,
    offered_kinds,
    strict_tool,
)
from lynkrc_runtime.protocol.shapes import RequestShape


def write_tools(tools: tuple[Tool, ...], shape: RequestShape, changes: Changes) -> list[Json]:
    """The `tools` list in the client's order; tools another provider runs are left out, listed."""
    return [
        _function(tool, shape, changes) if tool.kind == "function" else _custom(tool, changes)
        for tool in offered(tools, changes)
    ]


def write_choice(choice: ToolChoice | None, tools: tuple[Tool, ...]) -> str | Json | None:
    """`tool_choice`; CannotTranslate where it demands a tool that had to be left out."""
    kinds = offered_kinds(choice, tools)
    if choice is None or not kinds:
        return None
    if choice.allowed is not None:
        allowed = [_named(name, kinds[name]) for name in choice.allowed if name in kinds]
        return {"type": "allowed_tools", "mode": choice.kind.value, "tools": allowed}
    if choice.kind is ChoiceKind.NAMED and choice.name is not None:
        return _named(choice.name, kinds[choice.name])
    return choice.kind.value


def _named(name: str, kind: str) -> Json:
    return {"type": kind, "name": legal_name(name, limit=CHAT_NAME_LIMIT)}


def _function(tool: Tool, shape: RequestShape, changes: Changes) -> Json:
    list_extra((name for name in tool.value if name not in WRITTEN), changes)
    written: Json = {"type": "function", "name": tool_name(tool.name, changes)}
    if tool.description:
        written["description"] = tool.description
    written["parameters"] = object_schema(tool.parameters)
    # Said always: here a tool is strict by itself, elsewhere it is not.
    written["strict"] = strict_tool(tool, written["parameters"], shape, changes)
    return written


def _custom(tool: Tool, changes: Changes) -> Json:
    list_extra((name for name in tool.value if name not in WRITTEN), changes)
    written: Json = {"type": "custom", "name": tool_name(tool.name, changes)}
    if tool.description:
        written["description"] = tool.description
    form = _inner(tool).get("format")
    if isinstance(form, Mapping):
        # Chat nests the grammar, Responses does not.
        grammar = form.get("grammar")
        nested = grammar if isinstance(grammar, Mapping) else {}
        written["format"] = {name: form[name] for name in form if name != "grammar"} | dict(nested)
    return written


def _inner(tool: Tool) -> Mapping[str, Any]:
    inner = tool.value.get("custom")
    return inner if isinstance(inner, Mapping) else tool.value
