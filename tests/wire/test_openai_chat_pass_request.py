"""Chat requests for Chat targets: bytes kept, and exactly the edits a model's shape demands."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol.conversation import CannotTranslate
from lynkrc_runtime.protocol.dialect import TargetFacts, Written
from lynkrc_runtime.protocol.openai_chat import CLIENT, TARGET
from lynkrc_runtime.protocol.shapes import RequestShape
from tests.wire.openai_chat_lint import request_of

TOOL = {"type": "function", "function": {"name": "go", "parameters": {"type": "object"}}}
USAGE = "added=stream_options.include_usage"


def facts_of(model: str = "served", **shape: Any) -> TargetFacts:
    return TargetFacts(
        model=model,
        max_output=4096,
        capabilities=frozenset(("tools", "thinking")),
        shape=RequestShape(**shape),
    )


def passed(members: dict[str, Any], **shape: Any) -> tuple[dict[str, Any], list[str]]:
    written = TARGET.pass_request(request_of(**members), facts_of(**shape), {})
    return json.loads(written.body), list(written.transforms)


def edited(members: dict[str, Any], **shape: Any) -> tuple[dict[str, Any], list[str]]:
    """What stands beside model and messages, and the changes."""
    body, transforms = passed(members, **shape)
    assert body.pop("model") == "served"
    assert body.pop("messages") == [{"role": "user", "content": "Hi"}]
    return body, transforms


# -- bytes -----------------------------------------------------------------------------------

_NUMBERS = st.sampled_from(["1.0", "1e2", "-0", "0.10", "12345678901234567890", "1E-3"])
_STRINGS = st.sampled_from(['""', '"a\\u00e9\\/b"', '"\u2028é"', '"\\ud83d\\ude00"', '" "'])
_RAW = st.recursive(
    _NUMBERS | _STRINGS | st.sampled_from(["true", "false", "null", "{ }", "[\n]"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[" + " , ".join(items) + "]")
        | st.lists(inner, max_size=2).map(
            lambda items: "{" + ",".join(f'"k{i}" :{item}' for i, item in enumerate(items)) + "}"
        )
    ),
    max_leaves=6,
)
_NAMES = st.sampled_from(["seed", "x", "provider", "zeta", "service_tier", "ü", "prediction"])


@settings(derandomize=True, max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(_NAMES, _RAW), max_size=5, unique_by=lambda pair: pair[0]),
    st.integers(0, 5),
    st.sampled_from(["asked", "served"]),
)
def test_every_value_keeps_its_bytes(pairs: list[tuple[str, str]], place: int, asked: str) -> None:
    messages = '[ {"content":"a\\u0062\u2028" , "role":"user"} ]'
    members = [*pairs]
    members[place:place] = [("model", f'"{asked}"'), ("messages", messages)]
    body = "{" + " , ".join(f'"{name}": {value}' for name, value in members) + "}"
    request = CLIENT.read_request(body.encode(), {})
    written = TARGET.pass_request(request, facts_of(), {})
    found = msgspec.json.decode(written.body, type=dict[str, msgspec.Raw])
    want = [(name, '"served"' if name == "model" else value) for name, value in members]
    assert [(name, bytes(raw).decode()) for name, raw in found.items()] == want
    assert written.transforms == ()


def test_the_same_model_is_not_edited() -> None:
    members = {
        "max_tokens": 9999,
        "temperature": 0,
        "tools": [TOOL],
        "tool_choice": "required",
        "reasoning_effort": "max",
        "parallel_tool_calls": True,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    request = request_of(**members)
    written = TARGET.pass_request(
        request,
        facts_of(
            model="asked",
            max_tokens_field="max_completion_tokens",
            sampling=[],
            tool_choice=["auto"],
            efforts=[],
            effort_with_tools="none",
            parallel_tool_calls=False,
            system_role="developer",
            structured_output=False,
            stream_options=False,
        ),
        {},
    )
    assert written.transforms == ()
    found = msgspec.json.decode(written.body, type=dict[str, msgspec.Raw])
    assert {name: bytes(raw) for name, raw in found.items()} == dict(request.members)


def test_the_dialect_itself_sends_no_header_of_the_client() -> None:
    headers = {"authorization": "Bearer k", "openai-beta": "b", "traceparent": "t"}
    assert TARGET.pass_request(request_of(), facts_of(), headers).headers == {}


# -- usage -----------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["asked", "served"])
def test_usage_is_asked_for_in_streams(model: str) -> None:
    def transforms(**members: Any) -> tuple[Any, tuple[str, ...]]:
        written: Written = TARGET.pass_request(request_of(**members), facts_of(model=model), {})
        return json.loads(written.body).get("stream_options"), written.transforms

    asked = {"include_usage": True}
    assert transforms(stream=True) == (asked, (USAGE,))
    assert transforms(stream=True, stream_options=None) == (asked, (USAGE,))
    assert transforms(stream=True, stream_options={"include_obfuscation": False}) == (
        {"include_obfuscation": False, "include_usage": True},
        (USAGE,),
    )
    assert transforms(stream=True, stream_options={"include_usage": False}) == (asked, (USAGE,))
    assert transforms(stream=True, stream_options=asked) == (asked, ())
    assert transforms(stream=False) == (None, ())


def test_no_usage_is_asked_for_where_the_target_does_not_know_it() -> None:
    asked = {"stream": True, "stream_options": {"include_usage": True}}
    assert edited(asked, stream_options=False) == ({"stream": True}, ["dropped=stream_options"])
    assert edited({"stream": True}, stream_options=False) == ({"stream": True}, [])


# -- shapes ----------------------------------------------------------------------------------

ALLOWED: dict[str, Any] = {
    "type": "allowed_tools",
    "allowed_tools": {
        "mode": "required",
        "tools": [{"type": "function", "function": {"name": "go"}}],
    },
}

EDITS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], list[str]]] = [
    (
        "limit renamed",
        {"max_tokens": 9},
        {"max_tokens_field": "max_completion_tokens"},
        {"max_completion_tokens": 9},
        ["renamed=max_tokens:max_completion_tokens"],
    ),
    (
        "limit renamed back",
        {"max_completion_tokens": 9},
        {"max_tokens_field": "max_tokens"},
        {"max_tokens": 9},
        ["renamed=max_completion_tokens:max_tokens"],
    ),
    (
        "limit renamed and clamped",
        {"max_tokens": 9000},
        {"max_tokens_field": "max_completion_tokens"},
        {"max_completion_tokens": 4096},
        ["max_completion_tokens=4096"],
    ),
    ("limit clamped", {"max_tokens": 9000}, {}, {"max_tokens": 4096}, ["max_tokens=4096"]),
    ("limit fits", {"max_tokens": 4096}, {}, {"max_tokens": 4096}, []),
    (
        "two limits become one",
        {"max_tokens": 9, "seed": 1, "max_completion_tokens": 8},
        {"max_tokens_field": "max_completion_tokens"},
        {"max_completion_tokens": 8, "seed": 1},
        ["dropped=max_tokens"],
    ),
    ("no limit", {"max_tokens": None}, {}, {"max_tokens": None}, []),
    (
        "local no limit",
        {"max_tokens": -1},
        {"max_tokens_field": "max_tokens"},
        {"max_tokens": -1},
        [],
    ),
    (
        "sampling",
        {
            "temperature": 0,
            "top_p": 1,
            "top_k": 3,
            "presence_penalty": 1,
            "frequency_penalty": 1,
            "logit_bias": {"1": 1},
            "logprobs": True,
            "top_logprobs": 3,
            "seed": 1,
            "stop": "x",
        },
        {"sampling": ["seed"]},
        {"seed": 1},
        [
            "dropped=temperature",
            "dropped=top_p",
            "dropped=top_k",
            "dropped=presence_penalty",
            "dropped=frequency_penalty",
            "dropped=logit_bias",
            "dropped=logprobs",
            "dropped=top_logprobs",
            "enforced=stop",
        ],
    ),
    ("null sampling is not listed", {"temperature": None}, {"sampling": []}, {}, []),
    (
        "effort lowered",
        {"reasoning_effort": "max"},
        {"efforts": ["none", "low", "high"]},
        {"reasoning_effort": "high"},
        ["reasoning_effort=high"],
    ),
    (
        "none raised to the lowest",
        {"reasoning_effort": "none"},
        {"efforts": ["low", "high"]},
        {"reasoning_effort": "low"},
        ["reasoning_effort=low"],
    ),
    (
        "minimal does not turn reasoning off",
        {"reasoning_effort": "minimal"},
        {"efforts": ["none", "low"]},
        {"reasoning_effort": "low"},
        ["reasoning_effort=low"],
    ),
    (
        "effort not taken",
        {"reasoning_effort": "low"},
        {"efforts": []},
        {},
        ["dropped=reasoning_effort"],
    ),
    (
        "unknown effort",
        {"reasoning_effort": "ultra"},
        {"efforts": ["low"]},
        {},
        ["dropped=reasoning_effort"],
    ),
    (
        "legal effort",
        {"reasoning_effort": "low"},
        {"efforts": ["low"]},
        {"reasoning_effort": "low"},
        [],
    ),
    (
        "reasoning has no parameter",
        {"reasoning_effort": "low"},
        {"reasoning_in": "none"},
        {},
        ["dropped=reasoning_effort"],
    ),
    (
        "effort beside tools",
        {"tools": [TOOL], "reasoning_effort": "high"},
        {"effort_with_tools": "none", "efforts": ["none", "high"]},
        {"tools": [TOOL], "reasoning_effort": "none"},
        ["reasoning_effort=none"],
    ),
    (
        "default effort beside tools",
        {"tools": [TOOL]},
        {"effort_with_tools": "none"},
        {"tools": [TOOL], "reasoning_effort": "none"},
        ["reasoning_effort=none"],
    ),
    (
        "effort without tools",
        {"reasoning_effort": "high"},
        {"effort_with_tools": "none"},
        {"reasoning_effort": "high"},
        [],
    ),
    (
        "parallel calls",
        {"tools": [TOOL], "parallel_tool_calls": False},
        {"parallel_tool_calls": False},
        {"tools": [TOOL]},
        ["dropped=parallel_tool_calls"],
    ),
    (
        "choice weakened",
        {"tools": [TOOL], "tool_choice": "required"},
        {"tool_choice": ["auto", "none"]},
        {"tools": [TOOL], "tool_choice": "auto"},
        ["tool_choice=auto"],
    ),
    (
        "named choice weakened",
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "go"}}},
        {"tool_choice": ["auto", "required"]},
        {"tools": [TOOL], "tool_choice": "auto"},
        ["tool_choice=auto"],
    ),
    (
        "allowed tools stay allowed",
        {"tools": [TOOL], "tool_choice": ALLOWED},
        {"tool_choice": ["auto"]},
        {
            "tools": [TOOL],
            "tool_choice": ALLOWED | {"allowed_tools": ALLOWED["allowed_tools"] | {"mode": "auto"}},
        },
        ["tool_choice=auto"],
    ),
    (
        "legacy choice weakened",
        {"functions": [{"name": "go"}], "function_call": {"name": "go"}},
        {"tool_choice": ["auto"]},
        {"functions": [{"name": "go"}], "function_call": "auto"},
        ["function_call=auto"],
    ),
    (
        "no choice to forbid tools",
        {"tools": [TOOL], "tool_choice": "none", "parallel_tool_calls": True},
        {"tool_choice": ["auto"]},
        {},
        ["dropped=tools", "dropped=parallel_tool_calls", "dropped=tool_choice"],
    ),
    (
        "choice ignored",
        {"tools": [TOOL], "tool_choice": "auto"},
        {"tool_choice_ignored": True},
        {"tools": [TOOL]},
        ["dropped=tool_choice"],
    ),
    (
        "none ignored",
        {"tools": [TOOL], "tool_choice": "none"},
        {"tool_choice_ignored": True},
        {},
        ["dropped=tools", "dropped=tool_choice"],
    ),
    (
        "legal choice",
        {"tools": [TOOL], "tool_choice": "none"},
        {"tool_choice": ["auto", "none"]},
        {"tools": [TOOL], "tool_choice": "none"},
        [],
    ),
]


@pytest.mark.parametrize(
    ("members", "shape", "want", "transforms"),
    [edit[1:] for edit in EDITS],
    ids=[edit[0] for edit in EDITS],
)
def test_a_shape_edit(
    members: dict[str, Any], shape: dict[str, Any], want: dict[str, Any], transforms: list[str]
) -> None:
    body, changes = edited(members, **shape)
    assert body == want
    assert changes == transforms


def test_an_empty_list_of_tools_is_not_sent() -> None:
    body, transforms = edited({"tools": [], "tool_choice": "auto", "parallel_tool_calls": True})
    assert body == {}
    assert transforms == ["dropped=tools", "dropped=parallel_tool_calls", "dropped=tool_choice"]
    # A demand for a tool beside none is the client's mistake, and stays one.
    body, transforms = edited({"tools": [], "tool_choice": "required"})
    assert body == {"tool_choice": "required"}


def test_an_edit_leaves_the_order_and_the_other_bytes() -> None:
    body = (
        b'{"seed":1.50,"max_tokens":9,"messages":[ {"role":"user","content":"a\\u0062"} ],'
        b'"model":"asked","x":[1 , 2]}'
    )
    request = CLIENT.read_request(body, {})
    facts = facts_of(max_tokens_field="max_completion_tokens")
    assert TARGET.pass_request(request, facts, {}).body == (
        b'{"seed":1.50,"max_completion_tokens":9,'
        b'"messages":[ {"role":"user","content":"a\\u0062"} ],"model":"served","x":[1 , 2]}'
    )


# -- messages --------------------------------------------------------------------------------

TURNS = [
    {"role": "system", "content": "Be terse."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello"},
    {"role": "developer", "content": [{"type": "text", "text": "Now verbose."}]},
    {"role": "user", "content": "Again"},
]


def test_system_roles_are_renamed() -> None:
    body, transforms = passed({"messages": TURNS}, system_role="developer")
    assert [turn["role"] for turn in body["messages"]] == [
        "developer",
        "user",
        "assistant",
        "developer",
        "user",
    ]
    assert [turn["content"] for turn in body["messages"]] == [turn["content"] for turn in TURNS]
    assert transforms == ["system_role=developer"]


def test_messages_without_an_edit_keep_their_bytes() -> None:
    messages = b'[{"role":"system","content":"x"}, { "content" : "a\\u0062", "role":"user" }]'
    request = CLIENT.read_request(b'{"model":"asked","messages":' + messages + b"}", {})
    kept = TARGET.pass_request(request, facts_of(system_role="system"), {})
    assert messages in kept.body
    renamed = TARGET.pass_request(request, facts_of(system_role="developer"), {})
    assert b'{"role":"developer","content":"x"}' in renamed.body
    assert b'{"content":"a\\u0062","role":"user"}' in renamed.body


def test_later_instructions_are_folded() -> None:
    body, transforms = passed({"messages": TURNS}, mid_system=False)
    assert body["messages"][0] == TURNS[0]
    assert body["messages"][3] == {
        "role": "user",
        "content": [
            {
                "type": "text",
                "text": "<system-reminder>\nNow verbose.\n</system-reminder>",
            }
        ],
    }
    assert transforms == ["folded=mid-system"]


FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True},
}


def test_a_schema_is_asked_for_in_words() -> None:
    body, transforms = passed(
        {"messages": TURNS, "response_format": FORMAT}, structured_output=False
    )
    assert body["response_format"] == {"type": "json_object"}
    head = body["messages"][0]["content"]
    assert head.startswith("Be terse.\n\nAnswer with one JSON object only.")
    assert head.endswith('{"type":"object"}')
    assert body["messages"][1:] == TURNS[1:]
    assert transforms == ["prompted=response_format"]


def test_a_schema_is_asked_for_without_instructions_too() -> None:
    body, _ = passed({"response_format": FORMAT}, structured_output=False, system_role="developer")
    assert [turn["role"] for turn in body["messages"]] == ["developer", "user"]


def test_a_prefill_the_model_refuses_is_a_misfit() -> None:
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "The"}]
    with pytest.raises(CannotTranslate) as caught:
        passed({"messages": messages}, prefill=False)
    assert caught.value.feature == "prefill"
    assert passed({"messages": messages})[1] == []
