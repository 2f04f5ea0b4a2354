"""What the guard found of a connection's last request, for the next one that says the same.

A client sends the same headers again and again, but for a few that no judgement rests on. What is
kept stands in memory anyway: the parser has a request's headers until the next one begins. It holds
for the keys, doors and bounds it was found with, and for no others.
"""

import hmac
from typing import TypeAlias, final

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.server.security import HEADERS_LIMIT

RawHeaders: TypeAlias = tuple[tuple[bytes, bytes], ...]
"""Names and values as they came."""

MAY_DIFFER = frozenset(
    {b"content-length", b"idempotency-key", b"traceparent", b"tracestate", b"x-request-id"}
)
"""Lower-case names of what says neither who calls nor from where, and how no body is framed."""


@final
class Known:
    """The headers of a usual request, by lower-case name and for reading alone, and who calls.

    `repeated` are the names that came twice or more. `caller` is None in open mode. `limit` is the
    most bytes its body may have.
    """

    __slots__ = (
        "_doors",
        "_keys",
        "_limit",
        "_raw",
        "_settings",
        "caller",
        "headers",
        "repeated",
    )

    def __init__(
        self,
        gateway: Gateway,
        raw: RawHeaders,
        headers: dict[str, str],
        repeated: frozenset[str],
        caller: Caller | None,
        limit: int,
    ) -> None:
        self._keys = gateway.keys
        self._doors = gateway.doors
        self._settings = gateway.settings
        self._limit = limit
        self._raw = raw
        self.headers = headers
        self.repeated = repeated
        self.caller = caller

    def again(self, gateway: Gateway, raw: RawHeaders, limit: int) -> "Known | None":
        """The same of a request that came next; None: the guard has to look at it."""
        if (
            gateway.keys is not self._keys
            or gateway.doors is not self._doors
            or gateway.settings is not self._settings
            or limit != self._limit
            or self.repeated
        ):
            return None
        if self.caller is None and raw == self._raw:
            return self
        if len(raw) != len(self._raw):
            return None
        headers = self.headers.copy()
        for (name, value), (name_before, before) in zip(raw, self._raw, strict=True):
            if name != name_before:
                return None
            # One of them is a key: how long it takes tells nothing of where they differ.
            if hmac.compare_digest(value, before):
                continue
            lower = name.lower()
            if lower not in MAY_DIFFER:
                return None
            headers[lower.decode()] = value.decode(errors="surrogateescape")
        is_large = int(headers["content-length"]) > limit
        if is_large or sum(map(len, headers.values())) > HEADERS_LIMIT:
            return None
        return Known(gateway, raw, headers, self.repeated, self.caller, limit)
