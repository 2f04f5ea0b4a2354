"""Points of a domain as people read them, and the plainest one that still shows a difference."""

from collections.abc import Callable

from lynkrc.diff.plan import Witness
from lynkrc.ir.domain import Domain, Point
from lynkrc.ir.table import SlotType
from lynkrc.ir.witness import rest_of, shown_value


def witness_of(domain: Domain, point: Point) -> Witness:
    """The point with its features in words, the plain ones left out."""
    return Witness(
        features=tuple(
            (_name(domain, index), shown_value(slot, value))
            for index, (slot, value) in enumerate(zip(domain.slots, point, strict=True))
            if value != rest_of(slot)
        ),
        point=point,
    )


def _name(domain: Domain, index: int) -> str:
    """The feature as the language writes it; where both specs have a lexicon of one name with
    other entries, also whose it is."""
    text = domain.slots[index].text
    if sum(slot.text == text for slot in domain.slots) == 1:
        return text
    return f"{text} of the {'old' if index in domain.views[0].variables else 'new'} spec"


def plainest(domain: Domain, point: Point, shows: Callable[[Point], bool]) -> Point:
    """The point with every variable plain that need not be otherwise, numbers as small as can be.

    `shows` says whether a point still shows what this one shows; it is asked at most some dozen
    times a variable.
    """
    now = list(point)
    for index, slot in enumerate(domain.slots):
        plain = rest_of(slot)
        if now[index] == plain:
            continue
        kept = now[index]
        now[index] = plain
        if shows(tuple(now)):
            continue
        now[index] = kept
        if slot.type in (SlotType.INT, SlotType.FIXED):
            # The nearest value to the plain one that still shows it, if there is one edge.
            far, near = kept, plain
            while abs(far - near) > 1:
                middle = (far + near) // 2
                now[index] = middle
                if shows(tuple(now)):
                    far = middle
                else:
                    near = middle
            now[index] = far
    return tuple(now)
