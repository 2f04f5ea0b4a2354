"""A client's connection: the usual request goes from the parser to what serves it, in one task.

Everything here rests on aiohttp's own handler of a connection: its parser reads every byte, its
timers watch over it, and its loop serves whatever is not the usual request, in the order it came.
That loop waits for a future between two requests. Here the future is withheld while bytes are
parsed; where they turn out to be a usual request, nothing wakes the loop until that is answered,
and what aiohttp asks of a connection (has it a task, does it wait) has the answer it would have.

What is unusual, refused, or went wrong takes the long way: it is aiohttp's request then, before the
guard and its routes. A test says which of aiohttp's private parts this relies on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, TypeAlias, cast, final

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.http import RawRequestMessage, StreamWriter
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader

from lynkrc_runtime.server.direct import DirectClient
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.server.http import (
    ARRIVAL,
    Arrival,
    Site,
    body_limit,
    body_time,
    cut_off,
    last_words,
    let_in,
    too_late,
)
from lynkrc_runtime.server.known import Known
from lynkrc_runtime.server.security import request_id
from lynkrc_runtime.server.surfaces import Surface

Says: TypeAlias = Callable[[web.Request], web.StreamResponse]
Handler: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@final
class Connections(web.Server):
    """aiohttp's server, with our connections: `surfaces` has what is usual, by exact path."""

    def __init__(
        self, server: web.Server, site: Site, surfaces: Mapping[str, Surface], handler: Handler
    ) -> None:
        super().__init__(
            handler,
            request_factory=server.request_factory,
            handler_cancellation=server.handler_cancellation,
            loop=server._loop,
            **server._kwargs,
        )
        self.site = site
        self.surfaces = surfaces

    def __call__(self) -> web.RequestHandler:
        """What serves the next connection."""
        return Connection(self, loop=self._loop, **self._kwargs)


