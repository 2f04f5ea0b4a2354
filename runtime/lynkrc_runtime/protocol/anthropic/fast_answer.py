"""The common form of a whole answer, decoded in one go: the same result as with care, sooner.

Nearly all answers are text, calls and thinking with no unknown member. Anything else (other blocks,
unknown members, mistakes) gives None and is read with care, which finds words for what is wrong.

>>> body = b'{"content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn"}'
>>> fast_answer(body).blocks
(Text(text='Hi', extra={}),)
>>> fast_answer(b'{"content":[],"container":{"id":"c"}}') is None
True
"""

from typing import Any, TypeAlias

import msgspec

from lynkrc_runtime.protocol.anthropic.usage import read_count, read_stop
from lynkrc_runtime.protocol.conversation import (
    Answer,
    Block,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from lynkrc_runtime.protocol.outside import NOT_JSON


class _Text(msgspec.Struct, tag_field="type", tag="text", forbid_unknown_fields=True, gc=False):
    text: str
    citations: None = None


class _ToolUse(
    msgspec.Struct, tag_field="type", tag="tool_use", forbid_unknown_fields=True, gc=False
):
    id: str
    name: str
    input: msgspec.Raw


class _Thinking(
    msgspec.Struct, tag_field="type", tag="thinking", forbid_unknown_fields=True, gc=False
):
    thinking: str
    signature: str | None = None


_Block: TypeAlias = _Text | _ToolUse | _Thinking


class _Cached(msgspec.Struct, gc=False):
    ephemeral_1h_input_tokens: Any = None


class _Details(msgspec.Struct, gc=False):
    thinking_tokens: Any = None


class _Usage(msgspec.Struct, gc=False):
    """Any values, as in careless answers; other members are of no concern."""

    input_tokens: Any = None
    output_tokens: Any = None
    cache_read_input_tokens: Any = None
    cache_creation_input_tokens: Any = None
    cache_creation: _Cached | None = None
    output_tokens_details: _Details | None = None


class _Message(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    content: list[_Block]
    id: str | None = None
    type: str | None = None
    role: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: None = None
    container: None = None
    usage: _Usage | None = None


_decode = msgspec.json.Decoder(_Message).decode
_UNTOLD = Usage(reported=False)


def fast_answer(body: bytes) -> Answer | None:
    """The answer, or None where it must be read with care."""
    try:
        found = _decode(body)
        blocks: list[Block] = []
        has_calls = False
        for block in found.content:
            if type(block) is _Text:
                if block.text:
                    blocks.append(Text(text=block.text))
            elif type(block) is _ToolUse:
                arguments = str(block.input, "utf-8")
                if arguments[:1] != "{":
                    return None
                has_calls = True
                blocks.append(ToolCall(id=block.id, name=block.name, arguments=arguments))
            elif type(block) is _Thinking:
                blocks.append(Thinking(text=block.thinking, signature=block.signature or None))
    except NOT_JSON:
        return None
    return Answer(
        id=found.id or "",
        model=found.model or "",
        blocks=tuple(blocks),
        stop=read_stop(found.stop_reason, has_calls),
        stop_sequence=found.stop_sequence,
        usage=_UNTOLD if found.usage is None else _usage(found.usage),
    )


def _usage(given: _Usage) -> Usage:
    """The same as `read_usage`."""
    read, write = given.cache_read_input_tokens, given.cache_creation_input_tokens
    cached, details = given.cache_creation, given.output_tokens_details
    return Usage(
        input=read_count(given.input_tokens, 0),
        output=read_count(given.output_tokens, 0),
        cache_read=0 if read is None else read_count(read, 0),
        cache_write=0 if write is None else read_count(write, 0),
        reasoning=None if details is None else read_count(details.thinking_tokens, None),
        cache_write_1h=None
        if cached is None
        else read_count(cached.ephemeral_1h_input_tokens, None),
    )
