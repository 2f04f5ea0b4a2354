"""Connections that wait for a request, by where they lead, for as long as they are likely to live.

One timer for all of them, set only while some wait: a connection ends between `keep` seconds and
twice that after its last answer, and is not used again after `keep`.
"""

import asyncio
from collections.abc import Hashable
from typing import Generic, Protocol, TypeAlias, TypeVar, final


class Line(Protocol):
    """A connection."""

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        ...

    def close(self) -> None:
        """End it; may be said again."""
        ...


_Line = TypeVar("_Line", bound=Line)
Shelf: TypeAlias = list[tuple[_Line, float]]
"""Those that lead to one place, with since when they wait; the last one waits the least."""


@final
class Idle(Generic[_Line]):
    """All of them."""

    __slots__ = ("_keep", "_loop", "_shelves", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, keep: float) -> None:
        self._loop = loop
        self._keep = keep
        self._shelves: dict[Hashable, Shelf[_Line]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def shelf(self, place: Hashable) -> Shelf[_Line]:
        """The shelf of a place, always the same one."""
        return self._shelves.setdefault(place, [])

    def take(self, shelf: Shelf[_Line]) -> _Line | None:
        """The one that waits the least; None where there is none that may be used."""
        while shelf:
            line, since = shelf.pop()
            if not line.closed and self._loop.time() - since <= self._keep:
                return line
            line.close()
        return None

    def put(self, shelf: Shelf[_Line], line: _Line) -> None:
        """Have it wait."""
        shelf.append((line, self._loop.time()))
        if self._timer is None:
            self._timer = self._loop.call_later(self._keep, self._sweep)

    def close(self) -> None:
        """End all of them."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for shelf in self._shelves.values():
            while shelf:
                shelf.pop()[0].close()

    def _sweep(self) -> None:
        self._timer = None
        oldest = self._loop.time() - self._keep
        for shelf in self._shelves.values():
            stays = [(line, since) for line, since in shelf if since > oldest and not line.closed]
            ended = [line for line, since in shelf if since <= oldest or line.closed]
            shelf[:] = stays
            for line in ended:
                line.close()
        if any(self._shelves.values()):
            self._timer = self._loop.call_later(self._keep, self._sweep)
