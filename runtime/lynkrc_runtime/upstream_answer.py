"""A connection and what comes on it: answers, one after the other, and their bodies.

aiohttp's client has a parser made for every answer, and its readers go through three coroutines
for each piece. Here a connection keeps its parser, and a body is waited for in one place. Nothing
of HTTP is read here: what is said of a message is what aiohttp's parser says. What of aiohttp is
not for everybody to use, is used in this module alone.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Protocol, TypeAlias, final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.helpers import TimerNoop
from aiohttp.http import HttpProcessingError, RawResponseMessage

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.idle import Idle, Shelf
from lynkrc_runtime.upstream import UpstreamFault

HEADER_LIMIT = 64 * 1024
"""Bytes of one header line of an answer."""
_READ = 64 * 1024
_NO_TIMER = TimerNoop()
"""Of every body: attempts own their time. aiohttp would make one for each."""
_WITHOUT_BODY = frozenset((*range(100, 200), 204, 304))
"""Statuses of answers that have none, whatever their headers say."""

Head: TypeAlias = tuple[RawResponseMessage, aiohttp.StreamReader]
"""What aiohttp knows of an answer, and the body that comes."""


@final
class LineProtocol(ResponseHandler):
    """Reads the answers of one connection, each after it was asked for."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._head: asyncio.Future[Head] | None = None
        self._serves_again = False
        self._was_paused = False
        """Whether reading was paused since the parser was made: it may stop unasked since then."""

    def ready(self) -> None:
        """Expect an answer.

        Raises ServerDisconnectedError where something was said while nobody asked: it would be
        taken for the answer, or for its beginning.
        """
        if self.should_close or self._is_amid():
            raise aiohttp.ServerDisconnectedError
        self._was_paused = False
        if not self._serves_again:
            self.set_response_params(
                timer=_NO_TIMER,
                read_until_eof=True,
                auto_decompress=False,
                read_bufsize=_READ,
                max_line_size=HEADER_LIMIT,
                max_field_size=HEADER_LIMIT,
            )
            self._serves_again = True
            self._was_paused = self._reading_paused

    def ask(self) -> asyncio.Future[Head]:
        """Expect an answer, of which the future is the head. Raises as `ready` does."""
        self.ready()
        waiter = self._head = self._loop.create_future()
        return waiter

    def _is_amid(self) -> bool:
        """Whether an answer has begun of which nobody was told; if so, the parser is spent."""
        parser = self._parser
        if parser is None:
            return False
        try:
            # Between two answers this does nothing: there is nothing to end.
            return parser.feed_eof() is not None
        except Exception:
            return True

    def data_received(self, data: bytes) -> None:
        """Bytes from the upstream, to whom they are for; b'' goes on with those held back."""
        parser = self._parser
        if parser is None or self._upgraded:
            super().data_received(data)  # said to nobody, or no HTTP
            return
        try:
            messages, upgraded, rest = parser.feed_data(data)
        except Exception as error:
            self._fails(error)
            return
        if messages or upgraded:
            self._begin(messages)
            self._upgraded = upgraded
            if rest:
                super().data_received(rest)

    def _begin(self, messages: "list[Head]") -> None:
        """Tell who asked of an answer that begins; what else begins is said to nobody."""
        for message, body in messages:
            if message.should_close:
                self._should_close = True
            if message.chunked:
                # What may come behind the body would be read as headers of the next answer.
                self._serves_again = False
            self._payload = body
            told = aiohttp.EMPTY_PAYLOAD if message.code in _WITHOUT_BODY else body
            waiter, self._head = self._head, None
            if waiter is None or waiter.done():
                self.feed_data((message, told))
            else:
                waiter.set_result((message, told))

    def _fails(self, error: Exception) -> None:
        """This is no HTTP: whoever waits, for an answer or the rest of one, hears of it."""
        if self.transport is not None:
            self.transport.close()
        self.set_exception(HttpProcessingError(), error)
        body = self._payload
        if body is not None and not body.is_eof():
            body.set_exception(aiohttp.ClientPayloadError("not encoded as its headers say"))

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        """No answer will come; the cause is aiohttp's concern."""
        super().set_exception(exc, exc if exc_cause is None else exc_cause)
        waiter, self._head = self._head, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(exc)

    def pause_reading(self) -> None:
        """Nobody reads the body as fast as it comes."""
        self._was_paused = True
        super().pause_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:
        """aiohttp's bodies say so whenever they are read, also where nothing was ever held back.

        Of one that was, the parser may hold back a part long after the transport goes on: told to
        pause at the end of a chunk, it does so at the next.
        """
        if self._was_paused:
            super().resume_reading(resume_parser)


def protocol_of(connection: Connection) -> LineProtocol:
    """What reads a new connection."""
    protocol = connection.protocol
    assert isinstance(protocol, LineProtocol), "aiohttp's connector made another"
    return protocol


class Headers(Protocol):
    """Headers as aiohttp has them, by names in any case."""

    def __contains__(self, name: object, /) -> bool: ...

    def getall(self, key: str) -> list[str]:
        """The values of a name, in their order."""
        ...

    def items(self) -> Iterable[tuple[str, str]]:
        """All of them."""
        ...


class Holder(Protocol):
    """What has the connection of an answer."""

    def answered(self) -> None:
        """The body is at its end."""
        ...

    def close(self) -> None:
        """Nobody wants the rest."""
        ...


