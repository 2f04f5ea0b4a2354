"""A scripted model's answer, to the bytes of each target dialect: whole, streamed, or an error.

Spelled out by hand after the wire formats, apart from the gateway's own writers.
"""

import json
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.clients.script import Plan

Json = dict[str, Any]

USAGE_IN, USAGE_OUT, USAGE_CACHED = 40, 7, 12
"""Tokens every answer reports: prompt without what was cached, answer, cached."""


@dataclass(frozen=True)
class Speech:
    """How a dialect answers: content type of streams, and the three forms."""

    stream_type: str
    whole: Callable[[Plan, str], Json]
    stream: Callable[[Plan, str], Iterator[bytes]]
    error: Callable[[int], tuple[dict[str, str], Json]]


# -- Anthropic Messages ----------------------------------------------------------------------


def _messages_usage() -> Json:
    return {
        "input_tokens": USAGE_IN,
        "cache_read_input_tokens": USAGE_CACHED,
        "cache_creation_input_tokens": 0,
        "output_tokens": USAGE_OUT,
    }


def _messages_whole(plan: Plan, model: str) -> Json:
    content: list[Json] = [{"type": "text", "text": plan.text}] if plan.text else []
    content += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": call.input}
        for call in plan.calls
    ]
    return {
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": "tool_use" if plan.calls else "end_turn",
        "stop_sequence": None,
        "usage": _messages_usage(),
    }


def _event(kind: str, **members: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


def _messages_stream(plan: Plan, model: str) -> Iterator[bytes]:
    message = _messages_whole(plan, model) | {"content": [], "stop_reason": None}
    yield _event("message_start", message=message)
    index = 0
    if plan.text:
        yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        for word in plan.words:
            delta = {"type": "text_delta", "text": word}
            yield _event("content_block_delta", index=0, delta=delta)
        yield _event("content_block_stop", index=0)
        index = 1
    for call in plan.calls:
        block = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
        yield _event("content_block_start", index=index, content_block=block)
        for piece in _halves(call.arguments):
            delta = {"type": "input_json_delta", "partial_json": piece}
            yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
        index += 1
    stop = {"stop_reason": "tool_use" if plan.calls else "end_turn", "stop_sequence": None}
    yield _event("message_delta", delta=stop, usage=_messages_usage())
    yield _event("message_stop")


def _messages_error(status: int) -> tuple[dict[str, str], Json]:
    kind = {429: "rate_limit_error", 400: "invalid_request_error", 529: "overloaded_error"}
    error = {"type": kind.get(status, "api_error"), "message": f"scripted failure {status}"}
    return {}, {"type": "error", "error": error, "request_id": "req_scripted"}


# -- OpenAI Chat -----------------------------------------------------------------------------


def _chat_usage() -> Json:
    prompt = USAGE_IN + USAGE_CACHED
    return {
        "prompt_tokens": prompt,
        "completion_tokens": USAGE_OUT,
        "total_tokens": prompt + USAGE_OUT,
        "prompt_tokens_details": {"cached_tokens": USAGE_CACHED},
    }


def _chat_call(number: int, plan: Plan) -> Json:
    call = plan.calls[number]
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _chat_whole(plan: Plan, model: str) -> Json:
    message: Json = {"role": "assistant", "content": plan.text or None, "refusal": None}
    if plan.calls:
        message["tool_calls"] = [_chat_call(number, plan) for number in range(len(plan.calls))]
    finish = "tool_calls" if plan.calls else "stop"
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "usage": _chat_usage(),
    }


def _chunk(model: str, choices: list[Json], **members: Any) -> bytes:
    head = {"id": "chatcmpl-scripted", "object": "chat.completion.chunk", "created": 1_790_000_000}
    return (
        f"data: {json.dumps({**head, 'model': model, 'choices': choices, **members})}\n\n".encode()
    )


def _delta(delta: Json, finish: str | None = None) -> list[Json]:
    return [{"index": 0, "delta": delta, "finish_reason": finish}]


def _chat_stream(plan: Plan, model: str) -> Iterator[bytes]:
    yield _chunk(model, _delta({"role": "assistant", "content": ""}))
    for word in plan.words:
        yield _chunk(model, _delta({"content": word}))
    for number, call in enumerate(plan.calls):
        first = _chat_call(number, plan) | {"index": number}
        first["function"] = {"name": call.name, "arguments": ""}
        yield _chunk(model, _delta({"tool_calls": [first]}))
        for piece in _halves(call.arguments):
            more = {"index": number, "function": {"arguments": piece}}
            yield _chunk(model, _delta({"tool_calls": [more]}))
    yield _chunk(model, _delta({}, "tool_calls" if plan.calls else "stop"))
    yield _chunk(model, [], usage=_chat_usage())
    yield b"data: [DONE]\n\n"


