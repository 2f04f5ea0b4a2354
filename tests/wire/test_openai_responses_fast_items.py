"""The fast reader of Responses items gives what the careful one gives, or leaves it to that."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol.conversation import MalformedRequest
from lynkrc_runtime.protocol.openai_responses.fast_items import fast_items, join_items
from lynkrc_runtime.protocol.openai_responses.read_items import read_items
from lynkrc_runtime.protocol.openai_responses.read_tools import ToolNames

Item = dict[str, Any]

CALL: Item = {"type": "function_call", "call_id": "c", "name": "n", "arguments": "{}"}
RESULT: Item = {"type": "function_call_output", "call_id": "c", "output": "r"}
TEXT: Item = {"type": "output_text", "text": "t", "annotations": [], "logprobs": []}
COMMON: list[Item] = [
    {"type": "message", "role": "developer", "content": "d"},
    {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "s"}]},
    {"type": "message", "role": "user", "content": "u"},
    {"type": "message", "role": "user", "content": ""},
    {"type": "message", "role": "assistant", "content": [], "id": "msg_1", "status": "completed"},
    {"type": "message", "role": "assistant", "content": [TEXT, {"type": "text", "text": ""}]},
    CALL | {"id": "fc_1", "status": "completed", "namespace": None},
    {"type": "custom_tool_call", "call_id": "c", "name": "n", "input": "ls"},
    RESULT,
    {"type": "custom_tool_call_output", "call_id": "c", "output": [{"type": "text", "text": "r"}]},
    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "s"}]},
    {"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAAA", "summary": [], "new": 1},
]
RARE: list[Item] = [
    {"role": "user", "content": "typeless"},
    {"type": "message", "role": "user", "content": "u", "name": "ann"},
    {"type": "message", "role": "user", "content": None},
    {"type": "message", "role": "user", "content": [{"text": "typeless"}]},
    {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "u"}]},
    {"type": "message", "role": "assistant", "content": [TEXT | {"annotations": [{"url": "u"}]}]},
    {"type": "message", "role": "robot", "content": "x"},
    CALL | {"namespace": "group"},
    CALL | {"arguments": {}},
    RESULT | {"output": None},
    {"type": "web_search_call", "id": "ws_1"},
    {"type": "additional_tools", "tools": [{"type": "function", "name": "n"}]},
    {"type": "item_reference", "id": "x"},
    {"type": "compaction", "encrypted_content": "x"},
]
BROKEN: Item = {"type": "reasoning", "summary": "no list"}


def read_fast(items: list[Item]) -> Any:
    common = fast_items(json.dumps(items).encode())
    return None if common is None else join_items(common, "i", ToolNames())


def careful(items: list[Item]) -> Any:
    try:
        return read_items(items, "i", ToolNames())
    except MalformedRequest:
        return None


@pytest.mark.parametrize("item", COMMON)
def test_common_items_are_read_fast(item: Item) -> None:
    assert read_fast([item]) == careful([item]) is not None


@pytest.mark.parametrize("item", RARE)
def test_what_is_not_common_is_left_to_the_careful_reader(item: Item) -> None:
    assert read_fast([item]) is None


@given(st.lists(st.sampled_from(COMMON + RARE), min_size=1, max_size=8))
@settings(derandomize=True, max_examples=300)
def test_both_readers_agree(items: list[Item]) -> None:
    assert read_fast(items) in (None, careful(items))


@given(st.permutations(COMMON))
@settings(derandomize=True, max_examples=50)
def test_a_common_conversation_is_read_fast_in_any_order(items: list[Item]) -> None:
    assert read_fast(items) == careful(items) is not None


def test_reasoning_that_is_none_is_named_by_both() -> None:
    with pytest.raises(MalformedRequest) as fast:
        read_fast([COMMON[0], BROKEN])
    with pytest.raises(MalformedRequest) as slow:
        read_items([COMMON[0], BROKEN], "i", ToolNames())
    assert fast.value.message == slow.value.message
    assert fast.value.field == slow.value.field == "input.1.summary"
