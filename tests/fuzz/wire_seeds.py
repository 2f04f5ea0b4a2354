"""Sound streams, answers and requests of every dialect: what the fuzzer starts from."""

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lynkrc_runtime.protocol import carrier
from lynkrc_runtime.protocol.conversation import Stop, Text, Usage
from tests.clients.said import SPEAK
from tests.clients.script import Call, Plan
from tests.property.speech import Speech
from tests.property.upstreams import DIALECTS
from tests.wire import anthropic_lint, bedrock_frames, gemini_lint
from tests.wire import openai_chat_lint as chat
from tests.wire import openai_responses_upstream as responses

DATA = Path(__file__).parents[1] / "wire" / "data"
PLANS = (
    Plan(text="Hello there, [Tromsø]."),
    Plan(
        text="Two of them.", calls=(Call("c1", "weather", {"city": "Oslo"}), Call("c2", "now", {}))
    ),
)
COUNTED = Speech(
    blocks=(Text(text="Hi"),),
    stop=Stop.END,
    usage=Usage(input=9, output=140, cache_read=18432, cache_write=2048, reasoning=128),
)
"""An answer that tells every kind of token."""

MESSAGES, CHAT, RESPONSES = "anthropic-messages", "openai-chat", "openai-responses"
GEMINI, CONVERSE, OLLAMA = "gemini", "bedrock-converse", "ollama-chat"
BY_CLAUDE, BY_OPENAI = "EqClaudeSigned==", "gAAAA-encrypted"
SIGNED = frozenset((BY_CLAUDE, carrier.seal(carrier.OPENAI, BY_OPENAI, "") or ""))
"""What some requests have of their makers, as a gateway remembers it."""


def base64_of(data: bytes) -> str:
    """As JSON carries bytes."""
    return base64.b64encode(data).decode()


def _load(path: str) -> dict[str, Any]:
    return dict(json.loads((DATA / f"{path}.json").read_text(encoding="utf-8")))


def _lines(rows: Iterable[Any]) -> bytes:
    return b"".join(f"{kind} {name} {json.dumps(value)}\n".encode() for kind, name, value in rows)


def streams(dialect: str) -> list[bytes]:
    """Whole streams; those of Converse as lines that `wire_input.sealed` makes frames of."""
    if dialect == CONVERSE:
        return [_lines(rows) for rows in bedrock_frames.load("streams").values() if _is_rows(rows)]
    found = [b"".join(SPEAK[dialect].stream(plan, "m")) for plan in PLANS]
    found.append(DIALECTS[dialect].stream(COUNTED))
    match dialect:
        case "anthropic-messages":
            found += map(anthropic_lint.to_sse, _load("anthropic/streams").values())
        case "openai-chat":
            for name in ("streams", "broken_streams"):
                found += [
                    chat.to_sse(one["items"]) for one in _load(f"openai-chat/{name}").values()
                ]
        case "openai-responses":
            found += map(responses.to_sse, _load("openai-responses/streams").values())
        case "gemini":
            whole = json.loads(SPEAK[GEMINI].stream(PLANS[0], "m").__next__()[6:])
            for one in _load("gemini/answers").values():
                candidate = {"content": {"role": "model", "parts": one.get("parts", [])}}
                more = {"candidates": [candidate | {"finishReason": one.get("finish")}]}
                found.append(gemini_lint.to_sse([whole | more]))
        case _:
            pass
    return found


def invoke_streams() -> list[bytes]:
    """Messages events as lines that become chunks of InvokeModel."""
    found = [
        _lines(("event", "chunk", event) for event in events)
        for events in _load("anthropic/streams").values()
    ]
    error = [("exception", "throttlingException", {"message": "slow down"})]
    return [*found, found[0] + _lines(error)]


def _is_rows(rows: Any) -> bool:
    return all(isinstance(row, list) and len(row) == 3 and row[1] != "chunk" for row in rows)


