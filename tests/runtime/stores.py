"""A store of each kind with a clock that tests move, for cases that hold for all of them."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis

from lynkrc_runtime.state.interface import Store
from lynkrc_runtime.state.memory import MemoryStore
from lynkrc_runtime.state.redis import RedisStore
from lynkrc_runtime.state.sqlite import SqliteStore
from tests.redis_server import RedisServer

UNIX = 1_750_000_000.0


@dataclass(frozen=True, slots=True)
class Bench:
    """A store; `passes` lets seconds pass for it, and `now` is its time of day."""

    store: Store
    passes: Callable[[float], Awaitable[None]]
    now: Callable[[], float]


@asynccontextmanager
async def memory(_: Path, __: object) -> AsyncIterator[Bench]:
    clock = [0.0]

    async def passes(seconds: float) -> None:
        clock[0] += seconds

    def now() -> float:
        return UNIX + clock[0]

    yield Bench(MemoryStore(lambda: clock[0], now), passes, now)


@asynccontextmanager
async def sqlite(folder: Path, _: object) -> AsyncIterator[Bench]:
    clock = [UNIX]

    async def passes(seconds: float) -> None:
        clock[0] += seconds

    store = SqliteStore(folder / "state.db", lambda: clock[0])
    yield Bench(store, passes, lambda: clock[0])
    await store.close()


@asynccontextmanager
async def redis(_: Path, server: RedisServer) -> AsyncIterator[Bench]:
    """Redis' time cannot be moved: its scripts add to it, and what has an end comes nearer it.

    A slice begins as the case does: by the time of day a second would end in the middle of some.
    """
    moved = [UNIX - time.time()]
    client: Redis = Redis.from_url(server.url)
    await client.flushall()

    async def passes(seconds: float) -> None:
        moved[0] += seconds
        async for key in client.scan_iter():
            left = await client.pttl(key)
            assert left > 0, f"{key!r} has no end"
            await client.pexpire(key, left - int(seconds * 1000))

    with pytest.MonkeyPatch.context() as patch:
        # Many answers at once, on any machine: what is late is none of these cases'.
        for name in ("CONNECT_WITHIN", "ANSWER_WITHIN"):
            patch.setattr(f"lynkrc_runtime.state.redis.{name}", 30.0)
        store = RedisStore(server.url, lambda: moved[0])
        yield Bench(store, passes, lambda: time.time() + moved[0])
        await store.close()
    await client.aclose()


OPEN = {"memory": memory, "sqlite": sqlite, "redis": redis}
