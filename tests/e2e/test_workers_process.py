"""Several workers behind one address: reloads, deaths, restarts and stops under requests."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession, TCPConnector

from lynkrc_runtime.server.doors import PEER
from lynkrc_runtime.settings import (
    Budget,
    Limit,
    Reload,
    ResponsesStore,
    Server,
    Sessions,
    Settings,
)
from tests.e2e import versions
from tests.e2e.gateway import PATIENCE, GatewayProcess, refused, serving
from tests.e2e.held_upstream import held_upstream, is_whole
from tests.e2e.socket_lab import exchange
from tests.runtime.by_hand import body

JSON = {"content-type": "application/json"}
TWO = ("--workers", "2")


def children(parent: int) -> list[int]:
    """The processes a process has started."""
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(word) for word in text.split()]


def operate(gateway: GatewayProcess, what: str, status: int = 200) -> Any:
    answer = exchange(gateway.admin, "POST", f"/v1/admin/{what}", b"", JSON)
    assert answer.status == status, answer.body
    return answer.json


def readiness(gateway: GatewayProcess) -> tuple[int, Any]:
    answer = exchange(gateway.admin, "GET", "/health/ready", None, {})
    return answer.status, answer.json


async def until_ready(gateway: GatewayProcess) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await asyncio.to_thread(readiness, gateway))[1]["status"] != "ready":
            await asyncio.sleep(0.02)


def metric(gateway: GatewayProcess, name: str) -> float:
    text = exchange(gateway.admin, "GET", "/metrics", None, {}).body.decode()
    lines = [line for line in text.splitlines() if line.startswith(name)]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


class Load:
    """Requests one after the other on each of some connections; nothing is tried again."""

    def __init__(self, gateway: GatewayProcess, session: ClientSession, *, fresh: bool) -> None:
        self._url = gateway.url + "/v1/messages"
        self._session = session
        self._headers = JSON | ({"connection": "close"} if fresh else {})
        self.served = 0
        self.lost = 0
        self.stop = False

    async def run(self) -> None:
        while not self.stop:
            try:
                async with self._session.post(
                    self._url, data=body(stream=bool(self.served % 2)), headers=self._headers
                ) as answer:
                    content = await answer.read()
                    assert answer.status == 200, content
                    number = versions.number_of(answer.headers["x-lynkr-bundle"])
                    assert answer.headers["x-lynkr-model"] == f"model-{number}"
                self.served += 1
            except ClientError:
                self.lost += 1
            # As many as come in a minute of a busy team; the machine has other work.
            await asyncio.sleep(0.03)


@asynccontextmanager
async def under_load(gateway: GatewayProcess) -> AsyncIterator[tuple[Load, ...]]:
    """Clients that keep their connections and clients that do not, until the block ends."""
    async with ClientSession(connector=TCPConnector(limit=0)) as session:
        loads = tuple(Load(gateway, session, fresh=bool(n % 2)) for n in range(4))
        async with asyncio.TaskGroup() as group:
            for load in loads:
                group.create_task(load.run())
            try:
                await more(loads, 5)
                yield loads
                await more(loads, 5)
            finally:
                for load in loads:
                    load.stop = True


async def more(loads: Iterable[Load], count: int) -> None:
    """Until each has been served so many times more."""
    wanted = [(load, load.served + count) for load in loads]
    async with asyncio.timeout(PATIENCE):
        while any(load.served < number for load, number in wanted):
            await asyncio.sleep(0.01)


async def test_two_workers_answer_as_one(tmp_path: Path) -> None:
    made = versions.write(tmp_path, 1)
    with serving(made, tmp_path / "log", TWO, is_forked=False) as gateway:
        assert gateway.ready["workers"] == 2
        status, told = readiness(gateway)
        assert (status, told["status"]) == (200, "ready")
        assert told["workers"] == {"wanted": 2, "ready": 2}
        async with under_load(gateway) as loads:
            pass
        served = sum(load.served for load in loads)
        assert metric(gateway, "lynkr_requests_total") == served
        assert metric(gateway, "lynkr_workers ") == 2
        asked = exchange(
            gateway.url, "POST", "/v1/messages", body(), JSON | {"x-lynkr-explain": "1"}
        )
        if "x-lynkr-trace-id" in asked.headers:
            path = f"/routing/trace/{asked.headers['x-lynkr-trace-id']}"
            assert exchange(gateway.admin, "GET", path, None, {}).status == 200
        assert exchange(gateway.admin, "GET", "/routing/table", None, {}).body == b"one row\n"
        assert exchange(gateway.admin, "GET", "/routing/trace/none", None, {}).status == 404
        told = exchange(gateway.admin, "GET", "/metrics", None, {PEER: "10.1.2.3"})
        assert told.status == 200, "whence an operator comes is not the operator's to say"
        foreign = {"host": "evil.example"} | JSON
        for method, path in (("GET", "/metrics"), ("POST", "/v1/admin/reload")):
            answer = exchange(
                gateway.admin, method, path, b"" if method == "POST" else None, foreign
            )
            assert answer.status == 403
        workers = children(gateway.process.pid)
        assert len(workers) == 2
        assert await asyncio.to_thread(gateway.stop) == 0
        assert len(gateway.requests) == served + 1


async def test_a_reload_is_of_all_workers_or_none(tmp_path: Path) -> None:
    with serving(versions.write(tmp_path, 1), tmp_path / "log", TWO) as gateway:
        async with under_load(gateway) as loads:
            for number in range(2, 6):
                versions.write(tmp_path, number)
                told = await asyncio.to_thread(operate, gateway, "reload")
                assert told["new"] == versions.digest(number)
                await more(loads, 2)
            assert (await asyncio.to_thread(operate, gateway, "reload"))["result"] == "unchanged"
            versions.write(tmp_path, 9, api_key="${NOBODY_SET_THIS}", upstream="http://far.test")
            told = await asyncio.to_thread(operate, gateway, "reload", 409)
            assert "NOBODY_SET_THIS" in told["reason"]
            assert told["new"] == versions.digest(5)
            await more(loads, 2)
        assert sum(load.lost for load in loads) == 0
        status, told = readiness(gateway)
        assert (status, told["status"], told["bundle"]) == (200, "degraded", versions.digest(5))
        assert metric(gateway, "lynkr_reload_failed") == 1
        made = tmp_path / "by-hand.lynkr"
        made.write_bytes(made.read_bytes()[:-40])
        reason = operate(gateway, "reload", 409)["reason"]
        assert str(made) in reason and "zip" in reason
        # A worker that is started now begins with the last good bundle, not with what lies there.
        os.kill(children(gateway.process.pid)[0], signal.SIGKILL)
        async with asyncio.timeout(PATIENCE):
            while metric(gateway, "lynkr_workers ") != 2:
                await asyncio.sleep(0.02)
        async with under_load(gateway) as loads:
            pass
        assert await asyncio.to_thread(gateway.stop) == 0


async def test_a_killed_worker_loses_its_own_requests_alone(tmp_path: Path) -> None:
    async with held_upstream() as upstream:
        made = versions.write(tmp_path, 1, upstream.url)
        with serving(made, tmp_path / "log", TWO) as gateway:
            async with ClientSession(connector=TCPConnector(limit=0)) as session:

                async def ask() -> bool:
                    try:
                        async with session.post(
                            gateway.url + "/v1/messages", data=body(stream=True), headers=JSON
                        ) as answer:
                            return is_whole(await answer.read(), 1)
                    except ClientError:
                        return False

                asked = [asyncio.create_task(ask()) for _ in range(40)]
                await upstream.wait_for_held(40)
                victim = children(gateway.process.pid)[0]
                os.kill(victim, signal.SIGKILL)
                async with asyncio.timeout(PATIENCE):
                    while victim in children(gateway.process.pid):
                        await asyncio.sleep(0.01)
                await until_ready(gateway)
                upstream.let_go.set()
                whole = await asyncio.gather(*asked)
                assert all(await asyncio.gather(*(ask() for _ in range(20))))
            assert metric(gateway, "lynkr_worker_deaths_total") == 1
            assert [line["code"] for line in gateway.lines if line["event"] == "worker-died"] == [
                -signal.SIGKILL
            ]
            assert await asyncio.to_thread(gateway.stop) == 0
            # The other worker's, and nobody else's, were served to their end.
            assert sum(whole) + 20 == len(gateway.requests)
            assert {line["class"] for line in gateway.requests} == {"served"}


async def test_a_rolling_restart_fails_no_request(tmp_path: Path) -> None:
    made = versions.write(tmp_path, 1)
    with serving(made, tmp_path / "log", (*TWO, "--stop-delay", "0.2")) as gateway:
        served = 0
        for by in ("call", "signal"):
            before = set(children(gateway.process.pid))
            async with under_load(gateway) as loads:
                if by == "call":
                    told = await asyncio.to_thread(operate, gateway, "restart")
                    assert told == {"result": "restarted"}
                else:
                    gateway.process.send_signal(signal.SIGUSR2)
                async with asyncio.timeout(PATIENCE):
                    while before & set(children(gateway.process.pid)):
                        await asyncio.sleep(0.02)
            assert sum(load.lost for load in loads) == 0
            served += sum(load.served for load in loads)
            told = metric(gateway, "lynkr_requests_total")
            assert told == served, "what the old ones counted counts"
            assert len(children(gateway.process.pid)) == 2
        assert metric(gateway, "lynkr_worker_deaths_total") == 0
        assert await asyncio.to_thread(gateway.stop) == 0


async def test_a_stop_drains_every_worker(tmp_path: Path) -> None:
    async with held_upstream() as upstream:
        made = versions.write(tmp_path, 1, upstream.url)
        with serving(made, tmp_path / "log", TWO) as gateway:
            async with ClientSession(connector=TCPConnector(limit=0)) as session:

                async def ask() -> bool:
                    async with session.post(
                        gateway.url + "/v1/messages", data=body(stream=True), headers=JSON
                    ) as answer:
                        return is_whole(await answer.read(), 1)

                asked = [asyncio.create_task(ask()) for _ in range(20)]
                await upstream.wait_for_held(20)
                gateway.process.send_signal(signal.SIGTERM)
                async with asyncio.timeout(PATIENCE):
                    while (await asyncio.to_thread(readiness, gateway))[0] != 503:
                        await asyncio.sleep(0.02)
                upstream.let_go.set()
                assert all(await asyncio.gather(*asked))
            assert await asyncio.to_thread(gateway.process.wait, PATIENCE) == 0
            assert {line["class"] for line in gateway.requests} == {"served"}


async def test_no_worker_outlives_its_supervisor(tmp_path: Path) -> None:
    with serving(versions.write(tmp_path, 1), tmp_path / "log", TWO) as gateway:
        workers = children(gateway.process.pid)
        gateway.process.kill()
        await until_gone(workers)


async def until_gone(workers: Iterable[int]) -> None:
    async with asyncio.timeout(PATIENCE):
        while any(_runs(worker) for worker in workers):
            await asyncio.sleep(0.02)


def _runs(process: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_a_second_signal_ends_the_workers_too(tmp_path: Path) -> None:
    async with held_upstream() as upstream:
        made = versions.write(tmp_path, 1, upstream.url)
        with serving(made, tmp_path / "log", TWO) as gateway:
            workers = children(gateway.process.pid)
            async with (
                ClientSession() as session,
                session.post(
                    gateway.url + "/v1/messages", data=body(stream=True), headers=JSON
                ) as answer,
            ):
                await answer.content.readany()
                gateway.process.send_signal(signal.SIGTERM)
                async with asyncio.timeout(PATIENCE):
                    while (await asyncio.to_thread(readiness, gateway))[0] != 503:
                        await asyncio.sleep(0.02)
                gateway.process.send_signal(signal.SIGTERM)
                code = await asyncio.to_thread(gateway.process.wait, PATIENCE)
                assert code == -signal.SIGTERM
            await until_gone(workers)


async def test_the_watched_path_reloads_all(tmp_path: Path) -> None:
    watched = Settings(server=Server(reload=Reload(watch=True)))
    made = versions.write(tmp_path, 1, settings=watched)
    with serving(made, tmp_path / "log", TWO) as gateway:
        versions.write(tmp_path, 2, settings=watched)
        async with asyncio.timeout(PATIENCE):
            while readiness(gateway)[1]["bundle"] != versions.digest(2):
                await asyncio.sleep(0.02)
        assert await asyncio.to_thread(gateway.stop) == 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (Settings(limits=[Limit(name="l", requests=5)]), "limits"),
        (Settings(budgets=[Budget(name="b", usd="1")]), "budgets"),
        (Settings(sessions=Sessions(within="session")), "sessions"),
        (Settings(responses_store=ResponsesStore(ttl=60.0)), "responses_store"),
    ],
    ids=["limits", "budgets", "sessions", "responses_store"],
)
def test_counts_in_memory_are_not_for_several(
    tmp_path: Path, settings: Settings, words: str
) -> None:
    said = _refused(versions.write(tmp_path, 1, settings=settings))
    assert words in said and "sqlite" in said


def test_what_a_worker_cannot_do_is_told_by_the_start(tmp_path: Path) -> None:
    made = versions.write(tmp_path, 1, api_key="${NOBODY_SET_THIS}", upstream="http://far.test")
    assert "NOBODY_SET_THIS" in _refused(made)


def _refused(bundle: Path) -> str:
    """What a start that fails says; a line is all of it."""
    lines = refused(bundle, *TWO).splitlines()
    said = [line for line in lines if not line.startswith("{")]
    assert len(said) == 1, "nothing is left open, and nothing is said but why"
    return said[0]
