"""Where a spec's tiers are set to what that gains over other ways to spend the same.

The order of requests is one thing, where the tiers cut it another: chance and length may cut it
anywhere, so they are read off at the spec's share to the strong model, and at its mean cost.

>>> line = Reach(shares=np.array([0.0, 1.0]), scores=np.array([0.5, 0.9]), costs=None)
>>> gains_of({"length": line}, score=0.75, share=0.5, cost=None)
{('length', 'share'): 0.05}
"""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from lynkrc.quality.metrics import Reach
from lynkrc.quality.results import Alike

Gains: TypeAlias = Mapping[tuple[str, Alike], float]
"""By policy, and by what is the same."""


def gains_of(
    others: Mapping[str, Reach], *, score: float, share: float, cost: float | None
) -> Gains:
    """The score that the spec reaches less what others reach at its share, and at its cost.

    Not a number at the cost where the strong model costs no more than the weak one.
    """
    gains: dict[tuple[str, Alike], float] = {}
    for name, reach in others.items():
        at_share = np.interp(share, reach.shares, reach.scores)
        gains[name, "share"] = round(float(score - at_share), 12)
        if cost is not None and reach.costs is not None:
            gains[name, "cost"] = round(float(score - _at_cost(reach, cost)), 12)
    return gains


def line_of(weak: tuple[float, float], strong: tuple[float, float]) -> Reach:
    """Chance, between the mean score and cost of all weak and those of all strong."""
    return Reach(
        shares=np.array([0.0, 1.0]),
        scores=np.array([weak[0], strong[0]]),
        costs=None if np.isnan(weak[1]) else np.array([weak[1], strong[1]]),
    )


def _at_cost(reach: Reach, cost: float) -> float:
    """Where so much is first spent: a share more may cost less, where the strong model does."""
    assert reach.costs is not None
    if reach.costs[-1] <= reach.costs[0]:
        return float("nan")
    return float(np.interp(cost, np.maximum.accumulate(reach.costs), reach.scores))
