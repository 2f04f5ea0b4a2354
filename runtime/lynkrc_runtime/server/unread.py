"""Connections whose clients take nothing of what they were sent, to their end.

An answer that nobody reads fills the system's buffers and then ours, and waits: for as long as its
client likes, which may have shown no key. A connection that is closed waits as well until what it
still holds has gone out. So all of them are looked at now and then.

What a client has taken its system acknowledges, and Linux counts. Our own buffers would tell it in
steps of megabytes, as the system has room again, and those of TLS hardly at all. Other systems do
not count: there nobody is cut off.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol, TypeVar, final

from aiohttp import web

from lynkrc_runtime.server.stream import STALL_TIME

EVERY: Final = 30.0
"""Seconds between two looks."""
LEAST: Final = 64 * 1024
"""Bytes that a client takes in `STALL_TIME` at least, or all there are."""
_COUNTED: Final = struct.Struct("=120xQ")
"""`tcpi_bytes_acked` of Linux's `struct tcp_info`, whose beginning never changes."""


class Written(Protocol):
    """A connection that is written to."""

    @property
    def writing_paused(self) -> bool:
        """Whether that is held up."""


_One = TypeVar("_One", bound=Written)


@final
class Left(NamedTuple):
    """A client that is to take more: since this moment it has so many bytes."""

    taken: int
    since: float


async def end_unread(server: web.Server) -> None:
    """Look at the connections of a server, for ever."""
    loop = asyncio.get_running_loop()
    left: dict[web.RequestHandler, Left] = {}
    while True:
        await asyncio.sleep(EVERY)
        # aiohttp offers them without their transports; those that are closed have no other.
        left = looked(server._connections, left, loop.time())


def looked(
    connections: Mapping[_One, asyncio.Transport], before: Mapping[_One, Left], now: float
) -> dict[_One, Left]:
    """Cut off those that took too little for `STALL_TIME`; what the others have, that are to take.

    Those are to take something to which writing is held up, and those that are closed.
    """
    after: dict[_One, Left] = {}
    for one, wire in list(connections.items()):
        if not (one.writing_paused or wire.is_closing()):
            continue
        taken = acknowledged(wire)
        if taken is None:
            continue
        left = before.get(one)
        if left is None or taken >= left.taken + LEAST:
            after[one] = Left(taken, now)
        elif now - left.since < STALL_TIME:
            after[one] = left
        else:
            wire.abort()
    return after


def acknowledged(wire: asyncio.Transport) -> int | None:
    """Bytes that the other side's system has said to have; None where ours does not count them,
    or the connection has ended.
    """
    if sys.platform != "linux":
        return None
    wired = wire.get_extra_info("socket")
    if wired is None:
        return None
    try:
        told = wired.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _COUNTED.size)
    except (OSError, ValueError):  # it is closed, as asyncio or as uvloop says it
        return None
    # What is not counted is 0: of who is held up something was acknowledged.
    return _COUNTED.unpack(told)[0] or None if len(told) == _COUNTED.size else None
