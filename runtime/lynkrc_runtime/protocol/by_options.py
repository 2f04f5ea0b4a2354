"""What a client's options come to at a target, worked out once for both.

Requests whose bodies have one outline share their options (`outlines`), and a target keeps its
facts. So the two objects themselves are the key: no other request can have the one, nor another
target the other, as long as both are kept beside what was worked out. So many are, the first goes
first. The options of a request without a known body are its own, and so are the facts of a target
that goes without reasoning: nothing is kept of them, which would only drive out what comes again.
"""

from typing import Final, Generic, TypeVar, final

from lynkrc_runtime.protocol.conversation import Options, Request
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

    def get(self, request: Request, facts: TargetFacts) -> _T | None:
        """What was kept for its options and the target."""
        kept = self._kept.get((id(request.options), id(facts)))
        return None if kept is None else kept[2]

    def keep(self, request: Request, facts: TargetFacts, made: _T) -> None:
        """This was worked out of the request's options and the target's facts."""
        if request.body is None or facts.without_thinking:
            return
        options = request.options
        if len(self._kept) >= MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[id(options), id(facts)] = (options, facts, made)
