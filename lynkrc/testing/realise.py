"""A point the solver found, to a request that shows what the point does.

Where a request does not come out as the solver wants it, the solver is told what it had instead,
and asked again.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from lynkrc.ir.domain import Point

if TYPE_CHECKING:
    from lynkrc.testing.synthesize import Synthesized

Shows: TypeAlias = Callable[[Point], bool]
"""Whether the point of a request shows what is wanted of it."""

Realise: TypeAlias = "Callable[[Point, Shows], Synthesized]"
"""Builds a request of a point, or another that shows the same, and reads it back."""

Again: TypeAlias = Callable[[Mapping[int, int]], Point | None]
"""Another point that shows the same, with these values of variables; None where none is found."""

T = TypeVar("T")

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
        point, given = asked_again(again, given, otherwise(request, point))
    assert nearest is not None, "a request was built of the first point"
    return first, nearest


def otherwise(request: "Synthesized", point: Point) -> dict[int, int]:
    """What a request has otherwise than a point; nothing where it would be refused."""
    if request.point is None:
        return {}
    pairs = enumerate(zip(request.point, point, strict=True))
    return {variable: got for variable, (got, wanted) in pairs if got != wanted}


def asked_again(
    again: Callable[[Mapping[int, int]], T | None],
    given: Mapping[int, int],
    last: Mapping[int, int],
) -> tuple[T | None, dict[int, int]]:
    """What is found with all that was got so far, else with what was got last; and what that is."""
    every = {**given, **last}
    if not last:
        return None, every
    found = again(every)
    if found is not None or every == last:
        return found, every
    return again(last), dict(last)
