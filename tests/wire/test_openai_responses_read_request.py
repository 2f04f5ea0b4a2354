"""Responses requests as clients send them, read into neutral ones."""

import json
from typing import Any

import pytest

from lynkrc_runtime.protocol import carrier
from lynkrc_runtime.protocol.conversation import (
    Block,
    ChoiceKind,
    Document,
    Image,
    JsonFormat,
    MalformedRequest,
    Message,
    Opaque,
    RedactedThinking,
    Refusal,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from lynkrc_runtime.protocol.openai_responses import CLIENT
from tests.wire.openai_responses_lint import read

EXEC = {"type": "custom", "name": "exec", "description": "Runs JavaScript."}
WAIT = {"type": "function", "name": "wait", "parameters": {"type": "object"}, "strict": False}
GROUP = {"type": "namespace", "name": "functions", "description": "-", "tools": [EXEC, WAIT]}


def blocks(*items: Any) -> tuple[Block, ...]:
    """The blocks of the one message these items make."""
    (message,) = read(input=list(items)).messages
    return message.blocks


def test_a_string_is_what_the_user_says() -> None:
    assert read(input="Hello").messages == (Message(role=Role.USER, blocks=(Text(text="Hello"),)),)


def test_instructions_and_leading_words_of_the_developer_are_the_system_text() -> None:
    request = read(
        instructions="First.",
        input=[
            {"role": "developer", "content": "Second."},
            {"type": "message", "role": "system", "content": [_said("Third.", "input_text")]},
            {"role": "user", "content": "Hi"},
            {"role": "developer", "content": "Later."},
        ],
    )
    assert [text.text for text in request.system] == ["First.", "Second.", "Third."]
    assert [message.role for message in request.messages] == [Role.USER, Role.SYSTEM]


def _said(text: str, kind: str = "output_text") -> dict[str, Any]:
    return {"type": kind, "text": text}


def test_what_the_model_said_in_several_items_is_one_turn() -> None:
    request = read(
        input=[
            {"role": "user", "content": "Go"},
            {"type": "reasoning", "id": "rs_1", "summary": [], "content": None},
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "status": "completed",
                "phase": "commentary",
                "content": [
                    {**_said("I look."), "annotations": [], "logprobs": []},
                    {"type": "refusal", "refusal": "No."},
                ],
            },
            _call("c1", "read", arguments='{"p": 1.0}'),
            _call("c2", "read", arguments=""),
            {"type": "function_call_output", "call_id": "c1", "output": "one"},
            {
                "type": "function_call_output",
                "call_id": "c2",
                "output": [
                    _said("two", "input_text"),
                    {"type": "input_image", "image_url": "data:image/png;base64,aGk="},
                ],
            },
            {"role": "user", "content": "And?"},
            {"role": "assistant", "content": "Done."},
        ]
    )
    user, said, results, asked, done = request.messages
    assert [m.role.value for m in request.messages] == [
        *("user", "assistant", "user", "user", "assistant"),
    ]
    assert said.blocks == (
        Thinking(text=""),
        Text(text="I look."),
        Refusal(text="No."),
        ToolCall(id="c1", name="read", arguments='{"p": 1.0}'),
        ToolCall(id="c2", name="read", arguments=""),
    )
    assert said.extra == {"phase": "commentary"}
    assert results.blocks == (
        ToolResult(call_id="c1", content=(Text(text="one"),)),
        ToolResult(
            call_id="c2",
            content=(Text(text="two"), Image(media_type="image/png", data="aGk=")),
        ),
    )
    assert (user.blocks, asked.blocks) == ((Text(text="Go"),), (Text(text="And?"),))
    assert done.blocks == (Text(text="Done."),)


def _call(call_id: str, name: str, **members: Any) -> dict[str, Any]:
    kind = "custom_tool_call" if "input" in members else "function_call"
    return {"type": kind, "id": "fc_1", "call_id": call_id, "name": name, **members}


def test_pictures_and_files() -> None:
    assert blocks(
        {
            "role": "user",
            "content": [
                {"type": "input_image", "detail": "high", "image_url": "https://a/b.png"},
                {"type": "input_image", "detail": "auto", "image_url": None, "file_id": "file-1"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "aGk="},
                {"type": "input_file", "file_data": "data:text/plain;base64,aGk="},
                {"type": "input_file", "file_url": "https://a/b.pdf"},
                {"type": "input_file", "file_id": "file-2"},
                {"type": "input_audio", "input_audio": {}},
            ],
        }
    ) == (
        Image(url="https://a/b.png", extra={"detail": "high"}),
        Image(file_id="file-1"),
        Document(media_type="application/pdf", data="aGk=", title="a.pdf"),
        Document(media_type="text/plain", data="aGk="),
        Document(url="https://a/b.pdf"),
        Document(file_id="file-2"),
        Opaque(
            dialect="openai-responses",
            type="input_audio",
            value={"type": "input_audio", "input_audio": {}},
        ),
    )


