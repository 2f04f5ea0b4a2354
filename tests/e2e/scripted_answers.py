"""What an upstream says, to the bytes it says it with: written from the documents, not our code.

A `Said` is rendered in either dialect, whole or streamed, so that what a client reads through the
gateway can be compared with what was meant, whatever dialects met on the way.
"""

import json
from dataclasses import dataclass, field
from typing import Any

UPSTREAM_ID = "req_of_the_upstream_1"


@dataclass(frozen=True)
class Call:
    """A tool call as the model wrote it."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Said:
    """An answer; `stop` is Anthropic's word. `fresh` input tokens are those no cache read."""

    text: str = ""
    thinking: tuple[str, str] | None = None
    calls: tuple[Call, ...] = ()
    stop: str = "end_turn"
    stop_sequence: str | None = None
    fresh: int = 120
    cached: int = 30
    output: int = 17


@dataclass(frozen=True)
class Raw:
    """Bytes in pieces, as they are.

    `cut` ends the connection instead of the answer; `held` waits before that until the test says
    so, since whoever reads a cut connection may lose the last bytes before the cut.
    """

    pieces: tuple[bytes, ...]
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    cut: bool = False
    held: bool = False


SSE = {"content-type": "text/event-stream; charset=utf-8"}
_ODD = 61
"""Bytes of a piece: cuts lines, and characters of more than one byte."""


def render(said: Said, dialect: str, request: dict[str, Any]) -> Raw:
    """The answer of a healthy upstream to `request`."""
    stream = request.get("stream") is True
    match dialect, stream:
        case "anthropic-messages", True:
            data = b"".join(_event(event) for event in message_events(said, request["model"]))
        case "anthropic-messages", False:
            data = _json(message(said, request["model"]))
        case _, True:
            with_usage = bool((request.get("stream_options") or {}).get("include_usage"))
            chunks = completion_chunks(said, request["model"], with_usage=with_usage)
            data = b"".join(b"data: " + _json(chunk) + b"\n\n" for chunk in chunks)
            data += b"data: [DONE]\n\n"
        case _:
            data = _json(completion(said, request["model"]))
    headers = dict(SSE) if stream else {"content-type": "application/json"}
    name = "request-id" if dialect == "anthropic-messages" else "x-request-id"
    return Raw(
        pieces=tuple(data[at : at + _ODD] for at in range(0, len(data), _ODD)),
        headers=headers | {name: UPSTREAM_ID},
    )


def stopped_after(raw: Raw, mark: bytes, *, cut: bool = True, held: bool = True) -> Raw:
    """A stream ended behind the first event that holds `mark`."""
    data = b"".join(raw.pieces)
    end = data.index(b"\n\n", data.index(mark)) + 2
    return Raw(pieces=(data[:end],), status=raw.status, headers=raw.headers, cut=cut, held=held)


def refusal(dialect: str, message: str, status: int = 400, **headers: str) -> Raw:
    """An error answer in the dialect."""
    word = {
        401: "authentication_error",
        429: "rate_limit_error",
        503: "overloaded_error",
        529: "overloaded_error",
    }.get(status, "invalid_request_error")
    if dialect == "anthropic-messages":
        body: dict[str, Any] = {"type": "error", "error": {"type": word, "message": message}}
    else:
        body = {"error": {"message": message, "type": word, "param": None, "code": None}}
    return Raw(
        pieces=(_json(body),), status=status, headers={"content-type": "application/json"} | headers
    )


# -- Anthropic Messages ------------------------------------------------------------------------


def message(said: Said, model: str) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = []
    if said.thinking is not None:
        text, signature = said.thinking
        blocks.append({"type": "thinking", "thinking": text, "signature": signature})
    if said.text:
        blocks.append({"type": "text", "text": said.text})
    blocks += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments}
        for call in said.calls
    ]
    return {
        "id": "msg_01OfTheUpstream",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": blocks,
        "stop_reason": said.stop,
        "stop_sequence": said.stop_sequence,
        "usage": _message_usage(said, said.output),
    }


