"""The calls of a turn that wait for their results: which one a result answers.

Some local models repeat an id within a turn, and writers number the later ones (wire reference
C.1.5): their results still bear the repeated id, and answer the calls in order.

>>> calls = OpenCalls(["a", "b", "a__2"])
>>> calls.take("a"), calls.take("a"), calls.take("a"), calls.left
('a', 'a__2', None, ['b'])
"""

from collections import deque
from collections.abc import Iterable
from typing import final

_MARK = "__"


@final
class OpenCalls:
    """Every result is matched in the same time, however many calls there are."""

    __slots__ = ("_open", "_renamed")

    def __init__(self, ids: Iterable[str]) -> None:
        self._open = dict.fromkeys(ids)
        self._renamed: dict[str, deque[str]] | None = None
        """Ids that end in a number, by what stands before it; made when one is looked for."""

    @property
    def left(self) -> list[str]:
        """Ids of the calls without a result, in order."""
        return list(self._open)

    def take(self, given: str, limit: int | None = None) -> str | None:
        """The id of the call that a result with the id `given` answers; it is open no longer.

        `limit` is how many characters of an id were kept before its number.
        """
        if given in self._open:
            del self._open[given]
            return given
        if self._renamed is None:
            self._renamed = {}
            for name in self._open:
                head, mark, number = name.rpartition(_MARK)
                if mark and number.isdecimal():
                    self._renamed.setdefault(head, deque()).append(name)
        waiting = self._renamed.get(given[:limit])
        while waiting:
            name = waiting.popleft()
            if name in self._open:
                del self._open[name]
                return name
        return None
