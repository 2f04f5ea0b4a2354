"""Random answers, and the bytes an upstream of each dialect sends of them: whole, and as a stream.

Spelled after the wire formats, apart from the project's own writers; a dialect is only asked to
say what it has words for (`DIALECTS`). Reasoning that its maker needs back is signed by `SIGNED`.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

from hypothesis import strategies as st

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
from tests.wire.bedrock_frames import frame

Json = dict[str, Any]

SIGNED = "c2lnbmVkLWJ5LWl0cy1tYWtlcg=="
"""What the maker of the reasoning wants back."""
REDACTED = "cmVkYWN0ZWQtYnktaXRzLW1ha2Vy"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """What an upstream says; a stream is cut into pieces of `step` characters.

    `mixed`: pieces of parallel calls come by turns, where the dialect can do that.
    """

    blocks: tuple[Block, ...]
    stop: Stop
    sequence: str | None = None
    usage: Usage = Usage(input=21, output=12, cache_read=4, reasoning=5)
    step: int = 5
    mixed: bool = False

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        return tuple(block for block in self.blocks if isinstance(block, ToolCall))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How an upstream speaks, and what it has words for.

    `one_of_each`: reasoning, text, calls, in this order. `without`: blocks it never says.
    """

    whole: Callable[[Speech], bytes]
    stream: Callable[[Speech], bytes]
    stops: Mapping[Stop, str]
    one_of_each: bool = False
    without: tuple[type[Block], ...] = ()
    signs: bool = True
    ids: tuple[str, ...] = ()
    counts: frozenset[str] = frozenset(("cache_read", "cache_write", "reasoning"))
    """Kinds of tokens beside input and output."""

    def sayable(self, usage: Usage) -> Usage:
        """The usage without the kinds this dialect does not count."""
        unsaid: Json = {
            name: None if name == "reasoning" else 0
            for name in ("cache_read", "cache_write", "reasoning")
            if name not in self.counts
        }
        if "cache_write_1h" not in self.counts:
            unsaid["cache_write_1h"] = None
        return replace_usage(usage, unsaid)


def replace_usage(usage: Usage, members: Json) -> Usage:
    """The usage with other counts."""
    given = {name: getattr(usage, name) for name in usage.__struct_fields__}
    return Usage(**(given | members))


# -- random answers --------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        "Hello",
        "晨 \u2028 und \u0085\u2029",
        " ",
        "\n\n",
        "e\u0301 \U0001f469\u200d\U0001f680",
        '{"a": "\\u0041',
        "data: [DONE]\r\n\r\nevent: x\n",
        "\u0000\u001f",
        "ab" * 40,
    ]
)
INPUTS = st.sampled_from(
    [
        "{}",
        '{"city":"Zür\\u0069ch \u2028","n":1.5}',
        '{"a": {"b": [1, null, true, "\\u0085\\\\"]}, "": "\\""}',
        '{"text":"' + "long " * 30 + '"}',
    ]
)
FREE = '{"input":"*** Begin Patch\\n+\u2028"}'
"""What a model answers for a free-form tool it was offered as a function."""


@st.composite
def speeches(draw: st.DrawFn, target: str) -> Speech:
    """Any answer that this target could give."""
    dialect = DIALECTS[target]
    kinds = [kind for kind in (Thinking, RedactedThinking, Text, ToolCall, Refusal)
             if kind not in dialect.without]  # fmt: skip
    if dialect.one_of_each:
        drawn = [kind for kind in kinds if draw(st.booleans())]
        if ToolCall in drawn:
            drawn += [ToolCall] * draw(st.integers(0, 2))
    else:
        drawn = draw(st.lists(st.sampled_from(kinds), max_size=5))
    blocks: list[Block] = []
    for kind in drawn:
        calls = sum(isinstance(block, ToolCall) for block in blocks)
        blocks.append(_block(draw, kind, calls, dialect))
    has_calls = any(isinstance(block, ToolCall) for block in blocks)
    stops = [stop for stop in dialect.stops if has_calls == (stop is Stop.TOOL_USE)]
    if has_calls:
        stops.append(Stop.LENGTH)
    stop = draw(st.sampled_from(stops))
    if any(isinstance(block, Refusal) for block in blocks) and stop is Stop.END:
        stop = Stop.REFUSAL
    return Speech(
        blocks=tuple(blocks),
        stop=stop,
        sequence="END" if stop is Stop.STOP_SEQUENCE else None,
        usage=dialect.sayable(Usage(input=21, output=12, cache_read=4, cache_write=2, reasoning=5)),
        step=draw(st.sampled_from([1, 3, 1000])),
        mixed=draw(st.booleans()),
    )


