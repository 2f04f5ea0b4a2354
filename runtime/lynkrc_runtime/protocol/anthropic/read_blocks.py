"""Raw Anthropic content, to neutral blocks (wire reference A.1.3).

Tool inputs stay JSON text as written; blocks only this dialect understands stay whole, as Opaque.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from lynkrc_runtime.protocol.anthropic import raw
from lynkrc_runtime.protocol.conversation import (
    Block,
    Document,
    Image,
    MalformedRequest,
    Message,
    Opaque,
    RedactedThinking,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

NAME = "anthropic-messages"

_TEXT = frozenset(("type", "text"))
_IMAGE = frozenset(("type", "source"))
_DOCUMENT = frozenset(("type", "source", "title"))
_SEARCH_RESULT = frozenset(("type", "source", "title", "content"))
_TOOL_USE = frozenset(("type", "id", "name", "input"))
_TOOL_RESULT = frozenset(("type", "tool_use_id", "content", "is_error"))
_MESSAGE = frozenset(("role", "content"))
_ROLES = {role.value: role for role in Role}


def read_message(item: msgspec.Raw, place: str) -> Message:
    """One entry of `messages`; siblings of role and content go to `extra`."""
    found = raw.members(item, place)
    role = raw.string(found.get("role"), f"{place}.role")
    if role not in _ROLES:
        message = f'{place}.role: must be "user", "assistant" or "system", not "{role}"'
        raise MalformedRequest(f"{place}.role", message)
    if "content" not in found:
        raise MalformedRequest(f"{place}.content", f"{place}.content: field required")
    return Message(
        role=_ROLES[role],
        blocks=read_content(found["content"], f"{place}.content"),
        extra=raw.extra(found, _MESSAGE, place),
    )


def read_content(content: msgspec.Raw | bytes, place: str) -> tuple[Block, ...]:
    """A string or a list of blocks; an empty string is no block."""
    data = bytes(content)
    if data[:1] == b'"':
        text = raw.string(content, place)
        return (Text(text=text),) if text else ()
    if data[:1] != b"[":
        message = f"{place}: must be a string or a list of blocks, not {raw.kind(content)}"
        raise MalformedRequest(place, message)
    return tuple(
        read_block(item, f"{place}.{index}") for index, item in enumerate(raw.items(data, place))
    )


def read_system(content: bytes, place: str) -> tuple[Text, ...]:
    """`system`: a string or text blocks."""
    texts: list[Text] = []
    for index, block in enumerate(read_content(content, place)):
        if not isinstance(block, Text):
            where = f"{place}.{index}.type"
            raise MalformedRequest(where, f'{where}: must be "text" in {place}')
        texts.append(block)
    return tuple(texts)


def read_block(item: msgspec.Raw, place: str) -> Block:
    """One block. A type without a neutral form becomes Opaque, unknown ones included."""
    found = raw.members(item, place)
    block_type = raw.string(found.get("type"), f"{place}.type")
    reader = _READERS.get(block_type)
    if reader is None:
        return Opaque(dialect=NAME, type=block_type, value=raw.value(item, place))
    return reader(found, place)


def _text(found: raw.Members, place: str) -> Block:
    return Text(
        text=raw.string(found.get("text"), f"{place}.text"), extra=raw.extra(found, _TEXT, place)
    )


def _source(found: raw.Members, place: str) -> tuple[str, raw.Members, str]:
    """(type, members, place) of a block's `source` object."""
    where = f"{place}.source"
    if "source" not in found:
        raise MalformedRequest(where, f"{where}: field required")
    source = raw.members(found["source"], where)
    return raw.string(source.get("type"), f"{where}.type"), source, where


def _image(found: raw.Members, place: str) -> Block:
    kind, source, where = _source(found, place)
    extra = raw.extra(found, _IMAGE, place)
    match kind:
        case "base64":
            return Image(
                media_type=raw.string(source.get("media_type"), f"{where}.media_type"),
                data=raw.string(source.get("data"), f"{where}.data"),
                extra=extra,
            )
        case "url":
            return Image(url=raw.string(source.get("url"), f"{where}.url"), extra=extra)
        case "file":
            file_id = raw.string(source.get("file_id"), f"{where}.file_id")
            return Image(file_id=file_id, extra=extra)
        case _:
            return _opaque(found, "image", place)


