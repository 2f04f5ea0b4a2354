"""What a sample and its draws give to a figure: the value, and the middle 95 % of the draws.

>>> figure_of([0.5, 0.4, 0.6, float("nan")])
Figure(value=0.5, low=0.405, high=0.595)
"""

from collections.abc import Sequence
from math import isfinite

import numpy as np

from lynkrc.quality.results import Figure

_DIGITS = 12
"""Behind the point."""


def figure_of(found: Sequence[float]) -> Figure:
    """The sample's own value, which is the first, and the interval of the draws that can tell."""
    value, *drawn = found
    told = [one for one in drawn if isfinite(one)] or [value]
    low, high = np.percentile(told, (2.5, 97.5)).tolist()
    return Figure(value=_settled(value), low=_settled(low), high=_settled(high))


def _settled(value: float) -> float:
    """Without the specks of rounding: where two policies do alike, neither is the better one."""
    return round(float(value), _DIGITS) + 0.0