def _reasoning(text: str, carried: str | None) -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": text}] if text else []
    return {"type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": carried}


def test_reasoning_comes_back_to_who_made_it() -> None:
    claude = carrier.seal(carrier.CLAUDE, "c2ln", "")
    redacted = carrier.seal(carrier.CLAUDE_REDACTED, "c2VjcmV0", "")
    gemini = carrier.seal(carrier.GEMINI, "Zw==", "gemini/g")
    assert blocks(
        _reasoning("a", claude),
        _reasoning("", redacted),
        _reasoning("b", gemini),
        _reasoning("c", None),
        _reasoning("d", "gw1.damaged!"),
    ) == (
        Thinking(text="a", signature="c2ln"),
        RedactedThinking(data="c2VjcmV0"),
        Thinking(text="b", signature=gemini),
        Thinking(text="c"),
        Thinking(text="d"),
    )


def test_what_openai_encrypted_is_sealed_with_its_id() -> None:
    (thought,) = blocks(_reasoning("a", "gAAAA"))
    assert isinstance(thought, Thinking)
    data = carrier.restored(thought.signature, carrier.OPENAI, "openai/gpt")
    assert data is not None
    assert json.loads(data) == {"id": "rs_1", "encrypted_content": "gAAAA"}


def test_raw_reasoning_is_read_where_there_is_no_summary() -> None:
    content = [{"type": "reasoning_text", "text": "x"}, {"type": "reasoning_text", "text": "y"}]
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "content": content}
    assert blocks(item) == (Thinking(text="xy"),)


@pytest.mark.parametrize(
    ("kind", "role"),
    [
        ("web_search_call", Role.ASSISTANT),
        ("local_shell_call", Role.ASSISTANT),
        ("mcp_list_tools", Role.ASSISTANT),
        ("compaction", Role.ASSISTANT),
        ("local_shell_call_output", Role.USER),
        ("mcp_approval_response", Role.USER),
        ("tool_search_output", Role.USER),
    ],
)
def test_items_of_the_server_are_opaque(kind: str, role: Role) -> None:
    (message,) = read(input=[{"type": kind, "id": "x"}]).messages
    (block,) = message.blocks
    assert message.role is role
    assert isinstance(block, Opaque)
    assert block.type == kind


def test_a_reference_that_nobody_resolved_is_a_clear_error() -> None:
    for item in ({"type": "item_reference", "id": "msg_9"}, {"id": "msg_9"}):
        with pytest.raises(MalformedRequest, match="item 'msg_9' is not stored here"):
            read(input=[item])


# -- tools -----------------------------------------------------------------------------------


def test_tools_of_a_namespace_get_names_of_their_own() -> None:
    plain = {**WAIT, "name": "wait"}
    hosted = {"type": "web_search", "external_web_access": False}
    request = read(tools=[plain, GROUP, hosted, {"type": "tool_search", "execution": "client"}])
    assert [(t.kind, t.name, t.namespace) for t in request.tools] == [
        ("function", "wait", None),
        ("custom", "functions__exec", "functions"),
        ("function", "functions__wait", "functions"),
        ("web_search", "web_search", None),
        ("tool_search", "tool_search", None),
    ]


def test_names_that_would_meet_are_kept_apart() -> None:
    group = {**GROUP, "tools": [{**WAIT, "name": "wait"}]}
    request = read(
        tools=[{**WAIT, "name": "functions__wait"}, group],
        input=[
            _call("c1", "functions__wait", arguments="{}"),
            _call("c2", "wait", namespace="functions", arguments="{}"),
        ],
    )
    names = [tool.name for tool in request.tools]
    assert len(set(names)) == 2
    calls = request.messages[0].blocks
    assert [call.name for call in calls if isinstance(call, ToolCall)] == names


def test_additional_tools_are_on_offer() -> None:
    request = read(
        input=[
            {"type": "additional_tools", "role": "developer", "tools": [GROUP]},
            {"role": "user", "content": "Go"},
            _call("c1", "exec", namespace="functions", input="ls()"),
            {"type": "custom_tool_call_output", "call_id": "c1", "output": "a b"},
            _call("c2", "exec", input="no namespace"),
            _call("c3", "gone", namespace="old", arguments="{}"),
        ]
    )
    assert [tool.name for tool in request.tools] == ["functions__exec", "functions__wait"]
    first, second, third = (
        block
        for message in request.messages
        for block in message.blocks
        if isinstance(block, ToolCall)
    )
    assert first == ToolCall(id="c1", name="functions__exec", arguments="ls()", custom=True)
    assert (second.name, third.name) == ("functions__exec", "old__gone")


def test_a_tool_offered_twice_is_one_tool() -> None:
    found = {"type": "tool_search_output", "call_id": "c", "tools": [GROUP]}
    assert len(read(tools=[GROUP], input=[found]).tools) == 2


