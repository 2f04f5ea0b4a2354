"""Switches of Chat servers, one by one: what is written, what is read, what is listed."""

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol import anthropic
from lynkrc_runtime.protocol.carrier import MARKER, seal, unseal
from lynkrc_runtime.protocol.conversation import CannotTranslate, Text, Thinking, ToolCall
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.fold import fold
from lynkrc_runtime.protocol.openai_chat import CLIENT, TARGET
from lynkrc_runtime.protocol.openai_chat.think_tags import ThinkTags
from tests.wire.openai_chat_requests import EPHEMERAL, USER, WEATHER, facts_of

MAKER = "some/served"


def facts(**shape: Any) -> TargetFacts:
    return replace(facts_of(**shape), maker=MAKER)


def translated(members: dict[str, Any], /, **shape: Any) -> tuple[dict[str, Any], list[str]]:
    given = {"model": "asked", "max_tokens": 4000, "messages": [USER], **members}
    request = anthropic.CLIENT.read_request(json.dumps(given).encode(), {})
    found = TARGET.write_request(request, facts(**shape), {})
    return json.loads(found.body), list(found.transforms)


def passed(members: dict[str, Any], /, **shape: Any) -> tuple[dict[str, Any], list[str]]:
    given = {"model": "asked", "messages": [USER], **members}
    request = CLIENT.read_request(json.dumps(given).encode(), {})
    assert TARGET.pass_request is not None
    found = TARGET.pass_request(request, facts(**shape), {})
    return json.loads(found.body), list(found.transforms)


# -- members ---------------------------------------------------------------------------------


def test_members_are_renamed_and_the_unknown_left_out() -> None:
    shape: dict[str, Any] = {"members": ["model", "messages", "random_seed"]}
    shape["renamed"] = {"seed": "random_seed"}
    body, changes = passed({"seed": 7, "user": "me", "store": None}, **shape)
    assert body == {"model": "served", "messages": [USER], "random_seed": 7}
    assert changes == ["renamed=seed:random_seed", "dropped=user"]


def test_words_limits_and_strictness() -> None:
    tool = {"type": "function", "function": {"name": "f", "strict": True}}
    body, changes = passed(
        {
            "tools": [tool],
            "tool_choice": "required",
            "temperature": 1.7,
            "stop": ["a", "b", "c"],
            "stream": True,
        },
        tool_choice_words={"required": "any"},
        max_temperature=1.0,
        max_stops=2,
        strict_tools=False,
        tool_stream=True,
        stream_options=False,
    )
    assert body["tool_choice"] == "any"
    assert body["temperature"] == 1.0
    assert body["stop"] == ["a", "b"]
    assert body["tools"] == [{"type": "function", "function": {"name": "f"}}]
    assert body["tool_stream"] is True
    assert changes == ["enforced=stop", "temperature=1", "dropped=strict", "tool_choice=any"]


@pytest.mark.parametrize("form", ["json_object", "json_schema"])
def test_a_server_without_formats_is_asked_in_words(form: str) -> None:
    wanted: dict[str, Any] = {"type": form}
    if form == "json_schema":
        wanted["json_schema"] = {"name": "a", "schema": {"type": "object"}}
    body, changes = passed({"response_format": wanted}, json_object=False, structured_output=False)
    assert "response_format" not in body
    assert body["messages"][0]["content"].startswith("Answer with one JSON object only.")
    assert changes == ["prompted=response_format"]


# -- reasoning asked for -----------------------------------------------------------------------

ASKED: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"reasoning_in": "thinking", "efforts": []}, {"thinking": {"type": "enabled"}}, {}),
    (
        {
            "reasoning_in": "thinking",
            "efforts": ["low", "high", "max"],
            "effort_words": {"medium": "high"},
        },
        {"thinking": {"type": "enabled"}, "reasoning_effort": "high"},
        {},
    ),
    ({"reasoning_in": "reasoning"}, {"reasoning": {"effort": "medium"}}, {}),
    (
        {"reasoning_in": "chat_template_kwargs"},
        {"chat_template_kwargs": {"enable_thinking": True}},
        {"dropped=effort": None},
    ),
    (
        {"reasoning_in": "thinking_budget", "max_tokens_field": "max_tokens"},
        {"thinking": {"type": "enabled", "budget_tokens": 2976}},
        {"dropped=effort": None},
    ),
    ({"reasoning_in": "none"}, {}, {"dropped=reasoning_effort": None}),
]


@pytest.mark.parametrize(("shape", "asked", "listed"), ASKED)
def test_an_effort_in_the_server_s_words(
    shape: dict[str, Any], asked: dict[str, Any], listed: dict[str, None]
) -> None:
    members = {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}}
    body, changes = translated(members, **shape)
    names = ("thinking", "reasoning_effort", "reasoning", "chat_template_kwargs")
    assert {name: body[name] for name in names if name in body} == asked
    assert set(listed) <= set(changes)


