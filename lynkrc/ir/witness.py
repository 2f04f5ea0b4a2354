"""Points of a domain as people read them, and the plainest point there is."""

from lynkrc.ir.domain import ABSENT, OTHER, Domain, Point
from lynkrc.ir.table import Slot, SlotType
from lynkrc.ir.text import print_class, print_points

AUTO = "auto"
"""The requested model name that is always routed."""


def at_rest(domain: Domain) -> Point:
    """What the plainest request has: nothing, ``auto`` as the model."""
    return tuple(rest_of(slot) for slot in domain.slots)


def rest_of(slot: Slot) -> int:
    """0, false, absent, or the first of an enum; of the model ``auto``, else any unknown name."""
    if slot.feature == "model":
        texts = [one.text for one in slot.classes]
        return texts.index(AUTO) if AUTO in texts else OTHER
    return ABSENT if slot.classes else min(max(0, slot.low), slot.high)


def features_of(
    domain: Domain, point: Point, rest: Point | None = None
) -> tuple[tuple[str, str], ...]:
    """What a request of this point has: features and their values, those of `rest` left out.

    That is `at_rest` where it is not given.
    """
    plain = at_rest(domain) if rest is None else rest
    return tuple(
        (slot.text, shown_value(slot, value))
        for slot, value, usual in zip(domain.slots, point, plain, strict=True)
        if value != usual
    )


def shown_value(slot: Slot, value: int) -> str:
    """A slot's value as the language writes it: ``true``, ``12``, ``2.5``, ``"legal"``."""
    match slot.type:
        case SlotType.BOOL:
            return "true" if value else "false"
        case SlotType.FIXED:
            return print_points(value)
        case SlotType.CLASS:
            return print_class(slot.classes[value])
        case SlotType.INT:
            return str(value)


def told(domain: Domain, point: Point, rest: Point | None = None) -> str:
    """The features in one line: ``ask.words = 3, client = codex``."""
    pairs = [f"{name} = {value}" for name, value in features_of(domain, point, rest)]
    return ", ".join(pairs) or "nothing out of the ordinary"
