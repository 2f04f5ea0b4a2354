"""A forward proxy in the test's own loop: tunnels and plain requests, each to one upstream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.e2e.hostile_server import Hostile


@dataclass
class Proxy:
    """`heads` of what was asked of it; wherever it is sent, it goes to `port`."""

    port: int
    refuses: bytes = b""
    heads: list[bytes] = field(default_factory=list)
    address: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            if self.refuses:
                writer.write(b"HTTP/1.1 " + self.refuses + b"\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
                return
            far_reader, far = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                if head.startswith(b"CONNECT "):
                    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                else:
                    far.write(head)
                await asyncio.gather(_pump(reader, far), _pump(far_reader, writer))
            finally:
                far.close()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
    except ConnectionError:
        writer.close()


@asynccontextmanager
async def proxy_before(upstream: Hostile) -> AsyncIterator[Proxy]:
    """A proxy whose every way leads to the upstream."""
    proxy = Proxy(port=int(upstream.url.rpartition(":")[2]))
    listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.address = f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        listener.close()
