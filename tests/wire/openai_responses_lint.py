"""Judges of what Responses clients get: the SDK's types and accumulator, and rules of order."""

import json
from typing import Any, TypeVar

import httpx2
import openai
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from lynkrc_runtime.protocol.conversation import Event, Request
from lynkrc_runtime.protocol.dialect import AnswerContext
from lynkrc_runtime.protocol.openai_responses import CLIENT

EXTENSIONS = {"store"}
"""Members of the API's answers that the SDK's types do not declare."""

_EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
_LAST = ("response.completed", "response.incomplete", "response.failed")
_CALLS = {
    "function_call": ("function_call_arguments", "arguments"),
    "custom_tool_call": ("custom_tool_call_input", "input"),
}

_M = TypeVar("_M", bound=BaseModel)


def read(**members: Any) -> Request:
    """A request with these members beside model and input."""
    body = {"model": "asked", "input": "Hi", **members}
    return CLIENT.read_request(json.dumps(body).encode(), {})


def context_of(**members: Any) -> AnswerContext:
    return AnswerContext(
        request=read(**members),
        id="A" * 24,
        model="served-1",
        created=1795240000,
        input_estimate=lambda: 17,
        request_id="req_1",
    )


def stream_of(events: list[Event], context: AnswerContext) -> bytes:
    writer = CLIENT.stream_writer(context)
    return b"".join(writer.write(event) for event in events)


def lint_response(body: bytes) -> dict[str, Any]:
    """A response that breaks no rule, as JSON."""
    value: dict[str, Any] = json.loads(body)
    parsed = Response.model_validate(value, strict=True)
    _no_extras(parsed, "Response")
    assert value["usage"] is None or _is_summed(value["usage"])
    return value


def events_of(data: bytes) -> list[dict[str, Any]]:
    """The events of a stream, each named as its data says, comments left out."""
    assert data.isascii() or not any(mark in data.decode() for mark in "\u0085\u2028\u2029")
    events = []
    for block in data.decode().split("\n\n")[:-1]:
        if block.startswith(":"):
            continue
        name, payload = block.split("\n")
        value = json.loads(payload.removeprefix("data: "))
        assert name == f"event: {value['type']}"
        events.append(value)
    return events


def lint_stream(data: bytes) -> list[dict[str, Any]]:
    """A stream that breaks no rule; its events."""
    events = events_of(data)
    for event in events:
        parsed = _EVENTS.validate_python(event, strict=True)
        _no_extras(parsed, event["type"])
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    assert events[-1]["type"] in _LAST
    assert not any(event["type"] in _LAST for event in events[:-1])
    responses = [event["response"] for event in events if "response" in event]
    assert len({response["id"] for response in responses}) == 1
    assert responses[-1]["status"] == events[-1]["type"].removeprefix("response.")
    items: dict[int, _Life] = {}
    for event in events:
        _follow(event, items)
    done = [items[index].done for index in sorted(items)]
    if events[-1]["type"] == "response.failed":
        done = [item for item in done if item is not None]
    assert responses[-1]["output"] == done
    return events


class _Life:
    """One item so far: `parts` by index as (kind, text, whether it is done)."""

    def __init__(self, item: dict[str, Any]) -> None:
        self.item = item
        self.done: dict[str, Any] | None = None
        self.text = ""
        self.is_whole = False
        self.parts: list[dict[str, Any]] = []
        self.open_part = False


def _follow(event: dict[str, Any], items: dict[int, _Life]) -> None:
    index = event.get("output_index")
    if index is None:
        return
    kind = event["type"].removeprefix("response.")
    if kind == "output_item.added":
        assert index == len(items), "indexes have no gaps"
        item = event["item"]
        assert item.get("status", "in_progress") == "in_progress"
        assert not (item.get("content") or item.get("summary"))
        assert item.get("arguments", "") == item.get("input", "") == ""
        items[index] = _Life(item)
        return
    life = items[index]
    assert life.done is None, f"{kind} after the item was done"
    if kind == "output_item.done":
        _end(life, event["item"])
        return
    assert event["item_id"] == life.item["id"]
    _inside(life, kind, event)


def _inside(life: _Life, kind: str, event: dict[str, Any]) -> None:
    place = event.get("content_index", event.get("summary_index"))
    if place is not None:
        assert place == len(life.parts) - (not kind.endswith("part.added"))
    match kind:
        case "content_part.added" | "reasoning_summary_part.added":
            assert not life.open_part, "parts do not overlap"
            life.open_part, life.text, life.is_whole = True, "", False
            life.parts.append(event["part"])
        case "content_part.done" | "reasoning_summary_part.done":
            assert life.is_whole
            life.open_part = False
            life.parts[-1] = event["part"]
            assert life.text in (event["part"].get("text"), event["part"].get("refusal"))
        case _ if kind.endswith(".delta"):
            assert event["delta"], "an empty piece says nothing"
            life.text += event["delta"]
        case _:
            texts = {event.get(name) for name in ("text", "refusal", "arguments", "input")}
            assert life.text in texts, kind
            life.is_whole = True


def _end(life: _Life, item: dict[str, Any]) -> None:
    life.done = item
    for name in ("id", "type", "call_id", "name", "namespace"):
        assert item.get(name) == life.item.get(name), name
    assert not life.open_part
    match item["type"]:
        case "message":
            assert item["content"] == life.parts
            assert item["content"], "a message says something"
        case "reasoning":
            assert item["summary"] == life.parts
        case kind:
            assert life.is_whole
            assert item[_CALLS[kind][1]] == life.text


def sdk_client(data: bytes, content_type: str = "text/event-stream") -> openai.OpenAI:
    """The SDK's client, which gets these bytes for every request."""

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": content_type}, content=data)

    transport = httpx2.MockTransport(answer)
    return openai.OpenAI(
        api_key="k",
        base_url="http://mock",
        max_retries=0,
        http_client=openai.DefaultHttpxClient(transport=transport),
        _strict_response_validation=True,
    )


def sdk_final(data: bytes) -> Any:
    """The response the SDK adds a stream up to."""
    with sdk_client(data) as client, client.responses.stream(model="m", input="x") as stream:
        for _ in stream:
            pass
        return stream.get_final_response()


def _is_summed(usage: dict[str, Any]) -> bool:
    total: int = usage["input_tokens"] + usage["output_tokens"]
    return total == usage["total_tokens"]


def _no_extras(value: Any, where: str) -> None:
    if isinstance(value, BaseModel):
        unknown = set(value.model_extra or {}) - EXTENSIONS
        assert not unknown, f"{where}: {unknown}"
        for name in type(value).model_fields:
            _no_extras(getattr(value, name), f"{where}.{name}")
    elif isinstance(value, list):
        for item in value:
            _no_extras(item, where)
