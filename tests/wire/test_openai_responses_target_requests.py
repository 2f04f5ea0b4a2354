"""Messages and Chat requests for Responses targets: legal for the SDK's types, losses listed."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol.carrier import MARKER, OPENAI, seal
from lynkrc_runtime.protocol.conversation import CannotTranslate
from tests.wire.openai_responses_upstream import (
    MAKER,
    USER,
    chat_request,
    facts_of,
    messages_request,
    written,
)

WEATHER = {
    "name": "get_weather",
    "description": "Weather",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}


def use(call_id: str, city: str = "Paris") -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": "get_weather", "input": {"city": city}}


def result(call_id: str, content: Any, **members: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **members}


def said(role: str, *content: Any) -> dict[str, Any]:
    return {"role": role, "content": list(content)}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def thinking(signature: str | None, words: str = "Sums.") -> dict[str, Any]:
    return {"type": "thinking", "thinking": words, "signature": signature or ""}


def sealed(maker: str = MAKER, **members: Any) -> str:
    data = json.dumps({"encrypted_content": "gA==", **members})
    return seal(OPENAI, data, maker) or ""


def items(*messages: dict[str, Any], **members: Any) -> tuple[list[dict[str, Any]], list[str]]:
    body, transforms = written(messages_request(messages=list(messages), **members))
    return body["input"], transforms


# -- the golden conversation -----------------------------------------------------------------


def test_a_tool_round_trip() -> None:
    body, transforms = written(
        messages_request(
            system=[text("You are terse.")],
            tools=[WEATHER],
            tool_choice={"type": "auto", "disable_parallel_tool_use": True},
            stream=True,
            messages=[
                {"role": "user", "content": "Weather in Paris and Oslo?"},
                said("assistant", text("Checking."), use("toolu_01A"), use("toolu_01B", "Oslo")),
                said(
                    "user",
                    result("toolu_01A", [text("12C")]),
                    result("toolu_01B", "no data", is_error=True),
                    text("Summarise."),
                ),
            ],
        )
    )
    arguments = {"toolu_01A": '{"city":"Paris"}', "toolu_01B": '{"city":"Oslo"}'}
    called = [
        {"type": "function_call", "call_id": name, "name": "get_weather", "arguments": arguments}
        for name, arguments in arguments.items()
    ]
    assert body == {
        "model": "served",
        "instructions": "You are terse.",
        "input": [
            {"type": "message", "role": "user", "content": "Weather in Paris and Oslo?"},
            {"type": "message", "role": "assistant", "content": "Checking."},
            *called,
            {"type": "function_call_output", "call_id": "toolu_01A", "output": "12C"},
            {
                "type": "function_call_output",
                "call_id": "toolu_01B",
                "output": "[tool error] no data",
            },
            {"type": "message", "role": "user", "content": "Summarise."},
        ],
        "tools": [
            {
                "type": "function",
                "name": "get_weather",
                "description": "Weather",
                "parameters": WEATHER["input_schema"],
                "strict": False,
            }
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "max_output_tokens": 1024,
        "stream": True,
        "include": ["reasoning.encrypted_content"],
        "store": False,
    }
    assert transforms == ["folded=is_error"]


# -- items -----------------------------------------------------------------------------------


def test_reasoning_goes_back_to_its_maker_at_its_place() -> None:
    found, transforms = items(
        USER,
        said(
            "assistant", thinking(sealed(id="rs_7")), text("Now."), thinking(sealed(), ""), use("a")
        ),
        said("user", result("a", "1")),
        tools=[WEATHER],
    )
    assert [item["type"] for item in found[1:5]] == [
        "reasoning",
        "message",
        "reasoning",
        "function_call",
    ]
    summary = [{"type": "summary_text", "text": "Sums."}]
    assert found[1] == {
        "type": "reasoning",
        "id": "rs_7",
        "encrypted_content": "gA==",
        "summary": summary,
    }
    assert found[3] == {"type": "reasoning", "encrypted_content": "gA==", "summary": []}
    assert transforms == []


@pytest.mark.parametrize(
    "signature",
    [
        sealed("openai/other"),
        seal(MARKER, "", MAKER),
        seal(OPENAI, "no json", MAKER),
        seal(OPENAI, '{"id":"rs_1"}', MAKER),
        "RXJyb3JzIGFyZSByZWFs",
    ],
)
def test_reasoning_of_others_is_left_out(signature: str) -> None:
    found, transforms = items(USER, said("assistant", thinking(signature), text("4")), USER)
    assert [item["type"] for item in found] == ["message"] * 3
    assert transforms == ["stripped=thinking"]


def test_reasoning_that_leads_nowhere_is_left_out() -> None:
    found, transforms = items(USER, said("assistant", text("4"), thinking(sealed())), USER)
    assert [item["type"] for item in found] == ["message"] * 3
    assert transforms == ["stripped=thinking"]


def test_a_target_that_could_not_read_it_gets_no_reasoning() -> None:
    request = messages_request(
        messages=[USER, said("assistant", thinking(sealed()), text("4")), USER]
    )
    body, transforms = written(request, replace(facts_of(), without_thinking=True))
    assert [item["type"] for item in body["input"]] == ["message"] * 3
    assert transforms == ["stripped=thinking"]


def test_pictures_of_results_stay_in_them() -> None:
    picture = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    found, transforms = items(
        USER,
        said("assistant", use("a")),
        said("user", result("a", [text("see"), {"type": "image", "source": picture}])),
        tools=[WEATHER],
    )
    assert found[2]["output"] == [
        {"type": "input_text", "text": "see"},
        {
            "type": "input_image",
            "detail": "auto",
            "image_url": "data:image/png;base64,iVBORw0KGgo=",
        },
    ]
    assert transforms == []


def test_documents_by_content_and_by_address() -> None:
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    found, _ = items(
        said(
            "user",
            {"type": "document", "source": pdf, "title": "a.pdf"},
            {"type": "document", "source": {"type": "url", "url": "https://x/b.pdf"}},
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "t"},
            },
        )
    )
    assert found[0]["content"] == [
        {
            "type": "input_file",
            "filename": "a.pdf",
            "file_data": "data:application/pdf;base64,JVBERi0=",
        },
        {"type": "input_file", "file_url": "https://x/b.pdf"},
        {"type": "input_text", "text": "t"},
    ]


def test_unanswered_calls_and_answers_without_a_call() -> None:
    found, transforms = items(
        said("assistant", use("a"), use("b")),
        said("user", result("gone", "old"), result("b", "2"), text("go on")),
        said("assistant", use("a")),
        tools=[WEATHER],
    )
    assert [(item["type"], item.get("call_id")) for item in found] == [
        ("function_call", "a"),
        ("function_call", "b"),
        ("function_call_output", "a"),
        ("function_call_output", "b"),
        ("message", None),
        ("function_call", "a__2"),
        ("function_call_output", "a__2"),
    ]
    assert found[4]["content"] == [
        {"type": "input_text", "text": "[tool result gone] old"},
        {"type": "input_text", "text": "go on"},
    ]
    assert transforms == ["orphan=tool_result", "added=tool_result"]


def test_later_instructions_stay_where_they_are() -> None:
    request = chat_request(
        messages=[
            {"role": "developer", "content": "A"},
            USER,
            {"role": "system", "content": "B"},
            USER,
        ]
    )
    body, transforms = written(request)
    assert body["instructions"] == "A"
    assert body["input"][1] == {"type": "message", "role": "developer", "content": "B"}
    assert transforms == []
    body, transforms = written(request, facts_of(mid_system=False))
    assert body["input"][1]["role"] == "user"
    assert transforms == ["folded=mid-system"]


def test_nothing_to_send_is_a_misfit() -> None:
    with pytest.raises(CannotTranslate):
        items({"role": "user", "content": ""})


def test_files_of_another_provider_are_a_misfit() -> None:
    for kind in ("image", "document"):
        with pytest.raises(CannotTranslate):
            items(said("user", {"type": kind, "source": {"type": "file", "file_id": "file_1"}}))


# -- tools -----------------------------------------------------------------------------------


def test_free_form_tools_are_native() -> None:
    grammar = {"type": "grammar", "grammar": {"definition": "start: X", "syntax": "lark"}}
    patch = {"type": "custom", "custom": {"name": "patch", "format": grammar}}
    calls = [{"id": "c1", "type": "custom", "custom": {"name": "patch", "input": "*** x"}}]
    request = chat_request(
        tools=[patch],
        tool_choice={"type": "custom", "custom": {"name": "patch"}},
        messages=[
            USER,
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "tool", "tool_call_id": "c1", "content": "ok"},
        ],
    )
    body, transforms = written(request)
    flat = {"type": "grammar", "definition": "start: X", "syntax": "lark"}
    assert body["tools"] == [{"type": "custom", "name": "patch", "format": flat}]
    assert body["tool_choice"] == {"type": "custom", "name": "patch"}
    assert body["input"][1:] == [
        {"type": "custom_tool_call", "call_id": "c1", "name": "patch", "input": "*** x"},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "ok"},
    ]
    assert transforms == []


@pytest.mark.parametrize(
    ("choice", "want"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "get_weather"}, {"type": "function", "name": "get_weather"}),
    ],
)
def test_choices(choice: dict[str, Any], want: Any) -> None:
    body, _ = written(messages_request(tools=[WEATHER], tool_choice=choice))
    assert body["tool_choice"] == want


def test_allowed_tools_are_flat_and_fitted() -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    inner = {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]}
    request = chat_request(
        tools=[tool], tool_choice={"type": "allowed_tools", "allowed_tools": inner}
    )
    body, _ = written(request)
    allowed = {"type": "allowed_tools", "tools": [{"type": "function", "name": "f"}]}
    assert body["tool_choice"] == {**allowed, "mode": "required"}
    body, transforms = written(request, facts_of(tool_choice=["auto", "none"]))
    assert body["tool_choice"] == {**allowed, "mode": "auto"}
    assert transforms == ["tool_choice=auto"]


def test_tools_of_another_provider_are_left_out() -> None:
    hosted = {"type": "web_search_20250305", "name": "web_search"}
    body, transforms = written(messages_request(tools=[hosted]))
    assert "tools" not in body
    assert transforms == ["dropped=tools.web_search_20250305"]
    with pytest.raises(CannotTranslate):
        written(
            messages_request(tools=[hosted], tool_choice={"type": "tool", "name": "web_search"})
        )


def test_long_names_and_odd_ids_are_mapped_alike() -> None:
    name = "mcp__" + "x" * 80
    found, transforms = items(
        USER,
        said("assistant", {"type": "tool_use", "id": "functions.f:0", "name": name, "input": {}}),
        said("user", result("functions.f:0", "1")),
        tools=[WEATHER | {"name": name}],
    )
    assert found[1]["call_id"] == found[2]["call_id"]
    assert len(found[1]["name"]) == 64
    assert transforms == ["mapped=tool-names"]


# -- every conversation ----------------------------------------------------------------------

BLOCKS = st.one_of(
    st.text(max_size=4).map(text),
    st.sampled_from(["a", "b", "a.b"]).map(use),
    st.sampled_from([sealed(), sealed("x"), ""]).map(thinking),
)
RESULTS = st.one_of(
    st.text(max_size=4).map(text),
    st.builds(result, st.sampled_from(["a", "b", "a.b", "z"]), st.text(max_size=3)),
)
TURNS = st.lists(
    st.one_of(
        st.lists(BLOCKS, min_size=1, max_size=4).map(lambda found: said("assistant", *found)),
        st.lists(RESULTS, min_size=1, max_size=4).map(lambda found: said("user", *found)),
    ),
    max_size=5,
)


@settings(derandomize=True, max_examples=80, deadline=None)
@given(TURNS)
def test_every_conversation_is_legal(turns: list[dict[str, Any]]) -> None:
    found, _ = items(USER, *turns, tools=[WEATHER])
    calls = [b["id"] for turn in turns for b in turn["content"] if b["type"] == "tool_use"]
    assert sum(item["type"] == "function_call" for item in found) == len(calls)
    assert found[-1]["type"] != "reasoning"
