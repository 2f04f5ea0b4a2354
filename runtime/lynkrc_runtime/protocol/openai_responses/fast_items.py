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
from functools import partial
from typing import Annotated, Any, Literal, TypeAlias

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
from lynkrc_runtime.protocol.estimate import TOKENS_PER_MESSAGE, estimate_blocks, estimate_text
from lynkrc_runtime.protocol.late_messages import (
    ASSISTANT,
    RESULT,
    SYSTEM,
    USER,
    Course,
    GivenCall,
    LateMessages,
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


class Said(msgspec.Struct, tag_field="type", tag="message", forbid_unknown_fields=True, gc=False):
    """A message, as the dialect spells it."""

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


class Reasoning(msgspec.Struct, tag_field="type", tag="reasoning", gc=False):
    """An item of that type; members nobody reads may stand there, too."""

    summary: Any = None
    content: Any = None
    encrypted_content: Any = None
    id: Any = None


Item: TypeAlias = Said | _Call | _CustomCall | _Result | _CustomResult | Reasoning
decode_items = msgspec.json.Decoder(list[Item]).decode


def fast_items(raw: bytes) -> list[Item] | None:
    """The items, or None where they must be read with care; never an empty list."""
    if not raw.startswith(b"["):
        return None
    try:
        return decode_items(raw) or None
    except NOT_JSON:
        return None


def join_items(
    items: Sequence[Item], instructions: str | None, names: ToolNames
) -> tuple[tuple[Text, ...], Sequence[Message]]:
    """(leading system text, the other messages). MalformedRequest for reasoning that is none."""
    system = [Text(text=instructions)] if instructions else []
    entries: list[Item | Thinking | RedactedThinking] = list(items)
    starts: list[int] = []
    kinds = bytearray()
    results: list[int] = []
    has_reasoning = False
    # Whose turn is open, if any: items of one speaker are one message.
    turn = 0
    tokens = 0
    for number, item in enumerate(items):
        if type(item) is _Result or type(item) is _CustomResult:
            if turn != RESULT:
                turn = RESULT
                starts.append(number)
                kinds.append(RESULT)
            results.append(len(kinds) - 1)
            tokens += _tokens(item.output)
            continue
        if type(item) is Said and item.role != "assistant":
            turn = 0
            if item.role == "user":
                kinds.append(USER)
            elif kinds:
                kinds.append(SYSTEM)
            else:
                system += texts_of(item.content)
                continue
            starts.append(number)
            tokens += _tokens(item.content)
            continue
        if turn == RESULT:
            turn = 0
        if type(item) is Said:
            if not item.content:
                continue
            tokens += _tokens(item.content)
        elif type(item) is _Call:
            name = names.of(None, item.name)
            tokens += estimate_text(name) + estimate_text(item.arguments)
        elif type(item) is _CustomCall:
            tokens += estimate_text(names.of(None, item.name)) + estimate_text(item.input)
        elif type(item) is Reasoning:
            block = reasoning_of(item, f"input.{number}")
            entries[number] = block
            tokens += estimate_blocks((block,))
            has_reasoning = True
        if turn != ASSISTANT:
            turn = ASSISTANT
            starts.append(number)
            kinds.append(ASSISTANT)
    course = Course(kinds=bytes(kinds), results=results, has_reasoning=has_reasoning)
    tokens += TOKENS_PER_MESSAGE * len(kinds)
    messages = LateMessages(
        entries,
        starts,
        partial(message_of, names),
        course,
        tokens,
        lambda first: _calls(names, entries[first:]),
    )
    return tuple(system), messages


def _calls(
    names: ToolNames, entries: Sequence[Item | Thinking | RedactedThinking]
) -> list[GivenCall]:
    return [
        (names.of(None, item.name), item.arguments if isinstance(item, _Call) else item.input)
        for item in entries
        if type(item) is _Call or type(item) is _CustomCall
    ]


def reasoning_of(item: Reasoning, place: str) -> Thinking | RedactedThinking:
    """The block it is. MalformedRequest."""
    return read_reasoning(msgspec.structs.asdict(item), place)


def message_of(names: ToolNames, entries: Sequence[Item | Thinking | RedactedThinking]) -> Message:
    """The message that items of one speaker are; reasoning among them is what it was read as."""
    first = entries[0]
    if type(first) is Said and first.role != "assistant":
        role = Role.USER if first.role == "user" else Role.SYSTEM
        return Message(role=role, blocks=texts_of(first.content))
    blocks: list[Block] = []
    # An item without words, which is no message, may stand behind the last of any.
    for item in entries:
        if type(item) is Said:
            blocks += texts_of(item.content)
        elif type(item) is _Result or type(item) is _CustomResult:
            blocks.append(ToolResult(call_id=item.call_id, content=texts_of(item.output)))
        elif type(item) is _Call:
            name = names.of(None, item.name)
            blocks.append(ToolCall(id=item.call_id, name=name, arguments=item.arguments))
        elif type(item) is _CustomCall:
            name = names.of(None, item.name)
            blocks.append(ToolCall(id=item.call_id, name=name, arguments=item.input, custom=True))
        elif type(item) is Thinking or type(item) is RedactedThinking:
            blocks.append(item)
    is_answer = type(first) is _Result or type(first) is _CustomResult
    return Message(role=Role.USER if is_answer else Role.ASSISTANT, blocks=tuple(blocks))


def _tokens(content: _Content) -> int:
    if isinstance(content, str):
        return estimate_text(content)
    return sum([estimate_text(part.text) for part in content])


def texts_of(content: _Content) -> tuple[Text, ...]:
    """What it says."""
    if isinstance(content, str):
        return (Text(text=content),) if content else ()
    return tuple([Text(text=part.text) for part in content])
