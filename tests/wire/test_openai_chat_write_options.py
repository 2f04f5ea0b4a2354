"""Options and tools of a Messages request, in Chat's words and within the model's shape."""

import hashlib
from typing import Any

import pytest

from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.openai_chat.schemas import is_strict_schema
from tests.wire.openai_chat_requests import USER, WEATHER, facts_of, written

GPT = {
    "efforts": ["none", "low", "medium", "high", "xhigh", "max"],
    "max_tokens_field": "max_completion_tokens",
    "sampling": ["seed"],
    "effort_with_tools": "none",
}
CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


def options(
    members: dict[str, Any], facts: TargetFacts | None = None
) -> tuple[dict[str, Any], list[str]]:
    """What stands beside model and messages, and the changes."""
    body, transforms = written(members, facts)
    assert body.pop("model") == "served"
    assert body.pop("messages") == [USER]
    return body, transforms


def test_plain_options() -> None:
    body, transforms = options(
        {"temperature": 0.5, "top_p": 0.9, "top_k": 40, "stop_sequences": list("abcde")}
    )
    assert body == {
        "max_completion_tokens": 1024,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["a", "b", "c", "d"],
    }
    assert transforms == ["dropped=top_k", "enforced=stop"]


def test_options_within_a_shape() -> None:
    body, transforms = options(
        {"max_tokens": 128000, "temperature": 0.5, "stop_sequences": ["a"]}, facts_of(**GPT)
    )
    assert body == {"max_completion_tokens": 4096}
    assert transforms == ["max_completion_tokens=4096", "dropped=temperature", "enforced=stop"]


def test_the_limit_of_a_classic_server() -> None:
    assert options({}, facts_of(max_tokens_field="max_tokens")) == ({"max_tokens": 1024}, [])


def test_top_k_goes_where_it_is_known() -> None:
    body, transforms = options({"top_k": 40}, facts_of(sampling=["top_k"]))
    assert (body["top_k"], transforms) == (40, [])


def test_a_stream_asks_for_usage() -> None:
    body, transforms = options({"stream": True})
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}
    assert transforms == []
    body, transforms = options({"stream": True}, facts_of(stream_options=False))
    assert ("stream_options" in body, transforms) == (False, [])


@pytest.mark.parametrize(
    ("thinking", "effort", "want", "transforms"),
    [
        (None, None, None, []),
        (None, "high", "high", []),
        ({"type": "adaptive"}, None, None, []),
        ({"type": "adaptive"}, "medium", "medium", []),
        ({"type": "adaptive", "display": "omitted"}, "max", "max", ["dropped=thinking.display"]),
        ({"type": "disabled"}, None, "none", ["reasoning_effort=none"]),
        ({"type": "between_tools"}, None, "low", ["reasoning_effort=low"]),
        ({"type": "enabled", "budget_tokens": 1024}, None, "low", ["reasoning_effort=low"]),
        ({"type": "enabled", "budget_tokens": 8192}, None, "medium", ["reasoning_effort=medium"]),
        ({"type": "enabled", "budget_tokens": 31999}, None, "high", ["reasoning_effort=high"]),
        ({"type": "enabled", "budget_tokens": 32768}, None, "xhigh", ["reasoning_effort=xhigh"]),
        ({"type": "enabled", "budget_tokens": 2048}, "high", "high", []),
    ],
)
def test_thinking_is_effort(
    thinking: Any, effort: str | None, want: str | None, transforms: list[str]
) -> None:
    members: dict[str, Any] = {"thinking": thinking} if thinking else {}
    if effort:
        members["output_config"] = {"effort": effort}
    body, changes = options(members, facts_of(**GPT))
    assert body.get("reasoning_effort") == want
    assert changes == transforms


def test_effort_within_a_shape() -> None:
    lowest = facts_of(efforts=["low", "medium", "high"])
    assert options({"thinking": {"type": "disabled"}}, lowest) == (
        {"max_completion_tokens": 1024, "reasoning_effort": "low"},
        ["reasoning_effort=low"],
    )
    assert options({"output_config": {"effort": "max"}}, lowest) == (
        {"max_completion_tokens": 1024, "reasoning_effort": "high"},
        ["reasoning_effort=high"],
    )


def test_no_effort_beside_tools_where_refused() -> None:
    body, transforms = options(
        {"tools": [WEATHER], "thinking": {"type": "enabled", "budget_tokens": 9000}},
        facts_of(**GPT),
    )
    assert body["reasoning_effort"] == "none"
    assert transforms == ["reasoning_effort=none"]


def test_a_model_without_reasoning_is_not_asked_for_any() -> None:
    plain = facts_of("tools")
    thinking = {"type": "adaptive"}
    assert options({"thinking": thinking, "output_config": {"effort": "high"}}, plain) == (
        {"max_completion_tokens": 1024},
        ["dropped=thinking", "dropped=effort"],
    )
    assert options({"thinking": {"type": "disabled"}}, plain)[1] == []


# -- format ----------------------------------------------------------------------------------


