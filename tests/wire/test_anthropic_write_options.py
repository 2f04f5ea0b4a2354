"""Neutral options and tools of another dialect, to the Messages API's, every loss listed."""

import json
from typing import Any

import pytest

from lynkrc_runtime.protocol import openai_chat
from lynkrc_runtime.protocol.anthropic import TARGET
from lynkrc_runtime.protocol.anthropic.write_tools import object_schema
from lynkrc_runtime.protocol.conversation import (
    Block,
    CannotTranslate,
    ChoiceKind,
    JsonFormat,
    Options,
    RedactedThinking,
    Request,
    Text,
    Thinking,
    Tool,
    ToolChoice,
)
from lynkrc_runtime.protocol.dialect import TargetFacts, Written
from lynkrc_runtime.protocol.shapes import RequestShape
from tests.wire.anthropic_send import (
    EFFORTS,
    MANUAL,
    NEWEST,
    SCHEMA,
    assistant,
    call,
    function,
    request,
    result,
    send,
    user,
)


def options(**given: Any) -> Request:
    return request(options=Options(**({"max_tokens": 1000} | given)))


def test_max_tokens_has_a_default() -> None:
    body, transforms, _ = send(options(max_tokens=None))
    assert (body["max_tokens"], transforms) == (32000, ("max_tokens=32000",))
    assert send(options(max_tokens=None), max_output=8000)[0]["max_tokens"] == 8000
    assert send(options(max_tokens=99999), max_output=8000)[1] == ("max_tokens=8000",)


def test_sampling() -> None:
    body, transforms, headers = send(options(temperature=1.7, top_p=0.5, stop=("x", " ", "")))
    assert body["temperature"] == 1
    assert body["stop_sequences"] == ["x"]
    assert "top_p" not in body
    assert transforms == ("temperature=1", "dropped=top_p", "enforced=stop")
    assert headers == {"anthropic-version": "2023-06-01"}
    body, transforms, _ = send(options(temperature=0.2), NEWEST)
    assert "temperature" not in body
    assert transforms == ("dropped=temperature",)
    newer = RequestShape(versions=["2026-10-21"])
    assert send(options(temperature=0.2), newer)[1:] == (
        ("dropped=temperature",),
        {"anthropic-version": "2026-10-21"},
    )


@pytest.mark.parametrize(
    ("effort", "shape", "wanted", "transforms"),
    [
        (
            "high",
            NEWEST,
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
            (),
        ),
        (
            "minimal",
            NEWEST,
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
            (),
        ),
        ("none", NEWEST, {"output_config": {"effort": "low"}}, ("dropped=thinking", "effort=low")),
        (
            "none",
            RequestShape(thinking=["adaptive", "between_tools"], efforts=EFFORTS),
            {"thinking": {"type": "between_tools"}},
            ("thinking=between_tools",),
        ),
        ("none", MANUAL, {"thinking": {"type": "disabled"}}, ()),
        (
            "medium",
            MANUAL,
            {"thinking": {"type": "enabled", "budget_tokens": 8192}, "max_tokens": 9192},
            ("max_tokens=9192", "thinking=enabled", "dropped=effort"),
        ),
    ],
)
def test_reasoning_effort(
    effort: str, shape: RequestShape, wanted: dict[str, Any], transforms: tuple[str, ...]
) -> None:
    body, listed, _ = send(options(effort=effort), shape)
    body.pop("messages")
    assert body == {"model": "target", "max_tokens": 1000} | wanted
    assert listed == transforms


def test_manual_thinking_is_left_out_in_a_tool_loop() -> None:
    given = request(
        user("q"),
        assistant(call("c")),
        user(result("c")),
        options=Options(max_tokens=9000, effort="low"),
    )
    body, transforms, _ = send(given, MANUAL)
    assert "thinking" not in body
    assert "dropped=thinking" in transforms


@pytest.mark.parametrize(
    ("thought", "thinks"),
    [
        (Thinking(text="t", signature="Eq=="), True),
        (RedactedThinking(data="Eq=="), True),
        (Thinking(text="t", signature="gw1.eyJ"), False),
        (Thinking(text="t"), False),
    ],
)
def test_manual_thinking_goes_on_where_claude_signed_the_turn(thought: Block, thinks: bool) -> None:
    """A client of another dialect brings the signature back in a carrier (C.5.4)."""
    given = request(
        user("q"),
        assistant(Text(text=" "), thought, call("c")),
        user(result("c")),
        options=Options(max_tokens=9000, effort="low"),
    )
    body, transforms, _ = send(given, MANUAL)
    assert ("thinking" in body) == thinks
    assert ("dropped=thinking" in transforms) == (not thinks)


def test_temperature_leaves_beside_thinking() -> None:
    body, transforms, _ = send(options(effort="high", temperature=0.5))
    assert "temperature" not in body
    assert transforms == ("dropped=temperature",)


