"""A whole Messages answer, to a neutral `Answer`, and a neutral one to a Messages answer."""

from collections.abc import Mapping
from typing import Any

import msgspec

from lynkrc_runtime.protocol import carrier, sse
from lynkrc_runtime.protocol.anthropic import raw
from lynkrc_runtime.protocol.anthropic.fast_answer import fast_answer
from lynkrc_runtime.protocol.anthropic.read_blocks import read_block
from lynkrc_runtime.protocol.anthropic.usage import (
    read_stop,
    read_usage,
    settle_stop,
    write_stop,
    write_usage,
)
from lynkrc_runtime.protocol.anthropic.write_blocks import ID_LIMIT
from lynkrc_runtime.protocol.arguments import call_input
from lynkrc_runtime.protocol.conversation import (
    Answer,
    Block,
    BrokenAnswer,
    MalformedRequest,
    Opaque,
    RedactedThinking,
    Refusal,
    Stop,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from lynkrc_runtime.protocol.dialect import ANY_TARGET, AnswerContext, TargetFacts
from lynkrc_runtime.protocol.estimate import estimate_blocks
from lynkrc_runtime.protocol.failures import broken, dig_message, failure_of
from lynkrc_runtime.protocol.known_tools import originals_of
from lynkrc_runtime.protocol.naming import legal_id

_KNOWN = frozenset(
    ("id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage")
)


def read_answer(body: bytes, _: TargetFacts = ANY_TARGET) -> Answer:
    """The answer of an upstream's 200; BrokenAnswer where that is no answer."""
    return fast_answer(body) or read_with_care(body)


def read_with_care(body: bytes) -> Answer:
    """The same of any answer."""
    try:
        members = raw.members(body, None)
        return _read(members)
    except MalformedRequest as error:
        if body.strip()[:1] == b"{" and b'"error"' in body:
            message, code, kind, param = dig_message(body)
            if message or code or kind:
                failure = failure_of(200, message or "upstream error", code, kind, param)
                raise BrokenAnswer(failure) from error
        raise BrokenAnswer(broken(_no_answer(body, error))) from error
    except UnicodeDecodeError as error:
        # Of a member that was kept raw until here.
        raise BrokenAnswer(broken("upstream answered with bytes that are no text")) from error


def _no_answer(body: bytes, error: MalformedRequest) -> str:
    if not body.strip():
        return "upstream answered with an empty body"
    if body.lstrip()[:1] == b"<":
        return "upstream answered with a web page, not JSON"
    return f"upstream answered with something else than a message: {error.message}"


def _read(members: raw.Members) -> Answer:
    given = members.get("content")
    if given is None or "error" in members:
        raise MalformedRequest("content", "content: missing")
    blocks = _blocks(raw.items(given, "content"))
    has_calls = any(isinstance(block, ToolCall) for block in blocks)
    stop = read_stop(_optional(members, "stop_reason"), has_calls)
    details = _optional(members, "stop_details")
    explanation = details.get("explanation") if isinstance(details, dict) else None
    if stop is Stop.REFUSAL and not blocks and isinstance(explanation, str) and explanation:
        blocks = (Refusal(text=explanation),)
    usage = _optional(members, "usage")
    return Answer(
        id=raw.optional_string(members.get("id"), "id") or "",
        model=raw.optional_string(members.get("model"), "model") or "",
        blocks=blocks,
        stop=stop,
        stop_sequence=raw.optional_string(members.get("stop_sequence"), "stop_sequence"),
        usage=read_usage(usage, Usage(reported=False)),
        lost=_lost(members, blocks),
    )


def _lost(members: raw.Members, blocks: tuple[Block, ...]) -> tuple[str, ...]:
    """Members and blocks that only this dialect has a place for, each named once."""
    names = [
        name for name, value in members.items() if name not in _KNOWN and not raw.is_null(value)
    ]
    for block in blocks:
        match block:
            case Opaque(type=kind):
                names.append(kind)
            case Text(extra=extra) | ToolCall(extra=extra):
                names.extend(name for name, value in extra.items() if value != [])
            case _:
                pass
    return tuple(dict.fromkeys(names))


def _blocks(items: list[msgspec.Raw]) -> tuple[Block, ...]:
    read = (read_block(item, f"content.{index}") for index, item in enumerate(items))
    return tuple(block for block in read if not (isinstance(block, Text) and not block.text))


def _optional(members: raw.Members, name: str) -> Any:
    given = members.get(name)
    return None if given is None else raw.value(given, name)


def write_answer(answer: Answer, context: AnswerContext) -> bytes:
    """The Messages answer; its model is what served, its id ours."""
    names = originals_of(context.request.tools)
    content = [
        found
        for position, block in enumerate(answer.blocks)
        if (found := _object(block, position, names, context)) is not None
    ]
    _make_unique(content)
    stop = settle_stop(
        answer.stop,
        has_calls=any(isinstance(block, ToolCall) for block in answer.blocks),
        refused=any(isinstance(block, Refusal) for block in answer.blocks),
    )
    usage = answer.usage
    if not usage.reported:
        output = estimate_blocks(answer.blocks)
        usage = Usage(input=context.input_estimate(), output=output, reported=False)
    return sse.to_json(
        {
            "id": f"msg_{context.id}",
            "type": "message",
            "role": "assistant",
            "model": context.model,
            "content": content,
            **write_stop(stop, answer.stop_sequence),
            "usage": write_usage(usage),
        }
    )


def _object(
    block: Block, position: int, names: Mapping[str, str], context: AnswerContext
) -> dict[str, Any] | None:
    match block:
        case Text(text=text) | Refusal(text=text):
            return {"type": "text", "text": text} if text else None
        case ToolCall():
            return {
                "type": "tool_use",
                "id": legal_id(block.id or f"{context.id}.{position}", limit=ID_LIMIT),
                "name": names.get(block.name, block.name),
                "input": call_input(block),
            }
        case Thinking():
            signature = block.signature or carrier.mark(context.model)
            return {"type": "thinking", "thinking": block.text, "signature": signature}
        case RedactedThinking():
            return {"type": "redacted_thinking", "data": block.data}
        case _:
            # Blocks of one dialect alone, and media no model of this dialect answers with.
            return None


def _make_unique(content: list[dict[str, Any]]) -> None:
    seen: set[str] = set()
    for position, block in enumerate(content):
        if block["type"] == "tool_use":
            if block["id"] in seen:
                block["id"] = f"{block['id']}__{position}"
            seen.add(block["id"])
