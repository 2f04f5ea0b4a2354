"""Judges of what we send to Anthropic clients: the SDK's types, and the order of stream events.

The SDK accumulates events without checking overlaps, gaps or ends; `lint_stream` does.
"""

import json
from pathlib import Path
from typing import Any

from anthropic.types import Message, RawMessageStreamEvent
from pydantic import BaseModel, TypeAdapter

DATA = Path(__file__).parent / "data" / "anthropic"
_EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
_DELTAS = {
    "text": {"text_delta", "citations_delta"},
    "tool_use": {"input_json_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "redacted_thinking": set(),
}


def load(name: str) -> dict[str, Any]:
    """A data file by name: answers, errors or streams."""
    return dict(json.loads((DATA / f"{name}.json").read_text(encoding="utf-8")))


def to_sse(events: list[dict[str, Any]], line_end: str = "\n") -> bytes:
    """Events as an upstream sends them (separators unescaped, as JSON allows)."""
    return "".join(
        f"event: {event['type']}{line_end}data: {json.dumps(event, ensure_ascii=False)}"
        f"{line_end}{line_end}"
        for event in events
    ).encode()


def parse_stream(data: bytes) -> list[dict[str, Any]]:
    """The events of a stream we wrote; every event line must name the type of its data."""
    found = []
    for chunk in data.decode().split("\n\n"):
        lines = [line for line in chunk.split("\n") if line and not line.startswith(":")]
        if not lines:
            continue
        assert len(lines) == 2, lines
        assert lines[0].startswith("event: ")
        assert lines[1].startswith("data: ")
        event = json.loads(lines[1].removeprefix("data: "))
        assert event["type"] == lines[0].removeprefix("event: ")
        found.append(event)
    return found


def unknown_members(value: Any) -> list[str]:
    """Members the SDK has no field for: it accepts them silently, so typos would pass."""
    found: list[str] = []
    if isinstance(value, BaseModel):
        found += list(value.model_extra or {})
        for name in type(value).model_fields:
            found += unknown_members(getattr(value, name))
    elif isinstance(value, list):
        for item in value:
            found += unknown_members(item)
    return found


def lint_message(body: bytes) -> dict[str, Any]:
    """A whole answer, checked against the SDK's type."""
    value = json.loads(body)
    assert unknown_members(Message.model_validate(value)) == []
    return dict(value)


def lint_stream(data: bytes, *, ends: str = "message_stop") -> list[dict[str, Any]]:
    """The events, in legal order: one start, numbered blocks without overlap, one end, no more."""
    events = parse_stream(data)
    open_block: dict[str, Any] | None = None
    signed = False
    count = 0
    deltas = 0
    for position, event in enumerate(events):
        kind = event["type"]
        if kind not in ("ping", "error"):
            assert unknown_members(_EVENT.validate_python(event)) == []
        assert (kind == "message_start") == (position == 0) or kind == "error", "one start, first"
        assert kind not in ("message_stop", "error") or position == len(events) - 1, "end is last"
        if kind == "content_block_start":
            assert open_block is None, "blocks overlap"
            assert event["index"] == count, "a gap between blocks"
            open_block, signed = event["content_block"], False
        elif kind == "content_block_delta":
            assert open_block is not None
            assert event["index"] == count
            assert event["delta"]["type"] in _DELTAS[open_block["type"]]
            assert not signed, "nothing follows a signature"
            signed = event["delta"]["type"] == "signature_delta"
        elif kind == "content_block_stop":
            assert open_block is not None
            assert event["index"] == count
            assert open_block["type"] != "thinking" or signed, "thinking without a signature"
            open_block, count = None, count + 1
        elif kind == "message_delta":
            assert open_block is None, "an open block at the end"
            deltas += 1
            usage = event["usage"]
            assert {"input_tokens", "output_tokens", "cache_read_input_tokens"} <= set(usage)
    assert events[-1]["type"] == ends
    assert deltas == (1 if ends == "message_stop" else 0)
    return events


def fold_stream(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The message a client adds up, as the SDK does (later usage replaces)."""
    message: dict[str, Any] = {}
    pieces: list[str] = []
    for event in events:
        match event["type"]:
            case "message_start":
                message = dict(event["message"], content=[])
            case "content_block_start":
                message["content"].append(dict(event["content_block"]))
                pieces = []
            case "content_block_delta":
                block, delta = message["content"][-1], event["delta"]
                match delta["type"]:
                    case "text_delta":
                        block["text"] += delta["text"]
                    case "thinking_delta":
                        block["thinking"] += delta["thinking"]
                    case "signature_delta":
                        block["signature"] = delta["signature"]
                    case "input_json_delta":
                        pieces.append(delta["partial_json"])
            case "content_block_stop":
                if message["content"][-1]["type"] == "tool_use":
                    message["content"][-1]["input"] = json.loads("".join(pieces) or "{}")
            case "message_delta":
                message |= event["delta"]
                message["usage"] = message["usage"] | event["usage"]
    return message