def _document(found: raw.Members, place: str) -> Block:
    kind, source, where = _source(found, place)
    title = raw.optional_string(found.get("title"), f"{place}.title")
    extra = raw.extra(found, _DOCUMENT, place)
    match kind:
        case "base64":
            return Document(
                media_type=raw.string(source.get("media_type"), f"{where}.media_type"),
                data=raw.string(source.get("data"), f"{where}.data"),
                title=title,
                extra=extra,
            )
        case "text":
            text = raw.string(source.get("data"), f"{where}.data")
            return Document(media_type="text/plain", text=text, title=title, extra=extra)
        case "url":
            url = raw.string(source.get("url"), f"{where}.url")
            return Document(url=url, title=title, extra=extra)
        case "file":
            file_id = raw.string(source.get("file_id"), f"{where}.file_id")
            return Document(file_id=file_id, title=title, extra=extra)
        case "content" if "content" in source:
            parts = read_content(source["content"], f"{where}.content")
            texts = [part.text for part in parts if isinstance(part, Text)]
            if len(texts) == len(parts):
                text = "\n\n".join(texts)
                return Document(media_type="text/plain", text=text, title=title, extra=extra)
            return _opaque(found, "document", place)
        case _:
            return _opaque(found, "document", place)


def _search_result(found: raw.Members, place: str) -> Block:
    """As a text document that names its source (wire reference C.1.3)."""
    source = raw.string(found.get("source"), f"{place}.source")
    parts = read_content(found["content"], f"{place}.content") if "content" in found else ()
    texts = [part.text for part in parts if isinstance(part, Text)]
    return Document(
        media_type="text/plain",
        text="\n\n".join([f"Source: {source}", *texts]),
        title=raw.optional_string(found.get("title"), f"{place}.title"),
        extra=raw.extra(found, _SEARCH_RESULT, place),
    )


def _tool_use(found: raw.Members, place: str) -> Block:
    where = f"{place}.input"
    if "input" not in found:
        raise MalformedRequest(where, f"{where}: field required")
    arguments = bytes(found["input"])
    if arguments[:1] != b"{":
        message = f"{where}: must be an object, not {raw.kind(arguments)}"
        raise MalformedRequest(where, message)
    return ToolCall(
        id=raw.string(found.get("id"), f"{place}.id"),
        name=raw.string(found.get("name"), f"{place}.name"),
        arguments=arguments.decode(),
        extra=raw.extra(found, _TOOL_USE, place),
    )


def _tool_result(found: raw.Members, place: str) -> Block:
    content = found.get("content")
    return ToolResult(
        call_id=raw.string(found.get("tool_use_id"), f"{place}.tool_use_id"),
        content=()
        if content is None or raw.is_null(content)
        else read_content(content, f"{place}.content"),
        is_error=raw.optional_boolean(found.get("is_error"), f"{place}.is_error"),
        extra=raw.extra(found, _TOOL_RESULT, place),
    )


def _thinking(found: raw.Members, place: str) -> Block:
    return Thinking(
        text=raw.string(found.get("thinking"), f"{place}.thinking"),
        signature=raw.optional_string(found.get("signature"), f"{place}.signature") or None,
    )


def _redacted_thinking(found: raw.Members, place: str) -> Block:
    return RedactedThinking(data=raw.string(found.get("data"), f"{place}.data"))


def _opaque(found: raw.Members, block_type: str, place: str) -> Block:
    whole: dict[str, Any] = {
        name: raw.value(member, f"{place}.{name}") for name, member in found.items()
    }
    return Opaque(dialect=NAME, type=block_type, value=whole)


_READERS: Mapping[str, Callable[[raw.Members, str], Block]] = MappingProxyType(
    {
        "text": _text,
        "image": _image,
        "document": _document,
        "search_result": _search_result,
        "tool_use": _tool_use,
        "tool_result": _tool_result,
        "thinking": _thinking,
        "redacted_thinking": _redacted_thinking,
    }
)