@pytest.mark.parametrize(
    ("given", "want"),
    [
        ("auto", ToolChoice(kind=ChoiceKind.AUTO)),
        ("none", ToolChoice(kind=ChoiceKind.NONE)),
        ("required", ToolChoice(kind=ChoiceKind.REQUIRED)),
        ({"type": "function", "name": "read"}, ToolChoice(kind=ChoiceKind.NAMED, name="read")),
        (
            {"type": "custom", "name": "exec"},
            ToolChoice(kind=ChoiceKind.NAMED, name="functions__exec"),
        ),
        ({"type": "web_search"}, ToolChoice(kind=ChoiceKind.NAMED, name="web_search")),
        ({"type": "mcp", "server_label": "d"}, ToolChoice(kind=ChoiceKind.NAMED, name="d")),
        (
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "read"}, {"type": "image_generation"}],
            },
            ToolChoice(kind=ChoiceKind.REQUIRED, allowed=("read", "image_generation")),
        ),
    ],
)
def test_every_form_of_tool_choice(given: Any, want: ToolChoice) -> None:
    tools = [{**WAIT, "name": "read"}, GROUP, {"type": "mcp", "server_label": "d"}]
    assert read(tools=tools, tool_choice=given).tool_choice == want


# -- options ---------------------------------------------------------------------------------


def test_options_are_read_and_the_rest_is_named() -> None:
    request = read(
        max_output_tokens=5,
        temperature=0.5,
        top_p=1,
        parallel_tool_calls=False,
        reasoning={"effort": "low", "summary": "auto", "context": "all_turns"},
        text={"verbosity": "low", "format": {"type": "json_schema", "name": "n", "schema": {}}},
        stream=True,
        stream_options={"include_obfuscation": False},
        user="ann",
        metadata={"a": "b"},
        include=["reasoning.encrypted_content", "web_search_call.results"],
        store=False,
        truncation="disabled",
        prompt_cache_key="k",
        instructions=None,
    )
    options = request.options
    assert (options.max_tokens, options.temperature, options.top_p) == (5, 0.5, 1)
    assert (options.effort, options.show_reasoning, options.verbosity) == ("low", True, "low")
    assert options.format == JsonFormat(schema={}, name="n")
    assert (options.parallel_tools, options.stream, options.user) == (False, True, "ann")
    assert request.metadata == {"a": "b"}
    assert request.rest == (
        *("stream_options", "store", "prompt_cache_key"),
        *("reasoning.context", "include.web_search_call.results"),
    )
    assert request.bound == ()


@pytest.mark.parametrize(
    ("form", "want"),
    [({"type": "text"}, None), ({"type": "json_object"}, JsonFormat(schema=None))],
)
def test_other_formats(form: dict[str, Any], want: JsonFormat | None) -> None:
    assert read(text={"format": form}).options.format == want


@pytest.mark.parametrize(
    "members",
    [
        {"previous_response_id": "resp_1"},
        {"conversation": {"id": "conv_1"}},
        {"prompt": {"id": "pmpt_1"}},
        {"background": True},
    ],
)
def test_what_only_the_server_that_keeps_it_can_honour(members: dict[str, Any]) -> None:
    request = read(**members)
    assert request.bound == tuple(members)
    assert request.rest == ()
    assert read(background=False).bound == ()


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"model": ""}, "model"),
        ({"input": None}, "input"),
        ({"input": 7}, "input"),
        ({"input": [7]}, "input.0"),
        ({"input": [{"type": "message", "role": "tool", "content": ""}]}, "input.0.role"),
        ({"input": [{"content": "x"}]}, "input.0.type"),
        ({"input": [{"role": "user", "content": 7}]}, "input.0.content"),
        ({"input": [{"role": "user", "content": [{}]}]}, "input.0.content.0.type"),
        ({"input": [{"type": "function_call", "name": "a"}]}, "input.0.call_id"),
        ({"input": [_call("c", "n", input=7)]}, "input.0.input"),
        ({"input": [{"type": "function_call_output", "call_id": "c"}]}, "input.0.output"),
        ({"input": [{"type": "reasoning", "summary": 7}]}, "input.0.summary"),
        ({"tools": [{"name": "x"}]}, "tools.0.type"),
        ({"tools": [{"type": "function"}]}, "tools.0.name"),
        ({"tools": [{**GROUP, "tools": [{"type": "custom"}]}]}, "tools.0.tools.0.name"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"tool_choice": {"type": "function"}}, "tool_choice.name"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema", "name": "n"}}}, "text.format.schema"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"include": "all"}, "include"),
    ],
)
def test_a_mistake_names_its_place(members: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        read(**members)
    assert caught.value.field == field


def test_a_body_that_is_no_object_is_refused() -> None:
    for body in (b"", b"[]", b"{", b'{"model":"m","input":"\xff"}'):
        with pytest.raises(MalformedRequest):
            CLIENT.read_request(body, {})
