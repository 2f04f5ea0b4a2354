"""A gateway with a meter in virtual time, its store, and a store that fails when it is told to."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.dispatch import Price, Slot
from lynkrc_runtime.metering.expected import Expected
from lynkrc_runtime.metering.meter import Till, meter_of
from lynkrc_runtime.metering.settling import Settling
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.settings import Settings as Declared
from lynkrc_runtime.state.interface import (
    Account,
    Balance,
    Reserved,
    Settled,
    Store,
    StoreDown,
    Taken,
    Window,
)
from lynkrc_runtime.state.memory import MemoryStore
from lynkrc_runtime.telemetry.log import Log
from tests.runtime.by_hand import (
    MESSAGES,
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
from tests.runtime.test_serve_whole import MESSAGE, whole
from tests.runtime.virtual_time import run

NOON = 1_795_262_400.0
"""2026-11-21T12:00:00Z."""
PRICE = Price(input="3", output="15", cache_read="0.3", cache_write="3.75")
CI = Caller(name="ci", team="web")
COST = 66
"""Micro-dollars of the answer that the scripts give."""


def unix() -> float:
    return NOON + asyncio.get_running_loop().time()


@dataclass
class Lab:
    """A gateway of two targets with a meter, its store, and what it wrote to its log."""

    served: Gateway
    store: Store
    settling: Settling
    said: Said

    async def ask(self, **more: Any) -> Recorder:
        content = more.pop("content", body(more.get("dialect", MESSAGES)))
        return await ask(self.served, content, **more)

    async def balance(self, key: str) -> Balance:
        await self.served.meter.drain()
        (found,) = await self.store.balances([key])
        return found

    def events(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.said.lines if line["event"] == event]


def lab(
    scripts: Mapping[str, Sequence[Script]],
    store: Store | None = None,
    *,
    slots: Sequence[Slot] = (),
    price: Price | None = PRICE,
    **declared: Any,
) -> Lab:
    loop, said, settling = asyncio.get_running_loop(), Said(), Settling()
    made = MemoryStore(loop.time, unix) if store is None else store
    table = dispatch(
        [provider("p", "anthropic", retries=0), provider("q", "anthropic", retries=0)],
        [target("one", 0, price=price), target("two", 1, price=price)],
    )
    table = msgspec.structs.replace(table, settings=Declared(**declared), slots=list(slots))
    served = gateway(policy(table), said, http=Scripted(scripts))
    till = Till(
        store=made,
        settling=settling,
        log=Log(write=said.write, clock=lambda: NOON),
        metrics=served.metrics,
        expected=Expected(),
        clock=unix,
    )
    return Lab(replace(served, meter=meter_of(table, till)), made, settling, said)


def in_time(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    run(main())


def answers(count: int) -> list[Script]:
    return [whole(MESSAGE) for _ in range(count)]


@dataclass
class Shaky:
    """A store in memory whose operations named in `down` fail; in `deaf` they act, and fail."""

    inner: MemoryStore
    down: set[str] = field(default_factory=set)
    deaf: set[str] = field(default_factory=set)

    def _check(self, name: str) -> None:
        if name in self.down:
            raise StoreDown("no answer")

    def _heard(self, name: str) -> None:
        if name in self.deaf:
            raise StoreDown("no answer")

    async def take(self, windows: Sequence[Window]) -> Taken:
        self._check("take")
        return await self.inner.take(windows)

    async def correct(self, windows: Sequence[Window]) -> None:
        self._check("correct")
        await self.inner.correct(windows)

    async def reserve(
        self, reservation: str, accounts: Sequence[Account], expires: float
    ) -> Reserved:
        self._check("reserve")
        made = await self.inner.reserve(reservation, accounts, expires)
        self._heard("reserve")
        return made

    async def settle(self, reservation: str, accounts: Sequence[Account]) -> Settled:
        self._check("settle")
        made = await self.inner.settle(reservation, accounts)
        self._heard("settle")
        return made

    async def balances(self, keys: Sequence[str]) -> tuple[Balance, ...]:
        self._check("balances")
        return await self.inner.balances(keys)

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        return await self.inner.get(keys)

    async def put(self, values: Mapping[str, bytes], ttl: float, room: int | None = None) -> None:
        await self.inner.put(values, ttl, room)

    async def delete(self, keys: Sequence[str]) -> int:
        return await self.inner.delete(keys)

    async def ping(self) -> None:
        self._check("ping")

    async def close(self) -> None:
        await self.inner.close()


def shaky() -> Shaky:
    return Shaky(MemoryStore(asyncio.get_running_loop().time, unix))
