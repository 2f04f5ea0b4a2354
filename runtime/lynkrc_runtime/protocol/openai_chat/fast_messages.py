"""The common forms of messages, decoded in one go: the same result as `read_messages`, sooner.

Long conversations are nearly all text, calls and results with no unknown member. Those are decoded
by one typed decoder; anything else (other parts, unknown members, results without an id, mistakes)
gives None and is read with care, which also finds the words for what is wrong.

>>> fast_messages(b'[{"role":"user","content":"Hi"}]')[1][0].blocks
(Text(text='Hi', extra={}),)
>>> fast_messages(b'[{"role":"user","content":"Hi","name":"ann"}]')
"""

from typing import Any, Literal, TypeAlias

import msgspec

from lynkrc_runtime.protocol.conversation import (
    Block,
    Message,
    Refusal,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from lynkrc_runtime.protocol.outside import NOT_JSON


class _Part(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    type: Literal["text"]  # not a tag: outside a union a missing tag is no mistake
    text: str


_Content: TypeAlias = str | list[_Part]


class _Function(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    name: str
    arguments: str


class _Call(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    id: str
    function: _Function
    type: Literal["function"] = "function"


class _System(msgspec.Struct, tag_field="role", tag="system", forbid_unknown_fields=True, gc=False):
    content: _Content


class _Developer(
    msgspec.Struct, tag_field="role", tag="developer", forbid_unknown_fields=True, gc=False
):
    content: _Content


class _User(msgspec.Struct, tag_field="role", tag="user", forbid_unknown_fields=True, gc=False):
    content: _Content


class _Assistant(
    msgspec.Struct, tag_field="role", tag="assistant", forbid_unknown_fields=True, gc=False
):
    content: _Content | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None
    reasoning_content: str | None = None
    audio: None = None
    function_call: None = None


class _Tool(msgspec.Struct, tag_field="role", tag="tool", forbid_unknown_fields=True, gc=False):
    tool_call_id: str
    content: _Content | None = None
    name: Any = None


_decode = msgspec.json.Decoder(list[_System | _Developer | _User | _Assistant | _Tool]).decode


def fast_messages(raw: bytes) -> tuple[tuple[Text, ...], tuple[Message, ...]] | None:
    """(leading system text, the other messages), or None where they must be read with care."""
    try:
        entries = _decode(raw)
    except NOT_JSON:
        return None
    if not entries:
        return None
    system: list[Text] = []
    messages: list[Message] = []
    results: list[Block] = []
    for entry in entries:
        if isinstance(entry, _Tool):
            content = _texts(entry.content)
            results.append(ToolResult(call_id=entry.tool_call_id, content=content))
            continue
        if results:
            messages.append(Message(role=Role.USER, blocks=tuple(results)))
            results = []
        if isinstance(entry, _User):
            messages.append(Message(role=Role.USER, blocks=_texts(entry.content)))
        elif isinstance(entry, _Assistant):
            blocks = _said(entry)
            if blocks is None:
                return None
            messages.append(Message(role=Role.ASSISTANT, blocks=blocks))
        elif messages:
            messages.append(Message(role=Role.SYSTEM, blocks=_texts(entry.content)))
        else:
            system.extend(_texts(entry.content))
    if results:
        messages.append(Message(role=Role.USER, blocks=tuple(results)))
    return tuple(system), tuple(messages)


def _said(entry: _Assistant) -> tuple[Block, ...] | None:
    texts = _texts(entry.content)
    if not (entry.tool_calls or entry.reasoning_content or entry.refusal):
        return texts
    blocks: list[Block] = []
    if entry.reasoning_content:
        blocks.append(Thinking(text=entry.reasoning_content))
    blocks += texts
    if entry.refusal:
        blocks.append(Refusal(text=entry.refusal))
    for call in entry.tool_calls or ():
        if not call.id:
            return None
        function = call.function
        blocks.append(ToolCall(id=call.id, name=function.name, arguments=function.arguments))
    return tuple(blocks)


def _texts(content: _Content | None) -> tuple[Text, ...]:
    if isinstance(content, str):
        return (Text(text=content),) if content else ()
    return tuple(Text(text=part.text) for part in content or ())
