"""The stream linter must find what it is there to find."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.wire.anthropic_lint import fold_stream, lint_stream, load, to_sse

GOOD = [event for event in load("streams")["text"] if event["type"] != "ping"]


def change(edit: Callable[[list[dict[str, Any]]], Any]) -> bytes:
    events = copy.deepcopy(GOOD)
    edit(events)
    return to_sse(events)


def test_a_good_stream_passes() -> None:
    events = lint_stream(to_sse(GOOD))
    assert fold_stream(events)["content"][0]["text"].startswith("Good morning")


@pytest.mark.parametrize(
    "edit",
    [
        lambda events: events.pop(0),
        lambda events: events.pop(1),
        lambda events: events.pop(4),
        lambda events: events.pop(5),
        lambda events: events.pop(),
        lambda events: events.append({"type": "ping"}),
        lambda events: events[1].update(index=1),
        lambda events: events[2]["delta"].update(type="thinking_delta"),
        lambda events: events[2]["delta"].update(txet="typo"),
        lambda events: events[5]["usage"].pop("input_tokens"),
        lambda events: events.insert(1, events[0]),
        lambda events: events[1]["content_block"].update(
            type="thinking", thinking="", signature=""
        ),
    ],
)
def test_a_bad_stream_does_not(edit: Callable[[list[dict[str, Any]]], Any]) -> None:
    with pytest.raises((AssertionError, ValueError)):
        lint_stream(change(edit))