@final
class Connection(web.RequestHandler):
    """One client's connection."""

    __slots__ = ("_idle", "_known", "_site", "_starter", "_surfaces", "_was_paused")

    def __init__(
        self, server: Connections, *, loop: asyncio.AbstractEventLoop, **bounds: Any
    ) -> None:
        super().__init__(server, loop=loop, **bounds)
        self._site = server.site
        self._surfaces = server.surfaces
        self._idle: asyncio.Future[None] | None = None
        """What aiohttp's loop waits for, while it is withheld."""
        self._known: Known | None = None
        """What the guard found of the last request."""
        self._starter: asyncio.Task[None] | None = None
        """The task of that loop, while a request of ours runs."""
        self._was_paused = False
        """Whether reading was ever paused, and so the parser may stop where nobody asked it to."""

    def data_received(self, data: bytes) -> None:
        """More bytes; of a usual request that comes while nothing runs, the service begins."""
        idle = self._waiter
        if idle is None or idle.done() or self._messages:
            if self._close or self._force_close:
                self._still_received(data)
            else:
                super().data_received(data)
            return
        self._waiter = None
        try:
            super().data_received(data)
        except BaseException:
            self._waiter = idle
            raise
        if not self._messages or not self._begins(idle):
            self._waiter = idle
            if self._messages:
                idle.set_result(None)

    def _still_received(self, data: bytes) -> None:
        """More bytes on a connection that is to end: of them, a body that is waited for is taken.

        aiohttp would take nothing more, and so wait for the rest of it until its time is over. The
        request may be about to begin, or be answered before its body has come: nothing tells of
        it then. What follows it is never begun.
        """
        current = self._current_request
        if self.transport is None or (current is not None and current.content.is_eof()):
            return
        is_told, is_forced = self._close, self._force_close
        self._close = self._force_close = False
        try:
            super().data_received(data)
        finally:
            self._close, self._force_close = is_told, is_forced

    def pause_reading(self) -> None:
        """Stop reading: a body's buffer is full."""
        self._was_paused = True
        super().pause_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Go on reading, where a body's buffer had ever paused it.

        aiohttp asks for it whenever a body is read, and then parses nothing once more. But a pause
        that comes with the end of a body stops the parser in the midst of the next one, while
        reading is not paused: it goes on by such a question alone.
        """
        if self._was_paused:
            super().resume_reading(resume_parser)

    def force_close(self) -> None:
        """Close it now; aiohttp's loop ends, even if it is not its request that runs."""
        super().force_close()
        if self._idle is not None:
            self._idle.cancel()

    def _begins(self, idle: "asyncio.Future[None]") -> bool:
        """Serve the first request that waits, if it is a usual one that is let in."""
        message, payload = self._messages[0]
        if not (
            type(message) is RawRequestMessage
            and message.method == hdrs.METH_POST
            and message.version is HttpVersion11
            and not message.should_close
            and not message.upgrade
            and not message.chunked
        ):
            return False
        path = message.path
        surface = self._surfaces.get(path) or self._surfaces.get(path.partition("?")[0])
        if surface is None:
            return False
        gateway, known = self._site.gateway, self._known
        limit = body_limit(gateway)
        try:
            if known is not None:
                known = known.again(gateway, message.raw_headers, limit)
            if known is None:
                known = let_in(gateway, message, path, limit)
        except Exception as mistake:
            # Nobody is served by it: the guard judges anew, and answers what it cannot judge.
            self.log_exception("Unhandled exception", exc_info=mistake)
            known = None
        self._known = known
        if known is None:
            return False
        assert self._parser is not None and self._manager is not None, "the connection is open"
        self._messages.popleft()
        self._parser.message_consumed()
        self._manager.requests_count += 1
        self._idle, self._starter = idle, self._task_handler
        self._task_handler = self._loop.create_task(
            self._run(surface, gateway, known, message, payload)
        )
        return True

    async def _run(
        self,
        surface: Surface,
        gateway: Gateway,
        known: Known,
        message: RawRequestMessage,
        payload: StreamReader,
    ) -> None:
        """Serve a request, and give the connection back to aiohttp's loop.

        `gateway` judged it, and serves it: a reload may come before its body.
        """
        self._request_in_progress = True
        goes_on = False
        try:
            site, arrived = self._site, self._loop.time()
            marks = gateway.policy.dispatch.settings.server.shedding
            if site.shedding.enter(marks, arrived) is not None:
                # It is refused there, as it would be again.
                assert self._request_handler is not None, "the connection is open"
                goes_on = await self._by_aiohttp(message, payload, self._request_handler)
                return
            identity = request_id(known.headers.get("x-request-id"))
            client = DirectClient(self, site.stopping)
            says: Says | None = None
            try:
                body = (
                    self._there(payload)
                    if payload.is_eof()
                    else await self._coming(payload, int(known.headers["content-length"]))
                )
                if not isinstance(body, bytes):
                    says = body
                else:
                    await surface.serving(
                        gateway,
                        surface.incoming(
                            known.headers, known.repeated, body, identity, known.caller, arrived
                        ),
                        client,
                    )
            except Exception as mistake:
                if client.is_stream:
                    raise
                says = _raising(mistake)
            finally:
                site.shedding.leave()
            if says is None and await client.end():
                goes_on = client.goes_on
                return
            arrival = Arrival(
                site,
                gateway,
                known.headers,
                known.repeated,
                identity,
                known.caller,
                path=surface.path,
            )
            handler = _saying(says or client.response, arrival)
            goes_on = await self._by_aiohttp(message, payload, handler)
        except ConnectionError:
            self.log_debug("the client has gone")
        except asyncio.CancelledError:
            self.force_close()
            raise
        except Exception as mistake:
            self.log_exception("Unhandled exception", exc_info=mistake)
            self.force_close()
        finally:
            self._request_in_progress = False
            if self._handler_waiter is not None and not self._handler_waiter.done():
                self._handler_waiter.set_result(None)
            self._rest(goes_on=goes_on)

    def _rest(self, *, goes_on: bool) -> None:
        """The connection waits for its next request, or ends."""
        idle, self._idle = self._idle, None
        starter, self._starter = self._starter, None
        assert idle is not None, "a request ran"
        if self._force_close or self._close or not goes_on:
            idle.cancel()
            if not self._force_close:
                self._task_handler = None
                if self.transport is not None:
                    self.transport.close()
            return
        self._task_handler, self._waiter = starter, idle
        self._keepalive = True
        moment = self._loop.time() + self._keepalive_timeout
        self._next_keepalive_close_time = moment
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(moment, self._process_keepalive)
        if self._messages:
            idle.set_result(None)

    def _there(self, payload: StreamReader) -> bytes:
        """A body that has come whole."""
        if payload is not EMPTY_PAYLOAD and not self._was_paused:
            pieces = payload._buffer
            if len(pieces) == 1:
                # It came in one piece with its head: nobody waits to hear that it is taken.
                return pieces.popleft()
        return payload.read_nowait()

    async def _coming(self, payload: StreamReader, length: int) -> bytes | Says:
        """A body that is still to come, or the refusal of one that is waited for no longer."""
        stopping = self._site.stopping
        self._current_request = cast(web.BaseRequest, _Coming(payload))
        running = stopping.enters()
        try:
            with body_time(self._loop):
                if length > self._read_bufsize or self._was_paused:
                    return await payload.read()
                # It has room in the buffer: reading is not paused before all of it is there.
                await payload.wait_eof()
                return self._there(payload)
        except TimeoutError:
            return too_late
        except asyncio.CancelledError:
            if not stopping.was_cut(running):
                raise
            return cut_off
        finally:
            stopping.leaves(running)
            self._current_request = None

    async def _by_aiohttp(
        self, message: RawRequestMessage, payload: StreamReader, handler: Handler
    ) -> bool:
        """Have aiohttp answer what a handler says; whether the connection takes another request."""
        if self._request_factory is None:
            return False  # the client has gone
        assert self._task_handler is not None, "a request runs"
        writer = StreamWriter(self, self._loop)
        request = self._request_factory(message, payload, self, writer, self._task_handler)
        response, has_gone = await self._handle_request(request, None, handler)
        if has_gone:
            return False
        if self._force_close:
            return False
        # A client that still sends would not read an answer behind which the connection ends.
        with suppress(TimeoutError):
            async with asyncio.timeout(self._lingering_time):
                while not payload.is_eof():
                    await payload.readany()
        return bool(response.keep_alive) and payload.is_eof()


@final
class _Coming:
    """A body that is waited for, as aiohttp ends it with its requests when it shuts down."""

    __slots__ = ("content",)

    def __init__(self, content: StreamReader) -> None:
        self.content = content

    def _cancel(self, error: BaseException) -> None:
        self.content.set_exception(error)


def _saying(says: Says, arrival: Arrival) -> Handler:
    """What handles a request that arrived and was let in, and is answered so."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        assert isinstance(request, web.Request)
        request[ARRIVAL] = arrival
        response = says(request)
        if arrival.site.stopping.is_draining:
            response.force_close()
        last_words(request, response)
        return response

    return handler


def _raising(mistake: Exception) -> Says:
    def says(_: web.Request) -> web.StreamResponse:
        raise mistake

    return says
