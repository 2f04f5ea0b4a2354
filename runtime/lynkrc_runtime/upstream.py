"""A request to an upstream's answer, over aiohttp: the only client of the gateway.

`Upstream` is the narrow interface; the simulator implements it too. Whatever aiohttp raises
becomes one `UpstreamFault` here. Attempts own their time: nothing here limits more than the
connect.
"""

import asyncio
import errno
import math
import os
import socket
import ssl
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache, partial
from types import TracebackType
from typing import Protocol, Self, final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError
from msgspec import Struct
from yarl import URL

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.idle import Idle, Shelf
from lynkrc_runtime.protocol.conversation import Failure, FailureClass
from lynkrc_runtime.request_head import head

HEADER_LIMIT = 64 * 1024
"""Bytes of one header line of an answer."""
_MEANS = frozenset((errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM))
KEEP_ALIVE = 30.0
DNS_CACHE = 10
"""Seconds."""
AT_ONCE = 32 * 1024
"""Bytes of a body that is handed to the transport with its head: below what makes it wait."""
_READ = 64 * 1024


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """How a provider is connected to: through a proxy (with its login), by which certificates.

    `source` says where the proxy was written. `tls` None: the system's certificates are trusted.
    """

    proxy: str | None = field(default=None, repr=False)
    source: str = ""
    tls: ssl.SSLContext | None = None


DIRECT = Link()


@final
class UpstreamRequest(Struct, frozen=True, kw_only=True):
    """A POST. `headers` hold credentials; `connect` is seconds; `fresh` avoids kept connections.

    `signer` adds credentials that depend on the request or the time.
    `target`, `dialect` and `simulate` (a behaviour, or None) are for the simulator.
    """

    url: str
    headers: Mapping[str, str]
    body: bytes
    connect: float
    fresh: bool
    target: str
    dialect: str
    simulate: str | None = None
    signer: "Signer | None" = None
    link: Link = DIRECT

    def __repr__(self) -> str:
        """Neither credentials nor what anybody said."""
        return f"UpstreamRequest(url={self.url!r}, target={self.target!r})"


class Signer(Protocol):
    """Credentials that are worked out anew: a signature of the request, a token that expires."""

    async def headers(self, request: UpstreamRequest) -> Mapping[str, str]:
        """Headers to add to the request's. Raises UpstreamFault where there are none to be had."""
        ...


class UpstreamResponse(Protocol):
    """An answer whose headers have come."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers, lower-case names, the last of equal names."""
        ...

    async def read(self) -> bytes:
        """Next bytes of the body, b'' at its end. A cancelled read loses nothing: ask again.

        Raises UpstreamFault when the body breaks off.
        """
        ...

    def close(self) -> None:
        """Done with it: the connection is kept if the whole body was read, else dropped."""
        ...


class Upstream(Protocol):
    """Sends requests."""

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """Send, and wait for the answer's headers. Raises UpstreamFault."""
        ...


