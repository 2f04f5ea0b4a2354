"""Upstream answers and streams of the Responses dialect for tests, and judges of our requests."""

import json
from pathlib import Path
from typing import Any

from openai.types.responses import ResponseInputItemParam, response_create_params
from pydantic import BaseModel, TypeAdapter

from lynkrc_runtime.protocol import anthropic, openai_chat
from lynkrc_runtime.protocol.conversation import Event, Request
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.openai_responses import TARGET
from lynkrc_runtime.protocol.shapes import RequestShape

DATA = Path(__file__).parent / "data" / "openai-responses"
MAKER = "openai/up-model"
USER = {"role": "user", "content": "Hi"}
_PARAMS: TypeAdapter[Any] = TypeAdapter(response_create_params.ResponseCreateParams)
_ITEM: TypeAdapter[Any] = TypeAdapter(ResponseInputItemParam)


def load(name: str) -> dict[str, Any]:
    return dict(json.loads((DATA / f"{name}.json").read_text(encoding="utf-8")))


def facts_of(*capabilities: str, max_output: int = 4096, **shape: Any) -> TargetFacts:
    return TargetFacts(
        model="served",
        max_output=max_output,
        capabilities=frozenset(capabilities or ("tools", "vision", "documents", "thinking")),
        shape=RequestShape(**shape),
        maker=MAKER,
    )


def to_sse(items: list[Any], line_end: str = "\n") -> bytes:
    """Events as an upstream sends them; a string is a line of its own."""
    pieces = []
    for item in items:
        if isinstance(item, str):
            pieces.append(f"{item}{line_end}{line_end}")
        else:
            data = json.dumps(item, ensure_ascii=False)
            pieces.append(f"event: {item['type']}{line_end}data: {data}{line_end}{line_end}")
    return "".join(pieces).encode()


def read_stream(data: bytes, *sizes: int) -> list[Event]:
    """The events of a stream that arrives in pieces of these sizes, the last one repeated."""
    reader = TARGET.stream_reader(facts_of())
    events: list[Event] = []
    position, step = 0, len(data)
    pending = list(sizes)
    while position < len(data):
        step = max(1, pending.pop(0)) if pending else step
        events += reader.feed(data[position : position + step])
        position += step
    return events + reader.close()


def response(*output: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A whole response with these output items."""
    usage = {"input_tokens": 21, "output_tokens": 12, "total_tokens": 33}
    usage |= {"input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2}}
    usage |= {"output_tokens_details": {"reasoning_tokens": 5}}
    whole = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed"}
    return {**whole, "model": "up-model", "output": list(output), "usage": usage, **members}


def events_of(whole: dict[str, Any]) -> list[dict[str, Any]]:
    """The stream OpenAI sends for a response: every item announced, in deltas, and done."""
    started = whole | {"status": "in_progress", "output": [], "usage": None}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": started},
        {"type": "response.in_progress", "response": started},
    ]
    for place, item in enumerate(whole["output"]):
        at = {"item_id": item.get("id"), "output_index": place}
        empty = {**item}
        empty |= {name: "" for name in ("arguments", "input") if name in item}
        empty |= {name: [] for name in ("content", "summary") if name in item}
        empty.pop("encrypted_content", None)
        head = {"output_index": place, "item": empty}
        events.append({"type": "response.output_item.added", **head})
        events += _deltas(item, at)
        tail = {"output_index": place, "item": item}
        events.append({"type": "response.output_item.done", **tail})
    last = {"type": f"response.{whole['status']}", "response": whole}
    return [event | {"sequence_number": n} for n, event in enumerate([*events, last])]


def _deltas(item: dict[str, Any], at: dict[str, Any]) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    for name, kind in (
        ("arguments", "function_call_arguments"),
        ("input", "custom_tool_call_input"),
    ):
        for piece in _halves(item.get(name, "")):
            events.append({"type": f"response.{kind}.delta", **at, "delta": piece})
        if name in item:
            events.append({"type": f"response.{kind}.done", **at, name: item[name]})
    for number, part in enumerate(item.get("summary", ())):
        where = {**at, "summary_index": number}
        for piece in _halves(part["text"]):
            kind = "response.reasoning_summary_text.delta"
            events.append({"type": kind, **where, "delta": piece})
        done = "response.reasoning_summary_text.done"
        events.append({"type": done, **where, "text": part["text"]})
    for number, part in enumerate(item.get("content", ())):
        events += _part({**at, "content_index": number}, part)
    return events


def _part(where: dict[str, Any], part: dict[str, Any]) -> list[dict[str, Any]]:
    kind = {"output_text": "output_text", "refusal": "refusal"}.get(part["type"], "reasoning_text")
    name = "refusal" if kind == "refusal" else "text"
    events = [
        {"type": f"response.{kind}.delta", **where, "delta": piece} for piece in _halves(part[name])
    ]
    events.append({"type": f"response.{kind}.done", **where, name: part[name]})
    if kind != "reasoning_text":
        events.append({"type": "response.content_part.done", **where, "part": part})
    return events


def _halves(text: str) -> list[str]:
    half = len(text) // 2
    return [piece for piece in (text[:half], text[half:]) if piece]


def messages_request(**members: Any) -> Request:
    given = {"model": "asked", "max_tokens": 1024, "messages": [USER], **members}
    compact = json.dumps(given, separators=(",", ":"))
    return anthropic.CLIENT.read_request(compact.encode(), {})


def chat_request(**members: Any) -> Request:
    given = {"model": "asked", "messages": [USER], **members}
    return openai_chat.CLIENT.read_request(json.dumps(given).encode(), {})


def written(request: Request, facts: TargetFacts | None = None) -> tuple[dict[str, Any], list[str]]:
    """The Responses body of a request, which the SDK takes, and what was changed."""
    found = TARGET.write_request(request, facts or facts_of(), {})
    body = json.loads(found.body)
    lint_body(body)
    return body, list(found.transforms)


def lint_body(body: dict[str, Any]) -> None:
    """The SDK's types take it; every call is answered once, all ids differ."""
    assert body["store"] is False
    assert body["input"]
    open_calls: list[str] = []
    seen: set[str] = set()
    given = body["input"] if isinstance(body["input"], list) else []
    # OpenAI's reasoning items may come without an id, which the SDK's type does not know.
    items = [{"id": "rs_0", **item} if item.get("type") == "reasoning" else item for item in given]
    _force(_PARAMS.validate_python(body | ({"input": items} if items else {})))
    for item in items:
        # The union takes what fits loosely: each item is judged by its own type too.
        _force(_ITEM.validate_python(item))
        kind = item.get("type", "message")
        if kind in ("function_call", "custom_tool_call"):
            assert item["call_id"] not in seen
            seen.add(item["call_id"])
            open_calls.append(item["call_id"])
        elif kind.endswith("_output"):
            assert item["call_id"] in open_calls
            open_calls.remove(item["call_id"])
        elif kind == "message" and item["role"] == "user":
            assert open_calls == [], item
    assert open_calls == []


def _force(value: Any) -> Any:
    """Walk the lazy parts of what the SDK's types made, so that they are checked too."""
    if isinstance(value, dict):
        return {name: _force(member) for name, member in value.items()}
    if isinstance(value, str | bytes | int | float | BaseModel) or value is None:
        return value
    return [_force(item) for item in value]
