"""Words for how much to reason: their order, their nearest, and the tokens they stand for.

>>> nearest_effort("max", ["none", "low", "high"]), nearest_effort("minimal", ["none", "low"])
('high', 'low')
>>> effort_of_budget(9000), budget_of_effort("medium")
('medium', 8192)
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""The words, rising (wire reference A.2.1)."""

OFF = "none"
"""The word that turns reasoning off."""

MIN_BUDGET = 1024
"""Thinking tokens: the least a budget may be, and the least we leave for the answer beside it."""

_DEFAULT = "high"
_BUDGETS: Mapping[str, int] = MappingProxyType(
    {
        "minimal": 2048,
        "low": 2048,
        "medium": 8192,
        "high": 16384,
        "xhigh": 32768,
        "max": 32768,
    }
)


def nearest_effort(effort: str, legal: Iterable[str]) -> str | None:
    """The legal word nearest to `effort`; None where none is, or the word is unknown.

    A lower one first, but `none` only for itself: it turns reasoning off.
    """
    words = tuple(legal)
    if effort in words:
        return effort
    if effort not in EFFORTS:
        return None
    wanted = EFFORTS.index(effort)
    known = sorted(EFFORTS.index(word) for word in words if word in EFFORTS and word != OFF)
    lower = [rank for rank in known if rank <= wanted]
    if lower:
        return EFFORTS[lower[-1]]
    return EFFORTS[known[0]] if known else None


def effort_of_budget(budget: int) -> str:
    """The word a thinking budget in tokens stands for (wire reference C.1.7)."""
    for limit, effort in ((8192, "low"), (16384, "medium"), (32768, "high")):
        if budget < limit:
            return effort
    return "xhigh"


def budget_of_effort(effort: str | None) -> int:
    """The thinking budget a word stands for, in tokens; an unknown word or none: the usual one."""
    return _BUDGETS.get(effort or _DEFAULT, _BUDGETS[_DEFAULT])
