"""The `messages` of a Chat request, to leading system text and neutral messages.

Runs of `tool` messages become one user message; a user message that follows stays its own.
The legacy `function_call` and role `function` are read as calls with ids made here.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any, final
from urllib.parse import unquote_to_bytes

import msgspec

from lynkrc_runtime.protocol.conversation import (
    Block,
    Document,
    Image,
    Message,
    Opaque,
    Refusal,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from lynkrc_runtime.protocol.openai_chat import reasoning
from lynkrc_runtime.protocol.openai_chat.checks import (
    as_list,
    as_object,
    as_text,
    malformed,
    others,
)
from lynkrc_runtime.protocol.openai_chat.reasoning_details import placed

DIALECT_NAME = "openai-chat"

KNOWN_MEMBERS = ("role", "content", "refusal", "tool_calls", "function_call", *reasoning.FIELDS)
"""Members of an assistant message that `assistant_blocks` reads."""

USUAL_DETAIL = "auto"
"""The `detail` of a picture that asks for nothing; the SDKs have to say it."""

_ROLES = "developer, system, user, assistant, tool, function"


def read_messages(values: list[Any]) -> tuple[tuple[Text, ...], tuple[Message, ...]]:
    """(leading system text, the other messages). Raises MalformedRequest.

    >>> read_messages([{"role": "system", "content": "Be terse."}])
    ((Text(text='Be terse.', extra={}),), ())
    """
    conversation = _Conversation()
    for number, value in enumerate(values):
        conversation.add(as_object(value, f"messages.{number}"), number)
    conversation.end_results()
    return tuple(conversation.system), tuple(conversation.messages)


@final
class _Conversation:
    """What has been read so far: `results` is the open run of tool messages, `open_calls` the
    (id, name) of calls without a result."""

    __slots__ = ("messages", "open_calls", "results", "system")

    def __init__(self) -> None:
        self.system: list[Text] = []
        self.messages: list[Message] = []
        self.results: list[Block] = []
        self.open_calls: list[tuple[str, str]] = []

    def add(self, message: dict[str, Any], number: int) -> None:
        place = f"messages.{number}"
        role = as_text(message.get("role"), f"{place}.role")
        if role in ("tool", "function"):
            self.results.append(self._result(message, place))
            return
        self.end_results()
        match role:
            case "system" | "developer":
                self._add_system(message, place)
            case "user":
                blocks = _content(message.get("content"), f"{place}.content")
                extra = others(message, ("role", "content"))
                self.messages.append(Message(role=Role.USER, blocks=blocks, extra=extra))
            case "assistant":
                self.messages.append(self._assistant(message, number))
            case _:
                raise malformed(f"{place}.role", f"must be one of {_ROLES}, not {role!r}")

    def end_results(self) -> None:
        if self.results:
            self.messages.append(Message(role=Role.USER, blocks=tuple(self.results)))
            self.results = []

    def _add_system(self, message: dict[str, Any], place: str) -> None:
        extra = others(message, ("role", "content"))
        blocks = _content(message.get("content"), f"{place}.content")
        if self.messages:
            self.messages.append(Message(role=Role.SYSTEM, blocks=blocks, extra=extra))
            return
        for number, block in enumerate(blocks):
            if not isinstance(block, Text):
                where = f"{place}.content.{number}.type"
                raise malformed(where, "a system message holds text only")
            # A system text has no message around it: what stood there goes with its first text.
            whole = block if number else Text(text=block.text, extra={**extra, **block.extra})
            self.system.append(whole)

    def _assistant(self, message: dict[str, Any], number: int) -> Message:
        blocks = assistant_blocks(message, f"messages.{number}", lambda n: f"call_{number}_{n}")
        self.open_calls = [(call.id, call.name) for call in blocks if isinstance(call, ToolCall)]
        return Message(role=Role.ASSISTANT, blocks=blocks, extra=others(message, KNOWN_MEMBERS))

    def _result(self, message: dict[str, Any], place: str) -> ToolResult:
        given, name = message.get("tool_call_id"), message.get("name")
        if message["role"] == "tool" and given is not None:
            call_id = as_text(given, f"{place}.tool_call_id")
            self.open_calls = [call for call in self.open_calls if call[0] != call_id]
        else:
            call_id = self._answered(name, place)
        content = message.get("content")
        blocks = () if content is None else _content(content, f"{place}.content")
        extra = others(message, ("role", "content", "tool_call_id", "name"))
        return ToolResult(call_id=call_id, content=blocks, extra=extra)

    def _answered(self, name: Any, place: str) -> str:
        """The id of the first open call of that name: for results that carry no id."""
        for call in self.open_calls:
            if name is None or call[1] == name:
                self.open_calls.remove(call)
                return call[0]
        raise malformed(f"{place}.tool_call_id", "is missing, and no open call fits")


def assistant_blocks(
    message: dict[str, Any], place: str, made_id: Callable[[int], str]
) -> tuple[Block, ...]:
    """What an assistant message says, calls last; `made_id` names the n-th call without an id.

    Reasoning stands at the head, or before the call it led to.
    """
    blocks: list[Block] = []
    if message.get("content") is not None:
        blocks += _content(message["content"], f"{place}.content")
    if message.get("refusal"):
        blocks.append(Refusal(text=as_text(message["refusal"], f"{place}.refusal")))
    entries = message.get("tool_calls")
    entries = [] if entries is None else as_list(entries, f"{place}.tool_calls")
    for number, entry in enumerate(entries):
        where = f"{place}.tool_calls.{number}"
        blocks.append(_call(as_object(entry, where), made_id(number), where))
    if message.get("function_call") is not None:
        where = f"{place}.function_call"
        legacy = as_object(message["function_call"], where)
        blocks.append(_function(legacy, made_id(len(entries)), where, {}))
    return placed(reasoning.read_reasoning(message), blocks)


def _call(entry: dict[str, Any], made_id: str, place: str) -> ToolCall:
    call_id = as_text(entry["id"], f"{place}.id") if entry.get("id") else made_id
    extra = others(entry, ("id", "type", "function", "custom", "index"))
    if entry.get("type") == "custom":
        where = f"{place}.custom"
        custom = as_object(entry.get("custom"), where)
        return ToolCall(
            id=call_id,
            name=as_text(custom.get("name"), f"{where}.name"),
            arguments=as_text(custom.get("input"), f"{where}.input"),
            custom=True,
            extra=extra,
        )
    where = f"{place}.function"
    return _function(as_object(entry.get("function"), where), call_id, where, extra)


def _function(
    function: dict[str, Any], call_id: str, place: str, extra: Mapping[str, Any]
) -> ToolCall:
    return ToolCall(
        id=call_id,
        name=as_text(function.get("name"), f"{place}.name"),
        arguments=arguments_text(function.get("arguments")),
        extra=extra,
    )


def arguments_text(arguments: Any) -> str:
    """Arguments as JSON text; servers and clients exist that put the object itself there."""
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()


def _content(content: Any, place: str) -> tuple[Block, ...]:
    return read_content(content, place, _part)


def read_content(
    content: Any, place: str, read_part: Callable[[dict[str, Any], str], Block]
) -> tuple[Block, ...]:
    """The blocks of a string or of an array of parts, each read by `read_part(part, place)`."""
    if isinstance(content, str):
        return (Text(text=content),) if content else ()
    if not isinstance(content, list):
        raise malformed(place, "must be a string or an array of parts")
    return tuple(
        read_part(as_object(part, f"{place}.{number}"), f"{place}.{number}")
        for number, part in enumerate(content)
    )


def _part(part: dict[str, Any], place: str) -> Block:
    kind = as_text(part.get("type"), f"{place}.type")
    match kind:
        case "text":
            text = as_text(part.get("text"), f"{place}.text")
            return Text(text=text, extra=others(part, ("type", "text")))
        case "refusal":
            return Refusal(text=as_text(part.get("refusal"), f"{place}.refusal"))
        case "image_url":
            return _image(part, place)
        case "file":
            return _file(part, place)
        case _:
            thought = reasoning.part_reasoning(part)
            if thought is not None:
                return Thinking(text=thought, signature=reasoning.part_signature(part))
            return Opaque(dialect=DIALECT_NAME, type=kind, value=part)


def _image(part: dict[str, Any], place: str) -> Image:
    where = f"{place}.image_url"
    source = part.get("image_url")
    if isinstance(source, str):
        source = {"url": source}
    source = as_object(source, where)
    url = as_text(source.get("url"), f"{where}.url")
    extra = others(part, ("type", "image_url")) | others(source, ("url",))
    if extra.get("detail") == USUAL_DETAIL:
        del extra["detail"]
    if url[:5].lower() == "data:":
        media_type, data = split_data_url(url, f"{where}.url")
        return Image(media_type=media_type, data=data, extra=extra)
    return Image(url=url, extra=extra)


def _file(part: dict[str, Any], place: str) -> Document:
    where = f"{place}.file"
    source = as_object(part.get("file"), where)
    extra = others(part, ("type", "file")) | others(source, ("file_data", "file_id", "filename"))
    title = source.get("filename")
    title = None if title is None else as_text(title, f"{where}.filename")
    if source.get("file_data") is None:
        file_id = as_text(source.get("file_id"), f"{where}.file_id")
        return Document(file_id=file_id, title=title, extra=extra)
    media_type, data = file_data(source["file_data"], title, f"{where}.file_data")
    return Document(media_type=media_type, data=data, title=title, extra=extra)


def file_data(value: Any, title: str | None, place: str) -> tuple[str | None, str]:
    """(media type, base64 data) of a file; without a ``data:`` URL its name may tell the type."""
    data = as_text(value, place)
    if data[:5].lower() == "data:":
        return split_data_url(data, place)
    is_pdf = title is not None and title.lower().endswith(".pdf")
    return "application/pdf" if is_pdf else None, data


def split_data_url(url: str, place: str) -> tuple[str | None, str]:
    """(media type, base64 data) of a ``data:`` URL.

    >>> split_data_url("data:image/png;base64,aGk=", "url")
    ('image/png', 'aGk=')
    """
    head, comma, data = url[5:].partition(",")
    if not comma:
        raise malformed(place, "a data: URL needs a comma before its data")
    media_type, *parameters = (piece.strip() for piece in head.split(";"))
    if "base64" not in (parameter.lower() for parameter in parameters):
        data = base64.b64encode(unquote_to_bytes(data)).decode()
    return media_type.lower() or None, data
