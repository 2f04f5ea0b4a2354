"""Readiness with reasons, and the probes of targets, for operators alone."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from lynkrc_runtime.dispatch import ProviderSettings
from lynkrc_runtime.server.admin_routes import admin_app
from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.deep_ready import probe
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.server.routes import Settings, build_routes
from tests.runtime.by_hand import Said, Scripted, dispatch, gateway, policy, provider, target

Client = TestClient[Any, Any]


class Listener:
    """Counts connections, and lets each end."""

    def __init__(self) -> None:
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        assert await reader.read() == b"", "a probe makes no request"
        writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[Listener, int]]:
    listener = Listener()
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
    async with server:
        yield listener, server.sockets[0].getsockname()[1]


def site(*ports: int, dry_run: bool = False) -> Site:
    rows = [
        provider(f"p{n}", "anthropic-compatible", base_url=f"http://127.0.0.1:{port}")
        for n, port in enumerate(ports)
    ]
    rows.append(provider("sim", "simulator"))
    targets = [target(f"t{n}", n) for n in range(len(rows))]
    targets.append(target("same", 0))
    return Site(
        gateway=gateway(policy(dispatch(rows, targets)), Said(), settings=Settings(dry_run=dry_run))
    )


@asynccontextmanager
async def asking(app: web.Application) -> AsyncIterator[Client]:
    async with TestClient(TestServer(app)) as made:
        yield made


async def test_targets_are_probed_once_for_all_that_are_at_a_place() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        async with listening() as (listener, port):
            made = site(port, nobody.getsockname()[1])
            async with asking(admin_app(made)) as client:
                for _ in range(3):
                    async with client.get("/health/ready?deep=true") as answer:
                        assert answer.status == 200
                        found = await answer.json()
                async with client.get("/health/ready") as answer:
                    assert "targets" not in await answer.json()
    assert found["status"] == "ready"
    assert found["targets"]["t0"] == found["targets"]["same"] == "reached"
    assert found["targets"]["t1"].startswith("no connection")
    assert found["targets"]["t2"] == "not probed"
    assert listener.connections == 1


async def test_a_dry_run_probes_nobody() -> None:
    async with (
        listening() as (listener, port),
        asking(admin_app(site(port, dry_run=True))) as client,
        client.get("/health/ready?deep=true") as answer,
    ):
        assert set((await answer.json())["targets"].values()) == {"not probed"}
    assert listener.connections == 0


async def test_a_place_that_says_nothing_is_not_waited_for_long() -> None:
    # Its queue of connections is full: the next one is never taken.
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            routes = site(port).gateway.routes
            found = await probe(routes, limit=0.05)
    assert found["t0"] in ("no connection within 0.05 s", "reached")


async def test_clients_cannot_have_targets_probed() -> None:
    async with (
        listening() as (listener, port),
        asking(client_app(site(port))) as client,
        client.get("/health/ready?deep=true") as answer,
    ):
        assert answer.status == 404
    assert listener.connections == 0


async def test_what_is_worse_than_it_should_be_is_told_and_stays_ready() -> None:
    made = site()
    made.trouble = "the new bundle is broken"
    async with asking(client_app(made)) as client, client.get("/health/ready") as answer:
        assert answer.status == 200
        assert (await answer.json())["degraded"] == ["reload"]


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_probe_trusts_whom_calls_trust(tmp_path: Path, trusted: bool) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    known = tmp_path / "ca.pem"
    known.write_bytes((authority if trusted else stranger).cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    closed = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        closed.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        row = provider(
            "p",
            "anthropic-compatible",
            base_url=f"https://127.0.0.1:{port}",
            rest=ProviderSettings(ca_file="${FOLDER}/ca.pem"),
        )
        table = dispatch([row], [target("t", 0)])
        environ = {"FOLDER": str(tmp_path)}
        routes = build_routes(table, environ, Settings(), http=Scripted({}), simulator=Scripted({}))
        (told,) = (await probe(routes)).values()
        if trusted:
            await closed.wait()
    assert told == "reached" if trusted else told.startswith("the certificate does not hold")


async def test_what_is_called_through_the_environment_s_proxy_is_not_probed() -> None:
    async with listening() as (listener, port):
        row = provider("p", "anthropic-compatible", base_url="http://upstream.test")
        environ = {"HTTP_PROXY": f"http://127.0.0.1:{port}"}
        table = dispatch([row], [target("t", 0)])
        routes = build_routes(table, environ, Settings(), http=Scripted({}), simulator=Scripted({}))
        assert await probe(routes) == {}
    assert listener.connections == 0
