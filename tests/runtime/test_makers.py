"""Reasoning goes back to the target that made it and to no other; what nobody knows is sent."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import msgspec
import pytest

from lynkrc_runtime.protocol.carrier import CLAUDE, seal
from lynkrc_runtime.protocol.conversation import (
    Message,
    Options,
    RedactedThinking,
    Request,
    Text,
    Thinking,
)
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.server.makers import ASKED, TTL, Makers, signatures_of
from lynkrc_runtime.state.interface import Store, StoreDown
from lynkrc_runtime.state.memory import MemoryStore
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
BUDGET = RequestShape(thinking=["enabled", "disabled"], efforts=[])


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_forgets_after_a_day_and_keeps_to_its_size() -> None:
    clock = Clock()
    makers = Makers(clock, limit=3)
    makers.remember(["a", "b"], "one")
    assert (makers.maker_of("a"), makers.maker_of("z")) == ("one", None)
    clock.now = TTL - 1.0
    makers.remember(["b"], "two")
    assert makers.maker_of("b") == "two"
    clock.now = TTL
    assert (makers.maker_of("a"), makers.maker_of("b")) == (None, "two")
    makers.remember(["c", "d", "e"], "one")
    assert len(makers) == 3
    assert (makers.maker_of("b"), makers.maker_of("e")) == (None, "one")


def test_the_memory_holds_no_signature_and_no_text() -> None:
    makers = Makers(Clock())
    makers.remember(["a-signature-of-some-length"], "one")
    assert b"signature" not in b"".join(makers._known)
    assert all(len(key) == 16 for key in makers._known)


def test_a_signature_in_a_carrier_is_the_same_signature() -> None:
    makers = Makers(Clock())
    makers.remember(["sig"], "one")
    carried = seal(CLAUDE, "sig", "")
    assert carried is not None
    assert makers.maker_of(carried) == "one"


def test_only_reasoning_has_signatures() -> None:
    blocks = (
        Text(text="x"),
        Thinking(text="", signature="s"),
        Thinking(text="unsigned"),
        RedactedThinking(data="d"),
    )
    assert list(signatures_of(blocks)) == ["s", "d"]


# -- shared between gateways -----------------------------------------------------------------


class Counted:
    """A store that two gateways share, and that counts what it is asked."""

    def __init__(self) -> None:
        self.inner = MemoryStore()
        self.asked: list[list[str]] = []
        self.is_down = False

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        self.asked.append(list(keys))
        if self.is_down:
            raise StoreDown("away")
        return await self.inner.get(keys)

    async def put(self, values: Mapping[str, bytes], ttl: float, room: int | None = None) -> None:
        if self.is_down:
            raise StoreDown("away")
        await self.inner.put(values, ttl, room)


def reasoned(*signatures: str) -> Request:
    blocks = tuple(Thinking(text="", signature=signature) for signature in signatures)
    return Request(
        dialect="anthropic-messages",
        model="m",
        system=(),
        messages=(Message(role="assistant", blocks=blocks),),
        tools=(),
        tool_choice=None,
        options=Options(),
        metadata={},
        members={},
        rest=(),
    )


def shared(store: Counted) -> Makers:
    return Makers(Clock(), store=cast(Store, store))


async def test_gateways_on_one_store_know_what_each_other_s_targets_made() -> None:
    store = Counted()
    one, two = shared(store), shared(store)
    one.remember(["a", "b"], "first")
    await one.flush()
    request = reasoned("a", "b", "c")
    await two.learn(request)
    assert two.foreign(request, "second") == {"a", "b"}
    assert len(store.asked) == 1
    assert len(store.asked[0]) == 3
    assert not any(key == "a" or "first" in key for key in store.asked[0])
    await two.learn(reasoned("a", "b"))
    assert len(store.asked) == 1, "all of them are known by now"
    await one.learn(reasoned("a"))
    assert len(store.asked) == 1


async def test_a_long_history_is_asked_for_its_end() -> None:
    store = Counted()
    makers = shared(store)
    await makers.learn(reasoned(*(f"s{n}" for n in range(ASKED + 50))))
    assert len(store.asked[0]) == ASKED


async def test_a_store_that_is_down_is_done_without() -> None:
    store = Counted()
    store.is_down = True
    makers = shared(store)
    makers.remember(["a"], "first")
    await makers.flush()
    await makers.learn(reasoned("a", "b"))
    assert makers.maker_of("a") == "first"
    assert makers.maker_of("b") is None


async def test_a_memory_of_one_gateway_asks_nobody() -> None:
    makers = Makers(Clock())
    makers.remember(["a"], "first")
    assert not makers.is_shared
    await makers.learn(reasoned("b"))
    await makers.flush()


# -- through the gateway ---------------------------------------------------------------------


def sign(name: str) -> str:
    return base64.b64encode(name.encode() * 4).decode()


def blocks_of(name: str) -> list[dict[str, Any]]:
    return [
        {"type": "thinking", "thinking": "", "signature": sign(name)},
        {"type": "redacted_thinking", "data": sign(f"{name}-redacted")},
        {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {}},
    ]


def message(name: str) -> bytes:
    return msgspec.json.encode(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": f"model-{name}",
            "content": blocks_of(name),
            "stop_reason": "tool_use",
            "stop_sequence": None,
            "usage": {"input_tokens": 7, "output_tokens": 3},
        }
    )


def stream(name: str) -> bytes:
    thinking, redacted, call = blocks_of(name)
    signature = thinking.pop("signature")
    events: list[dict[str, Any]] = [
        {
            "type": "message_start",
            "message": msgspec.json.decode(message(name)) | {"content": [], "stop_reason": None},
        },
        {"type": "content_block_start", "index": 0, "content_block": thinking | {"signature": ""}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "signature_delta", "signature": signature},
        },
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": redacted},
        {"type": "content_block_stop", "index": 1},
        {"type": "content_block_start", "index": 2, "content_block": call},
        {"type": "content_block_stop", "index": 2},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use", "stop_sequence": None},
            "usage": {"output_tokens": 3},
        },
        {"type": "message_stop"},
    ]
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (event["type"].encode(), msgspec.json.encode(event))
        for event in events
    )


def script(name: str, *, streamed: bool) -> Script:
    return Script(steps=[stream(name)]) if streamed else Script(steps=[message(name)], headers=JSON)


def history(name: str, **more: Any) -> bytes:
    """The turn after a tool call that `name` made."""
    turns = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": blocks_of(name)},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "done"}],
        },
    ]
    return body(messages=turns, **more)


def converse(
    maker: str, next_target: str, *, streamed: bool = False, known: bool = True, **more: Any
) -> tuple[Recorder, dict[str, Any], bytes]:
    """`maker` answers, then the history of it goes to `next_target`: its answer, what it got."""
    names = ["one", "two"]
    shapes = {"one": RequestShape(), "two": BUDGET}

    async def main() -> tuple[Recorder, dict[str, Any], bytes]:
        upstream = Scripted(
            {
                maker: [script(maker, streamed=streamed)],
                **({} if maker == next_target else {next_target: []}),
            }
        )
        upstream._scripts[next_target].append(script(next_target, streamed=False))
        targets = [target(name, 0, shape=shapes[name]) for name in names]
        first = {
            name: gateway(
                policy(dispatch([provider("p", "anthropic")], targets, chain=[names.index(name)])),
                Said(),
                http=upstream,
            )
            for name in {maker, next_target}
        }
        # One gateway's memory: only the chain differs between the turns.
        made = {name: replace(one, makers=first[maker].makers) for name, one in first.items()}
        if known:
            await ask(made[maker], body(stream=streamed))
        content = history(maker, **more)
        answer = await ask(made[next_target], content)
        sent = upstream.requests[-1].body
        return answer, msgspec.json.decode(sent), content

    return run(main())


def kinds(sent: dict[str, Any]) -> list[str]:
    return [block["type"] for block in sent["messages"][1]["content"]]


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
def test_blocks_of_another_target_are_removed_and_listed(streamed: bool) -> None:
    answer, sent, _ = converse("one", "two", streamed=streamed)
    assert kinds(sent) == ["tool_use"]
    assert answer.headers["x-lynkr-transforms"] == "stripped=thinking"


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
def test_its_own_blocks_go_back_untouched(streamed: bool) -> None:
    answer, sent, content = converse("one", "one", streamed=streamed, model="model-one")
    assert msgspec.json.encode(sent) == content
    assert "x-lynkr-transforms" not in answer.headers


def test_unknown_blocks_are_sent() -> None:
    answer, sent, _ = converse("one", "two", known=False)
    assert kinds(sent) == ["thinking", "redacted_thinking", "tool_use"]
    assert "x-lynkr-transforms" not in answer.headers


def test_a_model_with_a_budget_does_not_think_in_a_turn_that_lost_its_reasoning() -> None:
    thinking = {"type": "enabled", "budget_tokens": 1024}
    answer, sent, _ = converse("one", "two", thinking=thinking, max_tokens=4000)
    assert "thinking" not in sent
    assert answer.headers["x-lynkr-transforms"] == "dropped=thinking, stripped=thinking"
    # Asked for by name, it is told no more than it must be.
    answer, sent, _ = converse("one", "two", thinking=thinking, max_tokens=4000, model="model-two")
    assert (kinds(sent), "thinking" in sent) == (["tool_use"], False)


def test_a_translated_history_loses_them_too() -> None:
    """Messages to Chat and on: the blocks go before the writer sees them."""

    async def main() -> tuple[Recorder, dict[str, Any]]:
        upstream = Scripted(
            {
                "one": [script("one", streamed=False)],
                "two": [Script(status=400, steps=[b"{}"], headers=JSON)],
            }
        )
        table = dispatch(
            [provider("p", "anthropic"), provider("q", "openai")],
            [target("one", 0), target("two", 1)],
        )
        served = gateway(policy(table), Said(), http=upstream)
        await ask(served, body())
        other = gateway(
            policy(dispatch(table.providers, table.targets, chain=[1])), Said(), http=upstream
        )
        answer = await ask(replace(other, makers=served.makers), history("one"))
        return answer, msgspec.json.decode(upstream.requests[-1].body)

    _, sent = run(main())
    assert [turn["role"] for turn in sent["messages"]] == ["user", "assistant", "tool"]
    assert not {"reasoning_content", "reasoning"} & set(sent["messages"][1])
