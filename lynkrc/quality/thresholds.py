"""Ranks of requests and the wanted shares of tiers to the tiers' bounds.

Rules of a spec bind a request to some tiers, whatever its score: a bound can move only the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from lynkrc.interp.evaluate import first_pin, highest_floor, holds, lowest_ceiling
from lynkrc.ir.table import RouteTable
from lynkrc.quality.decided import Decided

Numbers: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.intp]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The lowest and the highest tier that rules let each row have, by index."""

    low: Places
    high: Places


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


def tiers_of(scores: NDArray[Any], up_to: Sequence[float], bounds: Bounds) -> Places:
    """The tier of each row; `up_to` are the inclusive bounds of all tiers but the last."""
    by_score = np.searchsorted(np.array(up_to, dtype=np.float64), scores, side="left")
    found: Places = np.clip(by_score, bounds.low, bounds.high)
    return found


def levels_of(ranks: Numbers, shares: Sequence[float], bounds: Bounds) -> tuple[float, ...]:
    """The ranks at which tiers have these shares, as nearly as rules let them."""
    found: list[float] = []
    wanted = 0.0
    for tier, share in enumerate(shares[:-1]):
        wanted += share * len(ranks)
        # What must be no higher has no say, nor what must be higher.
        below = int((bounds.high <= tier).sum())
        free = np.sort(ranks[(bounds.low <= tier) & (tier < bounds.high)])
        found.append(max([_level(free, wanted - below), *found[-1:]]))
    return tuple(found)


def _level(ordered: Numbers, wanted: float) -> float:
    """The rank up to which there are about so many of the ordered ones; for none, below all."""
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) if ordered.size else ()
    counts = np.concatenate(((0,), np.asarray(ends, dtype=np.intp) + 1))
    at = int(np.argmin(np.abs(counts - wanted)))
    return float(ordered[counts[at] - 1]) if at else -1.0


def up_to_at(scores: NDArray[np.int64], levels: Sequence[float]) -> tuple[int, ...]:
    """The scores (0 to 99, rising) up to which there are such shares of these.

    >>> up_to_at(np.array([10, 20, 30, 40]), (0.25, 0.75))
    (10, 30)
    """
    reached = np.cumsum(np.bincount(scores, minlength=101)[:100]) / len(scores)
    found: list[int] = []
    for number, level in enumerate(levels):
        nearest = int(np.argmin(np.abs(reached - level)))
        least = found[-1] + 1 if found else 0
        found.append(min(max(nearest, least), 100 - (len(levels) - number)))
    return tuple(found)


def shares_of(tiers: Places, count: int) -> tuple[float, ...]:
    """The share of each of `count` tiers."""
    return tuple((np.bincount(tiers, minlength=count) / len(tiers)).tolist())
