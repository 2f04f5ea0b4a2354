"""A request to an upstream's answer, over aiohttp: the only client of the gateway.

`Upstream` is the narrow interface; the simulator implements it too. Whatever aiohttp raises
becomes one `UpstreamFault` here. Attempts own their time: nothing here limits more than the
connect.
"""

import asyncio
import errno
import os
import ssl
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import Protocol, Self, final

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.tracing import Trace
from msgspec import Struct
from yarl import URL

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.protocol.conversation import Failure, FailureClass

HEADER_LIMIT = 64 * 1024
"""Bytes of one header line of an answer."""
_MEANS = frozenset((errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM))
KEEP_ALIVE = 30.0
DNS_CACHE = 10
"""Seconds."""
AT_ONCE = 32 * 1024
"""Bytes of a body that is handed to the transport with its head: below what makes it wait."""
_READ = 64 * 1024
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=None)


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
    """How one request gets its connection: within how many seconds, and whether from the pool."""

    __slots__ = ("limit", "reused")

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.reused = True


_connecting: ContextVar[_Connecting] = ContextVar("connecting")


@final
class _Connector(aiohttp.TCPConnector):
    """Bounds and notes the making of connections; requests that find one kept pay nothing."""

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        connecting = _connecting.get()
        connecting.reused = False
        async with asyncio.timeout(connecting.limit):
            return await super()._create_connection(req, traces, timeout)


@final
class HttpUpstream:
    """Connections to every provider: no cookies, no redirects, no environment, no time limit.

    They are kept apart by proxy and certificates as they are by address. Requests are made by the
    parts that aiohttp's session is made of: what a session offers beyond them is not wanted here,
    and cost a quarter of every call.
    """

    __slots__ = ("_fresh", "_kept", "_loop")

    def __init__(self) -> None:
        """Needs a running event loop."""
        self._loop = asyncio.get_running_loop()
        self._kept = _Connector(limit=0, keepalive_timeout=KEEP_ALIVE, ttl_dns_cache=DNS_CACHE)
        # A stale pool may hold more dead connections; aiohttp has no "new connection" switch a
        # request, so the rare second try after a stale one goes through a pool that keeps none.
        self._fresh = _Connector(limit=0, force_close=True, ttl_dns_cache=DNS_CACHE)

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
        await self._kept.close()
        await self._fresh.close()

    async def send(self, request: UpstreamRequest) -> "HttpResponse":
        """See `Upstream.send`; `connect` bounds name look-up, TCP and TLS together."""
        headers = request.headers
        if request.signer is not None:
            headers = {**headers, **await request.signer.headers(request)}
        connecting = _Connecting(request.connect)
        _connecting.set(connecting)
        try:
            response = await self._post(request, headers)
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
            fault = Fault.STALE if connecting.reused else Fault.BROKEN
            raise UpstreamFault(fault, "the connection was closed before an answer") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise UpstreamFault(
                Fault.BROKEN, f"the answer is not HTTP we understand: {type(error).__name__}"
            ) from error
        return HttpResponse(response)

    async def _post(
        self, request: UpstreamRequest, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
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
        connection = await connector.connect(asked, traces=[], timeout=_NO_TIMEOUT)
        try:
            protocol, transport = connection.protocol, connection.transport
            assert protocol is not None
            assert transport is not None
            protocol.set_response_params(
                read_until_eof=True,
                auto_decompress=False,
                read_bufsize=_READ,
                max_line_size=HEADER_LIMIT,
                max_field_size=HEADER_LIMIT,
            )
            response = await asked.send(connection)
            if is_small:
                transport.write(body)
            try:
                return await response.start(connection)
            except BaseException:
                response.close()
                raise
        except BaseException:
            connection.close()
            raise


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
    """An aiohttp answer behind `UpstreamResponse`."""

    __slots__ = ("_content", "_response", "headers", "status")

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._content = response.content
        self.status = response.status
        self.headers: Mapping[str, str] = {
            name.lower(): value for name, value in response.headers.items()
        }

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
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()


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
