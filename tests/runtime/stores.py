"""A store of each kind with a clock that tests move, for cases that hold for all of them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from lynkrc_runtime.state.interface import Store
from lynkrc_runtime.state.memory import MemoryStore
from lynkrc_runtime.state.sqlite import SqliteStore

UNIX = 1_750_000_000.0


@dataclass(frozen=True, slots=True)
class Bench:
    """A store; `passes` lets seconds pass for it, and `now` is its time of day."""

    store: Store
    passes: Callable[[float], Awaitable[None]]
    now: Callable[[], float]


@asynccontextmanager
async def memory(_: Path) -> AsyncIterator[Bench]:
    clock = [0.0]

    async def passes(seconds: float) -> None:
        clock[0] += seconds

    def now() -> float:
        return UNIX + clock[0]

    yield Bench(MemoryStore(lambda: clock[0], now), passes, now)


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[Bench]:
    clock = [UNIX]

    async def passes(seconds: float) -> None:
        clock[0] += seconds

    store = SqliteStore(folder / "state.db", lambda: clock[0])
    yield Bench(store, passes, lambda: clock[0])
    await store.close()
