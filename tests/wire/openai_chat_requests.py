"""Messages requests written for Chat targets, judged by the SDK's types and by Chat's order."""

import json
from typing import Any

from openai.types.chat import completion_create_params
from pydantic import BaseModel, TypeAdapter

from lynkrc_runtime.protocol import anthropic
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.openai_chat import TARGET
from lynkrc_runtime.protocol.shapes import RequestShape

_PARAMS: TypeAdapter[Any] = TypeAdapter(completion_create_params.CompletionCreateParams)
EPHEMERAL = {"type": "ephemeral"}
WEATHER = {
    "name": "get_weather",
    "description": "Weather",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "City name"}},
        "required": ["city"],
    },
}
USER = {"role": "user", "content": "Hi"}


def facts_of(*capabilities: str, **shape: Any) -> TargetFacts:
    return TargetFacts(
        model="served",
        max_output=4096,
        capabilities=frozenset(capabilities or ("tools", "vision", "documents", "thinking")),
        shape=RequestShape(**shape),
    )


def _force(value: Any) -> Any:
    """Walk the lazy parts of what the SDK's types made, so that they are checked too."""
    if isinstance(value, dict):
        return {name: _force(member) for name, member in value.items()}
    if isinstance(value, str | bytes | int | float | BaseModel) or value is None:
        return value
    return [_force(item) for item in value]


def written(
    members: dict[str, Any], facts: TargetFacts | None = None
) -> tuple[dict[str, Any], list[str]]:
    """The Chat body of a Messages request, and what was changed."""
    given = {"model": "asked", "max_tokens": 1024, "messages": [USER], **members}
    compact = json.dumps(given, separators=(",", ":"))
    request = anthropic.CLIENT.read_request(compact.encode(), {})
    found = TARGET.write_request(request, facts or facts_of(), {})
    body = json.loads(found.body)
    _force(_PARAMS.validate_python(body))
    assert body["model"] == "served"
    _lint_order(body["messages"])
    return body, list(found.transforms)


def _lint_order(messages: list[dict[str, Any]]) -> None:
    """Every call is answered, once, before anything else is said."""
    open_calls: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            assert message["tool_call_id"] in open_calls
            assert message["content"]
            open_calls.remove(message["tool_call_id"])
        else:
            assert open_calls == [], message
            open_calls = [call["id"] for call in message.get("tool_calls", ())]
            assert len(set(open_calls)) == len(open_calls)
    assert open_calls == []
