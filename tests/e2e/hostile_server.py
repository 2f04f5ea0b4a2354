"""An upstream on a raw socket: it reads a request and says any bytes at all, right or wrong.

It notes when the gateway hung up, for nothing of a broken answer may be left open.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PATIENCE = 60.0
"""Seconds a test waits for what must happen before it fails."""
OK = "200 OK"


@dataclass(frozen=True)
class Reply:
    """An answer as bytes: `head` whole, then `pieces`, as they are or each a chunk.

    `stays`: the connection is left open in silence behind the pieces, else it is closed.
    """

    head: bytes
    pieces: Iterable[bytes] = ()
    chunked: bool = False
    stays: bool = False


def reply(
    content_type: str | None,
    pieces: Iterable[bytes],
    *,
    status: str = OK,
    headers: Mapping[str, str] | None = None,
    cut: bool = False,
    stays: bool = False,
) -> Reply:
    """An answer in chunks; `cut` leaves out the last one, as `stays` does."""
    lines = [f"HTTP/1.1 {status}", "transfer-encoding: chunked"]
    lines += [f"content-type: {content_type}"] if content_type is not None else []
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]

    def chunks() -> Iterable[bytes]:
        for piece in pieces:
            if piece:
                yield b"%x\r\n%s\r\n" % (len(piece), piece)
        if not cut and not stays:
            yield b"0\r\n\r\n"

    return Reply(head="\r\n".join((*lines, "", "")).encode(), pieces=chunks(), stays=stays)


@dataclass
class Hostile:
    """`then` are the answers to come, from the front; behind them it says `says`, always.

    `asked` are the requests' bytes, `sent` counts the bytes of answers.
    """

    url: str = ""
    says: Reply | None = None
    then: list[Reply] = field(default_factory=list)
    asked: list[bytes] = field(default_factory=list)
    sent: int = 0
    open: int = 0
    """Connections that nobody has closed."""
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def all_closed(self) -> None:
        """Until no connection is open that the gateway still would wait on."""
        async with asyncio.timeout(PATIENCE), self.changed:
            await self.changed.wait_for(lambda: self.open == 0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        self.open += 1
        try:
            self.asked.append(await _request(reader))
            says = self.then.pop(0) if self.then else self.says
            assert says is not None
            await self._say(says, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            async with self.changed:
                self.open -= 1
                self.changed.notify_all()

    async def _say(
        self, says: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(says.head)
        for piece in says.pieces:
            writer.write(piece)
            self.sent += len(piece)
            await writer.drain()
        if says.stays:
            await reader.read()


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    size = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            size = int(line.partition(b":")[2])
    return head + await reader.readexactly(size)


@asynccontextmanager
async def hostile() -> AsyncIterator[Hostile]:
    """The server, on a free port."""
    made = Hostile()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    made.url = f"http://{host}:{port}"
    try:
        yield made
    finally:
        server.close()
