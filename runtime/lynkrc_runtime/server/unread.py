"""Connections whose clients take nothing of what they were sent, to their end.

An answer that nobody reads fills the system's buffers and then ours, and waits: for as long as its
client likes, which may have shown no key. A connection that is closed waits as well until what it
still holds has gone out. So all of them are looked at now and then.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, Protocol, TypeAlias, TypeVar, final

from lynkrc_runtime.server.stream import STALL_TIME

EVERY: Final = 30.0
"""Seconds between two looks."""
LEAST: Final = 64 * 1024
"""Bytes that a client takes in `STALL_TIME` at least, or all there are."""


class Written(Protocol):
    """A connection that is written to; `pauses` counts how often that was held up."""

    pauses: int

    @property
    def writing_paused(self) -> bool:
        """Whether it is held up."""


_One = TypeVar("_One", bound=Written)


@final
class Left(NamedTuple):
    """What a client had not taken: after so many pauses, so many bytes, since this moment."""

    pauses: int
    size: int
    since: float


Writing: TypeAlias = Mapping[_One, asyncio.Transport]
"""Connections with their transports."""


async def end_unread(connections: Callable[[], Writing[_One]]) -> None:
    """Look at the connections there are, for ever."""
    loop = asyncio.get_running_loop()
    left: dict[_One, Left] = {}
    while True:
        await asyncio.sleep(EVERY)
        left = looked(connections(), left, loop.time())


def looked(connections: Writing[_One], before: Mapping[_One, Left], now: float) -> dict[_One, Left]:
    """Cut off those that took too little for `STALL_TIME`; what the others are to take.

    Only where nothing more is written do fewer bytes tell that some were taken: where a writer is
    held up, and at the end.
    """
    after: dict[_One, Left] = {}
    for one, wire in list(connections.items()):
        if not (one.writing_paused or wire.is_closing()):
            continue
        size = wire.get_write_buffer_size()
        left = before.get(one)
        if left is None or left.pauses != one.pauses or size <= left.size - LEAST:
            after[one] = Left(one.pauses, size, now)
        elif now - left.since < STALL_TIME:
            after[one] = left
        else:
            wire.abort()
    return after
