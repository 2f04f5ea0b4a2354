"""Judges of the requests we write, one for each target dialect, and what they find in them.

Each takes the body with the official types of that dialect and the rules of order beside them; a
member the types do not declare is a mistake. `Heard` is what a server would make of the calls.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from pydantic import BaseModel, TypeAdapter

from tests.wire import bedrock_frames, gemini_lint, ollama_lint, openai_responses_upstream

Json = dict[str, Any]

_MESSAGES: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsNonStreaming)
_CHAT: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsNonStreaming)
_RESPONSES: TypeAdapter[Any] = TypeAdapter(ResponseCreateParamsNonStreaming)
_CHAT_EXTENSIONS = frozenset(("reasoning", "reasoning_content", "reasoning_details", "top_k"))
"""Members of servers that speak Chat, which OpenAI's types do not have."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The calls of a request (id, name, arguments) and its results (id of the call, text)."""

    calls: tuple[tuple[str, str, Any], ...]
    results: tuple[tuple[str, str], ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """`accept` raises where the dialect would refuse; `types` checks names and types alone."""

    types: Callable[[Json], None]
    order: Callable[[Json], None]
    hear: Callable[[Json], Heard]
    model: str = "m"

    def accept(self, body: bytes) -> Json:
        value: Json = json.loads(body)
        self.types(value)
        self.order(value)
        return value


def _force(value: Any) -> Any:
    """Walk the lazy parts of what the SDK's types made, so that they are checked too."""
    if isinstance(value, dict):
        return {name: _force(member) for name, member in value.items()}
    if isinstance(value, str | bytes | int | float | BaseModel) or value is None:
        return value
    return [_force(item) for item in value]


def _undeclared(given: Any, known: Any, where: str) -> Iterator[str]:
    """Members that the types left behind: they take them silently."""
    if isinstance(given, dict) and isinstance(known, dict):
        for name, member in given.items():
            if name in known:
                yield from _undeclared(member, known[name], f"{where}.{name}")
            else:
                yield f"{where}.{name}"
    elif isinstance(given, list) and isinstance(known, list):
        for place, (one, other) in enumerate(zip(given, known, strict=True)):
            yield from _undeclared(one, other, f"{where}.{place}")


def _declared(types: TypeAdapter[Any], body: Json, also: frozenset[str] = frozenset()) -> None:
    given = {name: value for name, value in body.items() if name not in ("stream", *also)}
    found = [
        name
        for name in _undeclared(given, _force(types.validate_python(given)), "body")
        if name.rpartition(".")[2] not in also
    ]
    assert found == [], found


# -- Anthropic Messages ----------------------------------------------------------------------


def _messages_types(body: Json) -> None:
    # Older models take them; the SDK has dropped them from its signatures.
    also = frozenset(("temperature", "top_p", "top_k"))
    _declared(_MESSAGES, {name: one for name, one in body.items() if name not in also})


def _messages_order(body: Json) -> None:
    messages = body["messages"]
    assert messages
    asked: list[str] = []
    for message in messages:
        blocks = _blocks(message["content"])
        assert blocks, "an empty message"
        for block in blocks:
            if block["type"] == "text":
                assert block["text"].strip(), "a blank text"
        kinds = [block["type"] for block in blocks]
        if message["role"] == "assistant":
            assert asked == []
            asked = [block["id"] for block in blocks if block["type"] == "tool_use"]
            assert len(set(asked)) == len(asked)
            assert "tool_result" not in kinds
        elif message["role"] == "user":
            results = [b["tool_use_id"] for b in blocks if b["type"] == "tool_result"]
            assert sorted(results) == sorted(asked), "each call has its result in the next turn"
            assert kinds[: len(results)] == ["tool_result"] * len(results), "results come first"
            asked = []
    assert asked == []


def _messages_heard(body: Json) -> Heard:
    blocks = [block for message in body["messages"] for block in _blocks(message["content"])]
    return Heard(
        calls=tuple((b["id"], b["name"], b["input"]) for b in blocks if b["type"] == "tool_use"),
        results=tuple(
            (b["tool_use_id"], _text(b.get("content", ""))) for b in blocks
            if b["type"] == "tool_result"
        ),
    )  # fmt: skip


# -- OpenAI Chat -----------------------------------------------------------------------------


def _chat_types(body: Json) -> None:
    _declared(_CHAT, body, _CHAT_EXTENSIONS)


def _chat_order(body: Json) -> None:
    assert body["messages"]
    asked: list[str] = []
    for message in body["messages"]:
        if message["role"] == "tool":
            assert message["tool_call_id"] in asked
            asked.remove(message["tool_call_id"])
            continue
        assert asked == [], message
        asked = [call["id"] for call in message.get("tool_calls", ())]
        assert len(set(asked)) == len(asked)
    assert asked == []


def _chat_heard(body: Json) -> Heard:
    calls: list[tuple[str, str, Any]] = []
    results = []
    for message in body["messages"]:
        for call in message.get("tool_calls") or ():
            if call["type"] == "custom":
                calls.append((call["id"], call["custom"]["name"], call["custom"]["input"]))
            else:
                function = call["function"]
                calls.append((call["id"], function["name"], json.loads(function["arguments"])))
        if message["role"] == "tool":
            results.append((message["tool_call_id"], _text(message["content"])))
    return Heard(calls=tuple(calls), results=tuple(results))


# -- OpenAI Responses ------------------------------------------------------------------------


def _responses_types(body: Json) -> None:
    items = body["input"] if isinstance(body["input"], list) else None
    if items is not None:
        # Reasoning may come without an id, messages without a type: the types know neither.
        body = body | {
            "input": [
                {"id": "rs_0", **item} if item.get("type") == "reasoning" else item
                for item in items
            ]
        }
    _declared(_RESPONSES, body)


def _responses_heard(body: Json) -> Heard:
    calls: list[tuple[str, str, Any]] = []
    results = []
    for item in body["input"] if isinstance(body["input"], list) else ():
        match item.get("type"):
            case "function_call":
                calls.append((item["call_id"], item["name"], json.loads(item["arguments"])))
            case "custom_tool_call":
                calls.append((item["call_id"], item["name"], item["input"]))
            case "function_call_output" | "custom_tool_call_output":
                results.append((item["call_id"], _text(item["output"])))
            case _:
                pass
    return Heard(calls=tuple(calls), results=tuple(results))


# -- Gemini, Converse, Ollama ----------------------------------------------------------------


def _gemini(body: Json) -> None:
    gemini_lint.lint_request(json.dumps(body).encode())


def _gemini_heard(body: Json) -> Heard:
    parts = [part for content in body["contents"] for part in content["parts"]]
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    results = [part["functionResponse"] for part in parts if "functionResponse" in part]
    return Heard(
        calls=tuple((call["id"], call["name"], call["args"]) for call in calls),
        results=tuple((one["id"], json.dumps(one["response"])) for one in results),
    )


def _converse(body: Json) -> None:
    bedrock_frames.check_input(json.dumps(body).encode())


def _converse_order(body: Json) -> None:
    messages = body["messages"]
    roles = [message["role"] for message in messages]
    assert roles == ["assistant" if place % 2 else "user" for place in range(len(roles))]
    asked: list[str] = []
    has_calls = False
    for message in messages:
        blocks = message["content"]
        assert blocks
        assert all(block["text"].strip() for block in blocks if "text" in block)
        if any("document" in block for block in blocks):
            assert any("text" in block for block in blocks), "a document wants a text beside it"
        results = [b["toolResult"]["toolUseId"] for b in blocks if "toolResult" in b]
        if message["role"] == "user":
            assert sorted(results) == sorted(asked)
        asked = [b["toolUse"]["toolUseId"] for b in blocks if "toolUse" in b]
        assert len(set(asked)) == len(asked)
        has_calls = has_calls or bool(asked)
    assert asked == []
    assert not has_calls or "toolConfig" in body


def _converse_heard(body: Json) -> Heard:
    blocks = [block for message in body["messages"] for block in message["content"]]
    calls = [block["toolUse"] for block in blocks if "toolUse" in block]
    results = [block["toolResult"] for block in blocks if "toolResult" in block]
    return Heard(
        calls=tuple((call["toolUseId"], call["name"], call["input"]) for call in calls),
        results=tuple(
            (one["toolUseId"], "".join(part.get("text", "") for part in one["content"]))
            for one in results
        ),
    )


def _ollama(body: Json) -> None:
    ollama_lint.lint_request(json.dumps(body).encode())


def _ollama_order(body: Json) -> None:
    asked: list[str] = []
    for message in body["messages"]:
        if message["role"] == "tool":
            assert asked, "a result nobody asked for"
            assert message["tool_call_id"] in asked
            asked.remove(message["tool_call_id"])
            continue
        assert asked == [], message
        asked = [call["id"] for call in message.get("tool_calls", ())]
    assert asked == []


def _ollama_heard(body: Json) -> Heard:
    calls = [call for message in body["messages"] for call in message.get("tool_calls", ())]
    return Heard(
        calls=tuple(
            (call["id"], call["function"]["name"], call["function"]["arguments"])
            for call in calls
        ),
        results=tuple(
            (message["tool_call_id"], message["content"])
            for message in body["messages"]
            if message["role"] == "tool"
        ),
    )  # fmt: skip


def _no_order(_: Json) -> None:
    """The types' judge looks at the order too."""


ORACLES: Mapping[str, Oracle] = {
    "anthropic-messages": Oracle(
        types=_messages_types, order=_messages_order, hear=_messages_heard
    ),
    "openai-chat": Oracle(types=_chat_types, order=_chat_order, hear=_chat_heard),
    "openai-responses": Oracle(
        types=_responses_types,
        order=openai_responses_upstream.lint_body,
        hear=_responses_heard,
    ),
    "gemini": Oracle(types=_gemini, order=_no_order, hear=_gemini_heard, model="gemini-x"),
    "bedrock-converse": Oracle(
        types=_converse,
        order=_converse_order,
        hear=_converse_heard,
        model=bedrock_frames.CLAUDE,
    ),
    "ollama-chat": Oracle(types=_ollama, order=_ollama_order, hear=_ollama_heard),
}
"""By target dialect."""


def _blocks(content: Any) -> list[Json]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _text(content: Any) -> str:
    return "".join(block.get("text", "") for block in _blocks(content))
