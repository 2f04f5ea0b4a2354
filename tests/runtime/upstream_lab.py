"""One upstream for a test: what it says over a real socket, and a request to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from lynkrc_runtime.upstream import UpstreamRequest

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nX-Thing: 1\r\nset-cookie: a=b\r\n\r\nhi"


def request(url: str, *, fresh: bool = False, connect: float = 5.0) -> UpstreamRequest:
    return UpstreamRequest(
        url=url,
        headers={"authorization": "Bearer k", "content-type": "application/json"},
        body=b"{}",
        connect=connect,
        fresh=fresh,
        target="t",
        dialect="openai-chat",
    )


@asynccontextmanager
async def server(talk: Talk) -> AsyncIterator[str]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        port = listener.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/v1/chat/completions"
    finally:
        listener.close()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(2)
