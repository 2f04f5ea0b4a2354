"""A neutral `Answer`, to a whole response (wire reference A.3.2, C.5.2)."""

from typing import assert_never

from lynkrc_runtime.protocol import sse
from lynkrc_runtime.protocol.conversation import (
    Answer,
    Block,
    Document,
    Image,
    Opaque,
    RedactedThinking,
    Refusal,
    Stop,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Usage,
)
from lynkrc_runtime.protocol.dialect import AnswerContext
from lynkrc_runtime.protocol.estimate import estimate_blocks
from lynkrc_runtime.protocol.free_form import unwrapped
from lynkrc_runtime.protocol.openai_chat.answer import DECLINED
from lynkrc_runtime.protocol.openai_responses.output_items import (
    COMPLETED,
    Json,
    Offered,
    call_id,
    carried_redacted,
    carried_signature,
    custom_item,
    function_item,
    item_id,
    last_status,
    message_item,
    offered_by,
    outcome,
    reasoning_item,
    refusal_part,
    text_part,
)
from lynkrc_runtime.protocol.openai_responses.response_object import response_base, write_usage


def write_answer(answer: Answer, context: AnswerContext) -> bytes:
    """The response; its model is what served, its id ours. Usage is estimated if not reported."""
    items = _items(answer.blocks, context)
    if answer.stop is Stop.REFUSAL and all(item["type"] == "reasoning" for item in items):
        identity = item_id("message", context, len(items))
        items.append(message_item(identity, [refusal_part(DECLINED)], COMPLETED))
    if items and "status" in items[-1]:
        items[-1]["status"] = last_status(answer.stop)
    refused = any(part["type"] == "refusal" for item in items for part in item.get("content", ()))
    status, details = outcome(answer.stop, refused=refused)
    usage = answer.usage
    if not usage.reported:
        output = estimate_blocks(answer.blocks)
        usage = Usage(input=context.input_estimate(), output=output)
    response = response_base(context) | {
        "status": status,
        "incomplete_details": details,
        "output": items,
        "usage": write_usage(usage),
    }
    return sse.to_json(response)


def _items(blocks: tuple[Block, ...], context: AnswerContext) -> list[Json]:
    offered = offered_by(context.request)
    items: list[Json] = []
    for block in blocks:
        match block:
            case Text(text=text):
                if text:
                    _say(text_part(text), items, context)
            case Refusal(text=text):
                if text:
                    _say(refusal_part(text), items, context)
            case Thinking(text=text, signature=signature):
                identity = item_id("reasoning", context, len(items))
                carried = carried_signature(signature, context.model)
                items.append(reasoning_item(identity, text, carried))
            case RedactedThinking(data=data):
                identity = item_id("reasoning", context, len(items))
                items.append(reasoning_item(identity, "", carried_redacted(data)))
            case ToolCall():
                items.append(_call(block, offered, len(items), context))
            case Image() | Document() | ToolResult() | Opaque():
                # No answer of another dialect is made of these.
                pass
            case _:
                assert_never(block)
    return items


def _say(part: Json, items: list[Json], context: AnswerContext) -> None:
    """Parts in a row are one message."""
    if items and items[-1]["type"] == "message":
        items[-1]["content"].append(part)
    else:
        identity = item_id("message", context, len(items))
        items.append(message_item(identity, [part], COMPLETED))


def _call(block: ToolCall, offered: Offered, index: int, context: AnswerContext) -> Json:
    head, is_free_form = offered.head(block.name)
    call = call_id(block.id, context, index)
    if block.custom or is_free_form:
        text = block.arguments if block.custom else unwrapped(block.arguments)
        return custom_item(item_id("custom_tool_call", context, index), call, head, text)
    identity = item_id("function_call", context, index)
    return function_item(identity, call, head, block.arguments or "{}", COMPLETED)
