"""A moment on the loop's clock to TimeoutError: `asyncio.timeout_at` without its coroutines.

Its block is entered for every call of an upstream, and most are over long before. So there is one
timer for all blocks of a loop, set for the first moment of those that were under way when it was
set, and left alone when they end: to set one and to take it back costs more than all the rest.
Blocks that last until it rings, or nearly, get timers of their own: of an upstream that hangs
thousands end one after the other, and all that are under way are looked at but once in a while.
"""

import asyncio
import math
from functools import lru_cache
from types import TracebackType
from typing import final

NEAR = 1.0
"""Seconds before its moment at which a block may get a timer of its own."""


@final
class deadline:
    """A `with` block whose waits end at `when`, on the clock of the running `loop`; then
    TimeoutError is raised behind it.

    A cancellation from elsewhere passes through, also one that comes at the same time.
    """

    __slots__ = ("_cancelling", "_is_over", "_task", "_timer", "_watch", "when")

    def __init__(self, when: float, loop: asyncio.AbstractEventLoop) -> None:
        self.when = when
        self._watch = _watch_of(loop)
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False

    def __enter__(self) -> None:
        watch = self._watch
        task = asyncio.current_task(watch.loop)
        if task is None:
            raise RuntimeError("only a task can be timed out")
        self._task = task
        self._cancelling = task.cancelling()
        watch.running[self] = None
        if self.when < watch.rings:
            watch.set(self.when)

    def nears(self) -> None:
        """The moment has come, or will before long, and nobody else will tell of it.

        Asked each time: timers of whole milliseconds ring a moment too early.
        """
        loop = self._watch.loop
        if loop.time() < self.when:
            self._timer = loop.call_at(self.when, self.nears)
        else:
            self._is_over = True
            self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._watch.running.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
        if not self._is_over:
            return
        left = self._task.uncancel()
        if left <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error


@final
class _Watch:
    """The blocks of a loop but for those that end soon, and their timer: `rings` is its moment,
    infinite where it is not set.

    It never rings later than the first of them is due.
    """

    __slots__ = ("_timer", "loop", "rings", "running")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.running: dict[deadline, None] = {}
        self.rings = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def set(self, when: float) -> None:
        """Ring then."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_at(when, self._ring)
        self.rings = when

    def _ring(self) -> None:
        self._timer, self.rings = None, math.inf
        near = self.loop.time() + NEAR
        for block in [block for block in self.running if block.when <= near]:
            del self.running[block]
            block.nears()
        if self.running:
            self.set(min(block.when for block in self.running))


@lru_cache(maxsize=4)
def _watch_of(loop: asyncio.AbstractEventLoop) -> _Watch:
    """A loop's; a process has one loop, and a test's is forgotten when others have come."""
    return _Watch(loop)
