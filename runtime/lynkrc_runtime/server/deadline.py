"""A moment on the loop's clock to TimeoutError: `asyncio.timeout_at` without its coroutines.

Its block is entered for every call of an upstream, and most are over long before.
"""

import asyncio
from types import TracebackType
from typing import final


@final
class deadline:
    """A `with` block whose waits end at `when`, on the clock of the running `loop`; then
    TimeoutError is raised behind it.

    A cancellation from elsewhere passes through, also one that comes at the same time.
    """

    __slots__ = ("_cancelling", "_handle", "_is_over", "_loop", "_task", "_when")

    def __init__(self, when: float, loop: asyncio.AbstractEventLoop) -> None:
        self._when = when
        self._loop = loop
        self._is_over = False

    def __enter__(self) -> None:
        task = asyncio.current_task(self._loop)
        if task is None:
            raise RuntimeError("only a task can be timed out")
        self._task = task
        self._cancelling = task.cancelling()
        self._handle = self._loop.call_at(self._when, self._end)

    def _end(self) -> None:
        self._is_over = True
        self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._handle.cancel()
        if not self._is_over:
            return
        left = self._task.uncancel()
        if left <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
