"""A whole Chat completion, to a neutral `Answer`, and a neutral one to a completion (C.1.8)."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from lynkrc_runtime.protocol import sse
from lynkrc_runtime.protocol.conversation import (
    Answer,
    Block,
    BrokenAnswer,
    Image,
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
from lynkrc_runtime.protocol.failures import broken, dig_value, failure_of
from lynkrc_runtime.protocol.free_form import unwrapped
from lynkrc_runtime.protocol.known_tools import free_form_of, originals_of
from lynkrc_runtime.protocol.openai_chat.call_ids import made_id, unique_id
from lynkrc_runtime.protocol.openai_chat.checks import others
from lynkrc_runtime.protocol.openai_chat.read_messages import KNOWN_MEMBERS, assistant_blocks
from lynkrc_runtime.protocol.openai_chat.reasoning import carrier_of, details
from lynkrc_runtime.protocol.openai_chat.reasoning_details import Details
from lynkrc_runtime.protocol.openai_chat.think_tags import ThinkTags
from lynkrc_runtime.protocol.openai_chat.usage import (
    FAILED,
    read_stop,
    read_usage,
    write_finish,
    write_usage,
)
from lynkrc_runtime.protocol.outside import NOT_JSON

DECLINED = "The model declined to answer."
"""Said for a model that refused without a word: clients want a refusal to have text."""

_KNOWN = frozenset(("id", "object", "created", "model", "choices", "usage"))
_KNOWN_CHOICE = frozenset(("index", "message", "finish_reason", "stop_reason", "usage"))
_KNOWN_MESSAGE = frozenset(KNOWN_MEMBERS)


def read_answer(body: bytes, facts: TargetFacts = ANY_TARGET) -> Answer:
    """The answer of an upstream's 200; BrokenAnswer where that is no answer."""
    try:
        value = msgspec.json.decode(body)
    except NOT_JSON as error:
        raise BrokenAnswer(broken(_no_json(body))) from error
    refuse_error(value)
    choice = _first_choice(value)
    message = choice["message"]
    given = choice.get("finish_reason")
    finish = given if isinstance(given, str) else None
    if finish is not None and finish in FAILED:
        text = f"upstream ended with finish_reason {finish}"
        raise BrokenAnswer(failure_of(200, text, FAILED[finish]))
    answer_id = value["id"] if isinstance(value.get("id"), str) else ""
    try:
        blocks = _blocks(message, answer_id, value.get("created"), facts)
    except MalformedRequest as error:
        raise BrokenAnswer(broken(f"upstream's answer is malformed: {error.message}")) from error
    has_calls = has_refusal = False
    for block in blocks:
        if type(block) is ToolCall:
            has_calls = True
        elif type(block) is Refusal:
            has_refusal = True
    stop, sequence = read_stop(
        finish, choice.get("stop_reason"), has_calls=has_calls, has_refusal=has_refusal
    )
    usage = read_usage(value.get("usage")) or read_usage(choice.get("usage"))
    return Answer(
        id=answer_id,
        model=value["model"] if isinstance(value.get("model"), str) else "",
        blocks=blocks,
        stop=stop,
        stop_sequence=sequence,
        usage=usage or Usage(reported=False),
        lost=_lost(value, choice, message, blocks),
    )


def _first_choice(value: dict[str, Any]) -> dict[str, Any]:
    choices = value.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict) or not isinstance(choice.get("message"), dict):
        raise BrokenAnswer(broken("upstream answered without a message"))
    return choice


def refuse_error(value: Any) -> None:
    """BrokenAnswer for a body or a chunk that is an error, or no object at all."""
    if not isinstance(value, dict):
        raise BrokenAnswer(broken("upstream answered with something else than an object"))
    groq = value.get("x_groq")
    inner = groq.get("error") if isinstance(groq, dict) else None
    is_error = value.get("error") or inner or value.get("object") == "error"
    if is_error:
        message, code, kind, param = dig_value({"error": inner} if inner else value)
        raise BrokenAnswer(failure_of(200, message or "upstream error", code, kind, param))


def _no_json(body: bytes) -> str:
    start = body.lstrip()[:1]
    if not start:
        return "upstream answered with an empty body"
    kind = "a web page" if start == b"<" else "something else"
    return f"upstream answered with {kind}, not JSON"


def _blocks(
    message: dict[str, Any], answer_id: str, created: Any, facts: TargetFacts
) -> tuple[Block, ...]:
    blocks: list[Block] = []
    taken: list[str] = []
    said = False
    place = "choices.0.message"
    for block in assistant_blocks(message, place, lambda n: made_id(answer_id, created, n)):
        if type(block) is ToolCall:
            call_id = unique_id(block.id, taken)
            taken.append(call_id)
            blocks.append(block if call_id == block.id else replace(block, id=call_id))
        elif isinstance(block, Text) and facts.shape.think_tags and not said:
            said = True
            blocks += _untagged(block)
        else:
            blocks.append(block)
    return _sealed(tuple(blocks), message, facts)


