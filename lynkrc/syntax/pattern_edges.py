"""Pattern trees to what stands at the edges of their matches: characters that are words, or not.

A word edge lies on both sides of a character that is a word by itself (`scan.edges`), whatever is
beside it. So a match that begins or ends with one needs no edge of its neighbour's there.

>>> model = Literal(text="gpt模型")
>>> kinds_at(model, 0) == IS_OTHER, kinds_at(model, -1) == IS_ALONE
(True, True)
"""

from functools import reduce
from operator import or_
from typing import assert_never

from lynkrc.syntax.pattern import (
    Alternation,
    CharClass,
    Gap,
    Literal,
    PatternNode,
    Repeat,
    Sequence,
)
from lynkrc.syntax.pattern_shape import WORD_RANGES, Ranges, common, complement, is_nullable
from lynkrc_runtime.scan.edges import ALONE, is_alone

OTHERS: Ranges = complement(ALONE)
"""Characters that are no words by themselves."""
ORDINARY = CharClass(ranges=common(WORD_RANGES, OTHERS))
"""A word character that is none by itself: what unbounded repetitions repeat."""

IS_ALONE = 1
IS_OTHER = 2


def kinds_at(node: PatternNode, edge: int) -> int:
    """What the first (`edge` 0) or last (-1) character of a match may be: bits `IS_ALONE`, a word
    by itself, and `IS_OTHER`."""
    match node:
        case Literal(text=text):
            return 0 if not text else IS_ALONE if is_alone(ord(text[edge])) else IS_OTHER
        case Gap():
            return IS_OTHER
        case CharClass():
            listed = _listed(node)
            return IS_ALONE * bool(common(listed, ALONE)) | IS_OTHER * bool(common(listed, OTHERS))
        case Sequence(items=items):
            kinds = 0
            for item in items if edge == 0 else reversed(items):
                kinds |= kinds_at(item, edge)
                if not is_nullable(item):
                    break
            return kinds
        case Alternation(options=options):
            return reduce(or_, (kinds_at(option, edge) for option in options))
        case Repeat(item=item):
            return kinds_at(item, edge)
        case _:
            assert_never(node)


def only_with(node: PatternNode, edge: int, ranges: Ranges) -> PatternNode | None:
    """The node with only those matches whose first (`edge` 0) or last (-1) character lies in the
    ranges; None where there are none. The empty match is none of them."""
    match node:
        case Literal(text=text):
            inside = text and any(low <= ord(text[edge]) <= high for low, high in ranges)
            return node if inside else None
        case Gap():
            return node if common(((0x20, 0x20),), ranges) else None
        case CharClass():
            both = common(_listed(node), ranges)
            return CharClass(ranges=both) if both else None
        case Sequence(items=items):
            ways = []
            count = len(items)
            for at in range(count) if edge == 0 else range(count - 1, -1, -1):
                kept = only_with(items[at], edge, ranges)
                if kept is not None:
                    parts = (kept, *items[at + 1 :]) if edge == 0 else (*items[:at], kept)
                    ways.append(parts[0] if len(parts) == 1 else Sequence(items=parts))
                if not is_nullable(items[at]):
                    break
            return _any_of(ways)
        case Alternation(options=options):
            return _any_of(
                [kept for one in options if (kept := only_with(one, edge, ranges)) is not None]
            )
        case Repeat(item=item, low=low, high=high):
            kept = only_with(item, edge, ranges)
            if kept is None or high == 1:
                return kept
            rest = Repeat(item=item, low=max(low - 1, 0), high=None if high is None else high - 1)
            return Sequence(items=(kept, rest) if edge == 0 else (rest, kept))
        case _:
            assert_never(node)


def _any_of(ways: list[PatternNode]) -> PatternNode | None:
    if len(ways) < 2:
        return ways[0] if ways else None
    return Alternation(options=tuple(ways))


def within_word(node: PatternNode) -> PatternNode | None:
    """The node, of word characters, without those that are words by themselves.

    None where it names some of them: then it is meant for them.
    """
    match node:
        case Literal(text=text):
            return None if any(is_alone(ord(char)) for char in text) else node
        case Gap():
            return node
        case CharClass(ranges=ranges, negated=negated):
            if not negated and any(is_alone(end) for one in ranges for end in one):
                return None
            others = common(_listed(node), OTHERS)
            return CharClass(ranges=others) if others else None
        case Sequence(items=items):
            parts = [kept for item in items if (kept := within_word(item)) is not None]
            return Sequence(items=tuple(parts)) if len(parts) == len(items) else None
        case Alternation(options=options):
            parts = [kept for option in options if (kept := within_word(option)) is not None]
            return Alternation(options=tuple(parts)) if len(parts) == len(options) else None
        case Repeat(item=item, low=low, high=high):
            kept_item = within_word(item)
            return None if kept_item is None else Repeat(item=kept_item, low=low, high=high)
        case _:
            assert_never(node)


def _listed(node: CharClass) -> Ranges:
    return complement(node.ranges) if node.negated else node.ranges
