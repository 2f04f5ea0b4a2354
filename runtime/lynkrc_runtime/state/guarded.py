"""A store that may be down, to one whose failure has a declared meaning.

While it is down nothing is sent to it but a probe each second. `open`: requests are served without
it; nothing is counted, nothing is found. `closed`: what must be counted or found raises StoreDown.
Both ways settlements wait in memory, in a bounded queue, and are made when the store is back: money
was spent, whatever the store says. What is settled has the name of its reservation, so one whose
answer was lost is made again without counting twice. Corrections of rates do not wait: what they
would correct was not counted, or is past.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar, final

from lynkrc_runtime.state.interface import (
    Account,
    Balance,
    Reserved,
    Settled,
    Store,
    StoreDown,
    Taken,
    Window,
)
from lynkrc_runtime.telemetry.log import Level, Log

PROBE_EVERY = 1.0
"""Seconds between two looks at a store that is down."""
CLOSE_EVERY = 0.1
"""Seconds between two of these tries."""
CLOSE_WITHIN = 10.0
"""Seconds for which what waits is tried at the end of the process."""
MOST_WAITING = 10_000
"""Settlements that may wait; what comes beyond is lost, counted and told."""
REPEATABLE = 3000.0
"""Seconds after which a settlement that may have been made is not made again: stores know those of
the last hour."""

_T = TypeVar("_T")


@final
@dataclass(slots=True, kw_only=True)
class Health:
    """How a store fares: for readiness and metrics. `lost` counts settlements since the start."""

    is_up: bool = True
    is_closed: bool = False
    lost: int = 0
    waiting: int = 0

    @property
    def refuses(self) -> bool:
        """Whether requests that need the store are refused now."""
        return self.is_closed and not self.is_up


@final
@dataclass(slots=True)
class _Waiting:
    """A settlement to be made; `sent` is when it may have been made already."""

    reservation: str
    accounts: Sequence[Account]
    sent: float | None


@final
class Guarded:
    """See `Store`: StoreDown is raised where `health.is_closed` alone, and never by `settle`.

    What a store that is down cannot tell is zeros: of balances, too.
    """

    def __init__(self, store: Store, health: Health, log: Log) -> None:
        self._store = store
        self._health = health
        self._log = log
        self._turn = 0
        self._why = ""
        self._waiting: deque[_Waiting] = deque()
        self._probe: asyncio.Task[None] | None = None

    async def take(self, windows: Sequence[Window]) -> Taken:
        """See `Store`."""
        return await self._ask(lambda: self._store.take(windows), Taken)

    async def correct(self, windows: Sequence[Window]) -> None:
        """See `Store`; one that finds the store down is lost."""
        if self._health.is_up:
            began = self._turn
            try:
                await self._store.correct(windows)
            except StoreDown as fault:
                self._went_down(fault, began)

    async def reserve(
        self, reservation: str, accounts: Sequence[Account], expires: float
    ) -> Reserved:
        """See `Store`."""
        return await self._ask(
            lambda: self._store.reserve(reservation, accounts, expires),
            lambda: Reserved(balances=tuple(Balance() for _ in accounts)),
        )

    async def settle(self, reservation: str, accounts: Sequence[Account]) -> Settled:
        """See `Store`; where the store is down it is made later."""
        sent = None
        if self._health.is_up:
            began, sent = self._turn, _now()
            try:
                return await self._store.settle(reservation, accounts)
            except asyncio.CancelledError:
                self._later(_Waiting(reservation, accounts, sent))
                self._wake()
                raise
            except StoreDown as fault:
                self._went_down(fault, began)
        self._later(_Waiting(reservation, accounts, sent))
        self._wake()
        return Settled(balances=tuple(Balance() for _ in accounts))

    async def balances(self, keys: Sequence[str]) -> tuple[Balance, ...]:
        """See `Store`."""
        return await self._ask(
            lambda: self._store.balances(keys), lambda: tuple(Balance() for _ in keys)
        )

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """See `Store`."""
        return await self._ask(lambda: self._store.get(keys), dict)

    async def put(self, values: Mapping[str, bytes], ttl: float, room: int | None = None) -> None:
        """See `Store`."""
        await self._ask(lambda: self._store.put(values, ttl, room), lambda: None)

    async def delete(self, keys: Sequence[str]) -> int:
        """See `Store`."""
        return await self._ask(lambda: self._store.delete(keys), int)

    async def ping(self) -> None:
        """See `Store`: raises StoreDown whatever is declared. A store that fails is down."""
        if not self._health.is_up:
            raise StoreDown(self._why)
        began = self._turn
        try:
            await self._store.ping()
        except StoreDown as fault:
            self._went_down(fault, began)
            raise

    async def close(self) -> None:
        """See `Store`: what waits is tried for a while longer, and is lost then."""
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN):
                while self._waiting:
                    try:
                        await self._settle_waiting()
                        break  # what is left is refused
                    except StoreDown:
                        await asyncio.sleep(CLOSE_EVERY)
        self._lost(len(self._waiting), "the process ended")
        await self._store.close()

    async def _ask(self, ask: Callable[[], Awaitable[_T]], without: Callable[[], _T]) -> _T:
        """What the store says; `without`, or StoreDown, where it is down."""
        why = self._why
        if self._health.is_up:
            began = self._turn
            try:
                return await ask()
            except StoreDown as fault:
                self._went_down(fault, began)
                why = str(fault)
        if self._health.is_closed:
            raise StoreDown(why)
        return without()

    def _went_down(self, fault: StoreDown, began: int) -> None:
        """An operation failed that began in this turn of being up; an older one says nothing."""
        if fault.is_alone:
            self._log.line(Level.ERROR, "store-refused", reason=str(fault))
        elif self._health.is_up and began == self._turn:
            self._health.is_up = False
            self._why = str(fault)
            self._log.line(
                Level.ERROR,
                "store-down",
                reason=self._why,
                requests="refused" if self._health.is_closed else "served without it",
            )
            self._wake()

    def _wake(self) -> None:
        """Look at the store until it is back and nothing waits."""
        if self._probe is None or self._probe.done():
            self._probe = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            try:
                if not self._health.is_up:
                    await asyncio.sleep(PROBE_EVERY)
                    await self._store.ping()
                settled = await self._settle_waiting()
            except StoreDown as fault:
                self._went_down(fault, self._turn)
                continue
            if not self._health.is_up:
                self._turn += 1
                self._health.is_up = True
                self._log.line(
                    Level.WARNING, "store-up", settled=settled, lost_in_all=self._health.lost
                )
            if not self._waiting:
                return
            await asyncio.sleep(PROBE_EVERY)

    async def _settle_waiting(self) -> int:
        """Make the settlements that wait; how many. Raises StoreDown, and keeps what is left.

        One that is refused alone waits behind the others, and keeps none of them.
        """
        settled = 0
        for _ in range(len(self._waiting)):
            first = self._waiting[0]
            if first.sent is not None and _now() - first.sent > REPEATABLE:
                self._drop_first()
                self._lost(1, "it may have been made, too long ago to know")
                continue
            # Until it is answered it may have been made, from now on.
            first.sent = _now() if first.sent is None else first.sent
            try:
                await self._store.settle(first.reservation, first.accounts)
            except StoreDown as fault:
                if not fault.is_alone:
                    raise
                self._waiting.rotate(-1)
                continue
            self._drop_first()
            settled += 1
        return settled

    def _drop_first(self) -> None:
        self._waiting.popleft()
        self._health.waiting = len(self._waiting)

    def _later(self, settlement: _Waiting) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._lost(1, f"{MOST_WAITING} wait already")
            return
        self._waiting.append(settlement)
        self._health.waiting = len(self._waiting)

    def _lost(self, count: int, reason: str) -> None:
        if count:
            self._health.lost += count
            self._log.line(Level.ERROR, "settlements-lost", count=count, reason=reason)


def _now() -> float:
    return asyncio.get_running_loop().time()
