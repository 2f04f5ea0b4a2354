"""Messages bodies: what is read, where malformed ones are named, what is kept raw."""

import json
from typing import Any

import msgspec
import pytest

from lynkrc_runtime.protocol.anthropic import CLIENT, require_max_tokens
from lynkrc_runtime.protocol.anthropic.fast_message import fast_message
from lynkrc_runtime.protocol.anthropic.read_blocks import read_message
from lynkrc_runtime.protocol.conversation import (
    ChoiceKind,
    Document,
    Image,
    JsonFormat,
    MalformedRequest,
    Opaque,
    RedactedThinking,
    Request,
    Role,
    Text,
    Thinking,
    ThinkingKind,
    ThinkingWish,
    ToolCall,
    ToolResult,
)

USER = {"role": "user", "content": "Hi"}


def body(**members: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 9, "messages": [USER]} | members


def read(value: Any) -> Request:
    return CLIENT.read_request(json.dumps(value).encode(), {})


def one_block(block: dict[str, Any]) -> Any:
    return read(body(messages=[{"role": "user", "content": [block]}])).messages[0].blocks[0]


def test_every_kind_of_block() -> None:
    mark = {"type": "ephemeral"}
    assert one_block({"type": "text", "text": "a", "cache_control": mark}) == Text(
        text="a", extra={"cache_control": mark}
    )
    source = {"type": "base64", "media_type": "image/png", "data": "iVBO"}
    assert one_block({"type": "image", "source": source}) == Image(
        media_type="image/png", data="iVBO"
    )
    assert one_block({"type": "image", "source": {"type": "url", "url": "https://x"}}) == Image(
        url="https://x"
    )
    assert one_block({"type": "image", "source": {"type": "file", "file_id": "f"}}) == Image(
        file_id="f"
    )
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}
    assert one_block({"type": "document", "source": pdf, "title": "T"}) == Document(
        media_type="application/pdf", data="JVBE", title="T"
    )
    plain = {"type": "text", "media_type": "text/plain", "data": "words"}
    assert one_block({"type": "document", "source": plain}).text == "words"
    parts = {"type": "content", "content": [{"type": "text", "text": "p"}]}
    assert one_block({"type": "document", "source": parts}).text == "p"
    hit = {"type": "search_result", "source": "https://x", "title": "T"}
    found = one_block(hit | {"content": [{"type": "text", "text": "body"}]})
    assert found == Document(media_type="text/plain", text="Source: https://x\n\nbody", title="T")
    assert one_block({"type": "thinking", "thinking": "", "signature": "Eq=="}) == Thinking(
        text="", signature="Eq=="
    )
    assert one_block({"type": "redacted_thinking", "data": "Eu=="}) == RedactedThinking(data="Eu==")


def test_tool_input_keeps_its_spelling() -> None:
    data = (
        b'{"model":"m","max_tokens":1,"messages":[{"role":"assistant","content":[{"type":'
        b'"tool_use","id":"t","name":"n","input":{"a": 1.0, "big": 12345678901234567890e0}}]}]}'
    )
    call = CLIENT.read_request(data, {}).messages[0].blocks[0]
    wanted = '{"a": 1.0, "big": 12345678901234567890e0}'
    assert call == ToolCall(id="t", name="n", arguments=wanted)


def test_tool_results_hold_blocks() -> None:
    picture = {"type": "image", "source": {"type": "url", "url": "https://x"}}
    block = one_block(
        {
            "type": "tool_result",
            "tool_use_id": "t",
            "is_error": True,
            "content": [{"type": "text", "text": "a"}, picture, {"type": "tool_reference"}],
        }
    )
    assert block.is_error is True
    assert block.content[:2] == (Text(text="a"), Image(url="https://x"))
    assert isinstance(block.content[2], Opaque)
    assert one_block({"type": "tool_result", "tool_use_id": "t", "content": "a"}) == ToolResult(
        call_id="t", content=(Text(text="a"),)
    )
    assert one_block({"type": "tool_result", "tool_use_id": "t"}).content == ()


@pytest.mark.parametrize("kind", ["server_tool_use", "web_search_tool_result", "from_next_year"])
def test_blocks_of_this_dialect_alone_stay_whole(kind: str) -> None:
    block = {"type": kind, "id": "s", "deep": {"a": [1]}}
    assert one_block(block) == Opaque(dialect="anthropic-messages", type=kind, value=block)


