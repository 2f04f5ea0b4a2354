"""Judges of what we send to Gemini and of what its fakes send: the SDK's types, and order rules.

The types forbid unknown members. They do not know which turns may follow each other, which names
are legal, nor that a call wants its answer and its signature: `lint_request` does.
"""

import json
import re
from pathlib import Path
from typing import Any

from google.genai import types
from pydantic import TypeAdapter

from lynkrc_runtime.protocol.conversation import Event
from lynkrc_runtime.protocol.dialect import ANY_TARGET, TargetFacts
from lynkrc_runtime.protocol.gemini import TARGET

DATA = Path(__file__).parent / "data" / "gemini"
SIGNATURE = "bGF0ZXItbmVlZGVk"
"""A signature as Gemini gives them: base64 of bytes nobody else can read."""

_MEMBERS: dict[str, TypeAdapter[Any]] = {
    "contents": TypeAdapter(list[types.Content]),
    "systemInstruction": TypeAdapter(types.Content),
    "tools": TypeAdapter(list[types.Tool]),
    "toolConfig": TypeAdapter(types.ToolConfig),
    "generationConfig": TypeAdapter(types.GenerationConfig),
}
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
_ENUMS = {"mode": types.FunctionCallingConfigMode, "thinkingLevel": types.ThinkingLevel}


def load(name: str) -> dict[str, Any]:
    """A data file by name."""
    return dict(json.loads((DATA / f"{name}.json").read_text(encoding="utf-8")))


def to_sse(responses: list[Any], line_end: str = "\r\n") -> bytes:
    """Responses as Gemini streams them; texts are sent as they are."""
    pieces = []
    for item in responses:
        data = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
        pieces.append(f"data: {data}{line_end}{line_end}")
    return "".join(pieces).encode()


def read_stream(data: bytes, *sizes: int, facts: TargetFacts = ANY_TARGET) -> list[Event]:
    """The events of a stream that arrives in pieces of these sizes, the last one repeated."""
    reader = TARGET.stream_reader(facts)
    events: list[Event] = []
    position, step, pending = 0, len(data), list(sizes)
    while position < len(data):
        step = max(1, pending.pop(0)) if pending else step
        events += reader.feed(data[position : position + step])
        position += step
    return events + reader.close()


def lint_response(value: Any) -> None:
    """A response as the SDK knows it; unknown words warn, and warnings are errors."""
    types.GenerateContentResponse.model_validate(value)


def lint_request(body: bytes, *, signed: bool = True) -> dict[str, Any]:
    """The body, after every rule we know. `signed`: each step's first call must be."""
    value = json.loads(body)
    assert isinstance(value, dict)
    for name, member in value.items():
        _MEMBERS[name].validate_python(member)
    contents = value["contents"]
    assert [one["role"] for one in contents] == [
        "model" if place % 2 else "user" for place in range(len(contents))
    ]
    for place, content in enumerate(contents):
        assert content["parts"], content
        for part in content["parts"]:
            assert {"text", "inlineData", "fileData", "functionCall", "functionResponse"} & set(
                part
            ), part
        _lint_calls(contents, place, signed)
    _lint_config(value)
    return dict(value)


def parts_of(content: dict[str, Any], member: str) -> list[Any]:
    """The members of this name of a content's parts, in order."""
    return [part[member] for part in content["parts"] if member in part]


def _lint_calls(contents: list[Any], place: int, signed: bool) -> None:
    content = contents[place]
    calls = parts_of(content, "functionCall")
    if content["role"] == "user":
        asked = parts_of(contents[place - 1], "functionCall") if place else []
        answered = parts_of(content, "functionResponse")
        assert [(one["id"], one["name"]) for one in answered] == [
            (one["id"], one["name"]) for one in asked
        ], "every call is answered, in order, and nothing else"
        kinds = ["functionResponse" in part for part in content["parts"]]
        assert kinds == sorted(kinds, reverse=True), "results come first"
        assert not calls
        return
    assert not parts_of(content, "functionResponse")
    if calls:
        assert place + 1 < len(contents), "an open call at the end"
        assert len({one["id"] for one in calls}) == len(calls)
        first = next(part for part in content["parts"] if "functionCall" in part)
        assert not signed or first.get("thoughtSignature"), "an unsigned step"
    for call in calls:
        assert _NAME.fullmatch(call["name"]), call["name"]
        assert isinstance(call["args"], dict)


def _lint_config(value: dict[str, Any]) -> None:
    config = value.get("generationConfig", {})
    assert len(config.get("stopSequences", [])) <= 5
    thinking = config.get("thinkingConfig", {})
    assert not {"thinkingBudget", "thinkingLevel"} <= set(thinking), "both are refused"
    assert not {"responseSchema", "responseJsonSchema"} <= set(config)
    declared = [one for tool in value.get("tools", []) for one in tool["functionDeclarations"]]
    for one in declared:
        assert _NAME.fullmatch(one["name"]), one["name"]
        assert not {"parameters", "parametersJsonSchema"} <= set(one)
    chosen = value.get("toolConfig", {}).get("functionCallingConfig", {})
    assert not chosen or declared
    if "allowedFunctionNames" in chosen:
        assert chosen["mode"] == "ANY"
        assert set(chosen["allowedFunctionNames"]) <= {one["name"] for one in declared}
    for name, given in (*chosen.items(), *thinking.items()):
        if name in _ENUMS:
            assert given in {one.value for one in _ENUMS[name]}, given
