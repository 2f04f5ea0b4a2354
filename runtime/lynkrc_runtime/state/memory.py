"""A store in the process: counts, accounts and values in dicts. One worker; a restart forgets it.

Nothing in it grows without end: each operation looks at a few entries in turn and drops those whose
time is over, and each family of values has room for so many bytes.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Any, TypeVar, final

from lynkrc_runtime.state.interface import Account, Balance, Reserved, Settled, Taken, Window
from lynkrc_runtime.state.windows import first_counted, slice_of, taken_off, wait_for

ROOM = 64 * 1024 * 1024
"""Bytes that a family of values may take where `put` does not say."""
MOST = 200_000
"""Values of a family, whatever their size: each takes some 300 bytes beside itself."""
REMEMBERED = 3600.0
"""Seconds for which a settlement is known, so that it is not made twice."""

MOST_REMEMBERED = 65_536
"""Settlements known at once, the newest (15 MB): here none gets lost on its way, to be repeated."""

_STEPS = 2
"""Entries an operation looks at for being over, beyond as many as it may add: all are reached."""

_Key = TypeVar("_Key")
_Entry = TypeVar("_Entry")


@final
@dataclass(slots=True)
class _Counts:
    """A window's slices, by number; `total` is their sum."""

    within: float
    slices: dict[int, int] = field(default_factory=dict)
    total: int = 0

    def expire(self, now: float) -> None:
        oldest = first_counted(self.within, now)
        for number in [number for number in self.slices if number < oldest]:
            self.total -= self.slices.pop(number)

    def add(self, amount: int, now: float) -> None:
        if amount < 0:
            changed = taken_off(self.slices.items(), -amount)
            self.slices |= changed
            self.total = sum(self.slices.values())
        elif amount:
            number = slice_of(self.within, now)
            self.slices[number] = self.slices.get(number, 0) + amount
            self.total += amount


@final
@dataclass(slots=True)
class _Account:
    """What is spent and held; `order` has (when it ends, reservation) of holds, some long gone."""

    until: float
    spent: int = 0
    reserved: int = 0
    holds: dict[str, tuple[int, float]] = field(default_factory=dict)
    order: list[tuple[float, str]] = field(default_factory=list)

    @property
    def balance(self) -> Balance:
        return Balance(spent=self.spent, reserved=self.reserved)

    def hold(self, reservation: str, amount: int, until: float) -> None:
        self.release(reservation)
        self.holds[reservation] = (amount, until)
        self.reserved += amount
        heappush(self.order, (until, reservation))
        if len(self.order) > 64 + 2 * len(self.holds):
            self.order = [(until, name) for name, (_, until) in self.holds.items()]
            heapify(self.order)

    def release(self, reservation: str) -> None:
        amount, _ = self.holds.pop(reservation, (0, 0.0))
        self.reserved -= amount

    def expire(self, now: float) -> None:
        while self.order and self.order[0][0] <= now:
            until, reservation = heappop(self.order)
            held = self.holds.get(reservation)
            if held is not None and held[1] <= until:
                self.release(reservation)


@final
@dataclass(slots=True)
class _Family:
    """Values by key with when they end, in the order they were put; `size` counts keys too."""

    values: OrderedDict[str, tuple[bytes, float]] = field(default_factory=OrderedDict)
    size: int = 0

    def drop(self, key: str) -> bool:
        found = self.values.pop(key, None)
        if found is None:
            return False
        self.size -= len(key) + len(found[0])
        return True


