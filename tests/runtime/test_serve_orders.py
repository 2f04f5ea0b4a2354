"""Requests served in an order that changes: weights, rotations, and what the answers tell."""

from dataclasses import replace
from random import Random

import msgspec
import pytest

from lynkrc_runtime.decide import Verdict
from lynkrc_runtime.dispatch import Chain, Dispatch, Prefer, Rule
from lynkrc_runtime.server.gateway import Gateway
from tests.runtime.by_hand import (
    Recorder,
    Said,
    Script,
    Scripted,
    ask,
    body,
    dispatch,
    gateway,
    policy,
    provider,
    target,
)
from tests.runtime.virtual_time import run

JSON = {"content-type": "application/json"}
NAMES = ("one", "two", "three")


def served(name: str) -> Script:
    answer = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": f"model-{name}",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 7, "output_tokens": 3},
    }
    return Script(steps=[msgspec.json.encode(answer)], headers=JSON)


def fails() -> Script:
    content = msgspec.json.encode({"error": {"type": "x", "message": "prompt is too long"}})
    return Script(steps=[content], status=400, headers=JSON)


def table(pick: str, *groups: list[int], weights: list[int] | None = None) -> Dispatch:
    made = dispatch([provider("p", "anthropic")], [target(name, 0) for name in NAMES])
    chain = Chain(name="T", groups=list(groups), pick=pick, weights=weights or [])
    prefer = Prefer(pick=None, target=2)
    rules = [*made.rules, Rule(name="best", deny=None, respond=None, prefer=prefer)]
    return msgspec.structs.replace(made, chains=[chain], rules=rules)


def made(
    document: Dispatch, scripts: dict[str, list[Script]], *, mask: int = 7, prefer: int = -1
) -> tuple[Gateway, Scripted, Said]:
    def scorer(_: list[int]) -> Verdict:
        return (0, 0, -1, 0, mask, 42, prefer)

    upstream, said = Scripted(scripts), Said()
    return gateway(policy(document, scorer), said, http=upstream), upstream, said


def asked(gateway: Gateway, times: int) -> list[Recorder]:
    async def main() -> list[Recorder]:
        return [await ask(gateway, body()) for _ in range(times)]

    return run(main())


def test_a_rotation_serves_each_target_in_turn_and_the_first_is_no_fallback() -> None:
    scripts = {name: [served(name)] * 2 for name in NAMES}
    gateway, upstream, _ = made(table("round_robin", [0, 1, 2]), scripts)
    answers = asked(gateway, 6)
    assert upstream.called == [*NAMES, *NAMES]
    assert [one.headers["x-lynkr-model"] for one in answers[:3]] == [f"model-{n}" for n in NAMES]
    assert {one.headers["x-lynkr-fallback"] for one in answers} == {"false"}


def test_what_follows_in_the_circle_is_the_fallback() -> None:
    scripts = {"one": [fails(), served("one")], "two": [served("two"), fails()],
               "three": [served("three")]}  # fmt: skip
    gateway, upstream, said = made(table("round_robin", [0, 1, 2]), scripts)
    first, second = asked(gateway, 2)
    # The second request begins with `two`, which fails: `three` is tried, never `one`.
    assert upstream.called == ["one", "two", "two", "three"]
    assert first.headers["x-lynkr-fallback"] == "true"
    assert first.headers["x-lynkr-model"] == "model-two"
    assert second.headers["x-lynkr-fallback"] == "true"
    assert [line["target"] for line in said.lines] == ["two", "three"]
    assert [line["fallback"] for line in said.lines] == [True, True]


def test_weights_decide_who_is_first() -> None:
    document = table("weighted", [0, 1], [2], weights=[9, 1, 1])
    scripts = {name: [served(name)] * 400 for name in NAMES}
    gateway, upstream, _ = made(document, scripts)
    answers = asked(replace(gateway, random=Random(3).random), 400)
    calls = {name: upstream.called.count(name) for name in NAMES}
    assert calls["three"] == 0, "the second group is for failures"
    assert 340 <= calls["one"] <= 380 and calls["one"] + calls["two"] == 400
    assert {one.headers["x-lynkr-fallback"] for one in answers} == {"false"}


@pytest.mark.parametrize("pick", ["weighted", "round_robin", "order", "fastest"])
def test_a_preferred_target_is_first_and_no_fallback(pick: str) -> None:
    weights = [1, 1, 1] if pick == "weighted" else []
    document = table(pick, [0, 1], [2], weights=weights)
    scripts = {name: [served(name)] * 3 for name in NAMES}
    gateway, upstream, _ = made(document, scripts, prefer=1)
    answers = asked(gateway, 3)
    assert upstream.called == ["three"] * 3
    assert {one.headers["x-lynkr-fallback"] for one in answers} == {"false"}


def test_what_the_filters_dropped_is_never_tried_in_any_order() -> None:
    document = table("round_robin", [0, 1, 2])
    gateway, upstream, _ = made(document, {"one": [fails()] * 4, "three": [fails()] * 4}, mask=5)
    answers = asked(gateway, 4)
    assert upstream.called == ["one", "three", "three", "one"] * 2
    assert {one.status for one in answers} == {400}
