"""The common forms of messages, decoded in one go: the same result as `read_message`, sooner.

Long conversations are nearly all text, calls, results and thinking with no unknown member. Those
are decoded by one typed decoder; anything else (other blocks, unknown members, mistakes) gives
None and is read with care, which also finds the words for what is wrong.
"""

from collections.abc import Sequence
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
from lynkrc_runtime.protocol.estimate import TOKENS_PER_MESSAGE, estimate_bytes, estimate_text
from lynkrc_runtime.protocol.late_messages import (
    ASSISTANT,
    RESULT,
    SYSTEM,
    USER,
    Course,
    GivenCall,
    LateMessages,
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


class WireMessage(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A message of the common forms, as the dialect spells it."""

    role: Literal["user", "assistant", "system"]
    content: str | list[_Block]


decode_one = msgspec.json.Decoder(WireMessage).decode
decode_list = msgspec.json.Decoder(list[WireMessage]).decode
_system = msgspec.json.Decoder(str | list[_ResultText]).decode
_ROLES = {role.value: role for role in Role}
_KINDS = {"user": USER, "assistant": ASSISTANT, "system": SYSTEM}


def fast_messages(items: msgspec.Raw) -> Sequence[Message] | None:
    """The whole list, or None where some message of it must be read with care."""
    try:
        entries = decode_list(items)
    except NOT_JSON:
        return None
    kinds = bytearray()
    results: list[int] = []
    errors: list[int] = []
    has_reasoning = False
    tokens = TOKENS_PER_MESSAGE * len(entries)
    for index, entry in enumerate(entries):
        content = entry.content
        if type(content) is str:
            kinds.append(_KINDS[entry.role])
            tokens += estimate_text(content)
            continue
        before = len(results)
        for block in content:
            # The many first. A call for each would cost more than what it does.
            if type(block) is _ToolResult:
                results.append(index)
                if block.is_error:
                    errors.append(index)
                inner = block.content
                if inner is None:
                    pass
                elif isinstance(inner, str):
                    tokens += -(-len(inner) // 4) if inner.isascii() else estimate_text(inner)
                else:
                    tokens += sum([estimate_text(part.text) for part in inner])
            elif type(block) is _ToolUse:
                given = bytes(block.input)
                if given[:1] != b"{":
                    return None
                tokens += estimate_text(block.name)
                tokens += -(-len(given) // 4) if given.isascii() else estimate_text(given.decode())
            elif type(block) is _Text:
                text = block.text
                tokens += -(-len(text) // 4) if text.isascii() else estimate_text(text)
            elif type(block) is _Thinking:
                has_reasoning = True
                tokens += estimate_text(block.thinking)
            elif type(block) is _Redacted:
                has_reasoning = True
                tokens += estimate_bytes(len(block.data))
        kind = _KINDS[entry.role]
        has_results_alone = kind == USER and len(results) - before == len(content) > 0
        kinds.append(RESULT if has_results_alone else kind)
    course = Course(kinds=bytes(kinds), results=results, errors=errors, has_reasoning=has_reasoning)
    return LateMessages(
        entries,
        range(len(entries)),
        first_message,
        course,
        tokens,
        lambda first: _calls(entries[first:]),
    )


def fast_message(item: msgspec.Raw) -> Message | None:
    """One message, or None where it must be read with care."""
    try:
        found = decode_one(item)
    except NOT_JSON:
        return None
    for block in () if type(found.content) is str else found.content:
        if type(block) is _ToolUse and bytes(block.input)[:1] != b"{":
            return None
    return _message(found)


def fast_system(given: bytes) -> tuple[Text, ...] | None:
    """`system`, or None where it must be read with care."""
    try:
        found = _system(given)
    except NOT_JSON:
        return None
    if isinstance(found, str):
        return (Text(text=found),) if found else ()
    return tuple(
        [
            Text(text=block.text)
            if block.cache_control is None
            else Text(text=block.text, extra={"cache_control": block.cache_control})
            for block in found
        ]
    )


def first_message(entries: Sequence[WireMessage]) -> Message:
    """The first of them, as a neutral one."""
    return _message(entries[0])


def _calls(entries: Sequence[WireMessage]) -> list[GivenCall]:
    return [
        (block.name, bytes(block.input))
        for entry in entries
        if type(entry.content) is list
        for block in entry.content
        if type(block) is _ToolUse
    ]


def _message(found: WireMessage) -> Message:
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
