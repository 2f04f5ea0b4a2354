"""Scores and wanted shares to the bounds of tiers.

Rules of a spec bind a request to some tiers, whatever its score: a bound can move only the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from lynkrc.interp.evaluate import first_pin, highest_floor, holds, lowest_ceiling
from lynkrc.ir.table import RouteTable
from lynkrc.quality.decided import Decided


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The lowest and the highest tier that rules let each row have, by index."""

    low: NDArray[np.intp]
    high: NDArray[np.intp]


def bounds_of(table: RouteTable, decided: Sequence[Decided]) -> Bounds:
    """What rules, pins and floors say of each row."""
    found = [_bounds(table, one) for one in decided]
    low, high = (np.array([pair[side] for pair in found], dtype=np.intp) for side in (0, 1))
    return Bounds(low=low, high=high)


def _bounds(table: RouteTable, one: Decided) -> tuple[int, int]:
    v = one.vector
    pin = first_pin(table, v)
    if pin is not None and pin.tier is not None:
        return pin.tier, pin.tier
    low, high = 0, len(table.tiers) - 1
    for rule in table.rules:
        if rule.tier is not None and holds(rule.guard, v):
            low = high = rule.tier
            break
    floor, ceiling = highest_floor(table, v), lowest_ceiling(table, v)
    if floor is not None and floor.floor is not None:
        low, high = max(low, floor.floor), max(high, floor.floor)
    if ceiling is not None and ceiling.ceiling is not None:
        low, high = min(low, ceiling.ceiling), min(high, ceiling.ceiling)
    return low, high


def tiers_of(scores: NDArray[np.float64], up_to: Sequence[float], bounds: Bounds) -> NDArray[np.intp]:
    """The tier of each row; `up_to` are the inclusive bounds of all tiers but the last."""
    by_score = np.searchsorted(np.array(up_to), scores, side="left")
    return np.clip(by_score, bounds.low, bounds.high)


def up_to_of(
    scores: NDArray[np.float64], shares: Sequence[float], bounds: Bounds
) -> tuple[float, ...]:
    """The bounds at which tiers have these shares, as nearly as scores and rules let them.

    Every bound is one of the scores; none is below the one before it.
    """
    found: list[float] = []
    wanted = 0.0
    for tier, share in enumerate(shares[:-1]):
        wanted += share * len(scores)
        below = int((bounds.high <= tier).sum())
        free = np.sort(scores[(bounds.low <= tier) & (tier < bounds.high)])
        bound = _bound(free, wanted - below)
        found.append(max([bound, *found[-1:]]))
    return tuple(found)


def _bound(ordered: NDArray[np.float64], wanted: float) -> float:
    """The score up to which there are about so many of the ordered ones."""
    if not ordered.size:
        return 0.0
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    counts = np.concatenate(((0,), ends + 1))
    at = int(np.argmin(np.abs(counts - wanted)))
    # None of them: just below the least, which is as good as any bound there.
    return float(ordered[0]) - 1.0 if at == 0 else float(ordered[ends[at - 1]])


def shares_of(tiers: NDArray[np.intp], count: int) -> tuple[float, ...]:
    """The share of each of `count` tiers."""
    return tuple((np.bincount(tiers, minlength=count) / len(tiers)).tolist())
