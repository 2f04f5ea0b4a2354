"""Tools, tool choice and answer format of a Responses request, to neutral values (A.3.1).

Tools stand in `tools`, and in items of the input that offer more of them. Tools of a namespace get
one name each that is unique over the request; `ToolNames` knows it by namespace and name.

>>> names = ToolNames()
>>> names.add("functions", "exec"), names.of("functions", "exec"), names.of(None, "exec")
('functions__exec', 'functions__exec', 'functions__exec')
"""

import hashlib
from typing import Any, final

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
_NO_PARAMETERS = {"type": "object", "properties": {}}


@final
class ToolNames:
    """Neutral names of functions and custom tools by (namespace, own name)."""

    __slots__ = ("_by_own", "_names", "_taken", "are_own")

    def __init__(self) -> None:
        self._names: dict[tuple[str | None, str], str] = {}
        self._taken: set[str] = set()
        self._by_own: dict[str, set[str]] = {}
        self.are_own = True
        """Whether every name outside a namespace is its own: no tool is of a namespace."""

    def add(self, namespace: str | None, name: str) -> str | None:
        """The neutral name of another tool; None where the same one has been offered before."""
        key = (namespace, name)
        if key in self._names:
            return None
        self.are_own &= namespace is None
        neutral = _joined(namespace, name)
        if neutral in self._taken:
            digest = hashlib.sha256(f"{namespace}\0{name}".encode()).hexdigest()
            neutral = f"{neutral}_{digest[:8]}"
        self._names[key] = neutral
        self._taken.add(neutral)
        self._by_own.setdefault(name, set()).add(neutral)
        return neutral

    def of(self, namespace: str | None, name: str) -> str:
        """The neutral name a call or a choice means, which may be of a tool no longer offered."""
        found = self._names.get((namespace, name))
        if found is not None:
            return found
        same = self._by_own.get(name, set())
        if namespace is None and len(same) == 1:
            # Clients exist that leave the namespace out where the name alone says which.
            return next(iter(same))
        return _joined(namespace, name)


def _joined(namespace: str | None, name: str) -> str:
    return name if namespace is None else f"{namespace.removesuffix('__')}__{name}"


def read_tools(places: list[tuple[str, list[Any]]]) -> tuple[tuple[Tool, ...], ToolNames]:
    """The tools of all lists with their places, in order, and their names. MalformedRequest."""
    names = ToolNames()
    tools: list[Tool] = []
    for place, values in places:
        for number, value in enumerate(values):
            where = f"{place}.{number}"
            _add_tool(as_object(value, where), None, where, names, tools)
    return tuple(tools), names


def _add_tool(
    entry: dict[str, Any],
    namespace: str | None,
    place: str,
    names: ToolNames,
    tools: list[Tool],
) -> None:
    kind = as_text(entry.get("type"), f"{place}.type")
    match kind:
        case "namespace" if namespace is None:
            group = as_text(entry.get("name"), f"{place}.name")
            for number, value in enumerate(as_list(entry.get("tools"), f"{place}.tools")):
                where = f"{place}.tools.{number}"
                _add_tool(as_object(value, where), group, where, names, tools)
        case "function" | "custom":
            own = as_text(entry.get("name"), f"{place}.name")
            name = names.add(namespace, own)
            if name is not None:
                tools.append(_tool(kind, name, namespace, entry, place))
        case _:
            # Tools a server runs have no name of their own; several of one kind may be offered.
            label = entry.get("server_label") if kind == "mcp" else entry.get("name")
            tools.append(
                Tool(
                    kind=kind,
                    name=label if isinstance(label, str) and label else kind,
                    description=None,
                    parameters=None,
                    strict=None,
                    value=entry,
                    namespace=namespace,
                )
            )


def _tool(kind: str, name: str, namespace: str | None, entry: dict[str, Any], place: str) -> Tool:
    parameters, strict = entry.get("parameters"), entry.get("strict")
    description = entry.get("description")
    schema: dict[str, Any] | None = None
    if kind == "function":
        where = f"{place}.parameters"
        schema = _NO_PARAMETERS if parameters is None else as_object(parameters, where)
    return Tool(
        kind=kind,
        name=name,
        description=None if description is None else as_text(description, f"{place}.description"),
        parameters=schema,
        strict=None if strict is None else as_flag(strict, f"{place}.strict"),
        value=entry,
        namespace=namespace,
    )


def read_choice(value: Any, names: ToolNames) -> ToolChoice:
    """`tool_choice` in any of its forms; a server's tool is named by its kind or label."""
    if isinstance(value, str):
        return ToolChoice(kind=_word(value, "tool_choice"))
    choice = as_object(value, "tool_choice")
    if choice.get("type") != "allowed_tools":
        return ToolChoice(kind=ChoiceKind.NAMED, name=_chosen(choice, "tool_choice", names))
    mode = as_text(choice.get("mode"), "tool_choice.mode")
    entries = as_list(choice.get("tools"), "tool_choice.tools")
    places = [f"tool_choice.tools.{number}" for number in range(len(entries))]
    allowed = [
        _chosen(as_object(entry, place), place, names)
        for place, entry in zip(places, entries, strict=True)
    ]
    return ToolChoice(kind=_word(mode, "tool_choice.mode"), allowed=tuple(allowed))


def _chosen(entry: dict[str, Any], place: str, names: ToolNames) -> str:
    kind = as_text(entry.get("type"), f"{place}.type")
    match kind:
        case "function" | "custom":
            namespace = entry.get("namespace")
            if namespace is not None:
                namespace = as_text(namespace, f"{place}.namespace")
            return names.of(namespace, as_text(entry.get("name"), f"{place}.name"))
        case "mcp":
            return as_text(entry.get("server_label"), f"{place}.server_label")
        case _:
            return kind


def _word(value: str, place: str) -> ChoiceKind:
    kind = _WORDS.get(value)
    if kind is None:
        raise malformed(place, f"must be one of {', '.join(_WORDS)}, not {value!r}")
    return kind


def read_format(value: Any) -> JsonFormat | None:
    """`text.format`; None for plain text."""
    place = "text.format"
    form = as_object(value, place)
    kind = as_text(form.get("type"), f"{place}.type")
    match kind:
        case "text":
            return None
        case "json_object":
            return JsonFormat(schema=None)
        case "json_schema":
            strict = form.get("strict")
            return JsonFormat(
                schema=as_object(form.get("schema"), f"{place}.schema"),
                name=as_text(form.get("name"), f"{place}.name"),
                strict=None if strict is None else as_flag(strict, f"{place}.strict"),
            )
        case _:
            raise malformed(
                f"{place}.type", f"must be text, json_object or json_schema, not {kind!r}"
            )
