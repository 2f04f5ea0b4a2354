"""The budgets of a spec and a caller to the accounts its calls are paid from."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import final

from msgspec import Struct

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.cost import Prices, in_usd
from lynkrc_runtime.metering.owners import owner_in_words, owner_of
from lynkrc_runtime.metering.periods import Length, Period
from lynkrc_runtime.protocol.conversation import Failure, FailureClass
from lynkrc_runtime.settings import Budget
from lynkrc_runtime.state.interface import Account, Balance

_PARTS = 10**9
"""Of a micro-dollar: the unit of prices."""
_KEPT = 2 * 86_400.0
"""Seconds an account is kept beyond its period: calls that began in it may still be settled."""
MOST_PCT = 1_000


@final
class Purse(Struct, frozen=True, kw_only=True):
    """A budget of one owner; `limit` in micro-dollars, `targets` None where all count."""

    budget: str
    owner: str
    limit: int
    length: Length
    targets: frozenset[str] | None
    hard: bool
    alert_at: tuple[int, ...]

    def key(self, period: Period) -> str:
        """The account's key in a period."""
        return f"account:{self.budget}:{self.owner}:{period.label}"

    def account(self, period: Period, amount: int) -> Account:
        """An amount (micro-dollars) in a period."""
        return Account(
            key=self.key(period),
            limit=self.limit,
            amount=amount,
            until=period.until + _KEPT,
            hard=self.hard,
        )

    def used_pct(self, balance: Balance) -> int:
        """Percent of the budget that is spent or reserved, 0 to 1,000."""
        return max(0, min(MOST_PCT, (balance.spent + balance.reserved) * 100 // self.limit))

    def alerts(self, before: int, after: int) -> list[int]:
        """The shares (percent) that a change of what is spent (micro-dollars) reaches."""
        return [one for one in self.alert_at if before * 100 < one * self.limit <= after * 100]


def purses_of(budgets: Sequence[Budget], caller: Caller | None) -> tuple[Purse, ...]:
    """What a caller's calls are paid from, in the order of the spec."""
    purses = []
    for budget in budgets:
        owner = owner_of(caller, budget.per, budget.only)
        if owner is not None:
            purses.append(
                Purse(
                    budget=budget.name,
                    owner=owner,
                    limit=micro(budget.usd),
                    length=budget.period,
                    targets=frozenset(budget.targets) or None,
                    hard=budget.hard,
                    alert_at=tuple(budget.alert_at),
                )
            )
    return tuple(purses)


def micro(usd: str) -> int:
    """An amount as micro-dollars, at least one.

    >>> micro("12.5")
    12500000
    """
    return max(1, int((Decimal(usd) * 10**6).to_integral_value(ROUND_HALF_UP)))


def likely(prices: Prices | None, tokens: int, output: int) -> int:
    """Micro-dollars of a call with so many tokens in and out, rounded up; 0 without prices."""
    if prices is None:
        return 0
    return -(-(tokens * prices.input + output * prices.output) // _PARTS)


def worst(prices: Prices | None, tokens: int, most_output: int) -> int:
    """The most a call may cost: a tenth more input, all of it at the dearest price of input.

    One micro-dollar for each kind of token is for the rounding of what is charged.

    >>> worst(Prices(input=3 * 10**9, output=10**9, cache_read=0, cache_write=4 * 10**9), 10, 5)
    53
    """
    if prices is None:
        return 0
    dearest = max(prices.input, prices.cache_read, prices.cache_write)
    grown = -(-tokens * 11 // 10)
    parts = grown * dearest + most_output * prices.output
    return -(-parts // _PARTS) + 4 if parts else 0


def spent(purse: Purse, period: Period, balance: Balance) -> Failure:
    """What a client hears of a budget without room."""
    which = (
        f"budget {purse.budget} of {in_usd(purse.limit)} USD a {purse.length} "
        f"for {owner_in_words(purse.owner)}"
    )
    is_spent = balance.spent + balance.reserved >= purse.limit
    how = "is spent" if is_spent else "has no room for what this request may cost"
    return Failure(
        kind=FailureClass.SPENT,
        status=429,
        message=f"{which} {how}; it begins anew at {period.ends}",
        code="insufficient_quota",
        resets_at=int(period.until),
    )
