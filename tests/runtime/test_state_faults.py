"""What stores do where one operation cannot be done, and where the disk or the memory is full."""

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from lynkrc_runtime.state.guarded import CLOSE_WITHIN, PROBE_EVERY, Guarded, Health
from lynkrc_runtime.state.interface import Account, Balance, Settled, Store, StoreDown, Window
from lynkrc_runtime.state.memory import MemoryStore
from lynkrc_runtime.state.redis import RedisStore
from lynkrc_runtime.state.sqlite import SqliteStore
from lynkrc_runtime.telemetry.log import Log
from tests.e2e.gateway import PATIENCE, environment
from tests.redis_server import RedisServer, redis_server
from tests.runtime.virtual_time import run

RATE = [Window(key="rate:a", limit=5, within=60, amount=5)]
FULL = """
import asyncio, resource, sys
from pathlib import Path
from lynkrc_runtime.state.interface import Account, StoreDown
from lynkrc_runtime.state.sqlite import SqliteStore

async def main():
    store = SqliteStore(Path(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
    settled = 0
    try:
        for number in range(10_000):
            account = Account(key="a", limit=100, amount=7, until=4e9)
            await store.settle(f"r{number}", [account])
            settled += 1
    except StoreDown:
        print(settled)
    try:
        for _ in range(100):  # a little more may fit
            await store.ping()
    except StoreDown:
        print("down")
    await store.close()

asyncio.run(main())
"""


def spent(amount: int, key: str = "a") -> list[Account]:
    return [Account(key=key, limit=100, amount=amount, until=4e9)]


class Picky(MemoryStore):
    """A store that refuses some settlements, or all operations."""

    refused: str = ""
    is_down = False

    async def settle(self, reservation: str, accounts: Sequence[Account]) -> Settled:
        if self.is_down:
            raise StoreDown("it is away")
        if reservation == self.refused:
            raise StoreDown("that is no number", is_alone=True)
        return await super().settle(reservation, accounts)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as running:
        yield running


def guarded(store: Store, *, closed: bool = True) -> tuple[Guarded, Health, list[str]]:
    health, lines = Health(is_closed=closed), list[str]()
    return Guarded(store, health, Log(write=lines.append)), health, lines


def test_a_settlement_that_is_refused_keeps_no_other_waiting() -> None:
    async def refused() -> None:
        store = Picky()
        guard, health, lines = guarded(store)
        store.refused = "odd"
        await guard.settle("odd", spent(1))
        assert health.is_up and health.waiting == 1, "the store is not down for it"
        store.is_down = True
        await guard.settle("later", spent(2))
        store.is_down = False
        await asyncio.sleep(3 * PROBE_EVERY)
        assert health.is_up and health.waiting == 1
        assert (await guard.balances(["a"]))[0].spent == 2
        store.refused = ""
        await asyncio.sleep(2 * PROBE_EVERY)
        assert health.waiting == health.lost == 0
        assert (await guard.balances(["a"]))[0].spent == 3
        store.refused = "odd too"
        await guard.settle("odd too", spent(4))
        began = asyncio.get_running_loop().time()
        await guard.close()
        assert asyncio.get_running_loop().time() - began < 1, "no wait makes it another"
        assert health.lost == 1 and "settlements-lost" in lines[-1]

    run(refused())


def test_what_waits_at_the_end_is_made_when_the_store_comes_back_in_time() -> None:
    async def ended(seconds: float) -> tuple[int, int]:
        store = Picky()
        guard, health, _ = guarded(store)
        store.is_down = True
        for number in range(3):
            await guard.settle(f"r{number}", spent(5))

        def back() -> None:
            store.is_down = False

        asyncio.get_running_loop().call_later(seconds, back)
        await guard.close()
        return (await store.balances(["a"]))[0].spent, health.lost

    assert run(ended(CLOSE_WITHIN / 2)) == (15, 0)
    assert run(ended(CLOSE_WITHIN * 2)) == (0, 3)