def _openai_error(status: int) -> tuple[dict[str, str], Json]:
    kind = {429: "rate_limit_error", 400: "invalid_request_error"}.get(status, "server_error")
    error = {"message": f"scripted failure {status}", "type": kind, "param": None, "code": None}
    return {}, {"error": error}


# -- OpenAI Responses ------------------------------------------------------------------------


def _items(plan: Plan) -> list[Json]:
    items: list[Json] = []
    if plan.text:
        part = {"type": "output_text", "text": plan.text, "annotations": [], "logprobs": []}
        items.append(
            {
                "type": "message",
                "id": "msg_scripted",
                "role": "assistant",
                "status": "completed",
                "content": [part],
            }
        )
    for number, call in enumerate(plan.calls):
        items.append(
            {
                "type": "function_call",
                "id": f"fc_{number}",
                "call_id": call.id,
                "name": call.name,
                "arguments": call.arguments,
                "status": "completed",
            }
        )
    return items


def _responses_whole(plan: Plan, model: str) -> Json:
    prompt = USAGE_IN + USAGE_CACHED
    return {
        "id": "resp_scripted",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "completed",
        "model": model,
        "output": _items(plan),
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "temperature": 1.0,
        "top_p": 1.0,
        "usage": {
            "input_tokens": prompt,
            "input_tokens_details": {"cached_tokens": USAGE_CACHED, "cache_write_tokens": 0},
            "output_tokens": USAGE_OUT,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": prompt + USAGE_OUT,
        },
    }


def _responses_stream(plan: Plan, model: str) -> Iterator[bytes]:
    whole = _responses_whole(plan, model)
    begun = whole | {"status": "in_progress", "output": [], "usage": None}
    number = 0

    def event(kind: str, **members: Any) -> bytes:
        nonlocal number
        sent = _event(kind, sequence_number=number, **members)
        number += 1
        return sent

    yield event("response.created", response=begun)
    yield event("response.in_progress", response=begun)
    for place, item in enumerate(whole["output"]):
        at: Json = {"item_id": item["id"], "output_index": place}
        if item["type"] == "message":
            empty = item | {"status": "in_progress", "content": []}
            yield event("response.output_item.added", output_index=place, item=empty)
            [part] = item["content"]
            at |= {"content_index": 0}
            yield event("response.content_part.added", **at, part=part | {"text": ""})
            for word in plan.words:
                yield event("response.output_text.delta", **at, delta=word, logprobs=[])
            yield event("response.output_text.done", **at, text=plan.text, logprobs=[])
            yield event("response.content_part.done", **at, part=part)
        else:
            empty = item | {"status": "in_progress", "arguments": ""}
            yield event("response.output_item.added", output_index=place, item=empty)
            for piece in _halves(item["arguments"]):
                yield event("response.function_call_arguments.delta", **at, delta=piece)
            done = {"name": item["name"], "arguments": item["arguments"]}
            yield event("response.function_call_arguments.done", **at, **done)
        yield event("response.output_item.done", output_index=place, item=item)
    yield event("response.completed", response=whole)


# -- Gemini ----------------------------------------------------------------------------------


def _gemini(parts: list[Json], model: str, finish: str | None) -> Json:
    candidate: Json = {"content": {"role": "model", "parts": parts}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    prompt = USAGE_IN + USAGE_CACHED
    return {
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": prompt,
            "cachedContentTokenCount": USAGE_CACHED,
            "candidatesTokenCount": USAGE_OUT,
            "totalTokenCount": prompt + USAGE_OUT,
        },
        "modelVersion": model,
        "responseId": "scripted",
    }


def _gemini_calls(plan: Plan) -> list[Json]:
    calls: list[Json] = [
        {"functionCall": {"id": call.id, "name": call.name, "args": call.input}}
        for call in plan.calls
    ]
    if calls:
        calls[0]["thoughtSignature"] = "c2NyaXB0ZWQ="
    return calls


def _gemini_whole(plan: Plan, model: str) -> Json:
    text: list[Json] = [{"text": plan.text}] if plan.text else []
    return _gemini([*text, *_gemini_calls(plan)], model, "STOP")


def _gemini_stream(plan: Plan, model: str) -> Iterator[bytes]:
    chunks = [_gemini([{"text": word}], model, None) for word in plan.words]
    chunks += [_gemini([call], model, None) for call in _gemini_calls(plan)]
    chunks.append(_gemini([{"text": ""}], model, "STOP"))
    for chunk in chunks:
        yield f"data: {json.dumps(chunk)}\r\n\r\n".encode()


def _gemini_error(status: int) -> tuple[dict[str, str], Json]:
    word = {429: "RESOURCE_EXHAUSTED", 400: "INVALID_ARGUMENT", 503: "UNAVAILABLE"}
    status_word = word.get(status, "INTERNAL")
    error = {"code": status, "message": f"scripted failure {status}", "status": status_word}
    return {}, {"error": error}


# -- Bedrock Converse ------------------------------------------------------------------------


