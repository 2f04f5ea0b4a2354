"""A request that is cancelled at any step of its way leaves nothing taken behind it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.attempt_records import AttemptRecord, Fault
from lynkrc_runtime.dispatch import Dispatch, ProviderSettings
from lynkrc_runtime.metering.interface import Call
from lynkrc_runtime.protocol.conversation import Failure
from lynkrc_runtime.resilience.health import Watching
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.settings import Breaker, Concurrency
from lynkrc_runtime.telemetry.outcome import Outcome
from lynkrc_runtime.upstream import UpstreamRequest, UpstreamResponse
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
from tests.runtime.test_serve_streams import END, OPEN, PING, START, delta
from tests.runtime.virtual_time import run

STREAM = (START, PING, OPEN, 1.0, delta("a"), 20.0, delta("b"), END)
MOST_STEPS = 200


class _Stepped(Awaitable[None]):
    """A coroutine whose n-th wait is cancelled: as it begins, or as it has just ended."""

    def __init__(
        self,
        inner: Coroutine[Any, Any, None],
        step: int,
        *,
        late: bool,
        cut: Callable[[], object] | None,
    ) -> None:
        self._inner = inner
        self._cut = cut
        self._step = step
        self._late = late
        self.was_cancelled = False

    def __await__(self) -> Generator[Any, Any, None]:
        waits, thrown = 0, None
        while True:
            try:
                waited = self._inner.send(None) if thrown is None else self._inner.throw(thrown)
            except StopIteration:
                return
            if waits == self._step:
                self._cancel_at(waited)
            waits, thrown = waits + 1, None
            try:
                yield waited
            except BaseException as error:
                thrown = error

    def _cancel_at(self, waited: Any) -> None:
        self.was_cancelled = True
        task = asyncio.current_task()
        assert task is not None
        cancel = self._cut or task.cancel
        if self._late and isinstance(waited, asyncio.Future):
            # Told before the task is: it is cancelled when what it waited for is already there.
            waited.add_done_callback(lambda _: cancel())
        else:
            asyncio.get_running_loop().call_soon(cancel)


@dataclass
class _Visit:
    """Money that takes a moment to set aside; what is held is told by number."""

    held: list[int] = field(default_factory=list)
    left: int = 0
    used_pct: int = 0

    async def reserve(self, call: Call) -> Failure | None:
        assert not self.held, "the last attempt has not been settled"
        self.held.append(call.target)
        await asyncio.sleep(0.01)
        return None

    def settle(self, record: AttemptRecord) -> None:
        assert self.held == [record.target]
        self.held.clear()

    def leave(self, outcome: Outcome) -> None:
        self.held.clear()
        self.left += 1


class _Meter:
    def __init__(self) -> None:
        self.visits: list[_Visit] = []

    async def arrive(self, *_: object) -> _Visit:
        await asyncio.sleep(0.01)
        self.visits.append(_Visit())
        return self.visits[-1]

    async def drain(self) -> None:
        return


class _Counted:
    """Counts answers that were begun and closed."""

    def __init__(self, inner: Scripted) -> None:
        self.inner = inner
        self.opened = 0

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        response = await self.inner.send(request)
        self.opened += 1
        return response


def _document(**rest: Any) -> Dispatch:
    return dispatch(
        [provider(name, "anthropic", retries=1, rest=ProviderSettings(**rest)) for name in "pq"],
        [target("one", 0), target("two", 1)],
    )


WAYS: Mapping[str, tuple[bool, Mapping[str, Sequence[Script]]]] = {
    "a whole answer": (False, {"one": [answers(after=1.0)]}),
    "a stream": (True, {"one": [Script(steps=STREAM)]}),
    "retried, then elsewhere": (
        True,
        {
            "one": [answers(500, after=0.5), Script(fault=Fault.CONNECT)],
            "two": [Script(steps=STREAM, before=2.0)],
        },
    ),
    "stale, then broken": (
        False,
        {
            "one": [Script(fault=Fault.STALE), Script(steps=(1.0, Fault.BROKEN)), answers(500)],
            "two": [answers()],
        },
    ),
    "throttled and waited out": (
        False,
        {"one": [answers(429, **{"retry-after": "2"}), answers()]},
    ),
    "silent until the commit, then broken": (
        True,
        {"one": [Script(steps=(START, 50.0, delta("a"), 1.0, Fault.BROKEN))]},
    ),
    "refused by all": (True, {"one": [answers(500)] * 2, "two": [answers(401)]}),
}


def _running(served: Gateway) -> bool:
    return any(running or waiting for running, waiting in served.places.counts().values())


def _probed(served: Gateway) -> list[bool]:
    assert isinstance(served.watch, Watching)
    return [card.breaker._is_probed for card in served.watch.cards.values()]


def _cancelled(
    stream: bool,
    scripts: Mapping[str, Sequence[Script]],
    step: int,
    *,
    late: bool,
    half_open: bool = False,
    stops: bool = False,
    at_once: bool = False,
) -> bool:
    """Cancel the request at that step and look at what is left; whether it got so far.

    `at_once`: nothing is counted, and no place has to be waited for.
    """
    document = _document(
        concurrency=Concurrency(limit=1, queue=2, wait=5.0),
        breaker=Breaker(failures=1 if half_open else 50, open_for=1.0, successes=2),
    )
    upstream = _Counted(Scripted(scripts))
    served = gateway(policy(document), Said(), http=upstream)
    meter = _Meter()
    if not at_once:
        object.__setattr__(served, "meter", meter)

    async def main() -> bool:
        loop = asyncio.get_running_loop()
        if half_open:
            assert isinstance(served.watch, Watching)
            for card, rules in zip(served.watch._by_target, served.watch._rules, strict=True):
                card.breaker.failed(loop.time(), loop.time(), rules)
            await asyncio.sleep(1.5)
        if not at_once:
            # Somebody else holds the only place for a while: this request waits for it.
            await served.places.take("p", loop.time() + 1.0)
            loop.call_later(0.7, served.places.release, "p")
        client = Recorder(slow=0.2)
        caller = None if at_once else Caller(name="ci")

        async def request() -> None:
            await ask(served, body(stream=stream), client=client, caller=caller)

        stepped = _Stepped(request(), step, late=late, cut=served.stopping.cut if stops else None)

        async def awaited() -> None:
            await stepped

        task = asyncio.create_task(awaited())
        await asyncio.wait((task,))
        if stops or not stepped.was_cancelled:
            # The gateway's own stop is no cancellation for whoever waits, and it is told.
            assert client.status != 0
            ends = (b"message_stop", b"event: error")
            assert not client.streamed or any(end in client.body for end in ends)
            assert task.exception() is None
        await asyncio.sleep(5.0)
        assert not _running(served), f"places are taken after step {step}"
        assert not any(_probed(served)), f"a probe is held after step {step}"
        assert len(served.stopping) == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}, f"a task is left after step {step}"
        assert all(not visit.held and visit.left == 1 for visit in meter.visits)
        assert upstream.inner.closed == upstream.opened
        return stepped.was_cancelled

    return run(main())


@pytest.mark.parametrize("stops", [False, True])
@pytest.mark.parametrize("half_open", [False, True])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_nothing_stays_taken_wherever_a_request_is_cancelled(
    way: str, late: bool, half_open: bool, stops: bool
) -> None:
    stream, scripts = WAYS[way]
    steps = 0
    while _cancelled(stream, scripts, steps, late=late, half_open=half_open, stops=stops):
        steps += 1
        assert steps < MOST_STEPS
    assert steps > 3


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_nothing_stays_taken_of_a_request_that_nobody_counts(way: str, late: bool) -> None:
    stream, scripts = WAYS[way]
    steps = 0
    while _cancelled(stream, scripts, steps, late=late, at_once=True):
        steps += 1
        assert steps < MOST_STEPS
    assert steps > 0
