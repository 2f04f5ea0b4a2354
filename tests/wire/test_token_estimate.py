"""How far the token estimates are off, held to what was measured; what all is counted."""

import base64
import json
import struct
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from lynkrc_runtime.protocol.anthropic import CLIENT
from lynkrc_runtime.protocol.estimate import (
    TOKENS_PER_IMAGE,
    close_text,
    estimate_text,
    estimate_tokens,
)

TOKENS = Path(__file__).parents[1] / "bench" / "tokens"
COUNTS: dict[str, dict[str, int]] = json.loads((TOKENS / "counts.json").read_text())
TEXTS = {name: (TOKENS / name).read_text(encoding="utf-8") for name in COUNTS}


def error(tokens: int, reference: float) -> float:
    """Percent."""
    return 100 * (tokens - reference) / reference


def test_every_text_of_the_corpus_has_reference_counts() -> None:
    assert {path.name for path in TOKENS.iterdir()} == {*COUNTS, "counts.json"}
    assert all(len(counts) == 6 for counts in COUNTS.values())


@pytest.mark.parametrize("name", COUNTS)
def test_the_close_estimate_is_within_a_fifth_of_the_mean_tokenizer(name: str) -> None:
    assert abs(error(close_text(TEXTS[name]), mean(COUNTS[name].values()))) < 20


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("vocabulary", next(iter(COUNTS.values())))
def test_no_tokenizer_is_missed_by_much_more_than_they_differ(name: str, vocabulary: str) -> None:
    """English and code within a fifth; scripts that vocabularies treat differently within more."""
    is_ascii = TEXTS[name].isascii()
    low, high = (-20, 30) if is_ascii else (-45, 75)
    assert low < error(close_text(TEXTS[name]), COUNTS[name][vocabulary]) < high


def test_the_close_estimate_is_worth_its_price() -> None:
    def mean_error(count: Any) -> float:
        return mean(abs(error(count(TEXTS[n]), mean(COUNTS[n].values()))) for n in COUNTS)

    assert mean_error(close_text) < 7
    assert 15 < mean_error(estimate_text) < 19


@pytest.mark.parametrize("text", ["", "a", "\ud800", "\u00e9", "\x00", "漢" * 3, "0" * 50])
def test_any_text_has_a_count(text: str) -> None:
    assert (close_text(text) > 0) == bool(text)


def png(width: int, height: int) -> str:
    head = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + struct.pack(">II", width, height)
    return base64.b64encode(head + b"\x08\x06\x00\x00\x00").decode()


TEXT = "The quick brown fox jumps over the lazy dog. " * 20
IMAGE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": png(750, 500)},
}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"text": TEXT}}
RESULT = {
    "type": "tool_result",
    "tool_use_id": "toolu_1",
    "content": [{"type": "text", "text": TEXT}],
}


def count(**members: Any) -> int:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]} | members
    return estimate_tokens(CLIENT.read_request(json.dumps(body).encode(), {}), close_text)


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


@pytest.mark.parametrize(
    "members",
    [
        {"system": TEXT},
        {"system": [{"type": "text", "text": TEXT}]},
        {"messages": [user({"type": "text", "text": "Hi"}), {"role": "system", "content": TEXT}]},
        {"tools": [{"name": "t", "description": TEXT, "input_schema": {"type": "object"}}]},
        {
            "messages": [
                {"role": "user", "content": "Hi"},
                {
                    "role": "assistant",
                    "content": [{"type": "thinking", "thinking": TEXT, "signature": "c2ln"}],
                },
            ]
        },
        {
            "messages": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": [CALL]},
                user(RESULT | {"content": "x"}),
            ]
        },
        {
            "messages": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": [CALL | {"input": {}}]},
                user(RESULT),
            ]
        },
    ],
    ids=["system", "system blocks", "mid system", "tools", "thinking", "call", "result"],
)
def test_text_counts_wherever_it_stands(members: dict[str, Any]) -> None:
    found = count(**members) - count()
    assert close_text(TEXT) <= found <= close_text(TEXT) + 40


def test_pictures_count_by_their_size() -> None:
    bare = count(messages=[user({"type": "text", "text": "Hi"})])
    assert count(messages=[user({"type": "text", "text": "Hi"}, IMAGE)]) - bare == 500
    url = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    assert count(messages=[user({"type": "text", "text": "Hi"}, url)]) - bare == TOKENS_PER_IMAGE
    inside = count(
        messages=[
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [CALL]},
            user(RESULT | {"content": [IMAGE]}),
        ]
    )
    assert inside > 500 + close_text(TEXT)
