"""How connections end whose usual requests we serve ourselves: as aiohttp's do.

Each test of both ways runs them with the same serving behind.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web, web_protocol

from lynkrc_runtime.server import http as guards
from lynkrc_runtime.server.crowd import _send_away
from lynkrc_runtime.server.exchange import Client, Incoming
from lynkrc_runtime.server.gateway import Gateway
from tests.runtime.connection_lab import (
    HEAD,
    NEXT,
    PATIENCE,
    Lending,
    answer,
    asked,
    both_ways,
    lending,
    turns,
)


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lending:
    return lending(monkeypatch)


def endless() -> tuple[Callable[..., Awaitable[None]], asyncio.Event, asyncio.Event]:
    """What serves a request until it is cancelled, and when that began and ended."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def serving(*_: Any) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    return serving, begun, ended


@both_ways
async def test_a_body_that_does_not_come_is_answered_and_the_connection_ends(
    lab: Lending, direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "BODY_TIME", 0.05)
    async with lab(direct=direct) as one:
        reader, writer = await one.connect()
        writer.write(HEAD + b"content-length: 9\r\n\r\n{")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert head.startswith(b"HTTP/1.1 408")
        assert b"connection: close" in head.lower()
        writer.write(b"12345678")  # it is read, so that the client gets to read the answer
        assert b"did not come" in await asyncio.wait_for(reader.read(), PATIENCE)
        assert one.site.shedding.active == 0
        assert len(one.direct) == direct


@both_ways
async def test_who_leaves_is_served_no_more(lab: Lending, direct: bool) -> None:
    serving, begun, ended = endless()

    async with lab(serving, direct=direct) as one:
        before = asyncio.all_tasks()
        _, writer = await one.connect()
        writer.write(asked())
        await asyncio.wait_for(begun.wait(), PATIENCE)
        writer.transport.abort()
        await asyncio.wait_for(ended.wait(), PATIENCE)
        await turns()
        assert one.connections() == []
        assert asyncio.all_tasks() == before
        assert one.site.shedding.active == 0


@both_ways
async def test_who_leaves_before_the_service_begins_leaves_nothing(
    lab: Lending, direct: bool
) -> None:
    async with lab(direct=direct) as one:
        await one.connect()
        before = asyncio.all_tasks()
        (protocol,) = one.connections()
        protocol.data_received(asked())
        protocol.connection_lost(None)
        await turns()
        assert one.connections() == []
        assert len(before - asyncio.all_tasks()) == 1, "the loop of the connection has ended"
        assert asyncio.all_tasks() <= before
        assert one.site.shedding.active == 0


@both_ways
async def test_a_crowd_closes_what_waits_and_lets_finish_what_runs(
    lab: Lending, direct: bool
) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def serving(_: Gateway, incoming: Incoming, client: Client) -> None:
        begun.set()
        await go.wait()
        await client.answer(200, {}, incoming.body)

    async with lab(serving, direct=direct) as one:
        reader, writer = await one.connect()
        writer.write(asked(b"[1]"))
        await asyncio.wait_for(begun.wait(), PATIENCE)
        idle, _ = await one.connect()
        for protocol in one.connections():
            _send_away(protocol)
        assert await asyncio.wait_for(idle.read(), PATIENCE) == b""
        go.set()
        assert (await asyncio.wait_for(reader.read(), PATIENCE)).endswith(b"[1]")


@both_ways
async def test_half_a_connection_is_none(lab: Lending, direct: bool) -> None:
    serving, begun, ended = endless()

    async with lab(serving, direct=direct) as one:
        reader, writer = await one.connect()
        writer.write(asked())
        await asyncio.wait_for(begun.wait(), PATIENCE)
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        await asyncio.wait_for(ended.wait(), PATIENCE)


