"""Clients that send slowly, never end, or send more than may be: each costs a bounded while."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from lynkrc_runtime.server import http as guards
from lynkrc_runtime.server.admin_routes import admin_app
from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.front import put_before
from lynkrc_runtime.server.http import BODY_LIMIT, BODY_TIME, Site
from lynkrc_runtime.server.serving import IDLE, runner
from lynkrc_runtime.telemetry.log import Log
from tests.e2e.raw_client import BODY, CHUNKED, HEAD, LENGTH, speak
from tests.e2e.socket_lab import Lab
from tests.runtime.by_hand import Said, dispatch, gateway, policy, provider, target

PATIENCE = 60.0
SHORT = 0.2
"""Seconds, in the place of a minute."""


@asynccontextmanager
async def served(*, admin: bool = False, idle: float = SHORT) -> AsyncIterator[int]:
    """The port of a gateway in this loop, within the bounds a process has but for `idle`."""
    said = Said()
    row = provider("one", "simulator", base_url=None, api_key=None)
    site = Site(gateway=gateway(policy(dispatch([row], [target("t", 0)])), said))
    app = admin_app(site) if admin else client_app(site)
    made = runner(app, Log(write=said.write), PATIENCE, idle)
    await made.setup()
    if not admin:
        put_before(made, app)
    await web.TCPSite(made, "127.0.0.1", 0).start()
    try:
        yield int(made.addresses[0][1])
    finally:
        await made.cleanup()


async def until_closed(port: int, *sent: bytes) -> bytes:
    """Send the pieces, and read until the gateway closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in sent:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(PATIENCE):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize("admin", [False, True])
@pytest.mark.parametrize(
    "begun", [b"", b"P", HEAD, HEAD + LENGTH, b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: "]
)
async def test_a_head_that_never_ends_is_not_waited_for(begun: bytes, admin: bool) -> None:
    async with served(admin=admin) as port:
        assert await until_closed(port, begun) == b""


async def test_a_head_that_drips_is_not_waited_for() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        number = 0
        while not writer.is_closing():
            writer.write(b"X-%d: 1\r\n" % (number := number + 1))
            await writer.drain()
            await asyncio.sleep(SHORT / 20)

    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD)
        dripping = asyncio.create_task(drip(writer))
        async with asyncio.timeout(PATIENCE):
            try:
                heard = await reader.read()
            except ConnectionResetError:
                heard = b""
        # Nothing was answered: the head was not whole, or had too many lines by then.
        assert b"200" not in heard
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)
        writer.close()


async def test_an_idle_connection_is_closed_after_its_request() -> None:
    async with served() as port:
        heard = await until_closed(port, b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert heard.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("end", [LENGTH + b"\r\n" + BODY[:9], CHUNKED + b"\r\n5\r\n{"])
async def test_a_body_that_never_ends_is_answered(
    end: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "BODY_TIME", SHORT)
    async with served(idle=60.0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + end)
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408")
        assert b"connection: close" in head.lower()
        writer.close()


def test_the_bounds_are_sober() -> None:
    # Longer than what stands before a gateway keeps connections, and shorter than anybody waits.
    assert 60 < IDLE <= 120
    assert 60 < BODY_TIME <= 600


def test_a_declared_size_is_refused_before_the_body_comes(lab: Lab) -> None:
    head = HEAD + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % (BODY_LIMIT + 1)
    address = urlsplit(lab.gateway.url)

    async def ask() -> bytes:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(head)  # not one byte of the body
        try:
            async with asyncio.timeout(PATIENCE):
                return await reader.readuntil(b"\r\n\r\n")
        finally:
            writer.close()

    assert asyncio.run(ask()).startswith(b"HTTP/1.1 413")


def test_an_undeclared_size_is_refused_at_the_limit(lab: Lab) -> None:
    piece = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    spoken = speak(lab.gateway.url, HEAD + CHUNKED + b"\r\n" + piece * 34 + b"0\r\n\r\n")
    assert spoken.statuses[:1] == [413]
    assert [len(face.seen) for face in lab.faces] == [0] * len(lab.faces)


def bomb(coding: str, size: int) -> bytes:
    """A small body that is `size` bytes of spaces and a request."""
    made = zlib.compressobj(1, zlib.DEFLATED, 31 if coding == "gzip" else 15)
    piece = b" " * (1 << 20)
    packed = b"".join(made.compress(piece) for _ in range(size >> 20))
    return packed + made.compress(BODY) + made.flush()


def peak(process: int) -> int:
    """The most memory a process had, in MiB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    (line,) = [one for one in status.splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) >> 10


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_is_refused_before_it_bursts(lab: Lab, coding: str) -> None:
    before = peak(lab.gateway.process.pid)
    packed = bomb(coding, 1 << 29)
    assert len(packed) < 4 << 20
    head = HEAD + b"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n"
    spoken = speak(lab.gateway.url, head % (coding.encode(), len(packed)) + packed)
    assert spoken.statuses[:1] == [413]
    # Of half a gigabyte, no more than a few times what a body may have.
    assert peak(lab.gateway.process.pid) - before < 200


def test_a_compressed_body_is_read_within_the_limit(lab: Lab) -> None:
    packed = gzip.compress(BODY)
    heard = lab.send("/v1/messages", packed, headers={"content-encoding": "gzip"})
    assert heard.status == 200
    (seen,) = lab.face("claude").seen
    assert "content-encoding" not in seen.headers
    assert json.loads(seen.body)["messages"]
