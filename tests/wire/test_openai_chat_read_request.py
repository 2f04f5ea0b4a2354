"""Bodies of `POST /v1/chat/completions`, to neutral requests."""

from typing import Any

import pytest

from lynkrc_runtime.protocol.conversation import (
    ChoiceKind,
    Document,
    Image,
    JsonFormat,
    Message,
    Opaque,
    Options,
    RedactedThinking,
    Refusal,
    Request,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from lynkrc_runtime.protocol.openai_chat import CLIENT
from tests.wire.openai_chat_lint import request_of


def messages_of(*messages: dict[str, Any]) -> tuple[Message, ...]:
    return request_of(messages=list(messages)).messages


def call(name: str, arguments: Any, **members: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **members}


# -- messages --------------------------------------------------------------------------------


def test_leading_instructions_are_system_and_later_ones_messages() -> None:
    request = request_of(
        messages=[
            {"role": "developer", "content": "One."},
            {
                "role": "system",
                "name": "n",
                "content": [
                    {"type": "text", "text": "Two.", "cache_control": {"type": "ephemeral"}},
                    {"type": "text", "text": "Three."},
                ],
            },
            {"role": "user", "content": "Hi"},
            {"role": "developer", "content": "Later."},
        ]
    )
    assert request.system == (
        Text(text="One."),
        Text(text="Two.", extra={"name": "n", "cache_control": {"type": "ephemeral"}}),
        Text(text="Three."),
    )
    assert request.messages == (
        Message(role=Role.USER, blocks=(Text(text="Hi"),)),
        Message(role=Role.SYSTEM, blocks=(Text(text="Later."),)),
    )


def test_user_parts() -> None:
    audio = {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}
    [message] = messages_of(
        {
            "role": "user",
            "name": "ann",
            "content": [
                {"type": "text", "text": "See"},
                {"type": "image_url", "image_url": {"url": "data:image/PNG;base64,aGk="}},
                {
                    "type": "image_url",
                    "image_url": {"url": "https://example.com/a.png", "detail": "low"},
                },
                {"type": "image_url", "image_url": "data:image/svg+xml,%3Csvg%3E"},
                {
                    "type": "file",
                    "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="},
                },
                {"type": "file", "file": {"filename": "b.PDF", "file_data": "aGk="}},
                {"type": "file", "file": {"file_id": "file-1"}},
                audio,
            ],
        }
    )
    assert message.extra == {"name": "ann"}
    assert message.blocks == (
        Text(text="See"),
        Image(media_type="image/png", data="aGk="),
        Image(url="https://example.com/a.png", extra={"detail": "low"}),
        Image(media_type="image/svg+xml", data="PHN2Zz4="),
        Document(media_type="application/pdf", data="aGk=", title="a.pdf"),
        Document(media_type="application/pdf", data="aGk=", title="b.PDF"),
        Document(file_id="file-1"),
        Opaque(dialect="openai-chat", type="input_audio", value=audio),
    )


def test_assistant_content_comes_before_its_calls() -> None:
    [_, message] = messages_of(
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "A"}, {"type": "refusal", "refusal": "B"}],
            "refusal": "C",
            "reasoning_content": "D",
            "audio": {"id": "audio_1"},
            "tool_calls": [
                call("go", '{"a": 1.0}', id="call_1"),
                {"id": "call_2", "type": "custom", "custom": {"name": "sh", "input": "ls"}},
            ],
        },
    )
    assert message.role is Role.ASSISTANT
    assert message.extra == {"audio": {"id": "audio_1"}}
    assert message.blocks == (
        Thinking(text="D"),
        Text(text="A"),
        Refusal(text="B"),
        Refusal(text="C"),
        ToolCall(id="call_1", name="go", arguments='{"a": 1.0}'),
        ToolCall(id="call_2", name="sh", arguments="ls", custom=True),
    )


@pytest.mark.parametrize("content", [None, "", []])
def test_an_assistant_may_say_nothing_beside_calls(content: Any) -> None:
    [message] = messages_of(
        {"role": "assistant", "content": content, "tool_calls": [call("go", "", id="a")]}
    )
    assert message.blocks == (ToolCall(id="a", name="go", arguments=""),)


def test_claude_reasoning_keeps_its_signature() -> None:
    details = [
        {"type": "reasoning.text", "text": "Hm", "signature": "s", "format": "anthropic-claude-v1"},
        {"type": "reasoning.encrypted", "data": "x", "format": "anthropic-claude-v1"},
    ]
    [message] = messages_of(
        {"role": "assistant", "content": "A", "reasoning": "Hm", "reasoning_details": details}
    )
    assert message.blocks == (
        Thinking(text="Hm", signature="s"),
        RedactedThinking(data="x"),
        Text(text="A"),
    )


def test_a_run_of_tool_messages_is_one_user_message() -> None:
    messages = messages_of(
        {"role": "assistant", "tool_calls": [call("a", "{}", id="1"), call("b", "{}", id="2")]},
        {"role": "tool", "tool_call_id": "2", "content": "two"},
        {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "one"}]},
        {"role": "user", "content": "Go on"},
        {"role": "tool", "tool_call_id": "1", "content": ""},
    )
    assert messages[1:] == (
        Message(
            role=Role.USER,
            blocks=(
                ToolResult(call_id="2", content=(Text(text="two"),)),
                ToolResult(call_id="1", content=(Text(text="one"),)),
            ),
        ),
        Message(role=Role.USER, blocks=(Text(text="Go on"),)),
        Message(role=Role.USER, blocks=(ToolResult(call_id="1", content=()),)),
    )


