"""An answer, as upstreams of the Messages, Chat and Responses dialects send it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lynkrc_runtime.protocol.conversation import (
    Block,
    RedactedThinking,
    Refusal,
    Stop,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from tests.property.speech import Json, Speech, pieces_of, prompt_of, to_json, to_sse

# -- Anthropic Messages ----------------------------------------------------------------------


def _messages_usage(usage: Usage) -> Json:
    found: Json = {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output,
        "server_tool_use": None,
        "service_tier": "standard",
    }
    if usage.reasoning is not None:
        found["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if usage.cache_write_1h is not None:
        found["cache_creation"] = {
            "ephemeral_5m_input_tokens": usage.cache_write - usage.cache_write_1h,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        }
    return found


def _messages_block(block: Block) -> Json:
    match block:
        case Thinking():
            signature = block.signature or ""
            return {"type": "thinking", "thinking": block.text, "signature": signature}
        case RedactedThinking():
            return {"type": "redacted_thinking", "data": block.data}
        case ToolCall():
            given = json.loads(block.arguments)
            return {"type": "tool_use", "id": block.id, "name": block.name, "input": given}
        case Text():
            return {"type": "text", "text": block.text}
        case _:
            raise ValueError(block)


def messages_value(speech: Speech) -> Json:
    return {
        "id": "msg_up",
        "type": "message",
        "role": "assistant",
        "model": "up",
        "content": [_messages_block(block) for block in speech.blocks],
        "stop_reason": MESSAGES_STOPS[speech.stop],
        "stop_sequence": speech.sequence,
        "usage": _messages_usage(speech.usage),
    }


MESSAGES_STOPS = {
    Stop.END: "end_turn",
    Stop.LENGTH: "max_tokens",
    Stop.STOP_SEQUENCE: "stop_sequence",
    Stop.TOOL_USE: "tool_use",
    Stop.PAUSE: "pause_turn",
    Stop.REFUSAL: "refusal",
    Stop.CONTEXT: "model_context_window_exceeded",
}


def messages_stream(speech: Speech) -> bytes:
    """As the API streams: the input first, with one token of output; the totals at the end."""
    whole = messages_value(speech)
    said = whole["usage"]
    opening = {name: said[name] for name in said if name != "output_tokens_details"}
    start = whole | {"content": [], "stop_reason": None, "stop_sequence": None}
    start["usage"] = opening | {"output_tokens": 1}
    events: list[Json] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, block in enumerate(speech.blocks):
        empty, deltas = _messages_deltas(block, speech.step)
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        events += (
            {"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas
        )
        events.append({"type": "content_block_stop", "index": index})
    ends = {"stop_reason": whole["stop_reason"], "stop_sequence": speech.sequence}
    totals = {name: said[name] for name in ("output_tokens", "output_tokens_details")
              if name in said}  # fmt: skip
    events.append({"type": "message_delta", "delta": ends, "usage": totals})
    events.append({"type": "message_stop"})
    return to_sse(events)


def _messages_deltas(block: Block, step: int) -> tuple[Json, list[Json]]:
    whole = _messages_block(block)
    match block:
        case Thinking(text=text):
            deltas: list[Json] = [
                {"type": "thinking_delta", "thinking": piece} for piece in pieces_of(text, step)
            ]
            deltas.append({"type": "signature_delta", "signature": whole["signature"]})
            return whole | {"thinking": "", "signature": ""}, deltas
        case ToolCall(arguments=text):
            text = "" if text == "{}" else text
            pieces = ["", *pieces_of(text, step)]
            return whole | {"input": {}}, [
                {"type": "input_json_delta", "partial_json": piece} for piece in pieces
            ]
        case Text(text=text):
            pieces = list(pieces_of(text, step))
            return whole | {"text": ""}, [{"type": "text_delta", "text": one} for one in pieces]
        case _:
            return whole, []


# -- OpenAI Chat -----------------------------------------------------------------------------


def _chat_usage(usage: Usage) -> Json:
    prompt = prompt_of(usage)
    found: Json = {
        "prompt_tokens": prompt,
        "completion_tokens": usage.output,
        "total_tokens": prompt + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write,
            "audio_tokens": 0,
        },
    }
    if usage.reasoning is not None:
        found["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning}
    return found


CHAT_STOPS = {
    Stop.END: "stop",
    Stop.LENGTH: "length",
    Stop.TOOL_USE: "tool_calls",
    Stop.REFUSAL: "content_filter",
}
_CHAT_FIELDS: Mapping[type[Block], str] = {
    Thinking: "reasoning_content",
    Text: "content",
    Refusal: "refusal",
}


def _chat_value(kind: str, choice: Json, **members: Any) -> Json:
    head = {"id": "chatcmpl-up", "object": kind, "created": 1, "model": "up"}
    return {**head, "choices": [{"index": 0, "logprobs": None, **choice}], **members}


def chat_whole(speech: Speech) -> bytes:
    message: Json = {"role": "assistant", "content": None, "refusal": None}
    for block in speech.blocks:
        if isinstance(block, Text | Thinking | Refusal):
            message[_CHAT_FIELDS[type(block)]] = block.text
    calls = [_chat_call(call) for call in speech.calls]
    if calls:
        message["tool_calls"] = calls
    choice = {"message": message, "finish_reason": CHAT_STOPS[speech.stop]}
    return to_json(_chat_value("chat.completion", choice, usage=_chat_usage(speech.usage)))


def _chat_call(call: ToolCall) -> Json:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def chat_stream(speech: Speech) -> bytes:
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    for block in speech.blocks:
        if isinstance(block, Text | Thinking | Refusal):
            field = _CHAT_FIELDS[type(block)]
            deltas += ({field: piece} for piece in pieces_of(block.text, speech.step))
    of_calls: list[list[Json]] = []
    for number, call in enumerate(speech.calls):
        opening = _chat_call(call) | {"index": number}
        opening["function"] = {"name": call.name, "arguments": ""}
        more = [
            {"index": number, "function": {"arguments": piece}}
            for piece in pieces_of(call.arguments, speech.step)
        ]
        of_calls.append([opening, *more])
    deltas += ({"tool_calls": [entry]} for entry in _order(of_calls, mixed=speech.mixed))
    kind = "chat.completion.chunk"
    chunks: list[Any] = [
        _chat_value(kind, {"delta": delta, "finish_reason": None}, usage=None) for delta in deltas
    ]
    end = {"delta": {}, "finish_reason": CHAT_STOPS[speech.stop]}
    chunks.append(_chat_value(kind, end, usage=None))
    chunks.append(_chat_value(kind, {}, usage=_chat_usage(speech.usage)) | {"choices": []})
    return to_sse([*chunks, "[DONE]"])


def _order(lists: Sequence[list[Json]], *, mixed: bool) -> Iterator[Json]:
    """One after the other, or by turns."""
    if not mixed:
        for one in lists:
            yield from one
        return
    for place in range(max(map(len, lists), default=0)):
        for one in lists:
            yield from one[place : place + 1]


# -- OpenAI Responses ------------------------------------------------------------------------

_INCOMPLETE = {Stop.LENGTH: "max_output_tokens", Stop.REFUSAL: "content_filter"}


def responses_value(speech: Speech) -> Json:
    prompt = prompt_of(speech.usage)
    outer = (
        {"reasoning_tokens": speech.usage.reasoning} if speech.usage.reasoning is not None else {}
    )
    refused = any(isinstance(block, Refusal) for block in speech.blocks)
    is_whole = speech.stop not in _INCOMPLETE or (refused and speech.stop is Stop.REFUSAL)
    return {
        "id": "resp_up",
        "object": "response",
        "created_at": 1,
        "status": "completed" if is_whole else "incomplete",
        "model": "up",
        "output": [_item(block, number) for number, block in enumerate(speech.blocks)],
        "error": None,
        "incomplete_details": None if is_whole else {"reason": _INCOMPLETE[speech.stop]},
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": prompt,
            "input_tokens_details": {
                "cached_tokens": speech.usage.cache_read,
                "cache_write_tokens": speech.usage.cache_write,
            },
            "output_tokens": speech.usage.output,
            "output_tokens_details": outer,
            "total_tokens": prompt + speech.usage.output,
        },
    }


def _item(block: Block, number: int) -> Json:
    match block:
        case Thinking():
            summary = [{"type": "summary_text", "text": block.text}]
            item: Json = {"id": f"rs_{number}", "type": "reasoning", "summary": summary}
            return item | ({"encrypted_content": block.signature} if block.signature else {})
        case ToolCall():
            head = {"id": f"fc_{number}", "type": "function_call", "status": "completed"}
            called = {"call_id": block.id, "name": block.name, "arguments": block.arguments}
            return head | called
        case Text(text=text):
            part: Json = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
        case Refusal(text=text):
            part = {"type": "refusal", "refusal": text}
        case _:
            raise ValueError(block)
    head = {"id": f"msg_{number}", "type": "message", "role": "assistant", "status": "completed"}
    return head | {"content": [part]}


def responses_stream(speech: Speech) -> bytes:
    whole = responses_value(speech)
    begun = whole | {"status": "in_progress", "output": [], "usage": None}
    events: list[Json] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    lives = [_life(item, place, speech.step) for place, item in enumerate(whole["output"])]
    calls = [life for life, block in zip(lives, speech.blocks, strict=True)
             if isinstance(block, ToolCall)]  # fmt: skip
    if speech.mixed and len(calls) == len(lives):
        # Items are announced in the order of their places, whatever comes between.
        events += (life[0] for life in lives)
        lives = [life[1:] for life in lives]
    events += _order(lives, mixed=speech.mixed and len(calls) == len(lives))
    events.append({"type": f"response.{whole['status']}", "response": whole})
    return to_sse([event | {"sequence_number": number} for number, event in enumerate(events)])


def _life(item: Json, place: int, step: int) -> list[Json]:
    at: Json = {"item_id": item["id"], "output_index": place}
    empty = {name: value for name, value in item.items() if name != "encrypted_content"}
    inner: list[Json] = []
    match item["type"]:
        case "reasoning":
            empty["summary"] = []
            text = item["summary"][0]["text"]
            where = at | {"summary_index": 0}
            kind = "response.reasoning_summary_text"
            inner += ({"type": f"{kind}.delta", **where, "delta": p} for p in pieces_of(text, step))
            inner.append({"type": f"{kind}.done", **where, "text": text})
        case "function_call":
            empty |= {"arguments": "", "status": "in_progress"}
            kind = "response.function_call_arguments"
            text = item["arguments"]
            inner += ({"type": f"{kind}.delta", **at, "delta": p} for p in pieces_of(text, step))
            inner.append({"type": f"{kind}.done", **at, "name": item["name"], "arguments": text})
        case _:
            empty |= {"content": [], "status": "in_progress"}
            [part] = item["content"]
            name = "refusal" if part["type"] == "refusal" else "text"
            kind = "response.refusal" if name == "refusal" else "response.output_text"
            where = at | {"content_index": 0}
            head = {"type": "response.content_part.added", **where}
            inner.append({**head, "part": part | {name: ""}})
            text = part[name]
            inner += ({"type": f"{kind}.delta", **where, "delta": p} for p in pieces_of(text, step))
            inner.append({"type": f"{kind}.done", **where, name: text})
            inner.append({"type": "response.content_part.done", **where, "part": part})
    return [
        {"type": "response.output_item.added", "output_index": place, "item": empty},
        *inner,
        {"type": "response.output_item.done", "output_index": place, "item": item},
    ]
