"""A process's stop, as requests see it: who runs, whether to part, and who is cut off.

A request that is cut off ends in words: its handler asks `was_cut` when it is cancelled, and tells
the client in its dialect that the gateway stops. A client that left is told nothing. A request
whose body still comes runs as well.
"""

import asyncio
from typing import Any, TypeAlias, final

Running: TypeAlias = "asyncio.Task[Any]"


@final
class Stopping:
    """Whether this process stops; `is_draining`: answers end their connections."""

    __slots__ = ("_cut", "_running", "is_draining")

    def __init__(self) -> None:
        self.is_draining = False
        self._running: set[Running] = set()
        self._cut: set[Running] = set()

    def __len__(self) -> int:
        """Requests that run."""
        return len(self._running)

    def enters(self) -> Running:
        """A request begins, in the current task; give what this returns to `leaves`."""
        task = asyncio.current_task()
        assert task is not None, "requests are served in tasks"
        self._running.add(task)
        return task

    def leaves(self, task: Running) -> None:
        """The request has ended."""
        self._running.discard(task)
        self._cut.discard(task)

    def cut(self) -> int:
        """Cut off every request that runs; how many there were."""
        for task in self._running:
            self._cut.add(task)
            task.cancel()
        return len(self._running)

    def was_cut(self, task: Running) -> bool:
        """Whether a cancelled request was cut off by the stop; it may then say its last words."""
        if task not in self._cut:
            return False
        task.uncancel()
        return True