@final
class MemoryStore:
    """See `Store`. `clock` gives seconds that never run backwards, `unix` the time of day.

    Nothing in it waits, so every operation is over before another begins.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        unix: Callable[[], float] = time.time,
        *,
        room: int = ROOM,
    ) -> None:
        self._clock = clock
        self._unix = unix
        self._room = room
        self._counts: OrderedDict[tuple[str, float], _Counts] = OrderedDict()
        self._accounts: OrderedDict[str, _Account] = OrderedDict()
        self._settled: OrderedDict[str, float] = OrderedDict()
        """Reservations, to when they were settled: in that order."""
        self._families: dict[str, _Family] = {}
        self._round: OrderedDict[str, None] = OrderedDict()
        """Keys of all values, in the order they will be looked at for being over."""

    async def take(self, windows: Sequence[Window]) -> Taken:
        """See `Store`."""
        now = self._clock()
        found = self._counted(windows, now)
        for index, (window, counts) in enumerate(zip(windows, found, strict=True)):
            if counts.total + window.amount > window.limit:
                wait = wait_for(
                    window.within,
                    counts.slices,
                    limit=window.limit,
                    amount=window.amount,
                    now=now,
                )
                return Taken(over=index, wait=wait)
        for window, counts in zip(windows, found, strict=True):
            counts.add(window.amount, now)
        return Taken()

    async def correct(self, windows: Sequence[Window]) -> None:
        """See `Store`."""
        now = self._clock()
        for window, counts in zip(windows, self._counted(windows, now), strict=True):
            counts.add(window.amount, now)

    def _counted(self, windows: Sequence[Window], now: float) -> list[_Counts]:
        def is_over(counts: _Counts) -> bool:
            counts.expire(now)
            return not counts.slices

        _sweep(self._counts, is_over, len(windows))
        found = []
        for window in windows:
            counts = self._counts.setdefault((window.key, window.within), _Counts(window.within))
            counts.expire(now)
            found.append(counts)
        return found

    async def reserve(
        self, reservation: str, accounts: Sequence[Account], expires: float
    ) -> Reserved:
        """See `Store`."""
        now = self._clock()
        found = self._opened(accounts, now)
        over = None
        if not self._is_settled(reservation, now):
            over = next(
                (
                    index
                    for index, (account, held) in enumerate(zip(accounts, found, strict=True))
                    if not _has_room(account, held, reservation)
                ),
                None,
            )
            if over is None:
                for account, held in zip(accounts, found, strict=True):
                    held.hold(reservation, account.amount, now + expires)
        return Reserved(balances=tuple(held.balance for held in found), over=over)

    async def settle(self, reservation: str, accounts: Sequence[Account]) -> Settled:
        """See `Store`."""
        now = self._clock()
        found = self._opened(accounts, now)
        again = self._is_settled(reservation, now)
        if not again:
            self._settled[reservation] = now
            for account, held in zip(accounts, found, strict=True):
                held.release(reservation)
                held.spent += account.amount
        return Settled(balances=tuple(held.balance for held in found), again=again)

    async def balances(self, keys: Sequence[str]) -> tuple[Balance, ...]:
        """See `Store`."""
        now, unix = self._clock(), self._unix()
        balances = []
        for key in keys:
            account = self._accounts.get(key)
            if account is None or account.until <= unix:
                balances.append(Balance())
            else:
                account.expire(now)
                balances.append(account.balance)
        return tuple(balances)

    def _opened(self, accounts: Sequence[Account], now: float) -> list[_Account]:
        unix = self._unix()
        _sweep(self._accounts, lambda account: account.until <= unix, len(accounts))
        found = []
        for wanted in accounts:
            account = self._accounts.get(wanted.key)
            if account is None or account.until <= unix:
                account = self._accounts[wanted.key] = _Account(wanted.until)
            account.until = wanted.until
            account.expire(now)
            found.append(account)
        return found

    def _is_settled(self, reservation: str, now: float) -> bool:
        while self._settled:
            oldest, at = next(iter(self._settled.items()))
            if now - at < REMEMBERED and len(self._settled) <= MOST_REMEMBERED:
                break
            del self._settled[oldest]
        return reservation in self._settled

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """See `Store`."""
        now = self._clock()
        values = {}
        for key in keys:
            family = self._families.get(_family_of(key))
            found = None if family is None else family.values.get(key)
            if found is not None and found[1] > now:
                values[key] = found[0]
        return values

    async def put(self, values: Mapping[str, bytes], ttl: float, room: int | None = None) -> None:
        """See `Store`."""
        self.keep(values, ttl, room)

    def keep(self, values: Mapping[str, bytes], ttl: float, room: int | None = None) -> None:
        """The same for who need not await it."""
        now = self._clock()
        most = self._room if room is None else room
        self._sweep_values(now, len(values))
        for key, value in values.items():
            name = _family_of(key)
            family = self._families.get(name)
            if family is None:
                family = self._families[name] = _Family()
            family.drop(key)
            family.values[key] = (value, now + ttl)
            family.size += len(key) + len(value)
            self._round[key] = None
            while family.size > most or len(family.values) > MOST:
                self._drop(next(iter(family.values)))

    async def delete(self, keys: Sequence[str]) -> int:
        """See `Store`."""
        there = await self.get(keys)
        for key in keys:
            self._drop(key)
        return len(there)

    def _drop(self, key: str) -> None:
        self._round.pop(key, None)
        family = self._families.get(_family_of(key))
        if family is not None:
            family.drop(key)

    def _sweep_values(self, now: float, added: int) -> None:
        for _ in range(min(_STEPS + added, len(self._round))):
            key = next(iter(self._round))
            if self._families[_family_of(key)].values[key][1] <= now:
                self._drop(key)
            else:
                self._round.move_to_end(key)

    async def ping(self) -> None:
        """See `Store`."""

    async def close(self) -> None:
        """See `Store`."""

    @property
    def held(self) -> int:
        """How many windows, accounts, settlements and values are held, those that are over too."""
        return len(self._counts) + len(self._accounts) + len(self._settled) + len(self._round)


def at_once(operations: Coroutine[Any, Any, None]) -> None:
    """Run operations on a store in the process, which wait for nothing, without a task."""
    try:
        operations.send(None)
    except StopIteration:
        return
    operations.close()
    raise RuntimeError("operations on a store in the process wait for something")


def _has_room(wanted: Account, account: _Account, reservation: str) -> bool:
    own, _ = account.holds.get(reservation, (0, 0.0))
    used = account.spent + account.reserved - own
    return used + wanted.amount <= wanted.limit if wanted.hard else used < wanted.limit


def _family_of(key: str) -> str:
    return key.partition(":")[0]


def _sweep(
    entries: OrderedDict[_Key, _Entry], is_over: Callable[[_Entry], bool], added: int
) -> None:
    """Look at a few entries, drop those that are over, and put the others at the end."""
    for _ in range(min(_STEPS + added, len(entries))):
        key, entry = next(iter(entries.items()))
        if is_over(entry):
            del entries[key]
        else:
            entries.move_to_end(key)
