"""A fit to weights as the language has them, and rows to their points by its integer arithmetic.

`S = sum(weight64 * value) + 100 * (offset64 + adds64 + terms64)` in 1/6400 points, and
`score = clamp(floor((S + 3200) / 6400), 0, 100)`.
"""

from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from lynkrc.quality.fit import Columns, Fitted, term_sums
from lynkrc_runtime.feature_table import FIXED_UNIT

Integers: TypeAlias = NDArray[np.int64]

_LOW, _HIGH = 5, 95
"""Points between which the middle 98 % of scores come to lie: room for what is yet to come."""
_MOST_POINTS = 10_000
"""Of a term, above and below 0; the language has no more."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pointed:
    """Weights in 1/64 point: of each value at 100, and of each term; most are 0."""

    offset64: int
    values64: Integers
    terms64: Integers

    def points(self, columns: Columns, adds64: Integers) -> Integers:
        """The points of rows in 1/6400; `adds64` are those that rules add."""
        values = np.rint(columns.values * 100).astype(np.int64)
        terms = term_sums(columns.terms, self.terms64)
        found: Integers = values @ self.values64 + 100 * (self.offset64 + adds64 + terms)
        return found


def pointed(
    fitted: Fitted, columns: Columns, rows: NDArray[np.intp], kept64: Integers, offset64: int
) -> Pointed:
    """The fit in points, so that the scores of these rows spread over the scale.

    `kept64` are weights of values that are kept as they are, with `offset64` to make up for them.
    """
    scores = fitted.scores(columns)[rows]
    low, high = np.percentile(scores, (1, 99))
    if high <= low:
        low, high = scores.min(), scores.max()
    factor = (_HIGH - _LOW) / (high - low) if high > low else 1.0
    top = _MOST_POINTS * FIXED_UNIT
    terms64 = np.zeros(len(columns.terms.names), dtype=np.int64)
    terms64[fitted.terms] = np.clip(_sixty_fourths(factor * fitted.term_weights), -top, top)
    return Pointed(
        offset64=int(np.rint(FIXED_UNIT * (_LOW - factor * low))) + offset64,
        values64=_sixty_fourths(factor * fitted.values) + kept64,
        terms64=terms64,
    )


def _sixty_fourths(points: NDArray[np.float64]) -> Integers:
    return np.rint(FIXED_UNIT * points).astype(np.int64)


def scores_of(points: Integers) -> Integers:
    """The scores, 0 to 100."""
    found: Integers = np.clip((points + 3200) // 6400, 0, 100)
    return found


def ranks_of(points: Integers, among: Integers) -> NDArray[np.float64]:
    """For each the share of `among` that has fewer points; those with as many count half.

    >>> ranks_of(np.array([0, 2, 9]), np.array([1, 2, 3, 4])).tolist()
    [0.0, 0.375, 1.0]
    """
    ordered = np.sort(among)
    below, up_to = (np.searchsorted(ordered, points, side=side) for side in ("left", "right"))
    return (below + up_to) / (2.0 * len(ordered))