@final
class UpstreamFault(Exception):
    """No answer, or half of one."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault
        self.failure = Failure(kind=FailureClass.TRANSIENT, status=0, message=message)


@final
class _Connecting:
    """Whether a request may have met a dead connection: a kept one, and nothing was heard on it."""

    __slots__ = ("may_be_stale",)

    def __init__(self) -> None:
        self.may_be_stale = True


_connecting: ContextVar[_Connecting] = ContextVar("connecting")


def _socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """A socket for a connection that is made anew, which is noted of the request that needs it."""
    _connecting.get().may_be_stale = False
    family, kind, protocol, _, _ = address
    return socket.socket(family, kind, protocol)


@lru_cache(maxsize=256)
def _within(limit: float) -> aiohttp.ClientTimeout:
    """The making of a connection in so many seconds, to the fraction; nothing else is bounded."""
    return aiohttp.ClientTimeout(connect=limit, ceil_threshold=math.inf)


@final
class HttpUpstream:
    """Connections to every provider: no cookies, no redirects, no environment, no time limit.

    They are kept apart by proxy and certificates as they are by address. Requests are made by the
    parts that aiohttp's session is made of: what a session offers beyond them is not wanted here,
    and cost a quarter of every call.
    """

    __slots__ = ("_fresh", "_idle", "_kept", "_loop", "_place")

    def __init__(self) -> None:
        """Needs a running event loop."""
        self._loop = asyncio.get_running_loop()
        self._idle = Idle[Connection](self._loop, KEEP_ALIVE)
        self._place = lru_cache(maxsize=1024)(partial(_place_of, self._loop, self._idle))
        self._kept = aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=KEEP_ALIVE,
            ttl_dns_cache=DNS_CACHE,
            socket_factory=_socket,
        )
        # A stale pool may hold more dead connections; aiohttp has no "new connection" switch a
        # request, so the rare second try after a stale one goes through a pool that keeps none.
        self._fresh = aiohttp.TCPConnector(
            limit=0, force_close=True, ttl_dns_cache=DNS_CACHE, socket_factory=_socket
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Drop every connection."""
        self._idle.close()
        await self._kept.close()
        await self._fresh.close()

    async def send(self, request: UpstreamRequest) -> "HttpResponse":
        """See `Upstream.send`; `connect` bounds name look-up, TCP and TLS together."""
        headers = request.headers
        if request.signer is not None:
            added = await request.signer.headers(request)
            headers = {**headers, **{name.lower(): added[name] for name in added}}
        connecting = _Connecting()
        try:
            if request.link.proxy is None:
                return await self._post_at_once(request, headers, connecting)
            _connecting.set(connecting)
            return HttpResponse(*await self._post(request, headers))
        except TimeoutError as error:
            raise UpstreamFault(
                Fault.CONNECT, f"no connection within {request.connect:g} s"
            ) from error
        except aiohttp.ClientHttpProxyError as error:
            raise UpstreamFault(
                Fault.CONNECT, f"the proxy refused the connection ({error.status})"
            ) from error
        except (aiohttp.ClientConnectorError, aiohttp.InvalidURL) as error:
            fault = Fault.UNSENT if _lacks_means(error) else Fault.CONNECT
            raise UpstreamFault(fault, f"cannot connect: {_reason(error)}") from error
        except (aiohttp.ServerDisconnectedError, OSError) as error:
            is_stale = connecting.may_be_stale and not _has_begun(error)
            fault = Fault.STALE if is_stale else Fault.BROKEN
            raise UpstreamFault(fault, "the connection was closed before an answer") from error
        except (aiohttp.ClientError, HttpProcessingError, ValueError) as error:
            raise UpstreamFault(
                Fault.BROKEN, f"the answer is not HTTP we understand: {type(error).__name__}"
            ) from error

    async def _post_at_once(
        self, request: UpstreamRequest, headers: Mapping[str, str], connecting: _Connecting
    ) -> "HttpResponse":
        """The answer to a request without a proxy: head and body go out at once.

        What aiohttp makes of a request and an answer beyond that is most of what a call costs, and
        its pool of connections a good part of the rest: it makes connections here, and no more.
        """
        place, body = self._place(request.url, request.link.tls), request.body
        fields = {**place.fields, **headers, "content-length": str(len(body))}
        if request.fresh:
            fields["connection"] = "close"
        began = head(place.line, fields)
        shelf = None if request.fresh else place.shelf
        connection = None if shelf is None else self._idle.take(shelf)
        if connection is None:
            _connecting.set(connecting)
            connector = self._fresh if request.fresh else self._kept
            connection = await connector.connect(
                place.asked, traces=[], timeout=_within(request.connect)
            )
        try:
            protocol = _ready(connection)
            transport = connection.transport
            assert transport is not None
            if len(body) <= AT_ONCE:
                transport.write(began + body)
            else:
                transport.writelines((began, body))
            message, content = await protocol.read()
            while 100 <= message.code < 200 and message.code != 101:
                connecting.may_be_stale = False  # somebody is at work
                message, content = await protocol.read()  # the answer is yet to come
        except BaseException:
            _end(connection)
            raise
        if message.code == 101:
            shelf = None  # what comes behind it is no HTTP
        held = _Held(connection, self._idle, shelf, is_long=len(body) > AT_ONCE)
        return HttpResponse(message.code, message.headers, content, held)

    async def _post(
        self, request: UpstreamRequest, headers: Mapping[str, str]
    ) -> "tuple[int, Mapping[str, str], aiohttp.StreamReader, aiohttp.ClientResponse]":
        """The answer once its head has come; on the way out no connection is left behind."""
        body, proxy = request.body, request.link.proxy
        fields = {"accept-encoding": "identity", **headers}
        is_small = len(body) <= AT_ONCE
        if is_small:
            # Written below with the head; aiohttp would start a task that does the same.
            fields["content-length"] = str(len(body))
        asked = ClientRequest(
            "POST",
            _url(request.url),
            headers=fields,
            data=None if is_small else body,
            loop=self._loop,
            proxy=None if proxy is None else URL(proxy),
            ssl=request.link.tls or True,
        )
        connector = self._fresh if request.fresh else self._kept
        connection = await connector.connect(asked, traces=[], timeout=_within(request.connect))
        try:
            _ready(connection)
            transport = connection.transport
            assert transport is not None
            response = await asked.send(connection)
            if is_small:
                transport.write(body)
            try:
                await response.start(connection)
            except BaseException:
                _end(connection)
                response.close()
                raise
        except BaseException:
            _end(connection)
            raise
        return response.status, response.headers, response.content, response


@final
@dataclass(frozen=True, slots=True)
class _Place:
    """Where requests go: `asked` says it in aiohttp's way, `line` and `fields` begin each."""

    asked: ClientRequest
    line: str
    fields: Mapping[str, str]
    shelf: Shelf[Connection]


