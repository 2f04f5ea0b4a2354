"""Token estimate, JSON prefixes and names: the small shared parts of the dialects."""

import base64
import json
import struct
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lynkrc_runtime.protocol.anthropic import CLIENT
from lynkrc_runtime.protocol.conversation import MessageEnd, OpaqueEvent, TextDelta
from lynkrc_runtime.protocol.estimate import (
    TOKENS_PER_IMAGE,
    TOKENS_PER_PAGE,
    estimate_text,
    estimate_tokens,
)
from lynkrc_runtime.protocol.json_prefix import JsonPrefix
from lynkrc_runtime.protocol.naming import legal_id, legal_name, original_names
from lynkrc_runtime.protocol.stops import StopGuard

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)


def is_json(text: str) -> bool:
    """Whether it is JSON of whole characters: half a surrogate pair is none."""
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    except ValueError:
        return False
    return True


@settings(derandomize=True, max_examples=200, deadline=None)
@given(JSON, st.booleans(), st.data())
def test_every_beginning_of_json_is_valid_and_can_be_closed(
    value: Any, ascii_only: bool, data: st.DataObject
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    cut = data.draw(st.integers(0, len(text)))
    whole = JsonPrefix()
    assert whole.feed(text[:cut])
    closed = text[:cut] + whole.closing()
    assert is_json(closed)
    assert whole.feed(text[cut:])
    assert whole.is_complete
    one_by_one = JsonPrefix()
    assert all(one_by_one.feed(character) for character in text)
    assert one_by_one.is_complete
    assert one_by_one.closing() == ""


@settings(derandomize=True, max_examples=200, deadline=None)
@given(JSON, st.data())
def test_a_prefix_is_never_called_complete_where_json_disagrees(
    value: Any, data: st.DataObject
) -> None:
    text = json.dumps(value)
    position = data.draw(st.integers(0, max(len(text) - 1, 0)))
    broken = text[:position] + data.draw(st.sampled_from('{}[]",:x1.\\-e')) + text[position + 1 :]
    assume(broken)
    prefix = JsonPrefix()
    accepted = prefix.feed(broken)
    assert (accepted and prefix.is_complete) == is_json(broken)


@pytest.mark.parametrize(
    ("text", "closing"),
    [
        ("", "null"),
        ("{", "}"),
        ('{"a', '":null}'),
        ('{"a"', ":null}"),
        ('{"a":', "null}"),
        ('{"a":1,', '"":null}'),
        ("[1,", "null]"),
        ("[-", "0]"),
        ("[1.", "0]"),
        ("[fal", "se]"),
        ('["\\', '\\"]'),
        ('["\\u00', '00"]'),
        ('["\\ud8', '00\\udc00"]'),
        ('["\\ud83d', '\\udc00"]'),
        ('["\\ud83d\\', 'udc00"]'),
        ('["\\ud83d\\udE', '00"]'),
        ('["\\ud83d\\ude00', '"]'),
    ],
)
def test_closings(text: str, closing: str) -> None:
    prefix = JsonPrefix()
    assert prefix.feed(text)
    assert prefix.closing() == closing
    assert is_json(text + closing)


@pytest.mark.parametrize(
    "text",
    [
        *["}", "[}", '{"a"}', "{1", "{'a'", "[1 2]", "[,", "[1,]", "nul1", "01", "1 1", '"\n'],
        *['"\\x', '"\\ud83d"', '"\\ud83dx', '"\\ud83d\\n', '"\\ud83d\\ud83d', '"\\udc00'],
    ],
)
def test_what_is_no_json_is_seen_at_once(text: str) -> None:
    assert not JsonPrefix().feed(text + " ")


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_ids_and_names_become_legal_and_stay_if_they_are(text: str) -> None:
    for mapped in (legal_id(text, limit=40), legal_name(text, limit=64)):
        assert 0 < len(mapped) <= 64
        assert mapped.replace("_", "a").replace("-", "a").isascii()
        assert mapped.replace("_", "a").replace("-", "a").isalnum()
    assert legal_id(legal_id(text, limit=40), limit=40) == legal_id(text, limit=40)
    assert legal_name(legal_name(text, limit=64), limit=64) == legal_name(text, limit=64)


def test_names_can_be_restored() -> None:
    long = "mcp__server__" + "tool" * 20
    names = original_names([long, "plain", "odd name"])
    assert names[legal_name(long, limit=64)] == long
    assert names[legal_name("odd name", limit=128)] == "odd name"
    assert "plain" not in names


def count(**members: Any) -> int:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]} | members
    return estimate_tokens(CLIENT.read_request(json.dumps(body).encode(), {}))


