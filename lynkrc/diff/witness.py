"""Points of a joint domain as people read them, and the plainest one that shows a difference."""

from collections.abc import Callable, Sequence

from lynkrc.ir.domain import Domain, Point
from lynkrc.ir.table import SlotType
from lynkrc.ir.witness import shown_value


def features_in(domain: Domain, point: Point, rest: Point) -> tuple[tuple[str, str], ...]:
    """The features in words, those left out that a plain request has alike."""
    return tuple(
        (_name(domain, index), shown_value(slot, value))
        for index, (slot, value) in enumerate(zip(domain.slots, point, strict=True))
        if value != rest[index]
    )


def _name(domain: Domain, index: int) -> str:
    """The feature as the language writes it; where both specs have a lexicon of one name with
    other entries, also whose it is."""
    text = domain.slots[index].text
    if sum(slot.text == text for slot in domain.slots) == 1:
        return text
    return f"{text} of the {'old' if index in domain.views[0].variables else 'new'} spec"


def plainest(domain: Domain, point: Point, rest: Point, shows: Callable[[Point], bool]) -> Point:
    """The point with every variable at rest that need not be otherwise, numbers as near as can be.

    What is left is what the difference needs. `shows` says whether a point still shows it; it is
    asked some times for each variable that it needs. The facts that relate features are not heeded.
    """
    now = list(point)
    _rest(now, [i for i, plain in enumerate(rest) if now[i] != plain], rest, shows)
    # What one variable needed may be gone since a later one is at rest.
    needed = [i for i, plain in enumerate(rest) if now[i] != plain]
    for index in needed:
        _rest(now, [index], rest, shows)
    for index in needed:
        if domain.slots[index].type in (SlotType.INT, SlotType.FIXED):
            _narrow(now, index, rest[index], shows)
    return tuple(now)


def _rest(
    now: list[int], which: Sequence[int], rest: Point, shows: Callable[[Point], bool]
) -> None:
    """Bring as many of the variables to rest as can be: all at once, else each half."""
    if not which:
        return
    kept = [now[index] for index in which]
    for index in which:
        now[index] = rest[index]
    if shows(tuple(now)):
        return
    for index, value in zip(which, kept, strict=True):
        now[index] = value
    if len(which) > 1:
        half = len(which) // 2
        _rest(now, which[:half], rest, shows)
        _rest(now, which[half:], rest, shows)


def _narrow(now: list[int], index: int, near: int, shows: Callable[[Point], bool]) -> None:
    """The value nearest to the plain one, which does not show it, if there is one edge."""
    far = now[index]
    while abs(far - near) > 1:
        now[index] = (far + near) // 2
        if shows(tuple(now)):
            far = now[index]
        else:
            near = now[index]
    now[index] = far