def test_reasoning_that_a_chat_client_turns_off() -> None:
    body, changes = passed({"reasoning_effort": "none"}, reasoning_in="thinking", efforts=["low"])
    assert body["thinking"] == {"type": "disabled"}
    assert "reasoning_effort" not in body
    assert changes == ["mapped=reasoning_effort:thinking"]


# -- reasoning brought back --------------------------------------------------------------------


def thought(text: str, signature: str | None) -> dict[str, Any]:
    return {"type": "thinking", "thinking": text, "signature": signature}


CALL = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "12C"}


def history(*blocks: dict[str, Any]) -> dict[str, Any]:
    turns = [USER, {"role": "assistant", "content": [*blocks, CALL]}]
    return {"tools": [WEATHER], "messages": [*turns, {"role": "user", "content": [RESULT]}]}


@pytest.mark.parametrize(
    ("signature", "kept", "listed"),
    [
        (seal(MARKER, "", MAKER), "Hm.", []),
        (seal(MARKER, "", ""), "Hm.", []),
        (seal(MARKER, "", "another/model"), "", ["stripped=thinking"]),
        ("EqClaude", "", ["stripped=thinking"]),
    ],
)
def test_a_maker_gets_its_own_reasoning_back(signature: str, kept: str, listed: list[str]) -> None:
    body, changes = translated(history(thought("Hm.", signature)), reasoning_replay="with_tools")
    assert body["messages"][1]["reasoning_content"] == kept
    assert changes == listed


def test_a_turn_without_reasoning_says_so_where_it_must() -> None:
    body, _ = translated(history(), reasoning_replay="with_tools")
    assert body["messages"][1]["reasoning_content"] == ""
    body, _ = translated(history(), reasoning_replay="always", reasoning_field="reasoning")
    assert "reasoning" not in body["messages"][1]


def test_a_chat_client_s_reasoning_reaches_the_maker_in_its_member() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    turns: list[dict[str, Any]] = [
        USER,
        {"role": "assistant", "content": None, "reasoning_content": "Hm.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "ok"},
    ]
    body, _ = passed({"messages": turns}, reasoning_replay="with_tools")
    assert body["messages"] == turns
    body, _ = passed({"messages": turns}, reasoning_replay="always", reasoning_field="reasoning")
    assert body["messages"][1]["reasoning"] == "Hm."
    assert "reasoning_content" not in body["messages"][1]
    body, changes = passed({"messages": turns}, reasoning_replay="never")
    assert not {"reasoning", "reasoning_content"} & set(body["messages"][1])
    assert changes == ["stripped=thinking"]


def test_details_go_out_in_a_carrier_and_come_back_as_they_were() -> None:
    details = [
        {"type": "reasoning.text", "text": "2+2", "index": 0, "format": "unknown"},
        {"type": "reasoning.encrypted", "data": "xyz", "index": 1},
    ]
    shape = {"reasoning_replay": "always", "reasoning_field": "reasoning_details"}
    target = facts(**shape)
    message = {"role": "assistant", "content": "4", "reasoning_details": details}
    whole = {"id": "g", "choices": [{"message": message, "finish_reason": "stop"}]}
    [block, text] = TARGET.read_answer(json.dumps(whole).encode(), target).blocks
    assert isinstance(block, Thinking)
    assert (block.text, text) == ("2+2", Text(text="4"))
    deltas: list[dict[str, Any]] = [
        {"reasoning": "2", "reasoning_details": [details[0] | {"text": "2"}]},
        {"reasoning": "+2", "reasoning_details": [details[0] | {"text": "+2"}]},
        {"reasoning_details": [details[1]]},
        {"content": "4"},
    ]
    chunks = [{"id": "g", "choices": [{"delta": delta}]} for delta in deltas]
    chunks.append({"id": "g", "choices": [{"delta": {}, "finish_reason": "stop"}]})
    data = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)
    reader = TARGET.stream_reader(target)
    streamed = fold([*reader.feed(data), *reader.feed(b"data: [DONE]\n\n")])
    assert streamed.blocks == (block, text)
    body, changes = translated(history(thought(block.text, block.signature)), **shape)
    assert body["messages"][1]["reasoning_details"] == details
    assert changes == []


def test_claude_at_databricks_keeps_signatures_and_marks() -> None:
    shape = {"reasoning_replay": "always", "reasoning_field": "content", "cache_marks": True}
    members = history(thought("2+2", "EqClaude"))
    members["system"] = [{"type": "text", "text": "Be brief.", "cache_control": EPHEMERAL}]
    body, changes = translated(members, **shape)
    head, _, turn, _ = body["messages"]
    assert head["content"] == [{"type": "text", "text": "Be brief.", "cache_control": EPHEMERAL}]
    summary = {"type": "summary_text", "text": "2+2", "signature": "EqClaude"}
    assert turn["content"] == [{"type": "reasoning", "summary": [summary]}]
    assert changes == []
    message = {"role": "assistant", "content": turn["content"]}
    whole = {"id": "g", "choices": [{"message": message, "finish_reason": "stop"}]}
    [block] = TARGET.read_answer(json.dumps(whole).encode(), facts(**shape)).blocks
    assert block == Thinking(text="2+2", signature="EqClaude")


