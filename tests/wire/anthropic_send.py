"""Neutral requests as another dialect reads them, and what the Messages writer makes of them."""

import json
from typing import Any

from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from pydantic import TypeAdapter

from lynkrc_runtime.protocol.anthropic import TARGET
from lynkrc_runtime.protocol.conversation import (
    Block,
    Message,
    Options,
    Request,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.shapes import RequestShape

PARAMS: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsNonStreaming)
EFFORTS = ["low", "medium", "high", "xhigh", "max"]
NEWEST = RequestShape(
    thinking=["adaptive"],
    efforts=EFFORTS,
    sampling=["stop"],
    tool_choice=["auto", "none"],
    prefill=False,
)
MANUAL = RequestShape(thinking=["enabled", "disabled"], efforts=[], mid_system=False)
ANYTHING = RequestShape()
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"


def user(*blocks: Block | str) -> Message:
    return message(Role.USER, *blocks)


def assistant(*blocks: Block | str) -> Message:
    return message(Role.ASSISTANT, *blocks)


def message(role: Role, *blocks: Block | str) -> Message:
    read = (Text(text=block) if isinstance(block, str) else block for block in blocks)
    return Message(role=role, blocks=tuple(read))


def call(call_id: str, arguments: str = "{}", name: str = "get_weather") -> ToolCall:
    return ToolCall(id=call_id, name=name, arguments=arguments)


def result(call_id: str, text: str = "r", **more: Any) -> ToolResult:
    return ToolResult(call_id=call_id, content=(Text(text=text),) if text else (), **more)


def function(name: str = "get_weather", parameters: Any = SCHEMA, **more: Any) -> Tool:
    fields = {"description": "Weather", "strict": None, "value": {}} | more
    return Tool(kind="function", name=name, parameters=parameters, **fields)


def request(*messages: Message, **parts: Any) -> Request:
    whole: dict[str, Any] = {
        "dialect": "openai-chat",
        "model": "asked",
        "system": (),
        "messages": messages or (user("Hi"),),
        "tools": (),
        "tool_choice": None,
        "options": Options(max_tokens=1000),
        "metadata": {},
        "members": {},
        "rest": (),
    }
    return Request(**(whole | parts))


def force(value: Any) -> None:
    """The SDK's iterables are checked only when walked."""
    if isinstance(value, dict):
        for item in value.values():
            force(item)
    elif not isinstance(value, str | int | float | bool | None):
        for item in value:
            force(item)


def send(
    given: Request, shape: RequestShape = ANYTHING, max_output: int = 64000
) -> tuple[dict[str, Any], tuple[str, ...], dict[str, str]]:
    facts = TargetFacts(
        model="target", max_output=max_output, capabilities=frozenset(), shape=shape
    )
    written = TARGET.write_request(given, facts, {"anthropic-beta": "never-from-here"})
    body = json.loads(written.body)
    force(PARAMS.validate_python({k: v for k, v in body.items() if k != "stream"}))
    return body, written.transforms, dict(written.headers)


def turns(*messages: Message, shape: RequestShape = ANYTHING) -> list[dict[str, Any]]:
    return list(send(request(*messages), shape)[0]["messages"])
