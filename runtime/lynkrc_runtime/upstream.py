"""A request to an upstream's answer: what the gateway calls, whoever answers.

`HttpUpstream` (upstream_http.py) and the simulator implement it. Attempts own their time: nothing
here limits more than the connect.
"""

import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, final

from msgspec import Struct

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.protocol.conversation import Failure, FailureClass


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

    def named(self, names: Iterable[str]) -> Mapping[str, str]:
        """Of these headers those that came: what `headers` has, without all the others."""
        ...

    def at_once(self) -> bytes | None:
        """The whole body where it came with the headers, which is then read; else None."""
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
