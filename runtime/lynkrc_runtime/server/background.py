"""Work that nobody waits for, ended with the block that started it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar, final

_T = TypeVar("_T")


@final
class Tasks:
    """Work nobody waits for; what still runs at the end of the block is cancelled."""

    __slots__ = ("_running",)

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """Run it; the event loop tells of a mistake in it that nobody hears of."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def end(self) -> None:
        """Cancel what runs."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@final
class Joint(Generic[_T]):
    """Work that several ask for: asked for while it runs, it is done once more for all who do.

    What was asked for is done from its beginning, after that; whoever asked may leave.
    """

    __slots__ = ("_next", "_runs", "_tasks", "_work")

    def __init__(self, tasks: Tasks, work: Callable[[], Coroutine[Any, Any, _T]]) -> None:
        self._tasks, self._work = tasks, work
        self._runs: asyncio.Task[_T] | None = None
        self._next: asyncio.Task[_T] | None = None

    def ask(self) -> asyncio.Task[_T]:
        """Have it done; what it comes to is for all who asked, so nobody may cancel it."""
        if self._next is None:
            self._next = self._tasks.start(self._run(self._runs))
        return self._next

    async def wait(self) -> _T:
        """Have it done, and wait for what it comes to."""
        asked = self.ask()
        # Not shielded: a mistake in it that nobody waited for would be taken for heard.
        await asyncio.wait((asked,))
        return asked.result()

    async def _run(self, before: asyncio.Task[_T] | None) -> _T:
        if before is not None:
            await asyncio.wait((before,))
        self._runs, self._next = self._next, None
        try:
            return await self._work()
        finally:
            self._runs = None


@asynccontextmanager
async def background() -> AsyncIterator[Tasks]:
    """Tasks that end with the block."""
    tasks = Tasks()
    try:
        yield tasks
    finally:
        await tasks.end()