def test_legacy_functions_are_tools() -> None:
    request = request_of(
        messages=[
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "function_call": {"name": "go", "arguments": "{}"}},
            {"role": "function", "name": "go", "content": "done"},
        ],
        functions=[{"name": "go", "description": "d", "parameters": {"type": "object"}}],
        function_call={"name": "go"},
    )
    assert request.messages[1].blocks == (ToolCall(id="call_1_0", name="go", arguments="{}"),)
    assert request.messages[2].blocks == (
        ToolResult(call_id="call_1_0", content=(Text(text="done"),)),
    )
    [tool] = request.tools
    assert (tool.kind, tool.name, tool.description) == ("function", "go", "d")
    assert request.tool_choice == ToolChoice(kind=ChoiceKind.NAMED, name="go")


def test_calls_without_ids_are_answered_in_order() -> None:
    messages = messages_of(
        {"role": "assistant", "tool_calls": [call("a", {"x": 1}), call("b", None)]},
        {"role": "tool", "content": "one"},
        {"role": "tool", "content": "two"},
    )
    assert messages[0].blocks == (
        ToolCall(id="call_0_0", name="a", arguments='{"x":1}'),
        ToolCall(id="call_0_1", name="b", arguments=""),
    )
    assert [block.call_id for block in messages[1].blocks if isinstance(block, ToolResult)] == [
        "call_0_0",
        "call_0_1",
    ]


# -- options ---------------------------------------------------------------------------------


def test_every_option() -> None:
    request = request_of(
        max_tokens=5,
        max_completion_tokens=9,
        temperature=1,
        top_p=0.5,
        top_k=3,
        stop="x",
        reasoning_effort="low",
        parallel_tool_calls=False,
        user="u",
        stream=True,
        stream_options={"include_usage": True, "include_obfuscation": False},
        metadata={"a": "b"},
        seed=None,
        logit_bias={"1": 2},
    )
    assert request.options == Options(
        max_tokens=9,
        temperature=1,
        top_p=0.5,
        top_k=3,
        stop=("x",),
        effort="low",
        parallel_tools=False,
        user="u",
        stream=True,
        include_usage=True,
    )
    assert request.metadata == {"a": "b"}
    assert request.rest == ("logit_bias", "stream_options.include_obfuscation")
    assert request.dialect == "openai-chat"


def test_null_members_are_absent() -> None:
    nothing = dict.fromkeys(
        (
            "max_tokens",
            "max_completion_tokens",
            "temperature",
            "top_p",
            "stop",
            "tools",
            "tool_choice",
            "functions",
            "function_call",
            "parallel_tool_calls",
            "response_format",
            "reasoning_effort",
            "stream",
            "stream_options",
            "user",
            "metadata",
            "n",
        )
    )
    request = request_of(**nothing)
    plain = request_of()
    assert (request.options, request.rest, request.tools, request.tool_choice) == (
        plain.options,
        (),
        (),
        None,
    )


def test_a_negative_limit_is_none() -> None:
    assert request_of(max_tokens=-1).options.max_tokens is None


@pytest.mark.parametrize(
    ("form", "want"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, JsonFormat(schema=None)),
        ({"type": "json_object", "schema": {"a": 1}}, JsonFormat(schema={"a": 1})),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": {}, "strict": True}},
            JsonFormat(schema={}, name="n", strict=True),
        ),
    ],
)
def test_formats(form: Any, want: JsonFormat | None) -> None:
    assert request_of(response_format=form).options.format == want


@pytest.mark.parametrize(
    ("choice", "want"),
    [
        ("auto", ToolChoice(kind=ChoiceKind.AUTO)),
        ("none", ToolChoice(kind=ChoiceKind.NONE)),
        ("required", ToolChoice(kind=ChoiceKind.REQUIRED)),
        (
            {"type": "function", "function": {"name": "go"}},
            ToolChoice(kind=ChoiceKind.NAMED, name="go"),
        ),
        (
            {"type": "custom", "custom": {"name": "sh"}},
            ToolChoice(kind=ChoiceKind.NAMED, name="sh"),
        ),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [{"type": "function", "function": {"name": "go"}}],
                },
            },
            ToolChoice(kind=ChoiceKind.REQUIRED, allowed=("go",)),
        ),
    ],
)
def test_tool_choices(choice: Any, want: ToolChoice) -> None:
    assert request_of(tool_choice=choice).tool_choice == want


def test_tools() -> None:
    entries = [
        {"type": "function", "function": {"name": "go", "strict": True}},
        {"type": "custom", "custom": {"name": "sh", "description": "d"}},
        {"type": "web_search"},
    ]
    tools = request_of(tools=entries).tools
    assert [(tool.kind, tool.name, tool.strict) for tool in tools] == [
        ("function", "go", True),
        ("custom", "sh", None),
        ("web_search", "web_search", None),
    ]
    assert tools[0].parameters == {"type": "object", "properties": {}}
    assert tools[1].parameters is None
    assert [tool.value for tool in tools] == entries


# -- members ---------------------------------------------------------------------------------


def read(body: bytes) -> Request:
    return CLIENT.read_request(body, {})


def test_members_keep_order_and_spelling_and_the_last_of_a_name_counts() -> None:
    body = (
        b' {"seed" : 1e0, "model":"a","x": [1 , 2.50],"messages":[{"role":"user","content":""}],'
        b'"model":"b"} '
    )
    request = read(body)
    assert request.model == "b"
    assert list(request.members.items()) == [
        ("seed", b"1e0"),
        ("model", b'"b"'),
        ("x", b"[1 , 2.50]"),
        ("messages", b'[{"role":"user","content":""}]'),
    ]
    assert request.rest == ("seed", "x")