def _place_of(
    loop: asyncio.AbstractEventLoop,
    idle: Idle[Connection],
    address: str,
    tls: ssl.SSLContext | None,
) -> _Place:
    """The place, worked out once. Raises InvalidURL."""
    url = _url(address)
    asked = ClientRequest("POST", url, loop=loop, ssl=tls or True)
    fields = {"host": asked.headers["host"], "accept": "*/*", "accept-encoding": "identity"}
    if "authorization" in asked.headers:  # of an address with a login
        fields["authorization"] = asked.headers["authorization"]
    shelf = idle.shelf(asked.connection_key)
    return _Place(asked, f"POST {url.raw_path_qs} HTTP/1.1", fields, shelf)


@final
class _Held:
    """A connection while its answer comes: then it waits for others, or ends."""

    __slots__ = ("_connection", "_idle", "_is_long", "_shelf")

    def __init__(
        self,
        connection: Connection,
        idle: Idle[Connection],
        shelf: Shelf[Connection] | None,
        *,
        is_long: bool,
    ) -> None:
        self._connection: Connection | None = connection
        self._idle = idle
        self._shelf = shelf
        self._is_long = is_long

    def release(self) -> None:
        """The body is at its end."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        protocol, transport = connection.protocol, connection.transport
        if (
            self._shelf is None
            or protocol is None
            or protocol.should_close
            or transport is None
            # Answered before all of it had been sent.
            or (self._is_long and transport.get_write_buffer_size() > 0)
        ):
            _end(connection)
        else:
            self._idle.put(self._shelf, connection)

    def close(self) -> None:
        """Nobody wants the rest."""
        connection, self._connection = self._connection, None
        if connection is not None:
            _end(connection)


def _end(connection: Connection) -> None:
    """End a connection at once: closed, it would first send what is left of a request, to somebody
    who may never read it.
    """
    transport = connection.transport
    if transport is not None and transport.get_write_buffer_size() > 0:
        transport.abort()
    connection.close()


def _ready(connection: Connection) -> ResponseHandler:
    """The protocol of a connection, ready for an answer.

    Raises ServerDisconnectedError for one on which something was said while nobody asked: it would
    be taken for the answer.
    """
    protocol = connection.protocol
    assert protocol is not None
    if protocol.should_close:
        raise aiohttp.ServerDisconnectedError
    protocol.set_response_params(
        read_until_eof=True,
        auto_decompress=False,
        read_bufsize=_READ,
        max_line_size=HEADER_LIMIT,
        max_field_size=HEADER_LIMIT,
    )
    return protocol


@lru_cache(maxsize=1024)
def _url(text: str) -> URL:
    """The address, taken apart once. Raises InvalidURL where it names no host or another scheme."""
    try:
        url = URL(text)
    except ValueError as error:
        raise aiohttp.InvalidURL(text) from error
    if url.scheme not in ("http", "https") or not url.raw_host:
        raise aiohttp.InvalidURL(text)
    return url


@final
class HttpResponse:
    """An aiohttp answer behind `UpstreamResponse`; `holder` is what has its connection."""

    __slots__ = ("_content", "_given", "_holder", "status")

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        content: aiohttp.StreamReader,
        holder: aiohttp.ClientResponse | _Held,
    ) -> None:
        self._content = content
        self._holder = holder
        self.status = status
        self._given = headers
        if isinstance(holder, _Held):
            # At the end of the body the connection is free for others, read or not.
            content.on_eof(holder.release)

    @property
    def headers(self) -> Mapping[str, str]:
        """See `UpstreamResponse.headers`; of most answers nobody asks for them."""
        return {name.lower(): value for name, value in self._given.items()}

    async def read(self) -> bytes:
        """See `UpstreamResponse.read`."""
        try:
            return await self._content.readany()
        except (aiohttp.ClientError, ValueError) as error:
            raise UpstreamFault(Fault.BROKEN, "the answer broke off") from error

    def close(self) -> None:
        """See `UpstreamResponse.close`."""
        # release() keeps the connection only at the end of the body; otherwise it would go on
        # reading an answer nobody wants, so the connection is closed: the upstream stops working.
        if self._content.at_eof():
            self._holder.release()
            return
        if isinstance(self._holder, aiohttp.ClientResponse) and self._holder.connection is not None:
            _end(self._holder.connection)
        self._holder.close()
        if isinstance(self._holder, _Held):
            # Who still reads must not take the end of the connection for that of the answer.
            self._content.set_exception(aiohttp.ClientConnectionError("closed"))


def _has_begun(error: Exception) -> bool:
    """Whether a part of an answer's head had come: the request was taken, and is not made again
    as if nobody had.
    """
    # aiohttp's words where nothing had, else what there is of the head.
    return isinstance(error, aiohttp.ServerDisconnectedError) and not isinstance(error.message, str)


def _lacks_means(error: Exception) -> bool:
    """Whether this machine has no file, port or memory left: that says nothing of who is called."""
    inner = getattr(error, "os_error", None)
    return isinstance(inner, OSError) and inner.errno in _MEANS


def _reason(error: Exception) -> str:
    """The operating system's words for its error number; longer texts name addresses."""
    inner = getattr(error, "os_error", None)
    if isinstance(inner, OSError) and inner.errno is not None and inner.errno > 0:
        return os.strerror(inner.errno)
    return type(error).__name__
