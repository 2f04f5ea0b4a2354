"""Clients that take nothing of what they were sent are cut off, and slow ones are not."""

import asyncio
import signal
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
import trustme
import uvloop
from aiohttp import web

from lynkrc_runtime.bundle import open_bundle
from lynkrc_runtime.server import lifecycle, unread
from lynkrc_runtime.server import serving as module
from lynkrc_runtime.server.connection import Connections
from lynkrc_runtime.server.options import Options
from lynkrc_runtime.server.reload import tried_policy
from lynkrc_runtime.server.serving import serving
from lynkrc_runtime.server.stream import STALL_TIME
from lynkrc_runtime.server.unread import LEAST, Left, acknowledged, end_unread, looked
from lynkrc_runtime.telemetry.log import Log
from tests.e2e import versions
from tests.runtime.connection_lab import HEAD, PATIENCE, Lab, Lending, asked, lending, turns

LARGE = b"[%b]" % (b" " * 12_000_000)
"""An answer of so much fills the sockets between the two."""


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lending:
    return lending(monkeypatch)


@dataclass(eq=False)
class Written:
    """A connection whose client has so much; it is its own transport and socket."""

    taken: int = 100_000
    writing_paused: bool = True
    closing: bool = False
    is_over: bool = False
    is_counted: bool = True

    def is_closing(self) -> bool:
        return self.closing

    def get_extra_info(self, _: str) -> "Written":
        return self

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        assert (level, option) == (socket.IPPROTO_TCP, socket.TCP_INFO)
        return struct.pack("=120xQ", self.taken)[: size if self.is_counted else 104]

    def abort(self) -> None:
        self.is_over = True


def look(one: Written, before: dict[Written, Left], now: float) -> dict[Written, Left]:
    return looked({one: cast(asyncio.Transport, one)}, before, now)


@pytest.mark.parametrize("end", ["paused", "closing"])
def test_who_takes_nothing_is_cut_off_in_time(end: str) -> None:
    one = Written(writing_paused=end == "paused", closing=end == "closing")
    seen = look(one, {}, 0.0)
    seen = look(one, seen, STALL_TIME - 1)
    one.taken += LEAST - 1
    seen = look(one, seen, STALL_TIME - 0.1)
    assert not one.is_over
    assert look(one, seen, STALL_TIME) == {}
    assert one.is_over


def test_who_takes_some_goes_on() -> None:
    one, seen = Written(), dict[Written, Left]()
    for number in range(100):
        seen = look(one, seen, number * (STALL_TIME - 1))
        one.taken += LEAST
    assert not one.is_over
    one.writing_paused = False
    assert look(one, seen, 1e9) == {}, "nothing is held up"
    assert not one.is_over


@pytest.mark.parametrize("one", [Written(0), Written(is_counted=False)], ids=["zero", "short"])
def test_where_nobody_counts_nobody_is_cut_off(one: Written) -> None:
    assert look(one, look(one, {}, 0.0), 1e9) == {}
    assert not one.is_over


async def stuck(one: Lab, *pieces: bytes) -> asyncio.StreamWriter:
    """A client that sends these, reads nothing, and whose answer does not fit."""
    place = socket.socket()
    # The system gives it no more room than this, however much it may give others.
    place.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    place.setblocking(False)
    await asyncio.get_running_loop().sock_connect(place, ("127.0.0.1", one.port))
    _, writer = await asyncio.open_connection(sock=place)
    one.writers.append(writer)
    cast(asyncio.ReadTransport, writer.transport).pause_reading()
    async with asyncio.timeout(PATIENCE):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        while not any(each.writing_paused for each in one.written()):
            await asyncio.sleep(0.001)
    return writer


framings = pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])


@framings
async def test_an_answer_that_nobody_reads_ends(
    lab: Lending, chunked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unread, "EVERY", 0.01)
    monkeypatch.setattr(unread, "STALL_TIME", 0.05)
    async with lab() as one:
        before = asyncio.all_tasks()
        if chunked:
            head = HEAD + b"transfer-encoding: chunked\r\n\r\n%x\r\n" % len(LARGE)
            await stuck(one, head, LARGE, b"\r\n0\r\n\r\n")
        else:
            await stuck(one, asked(LARGE))
        looking = asyncio.create_task(end_unread(one.serves))
        async with asyncio.timeout(PATIENCE):
            while one.written():
                await asyncio.sleep(0.001)
        looking.cancel()
        await turns()
        assert one.connections() == []
        assert asyncio.all_tasks() <= before
        assert one.site.shedding.active == 0


