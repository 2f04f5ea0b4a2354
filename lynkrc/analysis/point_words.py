"""A point of a domain to words: what a request has that the plainest one has not."""

from lynkrc.ir.witness import at_rest
from lynkrc.ir.domain import Domain, Point
from lynkrc.ir.table import Slot, SlotType, StringClass

_MOST = 6


def words_of(domain: Domain, point: Point) -> str:
    """The values that are not at rest, the first few of many; "nothing special" for none."""
    rest = at_rest(domain)
    told = [
        _told(slot, value)
        for slot, value, usual in zip(domain.slots, point, rest, strict=True)
        if value != usual
    ]
    if len(told) > _MOST:
        told = [*told[:_MOST], f"{len(told) - _MOST} more"]
    if len(told) < 2:
        return told[0] if told else "nothing special"
    return f"{', '.join(told[:-1])} and {told[-1]}"


def _told(slot: Slot, value: int) -> str:
    match slot.type:
        case SlotType.BOOL:
            return f"`{slot.text}`" if value else f"`not {slot.text}`"
        case SlotType.FIXED:
            return f"`{slot.text} == {value / 64:g}`"
        case SlotType.CLASS:
            return _class(slot, slot.classes[value])
        case _:
            return f"`{slot.text} == {value}`"


def _class(slot: Slot, one: StringClass) -> str:
    if one.kind == "other":
        return f"some other `{slot.text}`"
    if one.kind == "absent":
        return f"`{slot.text} == absent`"
    if one.kind == "prefix":
        return f'`{slot.text} starts_with "{one.text}"`'
    return f'`{slot.text} == "{one.text}"`'
