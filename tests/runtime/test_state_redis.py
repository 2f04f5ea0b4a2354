"""A Redis store with a real server that is shared, killed, paused and brought back."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest

from lynkrc_runtime.settings import Settings, State
from lynkrc_runtime.state import redis
from lynkrc_runtime.state.guarded import Guarded, Health
from lynkrc_runtime.state.interface import Account, Balance, CannotOpen, StoreDown, Window
from lynkrc_runtime.state.open import open_stores
from lynkrc_runtime.state.redis import RedisStore
from lynkrc_runtime.telemetry.log import Log
from tests.redis_server import RedisServer, redis_server

UNTIL = 4e9


@pytest.fixture(params=[False, True], ids=["volatile", "durable"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path, durable=request.param) as running:
        yield running


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as running:
        yield running


@asynccontextmanager
async def opened(server: RedisServer) -> AsyncIterator[RedisStore]:
    store = RedisStore(server.url)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def guard(
    server: RedisServer, lines: list[str], *, closed: bool = False
) -> AsyncIterator[tuple[Guarded, Health]]:
    health = Health(is_closed=closed)
    store = Guarded(RedisStore(server.url), health, Log(write=lines.append))
    try:
        yield store, health
    finally:
        await store.close()


async def back(health: Health) -> None:
    """Until the probe has found the store."""
    async with asyncio.timeout(60):
        while not health.is_up:
            await asyncio.sleep(0.02)


def account(amount: int = 1, limit: int = 100, *, hard: bool = False) -> Account:
    return Account(key="budget:all", limit=limit, amount=amount, until=UNTIL, hard=hard)


async def test_two_gateways_enforce_one_limit_exactly(
    plain: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Hundreds of answers at once, on any machine: what is late is none of this test's.
    monkeypatch.setattr(redis, "CONNECT_WITHIN", 30.0)
    monkeypatch.setattr(redis, "ANSWER_WITHIN", 30.0)
    window = Window(key="rate:all", limit=100, within=86_400, amount=3)
    async with opened(plain) as one, opened(plain) as two:
        taken = await asyncio.gather(
            *(store.take([window]) for _ in range(100) for store in (one, two))
        )
        assert sum(answer.over is None for answer in taken) == 33
        made = await asyncio.gather(
            *(
                store.reserve(f"{name}{number}", [account(7, hard=True)], 600)
                for number in range(40)
                for name, store in (("a", one), ("b", two))
            )
        )
        assert sum(answer.over is None for answer in made) == 14
        assert await one.balances(["budget:all"]) == (Balance(reserved=98),)
        for name, store in (("a", one), ("b", two), ("a", two)):
            await asyncio.gather(
                *(store.settle(f"{name}{number}", [account(5)]) for number in range(40))
            )
        assert await two.balances(["budget:all"]) == (Balance(spent=400),)


async def test_scripts_are_told_again_after_a_restart(server: RedisServer) -> None:
    async with opened(server) as store:
        await store.settle("r1", [account(5)])
        server.kill()
        with pytest.raises(StoreDown, match=r"redis at 127.0.0.1:\d+: "):
            await store.settle("r2", [account(5)])
        server.start()
        settled = await store.settle("r3", [account(5)])
        assert settled.balances == (Balance(spent=10 if server.durable else 5),)
        again = await store.settle("r1", [account(5)])
        assert again.again is server.durable


async def test_what_was_acknowledged_survives_kill_9_where_redis_is_durable(
    tmp_path: Path,
) -> None:
    with redis_server(tmp_path, durable=True) as server:
        async with opened(server) as store:
            acknowledged: list[str] = []

            async def settle(lane: int) -> str:
                """Until the server is gone: the settlement nobody knows the fate of."""
                for number in count():
                    name = f"{lane}-{number}"
                    try:
                        await store.settle(name, [account(3)])
                    except StoreDown:
                        return name
                    acknowledged.append(name)
                    if len(acknowledged) == 200:
                        server.kill()
                return ""

            unknown = await asyncio.gather(*(settle(lane) for lane in range(4)))
            server.start()
            for name in acknowledged:
                assert (await store.settle(name, [account(3)])).again
            for name in unknown:
                await store.settle(name, [account(3)])
            (balance,) = await store.balances(["budget:all"])
            assert balance.spent == 3 * (len(acknowledged) + 4)


async def test_a_paused_server_is_down_in_time_and_a_late_reservation_holds_nothing(
    plain: RedisServer,
) -> None:
    lines: list[str] = []
    async with opened(plain) as direct, guard(plain, lines) as (store, health):
        await store.reserve("r1", [account(5)], 600)
        plain.pause()
        late = await store.reserve("r2", [account(50)], 600)
        assert late.balances == (Balance(),)
        assert not health.is_up
        await asyncio.gather(*(store.settle(f"r{n}", [account(4)]) for n in (1, 2, 3)))
        plain.resume()
        await back(health)
        assert await direct.balances(["budget:all"]) == (Balance(spent=12),)
    assert "planted-secret" not in "".join(lines)


async def test_a_settlement_whose_answer_was_lost_counts_once(plain: RedisServer) -> None:
    async with opened(plain) as direct, guard(plain, []) as (store, health):
        await store.ping()
        plain.pause()
        # Sent, and in the server's socket: it is made when the server wakes, and asked for again.
        await store.settle("r1", [account(9)])
        assert health.waiting == 1
        plain.resume()
        await back(health)
        assert await direct.balances(["budget:all"]) == (Balance(spent=9),)
        assert (await direct.settle("r1", [account(9)])).again


@pytest.mark.parametrize("closed", [False, True])
async def test_a_server_that_dies_and_comes_back(plain: RedisServer, closed: bool) -> None:
    lines: list[str] = []
    async with guard(plain, lines, closed=closed) as (store, health):
        await store.settle("r0", [account(50)])
        plain.kill()
        if closed:
            with pytest.raises(StoreDown):
                await store.reserve("r1", [account()], 600)
        else:
            assert (await store.reserve("r1", [account(10**6)], 600)).over is None
        for number in range(100):
            await store.settle(f"s{number}", [account(2)])
        plain.start()
        await back(health)
        # It had kept nothing on its disk: what it lost is lost, what waited is not.
        assert await store.balances(["budget:all"]) == (Balance(spent=200),)
        assert health.lost == health.waiting == 0
    assert [line.count('"store-down"') for line in lines] == [1, 0]
    assert '"store-up"' in lines[1]


async def test_no_password_and_no_url_in_what_is_said(
    plain: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = plain.url.replace("planted-secret-of-redis", "planted%21wrong")
    for url in (wrong, plain.url.replace(str(plain.port), "1")):
        store = RedisStore(url)
        with pytest.raises(StoreDown) as down:
            await store.ping()
        assert "planted" not in str(down.value)
        assert down.value.__cause__ is None
        await store.close()
    for broken in ("redis://:planted@host:port/0", "http://planted@x", "redis://[planted"):
        settings = Settings(state=State(store="redis", url="${THE_URL}"))
        with pytest.raises(CannotOpen) as refused:
            open_stores(settings, {"THE_URL": broken}, Log(write=lambda _: None))
        assert "planted" not in str(refused.value)
    with pytest.raises(CannotOpen, match="THE_URL, which is not set"):
        open_stores(settings, {}, Log(write=lambda _: None))


async def test_a_dead_server_at_start_is_down_and_comes_back(plain: RedisServer) -> None:
    plain.kill()
    settings = Settings(state=State(store="redis", url=plain.url, on_failure="closed"))
    lines: list[str] = []
    stores = open_stores(settings, {}, Log(write=lines.append))
    assert stores.kept is stores.state
    await stores.look()
    assert (stores.status, stores.down) == ("unavailable", ["store redis"])
    plain.start()
    await back(stores.healths["redis"])
    assert (stores.status, stores.down) == ("ready", [])
    await stores.close()
