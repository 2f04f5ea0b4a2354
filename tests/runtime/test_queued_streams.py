"""Requests that wait for a place: what their client and their target hear of the wait."""

import asyncio

import pytest

from lynkrc_runtime.attempt_records import Fault
from lynkrc_runtime.dispatch import ProviderSettings
from lynkrc_runtime.resilience.health import Watching
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.settings import Breaker, Concurrency
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
from tests.runtime.test_serve_resilience import answers
from tests.runtime.test_serve_streams import WHOLE
from tests.runtime.virtual_time import run


def _served(upstream: Scripted, *, wait: float, total: float | None = None) -> Gateway:
    rest = ProviderSettings(
        concurrency=Concurrency(limit=1, queue=9, wait=wait),
        breaker=Breaker(failures=1, open_for=10.0, successes=1),
    )
    document = dispatch(
        [
            provider("p", "anthropic", retries=0, rest=rest, total=total),
            provider("q", "anthropic", retries=0),
        ],
        [target("one", 0), target("two", 1)],
    )
    return gateway(policy(document), Said(), http=upstream)


def test_a_wait_that_the_clients_deadline_ends_is_nobodys_failure() -> None:
    upstream = Scripted({})
    served = _served(upstream, wait=100.0)

    async def main() -> Recorder:
        await served.places.take("p", 1.0)
        return await ask(served, body(), headers={"x-lynkr-deadline-ms": "3000"})

    answer = run(main())
    assert answer.status == 529
    assert upstream.called == []
    assert isinstance(served.watch, Watching)
    assert all(
        card.breaker.failures(3.0, served.watch._rules[0]) == 0 for card in served.watch._by_target
    )


def test_a_wait_leaves_the_next_target_its_own_time() -> None:
    upstream = Scripted({"two": [answers(after=100.0)]})
    served = _served(upstream, wait=500.0, total=20.0)

    async def main() -> Recorder:
        await served.places.take("p", 1.0)
        return await ask(served, body())

    assert run(main()).status == 200


def test_a_wait_for_a_place_is_not_the_targets_pace() -> None:
    upstream = Scripted({"one": [Script(steps=[2.0, WHOLE])]})
    served = _served(upstream, wait=30.0)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        await served.places.take("p", 1.0)
        loop.call_later(20.0, served.places.release, "p")
        # A slow reader is not the target's pace either.
        await ask(served, body(stream=True), client=Recorder(slow=30.0))

    run(main())
    assert isinstance(served.watch, Watching)
    assert served.watch._by_target[0].standing.first.seconds == pytest.approx(2.0)


def test_a_probe_that_waits_for_its_place_is_given_up_with_its_wait() -> None:
    upstream = Scripted({"one": [Script(fault=Fault.CONNECT), answers()], "two": [answers()] * 3})
    served = _served(upstream, wait=5.0)

    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        found = [(await ask(served, body())).status]
        await asyncio.sleep(10.0)
        await served.places.take("p", loop.time() + 1.0)
        probe = asyncio.create_task(ask(served, body()))
        await asyncio.sleep(1.0)
        found.append((await ask(served, body())).status)
        assert upstream.called == ["one", "two", "two"]
        await probe
        served.places.release("p")
        found.append((await ask(served, body())).status)
        return found

    assert run(main()) == [200, 200, 200]
    assert upstream.called == ["one", "two", "two", "two", "one"]
    assert served.watch.closed(0, 100.0) is None
