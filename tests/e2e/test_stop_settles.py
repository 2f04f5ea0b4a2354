"""SIGTERM with settlements under way to a store that is slow: all are made before the exit."""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from lynkrc_runtime.state.interface import Balance, Store
from lynkrc_runtime.state.redis import RedisStore
from lynkrc_runtime.state.sqlite import SqliteStore
from tests.e2e.gateway import PATIENCE, built, serving
from tests.e2e.held_upstream import HeldUpstream, held_upstream
from tests.e2e.killed_lab import KEYS, SPEC, account
from tests.e2e.one_month import begin_in_one_month
from tests.redis_server import redis_server

COUNT = 12
COST = 120 * 3 + 30 * 3 + 17 * 10
"""Micro-dollars of what the held upstream says."""
SLOW = 1.5
"""Seconds for which the store answers nothing after the gateway was told to stop."""


@dataclass
class Slow:
    """A store that can be made to wait, and what a gateway needs to use it."""

    section: str
    environ: dict[str, str]
    opened: Callable[[], Store]
    pause: Callable[[], None]
    resume: Callable[[], None]


@asynccontextmanager
async def slow(kind: str, folder: Path) -> AsyncIterator[Slow]:
    if kind == "redis":
        with redis_server(folder) as server:
            yield Slow(
                section='state: {store: redis, url: "${REDIS_URL}", on_failure: closed}\n',
                environ={"REDIS_URL": server.url},
                opened=lambda: RedisStore(server.url),
                pause=server.pause,
                resume=server.resume,
            )
        return
    path = folder / "state.db"
    await SqliteStore(path).close()
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    yield Slow(
        section=f'state: {{store: sqlite, path: "{path}", on_failure: closed}}\n',
        environ={},
        opened=lambda: SqliteStore(path),
        pause=lambda: holder.execute("BEGIN IMMEDIATE") and None,
        resume=lambda: holder.execute("ROLLBACK") and None,
    )
    holder.close()


async def asked(url: str, number: int) -> int:
    """One request, streamed or not, to its end; its status."""
    body = {
        "model": "auto",
        "max_tokens": 60,
        "stream": bool(number % 2),
        "messages": [{"role": "user", "content": "Hello"}],
    }
    headers = {"x-api-key": KEYS["load"], "session-id": f"s-{number}"}
    async with (
        ClientSession() as session,
        session.post(url + "/v1/messages", json=body, headers=headers) as answer,
    ):
        content = await answer.read()
    assert b"event: error" not in content
    return answer.status


async def until_stopping(lines: Callable[[], list[dict[str, Any]]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not [line for line in lines() if line["event"] == "stopping"]:
            await asyncio.sleep(0.02)


async def load(upstream: HeldUpstream, url: str, made: Slow) -> None:
    """Answers that are whole at their clients, and cannot be settled yet."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(asked(url, number)) for number in range(COUNT)]
        await upstream.wait_for_held(COUNT)
        await asyncio.to_thread(made.pause)
        upstream.let_go.set()
    assert [task.result() for task in tasks] == [200] * COUNT


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_all_is_settled_before_the_exit(tmp_path: Path, kind: str, workers: str) -> None:
    await asyncio.to_thread(begin_in_one_month)
    async with slow(kind, tmp_path) as made, held_upstream() as upstream:
        spec = tmp_path / "routing.yaml"
        spec.write_text(SPEC + made.section)
        bundle = await asyncio.to_thread(built, spec, tmp_path, "killed")
        environ = {"FAR_URL": upstream.url, "FAR_KEY": "far-secret", **made.environ}
        with serving(bundle, tmp_path / "log", ["--workers", workers], environ) as gateway:
            await load(upstream, gateway.url, made)
            gateway.process.send_signal(signal.SIGTERM)
            await until_stopping(lambda: gateway.lines)
            await asyncio.sleep(SLOW)
            assert gateway.process.poll() is None, "it waits for the store"
            await asyncio.to_thread(made.resume)
            assert await asyncio.to_thread(gateway.process.wait, PATIENCE) == 0
            events = [line["event"] for line in gateway.lines]
            assert "settlement-lost" not in events and "settlements-lost" not in events
        store = made.opened()
        assert await store.balances([account("web", "team:web")]) == (
            Balance(spent=COUNT * COST, reserved=0),
        )
        await store.close()
