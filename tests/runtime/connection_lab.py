"""A gateway in this loop with one surface, by either way, what is sent to it, what it has open."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from lynkrc_runtime.server import client_routes
from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.connection import Connection
from lynkrc_runtime.server.exchange import Client, Incoming
from lynkrc_runtime.server.front import put_before
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.server.serving import runner
from tests.runtime.by_hand import Said, dispatch, gateway, policy, provider, target

PATIENCE = 60.0
PATH = "/v1/messages"
HEAD = b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
NEXT = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"


def asked(body: bytes = b"{}", *more: bytes) -> bytes:
    lines = b"".join(line + b"\r\n" for line in more)
    return HEAD + lines + b"content-length: %d\r\n\r\n%b" % (len(body), body)


async def echo(_: Gateway, incoming: Incoming, client: Client) -> None:
    await client.answer(200, {"content-type": "text/plain"}, incoming.body)


@dataclass
class Lab:
    """A gateway in this loop whose `/v1/messages` is served by `serving`."""

    site: Site
    server: web.AppRunner
    said: Said
    port: int
    direct: list[str] = field(default_factory=list)
    """Ids of the requests that did not go by aiohttp."""
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    opened: int = 0
    """Connections it has taken."""
    read: int = 0
    """Bytes it has read from them."""

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection that the gateway has taken."""
        before = self.opened
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        await until(lambda: self.opened > before)
        return reader, writer

    async def sends(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        """Send it, alone; the gateway has read it, and done what it could, on return."""
        whole = self.read + len(data)
        writer.write(data)
        await until(lambda: self.read >= whole)

    async def says(self, *pieces: bytes) -> bytes:
        """All that comes back until the connection ends; each piece is read before the next."""
        reader, writer = await self.connect()
        # Who does not listen while it speaks waits for one that waits to be heard.
        listening = asyncio.create_task(all_of(reader))
        for piece in pieces:
            whole = self.read + len(piece)
            writer.write(piece)
            await until(lambda whole=whole: self.read >= whole or listening.done())
        async with asyncio.timeout(PATIENCE):
            return await listening

    def connections(self) -> list[web.RequestHandler]:
        return self.serves.connections

    @property
    def serves(self) -> web.Server:
        assert self.server.server is not None
        return self.server.server

    def written(self) -> Mapping[web.RequestHandler, asyncio.Transport]:
        """All connections with their transports, also those that are closed and not yet ended."""
        return self.serves._connections

    async def coming(self) -> list[web.RequestHandler]:
        """The connections, when each of them waits for a body."""
        async with asyncio.timeout(PATIENCE):
            while not (all_ := self.connections()) or any(
                one._current_request is None for one in all_
            ):
                await asyncio.sleep(0)
        return all_


async def all_of(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the connection ends, or is ended."""
    heard = b""
    with suppress(ConnectionError):
        while piece := await reader.read(1 << 20):
            heard += piece
    return heard


async def answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Status and body of the next answer that is no stream."""
    async with asyncio.timeout(PATIENCE):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        return head[9:12], await reader.readexactly(length)


async def until(is_so: Callable[[], bool]) -> None:
    """Let everything run until something is so, and then what it led to."""
    async with asyncio.timeout(PATIENCE):
        while not is_so():
            await asyncio.sleep(0)
    await turns()


async def turns(count: int = 20) -> None:
    """Let everything run that can."""
    for _ in range(count):
        await asyncio.sleep(0)


both_ways = pytest.mark.parametrize("direct", [False, True], ids=["aiohttp", "direct"])


Lending = Callable[..., AbstractAsyncContextManager[Lab]]


def lending(monkeypatch: pytest.MonkeyPatch) -> Lending:
    """What opens a lab, for the time of a test."""

    @asynccontextmanager
    async def lent(
        serving: Callable[[Gateway, Incoming, Client], Awaitable[None]] = echo,
        *,
        direct: bool = True,
        idle: float = 75.0,
        patience: float = 1.0,
    ) -> AsyncIterator[Lab]:
        said = Said()
        table = dispatch([provider("sim", "simulator")], [target("one", 0)])
        site = Site(gateway=gateway(policy(table), said))
        served = {"/messages": ("messages", "anthropic-messages", serving)}
        monkeypatch.setattr(client_routes, "_SURFACES", served)
        app = client_app(site)
        made = runner(app, site.gateway.log, patience, idle)
        await made.setup()
        if direct:
            put_before(made, app)
        await web.TCPSite(made, "127.0.0.1", 0).start()
        one = Lab(site, made, said, made.addresses[0][1])
        run = Connection._run
        connection_made = web.RequestHandler.connection_made
        data_received = web.RequestHandler.data_received

        async def noted(self: Connection, surface: Any, *rest: Any) -> None:
            one.direct.append(surface.path)
            await run(self, surface, *rest)

        def made_noted(self: web.RequestHandler, transport: asyncio.BaseTransport) -> None:
            one.opened += 1
            connection_made(self, transport)

        def read_noted(self: web.RequestHandler, data: bytes) -> None:
            one.read += len(data)
            data_received(self, data)

        monkeypatch.setattr(Connection, "_run", noted)
        monkeypatch.setattr(web.RequestHandler, "connection_made", made_noted)
        monkeypatch.setattr(web.RequestHandler, "data_received", read_noted)
        try:
            yield one
        finally:
            for writer in one.writers:
                writer.close()
            await made.cleanup()

    return lent