def test_estimates_of_text() -> None:
    assert estimate_text("") == 0
    assert estimate_text("a") == 1
    assert estimate_text("word " * 400) == 500
    assert estimate_text("敏捷的棕色狐狸" * 100) == 420
    assert estimate_text("ça va " * 100) == 175


def test_every_part_of_the_prompt_counts() -> None:
    text = "word " * 40
    turn = {"role": "user", "content": "Hi"}
    tool = {"name": "n", "description": text, "input_schema": {"type": "object"}}
    blocks = [
        {"type": "thinking", "thinking": text, "signature": "Eq=="},
        {"type": "tool_use", "id": "t", "name": "n", "input": {"a": text}},
    ]
    result = {"type": "tool_result", "tool_use_id": "t", "content": text}
    base = count()
    assert base == 5
    assert count(system=text) == base + 50
    assert count(system=[{"type": "text", "text": text}]) == base + 50
    assert count(messages=[turn, {"role": "system", "content": text}]) == base + 54
    assert count(tools=[tool]) > base + 50
    for block in blocks:
        assert count(messages=[turn, {"role": "assistant", "content": [block]}]) >= base + 54
    assert count(messages=[turn, {"role": "user", "content": [result]}]) == base + 54


def test_images_count_by_their_size() -> None:
    def image(**source: Any) -> int:
        block = {"type": "image", "source": source}
        return count(messages=[{"role": "user", "content": [block]}]) - 4

    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 300, 250)
    png = base64.b64encode(head + bytes(16)).decode()
    assert image(type="base64", media_type="image/png", data=png) == 100
    gif = base64.b64encode(b"GIF89a" + struct.pack("<HH", 75, 100) + bytes(16)).decode()
    assert image(type="base64", media_type="image/gif", data=gif) == 10
    assert image(type="base64", media_type="image/png", data="????") == TOKENS_PER_IMAGE
    assert image(type="url", url="https://x") == TOKENS_PER_IMAGE


def test_documents_count_by_their_pages() -> None:
    def document(data: bytes) -> int:
        source = {
            "type": "base64",
            "media_type": "application/pdf",
            "data": base64.b64encode(data).decode(),
        }
        block = {"type": "document", "source": source}
        return count(messages=[{"role": "user", "content": [block]}]) - 4

    pages = b"%PDF-1.4 << /Type /Pages /Count 3 >> " + b"<</Type/Page>> << /Type /Page >>" * 2
    picture = bytes(600_000)
    assert document(pages + picture) == 4 * TOKENS_PER_PAGE
    assert document(b"%PDF-1.7 " + picture) == TOKENS_PER_PAGE, "its pages cannot be seen"
    assert document(b"text " * 400) == 500


def test_a_stop_sequence_is_found_around_what_is_lost() -> None:
    """An annotation between two chunks of a text does not end it."""
    guard = StopGuard(("STOP",))
    lost = OpaqueEvent(dialect="gemini", type="citationMetadata")
    events = [event for one in (TextDelta(text="a ST"), lost, TextDelta(text="OP b")) for event in
              guard.feed([one])]  # fmt: skip
    assert events[:2] == [TextDelta(text="a "), lost]
    assert isinstance(events[2], MessageEnd)
    assert guard.matched == "STOP"
