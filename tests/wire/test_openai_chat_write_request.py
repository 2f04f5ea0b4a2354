"""Messages requests for Chat targets: legal for the SDK's types, and every loss listed."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol.conversation import CannotTranslate
from tests.wire.openai_chat_requests import EPHEMERAL, USER, WEATHER, facts_of, written


def use(call_id: str, city: str = "Paris") -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": "get_weather", "input": {"city": city}}


def result(call_id: str, content: Any, **members: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **members}


def called(call_id: str, city: str = "Paris") -> dict[str, Any]:
    function = {"name": "get_weather", "arguments": json.dumps({"city": city}).replace(": ", ":")}
    return {"id": call_id, "type": "function", "function": function}


def turns(*messages: dict[str, Any], **members: Any) -> tuple[list[dict[str, Any]], list[str]]:
    body, transforms = written({"messages": list(messages), **members})
    return body["messages"], transforms


# -- the golden conversation -----------------------------------------------------------------


def test_a_tool_round_trip() -> None:
    body, transforms = written(
        {
            "system": [{"type": "text", "text": "You are terse.", "cache_control": EPHEMERAL}],
            "tools": [WEATHER],
            "tool_choice": {"type": "auto"},
            "messages": [
                {"role": "user", "content": "Weather in Paris and Oslo?"},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "text", "text": "Checking."},
                        use("toolu_01A"),
                        use("toolu_01B", "Oslo"),
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        result("toolu_01A", [{"type": "text", "text": "12C"}]),
                        result("toolu_01B", "no data", is_error=True),
                        {"type": "text", "text": "Summarise."},
                    ],
                },
            ],
        }
    )
    assert body == {
        "model": "served",
        "messages": [
            {"role": "system", "content": "You are terse."},
            {"role": "user", "content": "Weather in Paris and Oslo?"},
            {
                "role": "assistant",
                "content": "Checking.",
                "tool_calls": [called("toolu_01A"), called("toolu_01B", "Oslo")],
            },
            {"role": "tool", "tool_call_id": "toolu_01A", "content": "12C"},
            {"role": "tool", "tool_call_id": "toolu_01B", "content": "[tool error] no data"},
            {"role": "user", "content": "Summarise."},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "get_weather",
                    "description": "Weather",
                    "parameters": WEATHER["input_schema"],
                },
            }
        ],
        "tool_choice": "auto",
        "max_completion_tokens": 1024,
    }
    assert transforms == ["dropped=cache_control", "folded=is_error"]


# -- system ----------------------------------------------------------------------------------


def test_system_blocks_are_joined_without_the_billing_header() -> None:
    system = [
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=1;"},
        {"type": "text", "text": "One.", "cache_control": EPHEMERAL},
        {"type": "text", "text": "Two.", "cache_control": EPHEMERAL},
    ]
    messages, transforms = turns(USER, system=system)
    assert messages == [{"role": "system", "content": "One.\n\nTwo."}, USER]
    assert transforms == ["dropped=billing-header", "dropped=cache_control"]


def test_no_empty_system_message() -> None:
    assert turns(USER, system="")[0] == [USER]
    assert turns(USER, system=[{"type": "text", "text": "x-anthropic-billing-header: a"}])[0] == [
        USER
    ]


LATE = {"role": "system", "content": "# Environment", "output_config": {"effort": "high"}}


def test_a_later_system_message_stays_in_its_place() -> None:
    messages, transforms = turns(USER, LATE, {"role": "assistant", "content": "Hello"}, USER)
    assert [turn["role"] for turn in messages] == ["user", "system", "assistant", "user"]
    assert messages[1]["content"] == "# Environment"
    assert transforms == ["dropped=messages.output_config"]


def test_a_later_system_message_is_folded_where_refused() -> None:
    body, transforms = written({"messages": [USER, LATE]}, facts_of(mid_system=False))
    assert body["messages"][1] == {
        "role": "user",
        "content": "<system-reminder>\n# Environment\n</system-reminder>",
    }
    assert transforms == ["dropped=messages.output_config", "folded=mid-system"]


def test_the_system_role_of_the_model() -> None:
    body, transforms = written(
        {"system": "A", "messages": [USER, {"role": "system", "content": "B"}]},
        facts_of(system_role="developer"),
    )
    assert [turn["role"] for turn in body["messages"]] == ["developer", "user", "developer"]
    assert transforms == []


# -- tool results ----------------------------------------------------------------------------

CALLS = {"role": "assistant", "content": [use("a"), use("b", "Oslo")]}


def test_results_come_first_in_their_own_order() -> None:
    messages, transforms = turns(
        USER,
        CALLS,
        {
            "role": "user",
            "content": [{"type": "text", "text": "And?"}, result("b", "2"), result("a", "1")],
        },
    )
    assert messages[1]["content"] is None
    assert messages[2:] == [
        {"role": "tool", "tool_call_id": "b", "content": "2"},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "user", "content": "And?"},
    ]
    assert transforms == []


def test_results_come_before_a_system_message_between() -> None:
    messages, _ = turns(
        USER,
        CALLS,
        {"role": "user", "content": [result("a", "1")]},
        {"role": "system", "content": "Mind."},
        {"role": "user", "content": [result("b", "2")]},
    )
    assert [turn["role"] for turn in messages[2:]] == ["tool", "tool", "system"]


def test_a_call_nobody_answered_gets_a_result() -> None:
    messages, transforms = turns(USER, CALLS, {"role": "user", "content": [result("b", "2")]})
    assert messages[2:] == [
        {"role": "tool", "tool_call_id": "b", "content": "2"},
        {"role": "tool", "tool_call_id": "a", "content": "[no result: interrupted]"},
    ]
    assert transforms == ["added=tool_result"]


def test_a_result_nobody_asked_for_is_text() -> None:
    messages, transforms = turns({"role": "user", "content": [result("gone", "12C")]})
    assert messages == [{"role": "user", "content": "[tool result gone] 12C"}]
    assert transforms == ["orphan=tool_result"]


def test_a_second_result_of_a_call_is_text() -> None:
    messages, transforms = turns(
        USER,
        {"role": "assistant", "content": [use("a")]},
        {"role": "user", "content": [result("a", "1"), result("a", "2")]},
    )
    assert messages[2:] == [
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "user", "content": "[tool result a] 2"},
    ]
    assert transforms == ["orphan=tool_result"]


def test_images_of_results_follow_in_a_user_message() -> None:
    image = {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": "aGk="},
    }
    content = [{"type": "text", "text": "Shot:"}, image]
    messages, transforms = turns(
        USER, CALLS, {"role": "user", "content": [result("a", content), result("b", [])]}
    )
    assert messages[2:] == [
        {
            "role": "tool",
            "tool_call_id": "a",
            "content": "Shot:\n[image 1 of tool result a follows]",
        },
        {"role": "tool", "tool_call_id": "b", "content": "(no output)"},
        {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}],
        },
    ]
    assert transforms == ["moved=tool-result-media"]


def test_two_assistant_messages_are_one_turn() -> None:
    messages, _ = turns(
        USER,
        {"role": "assistant", "content": [use("a")]},
        {"role": "assistant", "content": [use("b")]},
        {"role": "user", "content": [result("a", "1"), result("b", "2")]},
    )
    assert [turn["role"] for turn in messages] == ["user", "assistant", "tool", "tool"]


def test_long_ids_and_names_are_mapped_alike_everywhere() -> None:
    long_id, name = "toolu_" + "x" * 60, "mcp__server__" + "y" * 70
    call = {"type": "tool_use", "id": long_id, "name": name, "input": {}}
    body, transforms = written(
        {
            "tools": [{"name": name, "input_schema": {"type": "object"}}],
            "tool_choice": {"type": "tool", "name": name},
            "messages": [
                USER,
                {"role": "assistant", "content": [call]},
                {"role": "user", "content": [result(long_id, "1")]},
            ],
        }
    )
    [sent] = body["messages"][1]["tool_calls"]
    assert len(sent["id"]) <= 40
    assert len(sent["function"]["name"]) == 64
    assert sent["function"]["arguments"] == "{}"
    assert body["messages"][2]["tool_call_id"] == sent["id"]
    assert body["tools"][0]["function"]["name"] == sent["function"]["name"]
    assert body["tool_choice"]["function"]["name"] == sent["function"]["name"]
    assert transforms == ["mapped=tool-names"]


# -- other blocks ----------------------------------------------------------------------------


def test_text_after_a_call_moves_before_it() -> None:
    content = [
        {"type": "text", "text": "Che"},
        {"type": "text", "text": "cking."},
        use("a"),
        {"type": "text", "text": "Wait."},
    ]
    messages, transforms = turns(
        USER,
        {"role": "assistant", "content": content},
        {"role": "user", "content": [result("a", "1")]},
    )
    assert messages[1]["content"] == "Checking.\n\nWait."
    assert transforms == ["moved=text-before-calls"]


def test_reasoning_and_server_tools_are_left_out() -> None:
    content = [
        {"type": "thinking", "thinking": "", "signature": "s"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}},
        {"type": "text", "text": "Found."},
    ]
    messages, transforms = turns(USER, {"role": "assistant", "content": content}, USER)
    assert messages[1] == {"role": "assistant", "content": "Found."}
    assert transforms == ["stripped=thinking", "dropped=server_tool_use"]


def test_a_turn_of_which_nothing_is_left_is_left_out() -> None:
    thinking = [{"type": "thinking", "thinking": "Hm", "signature": "s"}]
    messages, _ = turns(USER, {"role": "assistant", "content": thinking}, USER)
    assert messages == [USER, USER]


def test_images_and_documents() -> None:
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "aGk="}
    content = [
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {"type": "document", "source": pdf, "title": "a.pdf", "context": "c"},
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "Plain."},
            "title": "Notes",
        },
        {"type": "text", "text": "See"},
    ]
    messages, transforms = turns({"role": "user", "content": content})
    assert messages[0]["content"] == [
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {
            "type": "file",
            "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="},
        },
        {"type": "text", "text": "Notes\nPlain."},
        {"type": "text", "text": "See"},
    ]
    assert transforms == ["dropped=context"]


# -- hard errors -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "shape", "feature"),
    [
        ({"max_tokens": 0}, {}, "max_tokens"),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "image", "source": {"type": "file", "file_id": "file_1"}}
                        ],
                    }
                ]
            },
            {},
            "file_id",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "document", "source": {"type": "url", "url": "https://a.b"}}
                        ],
                    }
                ]
            },
            {},
            "document.url",
        ),
        (
            {
                "tools": [{"type": "web_search_20260318", "name": "web_search"}],
                "tool_choice": {"type": "tool", "name": "web_search"},
            },
            {},
            "tool_choice",
        ),
        (
            {
                "tools": [{"type": "web_search_20260318", "name": "web_search"}],
                "tool_choice": {"type": "any"},
            },
            {},
            "tool_choice",
        ),
        ({"thread": {"continue": "t_1"}}, {}, "thread"),
        ({"messages": [{"role": "assistant", "content": ""}, LATE]}, {}, "messages"),
        (
            {"messages": [USER, {"role": "assistant", "content": "The"}]},
            {"prefill": False},
            "prefill",
        ),
    ],
)
def test_what_cannot_mean_the_same_is_a_misfit(
    members: dict[str, Any], shape: dict[str, Any], feature: str
) -> None:
    with pytest.raises(CannotTranslate) as caught:
        written(members, facts_of(**shape))
    assert caught.value.feature == feature


# -- any conversation ------------------------------------------------------------------------

_IDS = st.sampled_from(["a", "b", "c", "x" * 50])
_BLOCKS = {
    "user": st.one_of(
        st.just({"type": "text", "text": "t"}),
        st.builds(result, _IDS, st.sampled_from(["1", "", []])),
    ),
    "assistant": st.one_of(
        st.just({"type": "text", "text": "t"}),
        st.builds(use, _IDS),
        st.just({"type": "thinking", "thinking": "Hm", "signature": "s"}),
    ),
    "system": st.just({"type": "text", "text": "s"}),
}
_TURN = st.sampled_from(sorted(_BLOCKS)).flatmap(
    lambda role: st.fixed_dictionaries(
        {"role": st.just(role), "content": st.lists(_BLOCKS[role], max_size=4)}
    )
)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(_TURN, min_size=1, max_size=6), st.booleans())
def test_any_conversation_becomes_a_legal_one(messages: list[Any], folds: bool) -> None:
    try:
        body, _ = written(
            {"messages": messages}, facts_of(**({"mid_system": False} if folds else {}))
        )
    except CannotTranslate as error:
        assert error.feature == "messages"
        return
    sent = json.dumps(body["messages"])
    calls = sum(block["type"] == "tool_use" for turn in messages for block in turn["content"])
    assert sent.count('"type": "function"') == calls
