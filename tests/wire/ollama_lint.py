"""What the official client's types say of an Ollama request and answer, and answers to read."""

import json
from typing import Any

from ollama import ChatResponse
from ollama._types import ChatRequest, Message, Options, Tool

from lynkrc_runtime.protocol.conversation import Event
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.ollama import TARGET
from lynkrc_runtime.protocol.shapes import RequestShape

FACTS = TargetFacts(
    model="qwen3:8b",
    max_output=8192,
    capabilities=frozenset({"tools", "vision", "thinking"}),
    shape=RequestShape(),
    maker="ollama/qwen3:8b",
    context=32768,
)
TIME = "2026-11-21T06:00:00.123456789Z"
COUNTS = {"prompt_eval_count": 21, "eval_count": 12, "total_duration": 4883583458}
BESIDE_THE_TYPES = frozenset(("truncate", "shift"))
"""Members of the API that the client's types do not have."""


def lint_request(body: bytes) -> dict[str, Any]:
    """The body; every member is one of the API's, every value of its type."""
    value: dict[str, Any] = json.loads(body)
    ChatRequest.model_validate(value, strict=True)
    assert set(value) <= {*ChatRequest.model_fields, *BESIDE_THE_TYPES}
    assert set(value.get("options", {})) <= set(Options.model_fields)
    Options.model_validate(value.get("options", {}), strict=True)
    for message in value["messages"]:
        assert set(message) <= {*Message.model_fields, "tool_call_id"}
        for call in message.get("tool_calls", ()):
            assert set(call) == {"id", "function"}
            assert isinstance(call["function"]["arguments"], dict)
    for tool in value.get("tools", ()):
        assert set(tool["function"]) <= set(Tool.Function.model_fields)
    return value


def line(content: str = "", *, done: bool = False, **more: Any) -> dict[str, Any]:
    """One line of a stream; members of the message among `more` go there."""
    message = {"role": "assistant", "content": content}
    for name in ("thinking", "tool_calls"):
        if name in more:
            message[name] = more.pop(name)
    value = {"model": "qwen3:8b", "created_at": TIME, "message": message, "done": done}
    return value | ({"done_reason": "stop"} if done else {}) | more


def call(city: str, **more: Any) -> dict[str, Any]:
    return {"function": {"name": "get_weather", "arguments": {"city": city}}} | more


def to_ndjson(lines: list[dict[str, Any]], end: str = "\n") -> bytes:
    for value in lines:
        if "message" in value:
            ChatResponse.model_validate(value)
    return "".join(json.dumps(value, ensure_ascii=False) + end for value in lines).encode()


def read(data: bytes, size: int | None = None, facts: TargetFacts = FACTS) -> list[Event]:
    reader = TARGET.stream_reader(facts)
    step = size or max(1, len(data))
    events = [e for i in range(0, len(data), step) for e in reader.feed(data[i : i + step])]
    return events + reader.close()


STREAMS: dict[str, list[dict[str, Any]]] = {
    "text": [line("Hello"), line(" there — ça va?"), line(done=True, **COUNTS)],
    "thinking_and_call": [
        line(thinking="Need"),
        line(thinking=" weather."),
        line(tool_calls=[call("Paris", id="call_1")]),
        line(done=True, **COUNTS),
    ],
    "calls_without_ids": [
        line("Both: ", tool_calls=[call("Paris"), call("Oslo")]),
        line(tool_calls=[call("Rome")]),
        line(done=True, **COUNTS),
    ],
    "calls_with_one_id": [
        line(tool_calls=[call("Paris", id="c"), call("Oslo", id="c")]),
        line(done=True, **COUNTS),
    ],
    "length": [line("Cut in the mid"), line(done=True, done_reason="length", **COUNTS)],
    "all_on_the_last_line": [line("Hi", done=True, thinking="Hm", **COUNTS)],
    "cached_prompt": [line("Hi"), line(done=True, eval_count=12)],
}


def whole(name: str) -> bytes:
    """The same answer as one object."""
    lines = STREAMS[name]
    said = [one["message"] for one in lines]
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(one["content"] for one in said),
    }
    thinking = "".join(one.get("thinking", "") for one in said)
    calls = [one for piece in said for one in piece.get("tool_calls", ())]
    if thinking:
        message["thinking"] = thinking
    if calls:
        message["tool_calls"] = calls
    return json.dumps(lines[-1] | {"message": message}).encode()
