"""Writes to a store, out of the way of the requests they are of: each once, none forgotten.

Settlements above all. Where the store does not answer one is tried again, for half as long as the
store would know that it had been made; so a store that comes back has it once.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, final

from lynkrc_runtime.state.interface import StoreDown

PENDING = 10_000
"""Settlements that may wait at once. One more is lost, which is said."""
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0
_PATIENCE = 1800.0
"""Seconds for which a settlement is tried again; stores know one for an hour."""


@final
class Settling:
    """The settlements of a process, whichever bundle they were made under."""

    __slots__ = ("_pending", "_stopping")

    def __init__(self) -> None:
        self._pending: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def pending(self) -> int:
        """How many have not reached the store."""
        return len(self._pending)

    def submit(
        self,
        settle: Callable[[], Coroutine[Any, Any, None]],
        lost: Callable[[str], None],
        *,
        again: bool,
    ) -> None:
        """Make a settlement in the background; `lost` is told why where it could not be made.

        `again`: one that raises StoreDown may be repeated, since the store knows it by its id.
        """
        if len(self._pending) >= PENDING:
            lost("too many wait")
            return
        task = asyncio.get_running_loop().create_task(self._settle(settle, lost, again=again))
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
        self,
        settle: Callable[[], Coroutine[Any, Any, None]],
        lost: Callable[[str], None],
        *,
        again: bool,
    ) -> None:
        loop = asyncio.get_running_loop()
        ends, wait = loop.time() + _PATIENCE, _FIRST_WAIT
        try:
            while True:
                try:
                    await settle()
                    return
                except StoreDown as down:
                    if not again or loop.time() + wait > ends:
                        lost(str(down))
                        return
                await asyncio.sleep(wait)
                wait = _FIRST_WAIT if self._stopping else min(_LONGEST_WAIT, 2 * wait)
        except asyncio.CancelledError:
            lost("the process stops")
            raise
