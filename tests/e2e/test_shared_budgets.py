"""Gateways on one Redis under concurrent load: limits and budgets hold exactly, by what Redis says.

Two replicas, or two workers of one gateway. Redis dies, or hangs, in the middle of it: what was
asked for while it was away is counted when it is back, once.
"""

import asyncio
import random
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from lynkrc_runtime.state.interface import Balance
from lynkrc_runtime.state.redis import RedisStore
from tests.e2e.gateway import PATIENCE
from tests.e2e.killed_lab import INPUT, OUTPUT, RATE, TIGHT, Killed, account, killed
from tests.redis_server import RedisServer, redis_server

KEYS = ("tight", "tight", "tight", "tight", "rate", "rate", "rate", "load", "load")
MOST = INPUT + 60 * OUTPUT + 200
"""Micro-dollars that a hard budget sets aside for a request, at most."""
AWAY = 1.5
"""Seconds for which Redis is away."""


def section(on_failure: str) -> str:
    return f'state: {{store: redis, url: "${{REDIS_URL}}", on_failure: {on_failure}}}\n'


async def balances(server: RedisServer) -> tuple[Balance, ...]:
    store = RedisStore(server.url)
    try:
        return await store.balances([account("web", "team:web"), account("tight", "key:tight")])
    finally:
        await store.close()


async def check(lab: Killed, server: RedisServer) -> None:
    """Every micro-dollar that was asked for is in Redis, once, and nothing is held any more."""
    web, tight = await balances(server)
    assert (web.reserved, tight.reserved) == (0, 0)
    assert (web.spent, tight.spent) == (lab.books.asked.total(), lab.books.asked["tight"])
    told = [status for client in lab.clients for status in client.refused]
    assert set(told) <= {429, 529}


def refused(lab: Killed) -> int:
    """How often a gateway did not serve because of its store."""
    return sum(client.refused[529] for client in lab.clients)


@pytest.mark.parametrize("replicas, workers", [(2, "1"), (1, "2")])
async def test_what_is_shared_is_exact(tmp_path: Path, replicas: int, workers: str) -> None:
    dice = random.Random(replicas)
    with redis_server(tmp_path) as server:
        async with (
            killed(
                tmp_path,
                section("closed"),
                dice,
                arguments=("--workers", workers),
                environ={"REDIS_URL": server.url},
                keys=KEYS,
            ) as lab,
            AsyncExitStack() as stack,
        ):
            gateways = [await asyncio.to_thread(lab.start, stack) for _ in range(replicas)]
            async with lab.load():
                await lab.until_refused("tight", "rate")
            for gateway in gateways:
                assert await asyncio.to_thread(gateway.stop) == 0
            await check(lab, server)
            assert lab.books.calls["rate"] == RATE
            assert TIGHT - MOST < lab.books.asked["tight"] <= TIGHT


@pytest.mark.parametrize(
    "fault, on_failure", [("dies", "closed"), ("dies", "open"), ("hangs", "closed")]
)
async def test_redis_is_away_for_a_while(tmp_path: Path, fault: str, on_failure: str) -> None:
    dice = random.Random(fault)
    with redis_server(tmp_path, durable=True) as server:
        async with (
            killed(
                tmp_path,
                section(on_failure),
                dice,
                environ={"REDIS_URL": server.url},
                keys=KEYS,
            ) as lab,
            AsyncExitStack() as stack,
        ):
            gateways = [await asyncio.to_thread(lab.start, stack) for _ in range(2)]
            async with lab.load():
                await lab.books.until(40)
                await asyncio.to_thread(server.kill if fault == "dies" else server.pause)
                await asyncio.sleep(AWAY)
                if on_failure == "open":
                    await lab.books.until(lab.books.calls.total() + 20)
                else:
                    async with asyncio.timeout(PATIENCE):
                        while not refused(lab):
                            await asyncio.sleep(0.02)
                await asyncio.to_thread(server.start if fault == "dies" else server.resume)
                await lab.books.until(lab.books.calls.total() + 40)
            for gateway in gateways:
                assert await asyncio.to_thread(gateway.stop) == 0
                lost = [line for line in gateway.lines if "lost" in line["event"]]
                assert not [line for line in lost if line["event"] != "correction-lost"]
            await check(lab, server)
            if on_failure == "closed":
                assert lab.books.calls["rate"] <= RATE
                assert lab.books.asked["tight"] <= TIGHT
            else:
                assert not refused(lab), "an open gateway serves without its store"
