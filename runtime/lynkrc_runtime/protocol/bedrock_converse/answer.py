"""A whole Converse answer, to a neutral `Answer` (wire reference B.5, C.2)."""

from typing import Any

import msgspec

from lynkrc_runtime.protocol.bedrock_converse.families import family_of
from lynkrc_runtime.protocol.bedrock_converse.usage import (
    MALFORMED,
    matched_stop,
    read_stop,
    read_usage,
)
from lynkrc_runtime.protocol.conversation import (
    Answer,
    Block,
    BrokenAnswer,
    RedactedThinking,
    Text,
    Thinking,
    ToolCall,
)
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.failures import broken, dig_value, failure_of
from lynkrc_runtime.protocol.outside import NOT_JSON

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class _Input(msgspec.Struct):
    input: msgspec.Raw = msgspec.Raw(b"{}")


class _Part(msgspec.Struct):
    """The one part of a block whose spelling is kept: a call's input is the model's own text."""

    tool_use: _Input | None = msgspec.field(default=None, name="toolUse")


class _Message(msgspec.Struct):
    content: list[_Part] = []


class _Output(msgspec.Struct):
    message: _Message | None = None


class _Whole(msgspec.Struct):
    output: _Output | None = None


_inputs = msgspec.json.Decoder(_Whole).decode


def read_answer(body: bytes, facts: TargetFacts) -> Answer:
    """The answer of a 200. Raises BrokenAnswer."""
    try:
        whole = _decode(body)
        typed = _inputs(body)
    except NOT_JSON as error:
        raise BrokenAnswer(broken(_no_answer(body))) from error
    if typed.output is None or typed.output.message is None:
        message, code, kind, param = dig_value(whole)
        if message:
            raise BrokenAnswer(failure_of(200, message, code, kind, param))
        raise BrokenAnswer(broken("upstream answered with something else than a message"))
    reason = whole.get("stopReason")
    if isinstance(reason, str) and reason in MALFORMED:
        raise BrokenAnswer(broken(f"the model's answer could not be read: {reason}"))
    blocks: list[Block] = []
    lost: dict[str, None] = {}
    content = whole["output"]["message"].get("content") or []
    for value, part in zip(content, typed.output.message.content, strict=True):
        arguments = "" if part.tool_use is None else bytes(part.tool_use.input).decode()
        blocks += _blocks(value, arguments, family_of(facts.model).claude, lost)
    return Answer(
        id="",
        model="",
        blocks=tuple(blocks),
        stop=read_stop(reason, has_calls=any(isinstance(block, ToolCall) for block in blocks)),
        stop_sequence=matched_stop(whole.get("additionalModelResponseFields")),
        usage=read_usage(whole.get("usage")),
        lost=tuple(lost),
    )


def _no_answer(body: bytes) -> str:
    if not body.strip():
        return "upstream answered with an empty body"
    if body.lstrip()[:1] == b"<":
        return "upstream answered with a web page, not JSON"
    return "upstream answered with something else than a message"


def _blocks(
    value: dict[str, Any], arguments: str, is_claude: bool, lost: dict[str, None]
) -> list[Block]:
    match value:
        case {"text": str(text)}:
            return [Text(text=text)] if text else []
        case {"toolUse": {"type": "server_tool_use"}}:
            lost["server_tool_use"] = None
        case {"toolUse": {"toolUseId": str(call_id), "name": str(name)}}:
            return [ToolCall(id=call_id, name=name, arguments=arguments)]
        case {"reasoningContent": {"reasoningText": {"text": str(text), **rest}}}:
            signature = rest.get("signature")
            kept = signature if is_claude and isinstance(signature, str) and signature else None
            return [Thinking(text=text, signature=kept)]
        case {"reasoningContent": {"redactedContent": str(data)}}:
            return [RedactedThinking(data=data)]
        case {"citationsContent": {"content": list(parts)}}:
            lost["citations"] = None
            texts = [part.get("text") for part in parts if isinstance(part, dict)]
            said = "".join(text for text in texts if isinstance(text, str))
            return [Text(text=said)] if said else []
        case _:
            lost.update(dict.fromkeys(value))
    return []
