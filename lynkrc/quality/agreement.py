"""Rows that carry the tier a person chose to how often the spec chose the same, with intervals."""

from collections.abc import Sequence

from lynkrc.diff.intervals import share_interval
from lynkrc.quality.decided import Decided
from lynkrc.quality.results import Agreement, Figure


def agreement_of(decided: Sequence[Decided], tiers: Sequence[str]) -> Agreement | None:
    """The table of chosen and got; None where no row carries a tier of the spec.

    The intervals are Wilson's: rows of one group are counted as if they were apart.
    """
    place = {name: number for number, name in enumerate(tiers)}
    table = [[0] * len(tiers) for _ in tiers]
    tasks: dict[str, list[int]] = {}
    misses: list[tuple[str, str, str]] = []
    for one in decided:
        if one.row.tier is None or one.row.tier not in place:
            continue
        chosen = place[one.row.tier]
        table[chosen][one.tier] += 1
        task = tasks.setdefault(one.row.task, [0, 0, 0])
        task[0] += 1
        task[1] += one.tier == chosen
        task[2] += one.tier < chosen
        if one.tier != chosen:
            misses.append((one.row.id, tiers[chosen], tiers[one.tier]))
    total = sum(map(sum, table))
    if not total:
        return None
    exact = sum(row[number] for number, row in enumerate(table))
    under = sum(sum(row[:number]) for number, row in enumerate(table))
    return Agreement(
        tiers=tuple(tiers),
        table=tuple(map(tuple, table)),
        exact=_share(exact, total),
        over=_share(total - exact - under, total),
        under=_share(under, total),
        tasks=tuple((name, all_, same, less) for name, (all_, same, less) in tasks.items()),
        misses=tuple(misses),
        rankings=(),
    )


def _share(count: int, total: int) -> Figure:
    found = share_interval(count, total)
    return Figure(value=count / total, low=found.low, high=found.high)
