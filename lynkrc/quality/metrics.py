"""An order of requests and two models' scores to figures: how well the order tells who needs which.

A policy is a key a request: the greater, the sooner the request goes to the strong model. Requests
of one key cannot be told apart, so curves run straight through them: that is the mean over all
orders of them. Every figure is worked out for the sample and for each of its bootstrap draws; a
draw is a weight a request.

APGR and CPT are RouteLLM's (arXiv 2406.18665), AIQ is RouterBench's (arXiv 2403.12031). What
differs from the code that they published, and why:

- RouteLLM takes the area under a curve through some ten thresholds, by the trapezium rule, and
  reads CPT off the same few points. We use every key that occurs, which is where theirs tends to
  with more thresholds, and all shares from 0 to 1, whatever shares thresholds happen to reach. CPT
  is the *least* share at which so much is gained, where a curve crosses the line more than once.
- RouterBench divides by the greatest cost of all routers compared, from cost 0 on. We take the
  mean over the costs between all weak and all strong, so that a figure does not change with what
  stands beside it. The hull is of 201 points of the curve.

>>> pairs = Pairs(weak=np.array([0.0, 1.0]), strong=np.array([1.0, 1.0]), costs=None)
>>> ordered = order(np.array([9.0, 1.0]))
>>> measure(ordered, pairs, np.ones(2))  # the one that needs it stands first
Measures(apgr=0.75, cpt50=0.25, cpt80=0.4, auroc=1.0, aiq=None)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]

_HULL_POINTS = 201
"""Shares, evenly spaced, at which costs and scores are read off for the convex hull."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Scores (0 to 1) of the weak and the strong model, one a request, and their costs in USD."""

    weak: Numbers
    strong: Numbers
    costs: tuple[Numbers, Numbers] | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """Requests by falling key: `places` are theirs in the sample, `ends` the last of each key."""

    places: NDArray[np.intp]
    ends: NDArray[np.intp]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """The figures of one draw; not a number where the draw cannot tell (see `measure`)."""

    apgr: float
    cpt50: float
    cpt80: float
    auroc: float
    aiq: float | None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What is reached as more is sent to the strong model, from none to all; see `Curve`."""

    shares: Numbers
    scores: Numbers
    costs: Numbers | None


def order(keys: Numbers) -> Ordered:
    """Requests by falling key. ValueError for a key that is no number, or for no requests."""
    if not keys.size or not np.isfinite(keys).all():
        raise ValueError("keys must be finite, and at least one")
    places = np.argsort(-keys, kind="stable")
    ordered = keys[places]
    return Ordered(places=places, ends=np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)))


def reach_of(ordered: Ordered, pairs: Pairs, weights: Numbers) -> Reach:
    """Shares, mean scores and mean costs of one draw, a point after each key that was drawn."""
    drawn = weights[ordered.places]
    total = drawn.sum()
    shares = _sums(drawn, ordered) / total
    scores = (
        _mean(pairs.weak, weights) + _sums(drawn * _gaps(pairs)[ordered.places], ordered) / total
    )
    costs = None
    if pairs.costs is not None:
        weak, strong = pairs.costs
        costs = (
            _mean(weak, weights) + _sums(drawn * (strong - weak)[ordered.places], ordered) / total
        )
    return Reach(shares=shares, scores=scores, costs=costs)


def measure(ordered: Ordered, pairs: Pairs, weights: Numbers) -> Measures:
    """The figures of one draw, `weights` being how often each request is in it.

    APGR and CPT are not a number where the strong model is no better than the weak one, AUROC where
    it is better on all requests or on none, AIQ where the strong model costs no more on average.
    """
    reach = reach_of(ordered, pairs, weights)
    gained = reach.scores - reach.scores[0]
    whole = gained[-1]
    if whole > 0:
        apgr = float(np.trapezoid(gained, reach.shares) / whole)
        cpt50, cpt80 = (_first_share(reach.shares, gained, part * whole) for part in (0.5, 0.8))
    else:
        apgr = cpt50 = cpt80 = float("nan")
    return Measures(
        apgr=apgr,
        cpt50=cpt50,
        cpt80=cpt80,
        auroc=auroc(ordered, _gaps(pairs) > 0, weights),
        aiq=None if reach.costs is None else _aiq(reach.shares, reach.scores, reach.costs),
    )


def auroc(ordered: Ordered, labels: NDArray[np.bool_], weights: Numbers) -> float:
    """How often one that is labelled stands above one that is not; ties count half."""
    drawn, marked = weights[ordered.places], labels[ordered.places]
    hits, misses = (_sums(drawn * mark, ordered) for mark in (marked, ~marked))
    if hits[-1] == 0 or misses[-1] == 0:
        return float("nan")
    return float(np.trapezoid(hits, misses) / (hits[-1] * misses[-1]))


def concordance(ordered: Ordered, grades: NDArray[np.int_], weights: Numbers) -> float:
    """How often, of two requests of different grades, that of the higher one stands higher.

    Ties count half. Not a number where all that were drawn have one grade.
    """
    right = pairs = 0.0
    counts = np.bincount(grades, weights)
    for low, high in combinations(np.flatnonzero(counts).tolist(), 2):
        both = counts[low] * counts[high]
        here = np.where((grades == low) | (grades == high), weights, 0.0)
        right += both * auroc(ordered, grades == high, here)
        pairs += both
    return float(right / pairs) if pairs else float("nan")


def draws(groups: NDArray[np.intp], count: int, seed: int) -> Iterator[Numbers]:
    """Bootstrap weights: whole groups are drawn, as many as there are, with replacement.

    `groups` holds each request's group, numbered from 0 without a gap.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    total = int(groups.max()) + 1
    for _ in range(count):
        drawn = np.bincount(generator.integers(0, total, total), minlength=total)
        yield drawn[groups].astype(np.float64)


