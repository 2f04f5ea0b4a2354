"""What the lessons are tried with: requests in every client dialect, answers in every target's."""

import json
from collections.abc import Callable
from typing import Any

from lynkrc_runtime.protocol.conversation import (
    Answer,
    CannotTranslate,
    Event,
    Request,
    Stop,
    Text,
    ToolCall,
    Usage,
)
from lynkrc_runtime.protocol.dialect import AnswerContext, TargetFacts, Written
from lynkrc_runtime.protocol.fold import unfold
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from tests.wire import bedrock_frames, gemini_lint, ollama_lint

MESSAGES, CHAT, RESPONSES = "anthropic-messages", "openai-chat", "openai-responses"
GEMINI, CONVERSE, OLLAMA = "gemini", "bedrock-converse", "ollama-chat"
PAIRS = [(target, client) for target in TARGET_DIALECTS for client in CLIENT_DIALECTS]
MODELS = {CONVERSE: "anthropic.claude-x", MESSAGES: "claude-x"}

TEXT = "Zwölf \u2028\u2029\u0085漢"
CALLS = (("look", '{"at": "a"}'), ("look", '{"at": "b"}'), ("stop", "{}"))
USAGE = Usage(input=9, output=140, cache_read=18432, cache_write=2048)
Json = dict[str, Any]


def facts_of(target: str, **members: Any) -> TargetFacts:
    values: dict[str, Any] = {
        "model": MODELS.get(target, "m"),
        "max_output": 64_000,
        "capabilities": frozenset(("tools", "vision", "documents", "thinking", "json_schema")),
        "shape": RequestShape(),
        "maker": f"kind/{target}",
    }
    return TargetFacts(**(values | members))


# -- requests ----------------------------------------------------------------------------------


def read(client: str, **members: Any) -> Request:
    base: Json = {"model": "asked"}
    base["input" if client == RESPONSES else "messages"] = [{"role": "user", "content": "Hi"}]
    if client == MESSAGES:
        base["max_tokens"] = 9000
    return CLIENT_DIALECTS[client].read_request(json.dumps(base | members).encode(), {})


def tool(client: str, name: str) -> Json:
    schema = {"type": "object", "properties": {"at": {"type": "string"}}}
    if client == MESSAGES:
        return {"name": name, "description": f"Does {name}.", "input_schema": schema}
    function = {"name": name, "description": f"Does {name}.", "parameters": schema}
    if client == RESPONSES:
        return {"type": "function", **function}
    return {"type": "function", "function": function}


def history(client: str, ids: list[str], results: list[str]) -> list[Json]:
    """A question, calls with these ids, and their results in this order."""
    ask = {"role": "user", "content": "Hi"}
    if client == MESSAGES:
        calls = [{"type": "tool_use", "id": i, "name": "look", "input": {"at": i}} for i in ids]
        found = [{"type": "tool_result", "tool_use_id": i, "content": f"saw {i}"} for i in results]
        return [
            ask,
            {"role": "assistant", "content": calls},
            {"role": "user", "content": found},
        ]
    if client == CHAT:
        made = [
            {
                "id": i,
                "type": "function",
                "function": {"name": "look", "arguments": json.dumps({"at": i})},
            }
            for i in ids
        ]
        said = {"role": "assistant", "content": None, "tool_calls": made}
        return [
            ask,
            said,
            *({"role": "tool", "tool_call_id": i, "content": f"saw {i}"} for i in results),
        ]
    return [
        ask,
        *(
            {
                "type": "function_call",
                "call_id": i,
                "name": "look",
                "arguments": json.dumps({"at": i}),
            }
            for i in ids
        ),
        *({"type": "function_call_output", "call_id": i, "output": f"saw {i}"} for i in results),
    ]


def written(target: str, request: Request, **members: Any) -> Written:
    """As the gateway writes it: passed where the client speaks the target's dialect."""
    dialect = TARGET_DIALECTS[target]
    facts = facts_of(target, **members)
    if target == request.dialect and dialect.pass_request is not None:
        return dialect.pass_request(request, facts, {})
    return dialect.write_request(request, facts, {})


def sent(target: str, request: Request, **members: Any) -> tuple[Json, tuple[str, ...]]:
    done = written(target, request, **members)
    return json.loads(done.body), done.transforms


def refused_or_sent(target: str, request: Request) -> tuple[str, str]:
    """The body, or (as text of the second) what the request was refused for, or its changes."""
    try:
        done = written(target, request)
    except CannotTranslate as misfit:
        return "", f"refused={misfit.feature}: {misfit.message}"
    return done.body.decode(), " ".join(done.transforms)


# -- answers -----------------------------------------------------------------------------------


def context_of(client: str, **members: Any) -> AnswerContext:
    if client == CHAT:
        members = {"stream_options": {"include_usage": True}, "stream": True} | members
    return AnswerContext(
        request=read(client, **members),
        id="a" * 24,
        model="served",
        created=1,
        input_estimate=lambda: 777,
        request_id="req_1",
    )


def said(*, calls: bool = True) -> Answer:
    blocks = [ToolCall(id=f"call_{n}", name=c[0], arguments=c[1]) for n, c in enumerate(CALLS)]
    return Answer(
        id="up_1",
        model="m",
        blocks=(Text(text=TEXT), *(blocks if calls else ())),
        stop=Stop.TOOL_USE if calls else Stop.END,
        stop_sequence=None,
        usage=USAGE,
    )


