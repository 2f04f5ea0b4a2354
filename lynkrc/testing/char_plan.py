"""Wished bytes, characters, tokens and percent of a text, to how many characters of each width.

Tokens are a quarter of the bytes, except that Hangul, three bytes wide, weighs less: so both can be
met at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from lynkrc.testing.wanted import Bounds

_TRIES = 200


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What is wished of a text's size; `pct` of its characters are not ASCII."""

    chars: Bounds
    size: Bounds
    tokens: Bounds
    pct: Bounds

    @property
    def is_bound(self) -> bool:
        """Whether anything is wished that a longer or wider text would break or meet."""
        every = (self.chars, self.size, self.tokens, self.pct)
        return any(one.least is not None or one.most is not None for one in every)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CharPlan:
    """How long the text is, and how many of its letters are wider: 2, 3, 3 (Hangul), 4 bytes."""

    chars: int
    two: int = 0
    three: int = 0
    hangul: int = 0
    four: int = 0

    @property
    def wide(self) -> int:
        """Letters that are not ASCII."""
        return self.two + self.three + self.hangul + self.four


def plan_chars(size: Size, least: int, room: int, ideographs: int, most: int) -> CharPlan | None:
    """The shortest plan of at least `least` characters, `ideographs` of them Han already.

    `room` of the least characters may be made wide, and all that are added. At most `most`
    characters; None where nothing found fits.
    """
    for chars in _lengths(size, least, most):
        for wide in _wide(size, chars, room + chars - least, ideographs):
            plan = _widths(size, chars, wide, ideographs)
            if plan is not None:
                return plan
    return None


def _lengths(size: Size, least: int, most: int) -> Iterator[int]:
    starts = [least]
    if size.chars.least is not None:
        starts.append(size.chars.least)
    if size.size.least is not None:
        starts.append(-(-size.size.least // 4))
    end = most if size.chars.most is None else min(most, size.chars.most)
    first = max(starts)
    # All ASCII where that will do, else the longest text, which needs the fewest wide letters.
    wished = [first]
    if size.size.least is not None:
        wished += range(size.size.least, max(first, size.size.least - _TRIES) - 1, -1)
    if size.tokens.least is not None:
        wished += range(4 * size.tokens.least, max(first, 4 * size.tokens.least - 8) - 1, -1)
    wished += range(first, first + _TRIES)
    seen = set()
    for chars in wished:
        if first <= chars <= end and chars not in seen:
            seen.add(chars)
            yield chars


def _wide(size: Size, chars: int, room: int, ideographs: int) -> Iterator[int]:
    pct = size.pct
    low = -(-chars * pct.least // 100) if pct.least else 0
    high = chars if pct.most is None else (chars * (pct.most + 1) - 1) // 100
    low, high = max(low - ideographs, 0), min(high - ideographs, room)
    extra = None if size.size.least is None else size.size.least - chars - 2 * ideographs
    if extra is not None:
        low = max(low, -(-extra // 3))
        high = min(high, extra) if size.size.most is not None else high
    yield from range(low, min(high, low + _TRIES) + 1)


def _widths(size: Size, chars: int, wide: int, ideographs: int) -> CharPlan | None:
    """`wide` letters that give the bytes and the tokens."""
    for hangul in range(min(wide, _TRIES) + 1):
        rest = wide - hangul
        base = chars + 2 * ideographs + 2 * hangul
        extra = rest if size.size.least is None else max(rest, size.size.least - base)
        if extra > 3 * rest:
            continue
        total = base + extra
        tokens = -(-(5 * total - 3 * (hangul + ideographs)) // 20)
        if not size.size.allows(total) or not size.tokens.allows(tokens):
            continue
        four = max(0, extra - 2 * rest)
        three = extra - rest - 2 * four
        return CharPlan(chars=chars, two=rest - three - four, three=three, hangul=hangul, four=four)
    return None
