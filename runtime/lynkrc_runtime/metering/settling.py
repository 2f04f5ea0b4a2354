"""Settlements to a store, out of the way of the requests they are of: each once, none forgotten.

Where the store does not answer a settlement is tried again, for as long as the store would know
that it had been made; so a store that comes back has it once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import final

from lynkrc_runtime.state.interface import StoreDown
from lynkrc_runtime.telemetry.log import Level, Log

PENDING = 10_000
"""Settlements that may wait at once. One more is lost, which is said."""
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0
_PATIENCE = 1800.0
"""Seconds for which a settlement is tried again; stores know one for an hour."""


@final
class Settling:
    """The settlements of a process, whichever bundle they were made under."""

    __slots__ = ("_log", "_pending", "_stopping")

    def __init__(self, log: Log) -> None:
        self._log = log
        self._pending: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def pending(self) -> int:
        """How many have not reached the store."""
        return len(self._pending)

    def submit(self, settle: Callable[[], Awaitable[None]], **what: object) -> None:
        """Make a settlement in the background. `what` is told of it where it is lost.

        It may be repeated where it raises StoreDown.
        """
        if len(self._pending) >= PENDING:
            self._lost("too many wait", what)
            return
        task = asyncio.get_running_loop().create_task(self._settle(settle, what))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def drain(self, seconds: float = 10.0) -> None:
        """Wait until all are made; those that are not in so many seconds are lost, and said so."""
        self._stopping = True
        if self._pending:
            _, late = await asyncio.wait(self._pending, timeout=seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    async def _settle(
        self, settle: Callable[[], Awaitable[None]], what: dict[str, object]
    ) -> None:
        loop = asyncio.get_running_loop()
        ends, wait = loop.time() + _PATIENCE, _FIRST_WAIT
        try:
            while True:
                try:
                    await settle()
                    return
                except StoreDown as down:
                    if loop.time() + wait > ends:
                        self._lost(str(down), what)
                        return
                await asyncio.sleep(wait)
                wait = _FIRST_WAIT if self._stopping else min(_LONGEST_WAIT, 2 * wait)
        except asyncio.CancelledError:
            self._lost("the process stops", what)
            raise

    def _lost(self, reason: str, what: dict[str, object]) -> None:
        self._log.line(Level.ERROR, "settlement-lost", reason=reason, **what)
