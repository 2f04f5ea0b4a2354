"""The arithmetic of a window, shared by the stores: times to slices, counted slices to a wait.

>>> slice_seconds(60.0), slice_seconds(86_400.0), slice_seconds(0.5)
(1.0, 1440.0, 0.5)
>>> wait_for(60.0, {100: 7, 110: 3}, limit=10, amount=5, now=130.5)
30.5
"""

from collections.abc import Iterable, Mapping

_SLICES = 60


def slice_seconds(within: float) -> float:
    """How long a slice of a window is: a sixtieth, at least a second, at most all of it."""
    return min(within, max(1.0, within / _SLICES))


def slice_of(within: float, now: float) -> int:
    """The number of the slice that a time is in."""
    return int(now // slice_seconds(within))


def first_counted(within: float, now: float) -> int:
    """The oldest slice of which not all is past."""
    # Slice n ends at (n + 1) * width, and counts while that is after now - within.
    return int((now - within) // slice_seconds(within))


def wait_for(
    within: float, slices: Mapping[int, int], *, limit: int, amount: int, now: float
) -> float | None:
    """Seconds until a window that is full has room for the amount; None: it never has."""
    if amount > limit:
        return None
    width = slice_seconds(within)
    counted = sum(slices.values())
    for number in sorted(slices):
        counted -= slices[number]
        if counted + amount <= limit:
            return max((number + 1) * width + within - now, 0.0)
    return None  # a negative limit


def taken_off(slices: Iterable[tuple[int, int]], amount: int) -> dict[int, int]:
    """The slices that change where an amount is taken off the oldest first, with what is left.

    >>> taken_off([(1, 5), (2, 5), (3, 5)], 7)
    {1: 0, 2: 3}
    """
    changed = {}
    for number, count in sorted(slices):
        if amount <= 0:
            break
        part = min(count, amount)
        changed[number] = count - part
        amount -= part
    return changed
