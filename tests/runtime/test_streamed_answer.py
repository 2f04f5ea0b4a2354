"""Streamed answers, as they come over a socket: framed, held back for slow clients, broken off."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from lynkrc_runtime.server.client_routes import HttpClient
from lynkrc_runtime.server.draining import Stopping
from lynkrc_runtime.server.http import before_answer

Say = Callable[[HttpClient], Awaitable[None]]
ASK = b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n"


@asynccontextmanager
async def connected(
    say: Say, *, limit: int = 1 << 16
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        client = HttpClient(request, Stopping())
        await client.start({"content-type": "text/event-stream"})
        await say(client)
        client.ended()
        assert client.response is not None
        return client.response

    app = web.Application()
    app.on_response_prepare.append(before_answer)
    app.router.add_post("/", handle)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=limit)
    try:
        yield reader, writer
    finally:
        writer.close()
        await runner.cleanup()


async def _pieces(client: HttpClient) -> None:
    for piece in (b"", b"one", b"", b"x" * 17, b""):
        await client.write(piece)


CHUNKS = b"3\r\none\r\n11\r\n" + b"x" * 17 + b"\r\n0\r\n\r\n"


async def test_pieces_are_chunks_and_the_connection_serves_on() -> None:
    async with connected(_pieces) as (reader, writer):
        writer.write(ASK + ASK)  # the second is there before the first is answered
        for _ in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"transfer-encoding: chunked" in head.lower()
            assert await reader.readexactly(len(CHUNKS)) == CHUNKS


@pytest.mark.parametrize("extra", [b"", b"connection: keep-alive\r\n"])
async def test_what_an_old_client_gets_ends_with_its_connection(extra: bytes) -> None:
    async with connected(_pieces) as (reader, writer):
        writer.write(b"POST / HTTP/1.0\r\ncontent-length: 0\r\n" + extra + b"\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"chunked" not in head.lower()
        assert b"keep-alive" not in head.lower()
        assert await reader.read() == b"one" + b"x" * 17


async def test_no_more_is_written_than_a_client_takes() -> None:
    written, piece, count = 0, b"x" * 10_000, 2_000
    went_on = asyncio.Event()

    async def much(client: HttpClient) -> None:
        nonlocal written
        for _ in range(count):
            await client.write(piece)
            written += 1
            went_on.set()

    async with connected(much, limit=1 << 10) as (reader, writer):
        writer.write(ASK)
        await asyncio.wait_for(went_on.wait(), 60)
        stalled = 0
        while stalled < 50:  # turns of the loop in which nothing more was written
            went_on.clear()
            await asyncio.sleep(0)
            stalled = 0 if went_on.is_set() else stalled + 1
        assert 0 < written < count, "it waits for the client"
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(count):
            assert await reader.readexactly(len(b"2710\r\n") + 10_002) == (
                b"2710\r\n" + piece + b"\r\n"
            )
        assert await reader.readexactly(5) == b"0\r\n\r\n"
    assert written == count


async def test_a_client_that_left_is_noticed_as_soon_as_it_is_written_to() -> None:
    heard: asyncio.Future[type[BaseException]] = asyncio.get_running_loop().create_future()
    begun = asyncio.Event()

    async def endless(client: HttpClient) -> None:
        try:
            while True:
                await client.write(b"x" * 10_000)
                begun.set()
                await asyncio.sleep(0)
        except (ConnectionError, asyncio.CancelledError) as error:
            heard.set_result(type(error))
            raise

    async with connected(endless) as (_, writer):
        writer.write(ASK)
        await begun.wait()
        writer.transport.abort()
        found = await asyncio.wait_for(heard, 60)
        assert issubclass(found, (ConnectionResetError, asyncio.CancelledError))
        await asyncio.sleep(0)
        assert not [task for task in asyncio.all_tasks() if "drain" in repr(task.get_coro())], (
            "nobody waits for it any more"
        )
