"""An answer, as upstreams of the Gemini, Converse and Ollama dialects send it."""

import json
from collections.abc import Mapping

from lynkrc_runtime.protocol.conversation import (
    Block,
    RedactedThinking,
    Stop,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from tests.property.speech import Json, Speech, pieces_of, prompt_of, to_json, to_sse
from tests.property.upstreams_over_sse import MESSAGES_STOPS
from tests.wire.bedrock_frames import frame

# -- Gemini ----------------------------------------------------------------------------------

GEMINI_STOPS = {
    Stop.END: "STOP",
    Stop.TOOL_USE: "STOP",
    Stop.LENGTH: "MAX_TOKENS",
    Stop.REFUSAL: "SAFETY",
}


def _gemini_parts(speech: Speech, step: int) -> list[Json]:
    parts: list[Json] = []
    signature = ""
    for block in speech.blocks:
        match block:
            case Thinking(text=text):
                parts += ({"text": piece, "thought": True} for piece in pieces_of(text, step))
                signature = block.signature or ""
                continue
            case Text(text=text):
                made: list[Json] = [{"text": piece} for piece in pieces_of(text, step)]
            case ToolCall():
                call = {"name": block.name, "args": json.loads(block.arguments)}
                made = [{"functionCall": call | ({"id": block.id} if block.id else {})}]
            case _:
                raise ValueError(block)
        if signature:
            # It belongs to the part behind the reasoning.
            made[0]["thoughtSignature"] = signature
        signature = ""
        parts += made
    return parts


def _gemini_value(speech: Speech, parts: list[Json], finish: str | None) -> Json:
    candidate: Json = {"content": {"role": "model", "parts": parts}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    usage = speech.usage
    counts = {
        "promptTokenCount": prompt_of(usage),
        "cachedContentTokenCount": usage.cache_read,
        "candidatesTokenCount": usage.output - (usage.reasoning or 0),
        "totalTokenCount": prompt_of(usage) + usage.output,
    }
    if usage.reasoning is not None:
        counts["thoughtsTokenCount"] = usage.reasoning
    return {
        "candidates": [candidate],
        "usageMetadata": counts,
        "modelVersion": "up",
        "responseId": "resp",
    }


def gemini_whole(speech: Speech) -> bytes:
    parts = _gemini_parts(speech, 10**6)
    return to_json(_gemini_value(speech, parts, GEMINI_STOPS[speech.stop]))


def gemini_stream(speech: Speech) -> bytes:
    parts = _gemini_parts(speech, speech.step)
    chunks = [_gemini_value(speech, [part], None) for part in parts]
    chunks.append(_gemini_value(speech, [{"text": ""}], GEMINI_STOPS[speech.stop]))
    return to_sse(chunks, "\r\n")


# -- Bedrock Converse ------------------------------------------------------------------------

CONVERSE_STOPS = {stop: word for stop, word in MESSAGES_STOPS.items()
                   if stop not in (Stop.PAUSE, Stop.REFUSAL)}  # fmt: skip
CONVERSE_STOPS[Stop.REFUSAL] = "guardrail_intervened"


def _converse_usage(usage: Usage) -> Json:
    written = usage.cache_write_1h
    details = [] if written is None else [
        {"ttl": "5m", "inputTokens": usage.cache_write - written},
        {"ttl": "1h", "inputTokens": written},
    ]  # fmt: skip
    return {
        **({"cacheDetails": details} if details else {}),
        "inputTokens": usage.input,
        "outputTokens": usage.output,
        "totalTokens": prompt_of(usage) + usage.output,
        "cacheReadInputTokens": usage.cache_read,
        "cacheWriteInputTokens": usage.cache_write,
    }


def _converse_block(block: Block) -> Json:
    match block:
        case Thinking():
            signature = {"signature": block.signature} if block.signature else {}
            return {"reasoningContent": {"reasoningText": {"text": block.text, **signature}}}
        case RedactedThinking():
            return {"reasoningContent": {"redactedContent": block.data}}
        case ToolCall():
            given = json.loads(block.arguments)
            return {"toolUse": {"toolUseId": block.id, "name": block.name, "input": given}}
        case Text():
            return {"text": block.text}
        case _:
            raise ValueError(block)


def _converse_more(speech: Speech) -> Json:
    sequence = {"stop_sequence": speech.sequence} if speech.sequence else {}
    return {"additionalModelResponseFields": sequence} if sequence else {}


def converse_whole(speech: Speech) -> bytes:
    content = [_converse_block(block) for block in speech.blocks]
    return to_json(
        {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": CONVERSE_STOPS[speech.stop],
            "usage": _converse_usage(speech.usage),
            "metrics": {"latencyMs": 5},
            **_converse_more(speech),
        }
    )


def converse_stream(speech: Speech) -> bytes:
    rows: list[tuple[str, Json]] = [("messageStart", {"role": "assistant"})]
    for index, block in enumerate(speech.blocks):
        at = {"contentBlockIndex": index}
        deltas: list[Json] = []
        match block:
            case Thinking():
                deltas += (
                    {"reasoningContent": {"text": piece}}
                    for piece in pieces_of(block.text, speech.step)
                )
                if block.signature:
                    deltas.append({"reasoningContent": {"signature": block.signature}})
            case RedactedThinking():
                deltas.append({"reasoningContent": {"redactedContent": block.data}})
            case ToolCall():
                start = {"toolUse": {"toolUseId": block.id, "name": block.name}}
                rows.append(("contentBlockStart", {**at, "start": start}))
                pieces = pieces_of(block.arguments, speech.step)
                deltas += ({"toolUse": {"input": piece}} for piece in pieces)
            case Text():
                deltas += ({"text": piece} for piece in pieces_of(block.text, speech.step))
            case _:
                raise ValueError(block)
        rows += (("contentBlockDelta", {**at, "delta": delta}) for delta in deltas)
        rows.append(("contentBlockStop", at))
    end = {"stopReason": CONVERSE_STOPS[speech.stop], **_converse_more(speech)}
    rows.append(("messageStop", end))
    rows.append(("metadata", {"usage": _converse_usage(speech.usage), "metrics": {"latencyMs": 5}}))
    return b"".join(frame("event", name, payload) for name, payload in rows)


# -- Ollama ----------------------------------------------------------------------------------

OLLAMA_STOPS = {Stop.END: "stop", Stop.TOOL_USE: "stop", Stop.LENGTH: "length"}


def _ollama_line(message: Json, ends: Speech | None = None) -> Json:
    line: Json = {
        "model": "up",
        "created_at": "2026-11-21T06:00:00Z",
        "message": {"role": "assistant", "content": "", **message},
        "done": ends is not None,
    }
    if ends is not None:
        counts = {"prompt_eval_count": prompt_of(ends.usage), "eval_count": ends.usage.output}
        line |= {"done_reason": OLLAMA_STOPS[ends.stop], **counts}
    return line


def _ollama_calls(speech: Speech) -> list[Json]:
    return [
        {
            **({"id": call.id} if call.id else {}),
            "function": {"name": call.name, "arguments": json.loads(call.arguments)},
        }
        for call in speech.calls
    ]


_OLLAMA_FIELDS: Mapping[type[Block], str] = {Thinking: "thinking", Text: "content"}


def ollama_whole(speech: Speech) -> bytes:
    message: Json = {}
    for block in speech.blocks:
        if isinstance(block, Text | Thinking):
            message[_OLLAMA_FIELDS[type(block)]] = block.text
    calls = _ollama_calls(speech)
    return to_json(_ollama_line(message | ({"tool_calls": calls} if calls else {}), speech))


def ollama_stream(speech: Speech) -> bytes:
    lines: list[Json] = []
    for block in speech.blocks:
        if isinstance(block, Text | Thinking):
            field = _OLLAMA_FIELDS[type(block)]
            lines += (_ollama_line({field: piece}) for piece in pieces_of(block.text, speech.step))
    calls = _ollama_calls(speech)
    groups = [[call] for call in calls] if speech.mixed else [calls] if calls else []
    lines += (_ollama_line({"tool_calls": group}) for group in groups)
    lines.append(_ollama_line({}, speech))
    return b"".join(to_json(line) + b"\n" for line in lines)
