"""Neutral requests of another dialect, to legal Messages requests with every loss listed."""

import json
from dataclasses import replace
from typing import Any

import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from pydantic import TypeAdapter

from lynkrc_runtime.protocol.anthropic import DIALECT
from lynkrc_runtime.protocol.anthropic.write_tools import object_schema
from lynkrc_runtime.protocol.conversation import (
    Block,
    CannotTranslate,
    ChoiceKind,
    Document,
    Image,
    JsonFormat,
    Message,
    Opaque,
    Options,
    Refusal,
    Request,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
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
    written = DIALECT.write_request(given, facts, {"anthropic-beta": "never-from-here"})
    body = json.loads(written.body)
    force(PARAMS.validate_python({k: v for k, v in body.items() if k != "stream"}))
    return body, written.transforms, dict(written.headers)


def turns(*messages: Message, shape: RequestShape = ANYTHING) -> list[dict[str, Any]]:
    return list(send(request(*messages), shape)[0]["messages"])


def test_a_tool_round_trip() -> None:
    given = request(
        user("Weather in Bergen and Oslo?"),
        assistant("Checking.", call("a", '{"city": "Bergen"}'), call("b", '{"city":"Oslo"}')),
        user(result("a", "12C")),
        user(result("b", "no data", is_error=True)),
        user("Summarise."),
        system=(Text(text="You are terse."),),
        tools=(function(),),
        tool_choice=ToolChoice(kind=ChoiceKind.AUTO),
    )
    body, transforms, headers = send(given)
    assert body == {
        "model": "target",
        "max_tokens": 1000,
        "system": [{"type": "text", "text": "You are terse."}],
        "messages": [
            {
                "role": "user",
                "content": [{"type": "text", "text": "Weather in Bergen and Oslo?"}],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Checking."},
                    {
                        "type": "tool_use",
                        "id": "a",
                        "name": "get_weather",
                        "input": {"city": "Bergen"},
                    },
                    {
                        "type": "tool_use",
                        "id": "b",
                        "name": "get_weather",
                        "input": {"city": "Oslo"},
                    },
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "a", "content": "12C"},
                    {
                        "type": "tool_result",
                        "tool_use_id": "b",
                        "content": "no data",
                        "is_error": True,
                    },
                    {"type": "text", "text": "Summarise."},
                ],
            },
        ],
        "tools": [{"name": "get_weather", "description": "Weather", "input_schema": SCHEMA}],
        "tool_choice": {"type": "auto"},
    }
    assert transforms == ()
    assert headers == {"anthropic-version": "2023-06-01"}


def test_what_was_translated_reads_back_as_the_same_conversation() -> None:
    given = request(
        user("q", Image(media_type="image/png", data=PNG)),
        assistant("a", call("c", '{"x": 1.0}')),
        user(result("c"), "go"),
        system=(Text(text="lead"),),
        tools=(function(),),
    )
    facts = TargetFacts(model="asked", max_output=9999, capabilities=frozenset(), shape=ANYTHING)
    again = DIALECT.read_request(DIALECT.write_request(given, facts, {}).body, {})
    assert again.messages == given.messages
    assert again.system == given.system


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ("", {}),
        ("  ", {}),
        ("null", {}),
        ("[1]", {"value": [1]}),
        ('"x"', {"value": "x"}),
        ('{"a": 1, "b": "cut', {"a": 1, "b": "cut"}),
        ("{'a': 1}", {"_raw": "{'a': 1}"}),
    ],
)
def test_arguments_become_an_object(arguments: str, wanted: dict[str, Any]) -> None:
    sent = turns(user("q"), assistant(call("c", arguments)), user(result("c")))
    assert sent[1]["content"][0]["input"] == wanted


def test_arguments_keep_their_spelling() -> None:
    given = request(user("q"), assistant(call("c", '{"a": 1.0}')), user(result("c")))
    facts = TargetFacts(model="t", max_output=9, capabilities=frozenset(), shape=ANYTHING)
    assert b'"input":{"a": 1.0}' in DIALECT.write_request(given, facts, {}).body


def test_free_form_tools_take_one_string() -> None:
    custom = Tool(
        kind="custom", name="patch", description=None, parameters=None, strict=None, value={}
    )
    edit = ToolCall(id="c", name="patch", arguments="*** Begin", custom=True)
    given = request(user("q"), assistant(edit), user(result("c")), tools=(custom,))
    body = send(given)[0]
    assert body["messages"][1]["content"][0]["input"] == {"input": "*** Begin"}
    assert body["tools"][0]["input_schema"]["required"] == ["input"]


def test_results_come_first_whatever_their_order() -> None:
    sent = turns(
        user("q"), assistant(call("a"), call("b")), user("first this", result("b"), result("a"))
    )
    assert [b.get("tool_use_id") for b in sent[2]["content"]] == ["b", "a", None]


def test_calls_without_a_result_and_results_without_a_call() -> None:
    given = request(
        user("q"),
        assistant(call("a"), call("b")),
        user(result("b"), result("ghost", "lost words")),
        assistant(call("c")),
    )
    body, transforms, _ = send(given)
    answered = body["messages"][2]["content"]
    assert [b.get("tool_use_id") for b in answered] == ["b", "a", None]
    assert answered[1]["is_error"] is True
    assert answered[2]["text"] == "[tool result ghost] lost words"
    assert body["messages"][4]["content"][0]["tool_use_id"] == "c"
    assert set(transforms) == {"added=tool_result", "orphan=tool_result"}


