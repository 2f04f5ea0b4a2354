"""What a point has that no request carries, to what a test says beside its request."""

from collections.abc import Iterable, Mapping
from typing import Any

from lynkrc.ir.domain import Domain, Point
from lynkrc.ir.table import Slot
from lynkrc.testing.strings import value_of
from lynkrc.testing.wanted import StringWish

_BUDGET = "budget.used_pct"


def beside_of(domain: Domain, point: Point, places: Iterable[int]) -> Mapping[str, Any]:
    """The variables at `places` by the keys of a case: ``key``, ``session``, ``budget_used_pct``.

    An absent value has no words: it is so where nothing is said.
    """
    found: dict[str, Any] = {}
    for place in places:
        slot = domain.slots[place]
        value = _value(slot, point[place])
        if value is None:
            continue
        section, _, name = slot.feature.partition(".")
        if slot.feature == _BUDGET:
            found["budget_used_pct"] = value
        else:
            found.setdefault(section, {})[name] = value
    return found


def _value(slot: Slot, value: int) -> str | int | None:
    if not slot.classes:
        return value
    chosen = slot.classes[value]
    if chosen.kind == "member":
        return chosen.text
    return value_of(StringWish(classes=slot.classes, wanted=value))
