"""Neutral tools and tool choice, to Converse's `toolConfig` (wire reference B.5, C.2)."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from lynkrc_runtime.protocol.anthropic.write_tools import object_schema
from lynkrc_runtime.protocol.bedrock_converse.families import Family
from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import (
    CannotTranslate,
    ChoiceKind,
    Message,
    Tool,
    ToolCall,
    ToolChoice,
)
from lynkrc_runtime.protocol.free_form import PARAMETERS, description
from lynkrc_runtime.protocol.naming import CHAT_NAME_LIMIT, legal_name
from lynkrc_runtime.protocol.shapes import RequestShape

Json: TypeAlias = dict[str, Any]

NO_TOOLS = "Do not call any tool in this turn: answer in text."
"""Said where Converse has no word for it."""

_WRITTEN = frozenset(
    (
        "type",
        "name",
        "description",
        "input_schema",
        "parameters",
        "strict",
        "function",
        "custom",
        "cache_control",
    )
)
"""Members of another dialect's entry that are read, or written as something else."""


def tool_name(name: str, changes: Changes) -> str:
    """The name as Converse takes it; `naming.original_names` restores it in the answer."""
    mapped = legal_name(name, limit=CHAT_NAME_LIMIT)
    if mapped != name:
        changes["mapped=tool-names"] = None
    return mapped


def cache_point(mark: Any, family: Family, changes: Changes) -> list[Json]:
    """What follows a block, text or tool with a `cache_control`: a cache point, or nothing."""
    if not isinstance(mark, dict):
        return []
    if not family.cache:
        changes["dropped=cache_control"] = None
        return []
    point = {"type": "default"}
    if mark.get("ttl") in ("5m", "1h"):
        point["ttl"] = mark["ttl"]
    return [{"cachePoint": point}]


def write_tools(
    tools: Sequence[Tool],
    choice: ToolChoice | None,
    family: Family,
    shape: RequestShape,
    changes: Changes,
) -> list[Json]:
    """The `tools` list in the client's order; tools another provider runs are left out, listed."""
    allowed = None if choice is None else choice.allowed
    written: list[Json] = []
    for tool in tools:
        if tool.kind not in ("function", "custom"):
            changes[f"dropped=tools.{tool.kind}"] = None
            continue
        _list_members(tool, changes)
        if allowed is not None and tool.name not in allowed:
            changes["filtered=tools"] = None
            continue
        written.append({"toolSpec": _spec(tool, shape, changes)})
        written += cache_point(tool.value.get("cache_control"), family, changes)
    return written


def tools_of_history(messages: Sequence[Message], changes: Changes) -> list[Json]:
    """Tools that stand for those the history calls: Converse refuses calls without a list."""
    names = dict.fromkeys(
        tool_name(block.name, changes)
        for message in messages
        for block in message.blocks
        if isinstance(block, ToolCall)
    )
    if names:
        changes["added=tools"] = None
    schema = {"json": {"type": "object", "properties": {}}}
    return [{"toolSpec": {"name": name, "inputSchema": schema}} for name in names]


def write_choice(
    choice: ToolChoice | None, tools: Sequence[Json], family: Family, changes: Changes
) -> Json | None:
    """`toolChoice`; None where none is needed. CannotTranslate where the tool is not there."""
    match choice:
        case None | ToolChoice(kind=ChoiceKind.NONE):
            return None
        case ToolChoice(kind=ChoiceKind.AUTO):
            return {"auto": {}}
        case ToolChoice(kind=ChoiceKind.REQUIRED):
            wanted: Json = {"any": {}}
        case _:
            name = legal_name(choice.name or "", limit=CHAT_NAME_LIMIT)
            if all(name != tool.get("toolSpec", {}).get("name") for tool in tools):
                raise CannotTranslate("tool_choice", f"the target has no tool {choice.name!r}")
            wanted = {"tool": {"name": name}}
    if not family.forced_tools:
        changes["tool_choice=auto"] = None
        return {"auto": {}}
    return wanted


def _list_members(tool: Tool, changes: Changes) -> None:
    inner = tool.value.get(tool.kind)
    for entry in (tool.value, inner if isinstance(inner, dict) else {}):
        for name, value in entry.items():
            is_told = name == "format" and tool.kind == "custom"
            if name not in _WRITTEN and not is_told and value is not None:
                changes[f"dropped={name}"] = None


def _spec(tool: Tool, shape: RequestShape, changes: Changes) -> Json:
    spec: Json = {"name": tool_name(tool.name, changes)}
    is_custom = tool.kind == "custom"
    told = description(tool) if is_custom else tool.description
    if told and told.strip():
        spec["description"] = told
    if is_custom:
        changes["mapped=custom-tools"] = None
        return spec | {"inputSchema": {"json": dict(PARAMETERS)}}
    schema = object_schema(tool.parameters)
    if any(name in (tool.parameters or {}) for name in ("anyOf", "oneOf", "allOf")):
        changes[f"schema={tool.name}"] = None
    spec["inputSchema"] = {"json": schema}
    if tool.strict:
        if shape.structured_output is not False and _is_closed(schema):
            spec["strict"] = True
        else:
            changes["dropped=strict"] = None
    return spec


def _is_closed(schema: Mapping[str, Any]) -> bool:
    """Whether every property is required and no other allowed: what `strict` demands."""
    names = set(schema["properties"])
    return schema.get("additionalProperties") is False and names == set(
        schema.get("required") or ()
    )
