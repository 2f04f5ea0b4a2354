"""The body of `POST /v1/chat/completions`, to a neutral `Request` (wire reference A.2.1).

>>> body = b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"n":1,"max_tokens":9}'
>>> request = read_request(body, {})
>>> request.messages[0].blocks[0].text, request.options.max_tokens, request.rest
('Hi', 9, ('n',))
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from lynkrc_runtime.protocol.conversation import (
    MalformedRequest,
    Options,
    Request,
    Tool,
    ToolChoice,
)
from lynkrc_runtime.protocol.in_place import InPlace, find_in_place
from lynkrc_runtime.protocol.known_tools import Known, KnownTools
from lynkrc_runtime.protocol.long_member import members_around
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
from lynkrc_runtime.protocol.openai_chat.fast_messages import Conversation, fast_messages
from lynkrc_runtime.protocol.openai_chat.native_messages import conversation_in, native_messages
from lynkrc_runtime.protocol.openai_chat.read_messages import DIALECT_NAME, read_messages
from lynkrc_runtime.protocol.openai_chat.read_tools import (
    read_choice,
    read_format,
    read_function_call,
    read_functions,
    read_tools,
)
from lynkrc_runtime.protocol.outlines import Outlines

_T = TypeVar("_T")

_NEUTRAL = frozenset(
    (
        "model",
        "messages",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "top_k",
        "stop",
        "tools",
        "tool_choice",
        "functions",
        "function_call",
        "parallel_tool_calls",
        "response_format",
        "reasoning_effort",
        "stream",
        "stream_options",
        "user",
        "metadata",
    )
)


_NO_OPTIONS = frozenset(("model", "messages", "max_tokens", "max_completion_tokens", "stream"))
"""What stands in nearly every body; of these only limit and `stream` are options."""
_USUAL = ("service_tier", b'"auto"')
"""A member that says what holds without it too."""
_outlines = Outlines(
    (_NEUTRAL - {"functions", "function_call", "response_format"})
    | frozenset(("seed", "presence_penalty", "frequency_penalty", "verbosity", "n"))
    | frozenset(("service_tier", "store", "prompt_cache_key"))
)


def read_request(body: bytes, _headers: Mapping[str, str]) -> Request:
    """The request; MalformedRequest names the first member that cannot be read."""
    found = find_in_place(body, True, _known.last)
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


def _read_again(body: bytes, found: InPlace, like: Request) -> Request:
    """The request of a body with the outline of another one, which said `like`."""
    turns, tools = found[0], found[4]
    system, messages = conversation_in(body, turns)
    members = dict(like.members)
    members["messages"] = body[turns.begin : turns.end]
    if tools is not None:
        members["tools"] = tools
    return Request(
        dialect=DIALECT_NAME,
        model=like.model,
        system=system,
        messages=messages,
        tools=_tools(tools, None),
        tool_choice=like.tool_choice,
        options=like.options,
        metadata=like.metadata,
        members=members,
        rest=like.rest,
        body=body,
    )


def _read(body: bytes, found: InPlace | None) -> Request:
    """The same of any body; `found` in it was this."""
    members, conversation = _opened(body, found)
    # What has been read already needs no second look, nor what is read by itself.
    read = ("messages", "tools") if conversation else ("tools",)
    unread = {name: raw for name, raw in members.items() if name not in read}
    given = {
        name: decode_member(raw, name)
        for name, raw in unread.items()
        if name in _NEUTRAL and raw != b"null"
    }
    for needed in ("model", "messages"):
        if not given.get(needed) and not (conversation and needed == "messages"):
            raise malformed(needed, "is required and must not be empty")
    soft = _soft(members)
    system, messages = conversation or read_messages(as_list(given["messages"], "messages"))
    return Request(
        dialect=DIALECT_NAME,
        model=as_text(given["model"], "model"),
        system=system,
        messages=messages,
        tools=_tools(members.get("tools"), given.get("functions")),
        tool_choice=_choice(given),
        options=_options(given, soft),
        metadata=as_object(given.get("metadata", {}), "metadata"),
        members=members,
        rest=_rest(members, given, soft),
        body=body if found is not None and found[2] == len(members) else None,
    )


def _opened(body: bytes, found: InPlace | None) -> tuple[Mapping[str, bytes], Conversation | None]:
    """The members, and the conversation where it is a common one."""
    opened = None if found is None else native_messages(body, found)
    if opened is not None:
        return opened
    around = members_around(body, "messages")
    if around is not None:
        members = {name: bytes(raw) for name, raw in around.items()}
        conversation = fast_messages(members["messages"])
        if conversation is not None:
            return members, conversation
        # What is wrong is told as it is told of short bodies.
        return read_members(body), None
    members = read_members(body)
    return members, fast_messages(members.get("messages", b""))


_SOFT: Mapping[str, tuple[type, ...]] = {
    "seed": (int,),
    "presence_penalty": (int, float),
    "frequency_penalty": (int, float),
    "verbosity": (str,),
}
"""Options that other dialects may have a word for, and what they must be for that. Anything else
is the target's to refuse."""