def test_ids_are_legal_and_unique_in_call_and_result() -> None:
    sent = turns(
        user("q"),
        assistant(call("functions.x:0"), call("call_0"), call("call_0")),
        user(result("functions.x:0", "x"), result("call_0", "one"), result("call_0", "two")),
    )
    calls = [block["id"] for block in sent[1]["content"]]
    results = [(block["tool_use_id"], block["content"]) for block in sent[2]["content"]]
    assert len(set(calls)) == 3
    assert all(c.replace("_", "").isalnum() for c in calls)
    assert results == list(zip(calls, ["x", "one", "two"], strict=True))


def test_later_system_turns() -> None:
    later = message(Role.SYSTEM, "now be brief")
    folded = "<system-reminder>\nnow be brief\n</system-reminder>"
    assert turns(user("q"), later)[1] == {
        "role": "system",
        "content": [{"type": "text", "text": "now be brief"}],
    }
    assert turns(user("q"), later, shape=MANUAL)[0]["content"][1]["text"] == folded
    after_answer = turns(user("q"), assistant("a"), later, user("r"))
    assert [block["text"] for block in after_answer[2]["content"]] == [folded, "r"]
    in_a_loop = turns(user("q"), assistant(call("c")), later, user(result("c")))
    assert [block["type"] for block in in_a_loop[2]["content"]] == ["tool_result", "text"]


def test_empty_and_blank_turns_leave_and_neighbours_merge() -> None:
    sent = turns(user("a"), assistant(), assistant("  "), user("b"))
    assert sent == [{"role": "user", "content": [{"type": "text", "text": t} for t in ("a", "b")]}]


def test_a_conversation_begins_with_the_user() -> None:
    body, transforms, _ = send(request(assistant("Hello."), user("q")))
    assert body["messages"][0] == {
        "role": "user",
        "content": [{"type": "text", "text": "Continue."}],
    }
    assert transforms == ("added=user-turn",)


def test_prefill() -> None:
    given = request(user("q"), assistant("So: \n"))
    assert send(given)[0]["messages"][1]["content"][0]["text"] == "So:"
    with pytest.raises(CannotTranslate):
        send(given, NEWEST)


def test_pictures_and_documents() -> None:
    sent = turns(
        user(
            Image(media_type="image/jpeg", data=PNG),
            Image(url="https://example.org/a.png"),
            Document(media_type="application/pdf", data="JVBE", title="T"),
        )
    )
    assert [block["source"] for block in sent[0]["content"]] == [
        {"type": "base64", "media_type": "image/png", "data": PNG},
        {"type": "url", "url": "https://example.org/a.png"},
        {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
    ]
    assert sent[0]["content"][2]["title"] == "T"
    picture = ToolResult(call_id="c", content=(Text(text="see"), Image(url="https://x")))
    shown = turns(user("q"), assistant(call("c")), user(picture))
    assert [block["type"] for block in shown[2]["content"][0]["content"]] == ["text", "image"]


@pytest.mark.parametrize(
    ("block", "feature"),
    [
        (Image(file_id="f"), "file_id"),
        (Document(file_id="f"), "file_id"),
        (Document(media_type="text/csv", data="YQ=="), "file"),
        (Opaque(dialect="openai-chat", type="input_audio", value={}), "input_audio"),
    ],
)
def test_blocks_that_cannot_be_sent_are_misfits(block: Block, feature: str) -> None:
    with pytest.raises(CannotTranslate) as caught:
        send(request(user(block)))
    assert caught.value.feature == feature


def test_several_choices_and_audio_are_misfits() -> None:
    for name, raw in (("n", b"2"), ("modalities", b'["text","audio"]')):
        with pytest.raises(CannotTranslate):
            send(request(members={name: raw}, rest=(name,)))
    assert send(request(members={"n": b"1"}, rest=("n",)))[1] == ()


def test_members_without_a_counterpart_are_listed_where_they_ask_for_something() -> None:
    members = {"seed": b"7", "store": b"false", "logprobs": b"true", "prediction": b"null"}
    given = request(members=members, rest=tuple(members), metadata={"a": "b"})
    assert send(given)[1] == ("dropped=seed", "dropped=logprobs", "dropped=metadata")
    named = replace(user("q"), extra={"name": "ann"})
    assert send(request(named))[1] == ("dropped=messages.name",)


def test_reasoning_of_others_is_stripped_and_signed_reasoning_stays() -> None:
    signed = Thinking(text="a", signature="Eq==")
    given = request(
        user("q"),
        assistant(signed, Thinking(text="b"), Thinking(text="c", signature="gw1.x"), "answer"),
        assistant(Refusal(text="No.")),
        user("r"),
    )
    body, transforms, _ = send(given)
    assert [b["type"] for b in body["messages"][1]["content"]] == ["thinking", "text", "text"]
    assert transforms == ("stripped=thinking",)


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
    assert transforms == ("temperature=1", "dropped=top_p", "dropped=stop")
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
