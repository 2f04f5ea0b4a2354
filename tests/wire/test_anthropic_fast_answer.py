"""Answers decoded in one go are those that are read with care."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol.anthropic.answer import read_with_care
from lynkrc_runtime.protocol.anthropic.fast_answer import fast_answer
from lynkrc_runtime.protocol.conversation import BrokenAnswer

USAGE = {"input_tokens": 9, "output_tokens": 4, "cache_read_input_tokens": None, "other": {"a": 1}}
BLOCKS: tuple[dict[str, Any], ...] = (
    {"type": "text", "text": "Hi \u00e9"},
    {"type": "text", "text": ""},
    {"type": "text", "text": "a", "citations": None},
    {"type": "text", "text": "a", "citations": []},
    {"type": "text", "text": "a", "citations": [{"type": "char_location"}]},
    {"type": "text", "text": 1},
    {"type": "tool_use", "id": "c", "name": "look", "input": {"a": [1.50, "\u4e2d"]}},
    {"type": "tool_use", "id": "c", "name": "look", "input": []},
    {"type": "tool_use", "id": "c", "name": "look", "input": {}, "caller": {"type": "direct"}},
    {"type": "thinking", "thinking": "hm", "signature": "s"},
    {"type": "thinking", "thinking": "", "signature": ""},
    {"type": "redacted_thinking", "data": "abc"},
    {"type": "server_tool_use", "id": "c", "name": "web_search", "input": {}},
)
MEMBERS: tuple[tuple[str, Any], ...] = (
    ("id", "msg_1"),
    ("id", None),
    ("id", 5),
    ("type", "message"),
    ("role", "assistant"),
    ("model", "m"),
    ("stop_reason", "end_turn"),
    ("stop_reason", "tool_use"),
    ("stop_reason", "refusal"),
    ("stop_reason", "never heard of"),
    ("stop_reason", None),
    ("stop_sequence", "END"),
    ("stop_sequence", None),
    ("stop_details", None),
    ("stop_details", {"explanation": "no"}),
    ("usage", USAGE),
    ("usage", USAGE | {"input_tokens": -1, "output_tokens": 1e400}),
    ("usage", None),
    ("usage", []),
    ("container", None),
    ("container", {"id": "c"}),
    ("error", {"message": "m"}),
    ("content", "text"),
)


@given(
    blocks=st.lists(st.sampled_from(BLOCKS), max_size=3),
    members=st.lists(st.sampled_from(MEMBERS), max_size=8),
)
@settings(derandomize=True, max_examples=300, deadline=None)
def test_the_same_answer(blocks: list[dict[str, Any]], members: list[tuple[str, Any]]) -> None:
    body = json.dumps({"content": blocks} | dict(members)).encode()
    found = fast_answer(body)
    if found is not None:
        assert found == read_with_care(body)


@pytest.mark.parametrize(
    ("body", "is_taken"),
    [
        (json.dumps({"content": [BLOCKS[0], BLOCKS[6], BLOCKS[9]], "usage": USAGE}), True),
        (json.dumps({"content": [BLOCKS[5]]}), False),
        (json.dumps({"content": [BLOCKS[7]]}), False),
        (json.dumps({"content": [BLOCKS[8]]}), False),
        (json.dumps({"content": [], "stop_details": {"explanation": "no"}}), False),
        ("{}", False),
        ("", False),
    ],
)
def test_what_is_taken(body: str, is_taken: bool) -> None:
    assert (fast_answer(body.encode()) is not None) == is_taken


def test_bytes_that_are_no_text_are_read_with_care() -> None:
    called = b'{"content":[{"type":"tool_use","id":"c","name":"n","input":{"a":"\xff"}}]}'
    assert fast_answer(called) is None
    with pytest.raises(BrokenAnswer, match="no text"):
        read_with_care(called)