def _untagged(text: Text) -> list[Block]:
    tags = ThinkTags()
    return [
        Thinking(text=piece) if is_thinking else Text(text=piece)
        for is_thinking, piece in [*tags.feed(text.text), *tags.close()]
    ]


def _sealed(
    blocks: tuple[Block, ...], message: Mapping[str, Any], facts: TargetFacts
) -> tuple[Block, ...]:
    """Reasoning with what its maker wants back of it, where it wants any."""
    if facts.shape.reasoning_replay is None:
        return blocks  # its maker wants nothing
    held = details(message)
    carrier = carrier_of(held, facts)
    if carrier is None:
        return blocks
    others = tuple(block for block in blocks if not isinstance(block, Thinking | RedactedThinking))
    thoughts = [block for block in blocks if isinstance(block, Thinking)]
    if facts.shape.reasoning_field == "content" or not (thoughts or held):
        return blocks
    # One carrier holds the whole of it, in the order it came.
    text = "".join(thought.text for thought in thoughts)
    return (Thinking(text=text, signature=carrier), *others)


def _lost(
    value: Mapping[str, Any],
    choice: Mapping[str, Any],
    message: Mapping[str, Any],
    blocks: tuple[Block, ...],
) -> tuple[str, ...]:
    names = [*others(value, _KNOWN), *others(choice, _KNOWN_CHOICE)]
    if not message.keys() <= _KNOWN_MESSAGE:
        strange = others(message, _KNOWN_MESSAGE)
        names += (name for name, member in strange.items() if member != [])
    if len(value["choices"]) > 1:
        names.append("choices")
    opaque = [block.type for block in blocks if type(block) is Opaque]
    names += opaque
    if any([type(block) is Image for block in blocks]):
        names.append("image")
    return tuple(dict.fromkeys(names))


def write_answer(answer: Answer, context: AnswerContext) -> bytes:
    """The completion; its model is what served, its id ours. Usage stands there if reported."""
    message = _message(answer, context)
    finish = write_finish(
        answer.stop, has_calls="tool_calls" in message, has_refusal=message["refusal"] is not None
    )
    completion = _Completion(
        id=f"chatcmpl-{context.id}",
        created=context.created,
        model=context.model,
        choices=(_Choice(message=message, finish_reason=finish),),
        usage=write_usage(answer.usage) if answer.usage.reported else msgspec.UNSET,
    )
    return sse.to_json(completion)


class _Choice(msgspec.Struct, kw_only=True, gc=False):
    index: int = 0
    message: dict[str, Any]
    logprobs: None = None
    finish_reason: str


class _Completion(msgspec.Struct, kw_only=True, gc=False):
    """Structs are made and encoded sooner than dicts; their members go out in this order."""

    id: str
    object: str = "chat.completion"
    created: int
    model: str
    choices: tuple[_Choice]
    usage: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


def _message(answer: Answer, context: AnswerContext) -> dict[str, Any]:
    tools = context.request.tools
    names, free_form = originals_of(tools), free_form_of(tools)
    said: list[str] = []
    refused: list[str] = []
    thought: list[str] = []
    calls: list[dict[str, Any]] = []
    waiting: Details | None = None
    held: list[dict[str, Any]] = []
    for block in answer.blocks:
        if type(block) is Text:
            said.append(block.text)
        elif type(block) is ToolCall:
            call_id = block.id or made_id(context.id, context.created, len(calls))
            name = names.get(block.name, block.name)
            calls.append(_call(block, call_id, name, name in free_form))
            if waiting is not None:
                held += waiting.take(call_id)
        elif type(block) is Thinking or type(block) is RedactedThinking:
            waiting = waiting or Details()
            waiting.add(block)
            thought.append(block.text if type(block) is Thinking else "")
            continue
        elif type(block) is Refusal:
            refused.append(block.text)
        # What is left has a place in its own dialect only, or no answer holds it.
        if waiting is not None:
            held += waiting.take(None)
    if waiting is not None:
        held += waiting.take(None)
    if not (said or refused or calls) and answer.stop is Stop.REFUSAL:
        refused.append(DECLINED)
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(said) if said or not (calls or refused) else None,
        "refusal": "".join(refused) if refused else None,
    }
    if any(thought):
        message["reasoning_content"] = "".join(thought)
    if held:
        message["reasoning_details"] = held
    if calls:
        message["tool_calls"] = calls
    return message


def _call(call: ToolCall, call_id: str, name: str, is_free_form: bool) -> dict[str, Any]:
    if call.custom or is_free_form:
        text = call.arguments if call.custom else unwrapped(call.arguments)
        return {"id": call_id, "type": "custom", "custom": {"name": name, "input": text}}
    function = {"name": name, "arguments": call.arguments or "{}"}
    return {"id": call_id, "type": "function", "function": function}
