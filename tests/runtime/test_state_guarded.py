"""A store that is down: what requests get, what waits, and that nothing is made twice."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import pytest

from lynkrc_runtime.state import guarded
from lynkrc_runtime.state.guarded import PROBE_EVERY, Guarded, Health
from lynkrc_runtime.state.interface import (
    Account,
    Balance,
    Reserved,
    Settled,
    StoreDown,
    Taken,
    Window,
)
from lynkrc_runtime.state.memory import MemoryStore
from lynkrc_runtime.telemetry.log import Log
from tests.runtime.virtual_time import run

RATE = [Window(key="rate:a", limit=1, within=60, amount=1)]


def spent(amount: int) -> list[Account]:
    return [Account(key="a", limit=100, amount=amount, until=1e9)]


class Flaky:
    """A store that can be switched off; `late` fails after the operation was made."""

    def __init__(self) -> None:
        self.inner = MemoryStore(lambda: 0.0, lambda: 0.0)
        self.works = True
        self.late = False
        self.calls = 0
        self.closed = False

    async def _do(self, operation: Coroutine[Any, Any, Any]) -> Any:
        self.calls += 1
        if not self.works and not self.late:
            operation.close()
            raise StoreDown("it is away")
        answer = await operation
        if self.late:
            raise StoreDown("no answer in time")
        return answer

    async def take(self, windows: Sequence[Window]) -> Taken:
        return await self._do(self.inner.take(windows))

    async def correct(self, windows: Sequence[Window]) -> None:
        await self._do(self.inner.correct(windows))

    async def reserve(self, reservation: str, accounts: Sequence[Account], _: float) -> Reserved:
        return await self._do(self.inner.reserve(reservation, accounts, 60))

    async def settle(self, reservation: str, accounts: Sequence[Account]) -> Settled:
        return await self._do(self.inner.settle(reservation, accounts))

    async def balances(self, keys: Sequence[str]) -> tuple[Balance, ...]:
        return await self._do(self.inner.balances(keys))

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        return await self._do(self.inner.get(keys))

    async def put(self, values: Mapping[str, bytes], ttl: float, room: int | None = None) -> None:
        await self._do(self.inner.put(values, ttl, room))

    async def delete(self, keys: Sequence[str]) -> int:
        return await self._do(self.inner.delete(keys))

    async def ping(self) -> None:
        await self._do(self.inner.ping())

    async def close(self) -> None:
        self.closed = True


class Case:
    def __init__(self, *, closed: bool = False) -> None:
        self.store = Flaky()
        self.health = Health(is_closed=closed)
        self.lines: list[dict[str, Any]] = []
        self.log = Log(write=lambda line: self.lines.append(json.loads(line)))
        self.guarded = Guarded(self.store, self.health, self.log)

    @property
    def events(self) -> list[str]:
        return [line["event"] for line in self.lines]

    def turn(self, *, on: bool) -> None:
        self.store.works, self.store.late = on, False

    async def spent(self) -> int:
        return (await self.store.inner.balances(["a"]))[0].spent


async def test_a_store_that_works_is_asked() -> None:
    case = Case()
    assert await case.guarded.take(RATE) == Taken()
    assert (await case.guarded.take(RATE)).over == 0
    assert (await case.guarded.reserve("r", spent(5), 60)).balances == (Balance(reserved=5),)
    assert (await case.guarded.settle("r", spent(4))).balances == (Balance(spent=4),)
    assert await case.guarded.balances(["a"]) == (Balance(spent=4),)
    await case.guarded.put({"k": b"v"}, 60)
    assert await case.guarded.get(["k"]) == {"k": b"v"}
    assert await case.guarded.delete(["k"]) == 1
    await case.guarded.ping()
    assert case.lines == []
    await case.guarded.close()
    assert case.store.closed


def test_open_requests_are_served_without_it() -> None:
    async def served() -> None:
        case = Case()
        case.turn(on=False)
        for _ in range(3):
            assert await case.guarded.take(RATE) == Taken()
            await case.guarded.correct(RATE)
            reserved = await case.guarded.reserve("r", spent(500), 60)
            assert (reserved.over, reserved.balances) == (None, (Balance(),))
            assert await case.guarded.get(["k"]) == {}
            assert await case.guarded.delete(["k"]) == 0
            assert await case.guarded.balances(["a"]) == (Balance(),)
            await case.guarded.put({"k": b"v"}, 60)
        assert case.store.calls == 1, "only the first was sent"
        assert not case.health.is_up
        assert not case.health.refuses
        with pytest.raises(StoreDown, match="it is away"):
            await case.guarded.ping()
        case.turn(on=True)
        await asyncio.sleep(PROBE_EVERY + 0.1)
        assert case.health.is_up
        assert case.events == ["store-down", "store-up"]
        assert await case.guarded.take(RATE) == Taken()
        assert (await case.guarded.take(RATE)).over == 0
        await case.guarded.close()

    run(served())


def test_closed_requests_are_refused() -> None:
    async def refused() -> None:
        case = Case(closed=True)
        case.turn(on=False)
        asked: list[Callable[[], Coroutine[Any, Any, Any]]] = [
            lambda: case.guarded.take(RATE),
            lambda: case.guarded.reserve("r", spent(5), 60),
            lambda: case.guarded.get(["k"]),
            lambda: case.guarded.put({"k": b"v"}, 60),
            lambda: case.guarded.delete(["k"]),
            lambda: case.guarded.balances(["a"]),
        ]
        for ask in asked:
            with pytest.raises(StoreDown, match="it is away"):
                await ask()
        assert case.health.refuses
        assert (await case.guarded.settle("r", spent(4))).balances == (Balance(),)
        case.turn(on=True)
        await asyncio.sleep(PROBE_EVERY + 0.1)
        assert await case.spent() == 4
        await case.guarded.close()

    run(refused())


def test_a_store_that_is_down_is_looked_at_once_a_second() -> None:
    async def looked_at() -> None:
        case = Case()
        case.turn(on=False)
        await case.guarded.take(RATE)
        await asyncio.sleep(10 * PROBE_EVERY + 0.5)
        assert case.store.calls == 11
        assert case.events == ["store-down"]
        await case.guarded.close()

    run(looked_at())


@pytest.mark.parametrize("late", [False, True])
def test_settlements_wait_and_are_made_once(late: bool) -> None:
    async def settled() -> None:
        case = Case()
        await case.guarded.reserve("r0", spent(50), 60)
        case.turn(on=False)
        case.store.late = late
        await asyncio.gather(*(case.guarded.settle(f"r{n}", spent(3)) for n in range(20)))
        await case.guarded.settle("r3", spent(3))
        assert case.health.waiting == 21
        await asyncio.sleep(3 * PROBE_EVERY)
        case.turn(on=True)
        await asyncio.sleep(PROBE_EVERY + 0.1)
        assert await case.spent() == 60
        assert case.health.waiting == case.health.lost == 0
        assert case.lines[-1]["event"] == "store-up"
        assert case.lines[-1]["settled"] == 21
        await case.guarded.close()

    run(settled())


def test_what_waits_beyond_the_bound_is_lost_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def bounded() -> None:
        monkeypatch.setattr(guarded, "MOST_WAITING", 5)
        case = Case()
        case.turn(on=False)
        for number in range(8):
            await case.guarded.settle(f"r{number}", spent(1))
        assert case.health.lost == 3
        assert case.events.count("settlements-lost") == 3
        await case.guarded.close()
        assert case.health.lost == 8
        assert case.lines[-1]["count"] == 5

    run(bounded())


def test_what_may_have_been_made_long_ago_is_not_made_again() -> None:
    async def forgotten() -> None:
        case = Case()
        case.store.late = True
        await case.guarded.settle("made", spent(1))
        case.turn(on=False)
        await case.guarded.settle("never-sent", spent(1))
        await asyncio.sleep(guarded.REPEATABLE + 10)
        case.store.inner._settled.clear()
        case.turn(on=True)
        await asyncio.sleep(PROBE_EVERY + 0.1)
        assert await case.spent() == 2
        assert case.health.lost == 1
        await case.guarded.close()

    run(forgotten())


def test_a_process_that_ends_settles_what_waits() -> None:
    async def ended() -> None:
        case = Case()
        case.turn(on=False)
        await case.guarded.settle("r", spent(7))
        case.turn(on=True)
        await case.guarded.close()
        assert await case.spent() == 7
        assert case.health.lost == 0

    run(ended())


def test_a_failure_from_before_says_nothing_of_now() -> None:
    async def old() -> None:
        case = Case()
        gate = asyncio.Event()
        inner = case.store.take

        async def slow(windows: Sequence[Window]) -> Taken:
            await gate.wait()
            raise StoreDown("too late")

        case.store.take = slow  # type: ignore[method-assign]  # as a call that hangs
        hanging = asyncio.create_task(case.guarded.take(RATE))
        await asyncio.sleep(0)
        case.turn(on=False)
        await case.guarded.get(["k"])
        case.turn(on=True)
        await asyncio.sleep(PROBE_EVERY + 0.1)
        assert case.health.is_up
        gate.set()
        assert await hanging == Taken()
        assert case.health.is_up
        case.store.take = inner  # type: ignore[method-assign]
        await case.guarded.close()

    run(old())
