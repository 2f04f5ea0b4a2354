"""Tools, tool choice and answer format of a Chat request, to neutral values (wire reference A.2.1).

>>> read_choice("required").kind.name
'REQUIRED'
"""

from collections.abc import Mapping
from typing import Any

from lynkrc_runtime.protocol.conversation import ChoiceKind, JsonFormat, Tool, ToolChoice
from lynkrc_runtime.protocol.openai_chat.checks import (
    as_flag,
    as_list,
    as_object,
    as_text,
    malformed,
)

_WORDS = {
    "auto": ChoiceKind.AUTO,
    "none": ChoiceKind.NONE,
    "required": ChoiceKind.REQUIRED,
}


def read_tools(values: list[Any]) -> tuple[Tool, ...]:
    """The entries of `tools`, in order."""
    return tuple(
        _tool(as_object(value, f"tools.{number}"), f"tools.{number}")
        for number, value in enumerate(values)
    )


def read_functions(values: list[Any]) -> tuple[Tool, ...]:
    """The entries of the deprecated `functions`, as function tools."""
    tools: list[Tool] = []
    for number, value in enumerate(values):
        place = f"functions.{number}"
        function = as_object(value, place)
        tools.append(_function(function, {"type": "function", "function": function}, place))
    return tuple(tools)


def _tool(entry: dict[str, Any], place: str) -> Tool:
    kind = as_text(entry.get("type"), f"{place}.type")
    if kind == "function":
        where = f"{place}.function"
        return _function(as_object(entry.get("function"), where), entry, where)
    inner: Mapping[str, Any] = entry
    where = place
    if kind == "custom":
        where = f"{place}.custom"
        inner = as_object(entry.get("custom"), where)
    # Tools only a server knows (web search and the like) may have no name but their type.
    name = kind if inner.get("name") is None and kind != "custom" else inner.get("name")
    return Tool(
        kind=kind,
        name=as_text(name, f"{where}.name"),
        description=_optional_text(inner, "description", where),
        parameters=None,
        strict=None,
        value=entry,
    )


def _function(function: dict[str, Any], entry: dict[str, Any], place: str) -> Tool:
    parameters, strict = function.get("parameters"), function.get("strict")
    return Tool(
        kind="function",
        name=as_text(function.get("name"), f"{place}.name"),
        description=_optional_text(function, "description", place),
        parameters={"type": "object", "properties": {}}
        if parameters is None
        else as_object(parameters, f"{place}.parameters"),
        strict=None if strict is None else as_flag(strict, f"{place}.strict"),
        value=entry,
    )


def read_choice(value: Any) -> ToolChoice:
    """`tool_choice` in any of its forms."""
    if isinstance(value, str):
        return ToolChoice(kind=_word(value, "tool_choice"))
    choice = as_object(value, "tool_choice")
    kind = as_text(choice.get("type"), "tool_choice.type")
    if kind == "allowed_tools":
        return _allowed(as_object(choice.get(kind), f"tool_choice.{kind}"))
    if kind not in ("function", "custom"):
        raise malformed("tool_choice.type", "must be function, custom or allowed_tools")
    inner = as_object(choice.get(kind), f"tool_choice.{kind}")
    name = as_text(inner.get("name"), f"tool_choice.{kind}.name")
    return ToolChoice(kind=ChoiceKind.NAMED, name=name)


def read_function_call(value: Any) -> ToolChoice:
    """The deprecated `function_call`: a word or ``{name}``."""
    if isinstance(value, str):
        return ToolChoice(kind=_word(value, "function_call"))
    name = as_object(value, "function_call").get("name")
    return ToolChoice(kind=ChoiceKind.NAMED, name=as_text(name, "function_call.name"))


def _allowed(value: dict[str, Any]) -> ToolChoice:
    place = "tool_choice.allowed_tools"
    mode = as_text(value.get("mode"), f"{place}.mode")
    names: list[str] = []
    for number, entry in enumerate(as_list(value.get("tools"), f"{place}.tools")):
        where = f"{place}.tools.{number}"
        tool = as_object(entry, where)
        kind = as_text(tool.get("type"), f"{where}.type")
        inner = as_object(tool.get(kind), f"{where}.{kind}")
        names.append(as_text(inner.get("name"), f"{where}.{kind}.name"))
    return ToolChoice(kind=_word(mode, f"{place}.mode"), allowed=tuple(names))


def _word(value: str, place: str) -> ChoiceKind:
    kind = _WORDS.get(value)
    if kind is None:
        raise malformed(place, f"must be one of {', '.join(_WORDS)}, not {value!r}")
    return kind


def read_format(value: Any) -> JsonFormat | None:
    """`response_format`; None for plain text."""
    form = as_object(value, "response_format")
    kind = as_text(form.get("type"), "response_format.type")
    match kind:
        case "text":
            return None
        case "json_object":
            # llama.cpp takes a schema beside the type.
            return JsonFormat(schema=_optional_object(form, "schema", "response_format"))
        case "json_schema":
            place = "response_format.json_schema"
            inner = as_object(form.get("json_schema"), place)
            strict = inner.get("strict")
            return JsonFormat(
                schema=_optional_object(inner, "schema", place),
                name=as_text(inner.get("name"), f"{place}.name"),
                strict=None if strict is None else as_flag(strict, f"{place}.strict"),
            )
        case _:
            raise malformed(
                "response_format.type", f"must be text, json_object or json_schema, not {kind!r}"
            )


def _optional_text(value: Mapping[str, Any], name: str, place: str) -> str | None:
    member = value.get(name)
    return None if member is None else as_text(member, f"{place}.{name}")


def _optional_object(value: Mapping[str, Any], name: str, place: str) -> dict[str, Any] | None:
    member = value.get(name)
    return None if member is None else as_object(member, f"{place}.{name}")
