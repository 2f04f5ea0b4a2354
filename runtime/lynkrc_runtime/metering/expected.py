"""Outputs of a key's earlier answers by a target, to what its next one is expected to say.

A reservation of the most an answer may say would refuse most of what a budget has room for.
"""

from collections import OrderedDict, deque
from typing import final

UNKNOWN = 4096
"""Tokens expected of whom little is known."""
NEEDED = 50
"""Answers from which on their 95th percentile is expected."""
_KEPT = 200
_EVERY = 10
"""Answers after which it is worked out anew."""
_PAIRS = 4096


@final
class _Outputs:
    __slots__ = ("_since", "_tokens", "expected")

    def __init__(self) -> None:
        self._tokens: deque[int] = deque(maxlen=_KEPT)
        self._since = 0
        self.expected = UNKNOWN

    def add(self, tokens: int) -> None:
        self._tokens.append(tokens)
        self._since += 1
        if len(self._tokens) >= NEEDED and self._since >= _EVERY:
            self._since = 0
            ordered = sorted(self._tokens)
            self.expected = ordered[-(-len(ordered) * 95 // 100) - 1]


@final
class Expected:
    """What is known of answers: of 4,096 pairs of key and target those seen last, 200 of each."""

    __slots__ = ("_pairs",)

    def __init__(self) -> None:
        self._pairs: OrderedDict[tuple[str, str], _Outputs] = OrderedDict()

    def output(self, key: str, target: str) -> int:
        """Tokens a key's next answer by a target is expected to have."""
        found = self._pairs.get((key, target))
        return UNKNOWN if found is None else found.expected

    def learn(self, key: str, target: str, tokens: int) -> None:
        """An answer came whole and had so many."""
        pair = (key, target)
        found = self._pairs.get(pair)
        if found is None:
            found = self._pairs[pair] = _Outputs()
            if len(self._pairs) > _PAIRS:
                self._pairs.popitem(last=False)
        else:
            self._pairs.move_to_end(pair)
        found.add(tokens)