def test_json_formats() -> None:
    strict = send(options(format=JsonFormat(schema=SCHEMA, name="n", strict=True)))
    assert strict[0]["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}}
    assert strict[1] == ()
    loose = send(options(format=JsonFormat(schema=None)))
    assert "JSON object" in loose[0]["system"][0]["text"]
    assert loose[1] == ("prompted=response_format",)
    words = send(options(format=JsonFormat(schema=SCHEMA)), RequestShape(structured_output=False))
    assert "output_config" not in words[0]
    assert '"city"' in words[0]["system"][0]["text"]


def test_the_user_travels_as_a_digest() -> None:
    body, transforms, _ = send(options(user="ann@example.org"))
    assert len(body["metadata"]["user_id"]) == 64
    assert "ann" not in json.dumps(body)
    assert transforms == ("hashed=user",)


def test_streams_are_asked_for() -> None:
    assert send(options(stream=True, include_usage=True))[0]["stream"] is True
    assert "stream" not in send(options())[0]


def choice(kind: ChoiceKind, **more: Any) -> ToolChoice:
    return ToolChoice(kind=kind, **more)


def test_tool_choices() -> None:
    tools = (function("a"), function("b"))

    def sent(given: ToolChoice | None, **more: Any) -> Any:
        opts = Options(max_tokens=9, **more)
        return send(request(tools=tools, tool_choice=given, options=opts))[0].get("tool_choice")

    assert sent(None) is None
    assert sent(choice(ChoiceKind.REQUIRED)) == {"type": "any"}
    assert sent(choice(ChoiceKind.NAMED, name="b")) == {"type": "tool", "name": "b"}
    assert sent(choice(ChoiceKind.NONE), parallel_tools=False) == {"type": "none"}
    assert sent(None, parallel_tools=False) == {"type": "auto", "disable_parallel_tool_use": True}
    forced = request(tools=tools, tool_choice=choice(ChoiceKind.REQUIRED))
    body, transforms, _ = send(forced, NEWEST)
    assert (body["tool_choice"], transforms) == ({"type": "auto"}, ("tool_choice=auto",))
    some = request(tools=tools, tool_choice=choice(ChoiceKind.AUTO, allowed=("b",)))
    body, transforms, _ = send(some)
    assert [tool["name"] for tool in body["tools"]] == ["b"]
    assert transforms == ("filtered=tools",)


def test_no_tools_are_not_an_empty_list() -> None:
    given = request(tool_choice=choice(ChoiceKind.REQUIRED))
    body, transforms, _ = send(given)
    assert "tools" not in body
    assert "tool_choice" not in body
    assert transforms == ("dropped=tool_choice",)
    hosted = Tool(
        kind="web_search", name="", description=None, parameters=None, strict=None, value={}
    )
    body, transforms, _ = send(request(tools=(hosted,)))
    assert "tools" not in body
    assert transforms == ("dropped=tools.web_search",)


def test_schemas_and_strictness() -> None:
    assert object_schema(None) == {"type": "object", "properties": {}}
    merged = object_schema({"allOf": [{"properties": {"a": {}}, "required": ["a"]}], "enum": [1]})
    assert merged == {"type": "object", "properties": {"a": {}}, "required": ["a"]}
    closed = SCHEMA | {"additionalProperties": False}
    tools = (function("a", closed, strict=True), function("b", SCHEMA, strict=True))
    body, transforms, _ = send(request(tools=tools))
    assert [tool.get("strict") for tool in body["tools"]] == [True, None]
    assert transforms == ("dropped=strict",)


def test_cache_marks_stay_and_other_extras_are_listed() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    given = request(
        user(Text(text="q", extra=mark | {"detail": "low"})),
        system=(Text(text="s", extra=mark),),
    )
    body, transforms, _ = send(given)
    assert body["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert body["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral"}
    assert transforms == ("dropped=detail",)


def chat(**members: Any) -> Written:
    """A Chat body, as the Messages request it becomes."""
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]} | members
    request = openai_chat.CLIENT.read_request(json.dumps(body).encode(), {})
    target = TargetFacts(
        model="t", max_output=64000, capabilities=frozenset(), shape=RequestShape()
    )
    return TARGET.write_request(request, target, {})


def test_members_of_a_tool_without_a_counterpart_are_listed() -> None:
    inner = {"name": "n", "parameters": {"type": "object"}, "examples": [1], "extra": None}
    mark = {"type": "ephemeral"}
    tool = {"type": "function", "function": inner, "defer_loading": True, "cache_control": mark}
    written = chat(tools=[tool], max_tokens=9)
    assert written.transforms == ("dropped=defer_loading", "dropped=examples")
    assert json.loads(written.body)["tools"][0]["cache_control"] == mark


def test_a_demanded_tool_that_is_not_sent_is_a_misfit() -> None:
    tools = [{"type": "function", "function": {"name": "n"}}]
    wanted = {"type": "function", "function": {"name": "other"}}
    with pytest.raises(CannotTranslate) as caught:
        chat(tools=tools, tool_choice=wanted)
    assert caught.value.feature == "tool_choice"