def test_system_in_all_three_places() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    messages = [
        USER,
        {"role": "system", "content": [{"type": "text", "text": "blocks"} | mark]},
        {"role": "assistant", "content": "ok"},
        USER,
        {"role": "system", "content": "string", "output_config": {"effort": "low"}},
    ]
    request = read(body(system="lead", messages=messages))
    assert request.system == (Text(text="lead"),)
    assert request.messages[1].role is Role.SYSTEM
    assert request.messages[1].blocks == (Text(text="blocks", extra=mark),)
    assert request.messages[4].blocks == (Text(text="string"),)
    assert request.messages[4].extra == {"output_config": {"effort": "low"}}
    blocks = read(body(system=[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]))
    assert [text.text for text in blocks.system] == ["a", "b"]


def test_options_tools_and_choice() -> None:
    schema = {"type": "object", "properties": {}}
    request = read(
        body(
            temperature=1,
            top_p=0.5,
            top_k=3,
            stop_sequences=["x"],
            stream=True,
            thinking={"type": "enabled", "budget_tokens": 2000, "display": "omitted"},
            output_config={
                "effort": "high",
                "format": {"type": "json_schema", "schema": schema},
                "task_budget": {"type": "tokens", "total": 5},
            },
            tools=[
                {"name": "a", "input_schema": schema, "description": "d", "strict": True},
                {"type": "web_search_20260318", "name": "web_search"},
                {"type": "mcp_toolset", "mcp_server_name": "s"},
            ],
            tool_choice={"type": "tool", "name": "a", "disable_parallel_tool_use": True},
            metadata={"user_id": "u"},
            service_tier="standard_only",
        )
    )
    options = request.options
    assert (options.temperature, options.top_p, options.top_k) == (1.0, 0.5, 3)
    assert options.stop == ("x",)
    assert options.stream
    assert options.thinking == ThinkingWish(
        kind=ThinkingKind.ENABLED, budget=2000, display="omitted"
    )
    assert (options.effort, options.format) == ("high", JsonFormat(schema=schema))
    assert options.parallel_tools is False
    assert options.user == "u"
    assert [tool.kind for tool in request.tools] == [
        "function",
        "web_search_20260318",
        "mcp_toolset",
    ]
    assert request.tools[0].parameters == schema
    assert request.tool_choice is not None
    assert (request.tool_choice.kind, request.tool_choice.name) == (ChoiceKind.NAMED, "a")
    assert request.rest == ("service_tier", "output_config.task_budget")


def test_null_means_not_given() -> None:
    names = ("system", "tools", "tool_choice", "thinking", "temperature", "stream", "metadata")
    assert read(body(**dict.fromkeys(names))).options == read(body()).options


def test_a_form_of_thinking_from_next_year_stays_raw() -> None:
    request = read(body(thinking={"type": "dreaming"}))
    assert request.options.thinking is None
    assert request.rest == ("thinking",)


def test_members_keep_order_and_spelling_and_the_last_duplicate_wins() -> None:
    data = (
        b'{ "model" : "a", "x":1e2 ,"max_tokens":5,'
        b'"messages":[{"role":"user","content":"q"}],"model":"b"}'
    )
    request = CLIENT.read_request(data, {})
    assert request.model == "b"
    assert list(request.members) == ["model", "x", "max_tokens", "messages"]
    assert request.members["x"] == b"1e2"
    assert request.rest == ("x",)


def test_a_count_needs_no_max_tokens_but_an_answer_does() -> None:
    request = read({"model": "m", "messages": [USER]})
    with pytest.raises(MalformedRequest) as caught:
        require_max_tokens(request)
    assert caught.value.field == "max_tokens"
    require_max_tokens(read(body(max_tokens=0)))


