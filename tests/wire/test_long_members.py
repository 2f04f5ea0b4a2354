"""Members found around a long list are those that a look at all of the body finds."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol.conversation import MalformedRequest
from lynkrc_runtime.protocol.long_member import LEAST, members_around
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS

USER = {"role": "user", "content": 'a "role": {[ \\'}
LATER = {"content": [{"type": "text", "text": "x"}], "role": "assistant"}
INNER = {"role": "user", "content": [{"type": "tool_use", "input": {"role": [{}]}}]}
TOOLS = [{"name": "n", "input_schema": {"properties": {"role": {}, "messages": [{}]}}}]

ENTRIES: list[tuple[str, Any]] = [
    ("model", "m"),
    ("messages", [USER]),
    ("messages", [USER, USER]),
    ("messages", [USER, LATER]),
    ("messages", [LATER, INNER]),
    ("messages", []),
    ("messages", "none"),
    ("mess\u00e4ges", [USER]),
    ("tools", TOOLS),
    ("metadata", {"messages": [USER]}),
    ("stop", ["]", "}", '"messages":[{"role":1}]']),
    ("system", [{"type": "text", "text": '"messages": [{"role": "user"}]'}]),
    ("n", 1),
]


def whole(body: bytes) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        return {name: msgspec.json.decode(raw) for name, raw in found.items()}
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def around(body: bytes) -> dict[str, Any] | None:
    """The values; None too where the list is none, as its reader would find."""
    found = members_around(body, "messages", 0)
    if found is None:
        return None
    try:
        return {name: msgspec.json.decode(raw) for name, raw in found.items()}
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


@given(
    entries=st.lists(st.sampled_from(ENTRIES), max_size=5),
    seam=st.sampled_from([",", " ,\n", ", "]),
    colon=st.sampled_from([":", " : "]),
    ascii_only=st.booleans(),
)
@settings(derandomize=True, max_examples=600)
def test_the_same_members_in_the_same_order(
    entries: list[tuple[str, Any]], seam: str, colon: str, ascii_only: bool
) -> None:
    def spelled(value: Any) -> str:
        return json.dumps(value, ensure_ascii=ascii_only)

    body = f"{{{seam.join(spelled(n) + colon + spelled(v) for n, v in entries)}}}".encode()
    found, wanted = around(body), whole(body)
    if found is not None:
        assert wanted is not None and list(found.items()) == list(wanted.items())


@given(data=st.data())
@settings(derandomize=True, max_examples=400)
def test_a_body_that_is_damaged_anywhere(data: st.DataObject) -> None:
    body = bytearray(json.dumps({"model": "m", "messages": [USER, LATER, USER], "n": 1}).encode())
    place = data.draw(st.integers(0, len(body) - 1))
    body[place : place + data.draw(st.integers(0, 3))] = data.draw(
        st.sampled_from([b"", b"]", b"}", b'"', b",", b"[", b"{", b"\\", b"\xff", b"5", b" "])
    )
    found = around(bytes(body))
    assert found is None or found == whole(bytes(body))


@pytest.mark.parametrize(
    ("entries", "is_found"),
    [
        ([("model", "m"), ("messages", [USER, LATER, USER]), ("n", 1)], True),
        ([("messages", [USER]), ("model", "m")], True),
        ([("messages", [USER]), ("messages", [])], False),
        ([("messages", [USER]), ("mess\\u0061ges", [])], False),
        ([("metadata", {"messages": [USER]}), ("messages", [USER])], False),
        ([("messages", [USER, LATER])], False),
        ([("messages", [USER]), ("tools", TOOLS)], False),
        ([("model", "m")], False),
    ],
)
def test_what_is_found(entries: list[tuple[str, Any]], is_found: bool) -> None:
    members = ",".join(f'"{name}":{json.dumps(value)}' for name, value in entries)
    assert (members_around(f"{{{members}}}".encode(), "messages", 0) is not None) == is_found


def test_a_short_body_is_not_worth_it() -> None:
    body = json.dumps({"messages": [USER] * 9}).encode()
    assert len(body) < LEAST
    assert members_around(body, "messages") is None


@pytest.mark.parametrize("client", ["anthropic-messages", "openai-chat"])
@pytest.mark.parametrize(
    "broken",
    [
        b'{"role":"robot"}',
        b'{"role":"user","content":"\\ud83d"}',
        b'{"role":"user",}',
        b"\xff",
        b"[[",
    ],
)
def test_what_is_wrong_in_a_long_list_is_told_as_in_a_short_one(client: str, broken: bytes) -> None:
    def told(times: int) -> tuple[str | None, str]:
        turn = json.dumps({"role": "user", "content": "x" * 100}).encode()
        turns = b",".join([broken, *[turn] * times])
        with pytest.raises(MalformedRequest) as caught:
            CLIENT_DIALECTS[client].read_request(b'{"model":"m","messages":[' + turns + b"]}", {})
        return caught.value.field, caught.value.message.partition("byte")[0]

    assert told(1000) == told(1)
