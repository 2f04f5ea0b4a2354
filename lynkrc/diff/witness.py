"""Points of a joint domain as people read them, and the plainest one that shows a difference."""

from collections.abc import Callable

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
    asked at most some dozen times a variable. The facts that relate features are not heeded.
    """
    now = list(point)
    for _ in range(_PASSES):
        before = list(now)
        for index, (slot, plain) in enumerate(zip(domain.slots, rest, strict=True)):
            _settle(now, index, plain, slot.type in (SlotType.INT, SlotType.FIXED), shows)
        if now == before:
            break
    return tuple(now)


_PASSES = 2
"""What one variable needs may be gone when a later one is at rest."""


def _settle(
    now: list[int], index: int, plain: int, is_number: bool, shows: Callable[[Point], bool]
) -> None:
    """Bring one variable to rest, or as near to it as shows the difference."""
    kept = now[index]
    if kept == plain:
        return
    now[index] = plain
    if shows(tuple(now)):
        return
    far, near = kept, plain
    # The nearest value to the plain one that still shows it, if there is one edge.
    while is_number and abs(far - near) > 1:
        middle = (far + near) // 2
        now[index] = middle
        if shows(tuple(now)):
            far = middle
        else:
            near = middle
    now[index] = far
