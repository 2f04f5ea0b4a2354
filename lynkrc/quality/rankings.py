"""Grades that people gave to how well each policy puts the requests in the same order."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from lynkrc.quality.drawn import figure_of
from lynkrc.quality.metrics import Numbers, concordance, order
from lynkrc.quality.results import SPEC, Ranking


def rankings_of(
    keys: Mapping[str, Numbers], grades: NDArray[np.intp], draws: Iterable[Numbers]
) -> tuple[Ranking, ...]:
    """One a policy, in the order of `keys`; none where all grades are the same.

    `draws` are those of `lynkrc.quality.metrics.draws`.
    """
    if len(np.unique(grades)) < 2:
        return ()
    ordered = {name: order(of_policy) for name, of_policy in keys.items()}
    found: dict[str, list[float]] = {name: [] for name in ordered}
    for weights in (np.ones(len(grades)), *draws):
        for name, one in ordered.items():
            found[name].append(concordance(one, grades, weights))
    return tuple(
        Ranking(
            policy=name,
            value=figure_of(values),
            gain=None
            if name == SPEC
            else figure_of([spec - one for spec, one in zip(found[SPEC], values, strict=True)]),
        )
        for name, values in found.items()
    )
