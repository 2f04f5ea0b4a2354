"""Neutral tools and tool choice from another dialect, to Chat's (wire reference C.1.1, C.1.6)."""

from lynkrc_runtime.protocol.conversation import CannotTranslate, ChoiceKind, Tool, ToolChoice
from lynkrc_runtime.protocol.naming import CHAT_NAME_LIMIT, legal_name
from lynkrc_runtime.protocol.openai_chat.bodies import Changes
from lynkrc_runtime.protocol.openai_chat.schemas import is_strict_schema, object_schema
from lynkrc_runtime.protocol.openai_chat.write_messages import tool_name
from lynkrc_runtime.protocol.openai_chat.write_parts import Json, list_extra
from lynkrc_runtime.protocol.shapes import RequestShape

_WRITTEN = frozenset(
    ("type", "name", "description", "input_schema", "parameters", "strict", "function", "custom")
)
"""Members of another dialect's entry that have been read into the neutral tool."""


def write_tools(tools: tuple[Tool, ...], shape: RequestShape, changes: Changes) -> list[Json]:
    """The `tools` list in the client's order; tools another provider runs are left out, listed."""
    written: list[Json] = []
    for tool in tools:
        match tool.kind:
            case "function":
                written.append(_function(tool, shape, changes))
            case "custom":
                written.append(_custom(tool, changes))
            case _:
                changes[f"dropped=tools.{tool.kind}"] = None
    return written


def write_choice(choice: ToolChoice | None, tools: tuple[Tool, ...]) -> str | Json | None:
    """`tool_choice`; CannotTranslate where it demands a tool that had to be left out."""
    if choice is None:
        return None
    kinds = {tool.name: tool.kind for tool in tools if tool.kind in ("function", "custom")}
    if choice.kind is ChoiceKind.NAMED and choice.name not in kinds:
        raise CannotTranslate("tool_choice", f"the target has no tool {choice.name!r}")
    if choice.kind is ChoiceKind.REQUIRED and not kinds:
        raise CannotTranslate("tool_choice", "the target has none of the required tools")
    if not kinds:
        return None
    if choice.allowed is not None:
        allowed = [_named(name, kinds[name]) for name in choice.allowed if name in kinds]
        inner = {"mode": choice.kind.value, "tools": allowed}
        return {"type": "allowed_tools", "allowed_tools": inner}
    if choice.kind is ChoiceKind.NAMED and choice.name is not None:
        return _named(choice.name, kinds[choice.name])
    return choice.kind.value


def _named(name: str, kind: str) -> Json:
    return {"type": kind, kind: {"name": legal_name(name, limit=CHAT_NAME_LIMIT)}}


def _function(tool: Tool, shape: RequestShape, changes: Changes) -> Json:
    list_extra((name for name in tool.value if name not in _WRITTEN), changes)
    function: Json = {"name": tool_name(tool.name, changes)}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = object_schema(tool.parameters)
    if tool.strict:
        takes_strict = shape.structured_output is not False and shape.strict_tools is not False
        if takes_strict and is_strict_schema(function["parameters"]):
            function["strict"] = True
        else:
            changes["dropped=strict"] = None
    return {"type": "function", "function": function}


def _custom(tool: Tool, changes: Changes) -> Json:
    list_extra((name for name in tool.value if name not in _WRITTEN), changes)
    custom: Json = {"name": tool_name(tool.name, changes)}
    if tool.description:
        custom["description"] = tool.description
    return {"type": "custom", "custom": custom}