def test_a_schema_is_strict_where_it_qualifies() -> None:
    def asked(schema: Any) -> tuple[Any, list[str]]:
        wanted = {"format": {"type": "json_schema", "schema": schema}}
        body, transforms = options({"output_config": wanted})
        return body["response_format"], transforms

    assert asked(CLOSED) == (
        {
            "type": "json_schema",
            "json_schema": {"name": "output", "schema": CLOSED, "strict": True},
        },
        [],
    )
    form, transforms = asked({"type": "object", "properties": {"a": {}}})
    assert form["json_schema"]["strict"] is False
    assert transforms == ["response_format.strict=false"]


def test_a_schema_is_asked_for_in_words_where_refused() -> None:
    wanted = {"format": {"type": "json_schema", "schema": CLOSED}}
    body, transforms = written(
        {"system": "Be terse.", "output_config": wanted}, facts_of(structured_output=False)
    )
    assert body["response_format"] == {"type": "json_object"}
    assert body["messages"][0]["content"].startswith("Be terse.\n\nAnswer with one JSON object")
    assert transforms == ["prompted=response_format"]


@pytest.mark.parametrize(
    ("schema", "want"),
    [
        (CLOSED, True),
        ({**CLOSED, "required": []}, False),
        ({**CLOSED, "additionalProperties": True}, False),
        ({**CLOSED, "patternProperties": {}}, False),
        ({"type": "array", "items": CLOSED}, False),
        ({**CLOSED, "properties": {"a": {"type": "array", "items": CLOSED}}}, True),
        ({**CLOSED, "properties": {"a": {"type": "object"}}}, False),
        ({**CLOSED, "properties": {"a": {"anyOf": [CLOSED, {"oneOf": []}]}}}, False),
        ({**CLOSED, "$defs": {"d": {"type": "object"}}}, False),
    ],
)
def test_strict_schemas(schema: Any, want: bool) -> None:
    assert is_strict_schema(schema) is want


# -- tools -----------------------------------------------------------------------------------


def test_tools_in_order_and_what_they_lose() -> None:
    tools = [
        {**WEATHER, "cache_control": {"type": "ephemeral"}, "defer_loading": True},
        {"type": "web_search_20260318", "name": "web_search", "max_uses": 3},
        {"type": "custom", "name": "bare", "input_schema": {}},
        {"name": "strict", "input_schema": CLOSED, "strict": True},
        {"name": "loose", "input_schema": {"type": "object"}, "strict": True},
        {"type": "bash_20250124", "name": "bash"},
    ]
    body, transforms = options({"tools": tools})
    assert [tool["function"] for tool in body["tools"]] == [
        {
            "name": "get_weather",
            "description": "Weather",
            "parameters": WEATHER["input_schema"],
        },
        {"name": "bare", "parameters": {"type": "object", "properties": {}}},
        {"name": "strict", "parameters": CLOSED, "strict": True},
        {"name": "loose", "parameters": {"type": "object", "properties": {}}},
    ]
    assert transforms == [
        "dropped=cache_control",
        "dropped=defer_loading",
        "dropped=tools.web_search_20260318",
        "dropped=strict",
        "dropped=tools.bash_20250124",
    ]


def test_no_empty_tools() -> None:
    members = {
        "tools": [{"type": "web_search_20260318", "name": "web_search"}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    }
    assert options(members) == (
        {"max_completion_tokens": 1024},
        ["dropped=tools.web_search_20260318"],
    )
    assert options({"tools": []})[0] == {"max_completion_tokens": 1024}


@pytest.mark.parametrize(
    ("choice", "want"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
        ({"type": "none"}, "none"),
        (
            {"type": "tool", "name": "get_weather"},
            {"type": "function", "function": {"name": "get_weather"}},
        ),
    ],
)
def test_tool_choices(choice: Any, want: Any) -> None:
    body, transforms = options({"tools": [WEATHER], "tool_choice": choice})
    assert (body["tool_choice"], transforms) == (want, [])
    assert "parallel_tool_calls" not in body


def test_single_calls() -> None:
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    body, _ = options({"tools": [WEATHER], "tool_choice": choice})
    assert body["parallel_tool_calls"] is False
    body, transforms = options(
        {"tools": [WEATHER], "tool_choice": choice}, facts_of(parallel_tool_calls=False)
    )
    assert "parallel_tool_calls" not in body
    assert transforms == ["dropped=parallel_tool_calls"]


# -- what has no place -----------------------------------------------------------------------


def test_members_without_a_place_are_listed_once() -> None:
    _, transforms = options(
        {
            "service_tier": "standard_only",
            "container": "c",
            "context_management": {"edits": []},
            "mcp_servers": [],
            "cache_control": {"type": "ephemeral"},
            "system": [],
        }
    )
    assert transforms == [
        "dropped=service_tier",
        "dropped=container",
        "dropped=context_management",
        "dropped=cache_control",
    ]


def test_the_user_travels_as_a_digest() -> None:
    user = '{"device_id":"d","session_id":"s"}'
    body, transforms = written({"metadata": {"user_id": user, "other": 1}})
    assert body["user"] == hashlib.sha256(user.encode()).hexdigest()
    assert transforms == ["hashed=user", "dropped=metadata.other"]
