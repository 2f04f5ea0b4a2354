"""A question that no request answers to the least set of conditions that excludes it.

Conditions are dropped one by one, the last first, as long as what is left still excludes it: the
set is minimal, and the same every time.
"""

from collections.abc import Sequence
from typing import TypeVar

import z3

from lynkrc.analysis.solver import Impossible, Solver

T = TypeVar("T")


def least(
    solver: Solver, fixed: Sequence[z3.BoolRef], conditions: Sequence[tuple[T, z3.BoolRef]]
) -> tuple[T, ...] | None:
    """The owners of conditions that exclude each other, and `fixed` with them, in their order.

    None where some request has them all, or that is not known.
    """
    core = solver.excluding(*fixed, *(condition for _, condition in conditions))
    if core is None:
        return None
    left = [conditions[i - len(fixed)] for i in core if i >= len(fixed)]
    for one in reversed(tuple(left)):
        fewer = [other for other in left if other is not one]
        if isinstance(solver.ask(*fixed, *(condition for _, condition in fewer)), Impossible):
            left = fewer
    return tuple(owner for owner, _ in left)
