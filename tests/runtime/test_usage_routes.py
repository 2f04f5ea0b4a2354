"""`GET /v1/usage/{id}`: the caller's own requests, for a while."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from lynkrc_runtime.access.keyring import KeyRing
from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.settings import Key
from lynkrc_runtime.telemetry.recent import TTL, Recent
from tests.runtime.by_hand import Said, body, dispatch, gateway, policy, provider, target

JSON = {"content-type": "application/json"}
Client = TestClient[Any, Any]


def site(keys: KeyRing, said: Said) -> Site:
    table = dispatch([provider("sim", "simulator")], [target("one", 0)])
    return Site(gateway=replace(gateway(policy(table), said), keys=keys))


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
async def client(said: Said) -> AsyncIterator[Client]:
    keys = {name: Key(sha256=hashlib.sha256(name.encode()).hexdigest()) for name in ("red", "blue")}
    async with TestClient(TestServer(client_app(site(KeyRing(keys, {}), said)))) as made:
        yield made


async def test_a_streams_use_is_read_afterwards_by_its_caller_alone(client: Client) -> None:
    mine = {"x-api-key": "red"}
    asked = JSON | mine | {"x-request-id": "job-7"}
    async with client.post("/v1/messages", data=body(stream=True), headers=asked) as answer:
        assert "x-lynkr-cost-usd" not in answer.headers
        await answer.read()
    for prefix in ("/v1", ""):
        async with client.get(f"{prefix}/usage/job-7", headers=mine) as answer:
            assert answer.status == 200
            found = await answer.json()
    assert (found["request_id"], found["class"], found["target"]) == ("job-7", "served", "one")
    assert found["tokens"]["output"] > 0
    assert [one["result"] for one in found["attempts"]] == ["served"]
    async with client.get("/v1/usage/job-7", headers={"x-api-key": "blue"}) as answer:
        others = await answer.json()
        assert answer.status == 404
    async with client.get("/v1/usage/job-8", headers={"x-api-key": "blue"}) as answer:
        assert answer.status == 404
        # Whose it is, and whether it is, look the same.
        assert (await answer.json())["error"] == others["error"]
    async with client.get("/v1/usage/job-7") as answer:
        assert answer.status == 401
    # Another caller's request of the same id is another request.
    theirs = JSON | {"x-api-key": "blue", "x-request-id": "job-7"}
    async with client.post("/v1/messages", data=body(), headers=theirs) as answer:
        await answer.read()
    for key, streamed in (("red", True), ("blue", False)):
        async with client.get("/v1/usage/job-7", headers={"x-api-key": key}) as answer:
            assert (await answer.json())["stream"] is streamed


async def test_a_refused_request_has_a_line_without_what_it_said(
    client: Client, said: Said
) -> None:
    secret = "sk-guessed-key"
    for path in ("/v1/messages", f"/v1/models/{secret}", f"/{secret}"):
        async with client.post(path, data=b"{}", headers=JSON | {"x-api-key": secret}) as answer:
            assert answer.status == 401
    assert [(line["event"], line["status"], line["path"]) for line in said.lines] == [
        ("refused", 401, "/v1/messages"),
        ("refused", 401, None),
        ("refused", 401, None),
    ]
    assert secret not in str(said.lines)


def test_what_is_kept_has_bounds() -> None:
    from tests.runtime.test_usage_stores import ended, table

    now = [0.0]
    recent = Recent(lambda: now[0], most=3)
    for number in range(5):
        recent.settled(table(), "d" * 64, ended(f"req_{number}"))
    assert len(recent) == 3
    assert recent.get("ci", "req_1") is None
    assert recent.get("ci", "req_4") is not None
    assert recent.get(None, "req_4") is None
    now[0] = TTL + 1
    assert recent.get("ci", "req_4") is None
    assert len(recent) == 0


def test_what_is_too_old_makes_room_though_nobody_asks() -> None:
    from tests.runtime.test_usage_stores import ended, table

    now = [0.0]
    recent = Recent(lambda: now[0])

    def settled(moment: float, name: str) -> int:
        now[0] = moment
        recent.settled(table(), "d" * 64, ended(name))
        return len(recent)

    assert [settled(0.0, "a"), settled(10.0, "b"), settled(20.0, "c")] == [1, 2, 3]
    assert settled(TTL - 1, "a") == 3, "which is now the youngest"
    assert settled(TTL, "d") == 4
    assert settled(TTL + 10, "e") == 4
    assert recent.get("ci", "b") is None
    assert settled(TTL + 11, "f") == 5
    assert settled(TTL + 20, "g") == 5
    assert recent.get("ci", "a") is not None
