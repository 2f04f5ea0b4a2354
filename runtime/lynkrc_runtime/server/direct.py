"""The way back to a client of HTTP/1.1 over its connection, without aiohttp's response and writer.

The bytes are those that `HttpClient` has aiohttp send, but for the order of lines in a head.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import final

from aiohttp import web

from lynkrc_runtime.server.draining import Stopping
from lynkrc_runtime.server.whole_answer import date_of, has_body, head, stream_head

_END = b"0\r\n\r\n"


@final
class DirectClient:
    """The way back to one client.

    `answered` is the whole answer, which is sent when the request has been settled; `is_stream`:
    there is none, but a stream that was begun; `goes_on`: the connection takes another request.
    """

    __slots__ = (
        "_begin",
        "_draining",
        "_protocol",
        "_stopping",
        "answered",
        "goes_on",
        "is_stream",
    )

    def __init__(self, protocol: web.RequestHandler, stopping: Stopping) -> None:
        self._protocol = protocol
        self._stopping = stopping
        self._begin = b""
        """The head of a stream, until it goes out with what comes first."""
        self._draining: asyncio.Task[None] | None = None
        self.answered: tuple[int, Mapping[str, str], bytes] | None = None
        self.is_stream = False
        self.goes_on = True

    def response(self, _: web.Request) -> web.Response:
        """What was answered, where `end` cannot send it."""
        if self.answered is None:
            # The client went away before anything was answered: nobody reads this.
            return web.Response(status=499)
        status, headers, body = self.answered
        return web.Response(status=status, headers=headers, body=body)

    async def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """See `Client.answer`."""
        self.answered = (status, headers, body)

    async def start(self, headers: Mapping[str, str]) -> None:
        """See `Client.start`."""
        self.goes_on = not self._stopping.is_draining
        self._begin = stream_head(headers, date_of(int(time.time())), goes_on=self.goes_on)
        self.is_stream = True

    async def write(self, data: bytes) -> None:
        """See `Client.write`."""
        if data:
            self._send(b"%b%x\r\n%b\r\n" % (self._begin, len(data), data))
        elif self._begin:
            self._send(self._begin)
        self._begin = b""
        if self._protocol.writing_paused:
            await self._drained()

    async def end(self) -> bool:
        """Send what is left of the answer; its request has been settled.

        False where there is none, or one without a body: nothing is sent. Raises ConnectionError
        where the client has gone. A stream its client takes nothing of is no whole answer: it is
        cut off.
        """
        protocol = self._protocol
        if self._stopping.is_draining:
            self.goes_on = False
        if self.is_stream:
            transport = protocol.transport
            if transport is not None and protocol.writing_paused:
                transport.abort()
            self._send(self._begin + _END)
        elif self.answered is None or not has_body(self.answered[0]):
            return False
        else:
            status, fields, body = self.answered
            date = date_of(int(time.time()))
            self._send(head(status, fields, len(body), date, goes_on=self.goes_on) + body)
        if protocol.writing_paused:
            await protocol._drain_helper()
        return True

    def _send(self, data: bytes) -> None:
        transport = self._protocol.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has gone")
        transport.write(data)

    async def _drained(self) -> None:
        """Until the client can take more; may be cancelled and asked for again.

        A connection has one future for all who wait: whoever is cancelled there leaves it
        cancelled, and so cancels whoever comes next. So it is waited for by a task of its own.
        """
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._protocol._drain_helper())
            self._draining.add_done_callback(looked_at)
        await asyncio.shield(self._draining)


def looked_at(task: "asyncio.Task[None]") -> None:
    """Nobody may be left to hear that the client has gone."""
    if not task.cancelled():
        task.exception()
