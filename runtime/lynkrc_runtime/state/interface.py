"""What the gateway asks of a store: counts of rates, accounts of budgets, values with an end.

Each operation is atomic: two replicas on one store see it whole or not at all. Keys are the
caller's own, printable ASCII, and hold no secret and no text of a request. Amounts are whole
numbers; times are seconds. Every operation raises StoreDown where the store cannot be reached or
does not answer in time; what it did then is not known, so `settle` may be repeated.
Design: runtime.md, "State and workers".
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, final

from msgspec import Struct


@final
class StoreDown(Exception):
    """The store does not answer; the message is fit for an operator and holds no secret.

    `is_alone`: it does answer, and cannot do this one operation: what lies under its keys is none
    of ours, or it holds what cannot be written down.
    """

    def __init__(self, reason: str, *, is_alone: bool = False) -> None:
        super().__init__(reason)
        self.is_alone = is_alone


@final
class CannotOpen(Exception):
    """A store that cannot be what the policy declares; names it and a way out, and no secret."""


@final
class Window(Struct, frozen=True, kw_only=True):
    """`amount` more under `key`, of which there may be `limit` in any `within` seconds.

    Counted in slices of a sixtieth of the time (at least a second, at most the time itself), each
    of which counts until all of it is past: never more than `limit` in any stretch of the time.
    What a negative correction takes off, it takes off the oldest counts, and never below nothing:
    the limit then holds whatever is corrected. The keys of one call differ; the same key with
    another `within` is another window.
    """

    key: str
    limit: int
    within: float
    amount: int


@final
class Taken(Struct, frozen=True, kw_only=True):
    """Whether all windows had room. `over` is the index of the first that had none, `wait` the
    seconds until it has room for the amount (None: it never has), None both where all had.
    """

    over: int | None = None
    wait: float | None = None


@final
class Account(Struct, frozen=True, kw_only=True):
    """`amount` (micro-dollars) to be reserved under `key`, whose `limit` must not be passed.

    An account with nothing spent and nothing reserved admits any amount where `hard` is false: a
    soft budget refuses when it is spent, not for fear that it might be. A hard one admits what fits
    alone. `until` (Unix seconds) is when the account may be forgotten.
    """

    key: str
    limit: int
    amount: int
    until: float
    hard: bool = False


@final
class Balance(Struct, frozen=True, kw_only=True):
    """Of an account: what is settled, and what is reserved and has not expired; micro-dollars."""

    spent: int = 0
    reserved: int = 0


@final
class Reserved(Struct, frozen=True, kw_only=True):
    """`over` is the index of the first account without room (nothing was reserved), else None.

    `balances` are those of all accounts, the reservation included.
    """

    balances: tuple[Balance, ...]
    over: int | None = None


@final
class Settled(Struct, frozen=True, kw_only=True):
    """Balances after a settlement, in the order of its amounts; `again`: it had been settled."""

    balances: tuple[Balance, ...]
    again: bool = False


class Store(Protocol):
    """A store."""

    async def take(self, windows: Sequence[Window]) -> Taken:
        """Count every amount, or none of them where one has no room."""
        ...

    async def correct(self, windows: Sequence[Window]) -> None:
        """Add the amounts (negative ones too) to what is counted now, whatever the limits say."""
        ...

    async def reserve(
        self, reservation: str, accounts: Sequence[Account], expires: float
    ) -> Reserved:
        """Reserve under every account, or none, for `expires` seconds.

        There is room where spent + reserved is below the limit (soft), or spent + reserved + amount
        is within it (hard). What the reservation held there before is replaced, so a call may be
        repeated; one that has been settled in the last hour holds nothing any more.
        """
        ...

    async def settle(self, reservation: str, accounts: Sequence[Account]) -> Settled:
        """Put `amount` on every account in the place of what the reservation held there.

        One that has expired, or was never made, is settled all the same; one that was settled in
        the last hour is not settled again.
        """
        ...

    async def balances(self, keys: Sequence[str]) -> tuple[Balance, ...]:
        """Of accounts, zeros for those unknown."""
        ...

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """The values there are."""
        ...

    async def put(self, values: Mapping[str, bytes], ttl: float, room: int | None = None) -> None:
        """Keep values for `ttl` seconds from now, in the place of those there were.

        All values of one family (the key up to its first colon) take at most `room` bytes, keys
        included; those put longest ago leave first. None: what the store allows a family. Redis
        has its own bound (`maxmemory`) and takes no notice.
        """
        ...

    async def delete(self, keys: Sequence[str]) -> int:
        """Forget values; how many there were."""
        ...

    async def ping(self) -> None:
        """Nothing; raises StoreDown where nothing else would work either."""
        ...

    async def close(self) -> None:
        """Write what waits, and let go."""
        ...
