"""One conversation with parallel calls, as each client writes it, as each target is sent it."""

import json
from copy import deepcopy
from typing import Any

import pytest

from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS, TARGET_DIALECTS
from tests.wire import gemini_lint
from tests.wire.target_oracles import ORACLES

Json = dict[str, Any]

PAIRS = [(client, target) for client in CLIENT_DIALECTS for target in TARGET_DIALECTS]
SYSTEM, ASK, LAST = "You are terse.", "Weather in Paris and Oslo?", "Summarise."
SCHEMA: Json = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "City name"}},
    "required": ["city"],
}
CALLS = (("toolu_01A", "Paris"), ("toolu_01B", "Oslo"))
FAILED = "[tool error] no data"


def _arguments(city: str) -> str:
    return json.dumps({"city": city}, separators=(",", ":"))


def _function(**around: Any) -> Json:
    return {**around, "name": "get_weather", "description": "Weather"}


MESSAGES: Json = {
    "model": "asked",
    "max_tokens": 1024,
    "system": [{"type": "text", "text": SYSTEM}],
    "tools": [_function() | {"input_schema": SCHEMA}],
    "tool_choice": {"type": "auto"},
    "messages": [
        {"role": "user", "content": ASK},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Checking."},
                *(
                    {"type": "tool_use", "id": call, "name": "get_weather", "input": {"city": city}}
                    for call, city in CALLS
                ),
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_01A", "content": "12C"},
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_01B",
                    "content": "no data",
                    "is_error": True,
                },
                {"type": "text", "text": LAST},
            ],
        },
    ],
}
CHAT: Json = {
    "model": "asked",
    "max_completion_tokens": 1024,
    "messages": [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": ASK},
        {
            "role": "assistant",
            "content": "Checking.",
            "tool_calls": [
                {
                    "id": call,
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": _arguments(city)},
                }
                for call, city in CALLS
            ],
        },
        {"role": "tool", "tool_call_id": "toolu_01A", "content": "12C"},
        {"role": "tool", "tool_call_id": "toolu_01B", "content": FAILED},
        {"role": "user", "content": LAST},
    ],
    "tools": [{"type": "function", "function": _function() | {"parameters": SCHEMA}}],
    "tool_choice": "auto",
}
RESPONSES: Json = {
    "model": "asked",
    "max_output_tokens": 1024,
    "store": False,
    "instructions": SYSTEM,
    "input": [
        {"type": "message", "role": "user", "content": ASK},
        {"type": "message", "role": "assistant", "content": "Checking."},
        *(
            {
                "type": "function_call",
                "call_id": call,
                "name": "get_weather",
                "arguments": _arguments(city),
            }
            for call, city in CALLS
        ),
        {"type": "function_call_output", "call_id": "toolu_01A", "output": "12C"},
        {"type": "function_call_output", "call_id": "toolu_01B", "output": FAILED},
        {"type": "message", "role": "user", "content": LAST},
    ],
    "tools": [_function(type="function") | {"parameters": SCHEMA, "strict": False}],
    "tool_choice": "auto",
}
ASKED = {"anthropic-messages": MESSAGES, "openai-chat": CHAT, "openai-responses": RESPONSES}

CONVERSE: Json = {
    "system": [{"text": SYSTEM}],
    "inferenceConfig": {"maxTokens": 1024},
    "toolConfig": {
        "tools": [{"toolSpec": _function() | {"inputSchema": {"json": SCHEMA}}}],
        "toolChoice": {"auto": {}},
    },
    "messages": [
        {"role": "user", "content": [{"text": ASK}]},
        {
            "role": "assistant",
            "content": [
                {"text": "Checking."},
                *(
                    {
                        "toolUse": {
                            "toolUseId": call,
                            "name": "get_weather",
                            "input": {"city": city},
                        }
                    }
                    for call, city in CALLS
                ),
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "toolResult": {
                        "toolUseId": "toolu_01A",
                        "content": [{"text": "12C"}],
                        "status": "success",
                    }
                },
                {
                    "toolResult": {
                        "toolUseId": "toolu_01B",
                        "content": [{"text": "no data"}],
                        "status": "error",
                    }
                },
                {"text": LAST},
            ],
        },
    ],
}
OLLAMA: Json = {
    "stream": False,
    "options": {"num_predict": 1024},
    "messages": [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": ASK},
        {
            "role": "assistant",
            "content": "Checking.",
            "tool_calls": [
                {
                    "id": call,
                    "function": {
                        "index": number,
                        "name": "get_weather",
                        "arguments": {"city": city},
                    },
                }
                for number, (call, city) in enumerate(CALLS)
            ],
        },
        {
            "role": "tool",
            "tool_call_id": "toolu_01A",
            "tool_name": "get_weather",
            "content": "12C",
        },
        {
            "role": "tool",
            "tool_call_id": "toolu_01B",
            "tool_name": "get_weather",
            "content": FAILED,
        },
        {"role": "user", "content": LAST},
    ],
    "tools": CHAT["tools"],
}
GOLDEN = {
    **ASKED,
    "gemini": gemini_lint.load("tool_roundtrip")["gemini"],
    "bedrock-converse": CONVERSE,
    "ollama-chat": OLLAMA,
}


def facts_of(target: str) -> TargetFacts:
    return TargetFacts(
        model=ORACLES[target].model,
        max_output=64_000,
        capabilities=frozenset(("tools", "parallel_tools")),
        shape=RequestShape(),
        maker="gemini/gemini-x",
    )


def golden(client: str, target: str) -> Json:
    """What the target is sent. Only Messages can say that a tool failed: from other clients the
    words in front of its result stay words."""
    body = deepcopy(GOLDEN[target])
    if client == "anthropic-messages":
        return body
    match target:
        case "anthropic-messages":
            result = body["messages"][2]["content"][1]
            del result["is_error"]
            result["content"] = FAILED
        case "gemini":
            body["contents"][2]["parts"][1]["functionResponse"]["response"] = {"output": FAILED}
        case "bedrock-converse":
            result = body["messages"][2]["content"][1]["toolResult"]
            result |= {"content": [{"text": FAILED}], "status": "success"}
        case _:
            pass
    return body


def plain(target: str, body: Json) -> Json:
    """The body without the model, members for the server, and spellings that mean the same."""
    found = {
        name: value
        for name, value in deepcopy(body).items()
        if name not in ("model", "truncate", "shift")
    }
    if target == "anthropic-messages":
        for message in found["messages"]:
            if isinstance(message["content"], str):
                message["content"] = [{"type": "text", "text": message["content"]}]
    if target == "gemini":
        for part in found["contents"][1]["parts"]:
            # The maker's own, or the one that stands for none.
            part.update({"thoughtSignature": "signed"} if "thoughtSignature" in part else {})
    return found


def test_every_dialect_is_here() -> None:
    assert set(ASKED) == set(CLIENT_DIALECTS)
    assert set(GOLDEN) == set(TARGET_DIALECTS)


@pytest.mark.parametrize(("client", "target"), PAIRS)
def test_each_form_becomes_each_other(client: str, target: str) -> None:
    asked = json.dumps(ASKED[client], separators=(",", ":")).encode()
    request = CLIENT_DIALECTS[client].read_request(asked, {})
    dialect = TARGET_DIALECTS[target]
    passing = dialect.pass_request if client == target else None
    written = (passing or dialect.write_request)(request, facts_of(target), {})
    body = ORACLES[target].accept(written.body)
    assert plain(target, body) == plain(target, golden(client, target))
