"""A study to vectors that stand on both sides of every bound the decision has.

For each tier's bound a sum just within it and one just beyond, each outcome, each tier by score, by
rule and by pin, each rule matching and not: where one of them occurs, a request that has it.
"""

from collections.abc import Iterator

import z3

from lynkrc.analysis.logic import all_of, not_
from lynkrc.analysis.study import Study
from lynkrc.ir.domain import Point

_POINT = 6_400


def chosen_points(study: Study) -> tuple[Point, ...]:
    """A point of each cell that occurs and is found within the solver's limit, few in all."""
    return tuple(dict.fromkeys(study.solver.ask_each(cells_of(study))))


def cells_of(study: Study) -> Iterator[z3.BoolRef]:
    """The cells, each as the formula of being in it."""
    encoded = study.encoded
    for tier in study.table.tiers:
        if tier.up_to is not None:
            # The score is `up_to` in one band of the sum and one more in the next.
            beyond = _POINT * tier.up_to + _POINT // 2
            here = all_of(encoded.decided, not_(encoded.pinned))
            yield all_of(here, encoded.sum < beyond, encoded.sum >= beyond - _POINT)
            yield all_of(here, encoded.sum >= beyond, encoded.sum < beyond + _POINT)
    yield from encoded.outcome.values()
    for k in range(len(study.table.tiers)):
        yield all_of(encoded.has_tier, encoded.tier[k])
        yield all_of(encoded.decided, encoded.by_score[k])
    yield from encoded.final
    yield from encoded.first_pin
    for match in encoded.matches:
        yield match
        yield not_(match)
