"""The operators' application."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer

from lynkrc_runtime.server.admin_routes import admin_app
from lynkrc_runtime.server.doors import PEER
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.server.routes import Settings
from lynkrc_runtime.settings import Cache, ExactCache, State
from lynkrc_runtime.settings import Settings as Declared
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
    RESPONSES,
    Said,
    body,
    dispatch,
    gateway,
    policy,
    provider,
    target,
)

JSON = {"content-type": "application/json"}
Client = TestClient[Any, Any]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    table = dispatch([provider("sim", "simulator")], [target("one", 0)])
    site = Site(gateway=gateway(policy(table), Said()))
    async with TestClient(TestServer(admin_app(site))) as made:
        yield made


async def test_metrics_are_prometheus_text(client: Client) -> None:
    for path in ("/metrics", "/metrics/prometheus"):
        async with client.get(path) as answer:
            text = await answer.text()
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert 'lynkr_build_info{bundle="dddd' in text


@pytest.mark.parametrize(("is_dry", "store"), [(False, "redis"), (True, "memory")])
async def test_the_summary_names_the_store_that_counts(is_dry: bool, store: str) -> None:
    table = dispatch([provider("sim", "simulator")], [target("one", 0)])
    declared = msgspec.structs.replace(table, settings=Declared(state=State(store="redis")))
    served = gateway(policy(declared), Said(), settings=Settings(dry_run=is_dry))
    async with (
        TestClient(TestServer(admin_app(Site(gateway=served)))) as made,
        made.get("/metrics/observability") as answer,
    ):
        assert (await answer.json())["store"] == store


async def test_the_route_table_is_the_bundles(client: Client) -> None:
    async with client.get("/routing/table") as answer:
        assert await answer.text() == "the route table\n"


async def test_the_route_table_ends_with_what_is_not_served() -> None:
    table = dispatch([provider("sim", "simulator")], [target("one", 0)])
    declared = Declared(cache=Cache(exact=ExactCache(ttl=60.0)))
    served = gateway(policy(msgspec.structs.replace(table, settings=declared)), Said())
    async with (
        TestClient(TestServer(admin_app(Site(gateway=served)))) as made,
        made.get("/routing/table") as answer,
    ):
        told = await answer.text()
    assert told == ("the route table\n\nnot served by runtime 0.1: cache: no answer is kept\n")


@pytest.mark.parametrize("query", ["", "?surface=chat", "?surface=messages", "?surface=responses"])
async def test_a_dry_run_tells_the_decision_and_calls_nobody(client: Client, query: str) -> None:
    dialect = {"?surface=chat": CHAT, "?surface=responses": RESPONSES}.get(query, MESSAGES)
    content = body(dialect)
    async with client.post(f"/routing/analyze{query}", data=content, headers=JSON) as answer:
        told = await answer.json()
    assert (told["bundle"], told["served"], told["features"]) == ("d" * 64, None, [])
    decision = told["decision"]
    assert [decision[name] for name in ("outcome", "tier", "rule", "score", "targets")] == [
        "route",
        "ONLY",
        "score",
        42,
        ["one"],
    ]


async def test_a_dry_run_refuses_what_it_cannot_read(client: Client) -> None:
    async with client.post("/routing/analyze?surface=x", data=body(), headers=JSON) as answer:
        assert answer.status == 400
    async with client.post("/routing/analyze", data=b"{}", headers=JSON) as answer:
        assert "model" in (await answer.json())["error"]["message"]
    async with client.post("/routing/analyze", data=body(), headers={}) as answer:
        assert answer.status == 415


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"origin": "http://localhost"}])
async def test_the_guard_stands_here_too(client: Client, headers: dict[str, str]) -> None:
    async with client.get("/metrics", headers=headers) as answer:
        assert answer.status == 403


async def test_clients_have_no_business_here(client: Client) -> None:
    async with client.post("/v1/messages", data=body(), headers=JSON) as answer:
        assert answer.status == 404


@pytest.mark.parametrize(
    ("is_supervised", "told", "status"),
    [
        (True, "127.0.0.1", 200),
        (True, "10.1.2.3", 403),
        (True, None, 403),
        (False, "10.1.2.3", 200),
    ],
)
async def test_a_worker_believes_its_supervisor_whence_an_operator_comes(
    is_supervised: bool, told: str | None, status: int
) -> None:
    table = dispatch([provider("sim", "simulator")], [target("one", 0)])
    site = Site(gateway=gateway(policy(table), Said()), is_supervised=is_supervised)
    headers = {} if told is None else {PEER: told}
    async with (
        TestClient(TestServer(admin_app(site))) as made,
        made.get("/metrics", headers=headers) as answer,
    ):
        assert answer.status == status
