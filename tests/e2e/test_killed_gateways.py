"""`kill -9` at random moments, again and again: what was settled stays, once, and limits hold.

What is promised of a gateway that is killed, and held against the books here:
- Nothing is counted that the upstream was not asked for, and nothing twice.
- Whatever a client was answered before its last answer of that life is counted. Only what was in
  flight can be missing: the attempt that ran, and the last answer of each connection.
- What is missing stays reserved until its reservation ends, under a hard budget all of it: so until
  then such a budget holds for all that was asked for, counted or not.
- The file is whole, rates go on where they were, sessions and kept answers are there.

KILLED_LIVES sets how many gateways are killed (`make soak`).
"""

import asyncio
import os
import random
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from lynkrc_runtime.state.interface import Balance, Store
from lynkrc_runtime.state.redis import RedisStore
from lynkrc_runtime.state.sqlite import SqliteStore
from tests.e2e.killed_lab import FAILS, RATE, TIGHT, Killed, account, children, killed, talk
from tests.redis_server import redis_server

LIVES = int(os.environ.get("KILLED_LIVES") or 3)
"""Gateways of a test; at least two."""
EXPIRED = 3 * 3600.0
"""Seconds after which every reservation has ended."""
NAMED = {"session-id": "s-1"}
ASKS = [{"role": "user", "content": FAILS}]
GOES_ON = [*ASKS, {"role": "assistant", "content": "Hello."}, {"role": "user", "content": "More"}]

Opened = Callable[[float], Store]
"""The state of killed gateways, so many seconds later."""


def of_sqlite(folder: Path) -> tuple[str, Opened]:
    path = folder / "state.db"

    def opened(later: float) -> Store:
        with sqlite3.connect(path) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        db.close()
        return SqliteStore(path, lambda: time.time() + later)

    return f'state: {{store: sqlite, path: "{path}", on_failure: closed}}\n', opened


@asynccontextmanager
async def stored(kind: str, folder: Path) -> AsyncIterator[tuple[str, dict[str, str], Opened]]:
    """The section that declares a store, its environment, and how it is looked into."""
    if kind == "sqlite":
        section, opened = of_sqlite(folder)
        yield section, {}, opened
        return
    with redis_server(folder) as server:
        section = 'state: {store: redis, url: "${REDIS_URL}", on_failure: closed}\n'
        yield (
            section,
            {"REDIS_URL": server.url},
            lambda later: RedisStore(server.url, lambda: later),
        )


async def balances(opened: Opened, later: float = 0.0) -> tuple[Balance, ...]:
    store = opened(later)
    try:
        return await store.balances([account("web", "team:web"), account("tight", "key:tight")])
    finally:
        await store.close()


async def remember(lab: Killed, url: str) -> str:
    """A session that has gone to the second target, and a kept answer; its id."""
    status, _ = await talk(
        url, "/v1/messages", {"model": "auto", "max_tokens": 60, "messages": ASKS}, NAMED
    )
    assert status == 200 and lab.books.talked == ["spare-1"]
    status, answer = await talk(url, "/v1/responses", {"model": "auto", "input": "Hi"})
    assert status == 200 and answer["store"] is True
    return str(answer["id"])


async def recall(lab: Killed, url: str, answer: str) -> None:
    """Both are there in a later life."""
    status, _ = await talk(url, f"/v1/responses/{answer}", None)
    assert status == 200
    status, _ = await talk(
        url, "/v1/messages", {"model": "auto", "max_tokens": 60, "messages": GOES_ON}, NAMED
    )
    assert status == 200 and lab.books.talked[-1] == "spare-1"


async def check(lab: Killed, opened: Opened) -> None:
    """The store against the books, once nothing runs any more."""
    web, tight = await balances(opened)
    asked = lab.books.asked
    talked = asked["talk"]
    assert web.spent <= asked.total(), "counted twice, or what nobody asked for"
    assert web.spent >= lab.sure() + talked, "more is missing than was in flight"
    assert asked["tight"] <= tight.spent + tight.reserved, "what is missing is not reserved either"
    assert tight.spent <= asked["tight"] <= TIGHT, "the hard budget was passed"
    assert lab.books.calls["rate"] <= RATE


async def check_later(opened: Opened) -> None:
    """Once all reservations have ended; what else ends by then is swept."""
    web, tight = await balances(opened, EXPIRED)
    assert (web.reserved, tight.reserved) == (0, 0), "a reservation of a dead gateway stays"


async def lives(lab: Killed, dice: random.Random, opened: Opened) -> None:
    """One gateway after the other, each killed at some moment."""
    kept = ""
    for life in range(LIVES):
        async with AsyncExitStack() as stack:
            gateway = await asyncio.to_thread(lab.start, stack)
            if life == 0:
                kept = await remember(lab, gateway.url)
            else:
                await recall(lab, gateway.url, kept)
            calls = lab.books.calls.total() + dice.randint(20, 80)
            await lab.books.until(calls)
            await asyncio.sleep(dice.random() * 0.02)
            await lab.kill(gateway)
        await check(lab, opened)


async def last(lab: Killed) -> None:
    """In the last life limits are what they were, until they are reached."""
    async with AsyncExitStack() as stack:
        gateway = await asyncio.to_thread(lab.start, stack)
        await lab.until_refused("rate", "tight")
        lab.stopped.set()
        await asyncio.sleep(0)
        assert await asyncio.to_thread(gateway.stop) == 0


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_a_gateway_is_killed_again_and_again(tmp_path: Path, kind: str) -> None:
    dice = random.Random(f"killed {kind}")
    async with (
        stored(kind, tmp_path) as (section, environ, opened),
        killed(tmp_path, section, dice, environ=environ) as lab,
    ):
        async with lab.load():
            await lives(lab, dice, opened)
            await last(lab)
        await check(lab, opened)
        await check_later(opened)


async def test_workers_are_killed_and_their_supervisor(tmp_path: Path) -> None:
    dice = random.Random("killed workers")
    section, opened = of_sqlite(tmp_path)
    arguments = ("--workers", "2")
    async with killed(tmp_path, section, dice, arguments=arguments) as lab:
        async with lab.load(), AsyncExitStack() as stack:
            gateway = await asyncio.to_thread(lab.start, stack)
            kept = await remember(lab, gateway.url)
            for _ in range(LIVES):
                await lab.books.until(lab.books.calls.total() + dice.randint(20, 60))
                os.kill(dice.choice(children(gateway.process.pid)), signal.SIGKILL)
            await recall(lab, gateway.url, kept)
            await lab.kill(gateway)
            await check(lab, opened)
            await last(lab)
        await check(lab, opened)
        await check_later(opened)
