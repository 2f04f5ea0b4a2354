"""Neutral tools and tool choice, to `tools` and `toolConfig` (wire reference C.3)."""

from typing import Any, TypeAlias

from lynkrc_runtime.protocol.changes import Changes, list_extra
from lynkrc_runtime.protocol.conversation import CannotTranslate, ChoiceKind, Tool, ToolChoice
from lynkrc_runtime.protocol.free_form import PARAMETERS, description
from lynkrc_runtime.protocol.gemini.schemas import open_schema
from lynkrc_runtime.protocol.naming import GEMINI_NAME_LIMIT, legal_name
from lynkrc_runtime.protocol.shapes import RequestShape

Json: TypeAlias = dict[str, Any]

_OFFERED = ("function", "custom")
_WRITTEN = frozenset(
    ("type", "name", "description", "input_schema", "parameters", "strict", "function", "custom")
)
"""Members of a client's entry that have been read into the neutral tool."""

_MODES = {
    ChoiceKind.AUTO: "AUTO",
    ChoiceKind.REQUIRED: "ANY",
    ChoiceKind.NAMED: "ANY",
    ChoiceKind.NONE: "NONE",
}


def tool_name(name: str, changes: Changes) -> str:
    """The name as Gemini takes it; `naming.original_names` restores it in the answer."""
    mapped = legal_name(name, limit=GEMINI_NAME_LIMIT, word=True)
    if mapped != name:
        changes["mapped=tool-names"] = None
    return mapped


def write_tools(
    tools: tuple[Tool, ...], choice: ToolChoice | None, shape: RequestShape, changes: Changes
) -> list[Json]:
    """The function declarations in the client's order; tools of other servers are left out."""
    declared: list[Json] = []
    # Only a demand can be limited by names: elsewhere the others are not offered.
    is_limited = choice is not None and choice.kind is ChoiceKind.AUTO
    allowed = choice.allowed if choice is not None and is_limited else None
    for tool in tools:
        if tool.kind not in _OFFERED:
            changes[f"dropped=tools.{tool.kind}"] = None
        elif allowed is not None and tool.name not in allowed:
            changes["filtered=tools"] = None
        else:
            declared.append(_declaration(tool, shape, changes))
    return declared


def write_choice(
    choice: ToolChoice | None, tools: tuple[Tool, ...], shape: RequestShape, changes: Changes
) -> Json | None:
    """`functionCallingConfig`; CannotTranslate where it demands a tool that is not there."""
    if choice is None:
        return None
    names = [tool.name for tool in tools if tool.kind in _OFFERED]
    if choice.kind is ChoiceKind.NAMED and choice.name not in names:
        raise CannotTranslate("tool_choice", f"the target has no tool {choice.name!r}")
    if choice.kind is ChoiceKind.REQUIRED and not names:
        raise CannotTranslate("tool_choice", "the target has none of the required tools")
    if not names:
        return None
    if shape.tool_choice is not None and choice.kind.value not in shape.tool_choice:
        if choice.kind is ChoiceKind.NONE:
            raise CannotTranslate("tool_choice", "the target cannot be told to use no tools")
        changes["tool_choice=auto"] = None
        return {"mode": "AUTO"}
    config: Json = {"mode": _MODES[choice.kind]}
    if choice.kind is ChoiceKind.NAMED and choice.name is not None:
        config["allowedFunctionNames"] = [tool_name(choice.name, changes)]
    elif choice.kind is ChoiceKind.REQUIRED and choice.allowed is not None:
        allowed = [tool_name(name, changes) for name in choice.allowed if name in names]
        if not allowed:
            raise CannotTranslate("tool_choice", "the target has none of the allowed tools")
        config["allowedFunctionNames"] = allowed
    return config


def _declaration(tool: Tool, shape: RequestShape, changes: Changes) -> Json:
    is_custom = tool.kind == "custom"
    written = (*_WRITTEN, "format") if is_custom else _WRITTEN
    inner = tool.value.get(tool.kind)
    for entry in (tool.value, inner if isinstance(inner, dict) else {}):
        list_extra((name for name in entry if name not in written), changes)
    declared: Json = {"name": tool_name(tool.name, changes)}
    told = description(tool) if is_custom else tool.description
    if told:
        declared["description"] = told
    if tool.strict:
        changes["dropped=strict"] = None
    if is_custom:
        changes["mapped=custom-tools"] = None
    schema = PARAMETERS if is_custom else tool.parameters
    if not schema:
        return declared
    if shape.plain_schemas is not False:
        declared["parametersJsonSchema"] = {"type": "object", **schema}
        return declared
    cleaned, is_less = open_schema({"type": "object", **schema})
    if is_less:
        changes[f"schema={tool.name}"] = None
    if cleaned.get("properties"):
        # An object without properties is refused: such a function takes no parameters.
        declared["parameters"] = cleaned
    return declared
