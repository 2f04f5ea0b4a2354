"""Neutral tools and tool choice, to Anthropic's (wire reference C.1.2, C.1.6)."""

from collections.abc import Mapping
from typing import Any, final

from msgspec import Raw, Struct
from msgspec.json import encode
from msgspec.structs import replace

from lynkrc_runtime.protocol.anthropic.write_blocks import Json, Losses
from lynkrc_runtime.protocol.conversation import CannotTranslate, ChoiceKind, Tool, ToolChoice
from lynkrc_runtime.protocol.free_form import PARAMETERS, description
from lynkrc_runtime.protocol.known_tools import written_once
from lynkrc_runtime.protocol.naming import ANTHROPIC_NAME_LIMIT, legal_name
from lynkrc_runtime.protocol.shapes import RequestShape

_COMBINATORS = ("anyOf", "oneOf", "allOf")
_WRITTEN = frozenset(
    ("type", "function", "custom", "name", "description", "parameters", "strict", "cache_control")
)
"""Members of another dialect's tool that are read, or written as they are."""


@final
class WrittenTools(Struct, frozen=True, gc=False):
    """The JSON text of the `tools` list, the names in it, and what was lost."""

    spelled: Raw
    names: tuple[str, ...]
    losses: tuple[str, ...]


def write_tools(
    tools: tuple[Tool, ...], choice: ToolChoice | None, shape: RequestShape, losses: Losses
) -> WrittenTools:
    """The `tools` list, in the client's order; tools of a server of the other side are left out.

    CannotTranslate where they nest too deeply.
    """
    takes_strict = shape.structured_output is not False
    allowed = choice.allowed if choice is not None else None
    if allowed is not None:
        written = _write(tools, allowed, takes_strict)
    else:
        written = written_once(tools, _WAYS[takes_strict], _write, tools, None, takes_strict)
    if written.losses:
        losses.update(dict.fromkeys(written.losses))
    return written


_WAYS = ((WrittenTools, False), (WrittenTools, True))


def _write(
    tools: tuple[Tool, ...], allowed: tuple[str, ...] | None, takes_strict: bool
) -> WrittenTools:
    losses: Losses = {}
    found: list[Json] = []
    for tool in tools:
        _list_members(tool, losses)
        if allowed is not None and tool.name not in allowed:
            losses["filtered=tools"] = None
        elif tool.kind == "function":
            found.append(_function(tool, takes_strict, losses))
            _list_name(tool.name, losses)
        elif tool.kind == "custom":
            losses["mapped=custom-tools"] = None
            _list_name(tool.name, losses)
            found.append(_entry(replace(tool, description=description(tool)), dict(PARAMETERS)))
        else:
            losses[f"dropped=tools.{tool.kind}"] = None
    try:
        spelled = Raw(encode(found))
    except RecursionError as error:
        # Read a few calls higher up, where there was just enough room.
        raise CannotTranslate("depth", "the request is nested too deeply to translate") from error
    return WrittenTools(spelled, tuple([tool["name"] for tool in found]), tuple(losses))


def _list_name(name: str, losses: Losses) -> None:
    if legal_name(name, limit=ANTHROPIC_NAME_LIMIT) != name:
        losses["mapped=tool-names"] = None


def _list_members(tool: Tool, losses: Losses) -> None:
    """Members of the entry and of its inner object that have no place here are lost."""
    if tool.kind not in ("function", "custom"):
        return
    inner = tool.value.get(tool.kind)
    for entry in (tool.value, inner if isinstance(inner, dict) else {}):
        for name, value in entry.items():
            is_told = name == "format" and tool.kind == "custom"
            if name not in _WRITTEN and value is not None and not is_told:
                losses[f"dropped={name}"] = None


def write_choice(
    choice: ToolChoice | None, parallel_tools: bool | None, names: tuple[str, ...], losses: Losses
) -> tuple[ToolChoice, bool | None] | None:
    """The choice and the single-call switch; None where there is nothing to choose from.

    `names` are those of the tools that are sent.

    CannotTranslate where it demands a tool that is not among those sent.
    """
    if not names:
        if choice is not None and choice.kind in (ChoiceKind.REQUIRED, ChoiceKind.NAMED):
            losses["dropped=tool_choice"] = None
        return None
    if choice is None:
        if parallel_tools is not False:
            return None
        choice = ToolChoice(kind=ChoiceKind.AUTO)
    if choice.name is not None:
        choice = replace(choice, name=legal_name(choice.name, limit=ANTHROPIC_NAME_LIMIT))
    if choice.kind is ChoiceKind.NAMED and choice.name not in names:
        raise CannotTranslate("tool_choice", f"the target has no tool {choice.name!r}")
    if choice.kind is ChoiceKind.NONE and parallel_tools is False:
        losses["dropped=parallel_tool_calls"] = None
    return choice, parallel_tools


def object_schema(given: Mapping[str, Any] | None) -> Json:
    """The schema as the top of `input_schema` must be: an object, without combinators.

    >>> object_schema({"anyOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]})
    {'type': 'object', 'properties': {'a': {}, 'b': {}}}
    """
    schema = dict(given or {})
    properties: Json = {}
    required: list[str] = []
    for name in _COMBINATORS:
        branches = schema.pop(name, None)
        for branch in branches if isinstance(branches, list) else ():
            if isinstance(branch, dict):
                properties |= _properties(branch)
                required += _required(branch) if name == "allOf" else ()
    schema.pop("enum", None)
    schema["type"] = "object"
    schema["properties"] = properties | _properties(schema)
    if required:
        schema["required"] = list(dict.fromkeys([*_required(schema), *required]))
    return schema


def _properties(schema: Json) -> Json:
    """Clients may send any JSON for a schema: what is none has no properties."""
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}


def _required(schema: Json) -> list[str]:
    found = schema.get("required")
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def _function(tool: Tool, takes_strict: bool, losses: Losses) -> Json:
    schema = object_schema(tool.parameters)
    if tool.parameters is not None and any(name in tool.parameters for name in _COMBINATORS):
        losses[f"schema={tool.name}"] = None
    entry = _entry(tool, schema)
    if tool.strict:
        if takes_strict and _is_closed(schema):
            entry["strict"] = True
        else:
            losses["dropped=strict"] = None
    return entry


def _entry(tool: Tool, schema: Json) -> Json:
    entry: Json = {"name": legal_name(tool.name, limit=ANTHROPIC_NAME_LIMIT)}
    if tool.description:
        entry["description"] = tool.description
    entry["input_schema"] = schema
    mark = tool.value.get("cache_control")
    if isinstance(mark, dict):
        entry["cache_control"] = mark
    return entry


def _is_closed(schema: Mapping[str, Any]) -> bool:
    """Whether every property is required and no other allowed: what `strict` demands."""
    names = set(schema["properties"])
    return schema.get("additionalProperties") is False and names == set(_required(dict(schema)))
