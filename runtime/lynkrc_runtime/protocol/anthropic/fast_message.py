"""The common forms of messages, decoded in one go: the same result as `read_message`, sooner.

Long conversations are nearly all text, calls, results and thinking with no unknown member. Those
are decoded by one typed decoder; anything else (other blocks, unknown members, mistakes) gives
None and is read with care, which also finds the words for what is wrong.
"""

from typing import Any, Literal, TypeAlias

import msgspec

from lynkrc_runtime.protocol.conversation import (
    Block,
    Message,
    RedactedThinking,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from lynkrc_runtime.protocol.outside import NOT_JSON


class _Text(msgspec.Struct, tag_field="type", tag="text", forbid_unknown_fields=True, gc=False):
    text: str
    cache_control: dict[str, Any] | None = None


class _ResultText(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    type: Literal["text"]  # not a tag: outside a union a missing tag is no mistake
    text: str
    cache_control: dict[str, Any] | None = None


class _ToolUse(
    msgspec.Struct, tag_field="type", tag="tool_use", forbid_unknown_fields=True, gc=False
):
    id: str
    name: str
    input: msgspec.Raw
    cache_control: dict[str, Any] | None = None


class _ToolResult(
    msgspec.Struct, tag_field="type", tag="tool_result", forbid_unknown_fields=True, gc=False
):
    tool_use_id: str
    content: str | list[_ResultText] | None = None
    is_error: bool | None = None
    cache_control: dict[str, Any] | None = None


class _Thinking(
    msgspec.Struct, tag_field="type", tag="thinking", forbid_unknown_fields=True, gc=False
):
    thinking: str
    signature: str | None = None


class _Redacted(
    msgspec.Struct, tag_field="type", tag="redacted_thinking", forbid_unknown_fields=True, gc=False
):
    data: str


_Block: TypeAlias = _Text | _ToolUse | _ToolResult | _Thinking | _Redacted


class _Message(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["user", "assistant", "system"]
    content: str | list[_Block]


_one = msgspec.json.Decoder(_Message).decode
_list = msgspec.json.Decoder(list[_Message]).decode
_system = msgspec.json.Decoder(str | list[_ResultText]).decode
_ROLES = {role.value: role for role in Role}


def fast_messages(items: msgspec.Raw) -> tuple[Message, ...] | None:
    """The whole list, or None where some message of it must be read with care."""
    try:
        found = _list(items)
    except NOT_JSON:
        return None
    messages: list[Message] = []
    for entry in found:
        message = _message(entry)
        if message is None:
            return None
        messages.append(message)
    return tuple(messages)


def fast_message(item: msgspec.Raw) -> Message | None:
    """One message, or None where it must be read with care."""
    try:
        found = _one(item)
    except NOT_JSON:
        return None
    return _message(found)


def fast_system(given: msgspec.Raw) -> tuple[Text, ...] | None:
    """`system`, or None where it must be read with care."""
    try:
        found = _system(given)
    except NOT_JSON:
        return None
    if isinstance(found, str):
        return (Text(text=found),) if found else ()
    return tuple([_text(block) for block in found])


def _message(found: _Message) -> Message | None:
    content = found.content
    if isinstance(content, str):
        blocks: tuple[Block, ...] = (Text(text=content),) if content else ()
        return Message(role=_ROLES[found.role], blocks=blocks)
    read: list[Block] = []
    for block in content:
        # The many first. A call for each would cost more than what it does.
        if type(block) is _ToolResult:
            inner = block.content
            if isinstance(inner, str):
                parts: tuple[Text, ...] = (Text(text=inner),) if inner else ()
            else:
                parts = tuple([_text(part) for part in inner]) if inner else ()
            read.append(
                ToolResult(call_id=block.tool_use_id, content=parts, is_error=block.is_error)
                if block.cache_control is None
                else ToolResult(
                    call_id=block.tool_use_id,
                    content=parts,
                    is_error=block.is_error,
                    extra={"cache_control": block.cache_control},
                )
            )
        elif type(block) is _ToolUse:
            arguments = str(block.input, "utf-8")
            if not arguments.startswith("{"):
                return None
            read.append(
                ToolCall(id=block.id, name=block.name, arguments=arguments)
                if block.cache_control is None
                else ToolCall(
                    id=block.id,
                    name=block.name,
                    arguments=arguments,
                    extra={"cache_control": block.cache_control},
                )
            )
        elif type(block) is _Text:
            read.append(_text(block))
        elif type(block) is _Thinking:
            read.append(Thinking(text=block.thinking, signature=block.signature or None))
        elif type(block) is _Redacted:
            read.append(RedactedThinking(data=block.data))
    return Message(role=_ROLES[found.role], blocks=tuple(read))


def _text(block: _Text | _ResultText) -> Text:
    if block.cache_control is None:
        return Text(text=block.text)
    return Text(text=block.text, extra={"cache_control": block.cache_control})
