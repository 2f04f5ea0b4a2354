"""The common forms of messages, decoded in one go: the same result as `read_messages`, sooner.

Long conversations are nearly all text, calls and results with no unknown member. Those are decoded
by one typed decoder; anything else (other parts, unknown members, results without an id, mistakes)
gives None and is read with care, which also finds the words for what is wrong.

>>> fast_messages(b'[{"role":"user","content":"Hi"}]')[1][0].blocks
(Text(text='Hi', extra={}),)
>>> fast_messages(b'[{"role":"user","content":"Hi","name":"ann"}]')
"""

from collections.abc import Sequence
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
from lynkrc_runtime.protocol.estimate import TOKENS_PER_MESSAGE, estimate_text
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


Entry: TypeAlias = _System | _Developer | _User | _Assistant | _Tool
"""A message of the common forms, as the dialect spells it."""

decode_entries = msgspec.json.Decoder(list[Entry]).decode


Conversation: TypeAlias = tuple[tuple[Text, ...], Sequence[Message]]
"""Leading system text, and the other messages."""


def fast_messages(raw: bytes) -> Conversation | None:
    """The conversation, or None where they must be read with care."""
    try:
        entries = decode_entries(raw)
    except NOT_JSON:
        return None
    if not entries:
        return None
    system: list[Text] = []
    starts: list[int] = []
    kinds = bytearray()
    results: list[int] = []
    has_reasoning = answers = False
    tokens = 0
    for number, entry in enumerate(entries):
        if type(entry) is _Tool:
            if not answers:
                answers = True
                starts.append(number)
                kinds.append(RESULT)
            results.append(len(kinds) - 1)
        else:
            answers = False
            if type(entry) is _Assistant:
                kinds.append(ASSISTANT)
                if entry.tool_calls is not None:
                    for call in entry.tool_calls:
                        if not call.id:
                            return None
                        function = call.function
                        tokens += estimate_text(function.name) + estimate_text(function.arguments)
                if entry.reasoning_content:
                    has_reasoning = True
                    tokens += estimate_text(entry.reasoning_content)
                if entry.refusal:
                    tokens += estimate_text(entry.refusal)
            elif type(entry) is _User:
                kinds.append(USER)
            elif kinds:
                kinds.append(SYSTEM)
            else:
                system.extend(texts_of(entry.content))
                continue
            starts.append(number)
        content = entry.content
        if isinstance(content, str):
            tokens += -(-len(content) // 4) if content.isascii() else estimate_text(content)
        elif content:
            tokens += sum([estimate_text(part.text) for part in content])
    course = Course(kinds=bytes(kinds), results=results, errors=[], has_reasoning=has_reasoning)
    tokens += TOKENS_PER_MESSAGE * len(kinds)
    return tuple(system), LateMessages(
        entries, starts, message_of, course, tokens, lambda first: _calls(entries[first:])
    )


def _calls(entries: Sequence[Entry]) -> list[GivenCall]:
    return [
        (call.function.name, call.function.arguments)
        for entry in entries
        if type(entry) is _Assistant and entry.tool_calls is not None
        for call in entry.tool_calls
    ]


def is_answer(entry: Entry) -> bool:
    """Whether a tool says it."""
    return type(entry) is _Tool


def message_of(entries: Sequence[Entry]) -> Message:
    """The one they make: the first of them, or answers of tools in a row."""
    entry = entries[0]
    if type(entry) is _Assistant:
        return Message(role=Role.ASSISTANT, blocks=_said(entry))
    if type(entry) is not _Tool:
        role = Role.USER if type(entry) is _User else Role.SYSTEM
        return Message(role=role, blocks=texts_of(entry.content))
    return Message(
        role=Role.USER,
        blocks=tuple(
            [
                ToolResult(call_id=one.tool_call_id, content=texts_of(one.content))
                for one in entries
                if type(one) is _Tool
            ]
        ),
    )


def _said(entry: _Assistant) -> tuple[Block, ...]:
    texts = texts_of(entry.content)
    if not (entry.tool_calls or entry.reasoning_content or entry.refusal):
        return texts
    blocks: list[Block] = []
    if entry.reasoning_content:
        blocks.append(Thinking(text=entry.reasoning_content))
    blocks += texts
    if entry.refusal:
        blocks.append(Refusal(text=entry.refusal))
    for call in entry.tool_calls or ():
        function = call.function
        blocks.append(ToolCall(id=call.id, name=function.name, arguments=function.arguments))
    return tuple(blocks)


def texts_of(content: _Content | None) -> tuple[Text, ...]:
    """The texts of what somebody says."""
    if isinstance(content, str):
        return (Text(text=content),) if content else ()
    return tuple([Text(text=part.text) for part in content]) if content else ()
