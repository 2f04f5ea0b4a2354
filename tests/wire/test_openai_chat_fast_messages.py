"""The fast reader of Chat messages gives what the careful one gives, or leaves it to that."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol.conversation import MalformedRequest
from lynkrc_runtime.protocol.openai_chat.fast_messages import fast_messages
from lynkrc_runtime.protocol.openai_chat.read_messages import read_messages

CALL = {"id": "c", "type": "function", "function": {"name": "n", "arguments": "{}"}}
COMMON: list[dict[str, Any]] = [
    {"role": "system", "content": "s"},
    {"role": "developer", "content": [{"type": "text", "text": "d"}]},
    {"role": "user", "content": "u"},
    {"role": "user", "content": ""},
    {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": ""}]},
    {"role": "assistant", "content": "a", "refusal": None, "audio": None},
    {"role": "assistant", "content": None, "refusal": "no"},
    {"role": "assistant", "tool_calls": [CALL, CALL], "reasoning_content": "r"},
    {"role": "tool", "tool_call_id": "c", "content": "result", "name": "n"},
    {"role": "tool", "tool_call_id": "d", "content": None},
]
RARE: list[dict[str, Any]] = [
    {"role": "user", "content": "u", "name": "ann"},
    {"role": "user", "content": None},
    {"role": "user", "content": [{"text": "typeless"}]},
    {"role": "user", "content": "u", "tool_calls": [CALL]},
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}]},
    {"role": "assistant", "tool_calls": [{**CALL, "id": ""}]},
    {"role": "assistant", "tool_calls": [{"function": {"name": "n", "arguments": {}}}]},
    {"role": "assistant", "content": "a", "annotations": []},
    {"role": "assistant", "function_call": {"name": "n", "arguments": "{}"}},
    {"role": "tool", "content": "no id"},
    {"role": "robot", "content": "x"},
    {"content": "x"},
]


def careful(messages: list[Any]) -> Any:
    try:
        return read_messages(messages)
    except MalformedRequest:
        return None


@pytest.mark.parametrize("message", COMMON)
def test_common_messages_are_read_fast(message: dict[str, Any]) -> None:
    assert fast_messages(json.dumps([message]).encode()) == careful([message]) is not None


@pytest.mark.parametrize("message", RARE)
def test_what_is_not_common_is_left_to_the_careful_reader(message: dict[str, Any]) -> None:
    assert fast_messages(json.dumps([message]).encode()) is None


@given(st.lists(st.sampled_from(COMMON + RARE), min_size=1, max_size=8))
@settings(derandomize=True, max_examples=300)
def test_both_readers_agree(messages: list[dict[str, Any]]) -> None:
    assert fast_messages(json.dumps(messages).encode()) in (None, careful(messages))


@given(st.permutations(COMMON))
@settings(derandomize=True, max_examples=50)
def test_a_common_conversation_is_read_fast_in_any_order(messages: list[dict[str, Any]]) -> None:
    assert fast_messages(json.dumps(messages).encode()) == careful(messages) is not None
