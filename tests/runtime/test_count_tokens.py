"""Counting tokens: by the target where it can, locally otherwise, and never an error."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec
import pytest

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.decide import Verdict
from lynkrc_runtime.dispatch import Provider, Target
from lynkrc_runtime.server.count_tokens import CALL_TIME, CALLS_AT_ONCE, Count, TokenCounter
from lynkrc_runtime.server.routes import Settings
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
    Said,
    Script,
    Scripted,
    dispatch,
    gateway,
    policy,
    provider,
    target,
)
from tests.runtime.virtual_time import run

JSON = {"content-type": "application/json"}


def counted(tokens: int = 77, **members: float) -> Script:
    content = msgspec.json.encode({"input_tokens": tokens})
    return Script(steps=[content], headers=JSON, before=members.get("before", 0.0))


def ask_for(text: str = "foo") -> bytes:
    return msgspec.json.encode({"model": "m", "messages": [{"role": "user", "content": text}]})


def counter(
    upstream: Scripted, kind: str = "anthropic", settings: Settings | None = None
) -> Callable[..., Awaitable[Count]]:
    table = dispatch([provider("p", kind)], [target("one", 0)])
    served = gateway(policy(table), Said(), http=upstream, settings=settings)
    return partial(TokenCounter().count, served)


def test_the_decided_target_counts() -> None:
    upstream = Scripted({"one": [counted()]})

    async def main() -> Count:
        headers = {"anthropic-beta": "token-counting-2024-11-01", "x-api-key": "client"}
        return await counter(upstream)(headers, frozenset(), ask_for())

    assert run(main()) == Count(tokens=77, estimated=False)
    (request,) = upstream.requests
    assert request.url == "https://api.anthropic.com/v1/messages/count_tokens"
    assert request.headers["x-api-key"] == "secret-key"
    assert request.headers["anthropic-beta"] == "token-counting-2024-11-01"
    sent = msgspec.json.decode(request.body)
    assert sent["model"] == "model-one"
    assert "max_tokens" not in sent and "stream" not in sent


@pytest.mark.parametrize(
    "script",
    [
        Script(status=529, steps=[b"{}"], headers=JSON),
        Script(steps=[b"<html>"], headers=JSON),
        Script(fault=Fault.CONNECT),
        Script(before=CALL_TIME + 1.0),
    ],
    ids=["status", "no json", "connect", "slow"],
)
def test_any_trouble_ends_in_the_estimate(script: Script) -> None:
    async def main() -> Count:
        return await counter(Scripted({"one": [script]}))({}, frozenset(), ask_for())

    count = run(main())
    assert count.estimated
    assert count.tokens > 0


@pytest.mark.parametrize(
    ("kind", "settings"),
    [("openai", None), ("anthropic-compatible", None), ("anthropic", Settings(dry_run=True))],
)
def test_targets_that_cannot_count_are_not_asked(kind: str, settings: Settings | None) -> None:
    upstream = Scripted({"one": []})

    async def main() -> Count:
        return await counter(upstream, kind, settings)({}, frozenset(), ask_for())

    assert run(main()).estimated
    assert upstream.requests == []


def test_a_burst_shares_equal_bodies_and_queues_for_four_places() -> None:
    upstream = Scripted({"one": [counted(before=1.0) for _ in range(10)]})

    async def main() -> tuple[list[Count], float]:
        made = counter(upstream)
        counts = await asyncio.gather(
            *(made({}, frozenset(), ask_for(f"foo {n % 8}")) for n in range(26))
        )
        return counts, asyncio.get_running_loop().time()

    counts, seconds = run(main())
    assert all(count == Count(tokens=77, estimated=False) for count in counts)
    assert len(upstream.requests) == 8
    assert seconds == 8 / CALLS_AT_ONCE


def test_bodies_of_different_headers_are_not_shared() -> None:
    upstream = Scripted({"one": [counted(1, before=1.0), counted(2, before=1.0)]})

    async def main() -> list[Count]:
        made = counter(upstream)
        versions = ("2023-06-01", "2026-10-21")
        return await asyncio.gather(
            *(made({"anthropic-version": v}, frozenset(), ask_for()) for v in versions)
        )

    assert {count.tokens for count in run(main())} == {1, 2}


def test_one_clients_leaving_does_not_take_the_others_count() -> None:
    upstream = Scripted({"one": [counted(before=1.0)]})

    async def main() -> Count:
        made = counter(upstream)
        leaving = asyncio.create_task(made({}, frozenset(), ask_for()))
        staying = asyncio.create_task(made({}, frozenset(), ask_for()))
        await asyncio.sleep(0.5)
        leaving.cancel()
        return await staying

    assert run(main()) == Count(tokens=77, estimated=False)
    assert upstream.cancelled == 0


def test_when_the_last_client_leaves_the_call_ends() -> None:
    upstream = Scripted({"one": [counted(before=1.0), counted()]})

    async def main() -> Count:
        made = counter(upstream)
        waiting = [asyncio.create_task(made({}, frozenset(), ask_for())) for _ in "ab"]
        await asyncio.sleep(0.5)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        # One that comes right after must not get the cancelled call.
        return await made({}, frozenset(), ask_for())

    assert run(main()) == Count(tokens=77, estimated=False)
    assert upstream.cancelled == 1


def test_counts_of_different_addresses_are_not_shared() -> None:
    upstream = Scripted({"one": [counted(1, before=1.0)], "two": [counted(2, before=1.0)]})
    table = dispatch(
        [
            provider("p", "anthropic", base_url="http://one.test"),
            provider("q", "anthropic", base_url="http://two.test"),
        ],
        [target("one", 0, model="same"), target("two", 1, model="same")],
    )
    turns = iter((1, 2))

    def score(_: list[int]) -> Verdict:
        return (0, 0, -1, 0, next(turns), 42, -1)

    async def main() -> list[Count]:
        made = partial(TokenCounter().count, gateway(policy(table, score), Said(), http=upstream))
        return await asyncio.gather(*(made({}, frozenset(), ask_for()) for _ in "ab"))

    assert sorted(count.tokens for count in run(main())) == [1, 2]


# -- who counts ------------------------------------------------------------------------------


def asked(
    providers: list[Provider], targets: list[Target], *scripts: str, dialect: str = MESSAGES
) -> tuple[Count, Scripted]:
    """Count with these targets, the first ones first; those named in `scripts` can answer."""
    upstream = Scripted({name: [counted()] for name in scripts})
    table = dispatch(providers, targets)
    content = ask_for()
    surface = "messages" if dialect == MESSAGES else "chat"

    async def main() -> Count:
        made = partial(TokenCounter().count, gateway(policy(table), Said(), http=upstream))
        return await made({}, frozenset(), content, surface=surface, dialect=dialect)

    return run(main()), upstream


def test_another_target_of_the_same_model_and_trust_counts_for_one_that_cannot() -> None:
    providers = [provider("proxy", "anthropic-compatible"), provider("claude", "anthropic")]
    targets = [target("one", 0, model="claude-x"), target("two", 1, model="claude-x")]
    count, upstream = asked(providers, targets, "two")
    assert (count.tokens, count.estimated, upstream.called) == (77, False, ["two"])


@pytest.mark.parametrize(
    ("model", "trust"), [("claude-y", "cloud"), ("claude-x", "partner")], ids=["model", "trust"]
)
def test_no_other_model_and_no_other_trust_counts(model: str, trust: str) -> None:
    """Another model counts otherwise; another trust must not see the prompt."""
    providers = [
        provider("proxy", "anthropic-compatible"),
        provider("claude", "anthropic", trust=trust),
    ]
    targets = [target("one", 0, model="claude-x"), target("two", 1, model=model)]
    count, upstream = asked(providers, targets)
    assert (count.estimated, upstream.called) == (True, [])


def test_a_chat_request_is_counted_translated() -> None:
    """For surfaces that count in their own words: only what the counting address takes is sent."""
    count, upstream = asked(
        [provider("claude", "anthropic")], [target("one", 0)], "one", dialect=CHAT
    )
    assert count == Count(tokens=77, estimated=False)
    (request,) = upstream.requests
    assert request.url == "https://api.anthropic.com/v1/messages/count_tokens"
    assert msgspec.json.decode(request.body) == {
        "model": "model-one",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "foo"}]}],
    }


def test_reasoning_of_another_target_is_not_counted() -> None:
    """The next message would leave it out."""
    turns = [
        {"role": "user", "content": "foo"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "", "signature": "c2lnbmVk"},
                {"type": "text", "text": "bar"},
            ],
        },
        {"role": "user", "content": "baz"},
    ]
    upstream = Scripted({"one": [counted(), counted()]})
    table = dispatch([provider("claude", "anthropic")], [target("one", 0)])

    async def main() -> None:
        served = gateway(policy(table), Said(), http=upstream)
        body = msgspec.json.encode({"model": "m", "messages": turns})
        for maker in ("one", "two"):
            served.makers.remember(["c2lnbmVk"], maker)
            await TokenCounter().count(served, {}, frozenset(), body)

    run(main())
    own, other = (msgspec.json.decode(request.body) for request in upstream.requests)
    assert own["messages"] == turns
    assert [block["type"] for block in other["messages"][1]["content"]] == ["text"]


def test_what_another_keeps_is_not_counted_by_who_does_not_know_it() -> None:
    upstream = Scripted({"one": [counted()]})
    body = msgspec.json.encode({"model": "m", "prompt": {"id": "pmpt_1"}})

    async def main() -> Count:
        return await counter(upstream)(
            {}, frozenset(), body, surface="responses", dialect="openai-responses"
        )

    assert run(main()).estimated
    assert upstream.requests == []