def _own(dialect: str) -> Callable[[Answer], tuple[bytes, bytes]]:
    """A dialect that clients speak too says it with its own writers."""

    def say(answer: Answer) -> tuple[bytes, bytes]:
        context = context_of(dialect)
        writer = CLIENT_DIALECTS[dialect].stream_writer(context)
        stream = b"".join(writer.write(event) for event in unfold(answer))
        return CLIENT_DIALECTS[dialect].write_answer(answer, context), stream

    return say


def _calls(answer: Answer) -> list[ToolCall]:
    return [block for block in answer.blocks if isinstance(block, ToolCall)]


def _gemini(answer: Answer) -> tuple[bytes, bytes]:
    """Without ids, as Gemini 2 calls, and with STOP for everything."""
    calls = [
        {"functionCall": {"name": one.name, "args": json.loads(one.arguments)}}
        for one in _calls(answer)
    ]
    parts = [{"text": TEXT}, *calls]
    usage = {"promptTokenCount": 18441, "cachedContentTokenCount": 18432}
    usage |= {"candidatesTokenCount": 140}

    def response(some: list[Any], finish: str | None) -> Json:
        candidate: Json = {"index": 0, "content": {"role": "model", "parts": some}}
        if finish is not None:
            candidate["finishReason"] = finish
        made = {"candidates": [candidate], "usageMetadata": usage}
        return made | {"responseId": "R1", "modelVersion": "m"}

    whole = json.dumps(response(parts, "STOP")).encode()
    pieces = [response([part], None) for part in parts[:-1]] + [response(parts[-1:], "STOP")]
    return whole, gemini_lint.to_sse(pieces)


def _ollama(answer: Answer) -> tuple[bytes, bytes]:
    """Without ids, and with `stop` for everything."""
    calls = [
        {"function": {"name": one.name, "arguments": json.loads(one.arguments)}}
        for one in _calls(answer)
    ]
    counts = {"prompt_eval_count": 9, "eval_count": 140}
    lines = [ollama_lint.line(TEXT)]
    lines += [ollama_lint.line(tool_calls=[one]) for one in calls]
    more: Json = {"tool_calls": calls} if calls else {}
    whole = ollama_lint.line(TEXT, done=True, **more, **counts)
    return json.dumps(whole).encode(), ollama_lint.to_ndjson(
        [*lines, ollama_lint.line(done=True, **counts)]
    )


def _converse(answer: Answer) -> tuple[bytes, bytes]:
    usage = {"inputTokens": 9, "outputTokens": 140, "totalTokens": 149}
    usage |= {"cacheReadInputTokens": 18432, "cacheWriteInputTokens": 2048}
    stop = "tool_use" if _calls(answer) else "end_turn"
    content: list[Json] = [{"text": TEXT}]
    rows: list[Any] = [["event", "messageStart", {"role": "assistant"}]]
    rows.append(["event", "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": TEXT}}])
    rows.append(["event", "contentBlockStop", {"contentBlockIndex": 0}])
    for place, one in enumerate(_calls(answer), 1):
        at = {"contentBlockIndex": place}
        use = {"toolUseId": one.id, "name": one.name}
        content.append({"toolUse": use | {"input": json.loads(one.arguments)}})
        rows.append(["event", "contentBlockStart", at | {"start": {"toolUse": use}}])
        pieces = (one.arguments[:4], one.arguments[4:]) if one.arguments != "{}" else ()
        for piece in pieces:
            delta = at | {"delta": {"toolUse": {"input": piece}}}
            rows.append(["event", "contentBlockDelta", delta])
        rows.append(["event", "contentBlockStop", at])
    rows.append(["event", "messageStop", {"stopReason": stop}])
    rows.append(["event", "metadata", {"usage": usage, "metrics": {"latencyMs": 1}}])
    message = {"role": "assistant", "content": content}
    whole = {"output": {"message": message}, "stopReason": stop, "usage": usage}
    return json.dumps(whole).encode(), bedrock_frames.frames(rows)


UPSTREAMS: dict[str, Callable[[Answer], tuple[bytes, bytes]]] = {
    MESSAGES: _own(MESSAGES),
    CHAT: _own(CHAT),
    RESPONSES: _own(RESPONSES),
    GEMINI: _gemini,
    CONVERSE: _converse,
    OLLAMA: _ollama,
}
"""Target -> an answer as it says it: whole, and as a stream."""


def events_of(target: str, stream: bytes, step: int = 0) -> list[Event]:
    reader = TARGET_DIALECTS[target].stream_reader(facts_of(target))
    pieces = [stream[at : at + step] for at in range(0, len(stream), step)] if step else [stream]
    return [event for piece in pieces for event in reader.feed(piece)] + reader.close()


def to_client(client: str, events: list[Event]) -> bytes:
    writer = CLIENT_DIALECTS[client].stream_writer(context_of(client))
    return b"".join(writer.write(event) for event in events)


def relayed(target: str, client: str, answer: Answer, step: int = 0) -> tuple[bytes, bytes]:
    """What the client gets of the answer, whole and streamed."""
    whole, stream = UPSTREAMS[target](answer)
    read_whole = TARGET_DIALECTS[target].read_answer(whole, facts_of(target))
    body = CLIENT_DIALECTS[client].write_answer(read_whole, context_of(client))
    return body, to_client(client, events_of(target, stream, step))


def data_of(stream: bytes) -> list[Json]:
    """The JSON of every event a client is sent."""
    lines = stream.split(b"\n")
    return [json.loads(line[6:]) for line in lines if line.startswith(b"data: {")]
