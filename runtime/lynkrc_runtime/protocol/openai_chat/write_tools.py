"""Neutral tools and tool choice from another dialect, to Chat's (wire reference C.1.1, C.1.6)."""

from collections.abc import Iterator, Mapping
from typing import final

import msgspec
from msgspec import Raw, Struct

from lynkrc_runtime.protocol.changes import Changes, list_extra
from lynkrc_runtime.protocol.conversation import CannotTranslate, ChoiceKind, Tool, ToolChoice
from lynkrc_runtime.protocol.free_form import PARAMETERS, description
from lynkrc_runtime.protocol.known_tools import written_once
from lynkrc_runtime.protocol.naming import CHAT_NAME_LIMIT, legal_name
from lynkrc_runtime.protocol.openai_chat.schemas import is_strict_schema, object_schema
from lynkrc_runtime.protocol.openai_chat.write_messages import tool_name
from lynkrc_runtime.protocol.openai_chat.write_parts import Json
from lynkrc_runtime.protocol.shapes import RequestShape

_OFFERED = ("function", "custom")

WRITTEN = frozenset(
    ("type", "name", "description", "input_schema", "parameters", "strict", "function", "custom")
)
"""Members of another dialect's entry that have been read into the neutral tool."""


@final
class WrittenTools(Struct, frozen=True, gc=False):
    """The `tools` list, which nobody may change, as requests share it; its text; what was done."""

    entries: list[Json]
    spelled: Raw
    changes: tuple[str, ...]


def write_tools(tools: tuple[Tool, ...], shape: RequestShape, changes: Changes) -> WrittenTools:
    """The list in the client's order; tools another provider runs are left out, listed.

    Raises CannotTranslate where they nest too deeply.
    """
    takes_strict = shape.structured_output is not False and shape.strict_tools is not False
    way = (WrittenTools, takes_strict)
    written = written_once(tools, way, _write, tools, shape)
    changes.update(dict.fromkeys(written.changes))
    return written


def _write(tools: tuple[Tool, ...], shape: RequestShape) -> WrittenTools:
    changes: Changes = {}
    entries = [
        _function(tool, shape, changes) if tool.kind == "function" else _custom(tool, changes)
        for tool in offered(tools, changes)
    ]
    return WrittenTools(entries, Raw(encode(entries)), tuple(changes))


def encode(value: Json | list[Json]) -> bytes:
    """The JSON text of a body, or of a part of it. Raises CannotTranslate."""
    try:
        return msgspec.json.encode(value)
    except RecursionError as error:
        # Read a few calls higher up, where there was just enough room.
        raise CannotTranslate("depth", "the request is nested too deeply to translate") from error


def offered(tools: tuple[Tool, ...], changes: Changes) -> Iterator[Tool]:
    """The tools that the client runs; those another provider runs are lost, listed in turn."""
    for tool in tools:
        if tool.kind in _OFFERED:
            yield tool
        else:
            changes[f"dropped=tools.{tool.kind}"] = None


def write_choice(choice: ToolChoice | None, tools: tuple[Tool, ...]) -> str | Json | None:
    """`tool_choice`; CannotTranslate where it demands a tool that had to be left out."""
    kinds = offered_kinds(choice, tools)
    if choice is None or not kinds:
        return None
    if choice.allowed is not None:
        allowed = [_named(name) for name in choice.allowed if name in kinds]
        inner = {"mode": choice.kind.value, "tools": allowed}
        return {"type": "allowed_tools", "allowed_tools": inner}
    if choice.kind is ChoiceKind.NAMED and choice.name is not None:
        return _named(choice.name)
    return choice.kind.value


def offered_kinds(choice: ToolChoice | None, tools: tuple[Tool, ...]) -> Mapping[str, str]:
    """Name -> kind of the tools that are written; CannotTranslate where a demanded one is not."""
    kinds = {tool.name: tool.kind for tool in tools if tool.kind in _OFFERED}
    if choice is None:
        return kinds
    if choice.kind is ChoiceKind.NAMED and choice.name not in kinds:
        raise CannotTranslate("tool_choice", f"the target has no tool {choice.name!r}")
    if choice.kind is ChoiceKind.REQUIRED and not kinds:
        raise CannotTranslate("tool_choice", "the target has none of the required tools")
    return kinds


def _named(name: str) -> Json:
    return {"type": "function", "function": {"name": legal_name(name, limit=CHAT_NAME_LIMIT)}}


def _function(tool: Tool, shape: RequestShape, changes: Changes) -> Json:
    list_extra((name for name in tool.value if name not in WRITTEN), changes)
    function: Json = {"name": tool_name(tool.name, changes)}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = object_schema(tool.parameters)
    if strict_tool(tool, function["parameters"], shape, changes):
        function["strict"] = True
    return {"type": "function", "function": function}


def strict_tool(tool: Tool, parameters: Json, shape: RequestShape, changes: Changes) -> bool:
    """Whether a tool that asks to be strict can be; listed where it cannot."""
    if not tool.strict:
        return False
    takes_strict = shape.structured_output is not False and shape.strict_tools is not False
    if takes_strict and is_strict_schema(parameters):
        return True
    changes["dropped=strict"] = None
    return False


def _custom(tool: Tool, changes: Changes) -> Json:
    """A function with one text: of the servers that speak Chat few know free-form tools."""
    list_extra((name for name in tool.value if name not in (*WRITTEN, "format")), changes)
    function: Json = {"name": tool_name(tool.name, changes)}
    told = description(tool)
    if told:
        function["description"] = told
    function["parameters"] = dict(PARAMETERS)
    changes["mapped=custom-tools"] = None
    return {"type": "function", "function": function}
