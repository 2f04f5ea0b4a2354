"""Orders to several workers that come in each other's way, and workers that cannot start."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lynkrc_runtime.settings import Limit, Settings
from tests.e2e import versions
from tests.e2e.gateway import PATIENCE, GatewayProcess, command, environment, serving
from tests.e2e.socket_lab import exchange
from tests.e2e.test_workers_process import (
    TWO,
    children,
    metric,
    more,
    operate,
    readiness,
    under_load,
    until_gone,
    until_ready,
)

RESTARTS = int(os.environ.get("LYNKRC_RESTARTS", "2"))
"""Rolling restarts in a row; 20 tell more, and take minutes."""
HANG = ("--stop-delay", "0.5")


async def events(gateway: GatewayProcess, event: str, count: int) -> list[dict[str, Any]]:
    """The log's lines of an event, once there are so many."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = [line for line in gateway.lines if line["event"] == event]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.02)


async def test_orders_in_each_other_s_way_fail_no_request(tmp_path: Path) -> None:
    with serving(versions.write(tmp_path, 1), tmp_path / "log", (*TWO, *HANG)) as gateway:
        async with under_load(gateway) as loads:
            for number in range(RESTARTS):
                versions.write(tmp_path, 2 + number)
                before = children(gateway.process.pid)
                told = await asyncio.gather(
                    asyncio.to_thread(operate, gateway, "restart"),
                    asyncio.to_thread(operate, gateway, "reload"),
                )
                assert told[0] == {"result": "restarted"}
                assert told[1]["new"] == versions.digest(2 + number)
                await until_gone(before)
                await more(loads, 2)
            # In one breath: between two of them nothing here waits for its turn.
            for _ in range(50):
                gateway.process.send_signal(signal.SIGHUP)
            await events(gateway, "reload", RESTARTS + 1)
            await more(loads, 5)
            # The old one is put back: what lies there is what is wanted.
            versions.write(tmp_path, 1)
            told = await asyncio.to_thread(operate, gateway, "reload")
            assert told["new"] == versions.digest(1)
        assert sum(load.lost for load in loads) == 0
        reloads = [line for line in gateway.lines if line["event"] == "reload"]
        assert len(reloads) <= RESTARTS + 25, "signals that wait are one"
        assert metric(gateway, "lynkr_worker_deaths_total") == 0
        assert len(children(gateway.process.pid)) == 2
        assert await asyncio.to_thread(gateway.stop) == 0


async def test_what_a_start_refuses_no_reload_brings_in(tmp_path: Path) -> None:
    with serving(versions.write(tmp_path, 1), tmp_path / "log", TWO) as gateway:
        limited = Settings(limits=[Limit(name="l", requests=5)])
        versions.write(tmp_path, 2, settings=limited)
        assert "limits: with 2 workers" in operate(gateway, "reload", 409)["reason"]
        status, told = readiness(gateway)
        assert (status, told["status"], told["degraded"]) == (200, "degraded", ["reload"])
        assert told["bundle"] == versions.digest(1)
        # A stop does not wait for orders that came before it.
        versions.write(tmp_path, 3)
        workers = children(gateway.process.pid)
        gateway.process.send_signal(signal.SIGUSR2)
        gateway.process.send_signal(signal.SIGHUP)
        assert await asyncio.to_thread(gateway.stop) == 0
        await until_gone(workers)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lk") as name:
        yield Path(name)


async def test_workers_that_die_at_their_start_are_tried_again(
    tmp_path: Path, short_folder: Path
) -> None:
    folder = tmp_path / "bundles"
    folder.mkdir()
    versions.write(folder, 1)
    # Short: sockets are made below it, whose names have a hundred characters or so.
    places = short_folder
    environ = {"TMPDIR": str(places)}
    with serving(folder, tmp_path / "log", TWO, environ) as gateway:
        (shared,) = places.iterdir()
        (copy,) = shared.glob("bundle-*.lynkr")
        assert copy.stat().st_mode & 0o077 == 0 or shared.stat().st_mode & 0o077 == 0
        aside = tmp_path / "aside"
        shutil.move(copy, aside)
        for worker in children(gateway.process.pid):
            os.kill(worker, signal.SIGKILL)
        died = await events(gateway, "worker-died", 6)
        assert all("bundle" in line["reason"] for line in died[2:])
        status, told = readiness(gateway)
        assert (status, told["status"]) == (503, "starting")
        assert exchange(gateway.admin, "GET", "/metrics", None, {}).status == 503
        shutil.move(aside, copy)
        await until_ready(gateway)
        assert len(children(gateway.process.pid)) == 2
        assert metric(gateway, "lynkr_worker_deaths_total") >= 6
        assert await asyncio.to_thread(gateway.stop) == 0
    assert list(places.iterdir()) == []


def test_a_temporary_folder_that_does_not_do_is_named(tmp_path: Path) -> None:
    """The name of a socket has a hundred characters or so."""
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    made = versions.write(tmp_path, 1)
    with (
        pytest.raises(AssertionError) as refused,
        serving(made, tmp_path / "log", TWO, {"TMPDIR": str(deep)}),
    ):
        pass
    said = str(refused.value)
    assert "TMPDIR" in said and "Traceback" not in said


async def test_a_stop_ends_a_start(tmp_path: Path) -> None:
    made = versions.write(tmp_path, 1)
    process = await asyncio.create_subprocess_exec(
        *command(made, *TWO),
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE):
        while not (workers := children(process.pid)):
            await asyncio.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        _, told = await process.communicate()
    assert process.returncode == 0, told
    assert b"Traceback" not in told
    await until_gone(workers)


async def test_a_service_s_signal_is_for_all_its_processes(tmp_path: Path) -> None:
    """systemd tells every process of a service to stop: no connection is turned away for it."""

    def told(gateway: GatewayProcess) -> Iterable[int]:
        everyone = [*children(gateway.process.pid), gateway.process.pid]
        for process in everyone:
            os.kill(process, signal.SIGTERM)
        return everyone

    made = versions.write(tmp_path, 1)
    # Long enough for a slow machine: the test ends it by its second signal.
    with serving(made, tmp_path / "log", (*TWO, "--stop-delay", "600")) as gateway:
        everyone = told(gateway)
        await events(gateway, "stopping", 3)
        live = exchange(gateway.url, "GET", "/health/live", None, {})
        assert live.status == 200
        gateway.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(gateway.process.wait, PATIENCE) == -signal.SIGTERM
        await until_gone(everyone)
    with serving(made, tmp_path / "ended", TWO) as gateway:
        everyone = told(gateway)
        assert await asyncio.to_thread(gateway.process.wait, PATIENCE) == 0
        await until_gone(everyone)