@both_ways
async def test_a_running_request_is_not_idle_and_its_connection_is_afterwards(
    lab: Lending, direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = web.RequestHandler.connection_made
    begun, go = asyncio.Event(), asyncio.Event()

    async def serving(_: Gateway, incoming: Incoming, client: Client) -> None:
        begun.set()
        await go.wait()
        await client.answer(200, {}, incoming.body)

    def timeless(protocol: web.RequestHandler, transport: asyncio.BaseTransport) -> None:
        taken(protocol, transport)
        assert protocol._keepalive_handle is not None
        protocol._keepalive_handle.cancel()  # however late its request comes

    monkeypatch.setattr(web.RequestHandler, "connection_made", timeless)
    async with lab(serving, direct=direct, idle=0.05) as one:
        reader, writer = await one.connect()
        writer.write(asked(b"[1]"))
        await asyncio.wait_for(begun.wait(), PATIENCE)
        (protocol,) = one.connections()
        protocol._process_keepalive()
        while protocol._keepalive_handle is not None:  # until its timer has rung
            await asyncio.sleep(0.01)
        assert not writer.is_closing()
        go.set()
        heard = await asyncio.wait_for(reader.read(), PATIENCE)
        assert heard.startswith(b"HTTP/1.1 200")
        assert heard.endswith(b"[1]")


@both_ways
async def test_a_stop_waits_for_what_runs_and_closes_what_does_not(
    lab: Lending, direct: bool
) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def serving(_: Gateway, incoming: Incoming, client: Client) -> None:
        begun.set()
        await go.wait()
        await client.answer(200, {}, incoming.body)

    async with lab(serving, direct=direct, patience=PATIENCE) as one:
        before = asyncio.all_tasks()
        idle, idler = await one.connect()
        idler.write(asked(b"[0]"))
        go.set()
        await asyncio.wait_for(idle.readuntil(b"[0]"), PATIENCE)
        begun.clear()
        go.clear()
        reader, writer = await one.connect()
        writer.write(asked(b"[1]"))
        await asyncio.wait_for(begun.wait(), PATIENCE)
        stopping = asyncio.create_task(one.server.cleanup())
        assert await asyncio.wait_for(idle.read(), PATIENCE) == b""
        assert not stopping.done()
        go.set()
        assert (await asyncio.wait_for(reader.read(), PATIENCE)).endswith(b"[1]")
        await stopping
        await turns()
        assert asyncio.all_tasks() == before


@both_ways
async def test_a_stop_ends_what_does_not_end(lab: Lending, direct: bool) -> None:
    serving, begun, ended = endless()

    async with lab(serving, direct=direct, patience=0.01) as one:
        before = asyncio.all_tasks()
        reader, writer = await one.connect()
        writer.write(asked())
        await asyncio.wait_for(begun.wait(), PATIENCE)
        await one.server.cleanup()
        assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        assert ended.is_set()
        await turns()
        assert asyncio.all_tasks() == before


@both_ways
async def test_a_stop_waits_once_for_a_body_that_does_not_come(
    lab: Lending, direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = [0.01, PATIENCE]
    monkeypatch.setattr(
        web_protocol, "ceil_timeout", lambda _: asyncio.timeout(waits.pop(0) if waits else 0.0)
    )
    async with lab(direct=direct, patience=PATIENCE) as one:
        before = asyncio.all_tasks()
        _, writer = await one.connect()
        await one.sends(writer, HEAD + b"content-length: 9\r\n\r\n{")
        await asyncio.wait_for(one.server.cleanup(), PATIENCE / 2)
        await turns()
        assert not waits
        assert one.site.shedding.active == 0
        assert asyncio.all_tasks() == before
        assert len(one.direct) == direct


@both_ways
async def test_a_stop_does_not_wait_for_what_nobody_reads(
    lab: Lending, direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "BODY_TIME", 0.05)
    async with lab(direct=direct, patience=PATIENCE) as one:
        reader, writer = await one.connect()
        await one.sends(writer, HEAD + b"content-length: 9\r\n\r\n{")
        (protocol,) = one.connections()
        protocol._lingering_time = PATIENCE
        await asyncio.wait_for(one.server.cleanup(), PATIENCE / 2)
        assert (await answer(reader))[0] == b"408"


@both_ways
@pytest.mark.parametrize("mistake", [ValueError, TimeoutError, ConnectionError])
async def test_a_mistake_behind_all_nets_is_answered(
    lab: Lending, direct: bool, mistake: type[Exception]
) -> None:
    async def serving(*_: Any) -> None:
        raise mistake("secret")

    async with lab(serving, direct=direct) as one:
        heard = await one.says(asked(), NEXT)
        status = 504 if mistake is TimeoutError else 500
        assert heard.startswith(b"HTTP/1.1 %d" % status)
        assert heard.count(b"HTTP/1.1") == 1, "the connection ends"
        assert b"secret" not in heard
        assert one.site.shedding.active == 0
        assert len(one.direct) == direct


@both_ways
async def test_a_mistake_in_the_midst_of_a_stream_ends_it_unfinished(
    lab: Lending, direct: bool
) -> None:
    async def serving(_: Gateway, __: Incoming, client: Client) -> None:
        await client.start({"content-type": "text/event-stream"})
        await client.write(b"data: 1\n\n")
        raise ValueError

    async with lab(serving, direct=direct) as one:
        heard = await one.says(asked(), NEXT)
        assert heard.endswith(b"\r\n\r\n9\r\ndata: 1\n\n\r\n")