async def test_what_cannot_be_written_takes_no_other_along(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    odd = [("big", spent(2**70)), ("broken", spent(1, "\ud800"))]
    good = [(f"r{number}", spent(5)) for number in range(20)]
    asked = [*good[:10], *odd, *good[10:]]
    made = await asyncio.gather(
        *(store.settle(name, accounts) for name, accounts in asked), return_exceptions=True
    )
    for (name, _), answer in zip(asked, made, strict=True):
        if name in ("big", "broken"):
            assert isinstance(answer, StoreDown) and answer.is_alone
        else:
            assert isinstance(answer, Settled)
    assert (await store.balances(["a"]))[0].spent == 100
    await store.close()


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_a_clock_that_is_set_back_blocks_for_the_time_of_a_window_at_most(
    tmp_path: Path, kind: str
) -> None:
    moved = [7200.0]
    with redis_server(tmp_path) as server:
        store: Store = (
            SqliteStore(tmp_path / "state.db", lambda: time.time() + moved[0])
            if kind == "sqlite"
            else RedisStore(server.url, lambda: moved[0])
        )
        assert (await store.take(RATE)).over is None
        moved[0] -= 50.0
        refused = await store.take(RATE)
        assert refused.over == 0 and refused.wait is not None and refused.wait < 120
        moved[0] = 0.0
        assert (await store.take(RATE)).over is None, "hours ahead is no count of this minute"
        assert (await store.take(RATE)).over == 0
        await store.close()


def test_a_full_disk_is_a_store_that_is_down_with_all_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    settled, down = done.stdout.split()
    assert int(settled) > 20 and down == "down", done.stderr
    with sqlite3.connect(path) as direct:
        assert direct.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert direct.execute("SELECT spent FROM accounts").fetchall() == [(7 * int(settled),)]
    direct.close()


def full(client: "Redis[Any]") -> None:
    client.config_set("maxmemory", "1")


def freed(client: "Redis[Any]") -> None:
    client.config_set("maxmemory", "0")


def replica(client: "Redis[Any]") -> None:
    client.replicaof("127.0.0.1", "1")


def primary(client: "Redis[Any]") -> None:
    client.replicaof("no", "one")


def locked(client: "Redis[Any]") -> None:
    client.config_set("requirepass", "another-one")
    client.client_kill_filter(_type="normal", skipme=True)


def unlocked(client: "Redis[Any]") -> None:
    client.config_set("requirepass", "planted-secret-of-redis")


@pytest.mark.parametrize(
    "breaks, mends, says",
    [
        (full, freed, "maxmemory"),
        (replica, primary, "read only replica"),
        (locked, unlocked, "closed"),
    ],
    ids=["out-of-memory", "replica", "password"],
)
async def test_a_redis_that_answers_and_does_not_work_is_down_until_it_does(
    server: RedisServer, breaks: Any, mends: Any, says: str
) -> None:
    guard, health, lines = guarded(RedisStore(server.url))
    with Redis.from_url(server.url) as client:
        await guard.reserve("r1", spent(5), 600)
        breaks(client)
        with pytest.raises(StoreDown) as told:
            for _ in range(5):
                await guard.reserve("r2", spent(5), 600)
        assert says in str(told.value) and server.password not in str(told.value)
        await guard.settle("r1", spent(3))
        await asyncio.sleep(2.2 * PROBE_EVERY)
        assert not health.is_up and health.waiting == 1
        assert sum("store-up" in line for line in lines) == 0, "it was not up in between"
        mends(client)
        async with asyncio.timeout(PATIENCE):
            while not health.is_up:
                await asyncio.sleep(0.02)
    assert (await guard.balances(["a"]))[0] == Balance(spent=3, reserved=0)
    assert health.lost == 0
    await guard.close()


async def test_what_is_not_ours_under_our_keys_stops_nobody_else(server: RedisServer) -> None:
    guard, health, _ = guarded(RedisStore(server.url))
    both = [*spent(4), *spent(4, "odd")]
    await guard.reserve("r", both, 600)
    with Redis.from_url(server.url) as client:
        client.set("lynkr:a:odd", "not ours")
        with pytest.raises(StoreDown, match="WRONGTYPE"):
            await guard.reserve("other", spent(1, "odd"), 600)
        await guard.settle("r", both)
        assert health.is_up and health.waiting == 1
        await guard.settle("s", spent(2))
        assert (await guard.balances(["a"]))[0] == Balance(spent=2, reserved=4)
        client.delete("lynkr:a:odd")
    async with asyncio.timeout(PATIENCE):
        while health.waiting:
            await asyncio.sleep(0.02)
    assert await guard.balances(["a", "odd"]) == (Balance(spent=6), Balance(spent=4))
    await guard.close()
