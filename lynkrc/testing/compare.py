"""A point and the values a request has, to the differences, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.ir.assertion import is_beside
from lynkrc.ir.domain import Domain, Point
from lynkrc.ir.table import Slot, SlotType
from lynkrc.testing.wanted import SESSION_STATE
from lynkrc_runtime.feature_table import FIXED_UNIT


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A variable whose value is not that of the point; `got` is None where nothing could tell."""

    slot: Slot
    wanted: int
    got: int | None


def differences(domain: Domain, point: Point, values: Sequence[int | None]) -> list[Difference]:
    """The variables that differ, but for those that stand beside the request."""
    return [
        Difference(slot=variable.slot, wanted=wanted, got=got)
        for variable, wanted, got in zip(domain.variables, point, values, strict=True)
        if wanted != got and not is_beside(variable.slot)
    ]


def shown_difference(one: Difference) -> str:
    """The difference as people read it.

    >>> from lynkrc.ir.guard import SlotId
    >>> words = Slot(
    ...     id=SlotId(0), feature="ask.words", args=(), type=SlotType.INT, low=0, high=9
    ... )
    >>> shown_difference(Difference(slot=words, wanted=3, got=4))
    'ask.words (wanted 3, got 4)'
    """
    if one.slot.feature in SESSION_STATE and not one.got:
        return f"session state: {one.slot.text} (wanted {shown_value(one.slot, one.wanted)})"
    if one.got is None:
        return f"{one.slot.text} (its lexicon is not one of this policy)"
    wanted, got = shown_value(one.slot, one.wanted), shown_value(one.slot, one.got)
    return f"{one.slot.text} (wanted {wanted}, got {got})"


def shown_value(slot: Slot, value: int) -> str:
    """A value of the vector as it is written in the language; classes by what is of them."""
    if slot.classes:
        chosen = slot.classes[value]
        return {"prefix": f'"{chosen.text}*"', "literal": f'"{chosen.text}"'}.get(
            chosen.kind, chosen.text or chosen.kind
        )
    match slot.type:
        case SlotType.BOOL:
            return "true" if value else "false"
        case SlotType.FIXED:
            return str(value / FIXED_UNIT).removesuffix(".0")
        case _:
            return str(value)