def message_events(said: Said, model: str) -> list[dict[str, Any]]:
    whole = message(said, model)
    start = whole | {
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _message_usage(said, 1),
    }
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, block in enumerate(whole["content"]):
        empty, deltas = _block_parts(block)
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        events += [
            {"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas
        ]
        events.append({"type": "content_block_stop", "index": index})
    return [
        *events,
        {
            "type": "message_delta",
            "delta": {"stop_reason": said.stop, "stop_sequence": said.stop_sequence},
            "usage": _message_usage(said, said.output),
        },
        {"type": "message_stop"},
    ]


def _block_parts(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    match block["type"]:
        case "text":
            return {"type": "text", "text": ""}, [
                {"type": "text_delta", "text": piece} for piece in _pieces(block["text"])
            ]
        case "thinking":
            deltas: list[dict[str, Any]] = [
                {"type": "thinking_delta", "thinking": piece}
                for piece in _pieces(block["thinking"])
            ]
            return {"type": "thinking", "thinking": "", "signature": ""}, [
                *deltas,
                {"type": "signature_delta", "signature": block["signature"]},
            ]
        case _:
            # A call without arguments sends none at all.
            text = json.dumps(block["input"], ensure_ascii=False) if block["input"] else ""
            return block | {"input": {}}, [
                {"type": "input_json_delta", "partial_json": piece} for piece in _pieces(text)
            ]


def _message_usage(said: Said, output: int) -> dict[str, Any]:
    return {
        "input_tokens": said.fresh,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": said.cached,
        "output_tokens": output,
    }


# -- OpenAI Chat -------------------------------------------------------------------------------

_FINISHES = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length"}


def completion(said: Said, model: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"role": "assistant", "content": said.text or None, "refusal": None}
    if said.calls:
        answer["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _arguments(call)},
            }
            for call in said.calls
        ]
    choice = {"index": 0, "message": answer, "logprobs": None, "finish_reason": _finish(said)}
    return {
        "id": "chatcmpl-OfTheUpstream",
        "object": "chat.completion",
        "created": 1795240000,
        "model": model,
        "choices": [choice],
        "usage": _completion_usage(said),
    }


def completion_chunks(said: Said, model: str, *, with_usage: bool) -> list[dict[str, Any]]:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", "refusal": None}]
    deltas += [{"content": piece} for piece in _pieces(said.text)]
    for index, call in enumerate(said.calls):
        function = {"name": call.name, "arguments": ""}
        head = {"index": index, "id": call.id, "type": "function", "function": function}
        deltas.append({"tool_calls": [head]})
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
            for piece in _pieces(_arguments(call))
        ]
    base = {
        "id": "chatcmpl-OfTheUpstream",
        "object": "chat.completion.chunk",
        "created": 1795240000,
        "model": model,
    }
    usage: dict[str, Any] = {"usage": None} if with_usage else {}
    chunks = [
        base
        | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}
        | usage
        for delta, finish in [*((delta, None) for delta in deltas), ({}, _finish(said))]
    ]
    if with_usage:
        chunks.append(base | {"choices": [], "usage": _completion_usage(said)})
    return chunks


def _finish(said: Said) -> str:
    return "tool_calls" if said.stop == "tool_use" else _FINISHES[said.stop]


def _arguments(call: Call) -> str:
    return json.dumps(call.arguments, ensure_ascii=False)


def _completion_usage(said: Said) -> dict[str, Any]:
    prompt = said.fresh + said.cached
    return {
        "prompt_tokens": prompt,
        "completion_tokens": said.output,
        "total_tokens": prompt + said.output,
        "prompt_tokens_details": {"cached_tokens": said.cached},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


# -- pieces ------------------------------------------------------------------------------------


def _pieces(text: str) -> list[str]:
    """The text in a few pieces of odd length."""
    return [text[at : at + 7] for at in range(0, len(text), 7)]


def _event(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\n".encode() + b"data: " + _json(event) + b"\n\n"


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