def _soft(members: Mapping[str, bytes]) -> dict[str, Any]:
    if _SOFT.keys().isdisjoint(members):
        return {}
    values = {name: decode_member(members[name], name) for name in _SOFT if name in members}
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, _SOFT[name]) and not isinstance(value, bool)
    }


def _rest(
    members: Mapping[str, bytes], given: Mapping[str, Any], soft: Mapping[str, Any]
) -> tuple[str, ...]:
    names = [
        name
        for name, raw in members.items()
        if name not in _NEUTRAL and name not in soft and raw != b"null" and (name, raw) != _USUAL
    ]
    if "stream_options" in given:
        stream_options = others(given["stream_options"], ("include_usage",))
        names += (f"stream_options.{name}" for name in stream_options)
    form = given["response_format"].get("json_schema") if "response_format" in given else None
    if isinstance(form, dict):
        names += (f"response_format.{name}" for name in others(form, ("name", "schema", "strict")))
    return tuple(names)


def _tools(raw: bytes | None, functions: Any) -> tuple[Tool, ...]:
    tools = () if raw is None or raw == b"null" else _known.read(raw)
    return tools if functions is None else tools + read_functions(as_list(functions, "functions"))


def _read_tools(raw: bytes) -> KnownTools:
    return KnownTools(read_tools(as_list(decode_member(raw, "tools"), "tools")))


_known = Known(_read_tools)


def _choice(given: Mapping[str, Any]) -> ToolChoice | None:
    if "tool_choice" in given:
        return read_choice(given["tool_choice"])
    return read_function_call(given["function_call"]) if "function_call" in given else None


def _options(given: Mapping[str, Any], soft: Mapping[str, Any]) -> Options:
    if not soft and given.keys() <= _NO_OPTIONS:
        return Options(
            max_tokens=_max_tokens(given), stream=as_flag(given.get("stream", False), "stream")
        )
    stream_options = as_object(given.get("stream_options", {}), "stream_options")
    return Options(
        max_tokens=_max_tokens(given),
        temperature=_optional(as_number, given, "temperature"),
        top_p=_optional(as_number, given, "top_p"),
        top_k=_optional(as_integer, given, "top_k"),
        stop=_stop(given.get("stop", [])),
        effort=_optional(as_text, given, "reasoning_effort"),
        format=read_format(given["response_format"]) if "response_format" in given else None,
        parallel_tools=_optional(as_flag, given, "parallel_tool_calls"),
        seed=soft.get("seed"),
        presence_penalty=soft.get("presence_penalty"),
        frequency_penalty=soft.get("frequency_penalty"),
        verbosity=soft.get("verbosity"),
        user=_optional(as_text, given, "user"),
        stream=as_flag(given.get("stream", False), "stream"),
        include_usage=stream_options.get("include_usage") is True,
    )


def _optional(check: Callable[[Any, str], _T], given: Mapping[str, Any], name: str) -> _T | None:
    return check(given[name], name) if name in given else None


def _max_tokens(given: Mapping[str, Any]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        if name in given:
            value = as_integer(given[name], name)
            if value == 0:
                raise malformed(name, "must be at least 1")
            # Local servers read a negative limit as none.
            return value if value > 0 else None
    return None


def _stop(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(
        as_text(entry, f"stop.{number}") for number, entry in enumerate(as_list(value, "stop"))
    )