def _converse_usage() -> Json:
    total = USAGE_IN + USAGE_OUT + USAGE_CACHED
    return {
        "inputTokens": USAGE_IN,
        "outputTokens": USAGE_OUT,
        "totalTokens": total,
        "cacheReadInputTokens": USAGE_CACHED,
        "cacheWriteInputTokens": 0,
    }


def _converse_whole(plan: Plan, _: str) -> Json:
    content: list[Json] = [{"text": plan.text}] if plan.text else []
    content += [
        {"toolUse": {"toolUseId": call.id, "name": call.name, "input": call.input}}
        for call in plan.calls
    ]
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": "tool_use" if plan.calls else "end_turn",
        "usage": _converse_usage(),
        "metrics": {"latencyMs": 5},
    }


def frame(kind: str, payload: Json, message_type: str = "event") -> bytes:
    """One frame of the AWS event stream."""
    named = {":message-type": message_type, f":{message_type}-type": kind}
    named[":content-type"] = "application/json"
    headers = b""
    for name, value in named.items():
        headers += bytes([len(name)]) + name.encode() + b"\x07"
        headers += struct.pack(">H", len(value)) + value.encode()
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(body), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + body
    return message + struct.pack(">I", zlib.crc32(message))


def _converse_stream(plan: Plan, _: str) -> Iterator[bytes]:
    yield frame("messageStart", {"role": "assistant"})
    index = 0
    if plan.text:
        for word in plan.words:
            yield frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": word}})
        yield frame("contentBlockStop", {"contentBlockIndex": 0})
        index = 1
    for call in plan.calls:
        start = {"toolUse": {"toolUseId": call.id, "name": call.name}}
        yield frame("contentBlockStart", {"contentBlockIndex": index, "start": start})
        for piece in _halves(call.arguments):
            delta = {"toolUse": {"input": piece}}
            yield frame("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})
        yield frame("contentBlockStop", {"contentBlockIndex": index})
        index += 1
    yield frame("messageStop", {"stopReason": "tool_use" if plan.calls else "end_turn"})
    yield frame("metadata", {"usage": _converse_usage(), "metrics": {"latencyMs": 5}})


def _converse_error(status: int) -> tuple[dict[str, str], Json]:
    kinds = {429: "ThrottlingException", 400: "ValidationException"}
    kind = kinds.get(status, "InternalServerException")
    return {"x-amzn-errortype": kind}, {"message": f"scripted failure {status}"}


# -- Ollama ----------------------------------------------------------------------------------


def _ollama(message: Json, model: str, done: str | None) -> Json:
    line: Json = {
        "model": model,
        "created_at": "2026-11-21T00:00:00Z",
        "message": {"role": "assistant", **message},
        "done": done is not None,
    }
    if done is not None:
        line |= {
            "done_reason": done,
            "total_duration": 9,
            "load_duration": 1,
            "prompt_eval_count": USAGE_IN + USAGE_CACHED,
            "prompt_eval_duration": 1,
            "eval_count": USAGE_OUT,
            "eval_duration": 1,
        }
    return line


def _ollama_calls(plan: Plan) -> list[Json]:
    return [{"function": {"name": call.name, "arguments": call.input}} for call in plan.calls]


def _ollama_whole(plan: Plan, model: str) -> Json:
    message: Json = {"content": plan.text}
    if plan.calls:
        message["tool_calls"] = _ollama_calls(plan)
    return _ollama(message, model, "stop")


def _ollama_stream(plan: Plan, model: str) -> Iterator[bytes]:
    lines = [_ollama({"content": word}, model, None) for word in plan.words]
    if plan.calls:
        lines.append(_ollama({"content": "", "tool_calls": _ollama_calls(plan)}, model, None))
    lines.append(_ollama({"content": ""}, model, "stop"))
    for line in lines:
        yield json.dumps(line).encode() + b"\n"


def _ollama_error(status: int) -> tuple[dict[str, str], Json]:
    return {}, {"error": f"scripted failure {status}"}


SPEAK: Mapping[str, Speech] = {
    "anthropic-messages": Speech(
        "text/event-stream", _messages_whole, _messages_stream, _messages_error
    ),
    "openai-chat": Speech("text/event-stream", _chat_whole, _chat_stream, _openai_error),
    "openai-responses": Speech(
        "text/event-stream", _responses_whole, _responses_stream, _openai_error
    ),
    "gemini": Speech("text/event-stream", _gemini_whole, _gemini_stream, _gemini_error),
    "bedrock-converse": Speech(
        "application/vnd.amazon.eventstream", _converse_whole, _converse_stream, _converse_error
    ),
    "ollama-chat": Speech("application/x-ndjson", _ollama_whole, _ollama_stream, _ollama_error),
}


def _halves(text: str) -> Iterator[str]:
    middle = len(text) // 2
    yield text[:middle]
    yield text[middle:]