def test_what_a_maker_wants_back_is_marked_as_its_own() -> None:
    message = {"role": "assistant", "content": "4", "reasoning_content": "2+2"}
    whole = {"id": "g", "choices": [{"message": message, "finish_reason": "stop"}]}
    target = facts(reasoning_replay="with_tools")
    [block, _] = TARGET.read_answer(json.dumps(whole).encode(), target).blocks
    assert isinstance(block, Thinking)
    carried = unseal(block.signature)
    assert carried is not None
    assert (carried.kind, carried.maker) == (MARKER, MAKER)


# -- messages ----------------------------------------------------------------------------------


def test_neighbours_of_one_role_become_one_message() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    turns = [
        {"role": "system", "content": "a"},
        {"role": "developer", "content": "b"},
        {"role": "user", "content": "c"},
        {"role": "user", "content": [picture]},
        {"role": "assistant", "content": "d"},
        {"role": "assistant", "content": "e"},
    ]
    body, changes = passed({"messages": turns}, merge_consecutive=True, system_role="system")
    assert body["messages"] == [
        {"role": "system", "content": "a\n\nb"},
        {"role": "user", "content": [{"type": "text", "text": "c"}, picture]},
        {"role": "assistant", "content": "d\n\ne"},
    ]
    assert changes == ["system_role=system", "merged=messages"]


def test_ids_have_the_server_s_form_in_calls_and_results() -> None:
    body, changes = translated(history(), call_ids="alnum9")
    [call] = body["messages"][1]["tool_calls"]
    assert len(call["id"]) == 9
    assert call["id"].isalnum()
    assert body["messages"][2]["tool_call_id"] == call["id"]
    assert changes == ["mapped=tool-ids"]


def test_pictures_of_results_stay_in_them_where_they_may() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "aGk="}
    members = history()
    members["messages"][2]["content"] = [
        RESULT | {"content": [{"type": "image", "source": source}]}
    ]
    body, changes = translated(members, result_media=True)
    [_, _, result] = body["messages"]
    assert [part["type"] for part in result["content"]] == ["text", "image_url"]
    assert changes == []


def test_a_picture_by_address_is_a_misfit_where_none_is_fetched() -> None:
    part = {"type": "image_url", "image_url": {"url": "https://h/a.png"}}
    with pytest.raises(CannotTranslate, match="only with their data"):
        passed({"messages": [{"role": "user", "content": [part]}]}, media_urls=False)


# -- tags --------------------------------------------------------------------------------------


def read_tags(pieces: list[str]) -> tuple[str, str]:
    tags = ThinkTags()
    found = [pair for piece in pieces for pair in tags.feed(piece)] + tags.close()
    thoughts = "".join(text for is_thinking, text in found if is_thinking)
    return thoughts, "".join(text for is_thinking, text in found if not is_thinking)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<think>2+2</think>4", ("2+2", "4")),
        (" \n<think>\n2+2\n</think>\n\n4\n", ("2+2\n", "4\n")),
        ("4 </think> <think>", ("", "4 </think> <think>")),
        ("  4", ("", "  4")),
        ("<thin", ("", "<thin")),
        ("<think>a < b </thin", ("a < b </thin", "")),
        ("<think></think>4", ("", "4")),
    ],
)
@settings(derandomize=True, max_examples=20)
@given(data=st.data())
def test_tags_in_any_pieces(text: str, expected: tuple[str, str], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))) | {0, len(text)})
    assert read_tags([text[a:b] for a, b in pairwise(cuts)]) == expected


def test_calls_that_share_an_index_and_have_no_id_are_told_apart_by_their_names() -> None:
    def chunk(*calls: tuple[str, str]) -> bytes:
        entries = [
            {"index": 0, "id": "", "function": {"name": name, "arguments": arguments}}
            for name, arguments in calls
        ]
        delta = {"choices": [{"index": 0, "delta": {"tool_calls": entries}}]}
        return b"data: " + json.dumps(delta).encode() + b"\n\n"

    reader = TARGET.stream_reader(facts())
    said = chunk(("f", '{"a":'), ("f", "1}"), ("g", ""), ("h", "{}")) + b"data: [DONE]\n\n"
    answer = fold(reader.feed(said) + reader.close())
    found = [(call.name, call.arguments) for call in answer.blocks if isinstance(call, ToolCall)]
    assert found == [("f", '{"a":1}'), ("g", "{}"), ("h", "{}")]
