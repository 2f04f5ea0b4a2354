"""A Responses request's JSON, to a neutral `Request` (wire reference A.3.1).

>>> read_request(b'{"model":"m","input":"Hi"}', {}).messages[0].blocks
(Text(text='Hi', extra={}),)
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from lynkrc_runtime.protocol.conversation import Options, Request, Tool
from lynkrc_runtime.protocol.known_tools import Known, KnownTools
from lynkrc_runtime.protocol.openai_chat.checks import (
    as_flag,
    as_integer,
    as_list,
    as_number,
    as_object,
    as_text,
    decode_member,
    malformed,
    others,
    read_members,
)
from lynkrc_runtime.protocol.openai_responses.fast_items import fast_items, join_items
from lynkrc_runtime.protocol.openai_responses.native_items import native_items
from lynkrc_runtime.protocol.openai_responses.read_items import (
    DIALECT_NAME,
    offered_in,
    read_items,
)
from lynkrc_runtime.protocol.openai_responses.read_tools import (
    ToolNames,
    read_choice,
    read_format,
    read_tools,
)

_T = TypeVar("_T")

_NEUTRAL = frozenset(
    (
        "model",
        "input",
        "instructions",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_output_tokens",
        "temperature",
        "top_p",
        "text",
        "reasoning",
        "stream",
        "user",
        "metadata",
        "include",
    )
)

_STATE = ("previous_response_id", "conversation", "prompt")
"""Members that stand for words the server keeps."""

_REASONING = ("effort", "summary", "generate_summary")
"""Members of `reasoning` with a neutral part; the last is an old name of the second."""

_FORMAT = ("type", "name", "schema", "strict")
"""Members of `text.format` with a neutral part."""

_NAMESPACE = ("type", "name", "tools")
"""Members of a group of tools with a neutral part."""

CARRIED = "reasoning.encrypted_content"
"""The one entry of `include` that every target's answer honours: carriers travel there."""


def read_request(body: bytes, _headers: Mapping[str, str]) -> Request:
    """The request; MalformedRequest names the first member that cannot be read."""
    native = native_items(body)
    members = read_members(body) if native is None else native.members
    common = fast_items(members.get("input", b"")) if native is None else None
    is_common = native is not None or common is not None
    given = {
        name: decode_member(raw, name)
        for name, raw in members.items()
        # What has been read already needs no second look, nor what is read by itself.
        if name in _NEUTRAL
        and raw != b"null"
        and name != "tools"
        and not (is_common and name == "input")
    }
    if not given.get("model"):
        raise malformed("model", "is required and must not be empty")
    bound = _bound(members)
    items = [] if is_common else _input(given, bound)
    raw_tools = members.get("tools", b"null")
    tools, names, values, groups = _known.read(b"[]" if raw_tools == b"null" else raw_tools)
    if offered := offered_in(items):
        lists = [("tools", values), *offered]
        tools, names = read_tools(lists)
        groups = _of_namespaces(lists)
    instructions = _optional(as_text, given, "instructions")
    if native is not None:
        system, messages = native.conversation(instructions, names)
    elif common is not None:
        system, messages = join_items(common, instructions, names)
    else:
        system, messages = read_items(items, instructions, names)
    return Request(
        dialect=DIALECT_NAME,
        model=as_text(given["model"], "model"),
        system=system,
        messages=messages,
        tools=tools,
        tool_choice=read_choice(given["tool_choice"], names) if "tool_choice" in given else None,
        options=_options(given),
        metadata=as_object(given.get("metadata", {}), "metadata"),
        members=members,
        rest=(*_rest(members, given, bound), *groups),
        bound=bound,
    )


def _read_tools(raw: bytes) -> tuple[tuple[Tool, ...], ToolNames, list[Any], tuple[str, ...]]:
    """The tools of the body's own list, their names, the list, and what is said of its groups."""
    values = as_list(decode_member(raw, "tools"), "tools")
    lists = [("tools", values)]
    tools, names = read_tools(lists)
    return KnownTools(tools), names, values, _of_namespaces(lists)


_known = Known(_read_tools)


def _input(given: Mapping[str, Any], bound: tuple[str, ...]) -> list[Any]:
    value = given.get("input")
    if isinstance(value, str) and value:
        return [{"role": "user", "content": value}]
    if not value and bound:
        return []
    if not value:
        raise malformed("input", "is required and must not be empty")
    return as_list(value, "input")


def _bound(members: Mapping[str, bytes]) -> tuple[str, ...]:
    names = [name for name in _STATE if members.get(name, b"null") != b"null"]
    if members.get("background") == b"true":
        names.append("background")
    return tuple(names)


def _rest(
    members: Mapping[str, bytes], given: Mapping[str, Any], bound: tuple[str, ...]
) -> tuple[str, ...]:
    names = [
        name
        for name, raw in members.items()
        if not (name in _NEUTRAL or name in bound or raw == b"null" or _is_usual(name, raw))
    ]
    if "text" in given:
        text = given["text"]
        names += (f"text.{name}" for name in others(text, ("format", "verbosity")))
    if "reasoning" in given:
        names += (f"reasoning.{name}" for name in others(given["reasoning"], _REASONING))
    if "text" in given:
        names += (f"text.format.{name}" for name in others(text.get("format") or {}, _FORMAT))
    included = as_list(given.get("include", []), "include")
    names += (f"include.{entry}" for entry in included if entry != CARRIED)
    return tuple(names)


def _of_namespaces(lists: list[tuple[str, list[Any]]]) -> tuple[str, ...]:
    """What is said of whole groups of tools: outside this dialect tools have none."""
    groups = [
        tool
        for _, tools in lists
        for tool in tools
        if isinstance(tool, dict) and tool.get("type") == "namespace"
    ]
    found = {f"namespace.{name}": None for group in groups for name in others(group, _NAMESPACE)}
    return tuple(found)


def _is_usual(name: str, raw: bytes) -> bool:
    """Whether the member says what holds without it too."""
    return (name, raw) in (("truncation", b'"disabled"'), ("service_tier", b'"auto"'))


def _options(given: Mapping[str, Any]) -> Options:
    text = as_object(given.get("text", {}), "text")
    reasoning = as_object(given.get("reasoning", {}), "reasoning")
    max_tokens = _optional(as_integer, given, "max_output_tokens")
    if max_tokens is not None and max_tokens < 1:
        raise malformed("max_output_tokens", "must be at least 1")
    return Options(
        max_tokens=max_tokens,
        temperature=_optional(as_number, given, "temperature"),
        top_p=_optional(as_number, given, "top_p"),
        effort=_inner(reasoning, "reasoning", "effort"),
        show_reasoning=any(_inner(reasoning, "reasoning", name) for name in _REASONING[1:]),
        format=read_format(text["format"]) if text.get("format") is not None else None,
        parallel_tools=_optional(as_flag, given, "parallel_tool_calls"),
        verbosity=_inner(text, "text", "verbosity"),
        user=_optional(as_text, given, "user"),
        stream=as_flag(given.get("stream", False), "stream"),
    )


def _inner(value: Mapping[str, Any], place: str, name: str) -> str | None:
    member = value.get(name)
    return None if member is None else as_text(member, f"{place}.{name}")


def _optional(check: Callable[[Any, str], _T], given: Mapping[str, Any], name: str) -> _T | None:
    return check(given[name], name) if name in given else None