def _block(draw: st.DrawFn, kind: type[Block], calls: int, dialect: Dialect) -> Block:
    if kind is Thinking:
        signature = draw(st.sampled_from([None, SIGNED])) if dialect.signs else None
        return Thinking(text=draw(WORDS), signature=signature)
    if kind is RedactedThinking:
        return RedactedThinking(data=REDACTED)
    if kind is Text:
        return Text(text=draw(WORDS))
    if kind is Refusal:
        return Refusal(text=draw(WORDS))
    given = draw(st.sampled_from(dialect.ids))
    name = draw(st.sampled_from(["look", "unknown", "patch"]))
    arguments = FREE if name == "patch" else draw(INPUTS)
    return ToolCall(id=given and f"{given}{calls}", name=name, arguments=arguments)


# -- spelling --------------------------------------------------------------------------------


def _bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _sse(items: Sequence[Any], end: str = "\n") -> bytes:
    pieces = []
    for item in items:
        name = f"event: {item['type']}{end}" if isinstance(item, dict) and "type" in item else ""
        data = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
        pieces.append(f"{name}data: {data}{end}{end}")
    return "".join(pieces).encode()


def _pieces(text: str, step: int) -> Iterator[str]:
    for at in range(0, len(text), step):
        yield text[at : at + step]


def _prompt(usage: Usage) -> int:
    return usage.input + usage.cache_read + usage.cache_write


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


def _messages_value(speech: Speech) -> Json:
    return {
        "id": "msg_up",
        "type": "message",
        "role": "assistant",
        "model": "up",
        "content": [_messages_block(block) for block in speech.blocks],
        "stop_reason": _MESSAGES_STOPS[speech.stop],
        "stop_sequence": speech.sequence,
        "usage": _messages_usage(speech.usage),
    }


_MESSAGES_STOPS = {
    Stop.END: "end_turn",
    Stop.LENGTH: "max_tokens",
    Stop.STOP_SEQUENCE: "stop_sequence",
    Stop.TOOL_USE: "tool_use",
    Stop.PAUSE: "pause_turn",
    Stop.REFUSAL: "refusal",
    Stop.CONTEXT: "model_context_window_exceeded",
}


def _messages_stream(speech: Speech) -> bytes:
    """As the API streams: the input first, with one token of output; the totals at the end."""
    whole = _messages_value(speech)
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
    return _sse(events)


def _messages_deltas(block: Block, step: int) -> tuple[Json, list[Json]]:
    whole = _messages_block(block)
    match block:
        case Thinking(text=text):
            deltas: list[Json] = [
                {"type": "thinking_delta", "thinking": piece} for piece in _pieces(text, step)
            ]
            deltas.append({"type": "signature_delta", "signature": whole["signature"]})
            return whole | {"thinking": "", "signature": ""}, deltas
        case ToolCall(arguments=text):
            text = "" if text == "{}" else text
            pieces = ["", *_pieces(text, step)]
            return whole | {"input": {}}, [
                {"type": "input_json_delta", "partial_json": piece} for piece in pieces
            ]
        case Text(text=text):
            pieces = list(_pieces(text, step))
            return whole | {"text": ""}, [{"type": "text_delta", "text": one} for one in pieces]
        case _:
            return whole, []


# -- OpenAI Chat -----------------------------------------------------------------------------


def _chat_usage(usage: Usage) -> Json:
    prompt = _prompt(usage)
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


