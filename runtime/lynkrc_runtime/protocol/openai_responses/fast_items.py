"""The common items of `input`, decoded in one go: the same result as `read_items`, sooner.

An agent's conversation is nearly all messages, calls, results and reasoning with no unknown member.
Those are decoded by one typed decoder; anything else (other items and parts, unknown members,
mistakes) gives None and is read with care, which also finds the words for what is wrong.

>>> items = fast_items(b'[{"type":"message","role":"user","content":"Hi"}]')
>>> join_items(items, None, ToolNames())[1][0].blocks
(Text(text='Hi', extra={}),)
>>> fast_items(b'[{"type":"message","role":"user","content":"Hi","name":"ann"}]')
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from lynkrc_runtime.protocol.conversation import (
    Block,
    Message,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from lynkrc_runtime.protocol.openai_responses.read_items import read_reasoning
from lynkrc_runtime.protocol.openai_responses.read_tools import ToolNames
from lynkrc_runtime.protocol.outside import NOT_JSON

_Nothing: TypeAlias = Annotated[list[Any], msgspec.Meta(max_length=0)] | None


class _Input(
    msgspec.Struct, tag_field="type", tag="input_text", forbid_unknown_fields=True, gc=False
):
    text: str


class _Output(
    msgspec.Struct, tag_field="type", tag="output_text", forbid_unknown_fields=True, gc=False
):
    text: str
    annotations: _Nothing = None
    logprobs: _Nothing = None


class _Plain(msgspec.Struct, tag_field="type", tag="text", forbid_unknown_fields=True, gc=False):
    text: str


_Content: TypeAlias = str | list[_Input | _Output | _Plain]


class _Said(msgspec.Struct, tag_field="type", tag="message", forbid_unknown_fields=True, gc=False):
    role: Literal["user", "assistant", "system", "developer"]
    content: _Content
    id: Any = None
    status: Any = None


class _Call(
    msgspec.Struct, tag_field="type", tag="function_call", forbid_unknown_fields=True, gc=False
):
    call_id: str
    name: str
    arguments: str
    namespace: None = None
    id: Any = None
    status: Any = None


class _CustomCall(
    msgspec.Struct, tag_field="type", tag="custom_tool_call", forbid_unknown_fields=True, gc=False
):
    call_id: str
    name: str
    input: str
    namespace: None = None
    id: Any = None
    status: Any = None


class _Result(
    msgspec.Struct,
    tag_field="type",
    tag="function_call_output",
    forbid_unknown_fields=True,
    gc=False,
):
    call_id: str
    output: _Content
    name: Any = None
    namespace: Any = None
    id: Any = None
    status: Any = None


class _CustomResult(
    msgspec.Struct,
    tag_field="type",
    tag="custom_tool_call_output",
    forbid_unknown_fields=True,
    gc=False,
):
    call_id: str
    output: _Content
    name: Any = None
    namespace: Any = None
    id: Any = None
    status: Any = None


class _Reasoning(msgspec.Struct, tag_field="type", tag="reasoning", gc=False):
    summary: Any = None
    content: Any = None
    encrypted_content: Any = None
    id: Any = None


_Item: TypeAlias = _Said | _Call | _CustomCall | _Result | _CustomResult | _Reasoning
_decode = msgspec.json.Decoder(list[_Item]).decode


def fast_items(raw: bytes) -> Sequence[_Item] | None:
    """The items, or None where they must be read with care; never an empty list."""
    if not raw.startswith(b"["):
        return None
    try:
        return _decode(raw) or None
    except NOT_JSON:
        return None


def join_items(
    items: Sequence[_Item], instructions: str | None, names: ToolNames
) -> tuple[tuple[Text, ...], tuple[Message, ...]]:
    """(leading system text, the other messages). MalformedRequest for reasoning that is none."""
    system = [Text(text=instructions)] if instructions else []
    messages: list[Message] = []
    # The open turn's, one of them empty.
    said: list[Block] = []
    results: list[Block] = []
    for number, item in enumerate(items):
        if type(item) is _Result or type(item) is _CustomResult:
            if said:
                messages.append(Message(role=Role.ASSISTANT, blocks=tuple(said)))
                said = []
            results.append(ToolResult(call_id=item.call_id, content=_texts(item.output)))
            continue
        if results:
            messages.append(Message(role=Role.USER, blocks=tuple(results)))
            results = []
        if type(item) is _Call:
            name = names.of(None, item.name)
            said.append(ToolCall(id=item.call_id, name=name, arguments=item.arguments))
        elif type(item) is _CustomCall:
            name = names.of(None, item.name)
            said.append(ToolCall(id=item.call_id, name=name, arguments=item.input, custom=True))
        elif type(item) is _Reasoning:
            said.append(read_reasoning(msgspec.structs.asdict(item), f"input.{number}"))
        elif type(item) is _Said:
            blocks = _texts(item.content)
            if item.role == "assistant":
                said += blocks
                continue
            if said:
                messages.append(Message(role=Role.ASSISTANT, blocks=tuple(said)))
                said = []
            if item.role == "user":
                messages.append(Message(role=Role.USER, blocks=blocks))
            elif messages:
                messages.append(Message(role=Role.SYSTEM, blocks=blocks))
            else:
                system += blocks
    if said:
        messages.append(Message(role=Role.ASSISTANT, blocks=tuple(said)))
    if results:
        messages.append(Message(role=Role.USER, blocks=tuple(results)))
    return tuple(system), tuple(messages)


def _texts(content: _Content) -> tuple[Text, ...]:
    if isinstance(content, str):
        return (Text(text=content),) if content else ()
    return tuple([Text(text=part.text) for part in content])
