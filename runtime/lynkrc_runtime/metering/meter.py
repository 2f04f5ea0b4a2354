"""A bundle's limits and budgets to what each request may take, and what it took.

A request is counted at its arrival: once in every request window, with its estimated input in every
token window. Before each attempt its likely cost (the worst, under a hard budget) is set aside in
every account that counts the target, and afterwards replaced by its charge. At the end the token
windows are corrected by what all attempts used.
Design: runtime.md, "State and workers".
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, final

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.attempt import AttemptRecord, Result
from lynkrc_runtime.cost import Charge
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.metering.expected import Expected
from lynkrc_runtime.metering.interface import UNMETERED, Call, Meter, NoMeter, Over, Visit
from lynkrc_runtime.metering.owners import owner_in_words
from lynkrc_runtime.metering.periods import Calendar, Period
from lynkrc_runtime.metering.purses import Purse, likely, purses_of, spent, worst
from lynkrc_runtime.metering.rates import Rate, over_rate, rates_of
from lynkrc_runtime.metering.settling import Settling
from lynkrc_runtime.protocol.conversation import Failure, FailureClass
from lynkrc_runtime.state.interface import Store, StoreDown
from lynkrc_runtime.state.memory import MemoryStore, at_once
from lynkrc_runtime.telemetry.log import Level, Log
from lynkrc_runtime.telemetry.metrics import Metrics
from lynkrc_runtime.telemetry.outcome import Ending, Outcome

MARGIN = 60.0
"""Seconds a reservation outlives the call it was made for."""
USED_PCT = "budget.used_pct"
"""The feature for which a caller's balances are read before a request is decided."""

_OPEN = ""
"""Under which callers without a key are known."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Till:
    """What metering has of the process: it outlives every bundle. `clock` gives Unix seconds."""

    store: Store
    settling: Settling
    log: Log
    metrics: Metrics
    expected: Expected
    clock: Callable[[], float] = time.time


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What is counted of one caller; `purses` by target. `name` is its key's."""

    name: str
    rates: tuple[Rate, ...]
    purses: tuple[Purse, ...]
    by_target: tuple[tuple[Purse, ...], ...]


def meter_of(dispatch: Dispatch, till: Till) -> Meter:
    """The meter of a bundle; one that does nothing where it declares neither."""
    settings = dispatch.settings
    return CountingMeter(dispatch, till) if settings.limits or settings.budgets else NoMeter()


@final
class CountingMeter:
    """See `Meter`. What is counted of a caller is worked out once for each key."""

    __slots__ = ("_calendar", "_dispatch", "_plans", "_reads_used", "_till")

    def __init__(self, dispatch: Dispatch, till: Till) -> None:
        self._dispatch = dispatch
        self._till = till
        self._calendar = Calendar()
        self._plans: dict[str, _Plan] = {}
        self._reads_used = any(slot.feature == USED_PCT for slot in dispatch.slots)

    async def arrive(
        self, request_id: str, caller: Caller | None, tokens: Callable[[], int]
    ) -> Visit | Over:
        """See `Meter`."""
        plan = self._plan(caller)
        if not plan.rates and not plan.purses:
            return UNMETERED
        visit = _Visit(self._dispatch, self._till, self._calendar, plan, request_id, tokens)
        try:
            if plan.rates:
                over = await visit.count()
                if over is not None:
                    return over
            if self._reads_used and plan.purses:
                visit.used_pct = await self._used(plan.purses)
        except StoreDown:
            visit.withdraw()
            return Over(failure=unavailable(), ending=Ending.UNAVAILABLE)
        except asyncio.CancelledError:
            visit.withdraw()
            raise
        return visit

    async def drain(self) -> None:
        """See `Meter`."""
        await self._till.settling.drain()

    async def _used(self, purses: Sequence[Purse]) -> int:
        now = self._till.clock()
        keys = [one.key(self._calendar.period(one.length, now)) for one in purses]
        balances = await self._till.store.balances(keys)
        return max(one.used_pct(held) for one, held in zip(purses, balances, strict=True))

    def _plan(self, caller: Caller | None) -> _Plan:
        name = _OPEN if caller is None else caller.name
        plan = self._plans.get(name)
        if plan is None:
            settings = self._dispatch.settings
            purses = purses_of(settings.budgets, caller)
            plan = self._plans[name] = _Plan(
                name=name,
                rates=rates_of(settings.limits, caller),
                purses=purses,
                by_target=tuple(
                    tuple(
                        one for one in purses if one.targets is None or target.name in one.targets
                    )
                    for target in self._dispatch.targets
                ),
            )
        return plan