_CHAT_STOPS = {
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


def _chat_whole(speech: Speech) -> bytes:
    message: Json = {"role": "assistant", "content": None, "refusal": None}
    for block in speech.blocks:
        if isinstance(block, Text | Thinking | Refusal):
            message[_CHAT_FIELDS[type(block)]] = block.text
    calls = [_chat_call(call) for call in speech.calls]
    if calls:
        message["tool_calls"] = calls
    choice = {"message": message, "finish_reason": _CHAT_STOPS[speech.stop]}
    return _bytes(_chat_value("chat.completion", choice, usage=_chat_usage(speech.usage)))


def _chat_call(call: ToolCall) -> Json:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _chat_stream(speech: Speech) -> bytes:
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    for block in speech.blocks:
        if isinstance(block, Text | Thinking | Refusal):
            field = _CHAT_FIELDS[type(block)]
            deltas += ({field: piece} for piece in _pieces(block.text, speech.step))
    of_calls: list[list[Json]] = []
    for number, call in enumerate(speech.calls):
        opening = _chat_call(call) | {"index": number}
        opening["function"] = {"name": call.name, "arguments": ""}
        more = [
            {"index": number, "function": {"arguments": piece}}
            for piece in _pieces(call.arguments, speech.step)
        ]
        of_calls.append([opening, *more])
    deltas += ({"tool_calls": [entry]} for entry in _order(of_calls, mixed=speech.mixed))
    kind = "chat.completion.chunk"
    chunks: list[Any] = [
        _chat_value(kind, {"delta": delta, "finish_reason": None}, usage=None) for delta in deltas
    ]
    end = {"delta": {}, "finish_reason": _CHAT_STOPS[speech.stop]}
    chunks.append(_chat_value(kind, end, usage=None))
    chunks.append(_chat_value(kind, {}, usage=_chat_usage(speech.usage)) | {"choices": []})
    return _sse([*chunks, "[DONE]"])


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


def _responses_value(speech: Speech) -> Json:
    prompt = _prompt(speech.usage)
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


def _responses_stream(speech: Speech) -> bytes:
    whole = _responses_value(speech)
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
    return _sse([event | {"sequence_number": number} for number, event in enumerate(events)])


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
            inner += ({"type": f"{kind}.delta", **where, "delta": p} for p in _pieces(text, step))
            inner.append({"type": f"{kind}.done", **where, "text": text})
        case "function_call":
            empty |= {"arguments": "", "status": "in_progress"}
            kind = "response.function_call_arguments"
            text = item["arguments"]
            inner += ({"type": f"{kind}.delta", **at, "delta": p} for p in _pieces(text, step))
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
            inner += ({"type": f"{kind}.delta", **where, "delta": p} for p in _pieces(text, step))
            inner.append({"type": f"{kind}.done", **where, name: text})
            inner.append({"type": "response.content_part.done", **where, "part": part})
    return [
        {"type": "response.output_item.added", "output_index": place, "item": empty},
        *inner,
        {"type": "response.output_item.done", "output_index": place, "item": item},
    ]


# -- Gemini ----------------------------------------------------------------------------------

_GEMINI_STOPS = {
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
                parts += ({"text": piece, "thought": True} for piece in _pieces(text, step))
                signature = block.signature or ""
                continue
            case Text(text=text):
                made: list[Json] = [{"text": piece} for piece in _pieces(text, step)]
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
        "promptTokenCount": _prompt(usage),
        "cachedContentTokenCount": usage.cache_read,
        "candidatesTokenCount": usage.output - (usage.reasoning or 0),
        "totalTokenCount": _prompt(usage) + usage.output,
    }
    if usage.reasoning is not None:
        counts["thoughtsTokenCount"] = usage.reasoning
    return {
        "candidates": [candidate],
        "usageMetadata": counts,
        "modelVersion": "up",
        "responseId": "resp",
    }


def _gemini_whole(speech: Speech) -> bytes:
    parts = _gemini_parts(speech, 10**6)
    return _bytes(_gemini_value(speech, parts, _GEMINI_STOPS[speech.stop]))


def _gemini_stream(speech: Speech) -> bytes:
    parts = _gemini_parts(speech, speech.step)
    chunks = [_gemini_value(speech, [part], None) for part in parts]
    chunks.append(_gemini_value(speech, [{"text": ""}], _GEMINI_STOPS[speech.stop]))
    return _sse(chunks, "\r\n")


# -- Bedrock Converse ------------------------------------------------------------------------

_CONVERSE_STOPS = {stop: word for stop, word in _MESSAGES_STOPS.items()
                   if stop not in (Stop.PAUSE, Stop.REFUSAL)}  # fmt: skip
_CONVERSE_STOPS[Stop.REFUSAL] = "guardrail_intervened"


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
        "totalTokens": _prompt(usage) + usage.output,
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


def _converse_whole(speech: Speech) -> bytes:
    content = [_converse_block(block) for block in speech.blocks]
    return _bytes(
        {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": _CONVERSE_STOPS[speech.stop],
            "usage": _converse_usage(speech.usage),
            "metrics": {"latencyMs": 5},
            **_converse_more(speech),
        }
    )


def _converse_stream(speech: Speech) -> bytes:
    rows: list[tuple[str, Json]] = [("messageStart", {"role": "assistant"})]
    for index, block in enumerate(speech.blocks):
        at = {"contentBlockIndex": index}
        deltas: list[Json] = []
        match block:
            case Thinking():
                deltas += (
                    {"reasoningContent": {"text": piece}}
                    for piece in _pieces(block.text, speech.step)
                )
                if block.signature:
                    deltas.append({"reasoningContent": {"signature": block.signature}})
            case RedactedThinking():
                deltas.append({"reasoningContent": {"redactedContent": block.data}})
            case ToolCall():
                start = {"toolUse": {"toolUseId": block.id, "name": block.name}}
                rows.append(("contentBlockStart", {**at, "start": start}))
                pieces = _pieces(block.arguments, speech.step)
                deltas += ({"toolUse": {"input": piece}} for piece in pieces)
            case Text():
                deltas += ({"text": piece} for piece in _pieces(block.text, speech.step))
            case _:
                raise ValueError(block)
        rows += (("contentBlockDelta", {**at, "delta": delta}) for delta in deltas)
        rows.append(("contentBlockStop", at))
    end = {"stopReason": _CONVERSE_STOPS[speech.stop], **_converse_more(speech)}
    rows.append(("messageStop", end))
    rows.append(("metadata", {"usage": _converse_usage(speech.usage), "metrics": {"latencyMs": 5}}))
    return b"".join(frame("event", name, payload) for name, payload in rows)


# -- Ollama ----------------------------------------------------------------------------------

_OLLAMA_STOPS = {Stop.END: "stop", Stop.TOOL_USE: "stop", Stop.LENGTH: "length"}


def _ollama_line(message: Json, ends: Speech | None = None) -> Json:
    line: Json = {
        "model": "up",
        "created_at": "2026-11-21T06:00:00Z",
        "message": {"role": "assistant", "content": "", **message},
        "done": ends is not None,
    }
    if ends is not None:
        counts = {"prompt_eval_count": _prompt(ends.usage), "eval_count": ends.usage.output}
        line |= {"done_reason": _OLLAMA_STOPS[ends.stop], **counts}
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


def _ollama_whole(speech: Speech) -> bytes:
    message: Json = {}
    for block in speech.blocks:
        if isinstance(block, Text | Thinking):
            message[_OLLAMA_FIELDS[type(block)]] = block.text
    calls = _ollama_calls(speech)
    return _bytes(_ollama_line(message | ({"tool_calls": calls} if calls else {}), speech))


def _ollama_stream(speech: Speech) -> bytes:
    lines: list[Json] = []
    for block in speech.blocks:
        if isinstance(block, Text | Thinking):
            field = _OLLAMA_FIELDS[type(block)]
            lines += (_ollama_line({field: piece}) for piece in _pieces(block.text, speech.step))
    calls = _ollama_calls(speech)
    groups = [[call] for call in calls] if speech.mixed else [calls] if calls else []
    lines += (_ollama_line({"tool_calls": group}) for group in groups)
    lines.append(_ollama_line({}, speech))
    return b"".join(_bytes(line) + b"\n" for line in lines)


DIALECTS: Mapping[str, Dialect] = {
    "anthropic-messages": Dialect(
        whole=lambda speech: _bytes(_messages_value(speech)),
        stream=_messages_stream,
        stops=_MESSAGES_STOPS,
        without=(Refusal,),
        ids=("toolu_01", "toolu_x"),
        counts=frozenset(("cache_read", "cache_write", "reasoning", "cache_write_1h")),
    ),
    "openai-chat": Dialect(
        whole=_chat_whole,
        stream=_chat_stream,
        stops=_CHAT_STOPS,
        one_of_each=True,
        without=(RedactedThinking,),
        signs=False,
        ids=("call_", "functions.look:"),
    ),
    "openai-responses": Dialect(
        whole=lambda speech: _bytes(_responses_value(speech)),
        stream=_responses_stream,
        stops={stop: stop.value for stop in (Stop.END, Stop.LENGTH, Stop.TOOL_USE, Stop.REFUSAL)},
        without=(RedactedThinking,),
        ids=("call_",),
    ),
    "gemini": Dialect(
        whole=_gemini_whole,
        stream=_gemini_stream,
        stops=_GEMINI_STOPS,
        without=(RedactedThinking, Refusal),
        ids=("", "fc"),
        counts=frozenset(("cache_read", "reasoning")),
    ),
    "bedrock-converse": Dialect(
        whole=_converse_whole,
        stream=_converse_stream,
        stops=_CONVERSE_STOPS,
        without=(Refusal,),
        ids=("tooluse_",),
        counts=frozenset(("cache_read", "cache_write", "cache_write_1h")),
    ),
    "ollama-chat": Dialect(
        whole=_ollama_whole,
        stream=_ollama_stream,
        stops=_OLLAMA_STOPS,
        one_of_each=True,
        without=(RedactedThinking, Refusal),
        signs=False,
        ids=("", "call_"),
        counts=frozenset(),
    ),
}
"""By target dialect."""


def speech_of(target: str, usage: Usage) -> Speech:
    """The plainest answer, with this usage."""
    said = DIALECTS[target].sayable(usage)
    return replace(Speech(blocks=(Text(text="Hi"),), stop=Stop.END), usage=said)
