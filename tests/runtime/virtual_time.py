"""An event loop whose clock jumps: a wait of an hour takes no time, and always the same hour.

Only for code without sockets or threads: whenever nothing is ready, the clock moves to the next
timer. A loop that waits for nothing at all is a deadlock, and fails at once. A timer may ring a
little early, as asyncio's do, and whoever sets it again then would set it for ever if time stood
still: so after many turns of the loop it goes on by as little as it can.
"""

import asyncio
import math
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


MANY = 1_000
"""Turns of a loop in which time stands still."""


class _JumpingSelector(selectors.SelectSelector):
    now = 0.0
    turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("deadlock: every task waits and no timer is set")
        self.turns = 0 if timeout else self.turns + 1
        self.now += timeout
        if self.turns >= MANY:
            self.now = math.nextafter(self.now, math.inf)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time, which starts at 0."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
