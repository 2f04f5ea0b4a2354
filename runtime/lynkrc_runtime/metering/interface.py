"""What a request asks of rates and budgets, from its arrival to its end.

A gateway has one `Meter`; each request gets a `Visit` of it. Where a bundle declares neither limits
nor budgets the visit is `UNMETERED`, which does nothing.
"""

from collections.abc import Callable
from typing import Protocol, final

from msgspec import Struct

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.attempt import AttemptRecord
from lynkrc_runtime.cost import Prices
from lynkrc_runtime.protocol.conversation import Failure
from lynkrc_runtime.telemetry.outcome import Ending, Outcome


@final
class Over(Struct, frozen=True, kw_only=True):
    """A request that is not served: what its client hears, and how it ended."""

    failure: Failure
    ending: Ending


@final
class Call(Struct, frozen=True, kw_only=True):
    """An attempt about to be made, for what it may cost.

    `prices` None: not known, so it counts as nothing. `most_output` is the most it may say, in
    tokens. `seconds` is how long it may run.
    """

    target: int
    prices: Prices | None
    most_output: int
    seconds: float


class Visit(Protocol):
    """One request's dealings with the meter."""

    @property
    def used_pct(self) -> int:
        """Percent of the caller's budget that is used furthest, 0 without one."""
        ...

    async def reserve(self, call: Call) -> Failure | None:
        """Set aside what a call may cost; the failure where a budget that counts it is spent.

        Raises StoreDown where that cannot be known, and the spec says to refuse then.
        """
        ...

    def settle(self, record: AttemptRecord) -> None:
        """What was reserved last is settled by what became of it. Returns at once."""
        ...

    def leave(self, outcome: Outcome) -> None:
        """The request has ended; what is still set aside is settled by its last attempt.

        Returns at once.
        """
        ...


class Meter(Protocol):
    """The limits and budgets of one bundle."""

    async def arrive(
        self, request_id: str, caller: Caller | None, tokens: Callable[[], int]
    ) -> Visit | Over:
        """Count a request; `tokens` estimates its input, asked where a limit or budget needs it."""
        ...

    async def drain(self) -> None:
        """Wait, for a bounded time, until what has ended is settled: before a store is closed."""
        ...


@final
class _Unmetered:
    """Neither limits nor budgets."""

    used_pct = 0

    async def reserve(self, *_: object, **__: object) -> Failure | None:
        """See `Visit`."""
        return None

    def settle(self, *_: object, **__: object) -> None:
        """See `Visit`."""

    def leave(self, *_: object, **__: object) -> None:
        """See `Visit`."""


UNMETERED: Visit = _Unmetered()


@final
class NoMeter:
    """The meter of a bundle without limits and budgets."""

    async def arrive(self, *_: object, **__: object) -> Visit | Over:
        """See `Meter`."""
        return UNMETERED

    async def drain(self) -> None:
        """See `Meter`."""
