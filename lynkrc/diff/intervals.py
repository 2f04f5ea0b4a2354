"""Counts and amounts of a sample to 95 % confidence intervals, the same on every machine.

Shares are Wilson's score interval. Totals and ratios of totals are a percentile bootstrap with a
fixed seed: the sample is drawn anew, with replacement, and the middle 95 % of what comes out is
kept. A large sample is first summed in batches of equal size, which are drawn in its place.
"""

import random
from collections.abc import Sequence
from math import sqrt

from lynkrc.diff.replayed import Interval

_Z = 1.959963984540054  # the normal distribution's 97.5 % point
_RESAMPLES = 1_000
_BATCHES = 1_000
_PAIR_BATCHES = 250  # of ratios, which a report has several of
_FEWEST = 20
_SEED = 20_240_501


def share_interval(count: int, total: int) -> Interval:
    """Wilson's interval for the share `count` of `total`; 0 to 1 where there is no sample.

    >>> found = share_interval(10, 100)
    >>> round(found.low, 4), round(found.high, 4)
    (0.0552, 0.1744)
    """
    if total == 0:
        return Interval(low=0.0, high=1.0)
    share = count / total
    spread = _Z * sqrt(share * (1 - share) / total + _Z * _Z / (4 * total * total))
    middle = share + _Z * _Z / (2 * total)
    scale = 1 + _Z * _Z / total
    low, high = (middle - spread) / scale, (middle + spread) / scale
    # Exact at the ends, where rounding would leave a speck beyond them.
    return Interval(
        low=0.0 if count == 0 else max(0.0, low), high=1.0 if count == total else min(1.0, high)
    )


def total_interval(amounts: Sequence[int]) -> Interval:
    """The bootstrap interval of the sum of so many amounts; 0 to 0 for none."""
    batches = list(amounts)
    if len(batches) > _BATCHES:
        # Neighbours in a log are alike: each batch takes from all of it.
        batches = [sum(batches[start::_BATCHES]) for start in range(_BATCHES)]
    if not any(batches):
        return Interval(low=0.0, high=0.0)
    draw = random.Random(_SEED)
    totals = sorted(sum(draw.choices(batches, k=len(batches))) for _ in range(_RESAMPLES))
    cut = round(_RESAMPLES * 0.025)
    return Interval(low=float(totals[cut]), high=float(totals[-1 - cut]))


def ratio_interval(pairs: Sequence[tuple[int, int]]) -> Interval | None:
    """The bootstrap interval of the first ones' sum in the second ones', which are not negative.

    None for fewer than 20 pairs, and where the second ones of a draw are all 0: then little can be
    told.

    >>> ratio_interval([(1, 2), (2, 4)] * 10)
    Interval(low=0.5, high=0.5)
    """
    batches = list(pairs)
    if len(batches) > _PAIR_BATCHES:
        parts = (batches[start::_PAIR_BATCHES] for start in range(_PAIR_BATCHES))
        batches = [(sum(a for a, _ in part), sum(b for _, b in part)) for part in parts]
    draw = random.Random(_SEED)
    ratios = []
    for _ in range(_RESAMPLES if len(batches) >= _FEWEST else 0):
        drawn = draw.choices(batches, k=len(batches))
        whole = sum(b for _, b in drawn)
        if not whole:
            return None
        ratios.append(sum(a for a, _ in drawn) / whole)
    if not ratios:
        return None
    ratios.sort()
    cut = round(_RESAMPLES * 0.025)
    return Interval(low=ratios[cut], high=ratios[-1 - cut])