def unavailable() -> Failure:
    """What a client hears where the store is down and the spec says to refuse then."""
    return Failure(
        kind=FailureClass.TRANSIENT,
        status=0,
        message="limits and budgets cannot be counted now: their store does not answer",
    )


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What is set aside for one call, by an id no client can choose."""

    reservation: str
    target: int
    purses: tuple[Purse, ...]
    periods: tuple[Period, ...]


@final
class _Visit:
    """See `Visit`."""

    __slots__ = (
        "_calendar",
        "_counted",
        "_dispatch",
        "_held",
        "_plan",
        "_request_id",
        "_till",
        "_tokens",
        "used_pct",
    )

    def __init__(
        self,
        dispatch: Dispatch,
        till: Till,
        calendar: Calendar,
        plan: _Plan,
        request_id: str,
        tokens: Callable[[], int],
    ) -> None:
        self._dispatch = dispatch
        self._till = till
        self._calendar = calendar
        self._plan = plan
        self._request_id = request_id
        self._tokens = tokens
        self._counted = False
        """Whether the token windows hold the estimate."""
        self._held: _Held | None = None
        self.used_pct = 0

    async def count(self) -> Over | None:
        """Count the request in every window, or in none; why it is not served then."""
        rates = self._plan.rates
        windows = [rate.window(1 if rate.what == "requests" else self._tokens()) for rate in rates]
        taken = await self._till.store.take(windows)
        if taken.over is None:
            self._counted = True
            return None
        rate, window = rates[taken.over], windows[taken.over]
        return Over(failure=over_rate(rate, taken, window.amount), ending=Ending.LIMITED)

    def withdraw(self) -> None:
        """The request is not served after all: its tokens are taken off again."""
        self._correct(0)

    async def reserve(self, call: Call) -> Failure | None:
        """See `Visit`."""
        purses = self._plan.by_target[call.target]
        if not purses:
            return None
        till, tokens = self._till, self._tokens()
        target = self._dispatch.targets[call.target].name
        expected = min(call.most_output, till.expected.output(self._plan.name, target))
        usual = likely(call.prices, tokens, expected)
        most = worst(call.prices, tokens, call.most_output)
        now = till.clock()
        periods = tuple(self._calendar.period(one.length, now) for one in purses)
        accounts = [
            one.account(period, most if one.hard else usual)
            for one, period in zip(purses, periods, strict=True)
        ]
        held = _Held(
            reservation=secrets.token_hex(16), target=call.target, purses=purses, periods=periods
        )
        # Known from here on: whatever ends this wait, it is settled.
        self._held = held
        try:
            made = await till.store.reserve(held.reservation, accounts, call.seconds + MARGIN)
        except StoreDown:
            self._settle(None)
            raise
        if made.over is None:
            return None
        self._held = None
        return spent(purses[made.over], periods[made.over], made.balances[made.over])

    def settle(self, record: AttemptRecord) -> None:
        """See `Visit`."""
        self._settle(record.charge)
        charge = record.charge
        if record.result is Result.SERVED and charge is not None and not charge.estimated:
            target = self._dispatch.targets[record.target].name
            self._till.expected.learn(self._plan.name, target, charge.usage.output)

    def leave(self, outcome: Outcome) -> None:
        """See `Visit`."""
        if self._held is not None:
            last = outcome.attempts[-1] if outcome.attempts else None
            is_of_it = last is not None and last.target == self._held.target
            self._settle(last.charge if is_of_it and last is not None else None)
        self._correct(sum(map(_tokens_of, outcome.charges)))

    def _settle(self, charge: Charge | None) -> None:
        held, self._held = self._held, None
        if held is None:
            return
        # A cost that nobody knows counts as nothing; the metric of unpriced calls tells of it.
        amount = 0 if charge is None or charge.cost is None else charge.cost.total
        accounts = [
            one.account(period, amount)
            for one, period in zip(held.purses, held.periods, strict=True)
        ]
        till = self._till

        async def settle() -> None:
            made = await till.store.settle(held.reservation, accounts)
            if not made.again:
                for purse, period, balance in zip(
                    held.purses, held.periods, made.balances, strict=True
                ):
                    for percent in purse.alerts(balance.spent - amount, balance.spent):
                        _alert(till, purse, period, percent, balance.spent)

        def lost(reason: str) -> None:
            till.metrics.settlement_lost()
            till.log.line(
                Level.ERROR,
                "settlement-lost",
                request_id=self._request_id,
                budgets=[one.budget for one in held.purses],
                micro_usd=amount,
                reason=reason,
            )

        _submit(till, settle, lost, again=True)

    def _correct(self, used: int) -> None:
        """The token windows hold what was used, in the place of the estimate."""
        if not self._counted:
            return
        self._counted = False
        change = used - self._tokens()
        windows = [rate.window(change) for rate in self._plan.rates if rate.what == "tokens"]
        if change and windows:
            till = self._till

            async def correct() -> None:
                await till.store.correct(windows)

            def lost(reason: str) -> None:
                till.log.line(
                    Level.WARNING,
                    "correction-lost",
                    request_id=self._request_id,
                    tokens=change,
                    reason=reason,
                )

            # Made once: a store cannot tell that it was made before. The window passes anyway.
            _submit(till, correct, lost, again=False)


def _submit(
    till: Till,
    settle: Callable[[], Coroutine[Any, Any, None]],
    lost: Callable[[str], None],
    *,
    again: bool,
) -> None:
    """Settle out of the way of the request; in the memory of the process that is at once."""
    if isinstance(till.store, MemoryStore):
        at_once(settle())
    else:
        till.settling.submit(settle, lost, again=again)


def _tokens_of(charge: Charge) -> int:
    """All tokens of a call: cached ones are input too."""
    usage = charge.usage
    return usage.input + usage.cache_read + usage.cache_write + usage.output


def _alert(till: Till, purse: Purse, period: Period, percent: int, used: int) -> None:
    till.metrics.budget_alert(purse.budget, percent)
    till.log.line(
        Level.WARNING,
        "budget-alert",
        budget=purse.budget,
        owner=owner_in_words(purse.owner),
        percent=percent,
        period=period.label,
        spent_micro_usd=used,
        limit_micro_usd=purse.limit,
    )
