"""The body of `POST /v1/messages`, to a neutral `Request` (wire reference A.1.2).

>>> body = b'{"model":"m","max_tokens":9,"speed":"x","messages":[{"role":"user","content":"Hi"}]}'
>>> request = read_request(body, {})
>>> request.messages[0].blocks[0].text, request.options.max_tokens, request.rest
('Hi', 9, ('speed',))
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from lynkrc_runtime.protocol.anthropic import raw
from lynkrc_runtime.protocol.anthropic.fast_message import (
    fast_message,
    fast_messages,
    fast_system,
)
from lynkrc_runtime.protocol.anthropic.native_messages import (
    messages_in,
    native_messages,
    spelled_in,
)
from lynkrc_runtime.protocol.anthropic.read_blocks import NAME, read_message, read_system
from lynkrc_runtime.protocol.conversation import (
    ChoiceKind,
    JsonFormat,
    MalformedRequest,
    Message,
    Options,
    Request,
    Text,
    ThinkingKind,
    ThinkingWish,
    Tool,
    ToolChoice,
)
from lynkrc_runtime.protocol.in_place import InPlace, find_in_place
from lynkrc_runtime.protocol.known_tools import Known, KnownTools
from lynkrc_runtime.protocol.long_member import members_around
from lynkrc_runtime.protocol.outlines import Outlines
from lynkrc_runtime.protocol.outside import NOT_JSON

_values = msgspec.json.Decoder(list[Any]).decode
_NEUTRAL = frozenset(
    (
        "model",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "max_tokens",
        "temperature",
        "top_p",
        "top_k",
        "stop_sequences",
        "thinking",
        "output_config",
        "stream",
        "metadata",
    )
)
_CHOICES = {
    "auto": ChoiceKind.AUTO,
    "any": ChoiceKind.REQUIRED,
    "tool": ChoiceKind.NAMED,
    "none": ChoiceKind.NONE,
}
_NOTHING = msgspec.Raw(b"[]")
_USUAL_TIER = b'"auto"'
"""What holds without a `service_tier` too."""
_THINKING = {kind.value: kind for kind in ThinkingKind}


def read_request(body: bytes, _headers: Mapping[str, str]) -> Request:
    """The request; MalformedRequest names the first member that cannot be read.

    `max_tokens` may be absent, since token counts are asked for without it: whoever wants an
    answer calls `require_max_tokens`.
    """
    found = find_in_place(body, tools=_known.last)
    like = None if found is None else _outlines.get(found[1])
    if found is not None and like is not None:
        try:
            return _read_again(body, found, like)
        except MalformedRequest:
            pass  # what is wrong is told as it is told of others
    request = _read(body, found)
    if found is not None:
        _outlines.keep(found[1], request)
    return request


_outlines = Outlines(
    _NEUTRAL | frozenset(("service_tier", "context_management", "inference_geo", "speed"))
)


def _read_again(body: bytes, found: InPlace, like: Request) -> Request:
    """The request of a body with the outline of another one, which said `like`."""
    turns, _, _, system, tools, _ = found
    members = dict(like.members)
    members["messages"] = spelled_in(body, turns)
    if system is not None:
        members["system"] = system
    if tools is not None:
        members["tools"] = tools
    return Request(
        dialect=NAME,
        model=like.model,
        system=() if system is None else _system(system),
        messages=messages_in(body, turns),
        tools=() if tools is None else _tools(tools),
        tool_choice=like.tool_choice,
        options=like.options,
        metadata=like.metadata,
        members=members,
        rest=like.rest,
        body=body,
    )


def _read(body: bytes, found: InPlace | None) -> Request:
    """The same of any body; `found` in it was this."""
    members, messages, spelled = _opened(body, found)
    model = raw.string(members.get("model"), "model")
    if not model:
        raise MalformedRequest("model", "model: must not be empty")
    if "messages" not in members:
        raise MalformedRequest("messages", "messages: field required")
    if not messages:
        messages = _read_messages(members["messages"])
    rest = [name for name in members if name not in _NEUTRAL]
    if bytes(members.get("service_tier", b"")) == _USUAL_TIER:
        rest.remove("service_tier")
    choice, parallel_tools = _tool_choice(members.get("tool_choice"))
    effort, output_format = _output_config(members.get("output_config"), rest)
    metadata = _metadata(members.get("metadata"))
    user = metadata.get("user_id")
    kept = {name: bytes(member) for name, member in members.items()}
    if spelled is not None:
        kept["messages"] = spelled
    return Request(
        dialect=NAME,
        model=model,
        system=_system(kept["system"]) if "system" in kept else (),
        messages=messages,
        tools=_tools(kept["tools"]) if "tools" in kept else (),
        tool_choice=choice,
        options=Options(
            max_tokens=raw.optional_integer(members.get("max_tokens"), "max_tokens"),
            temperature=raw.optional_number(members.get("temperature"), "temperature"),
            top_p=raw.optional_number(members.get("top_p"), "top_p"),
            top_k=raw.optional_integer(members.get("top_k"), "top_k"),
            stop=_stop_sequences(members.get("stop_sequences")),
            thinking=_thinking(members.get("thinking"), rest),
            effort=effort,
            format=output_format,
            parallel_tools=parallel_tools,
            user=user if isinstance(user, str) else None,
            stream=raw.optional_boolean(members.get("stream"), "stream") or False,
        ),
        metadata=metadata,
        members=kept,
        rest=tuple(rest),
        body=body if found is not None and found[2] == len(kept) else None,
    )


def require_max_tokens(request: Request) -> None:
    """MalformedRequest where `max_tokens` is missing; every call but a token count needs it."""
    if request.options.max_tokens is None:
        raise MalformedRequest("max_tokens", "max_tokens: field required")


def _opened(
    body: bytes, found: InPlace | None
) -> tuple[raw.Members, Sequence[Message] | None, bytes | None]:
    """The members, the messages where they are common ones, and a view of their text.

    Where there is a view, another value stands among the members.
    """
    parts = None if found is None else native_messages(body, found)
    if parts is not None:
        return parts.members, parts.messages, parts.spelled
    members = members_around(body, "messages")
    if members is None:
        members = _top_level(body)
        return members, fast_messages(members.get("messages", _NOTHING)), None
    messages = fast_messages(members["messages"])
    # What is wrong is told as it is told of short bodies.
    return (_top_level(body) if messages is None else members), messages, None


def _top_level(body: bytes) -> raw.Members:
    if not body.strip():
        raise MalformedRequest(None, "the body is empty; it must be a JSON object")
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise MalformedRequest(None, f"the body is not UTF-8 ({error.reason})") from error
    return raw.members(body, None)


def _read_messages(given: msgspec.Raw) -> Sequence[Message]:
    turns = raw.items(given, "messages")
    if not turns:
        raise MalformedRequest("messages", "messages: at least one message is required")
    return tuple(
        fast_message(turn) or read_message(turn, f"messages.{i}") for i, turn in enumerate(turns)
    )


def _system(given: bytes) -> tuple[Text, ...]:
    if given == b"null":
        return ()
    texts = fast_system(given)
    return read_system(given, "system") if texts is None else texts


def _tools(given: bytes) -> tuple[Tool, ...]:
    return () if given == b"null" else _known.read(given)


def _read_tools(given: bytes) -> KnownTools:
    try:
        entries = _values(given)
    except NOT_JSON:
        # One after the other, to name the place of what is wrong.
        raws = raw.items(given, "tools")
        entries = [raw.value(entry, f"tools.{index}") for index, entry in enumerate(raws)]
    return KnownTools([_tool(value, f"tools.{index}") for index, value in enumerate(entries)])


_known = Known(_read_tools)


def _tool(value: Any, place: str) -> Tool:
    if not isinstance(value, dict):
        kind = raw.kind(msgspec.json.encode(value))
        raise MalformedRequest(place, f"{place}: must be an object, not {kind}")
    kind = _member(value, "type", str, place)
    name = _member(value, "name", str, place)
    description = _member(value, "description", str, place)
    if kind not in (None, "custom"):
        return Tool(
            kind=kind,
            name=name or "",
            description=description,
            parameters=None,
            strict=None,
            value=value,
        )
    for needed in ("name", "input_schema"):
        if not value.get(needed) and value.get(needed) != {}:
            raise MalformedRequest(f"{place}.{needed}", f"{place}.{needed}: field required")
    return Tool(
        kind="function",
        name=name or "",
        description=description,
        parameters=_member(value, "input_schema", dict, place),
        strict=_member(value, "strict", bool, place),
        value=value,
    )


_WORDS = {str: "a string", dict: "an object", bool: "true or false", int: "a whole number"}


def _member(value: dict[str, Any], name: str, wanted: type, place: str) -> Any:
    """An optional member of an already parsed object; MalformedRequest for another type."""
    found = value.get(name)
    if found is None or type(found) is wanted:
        return found
    is_boolean = isinstance(found, bool) and wanted is not bool
    if is_boolean or not isinstance(found, wanted):
        where = f"{place}.{name}"
        raise MalformedRequest(where, f"{where}: must be {_WORDS[wanted]}")
    return found


def _object(given: msgspec.Raw | None, place: str) -> dict[str, Any]:
    if given is None or raw.is_null(given):
        return {}
    value = raw.value(given, place)
    if not isinstance(value, dict):
        raise MalformedRequest(place, f"{place}: must be an object, not {raw.kind(given)}")
    return value


def _tool_choice(given: msgspec.Raw | None) -> tuple[ToolChoice | None, bool | None]:
    """The choice, and False for `parallel_tools` where the client turns them off."""
    if given is None or not (value := _object(given, "tool_choice")):
        return None, None
    kind = _CHOICES.get(_member(value, "type", str, "tool_choice") or "")
    if kind is None:
        message = 'tool_choice.type: must be "auto", "any", "tool" or "none"'
        raise MalformedRequest("tool_choice.type", message)
    name = _member(value, "name", str, "tool_choice")
    if kind is ChoiceKind.NAMED and not name:
        raise MalformedRequest("tool_choice.name", "tool_choice.name: field required")
    single = _member(value, "disable_parallel_tool_use", bool, "tool_choice")
    return ToolChoice(kind=kind, name=name), False if single else None


def _thinking(given: msgspec.Raw | None, rest: list[str]) -> ThinkingWish | None:
    """The wish; a form nobody here knows stays a raw member."""
    if given is None or not (value := _object(given, "thinking")):
        return None
    form = _member(value, "type", str, "thinking")
    if form is None:
        raise MalformedRequest("thinking.type", "thinking.type: field required")
    budget = _member(value, "budget_tokens", int, "thinking")
    display = _member(value, "display", str, "thinking")
    kind = _THINKING.get(form)
    if kind is None:
        rest.append("thinking")
        return None
    if kind is ThinkingKind.ENABLED and budget is None:
        raise MalformedRequest("thinking.budget_tokens", "thinking.budget_tokens: field required")
    return ThinkingWish(kind=kind, budget=budget, display=display)


def _output_config(
    given: msgspec.Raw | None, rest: list[str]
) -> tuple[str | None, JsonFormat | None]:
    """(effort, format); every other member is added to `rest` with its place."""
    if given is None:
        return None, None
    value = _object(given, "output_config")
    effort = _member(value, "effort", str, "output_config")
    wanted = _member(value, "format", dict, "output_config")
    known = {"effort"}
    found: JsonFormat | None = None
    if wanted is None or wanted.get("type") == "json_schema":
        known.add("format")
    if wanted is not None and wanted.get("type") == "json_schema":
        schema = _member(wanted, "schema", dict, "output_config.format")
        if schema is None:
            place = "output_config.format.schema"
            raise MalformedRequest(place, f"{place}: field required")
        found = JsonFormat(schema=schema)
    rest.extend(f"output_config.{name}" for name in value if name not in known)
    return effort, found


def _stop_sequences(given: msgspec.Raw | None) -> tuple[str, ...]:
    if given is None or raw.is_null(given):
        return ()
    return tuple(
        raw.string(item, f"stop_sequences.{index}")
        for index, item in enumerate(raw.items(given, "stop_sequences"))
    )


def _metadata(given: msgspec.Raw | None) -> dict[str, Any]:
    return _object(given, "metadata")
