"""The table before the application answers what the application would, over sockets, to the byte.

Every request is put to both, with another behind it on the same connection, so that how a
connection goes on is compared as well.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import msgspec
import pytest
from aiohttp import web

from lynkrc_runtime.access.keyring import KeyRing
from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.doors import Doors
from lynkrc_runtime.server.draining import Stopping
from lynkrc_runtime.server.front import USUAL, put_before
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.server.serving import runner
from lynkrc_runtime.settings import Key, Server, Shedding
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
from tests.runtime.connection_lab import all_of

ORIGIN = "https://tools.acme.example"
NEXT = (
    b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nx-request-id: next\r\n"
    b"connection: close\r\n\r\n"
)
_VARIES = re.compile(
    rb"(?i)(\r\ndate: )[^\r]*|[0-9a-f]{24}|\"(?:created|created_at|[a-z_]+_ms)\":[0-9.e-]+"
)
_HEAD = re.compile(rb"HTTP/1\.[01] \d{3}.*?(?=\r\n\r\n)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class House:
    """How a gateway is set up; the defaults let everybody on this machine in."""

    keys: bool = False
    pages: bool = False
    draining: bool = False
    active: int | None = None
    limit: int | None = None


def site(house: House, said: Said) -> Site:
    declared = Declared(
        server=Server(body_limit=house.limit, shedding=Shedding(active=house.active))
    )
    table = dispatch([provider("sim", "simulator")], [target("one", 0)])
    made = gateway(policy(msgspec.structs.replace(table, settings=declared)), said)
    if house.keys:
        made = replace(made, keys=KeyRing({"ci": Key(secret="sesame")}, {}))
    if house.pages:
        made = replace(made, doors=Doors(origins=frozenset({ORIGIN})))
    stopping = Stopping()
    stopping.is_draining = house.draining
    return Site(gateway=made, stopping=stopping, started=1)


@asynccontextmanager
async def listening(house: House, said: Said, *, front: bool) -> AsyncIterator[int]:
    served = site(house, said)
    app = client_app(served)
    server = runner(app, served.gateway.log, 1.0)
    await server.setup()
    if front:
        put_before(server, app)
    await web.TCPSite(server, "127.0.0.1", 0).start()
    try:
        yield server.addresses[0][1]
    finally:
        await server.cleanup()


async def said_to(port: int, request: bytes) -> bytes:
    """All that comes back for the request and one that asks for the connection's end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        # Together: where the first read ends decides what is found wrong first.
        writer.write(request + NEXT)
        answer = await asyncio.wait_for(all_of(reader), 60)
    finally:
        writer.close()
    return _HEAD.sub(_in_order, _VARIES.sub(rb"\1", answer))


def _in_order(head: re.Match[bytes]) -> bytes:
    """The head with its lines in an order of their own: that is the one thing that may differ."""
    line, *fields = head[0].split(b"\r\n")
    return b"\r\n".join([line, *sorted(fields)])


async def both(house: House, requests: list[bytes]) -> None:
    told = Said(), Said()
    async with AsyncExitStack() as stack:
        ports = [
            await stack.enter_async_context(listening(house, said, front=front))
            for said, front in zip(told, (False, True), strict=True)
        ]
        for request in requests:
            plain, front = [await said_to(port, request) for port in ports]
            assert plain.startswith(b"HTTP/1."), request
            assert front == plain, request
    plain, front = [_VARIES.sub(rb"\1", msgspec.json.encode(said.lines)) for said in told]
    assert front == plain


def request(
    path: str,
    content: bytes = b"{}",
    *more: str,
    method: str = "POST",
    version: str = "1.1",
    but: tuple[str, ...] = (),
) -> bytes:
    lines = {
        "host": "localhost",
        "content-type": "application/json",
        "content-length": str(len(content)),
        "x-request-id": "req_1",
    }
    head = [f"{name}: {value}" for name, value in lines.items() if name not in but]
    line = f"{method} {path} HTTP/{version}"
    return "\r\n".join([line, *head, *more, "", ""]).encode() + content


def content_of(path: str, *, stream: bool = False) -> bytes:
    if path.endswith("/embeddings"):
        return b'{"model":"auto","input":"hi"}'
    for below, dialect in (("/messages", MESSAGES), ("/responses", RESPONSES)):
        if path.endswith(below):
            return body(dialect, stream=stream)
    return body(CHAT, stream=stream)


PATHS = sorted(path for path in client_app(site(House(), Said()))[USUAL])
METHODS = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"]
KEY = "authorization: Bearer sesame"
PAGE = f"origin: {ORIGIN}"


def test_the_table_has_every_surface() -> None:
    assert len(PATHS) == 12