def answers(dialect: str) -> list[bytes]:
    """Whole answers."""
    found: list[Any] = [SPEAK[dialect].whole(plan, "m") for plan in PLANS]
    match dialect:
        case "anthropic-messages":
            found += _load("anthropic/answers").values()
        case "openai-chat":
            found += [one["body"] for one in _load("openai-chat/answers").values()]
        case "openai-responses":
            found += _load("openai-responses/answers").values()
        case "bedrock-converse":
            found += _load("bedrock/answers").values()
        case _:
            pass
    return [json.dumps(one).encode() for one in found]


def errors() -> list[bytes]:
    """Error answers of every provider we know one of."""
    found: list[Any] = [
        SPEAK[name].error(status)[1] for name in SPEAK for status in (400, 429, 529)
    ]
    found += [one["body"] for one in _load("anthropic/errors").values()]
    found += [one[2] for one in _load("bedrock/errors").values()]
    found += [
        [{"error": {"code": 400, "message": "API key not valid", "status": "INVALID_ARGUMENT"}}],
        {"detail": [{"loc": ["body", "messages"], "msg": "field required", "type": "missing"}]},
        {"error": {"message": "no", "metadata": {"raw": '{"error":{"message":"x"}}'}}},
        {
            "error": {
                "code": 429,
                "message": "Please retry in 3.5s",
                "details": [
                    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3.5s"},
                    {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "QUOTA"},
                ],
            }
        },
    ]
    return [json.dumps(one).encode() for one in found]


def carriers() -> list[bytes]:
    """Carriers of every kind, and what only looks like one."""
    kinds = (carrier.MARKER, carrier.CLAUDE, carrier.OPENAI, carrier.GEMINI, carrier.DETAILS)
    made = [carrier.seal(kind, '{"a":1}', "openai/gpt-5.5") or "" for kind in kinds]
    return [one.encode() for one in (*made, "gw1.", "gw1.e30", "gw1.====", "EqSigned==")]


_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
)
_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def requests(dialect: str) -> list[bytes]:
    """Requests that use most of what a client can say."""
    made = carrier.seal(carrier.OPENAI, "encrypted", "openai/gpt-5.5")
    details = carrier.seal(
        carrier.DETAILS, '[{"type":"reasoning.text","text":"a"}]', "openrouter/m"
    )
    gemini = carrier.seal(carrier.GEMINI, "c2ln", "gemini/gemini-3-flash")
    bodies: dict[str, list[Any]] = {
        MESSAGES: [_messages(made), _messages(gemini), _messages(BY_CLAUDE)],
        CHAT: [_chat(details), _chat(made), _chat(BY_CLAUDE)],
        RESPONSES: [_responses(made), _responses(BY_OPENAI)],
    }
    return [json.dumps(one).encode() for one in bodies[dialect]]


def _messages(signature: str | None) -> dict[str, Any]:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": _PNG}}
    return {
        "model": "m",
        "max_tokens": 99,
        "system": [{"type": "text", "text": "Be terse.", "cache_control": {"type": "ephemeral"}}],
        "thinking": {"type": "enabled", "budget_tokens": 2048},
        "temperature": 0.5,
        "top_k": 4,
        "stop_sequences": ["x"],
        "metadata": {"user_id": "u"},
        "tools": [
            {"name": "weather", "description": "d", "input_schema": _SCHEMA, "strict": True},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
        ],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": _SCHEMA}},
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Look"}, image]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm", "signature": signature},
                    {"type": "redacted_thinking", "data": signature},
                    {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Oslo"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t1",
                        "is_error": False,
                        "content": [{"type": "text", "text": "cold"}, image],
                    },
                    {
                        "type": "document",
                        "title": "t",
                        "source": {"type": "text", "media_type": "text/plain", "data": "doc"},
                    },
                    {
                        "type": "document",
                        "source": {
                            "type": "base64",
                            "media_type": "application/pdf",
                            "data": "JVBERi0=",
                        },
                    },
                ],
            },
            {"role": "system", "content": "Now in rhyme."},
        ],
    }


