"""What a client's options come to at a target, worked out once for both.

Requests whose bodies have one outline share their options (`outlines`), and a target keeps its
facts. So the two objects themselves are the key: no other request can have the one, nor another
target the other, as long as both are kept beside what was worked out. So many are, the first goes
first.

>>> from lynkrc_runtime.protocol.dialect import ANY_TARGET
>>> known, options = ByOptions[str](), Options()
>>> known.keep(options, ANY_TARGET, "nothing changes")
>>> known.get(options, ANY_TARGET), known.get(Options(), ANY_TARGET)
('nothing changes', None)
"""

from typing import Final, Generic, TypeVar, final

from lynkrc_runtime.protocol.conversation import Options
from lynkrc_runtime.protocol.dialect import TargetFacts

_T = TypeVar("_T")

MOST: Final = 256
"""Pairs that are kept."""


@final
class ByOptions(Generic[_T]):
    """A memory of one writer, of what nothing but these two decides."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], tuple[Options, TargetFacts, _T]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, options: Options, facts: TargetFacts) -> _T | None:
        """What was kept for them."""
        kept = self._kept.get((id(options), id(facts)))
        return None if kept is None else kept[2]

    def keep(self, options: Options, facts: TargetFacts, made: _T) -> None:
        """This was worked out of them."""
        if len(self._kept) >= MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[id(options), id(facts)] = (options, facts, made)
