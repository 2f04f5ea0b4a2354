"""One client that never says the same twice: what is remembered of it has bounds, all of it."""

import dataclasses
import json
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from msgspec import structs

from lynkrc_runtime.metering.settling import Settling
from lynkrc_runtime.server.admin_routes import admin_app
from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.server.trace_store import TraceStore
from lynkrc_runtime.sessions.remembered import open_sessions
from lynkrc_runtime.settings import Sessions
from lynkrc_runtime.settings import Settings as Declared
from lynkrc_runtime.state import memory
from lynkrc_runtime.state.memory import MemoryStore
from lynkrc_runtime.telemetry.recent import Recent
from tests.runtime.by_hand import Said, dispatch, gateway, policy, provider, target

FLOOD = 400
MOST = 50


def different(number: int) -> tuple[str, dict[str, str], dict[str, Any]]:
    """A request that is new in every place a client may write to."""
    new = f"{number:08x}-{'x' * 40}"
    headers = {
        "x-session-id": new,
        "x-request-id": new,
        "user-agent": f"client-{new}/1.0",
        "x-lynkr-explain": "1",
        f"x-{new}": new,
        "x-lynkr-tags": new,
    }
    body = {
        "model": f"claude-{new}",
        "max_tokens": 9 + number,
        "system": new,
        "metadata": {"user_id": new},
        "tools": [{"name": f"t{number}", "input_schema": {"type": "object", "title": new}}],
        "messages": [{"role": "user", "content": new}],
    }
    return ("/v1/messages", "/v1/v1/messages", "/messages")[number % 3], headers, body


async def test_it_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST", MOST)
    said, store = Said(), MemoryStore()
    row = provider("one", "simulator", base_url=None, api_key=None)
    table = structs.replace(
        dispatch([row], [target("t", 0), target("u", 0)]),
        settings=Declared(sessions=Sessions(within="session")),
    )
    made = gateway(policy(table), said)
    made = dataclasses.replace(
        made,
        sessions=open_sessions(
            table,
            store,
            writes=Settling(),
            metrics=made.metrics,
            log=made.log,
            clock=lambda: 1_700_000_000.0,
        ),
        recent=Recent(lambda: 0.0, most=MOST),
        traces=TraceStore(lambda: 0.0, most=MOST),
    )
    site = Site(gateway=made)
    async with (
        TestClient(TestServer(client_app(site))) as client,
        TestClient(TestServer(admin_app(site))) as operator,
    ):

        async def ask(number: int) -> None:
            path, headers, body = different(number)
            async with client.post(path, json=body, headers=headers) as answer:
                assert answer.status == 200, await answer.text()
            async with client.get(f"/v1/nothing-{number}/{'x' * 40}") as answer:
                assert answer.status == 404
            wrong = json.dumps(body | {"messages": number})
            async with client.post(
                path, data=wrong, headers=headers | {"content-type": "application/json"}
            ) as answer:
                assert answer.status == 400

        async def series() -> int:
            async with operator.get("/metrics") as answer:
                return len((await answer.text()).splitlines())

        for number in range(6):
            await ask(number)
        few = await series()
        for number in range(6, FLOOD):
            await ask(number)
        assert await series() == few, "no name of a client's is a label"
    assert 0 < store.held <= MOST
    assert len(made.recent) == MOST
    assert 0 < len(made.traces) <= MOST
    assert site.aliases == {"/v1/v1/messages", "/messages"}
    assert len(made.makers) == 0
    assert made.fix_ups.of("t", "anthropic-messages") == ()
    assert len(made.decider._decided) == 1, "by verdict, not by request"


async def test_values_of_a_family_are_counted_as_well_as_weighed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert memory.MOST * 350 < 128 * 1024 * 1024, "what they take beside themselves"
    monkeypatch.setattr(memory, "MOST", 3)
    store = MemoryStore()
    for number in range(10):
        await store.put({f"session:{number}": b"x", "other:1": b"y"}, 60)
    names = [f"session:{number}" for number in range(10)]
    assert sorted(await store.get([*names, "other:1"])) == ["other:1", *names[-3:]]
    assert store.held == 4
