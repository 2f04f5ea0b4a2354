"""Neutral conversations of another dialect, to legal Messages turns, every loss listed."""

from typing import Any

import pytest
from msgspec.structs import replace

from lynkrc_runtime.protocol.anthropic import CLIENT, TARGET
from lynkrc_runtime.protocol.conversation import (
    Block,
    CannotTranslate,
    ChoiceKind,
    Document,
    Image,
    Opaque,
    Refusal,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from lynkrc_runtime.protocol.dialect import TargetFacts
from tests.wire.anthropic_send import (
    ANYTHING,
    MANUAL,
    NEWEST,
    PNG,
    SCHEMA,
    assistant,
    call,
    function,
    message,
    request,
    result,
    send,
    turns,
    user,
)


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
    again = CLIENT.read_request(TARGET.write_request(given, facts, {}).body, {})
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
    assert b'"input":{"a": 1.0}' in TARGET.write_request(given, facts, {}).body


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
        (Image(media_type="image/svg+xml", data="PHN2Zy8+"), "image"),
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
