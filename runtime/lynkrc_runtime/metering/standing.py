"""The budgets of a bundle to how each of their owners stands now, read from the store."""

from collections.abc import Mapping
from typing import Any, Final

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.metering.owners import owner_in_words
from lynkrc_runtime.metering.periods import period_of
from lynkrc_runtime.metering.purses import Purse, purses_of
from lynkrc_runtime.settings import Key
from lynkrc_runtime.state.interface import Store, StoreDown

MOST: Final = 200
"""Owners that are told of."""


async def budgets_standing(
    dispatch: Dispatch, keys: Mapping[str, Key], store: Store, now: float
) -> dict[str, Any]:
    """`budgets`: what of each is spent and reserved in the period of `now` (Unix seconds).

    Amounts are micro-dollars. `omitted` owners are beyond the bound; `trouble` says why the store
    tells nothing, None where it does.
    """
    purses = list(_purses(dispatch, keys).values())
    shown = [(one, period_of(one.length, now)) for one in purses[:MOST]]
    trouble = None
    balances: Any = [None] * len(shown)
    if shown:
        try:
            balances = await store.balances([one.key(period) for one, period in shown])
        except StoreDown as down:
            trouble = str(down)
    return {
        "budgets": [
            {
                "budget": one.budget,
                "owner": owner_in_words(one.owner),
                "period": period.label,
                "ends": period.ends,
                "limit_micro_usd": one.limit,
                "spent_micro_usd": None if balance is None else balance.spent,
                "reserved_micro_usd": None if balance is None else balance.reserved,
                "hard": one.hard,
                "targets": sorted(one.targets or ()),
            }
            for (one, period), balance in zip(shown, balances, strict=True)
        ],
        "omitted": len(purses) - len(shown),
        "trouble": trouble,
    }


def _purses(dispatch: Dispatch, keys: Mapping[str, Key]) -> dict[tuple[str, str], Purse]:
    """Every purse that any caller pays from, once, in the order of the spec's budgets."""
    budgets = dispatch.settings.budgets
    callers: list[Caller | None] = [
        Caller(name=name, team=key.team, tenant=key.tenant) for name, key in keys.items()
    ]
    found = {
        (one.budget, one.owner): one
        for caller in callers or [None]
        for one in purses_of(budgets, caller)
    }
    order = [one.name for one in budgets]
    return dict(sorted(found.items(), key=lambda item: order.index(item[0][0])))