def _chat(carried: str | None) -> dict[str, Any]:
    return {
        "model": "m",
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 50,
        "temperature": 0.1,
        "seed": 4,
        "stop": ["x"],
        "reasoning_effort": "low",
        "logit_bias": {"4": 2},
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": _SCHEMA}},
        "tools": [
            {"type": "function", "function": {"name": "weather", "parameters": _SCHEMA}},
            {"type": "custom", "custom": {"name": "sh", "format": {"type": "text"}}},
        ],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "messages": [
            {"role": "developer", "content": "Be terse."},
            {
                "role": "user",
                "name": "n",
                "content": [
                    {"type": "text", "text": "Look"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64," + _PNG}},
                    {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
                    {
                        "type": "file",
                        "file": {"filename": "a.pdf", "file_data": "data:a/b;base64,AA=="},
                    },
                    {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "reasoning_content": "Hm",
                "reasoning_details": [
                    {"type": "reasoning.encrypted", "data": carried, "id": "r", "index": 0},
                    {"type": "reasoning.text", "text": "Hm", "signature": carried},
                ],
                "tool_calls": [
                    {
                        "id": "t1",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city":"Oslo"}'},
                    },
                    {"id": "t2", "type": "custom", "custom": {"name": "sh", "input": "ls"}},
                ],
            },
            {"role": "tool", "tool_call_id": "t1", "content": [{"type": "text", "text": "cold"}]},
            {"role": "tool", "tool_call_id": "t2", "content": "a b"},
        ],
    }


def _responses(encrypted: str | None) -> dict[str, Any]:
    return {
        "model": "m",
        "instructions": "Be terse.",
        "max_output_tokens": 60,
        "store": False,
        "reasoning": {"effort": "high", "summary": "auto"},
        "text": {
            "verbosity": "low",
            "format": {"type": "json_schema", "name": "n", "schema": _SCHEMA},
        },
        "include": ["reasoning.encrypted_content"],
        "parallel_tool_calls": False,
        "tool_choice": {
            "type": "allowed_tools",
            "mode": "auto",
            "tools": [{"type": "function", "name": "weather"}],
        },
        "tools": [
            {"type": "function", "name": "weather", "parameters": _SCHEMA, "strict": True},
            {
                "type": "custom",
                "name": "patch",
                "format": {"type": "grammar", "syntax": "lark", "definition": "a"},
            },
            {"type": "namespace", "name": "ns", "tools": [{"type": "function", "name": "inner"}]},
            {"type": "web_search"},
        ],
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Look"},
                    {"type": "input_image", "image_url": "data:image/png;base64," + _PNG},
                    {
                        "type": "input_file",
                        "filename": "a.pdf",
                        "file_data": "data:a/b;base64,AA==",
                    },
                ],
            },
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "Hm"}],
                "encrypted_content": encrypted,
            },
            {
                "type": "function_call",
                "call_id": "c1",
                "name": "weather",
                "arguments": '{"city":"Oslo"}',
            },
            {"type": "function_call_output", "call_id": "c1", "output": "cold"},
            {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "raw"},
            {
                "type": "custom_tool_call_output",
                "call_id": "c2",
                "output": [{"type": "input_text", "text": "ok"}],
            },
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "So"}],
            },
        ],
    }


def embedding_requests() -> list[bytes]:
    """What a client asks of ``/v1/embeddings``."""
    bodies: list[Any] = [
        {"model": "m", "input": "Hi", "encoding_format": "base64", "dimensions": 3},
        {"model": "m", "input": ["a", "b"], "user": "u"},
        {"model": "m", "input": [[1, 2], [3]]},
    ]
    return [json.dumps(one).encode() for one in bodies]


def embedding_answers() -> list[bytes]:
    """What upstreams of each form answer."""
    bodies: list[Any] = [
        {
            "object": "list",
            "data": [
                {"object": "embedding", "index": 0, "embedding": [0.5, 1]},
                {"object": "embedding", "index": 1, "embedding": "AACAPwAAAL8="},
            ],
            "usage": {"prompt_tokens": 3, "total_tokens": 3},
        },
        {"embeddings": [{"values": [0.5, -1]}], "usageMetadata": {"promptTokenCount": 3}},
        {"model": "m", "embeddings": [[0.5, 1], [2, 3]], "prompt_eval_count": 4},
    ]
    return [json.dumps(one).encode() for one in bodies]