@pytest.mark.parametrize("path", PATHS)
async def test_who_is_turned_away_is_so_in_both_ways(path: str) -> None:
    good = content_of(path)
    await both(
        House(),
        [
            request(path, good),
            request(f"{path}?beta=true", good),
            request(f"{path}?", good),
            request(path, good, "host: evil.example", but=("host",)),
            request(path, good, but=("host",)),
            request(path, good, "host: localhost"),
            request(path, good, "origin: https://evil.example"),
            request(path, good, "origin: null"),
            request(path, good, "content-type: text/plain", but=("content-type",)),
            request(path, good, but=("content-type",)),
            request(path, good, "x-request-id: a b", but=("x-request-id",)),
            request(path, good, "x-big: " + "b" * 40_000, "x-big-too: " + "b" * 40_000),
            request(path, good, "x-big: " + "b" * 70_000),
            request(path, b"{"),
            request(path, b""),
            request(path, b"", but=("content-length",)),
            request(f"http://localhost{path}", good),
            request(f"http://evil.example{path}", good),
            request(f"/{path}", good),
            request(f"{path}/", good),
            request(path[:-1] + f"%{ord(path[-1]):x}", good),
            *(request(path, good, method=method) for method in METHODS),
        ],
    )


@pytest.mark.parametrize("path", PATHS)
async def test_framing_is_taken_alike(path: str) -> None:
    good = content_of(path)
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(good), good)
    unsized = ("content-length",)
    await both(
        House(limit=1000),
        [
            request(path, chunks, "transfer-encoding: chunked", but=unsized),
            request(path, chunks, "transfer-encoding: chunked"),
            request(path, chunks, "transfer-encoding: gzip, chunked", but=unsized),
            request(path, chunks, "transfer-encoding: xchunked", but=unsized),
            request(path, chunks, "transfer-encoding: chunked, identity", but=unsized),
            request(path, b"zz\r\n", "transfer-encoding: chunked", but=unsized),
            request(path, good, f"content-length: {len(good)}"),
            request(path, good, f"content-length: {len(good) + 1}"),
            request(path, good, "content-length: +2", but=unsized),
            request(path, good, "x-a: 1\r\n folded"),
            request(path, good, "x-a : 1"),
            request(path, good, "x-a: 1\n"),
            request(path, good, "x-a: a\x00b"),
            request(path, good, "x-a: caf\u00e9"),
            request(path, b"x" * 1001),
            request(path, b"3e9\r\n" + b"x" * 1001, "transfer-encoding: chunked", but=unsized),
            request(path, good, "content-encoding: gzip"),
            request(path, good, "content-encoding: identity"),
            request(path, good, "expect: 100-continue"),
            request(path, good, "expect: wonders"),
            request(path, good, "upgrade: websocket", "connection: upgrade"),
            request(path, good, "upgrade: h2c"),
            request(path, good, "connection: close"),
            request(path, good, version="1.0"),
            request(path, good, "connection: keep-alive", version="1.0"),
            request(path, content_of(path, stream=True)),
            request(path, content_of(path, stream=True), version="1.0"),
            request(path, content_of(path, stream=True), "upgrade: h2c"),
            request(path, good) * 3,
        ],
    )


@pytest.mark.parametrize("path", PATHS)
async def test_keys_and_pages_are_asked_for_alike(path: str) -> None:
    good, streamed = content_of(path), content_of(path, stream=True)
    asks = "access-control-request-method: POST"
    for keys in (False, True):
        await both(
            House(keys=keys, pages=True),
            [
                request(path, good),
                request(path, good, KEY),
                request(path, good, "authorization: Bearer wrong"),
                request(path, good, KEY, KEY),
                request(path, good, KEY, "x-lynkr-debug: 1"),
                request(path, good, KEY, PAGE),
                request(path, streamed, KEY, PAGE),
                request(path, good, KEY, PAGE, PAGE),
                request(path, good, KEY, "origin: https://evil.example"),
                request(path, good, PAGE),
                request(path, good, KEY, PAGE, "content-type: a/b", but=("content-type",)),
                request(path, b"{", KEY, PAGE),
                request(path, b"", PAGE, asks, method="OPTIONS"),
                request(path, b"", PAGE, method="OPTIONS"),
                request(path, good, PAGE, asks),
                request(path, b"", "origin: https://evil.example", asks, method="OPTIONS"),
            ],
        )


@pytest.mark.parametrize("house", [House(draining=True), House(active=0)])
async def test_a_gateway_that_stops_or_has_too_much_says_so_alike(house: House) -> None:
    for path in PATHS:
        await both(
            house,
            [
                request(path, content_of(path)),
                request(path, content_of(path, stream=True)),
                request(path, b"{"),
                request(path, b"", method="GET"),
                request(path, b"{}", "content-type: a/b", but=("content-type",)),
            ],
        )