@final
class Line:
    """A connection that takes one request after the other."""

    __slots__ = ("_connection", "_idle", "_is_long", "_shelf", "protocol")

    def __init__(
        self, connection: Connection, idle: "Idle[Line]", shelf: "Shelf[Line] | None"
    ) -> None:
        """`shelf` None: it takes one request and no other."""
        self._connection = connection
        self._idle = idle
        self._shelf = shelf
        self._is_long = False
        self.protocol = protocol_of(connection)

    def ask(self, head: bytes, body: bytes, *, is_long: bool) -> "asyncio.Future[Head]":
        """Send a request; the future is of its answer. Raises ServerDisconnectedError.

        `is_long`: the body may wait here for the upstream to take it.
        """
        protocol = self.protocol
        waiter = protocol.ask()
        transport = protocol.transport
        assert transport is not None
        self._is_long = is_long
        if is_long:
            transport.writelines((head, body))
        else:
            transport.write(head + body)
        return waiter

    def leaves_http(self) -> None:
        """What comes from now on is something else."""
        self._shelf = None

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        transport = self.protocol.transport
        return transport is None or transport.is_closing()

    def answered(self) -> None:
        """Wait for the next request, where there may be one."""
        protocol, shelf = self.protocol, self._shelf
        transport = protocol.transport
        if (
            shelf is None
            or transport is None
            or protocol.should_close
            # Answered before all of it had been sent.
            or (self._is_long and transport.get_write_buffer_size() > 0)
        ):
            self.close()
        else:
            self._idle.put(shelf, self)

    def close(self) -> None:
        """See `end`."""
        end(self._connection)


@final
class Proxied:
    """An answer that aiohttp's own parts brought, with what they do about its connection."""

    __slots__ = ("_response",)

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    def answered(self) -> None:
        """Nothing: aiohttp sees it too."""
        self._response.release()

    def close(self) -> None:
        """See `end`."""
        connection = self._response.connection
        if connection is not None:
            end(connection)
        self._response.close()


def end(connection: Connection) -> None:
    """End a connection at once: closed, it would first send what is left of a request, to somebody
    who may never read it.
    """
    transport = connection.transport
    if transport is not None and transport.get_write_buffer_size() > 0:
        transport.abort()
    connection.close()


@final
class HttpResponse:
    """An answer behind `UpstreamResponse`; at the end of its body `holder` is free for others."""

    __slots__ = ("_content", "_given", "_holder", "_whole", "status")

    def __init__(
        self,
        status: int,
        headers: "Headers",
        content: aiohttp.StreamReader,
        holder: Holder,
    ) -> None:
        self.status = status
        self._given = headers
        self._whole = b""
        """A body that was there with its head, until it is read."""
        self._content: aiohttp.StreamReader | None = None
        """One that comes."""
        self._holder: Holder | None = holder
        if not content.is_eof():
            self._content = content
            content.on_eof(self._ended)  # read or not
            return
        if content is not aiohttp.EMPTY_PAYLOAD:
            # Nothing comes to it any more, so nothing need be told that it was read. The connection
            # remembers it until the next answer: what was said is not to stay there.
            pieces = content._buffer
            if pieces:
                self._whole = pieces[0] if len(pieces) == 1 else b"".join(pieces)
                pieces.clear()
        self._holder = None
        holder.answered()

    @property
    def headers(self) -> Mapping[str, str]:
        """See `UpstreamResponse.headers`; of most answers nobody asks for them."""
        return {name.lower(): value for name, value in self._given.items()}

    def named(self, names: Iterable[str]) -> Mapping[str, str]:
        """See `UpstreamResponse.named`."""
        given = self._given
        return {name: given.getall(name)[-1] for name in names if name in given}

    def at_once(self) -> bytes | None:
        """See `UpstreamResponse.at_once`."""
        if self._content is not None:
            return None
        whole, self._whole = self._whole, b""
        return whole

    async def read(self) -> bytes:
        """See `UpstreamResponse.read`."""
        content = self._content
        if content is None:
            whole, self._whole = self._whole, b""
            return whole
        try:
            # aiohttp's own way of waiting, without the coroutines it puts around that.
            while not content._buffer and not content._eof:
                await _more(content)
            if len(content._buffer) == 1 and content._exception is None:
                return content._read_nowait_chunk(-1)
            return content.read_nowait()
        except (aiohttp.ClientError, ValueError) as error:
            raise UpstreamFault(Fault.BROKEN, "the answer broke off") from error

    def close(self) -> None:
        """See `UpstreamResponse.close`."""
        # A connection is kept only at the end of the body; otherwise it would go on reading an
        # answer nobody wants, so it is closed: the upstream stops working.
        holder, self._holder = self._holder, None
        if holder is None:
            return
        holder.close()
        if self._content is not None:
            # Who still reads must not take the end of the connection for that of the answer.
            self._content.set_exception(aiohttp.ClientConnectionError("closed"))

    def _ended(self) -> None:
        holder, self._holder = self._holder, None
        if holder is not None:
            holder.answered()


def _more(content: aiohttp.StreamReader) -> asyncio.Future[None]:
    """A future that is done when more of a body has come, or its end. Raises what broke it."""
    error = content._exception
    if error is not None:
        raise error
    waiter = content._waiter
    if waiter is not None and not waiter.done():
        raise RuntimeError("an answer is read by one alone")
    if content._protocol.transport is None:
        raise aiohttp.ClientConnectionError("closed")
    waiter = content._waiter = content._loop.create_future()
    return waiter
