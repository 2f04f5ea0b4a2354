"""CPU a request of what a store is asked, by the kind of store, as a multiple of the one in memory.

A session is read and written; a rate is counted, money is set aside and settled, tokens corrected.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from lynkrc_runtime.state.interface import Account, Store, Window
from lynkrc_runtime.state.memory import MemoryStore
from lynkrc_runtime.state.sqlite import SqliteStore

ROUNDS, REQUESTS = 5, 200
MONTH = 4e9
MEMORY = b"m" * 60
"""About what is remembered of a session."""


async def session(store: Store, number: int) -> None:
    key = f"session:{number % 50:032x}"
    await store.get((key,))
    await store.put({key: MEMORY}, 3600.0)


async def meter(store: Store, number: int) -> None:
    rate = Window(key="rate:ci", limit=10**9, within=60.0, amount=1)
    tokens = Window(key="tokens:ci", limit=10**12, within=60.0, amount=500)
    taken = await store.take((rate, tokens))
    assert taken.over is None
    account = Account(key="budget:ci", limit=10**12, amount=60, until=MONTH)
    await store.reserve(f"r{number}", (account,), 60.0)
    await store.settle(f"r{number}", (account,))
    await store.correct((Window(key="tokens:ci", limit=10**12, within=60.0, amount=-100),))


async def cpu(store: Store, ask: Callable[[Store, int], Awaitable[None]], first: int) -> float:
    """Microseconds of this process, threads included, a request."""
    before = time.process_time()
    for number in range(first, first + REQUESTS):
        await ask(store, number)
    return (time.process_time() - before) / REQUESTS * 1e6


@pytest.mark.parametrize("ask", [session, meter])
def test_what_a_store_costs_a_request(
    tmp_path: Path, ask: Callable[[Store, int], Awaitable[None]]
) -> None:
    async def measured() -> tuple[list[float], list[float]]:
        memory, sqlite = MemoryStore(), SqliteStore(tmp_path / "state.db")
        here, there = [], []
        try:
            for number in range(ROUNDS):
                here.append(await cpu(memory, ask, number * REQUESTS))
                there.append(await cpu(sqlite, ask, number * REQUESTS))
        finally:
            await sqlite.close()
        return here, there

    here, there = asyncio.run(measured())
    ratios = [one / other for one, other in zip(there, here, strict=True)]
    print(
        f"\n{ask.__name__}: memory {statistics.median(here):.0f} us, "
        f"sqlite {statistics.median(there):.0f} us, ratio {statistics.median(ratios):.1f} "
        f"({min(ratios):.1f}..{max(ratios):.1f})"
    )
    assert statistics.median(ratios) > 0