def mean_of(same: Sequence[Measures]) -> Measures:
    """The plain mean of each figure; no AIQ where one has none."""
    costs = [one.aiq for one in same]
    return Measures(
        apgr=fmean([one.apgr for one in same]),
        cpt50=fmean([one.cpt50 for one in same]),
        cpt80=fmean([one.cpt80 for one in same]),
        auroc=fmean([one.auroc for one in same]),
        aiq=None if None in costs else fmean([one for one in costs if one is not None]),
    )


def less(one: Measures, other: Measures) -> Measures:
    """Each figure of one less that of the other; no AIQ where one has none."""
    return Measures(
        apgr=one.apgr - other.apgr,
        cpt50=one.cpt50 - other.cpt50,
        cpt80=one.cpt80 - other.cpt80,
        auroc=one.auroc - other.auroc,
        aiq=None if one.aiq is None or other.aiq is None else one.aiq - other.aiq,
    )


def _gaps(pairs: Pairs) -> Numbers:
    return pairs.strong - pairs.weak


def _mean(values: Numbers, weights: Numbers) -> float:
    return float(values @ weights / weights.sum())


def _sums(values: Numbers, ordered: Ordered) -> Numbers:
    """Running sums at the end of each key, with the nothing before the first."""
    return np.concatenate(((0.0,), np.cumsum(values)[ordered.ends]))


def _first_share(shares: Numbers, gained: Numbers, wanted: float) -> float:
    """The least share at which so much is gained; straight between two points."""
    # A speck of rounding must not make the last point miss what is all of it.
    at = int(np.argmax(gained >= wanted - 1e-12 * abs(wanted)))
    before, after = gained[at - 1], gained[at]
    part = (wanted - before) / (after - before) if after > before else 1.0
    return float(shares[at - 1] + min(1.0, part) * (shares[at] - shares[at - 1]))


def _aiq(shares: Numbers, scores: Numbers, costs: Numbers) -> float:
    """The mean height of the rising convex hull, from the cost of all weak to that of all strong.

    What is reached outside of these two (a strong model may be the cheaper one on some requests)
    still holds up the hull, so every policy's mean is over the same costs.
    """
    low, high = float(costs[0]), float(costs[-1])
    if high <= low:
        return float("nan")
    grid = np.linspace(0.0, 1.0, _HULL_POINTS)
    x, y = np.interp(grid, shares, costs), np.interp(grid, shares, scores)
    hull = _rising_hull(sorted(zip(x.tolist(), y.tolist(), strict=True)))
    xs, ys = (np.array(side) for side in zip(*hull, strict=True))
    between = np.concatenate(((low,), xs[(xs > low) & (xs < high)], (high,)))
    return float(np.trapezoid(np.interp(between, xs, ys), between) / (high - low))


def _rising_hull(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The upper hull of points in order of x, up to the first of the highest."""
    hull: list[tuple[float, float]] = []
    for x, y in points:
        if hull and y <= hull[-1][1]:
            continue
        while len(hull) > 1 and _is_below(hull[-2], hull[-1], (x, y)):
            hull.pop()
        if hull and hull[-1][0] == x:
            hull.pop()
        hull.append((x, y))
    return hull


def _is_below(
    left: tuple[float, float], middle: tuple[float, float], right: tuple[float, float]
) -> bool:
    slope = (right[1] - left[1]) * (middle[0] - left[0])
    return (middle[1] - left[1]) * (right[0] - left[0]) <= slope
