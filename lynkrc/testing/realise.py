"""A point the solver found, to a request that shows what the point does.

Where a request does not come out as the solver wants it, the solver is told what it had instead,
and asked again.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from lynkrc.ir.domain import Point

if TYPE_CHECKING:
    from lynkrc.testing.synthesize import Synthesized

Shows: TypeAlias = Callable[[Point], bool]
"""Whether the point of a request shows what is wanted of it."""

Realise: TypeAlias = "Callable[[Point, Shows], Synthesized]"
"""Builds a request of a point, or another that shows the same, and reads it back."""

Again: TypeAlias = Callable[[Mapping[int, int]], Point | None]
"""Another point that shows the same, with these values of variables; None where none is found."""

ROUNDS = 5
"""How often the solver is asked for a point that a request can be built of."""


def realised(
    first: Point, realise: Realise, shows: Shows, again: Again
) -> "tuple[Point, Synthesized]":
    """A request that shows it, and its point; else the solver's point and what came nearest."""
    point: Point | None = first
    nearest: Synthesized | None = None
    given: dict[int, int] = {}
    for _ in range(ROUNDS):
        if point is None:
            break
        request = realise(point, shows)
        if request.realised and request.point is not None:
            return request.point, request
        nearest = nearest or request
        if request.point is None:
            break
        given |= {
            variable: got
            for variable, (got, wanted) in enumerate(zip(request.point, point, strict=True))
            if got != wanted
        }
        point = again(given)
    assert nearest is not None, "a request was built of the first point"
    return first, nearest