def turn(*blocks: Any, role: str = "user") -> dict[str, Any]:
    return body(messages=[USER, USER, {"role": role, "content": list(blocks)}])


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ([], None),
        ("text", None),
        (body(model=None), "model"),
        (body(model=""), "model"),
        ({"messages": [USER]}, "model"),
        ({"model": "m"}, "messages"),
        (body(messages={}), "messages"),
        (body(messages=[]), "messages"),
        (body(messages=["x"]), "messages.0"),
        (body(messages=[{"content": "x"}]), "messages.0.role"),
        (body(messages=[{"role": "tool", "content": "x"}]), "messages.0.role"),
        (body(messages=[{"role": "user"}]), "messages.0.content"),
        (body(messages=[{"role": "user", "content": 5}]), "messages.0.content"),
        (body(max_tokens="9"), "max_tokens"),
        (body(max_tokens=1.5), "max_tokens"),
        (body(max_tokens=True), "max_tokens"),
        (body(max_tokens=-1), "max_tokens"),
        (body(stream="yes"), "stream"),
        (body(system=5), "system"),
        (body(system=[{"type": "image"}]), "system.0.source"),
        (body(system=[{"type": "thinking", "thinking": ""}]), "system.0.type"),
        (body(tools={}), "tools"),
        (body(tools=[5]), "tools.0"),
        (body(tools=[{"name": "a"}]), "tools.0.input_schema"),
        (body(tools=[{"input_schema": {}}]), "tools.0.name"),
        (body(tools=[{"name": 5, "input_schema": {}}]), "tools.0.name"),
        (body(tools=[{"name": "a", "input_schema": []}]), "tools.0.input_schema"),
        (body(tool_choice="auto"), "tool_choice"),
        (body(tool_choice={"type": "some"}), "tool_choice.type"),
        (body(tool_choice={"type": "tool"}), "tool_choice.name"),
        (body(thinking={"budget_tokens": 5}), "thinking.type"),
        (body(thinking={"type": "enabled"}), "thinking.budget_tokens"),
        (body(output_config={"effort": 5}), "output_config.effort"),
        (body(stop_sequences="x"), "stop_sequences"),
        (body(stop_sequences=[5]), "stop_sequences.0"),
        (body(temperature="1"), "temperature"),
        (body(metadata="x"), "metadata"),
        (turn("x"), "messages.2.content.0"),
        (turn({"text": "x"}), "messages.2.content.0.type"),
        (turn({"type": "text"}), "messages.2.content.0.text"),
        (turn({"type": "image"}), "messages.2.content.0.source"),
        (turn({"type": "image", "source": {"type": "url"}}), "messages.2.content.0.source.url"),
        (turn({"type": "tool_result"}), "messages.2.content.0.tool_use_id"),
        (
            turn({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text"}]}),
            "messages.2.content.0.content.0.text",
        ),
        (turn({"type": "tool_use", "id": "t", "name": "n"}), "messages.2.content.0.input"),
        (
            turn({"type": "tool_use", "id": "t", "name": "n", "input": "{}"}),
            "messages.2.content.0.input",
        ),
        (turn({"type": "thinking"}), "messages.2.content.0.thinking"),
    ],
)
def test_malformed_bodies_name_the_place(value: Any, field: str | None) -> None:
    with pytest.raises(MalformedRequest) as caught:
        read(value)
    assert caught.value.field == field
    assert field is None or caught.value.message.startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"  ", "empty"),
        (b"{", "valid JSON"),
        (b'{"model":"m",}', "valid JSON"),
        (b'{"model":"\xff"}', "UTF-8"),
        (b'{"a":' + b"[" * 200_000, "too deeply"),
        (
            b'{"model":"m","messages":' + b"[" * 900 + b"]" * 900 + b"}",
            "messages.0: must be an obj",
        ),
        (b'{"model":"\\ud800","messages":[]}', "is not valid JSON"),
    ],
)
def test_what_is_not_json_is_said_so(data: bytes, words: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        CLIENT.read_request(data, {})
    assert words in caught.value.message


CALLS = [
    {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
    {"type": "text", "text": "", "cache_control": None},
    {"type": "tool_use", "id": "t", "name": "n", "input": {"a": [1.0]}},
    {"type": "tool_use", "id": "t", "name": "n", "input": {}, "caller": {"type": "direct"}},
    {"type": "tool_result", "tool_use_id": "t", "content": "r", "is_error": None},
    {"type": "tool_result", "tool_use_id": "t", "content": ""},
    {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "r"}]},
    {"type": "tool_result", "tool_use_id": "t", "content": None, "is_error": True},
    {"type": "thinking", "thinking": "x", "signature": ""},
    {"type": "redacted_thinking", "data": "d"},
    {"type": "from_next_year"},
]


@pytest.mark.parametrize("block", CALLS)
@pytest.mark.parametrize("role", ["user", "assistant", "system"])
def test_the_fast_and_the_careful_reader_agree(block: dict[str, Any], role: str) -> None:
    for content in ([block], [block, block], "plain", "", []):
        data = msgspec.Raw(json.dumps({"role": role, "content": content}).encode())
        fast = fast_message(data)
        assert fast in (None, read_message(data, "messages.0"))
    is_common = "caller" not in block and block["type"] != "from_next_year"
    item = msgspec.Raw(json.dumps({"role": role, "content": [block]}).encode())
    assert (fast_message(item) is not None) == is_common


def test_a_part_of_a_result_without_a_type_is_a_mistake_however_it_is_read() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"text": "r"}]}
    item = msgspec.Raw(json.dumps({"role": "user", "content": [result]}).encode())
    assert fast_message(item) is None


def test_a_number_no_float_can_hold_is_named() -> None:
    with pytest.raises(MalformedRequest) as caught:
        CLIENT.read_request(json.dumps(body(temperature=10**400)).encode(), {})
    assert caught.value.field == "temperature"
