"""Limits, budgets and keys to the rows a reviewer reads: who may do how much of what.

Of a key, only its name, whom it stands for and where it may go are shown; of the digest of a key
just enough to see that it changed.

>>> from lynkrc_runtime.settings import Limit
>>> limit_rows([Limit(name="fair", per="team", only=["legal"], requests=1500, within=300.0)])
[('fair', 'a team: legal', '1500 requests in 5m')]
"""

from collections.abc import Iterable, Mapping, Sequence

from lynkrc.codegen.quantities import duration
from lynkrc_runtime.settings import Budget, Key, Limit, Owner

_DIGEST = 8
"""Characters shown of a digest."""


def limit_rows(limits: Iterable[Limit]) -> list[tuple[str, ...]]:
    """Name, who is counted, how much is allowed."""
    rows: list[tuple[str, ...]] = []
    for limit in limits:
        parts = (("requests", limit.requests), ("tokens", limit.tokens))
        amounts = [f"{amount} {what}" for what, amount in parts if amount is not None]
        allowed = f"{', '.join(amounts)} in {duration(limit.within)}"
        rows.append((limit.name, counted(limit.per, limit.only), allowed))
    return rows


def budget_rows(budgets: Iterable[Budget]) -> list[tuple[str, ...]]:
    """Name, who is counted, how much may be spent on what, and how it is enforced."""
    rows: list[tuple[str, ...]] = []
    for budget in budgets:
        amount = f"USD {budget.usd} a {budget.period}"
        spent_on = ", ".join(budget.targets) or "every target"
        how = ["hard: the worst case is reserved" if budget.hard else "soft"]
        if budget.alert_at:
            how.append(f"alerts at {', '.join(f'{percent}%' for percent in budget.alert_at)}")
        whose = counted(budget.per, budget.only)
        rows.append((budget.name, whose, f"{amount} on {spent_on}", "; ".join(how)))
    return rows


def key_rows(keys: Mapping[str, Key]) -> list[tuple[str, ...]]:
    """Name, how the key is known, team and tenant, what it may use; sorted by name."""
    rows: list[tuple[str, ...]] = []
    for name, key in sorted(keys.items()):
        allowed = [f"tiers {', '.join(key.tiers)}"] if key.tiers else []
        allowed += [f"targets {', '.join(key.targets)}"] if key.targets else []
        uses = "; ".join(allowed) or "everything"
        if key.debug:
            uses += "; may debug"
        rows.append((name, known_by(key), key.team or "-", key.tenant or "-", uses))
    return rows


def known_by(key: Key) -> str:
    """The reference of a key's secret, or the beginning of its digest."""
    return (key.secret or "-") if key.sha256 is None else f"sha256 {key.sha256[:_DIGEST]}..."


def counted(per: Owner, only: Sequence[str]) -> str:
    """Whose amounts are added up: everyone's, or those of each owner."""
    if per == "everyone":
        return "everyone together"
    return f"a {per}: {', '.join(only)}" if only else f"each {per}"
