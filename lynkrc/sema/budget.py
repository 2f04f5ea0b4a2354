"""How large expressions are with their named parts written out: counted while they are typed.

What follows on typing writes features out wherever they are used and recurses over the result, so
the size and the depth of that are bounded here, before it is made.
"""

from dataclasses import dataclass
from typing import final

LARGEST_EXPRESSION = 10_000
"""Most nodes of one expression with its named parts written out."""
LARGEST_SPEC = 60_000
"""Most nodes of all guards, requirements (once a target) and dimensions, so written out."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """The nodes and the levels of an expression written out."""

    size: int = 0
    depth: int = 0


@final
@dataclass(slots=True)
class Budget:
    """The expression at hand: nodes so far, the level we are on, the deepest level so far.

    >>> budget = Budget()
    >>> budget.enter(); budget.use(Extent(size=5, depth=3)); budget.leave()
    >>> budget.size, budget.deepest
    (6, 4)
    """

    size: int = 0
    level: int = 0
    deepest: int = 0
    _total: int = 0

    def enter(self) -> None:
        """A node begins."""
        self.size += 1
        self.level += 1
        self.deepest = max(self.deepest, self.level)

    def leave(self) -> None:
        """It ends."""
        self.level -= 1

    def use(self, part: Extent) -> None:
        """A named part stands in the place of the node."""
        self.size += part.size
        self.deepest = max(self.deepest, self.level + part.depth)

    def begin_part(self) -> tuple[int, int]:
        """A named part is typed first; what `end_part` needs to come back."""
        outer = self.size, self.deepest
        self.size, self.deepest = 0, self.level
        return outer

    def end_part(self, outer: tuple[int, int]) -> Extent:
        """The extent of the part."""
        part = Extent(size=self.size, depth=self.deepest - self.level)
        self.size, self.deepest = outer
        return part

    def spend(self, times: int) -> bool | None:
        """Count the expression at hand `times` over and forget it: True while all of them fit
        `LARGEST_SPEC`, False for the first that does not, None after it."""
        before, self._total = self._total, self._total + self.size * times
        self.size = self.deepest = 0
        if self._total <= LARGEST_SPEC:
            return True
        return False if before <= LARGEST_SPEC else None
