"""A whole gateway whose bundle comes from a server, and what its operators order."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from lynkrc_runtime.server import lifecycle
from lynkrc_runtime.server.background import Joint
from lynkrc_runtime.server.begin import begin
from lynkrc_runtime.server.options import Options
from lynkrc_runtime.server.remote import RemoteBundle
from lynkrc_runtime.telemetry.reloads import Reloaded
from tests.e2e import versions
from tests.runtime.bundle_host import Papers, papers
from tests.runtime.bundle_lab import TRUST, Lab, gone, lab_of


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return papers(tmp_path_factory.mktemp("papers"))


@pytest.fixture
async def lab(tmp_path: Path, ours: Papers) -> AsyncIterator[Lab]:
    async with lab_of(tmp_path, ours) as made:
        yield made


@asynccontextmanager
async def running(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A gateway in this loop until a signal stops it: where its operators ask."""
    has_begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def begun(_: object, __: object, ___: object, admin: Sequence[str]) -> None:
        has_begun.set_result(admin[0])

    monkeypatch.setattr(lifecycle, "announce", begun)
    options = Options(
        bundle=Path("a.lynkr"),
        port=0,
        admin_port=0,
        trust=TRUST,
        log_file=lab.folder / "log",
        stop_delay=0.0,
    )
    gateway = asyncio.ensure_future(begin(lab.server(), options, {}))
    await asyncio.wait((gateway, has_begun), return_when=asyncio.FIRST_COMPLETED)
    if gateway.done():
        await gateway
    try:
        yield has_begun.result()
    finally:
        signal.raise_signal(signal.SIGTERM)
        await gateway


async def test_a_gateway_that_starts_without_its_server_hears_of_it_when_it_is_back(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = await lab.started()
    await served.polls()
    async with gone(lab.host), running(lab, monkeypatch) as admin, ClientSession() as client:
        async with client.get(f"{admin}/health/ready") as answer:
            assert (await answer.json())["degraded"] == ["bundle-server"]
        lab.host.instead = {}
        lab.offers(2)
        async with client.post(f"{admin}/v1/admin/reload", json={}) as answer:
            assert (await answer.json())["new"] == versions.digest(2)
        async with client.get(f"{admin}/health/ready") as answer:
            assert (await answer.json())["status"] == "ready"


async def test_orders_that_come_while_one_is_obeyed_are_one_and_who_leaves_ends_none(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, asks, runs = asyncio.Event(), 0, 0
    reload, ask = RemoteBundle.reload, Joint.ask

    async def held(self: RemoteBundle) -> Reloaded:
        nonlocal runs
        runs += 1
        await go.wait()
        return await reload(self)

    def counted(self: Joint[Reloaded]) -> asyncio.Task[Reloaded]:
        nonlocal asks
        asks += 1
        return ask(self)

    monkeypatch.setattr(RemoteBundle, "reload", held)
    monkeypatch.setattr(Joint, "ask", counted)
    async with running(lab, monkeypatch) as admin, ClientSession() as client:

        async def order() -> str:
            async with client.post(f"{admin}/v1/admin/reload", json={}) as answer:
                return str((await answer.json())["result"])

        async def asked(times: int) -> None:
            async with asyncio.timeout(60):
                while asks < times:
                    await asyncio.sleep(0.001)

        first = asyncio.create_task(order())
        await asked(1)
        lab.offers(2)
        others = [asyncio.create_task(order()) for _ in range(20)]
        await asked(21)
        first.cancel()
        others.pop().cancel()
        go.set()
        assert await asyncio.gather(*others) == ["unchanged"] * 19
        assert runs == 2
    lines = map(json.loads, (lab.folder / "log").read_text().splitlines())
    assert [line["result"] for line in lines if line["event"] == "reload"] == [
        "reloaded",
        "unchanged",
    ]
