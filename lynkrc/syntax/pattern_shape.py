"""What can be said of a pattern tree without matching: can it be empty, how long, which characters.

>>> is_nullable(Repeat(item=Literal(text="a"), low=0, high=1))
True
"""

from typing import TypeAlias, assert_never

from lynkrc.syntax.pattern import (
    Alternation,
    CharClass,
    Gap,
    Literal,
    PatternNode,
    Repeat,
    Sequence,
)

GAP_MAX = 8
"""A blank is 1 to 8 white-space characters or hyphens."""

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""Inclusive ranges of code points."""

LAST = 0x10FFFF
WORD_RANGES: Ranges = (
    (0x30, 0x39),
    (0x5F, 0x5F),
    (0x61, 0x7A),
    (0x80, LAST),
)
"""Word characters of folded text."""


def is_nullable(node: PatternNode) -> bool:
    """Whether the empty string matches."""
    match node:
        case Literal(text=text):
            return not text
        case Gap() | CharClass():
            return False
        case Sequence(items=items):
            return all(is_nullable(item) for item in items)
        case Alternation(options=options):
            return any(is_nullable(option) for option in options)
        case Repeat(item=item, low=low):
            return low == 0 or is_nullable(item)
        case _:
            assert_never(node)


def longest(node: PatternNode) -> int:
    """Most bytes a match can have, not counting what unbounded word runs add."""
    match node:
        case Literal(text=text):
            return len(text.encode())
        case Gap():
            return GAP_MAX
        case CharClass(ranges=ranges, negated=negated):
            top = LAST if negated else max((high for _, high in ranges), default=0)
            return len(chr(top).encode())
        case Sequence(items=items):
            return sum(longest(item) for item in items)
        case Alternation(options=options):
            return max(longest(option) for option in options)
        case Repeat(item=item, low=low, high=high):
            return longest(item) * (low if high is None else high)
        case _:
            assert_never(node)


def is_word_only(node: PatternNode) -> bool:
    """Whether every match consists of word characters."""
    match node:
        case Literal(text=text):
            return all(_is_word(ord(char)) for char in text)
        case Gap():
            return False
        case CharClass(ranges=ranges, negated=negated):
            if negated:
                return all(
                    any(low <= code <= high for low, high in ranges)
                    for code in range(1, 0x80)
                    if not _is_word(code) and not 0x41 <= code <= 0x5A
                )
            return all(_is_word_range(low, high) for low, high in ranges)
        case Sequence(items=items):
            return all(is_word_only(item) for item in items)
        case Alternation(options=options):
            return all(is_word_only(option) for option in options)
        case Repeat(item=item):
            return is_word_only(item)
        case _:
            assert_never(node)


def _is_word(code: int) -> bool:
    return any(low <= code <= high for low, high in WORD_RANGES)


def _is_word_range(low: int, high: int) -> bool:
    return any(first <= low and high <= last for first, last in WORD_RANGES)


def merged(ranges: list[tuple[int, int]]) -> Ranges:
    """The same code points in sorted, disjoint ranges."""
    result: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if result and low <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return tuple(result)


def complement(ranges: Ranges) -> Ranges:
    """The code points from 1 on that are in none of the (sorted, disjoint) ranges."""
    gaps: list[tuple[int, int]] = []
    next_free = 1
    for low, high in ranges:
        if low > next_free:
            gaps.append((next_free, low - 1))
        next_free = high + 1
    if next_free <= 0x10FFFF:
        gaps.append((next_free, 0x10FFFF))
    return tuple(gaps)


def common(one: Ranges, other: Ranges) -> Ranges:
    """The code points that are in both (sorted, disjoint)."""
    found: list[tuple[int, int]] = []
    for low, high in one:
        for first, last in other:
            if first <= high and low <= last:
                found.append((max(low, first), min(high, last)))
    return tuple(found)
