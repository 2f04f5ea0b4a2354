"""A request to an upstream's answer over HTTP: connections by aiohttp, the answers read here.

Whatever aiohttp raises becomes one `UpstreamFault` here.
"""

import asyncio
import errno
import math
import os
import socket
import ssl
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache, partial
from types import TracebackType
from typing import Self, final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.http import HttpProcessingError
from yarl import URL

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.idle import Idle, Shelf
from lynkrc_runtime.request_head import head
from lynkrc_runtime.sent_headers import SentHeaders
from lynkrc_runtime.upstream import UpstreamFault, UpstreamRequest
from lynkrc_runtime.upstream_answer import (
    HttpResponse,
    Line,
    LineProtocol,
    Proxied,
    end,
    protocol_of,
)

_MEANS = frozenset((errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM))
KEEP_ALIVE = 30.0
DNS_CACHE = 10
"""Seconds."""
AT_ONCE = 32 * 1024
"""Bytes of a body that is handed to the transport with its head: below what makes it wait."""


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
        self._idle = Idle[Line](self._loop, KEEP_ALIVE)
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
        # aiohttp has no other way to say who reads a connection. `protocol_of` sees that it worked.
        reader: type[ResponseHandler] = LineProtocol
        self._kept._factory = self._fresh._factory = partial(reader, loop=self._loop)

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

    async def send(self, request: UpstreamRequest) -> HttpResponse:
        """See `Upstream.send`; `connect` bounds name look-up, TCP and TLS together.

        Without a proxy head and body go out at once. What aiohttp makes of a request and an answer
        beyond that is most of what a call costs, and its pool of connections a good part of the
        rest: it makes connections here, and no more.
        """
        headers, body = request.headers, request.body
        if request.signer is not None:
            added = await request.signer.headers(request)
            headers = {**headers, **{name.lower(): added[name] for name in added}}
        if request.link.proxy is not None:
            return await self._send_by_proxy(request, headers)
        connecting: _Connecting | None = None
        is_heard = False
        try:
            place = self._place(request.url, request.link.tls)
            began = _head(place, headers, len(body), fresh=request.fresh)
            line = None if request.fresh else self._idle.take(place.shelf)
            if line is None:
                connecting = _Connecting()
                _connecting.set(connecting)
                connector = self._fresh if request.fresh else self._kept
                connection = await connector.connect(
                    place.asked, traces=[], timeout=_within(request.connect)
                )
                line = Line(connection, self._idle, None if request.fresh else place.shelf)
            try:
                message, content = await line.ask(began, body, is_long=len(body) > AT_ONCE)
                while 100 <= message.code < 200 and message.code != 101:
                    is_heard = True  # somebody is at work
                    message, content = await line.protocol.read()  # the answer is yet to come
            except BaseException:
                line.close()
                raise
        except Exception as error:
            is_kept = connecting is None or connecting.may_be_stale
            fault = _fault_of(error, request, may_be_stale=is_kept and not is_heard)
            if fault is None:
                raise
            raise fault from error
        if message.code == 101:
            line.leaves_http()
        return HttpResponse(message.code, message.headers, content, line)

    async def _send_by_proxy(
        self, request: UpstreamRequest, headers: Mapping[str, str]
    ) -> HttpResponse:
        """The same by aiohttp's own parts, which know how to speak to one."""
        connecting = _Connecting()
        _connecting.set(connecting)
        try:
            return await self._post(request, headers)
        except Exception as error:
            fault = _fault_of(error, request, may_be_stale=connecting.may_be_stale)
            if fault is None:
                raise
            raise fault from error

    async def _post(self, request: UpstreamRequest, headers: Mapping[str, str]) -> HttpResponse:
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
            protocol_of(connection).ready()
            transport = connection.transport
            assert transport is not None
            response = await asked.send(connection)
            if is_small:
                transport.write(body)
            try:
                await response.start(connection)
            except BaseException:
                end(connection)
                response.close()
                raise
        except BaseException:
            end(connection)
            raise
        return HttpResponse(response.status, response.headers, response.content, Proxied(response))


def _head(place: "_Place", headers: Mapping[str, str], size: int, *, fresh: bool) -> bytes:
    """The head of a request with a body of `size` bytes. Raises ValueError, see `head`."""
    if fresh or not isinstance(headers, SentHeaders) or "content-length" in headers:
        fields = {**place.fields, **headers, "content-length": str(size)}
        if fresh:
            fields["connection"] = "close"
        return head(place.line, fields)
    began = headers.heads.get(place)
    if began is None:
        began = head(place.line, {**place.fields, **headers}).removesuffix(b"\r\n")
        headers.keep(place, began)
    return b"%bcontent-length: %d\r\n\r\n" % (began, size)


@final
@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where requests go: `asked` says it in aiohttp's way, `line` and `fields` begin each."""

    asked: ClientRequest
    line: str
    fields: Mapping[str, str]
    shelf: Shelf[Line]


def _place_of(
    loop: asyncio.AbstractEventLoop,
    idle: Idle[Line],
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


def _fault_of(
    error: Exception, request: UpstreamRequest, *, may_be_stale: bool
) -> UpstreamFault | None:
    """What an error means for the attempt; None for a mistake of ours."""
    match error:
        case TimeoutError():
            return UpstreamFault(Fault.CONNECT, f"no connection within {request.connect:g} s")
        case aiohttp.ClientHttpProxyError():
            return UpstreamFault(
                Fault.CONNECT, f"the proxy refused the connection ({error.status})"
            )
        case aiohttp.ClientConnectorError() | aiohttp.InvalidURL():
            fault = Fault.UNSENT if _lacks_means(error) else Fault.CONNECT
            return UpstreamFault(fault, f"cannot connect: {_reason(error)}")
        case aiohttp.ServerDisconnectedError() | OSError():
            is_stale = may_be_stale and not _has_begun(error)
            fault = Fault.STALE if is_stale else Fault.BROKEN
            return UpstreamFault(fault, "the connection was closed before an answer")
        case aiohttp.ClientError() | HttpProcessingError() | ValueError():
            return UpstreamFault(
                Fault.BROKEN, f"the answer is not HTTP we understand: {type(error).__name__}"
            )
        case _:
            return None


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
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        found = error.certificate_error
        said = found.verify_message if isinstance(found, ssl.SSLCertVerificationError) else ""
        return f"its certificate is not trusted: {said.partition(',')[0] or 'it does not verify'}"
    if isinstance(error, aiohttp.ClientSSLError):
        return "no TLS connection can be made"
    inner = getattr(error, "os_error", None)
    if isinstance(inner, OSError) and inner.errno is not None and inner.errno > 0:
        return os.strerror(inner.errno)
    return type(error).__name__
