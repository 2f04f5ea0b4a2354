"""Bodies of `POST /v1/chat/completions` that cannot be read: every mistake names its place."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol.conversation import CannotTranslate, MalformedRequest, Request
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.openai_chat import CLIENT, TARGET
from lynkrc_runtime.protocol.shapes import RequestShape
from tests.wire.openai_chat_lint import request_of


def read(body: bytes) -> Request:
    return CLIENT.read_request(body, {})


MESSAGES: list[tuple[Any, str]] = [
    ("x", "messages"),
    ([], "messages"),
    (["x"], "messages.0"),
    ([{}], "messages.0.role"),
    ([{"role": "robot", "content": "x"}], "messages.0.role"),
    ([{"role": "user"}], "messages.0.content"),
    ([{"role": "user", "content": None}], "messages.0.content"),
    ([{"role": "user", "content": 7}], "messages.0.content"),
    ([{"role": "user", "content": ["x"]}], "messages.0.content.0"),
    ([{"role": "user", "content": [{"text": "x"}]}], "messages.0.content.0.type"),
    ([{"role": "user", "content": [{"type": "text"}]}], "messages.0.content.0.text"),
    (
        [
            {"role": "system", "content": "x"},
            {"role": "user", "content": "x"},
            {"role": "user", "content": [{"type": "text", "text": "x"}, {"type": 1}]},
        ],
        "messages.2.content.1.type",
    ),
    (
        [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}],
        "messages.0.content.0.image_url.url",
    ),
    (
        [{"role": "user", "content": [{"type": "image_url", "image_url": "data:image/png"}]}],
        "messages.0.content.0.image_url.url",
    ),
    (
        [{"role": "user", "content": [{"type": "file", "file": {"filename": "x"}}]}],
        "messages.0.content.0.file.file_id",
    ),
    (
        [{"role": "system", "content": [{"type": "image_url", "image_url": {"url": "u"}}]}],
        "messages.0.content.0.type",
    ),
    ([{"role": "assistant", "tool_calls": {}}], "messages.0.tool_calls"),
    ([{"role": "assistant", "tool_calls": [{"id": "a"}]}], "messages.0.tool_calls.0.function"),
    (
        [{"role": "assistant", "tool_calls": [{"id": "a", "function": {}}]}],
        "messages.0.tool_calls.0.function.name",
    ),
    (
        [{"role": "assistant", "tool_calls": [{"type": "custom", "custom": {"name": "a"}}]}],
        "messages.0.tool_calls.0.custom.input",
    ),
    ([{"role": "tool", "content": "x"}], "messages.0.tool_call_id"),
    ([{"role": "tool", "tool_call_id": 1, "content": "x"}], "messages.0.tool_call_id"),
]


@pytest.mark.parametrize(("messages", "field"), MESSAGES)
def test_a_malformed_message_is_named(messages: Any, field: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        request_of(messages=messages)
    assert caught.value.field == field
    assert field in caught.value.message


@pytest.mark.parametrize(
    ("member", "value", "field"),
    [
        ("model", 7, "model"),
        ("model", "", "model"),
        ("model", None, "model"),
        ("max_tokens", "9", "max_tokens"),
        ("max_tokens", 0, "max_tokens"),
        ("max_completion_tokens", 1.5, "max_completion_tokens"),
        ("max_tokens", True, "max_tokens"),
        ("temperature", "hot", "temperature"),
        ("stop", [1], "stop.0"),
        ("stop", 1, "stop"),
        ("stream", "yes", "stream"),
        ("stream_options", [], "stream_options"),
        ("user", 1, "user"),
        ("metadata", [], "metadata"),
        ("reasoning_effort", 1, "reasoning_effort"),
        ("parallel_tool_calls", 1, "parallel_tool_calls"),
        ("tools", {}, "tools"),
        ("tools", [{"type": "function"}], "tools.0.function"),
        ("tools", [{"type": "function", "function": {}}], "tools.0.function.name"),
        (
            "tools",
            [{"type": "function", "function": {"name": "a", "parameters": 1}}],
            "tools.0.function.parameters",
        ),
        ("tools", [{"type": "custom", "custom": {}}], "tools.0.custom.name"),
        ("tool_choice", "any", "tool_choice"),
        ("tool_choice", {"type": "tool"}, "tool_choice.type"),
        ("tool_choice", {"type": "function", "function": {}}, "tool_choice.function.name"),
        ("response_format", {"type": "xml"}, "response_format.type"),
        ("response_format", {"type": "json_schema"}, "response_format.json_schema"),
    ],
)
def test_a_malformed_member_is_named(member: str, value: Any, field: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        request_of(**{member: value})
    assert caught.value.field == field
    assert field in caught.value.message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"model":"m"} x',
        b'{"model":"m","messages":"\xff"}',
        b'\xef\xbb\xbf{"model":"m"}',
        b'{"x":' + b"[" * 100_000,
    ],
    ids=["empty", "array", "cut", "tail", "not-utf8", "bom", "deep"],
)
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedRequest) as caught:
        read(body)
    assert caught.value.field is None


@pytest.mark.parametrize("tail", [b"", b" " * 20])
def test_a_lone_surrogate_is_refused(tail: bytes) -> None:
    with pytest.raises(MalformedRequest):
        read(b'{"model":"m","messages":[{"role":"user","content":"\\ud800"}]}' + tail)


def test_what_can_be_read_can_be_written_or_is_a_misfit() -> None:
    facts = TargetFacts(
        model="served", max_output=9, capabilities=frozenset(), shape=RequestShape(efforts=[])
    )
    depths_read = []
    for depth in range(800, 1000, 5):
        schema = b'{"a":' * depth + b"1" + b"}" * depth
        tools = b'[{"type":"function","function":{"name":"go","parameters":%b}}]' % schema
        body = b'{"model":"m","messages":[{"role":"user","content":"x"}],"tools":%b}' % tools
        try:
            request = read(body)
            depths_read.append(depth)
        except MalformedRequest as error:
            assert error.field in (None, "tools")
            continue
        with suppress(CannotTranslate):
            TARGET.pass_request(request, facts, {})
        with suppress(CannotTranslate):
            TARGET.write_request(request, facts, {})
    assert depths_read


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "role", "name"]), inner, max_size=3)
    ),
    max_leaves=6,
)
_MEMBERS = st.dictionaries(
    st.sampled_from(
        ["tools", "tool_choice", "stop", "response_format", "stream_options", "metadata", "n"]
    ),
    _JSON,
    max_size=3,
)
_MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "system", "function"])},
    optional={
        "content": _JSON,
        "tool_calls": _JSON,
        "refusal": _JSON,
        "reasoning_details": _JSON,
        "function_call": _JSON,
        "tool_call_id": _JSON,
    },
)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(_MESSAGE, min_size=1, max_size=3), _MEMBERS)
def test_any_json_is_read_or_refused_by_name(messages: Any, members: dict[str, Any]) -> None:
    body = json.dumps({"model": "m", "messages": messages, **members}).encode()
    try:
        request = read(body)
    except MalformedRequest as error:
        assert error.field
    else:
        assert request.model == "m"
