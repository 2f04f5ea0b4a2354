"""Requests in flight across reloads: none is lost, each is served wholly by one bundle.

LYNKRC_IN_FLIGHT and LYNKRC_RELOADS make it long (1000 and 20 in the soak).
"""

import asyncio
import os
from pathlib import Path

from aiohttp import ClientSession, TCPConnector

from lynkrc_runtime.settings import Server, Settings, Shedding
from tests.e2e import versions
from tests.e2e.gateway import GatewayProcess, serving
from tests.e2e.held_upstream import held_upstream, is_whole
from tests.runtime.by_hand import body

JSON = {"content-type": "application/json"}
IN_FLIGHT = int(os.environ.get("LYNKRC_IN_FLIGHT", "200"))
RELOADS = int(os.environ.get("LYNKRC_RELOADS", "5"))
ROOM = Settings(server=Server(shedding=Shedding(active=2 * IN_FLIGHT)))
"""Nothing is shed: as many requests as were asked for are under way, and a few more."""


async def ask(session: ClientSession, gateway: GatewayProcess) -> int:
    """One stream, read to its end; the version that served it."""
    async with session.post(
        gateway.url + "/v1/messages", data=body(stream=True), headers=JSON
    ) as answer:
        content = await answer.read()
        assert answer.status == 200, content
        number = versions.number_of(answer.headers["x-lynkr-bundle"])
        assert answer.headers["x-lynkr-model"] == f"model-{number}"
        assert is_whole(content, number), content
        return number


async def test_requests_in_flight_lose_nothing(tmp_path: Path) -> None:
    share = -(-IN_FLIGHT // (RELOADS + 1))
    async with held_upstream() as upstream:
        made = versions.write(tmp_path, 0, upstream.url, settings=ROOM)
        with serving(made, tmp_path / "log") as gateway:
            async with (
                ClientSession(connector=TCPConnector(limit=0)) as session,
                asyncio.TaskGroup() as group,
            ):
                asked: list[list[asyncio.Task[int]]] = []
                for number in range(RELOADS + 1):
                    if number:
                        versions.write(tmp_path, number, upstream.url, settings=ROOM)
                        # More requests arrive while the bundle is being exchanged.
                        async with session.post(
                            gateway.admin + "/v1/admin/reload", data=b"", headers=JSON
                        ) as answer:
                            assert (await answer.json())["new"] == versions.digest(number)
                    asked.append([group.create_task(ask(session, gateway)) for _ in range(share)])
                    if number % 2:
                        # Every other time the next reload does not wait for these to arrive.
                        await upstream.wait_for_held(share * (number + 1))
                await upstream.wait_for_held(share * (RELOADS + 1))
                upstream.let_go.set()
            served = [[task.result() for task in tasks] for tasks in asked]
            for number, numbers in enumerate(served):
                # Those the next reload overtook may have begun after it.
                later = {number} if number % 2 or number == RELOADS else {number, number + 1}
                assert set(numbers) <= later
            assert gateway.stop() == 0
            assert len(gateway.requests) == share * (RELOADS + 1)
            assert {line["class"] for line in gateway.requests} == {"served"}
