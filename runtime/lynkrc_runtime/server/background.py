"""Work that nobody waits for, ended with the block that started it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, final


@final
class Tasks:
    """Work nobody waits for; what still runs at the end of the block is cancelled."""

    __slots__ = ("_running",)

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run it; the event loop tells of a mistake in it."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def end(self) -> None:
        """Cancel what runs."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@final
class Repeated:
    """Work a signal asks for: asked for while it runs, it is done once more, however often."""

    __slots__ = ("_is_wanted", "_runs", "_tasks", "_work")

    def __init__(self, tasks: Tasks, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        self._tasks, self._work = tasks, work
        self._is_wanted = self._runs = False

    def ask(self) -> None:
        """Have it done from its beginning, after this."""
        self._is_wanted = True
        if not self._runs:
            self._runs = True
            self._tasks.start(self._run())

    async def _run(self) -> None:
        try:
            while self._is_wanted:
                self._is_wanted = False
                await self._work()
        finally:
            self._runs = False


@asynccontextmanager
async def background() -> AsyncIterator[Tasks]:
    """Tasks that end with the block."""
    tasks = Tasks()
    try:
        yield tasks
    finally:
        await tasks.end()