async def test_a_closed_connection_whose_end_nobody_reads_ends(lab: Lending) -> None:
    async with lab() as one:
        await stuck(one, asked(LARGE))
        ((protocol, wire),) = one.written().items()
        protocol.force_close()
        await turns()
        assert wire.is_closing() and list(one.written()) == [protocol], "its client may read on"
        seen, looks = dict[web.RequestHandler, Left](), 0
        async with asyncio.timeout(PATIENCE):
            while one.connections():
                seen = looked(one.written(), seen, looks * STALL_TIME)
                looks += 1
                await turns()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("loops", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_who_reads_slowly_is_not_cut_off(
    loops: Callable[[], asyncio.AbstractEventLoop], tls: bool
) -> None:
    with asyncio.Runner(loop_factory=loops) as runner:
        runner.run(reads_slowly(tls=tls))


class Sent(asyncio.Protocol):
    """A connection to which more is written than it takes."""

    writing_paused = False

    def __init__(self) -> None:
        self.made = asyncio.get_running_loop().create_future()

    def connection_made(self, wire: asyncio.BaseTransport) -> None:
        self.made.set_result(wire)

    def pause_writing(self) -> None:
        self.writing_paused = True


async def reads_slowly(*, tls: bool) -> None:
    """Some of what is there between two looks, which are all but the whole time apart."""
    serves = asks = None
    if tls:
        authority = trustme.CA()
        serves = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(serves)
        asks = ssl.create_default_context()
        authority.configure_trust(asks)
    sent, step = Sent(), 8 * LEAST
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: sent, "127.0.0.1", 0, ssl=serves)
    async with asyncio.timeout(PATIENCE):
        place = socket.socket()
        place.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LEAST)
        place.setblocking(False)
        await loop.sock_connect(place, server.sockets[0].getsockname())
        name = "127.0.0.1" if tls else None
        reader, writer = await asyncio.open_connection(sock=place, ssl=asks, server_hostname=name)
        wire: asyncio.Transport = await sent.made
        while not sent.writing_paused:
            wire.write(b" " * 1_000_000)
            await asyncio.sleep(0)
        wire.write(LARGE)
        seen = dict[Sent, Left]()
        for number in range(6):
            seen = looked({sent: wire}, seen, number * (STALL_TIME - 1))
            assert list(seen) == [sent], "it is held up, and goes on"
            await reader.readexactly(step)
        assert not wire.is_closing()
        wire.abort()
        while acknowledged(wire) is not None:
            await asyncio.sleep(0)
        writer.transport.abort()
        server.close()


async def test_it_is_looked_at_while_the_gateway_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def looks(server: web.Server) -> None:
        assert isinstance(server, Connections)
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    monkeypatch.setattr(module, "end_unread", looks)
    opened = open_bundle(versions.write(tmp_path, 1))
    options = Options(bundle=opened.path)
    async with serving(opened, tried_policy(opened), options, {}, Log(write=lambda _: None)):
        await asyncio.wait_for(begun.wait(), PATIENCE)
    await asyncio.wait_for(ended.wait(), PATIENCE)


async def test_so_is_the_operators_listener(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[web.Server] = []

    async def looks(server: web.Server) -> None:
        seen.append(server)

    monkeypatch.setattr(lifecycle, "end_unread", looks)
    monkeypatch.setattr(lifecycle, "announce", lambda *_: signal.raise_signal(signal.SIGTERM))
    opened = open_bundle(versions.write(tmp_path, 1))
    log = tmp_path / "log"
    options = Options(bundle=opened.path, port=0, admin_port=0, log_file=log, stop_delay=0.0)
    await asyncio.wait_for(lifecycle.run(opened, tried_policy(opened), options, {}), PATIENCE)
    (server,) = seen
    assert not isinstance(server, Connections)
