"""Gateways that share a store: what one keeps another finds, and a store that dies is told of."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession

from lynkrc_runtime.settings import ResponsesStore, Settings, State
from tests.e2e import small_bundle
from tests.e2e.gateway import PATIENCE, refused, serving
from tests.redis_server import RedisServer, redis_server
from tests.runtime.by_hand import dispatch, provider, target

JSON = {"content-type": "application/json"}


def bundle(folder: Path, state: State) -> Path:
    settings = Settings(state=state, responses_store=ResponsesStore(ttl=600.0))
    table = dispatch([provider("sim", "simulator")], [target("one", 0)])
    table = msgspec.structs.replace(table, settings=settings)
    return small_bundle.write(folder / "by-hand.lynkr", small_bundle.files(table))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as running:
        yield running


async def sent(
    session: ClientSession, url: str, body: Mapping[str, Any] | None = None
) -> tuple[int, Any]:
    method = "GET" if body is None else "POST"
    data = None if body is None else json.dumps(body)
    async with session.request(method, url, data=data, headers=JSON) as answer:
        return answer.status, json.loads(await answer.read())


async def follow(path: Path, log: Path, environ: Mapping[str, str]) -> None:
    """An answer of one gateway is found by another, and by the next one after both."""
    ask = {"model": "auto", "input": "Hi"}
    with serving(path, log, environ=environ) as one, serving(path, log, environ=environ) as two:
        async with ClientSession() as session:
            status, first = await sent(session, f"{one.url}/v1/responses", ask)
            assert (status, first["store"]) == (200, True)
            found = await sent(session, f"{two.url}/v1/responses/{first['id']}")
            assert found == (200, first)
            more = ask | {"previous_response_id": first["id"]}
            status, second = await sent(session, f"{two.url}/v1/responses", more)
            assert status == 200
        one.process.kill()
        two.process.kill()
    with serving(path, log, environ=environ, is_forked=False) as three:
        async with ClientSession() as session:
            assert await sent(session, f"{three.url}/v1/responses/{second['id']}") == (200, second)
            assert (await sent(session, f"{three.url}/health/ready"))[1]["degraded"] == []
        assert three.stop() == 0


async def test_gateways_on_one_file_find_each_other_s_answers(tmp_path: Path) -> None:
    made = bundle(tmp_path, State(store="sqlite", path="${FOLDER}/state.db"))
    await follow(made, tmp_path / "log", {"FOLDER": str(tmp_path)})


async def test_gateways_on_one_redis_find_each_other_s_answers(
    tmp_path: Path, server: RedisServer
) -> None:
    made = bundle(tmp_path, State(store="redis", url="${THE_REDIS}"))
    await follow(made, tmp_path / "log", {"THE_REDIS": server.url})


@pytest.mark.parametrize("on_failure", ["open", "closed"])
async def test_a_store_that_dies_is_told_of_and_comes_back(
    tmp_path: Path, server: RedisServer, on_failure: str
) -> None:
    closed = on_failure == "closed"
    made = bundle(
        tmp_path,
        State(store="redis", url="${THE_REDIS}", on_failure="closed" if closed else "open"),
    )
    server.kill()  # it is dead when the gateway starts, which starts all the same
    more = {"model": "auto", "input": "Hi", "previous_response_id": "resp_1"}
    with serving(
        made, tmp_path / "log", environ={"THE_REDIS": server.url}, is_forked=False
    ) as gateway:
        async with ClientSession() as session:
            status, ready = await sent(session, f"{gateway.url}/health/ready")
            assert ready["degraded"] == ["store redis"]
            assert (status, ready["status"]) == (
                (503, "unavailable") if closed else (200, "degraded")
            )
            status, answer = await sent(session, f"{gateway.url}/v1/responses", more)
            assert status == (503 if closed else 400)
            assert server.password not in json.dumps(answer)
            assert 'lynkr_store_up{store="redis"} 0.0' in await metrics(session, gateway.admin)
            server.start()
            async with asyncio.timeout(PATIENCE):
                while (await sent(session, f"{gateway.url}/health/ready"))[1]["degraded"]:
                    await asyncio.sleep(0.05)
            status, first = await sent(
                session, f"{gateway.url}/v1/responses", {"model": "auto", "input": "Hi"}
            )
            assert status == 200
            assert (await sent(session, f"{gateway.url}/v1/responses/{first['id']}"))[0] == 200
            assert 'lynkr_store_up{store="redis"} 1.0' in await metrics(session, gateway.admin)
        assert gateway.stop() == 0
        events = [line["event"] for line in gateway.lines]
        assert (events.count("store-down"), events.count("store-up")) == (1, 1)
        assert server.password not in gateway.log.read_text()


async def metrics(session: ClientSession, admin: str) -> str:
    async with session.get(f"{admin}/metrics") as answer:
        return await answer.text()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (State(store="sqlite", path="${FOLDER}/by-hand.lynkr"), "not a database"),
        (State(store="sqlite", path="${FOLDER}/none/state.db"), "No such file"),
        (State(store="redis", url="${NO_SUCH_URL}"), "NO_SUCH_URL, which is not set"),
    ],
)
def test_a_store_that_cannot_be_opened_is_named(tmp_path: Path, state: State, said: str) -> None:
    assert said in refused(bundle(tmp_path, state), environ={"FOLDER": str(tmp_path)})
