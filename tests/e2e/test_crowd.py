"""More connections than there is room for: idle ones go, running requests stay, new ones come."""

import asyncio
import json
import resource
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme
from aiohttp import web

from lynkrc_runtime.server import crowd
from lynkrc_runtime.server.crowd import FILES, LEAST, OPERATORS, Door, room
from lynkrc_runtime.server.serving import runner
from lynkrc_runtime.telemetry.log import Log
from tests.e2e.doors_lab import written
from tests.e2e.gateway import GatewayProcess, command, environment
from tests.e2e.raw_client import NEXT, speak
from tests.runtime.by_hand import Said

PATIENCE = 60.0
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Lab:
    """A server behind a door; its answers wait for `go`."""

    def __init__(self) -> None:
        self.port = 0
        self.said = Said()
        self.go = asyncio.Event()
        self.asked = asyncio.Event()
        self.writers: list[asyncio.StreamWriter] = []

    async def answer(self, _: web.Request) -> web.Response:
        self.asked.set()
        await self.go.wait()
        return web.Response(text="here")

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        return reader, writer

    async def serves_new_ones(self) -> None:
        reader, writer = await self.connect()
        writer.write(NEXT)
        async with asyncio.timeout(PATIENCE):
            assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()


async def _ok(_: web.Request) -> web.Response:
    return web.Response(text="ok")


@asynccontextmanager
async def lab(most: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Lab]:
    made = Lab()
    app = web.Application()
    app.router.add_get("/", made.answer)
    app.router.add_get("/health/live", _ok)
    log = Log(write=made.said.write)
    served = runner(app, log, 1.0)
    await served.setup()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        made.port = listening.getsockname()[1]
        await Door(served, listening, most=most, log=log, tls=tls).start()
        try:
            yield made
        finally:
            for writer in made.writers:
                writer.close()
            await served.cleanup()


async def end_of(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(PATIENCE):
        return await reader.read()


async def test_the_oldest_idle_one_makes_room() -> None:
    async with lab(4) as made:
        crowd_of = [await made.connect() for _ in range(4)]
        await made.serves_new_ones()
        assert await end_of(crowd_of[0][0]) == b""
        # The others may still ask.
        made.go.set()
        for reader, writer in crowd_of[1:]:
            writer.write(GET)
            async with asyncio.timeout(PATIENCE):
                assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            writer.close()
        (line,) = made.said.lines
        assert (line["event"], line["connections"], line["most"]) == ("crowded", 4, 4)


async def test_a_running_request_is_answered_and_a_begun_one_is_not_waited_for() -> None:
    async with lab(3) as made:
        reader, writer = await made.connect()
        writer.write(GET)
        async with asyncio.timeout(PATIENCE):
            await made.asked.wait()
        begun = [await made.connect() for _ in range(2)]
        for _, one in begun:
            one.write(b"GET / HTTP/1.1\r\nX-A: ")
        for _ in range(3):
            await made.serves_new_ones()
        assert await end_of(begun[0][0]) == b""
        made.go.set()
        assert (await end_of(reader)).endswith(b"here"), "answered, and then closed"
        writer.close()


async def test_beyond_twice_as_many_nobody_is_heard() -> None:
    async with lab(2) as made:
        running = []
        for _ in range(4):
            made.asked.clear()
            running.append(await made.connect())
            writer = running[-1][1]
            writer.write(GET)
            async with asyncio.timeout(PATIENCE):
                await made.asked.wait()
        reader, writer = await made.connect()
        with pytest.raises(ConnectionError):
            writer.write(NEXT)
            await end_of(reader)
            raise ConnectionResetError  # closed before it could write
        made.go.set()
        for heard, _ in running:
            async with asyncio.timeout(PATIENCE):
                await heard.readuntil(b"here")
        await made.serves_new_ones()


async def test_a_handshake_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    assert crowd.HANDSHAKE <= 15
    monkeypatch.setattr(crowd, "HANDSHAKE", 0.2)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    async with lab(4, context) as made:
        for begun in (b"", b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
            reader, writer = await made.connect()
            writer.write(begun)
            assert await end_of(reader) == b""
            writer.close()


LIMITS: dict[str, tuple[tuple[int, int], int, int]] = {
    "as Linux has it": ((1024, 524_288), FILES, (FILES - 128) // 3),
    "no limit": ((resource.RLIM_INFINITY,) * 2, resource.RLIM_INFINITY, (FILES - 128) // 3),
    "few": ((256, 1024), 1024, (1024 - 128) // 3),
    "very few": ((64, 64), 64, LEAST),
}


@pytest.mark.parametrize("name", LIMITS)
def test_room(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given, becomes, most = LIMITS[name]
    now = [given]
    monkeypatch.setattr(resource, "getrlimit", lambda _: now[0])
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: now.append(limits))
    assert room() == most
    assert now[-1][0] == becomes


def test_room_where_the_system_refuses_what_it_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert room() == (256 - 128) // 3


def test_hundreds_of_idle_connections_take_no_file_from_those_who_ask(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log, ExitStack() as closing:
        process = closing.enter_context(
            subprocess.Popen(
                ["sh", "-c", 'ulimit -n 256; exec "$@"', "sh", *command(written(tmp_path))],
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        )
        closing.callback(process.kill)
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        gateway = GatewayProcess(process=process, ready=ready, log=tmp_path / "log")
        for url in (gateway.url, gateway.admin):
            address = urlsplit(url)
            for _ in range(300):
                one = socket.create_connection((address.hostname, address.port), timeout=PATIENCE)
                closing.enter_context(one)
            assert speak(url, NEXT).statuses == [200]
        assert speak(gateway.url, NEXT).statuses == [200]
        files = len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
        assert files < 128 + OPERATORS + room_of(256)
        assert gateway.stop() == 0
        crowded = [line for line in gateway.lines if line["event"] == "crowded"]
        assert {line["most"] for line in crowded} == {OPERATORS, room_of(256)}
        assert not [line for line in gateway.lines if line["level"] == "error"]


def room_of(files: int) -> int:
    return (files - 128) // 3
