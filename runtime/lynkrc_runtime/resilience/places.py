"""Places to call providers from: so many calls of one at once, so many that wait, in turn.

A provider without `concurrency` has no end of places. `Places` outlives a bundle, and keeps the
calls under way when a new one changes their number.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import final

from lynkrc_runtime.settings import Concurrency

WAIT = 10.0
"""Seconds a call waits for its place, where the spec does not say."""


@final
class Busy(Exception):
    """There is no place: as many wait as may, or the wait was over. `waited`: it was the latter."""

    def __init__(self, *, waited: bool) -> None:
        super().__init__("no place")
        self.waited = waited


@final
class _Provider:
    """The places of one provider."""

    __slots__ = ("limit", "queue", "running", "wait", "waiting")

    def __init__(self) -> None:
        self.limit: int | None = None
        self.queue = 0
        self.wait = WAIT
        self.running = 0
        self.waiting: deque[asyncio.Future[None]] = deque()


@final
class Places:
    """The places of every provider, by its name."""

    __slots__ = ("_providers",)

    def __init__(self) -> None:
        self._providers: dict[str, _Provider] = {}

    def declare(self, limits: Mapping[str, Concurrency | None]) -> None:
        """The providers of the bundle that serves from now on; places already taken stay taken."""
        for name, declared in limits.items():
            provider = self._providers.setdefault(name, _Provider())
            provider.limit = None if declared is None else declared.limit
            provider.queue = 0 if declared is None else declared.queue or 0
            wait = None if declared is None else declared.wait
            provider.wait = WAIT if wait is None else wait
            self._hand_on(provider)

    def take_free(self, name: str) -> bool:
        """Take a place, until `release`, if one is free and nobody waits for it; whether it was."""
        provider = self._providers[name]
        if provider.limit is None or (provider.running < provider.limit and not provider.waiting):
            provider.running += 1
            return True
        return False

    async def take(self, name: str, deadline: float) -> bool:
        """Take a place, until `release`; waits until `deadline` (the loop's clock) at most.

        Whether it waited. Raises Busy where there is none to be had.
        """
        if self.take_free(name):
            return False
        provider = self._providers[name]
        if len(provider.waiting) >= provider.queue:
            raise Busy(waited=False)
        loop = asyncio.get_running_loop()
        place: asyncio.Future[None] = loop.create_future()
        provider.waiting.append(place)
        try:
            async with asyncio.timeout_at(min(deadline, loop.time() + provider.wait)):
                await place
        except TimeoutError as over:
            self._leave(provider, place)
            raise Busy(waited=True) from over
        except BaseException:
            self._leave(provider, place)
            raise
        return True

    def release(self, name: str) -> None:
        """Give a taken place back."""
        provider = self._providers[name]
        provider.running -= 1
        if provider.waiting:
            self._hand_on(provider)

    def counts(self) -> Mapping[str, tuple[int, int]]:
        """Calls that run and that wait, by provider."""
        return {
            name: (provider.running, len(provider.waiting))
            for name, provider in self._providers.items()
        }

    def _leave(self, provider: _Provider, place: asyncio.Future[None]) -> None:
        """Whoever waited does so no more."""
        if place.done() and not place.cancelled():
            # It was given as we left: to the next one.
            provider.running -= 1
            self._hand_on(provider)
        elif place in provider.waiting:
            # It is not there where a place came free after we were told to leave.
            provider.waiting.remove(place)

    def _hand_on(self, provider: _Provider) -> None:
        while provider.waiting and (provider.limit is None or provider.running < provider.limit):
            place = provider.waiting.popleft()
            if not place.done():
                provider.running += 1
                place.set_result(None)
