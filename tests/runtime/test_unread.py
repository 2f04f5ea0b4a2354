"""Clients that take nothing of what they were sent are cut off, and slow ones are not."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from lynkrc_runtime.bundle import open_bundle
from lynkrc_runtime.server import serving as module
from lynkrc_runtime.server import unread
from lynkrc_runtime.server.options import Options
from lynkrc_runtime.server.reload import tried_policy
from lynkrc_runtime.server.serving import serving
from lynkrc_runtime.server.stream import STALL_TIME
from lynkrc_runtime.server.unread import LEAST, Left, end_unread, looked
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
    """A connection with so much left to write; it is its own transport."""

    left: int
    writing_paused: bool = True
    pauses: int = 1
    closing: bool = False
    is_over: bool = False

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return self.left

    def abort(self) -> None:
        self.is_over = True


def look(one: Written, before: dict[Written, Left], now: float) -> dict[Written, Left]:
    return looked({one: cast(asyncio.Transport, one)}, before, now)


@pytest.mark.parametrize("end", ["paused", "closing"])
def test_who_takes_nothing_is_cut_off_in_time(end: str) -> None:
    one = Written(100_000, writing_paused=end == "paused", closing=end == "closing")
    seen = look(one, {}, 0.0)
    seen = look(one, seen, STALL_TIME - 1)
    one.left -= LEAST - 1
    seen = look(one, seen, STALL_TIME - 0.1)
    assert not one.is_over
    assert look(one, seen, STALL_TIME) == {}
    assert one.is_over


def test_who_takes_some_goes_on() -> None:
    one, seen = Written(10_000_000), dict[Written, Left]()
    for number in range(100):
        seen = look(one, seen, number * (STALL_TIME - 1))
        one.left -= LEAST
    assert not one.is_over


def test_who_was_written_to_again_has_taken_what_was_there() -> None:
    one, seen = Written(100_000), dict[Written, Left]()
    for number in range(100):
        seen = look(one, seen, number * (STALL_TIME - 1))
        one.pauses += 1
    assert not one.is_over
    one.writing_paused = False
    assert look(one, seen, 1e9) == {}, "nothing is held up"
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
        looking = asyncio.create_task(end_unread(one.written))
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
        seen = looked(one.written(), {}, 0.0)
        assert looked(one.written(), seen, STALL_TIME) == {}
        await turns()
        assert one.connections() == []


async def test_it_is_looked_at_while_the_gateway_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def looks(connections: Callable[[], Any]) -> None:
        assert dict(connections()) == {}
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
