"""Entries to whether their automaton is surely far below its limits, without building it.

The states multiply where many ways through the entries are open at once: with ``~``, which starts
anywhere; with classes that run across words; with a ``*`` that something follows. Tame entries
start at word edges and have hardly any of these, so that what was read decides which ways are
open, and the states grow with the entries' length. Whatever is not tame is built, and so counted.
"""

from collections.abc import Iterable
from typing import assert_never

from lynkrc.syntax.pattern import (
    Alternation,
    CharClass,
    Gap,
    Literal,
    Pattern,
    PatternNode,
    Repeat,
    Sequence,
)
from lynkrc.syntax.pattern_shape import is_word_only

MOST_LENGTH = 20_000
"""Greatest length of tame entries together: bytes of their texts, a blank counting 8."""

MOST_INNER_STARS = 12
"""Most repetitions without an end that something follows."""

_BLANKS = 8


def is_tame(patterns: Iterable[Pattern]) -> bool:
    """Whether the automaton of the entries cannot come near its limits.

    >>> from lynkrc.source.text import SourceFile, Span
    >>> from lynkrc.syntax.pattern_parse import parse_pattern
    >>> span = Span(file=SourceFile(path="-", text=""), start=0, end=0)
    >>> [is_tame([parse_pattern(text, span, None)[0]]) for text in ("plan* (a|b)", "~plan*")]
    [True, False]
    """
    length = stars = 0
    for pattern in patterns:
        if not pattern.bounded or not _stays_in_words(pattern.root):
            return False
        length += _length(pattern.root)
        stars += _inner_stars(pattern.root, is_last=True)
        if length > MOST_LENGTH or stars > MOST_INNER_STARS:
            return False
    return True


def _stays_in_words(node: PatternNode) -> bool:
    """Whether every class matches word characters alone."""
    match node:
        case CharClass():
            return is_word_only(node)
        case Literal() | Gap():
            return True
        case Repeat(item=item):
            return _stays_in_words(item)
        case Alternation(options=parts) | Sequence(items=parts):
            return all(_stays_in_words(part) for part in parts)
        case _:
            assert_never(node)


def _length(node: PatternNode) -> int:
    match node:
        case Literal(text=text):
            return len(text.encode())
        case Gap():
            return _BLANKS
        case CharClass():
            return 1
        case Repeat(item=item, high=high):
            return _length(item) * (1 if high is None else high)
        case Alternation(options=parts) | Sequence(items=parts):
            return sum(_length(part) for part in parts)
        case _:
            assert_never(node)


def _inner_stars(node: PatternNode, *, is_last: bool) -> int:
    match node:
        case Literal() | Gap() | CharClass():
            return 0
        case Repeat(item=item, high=high):
            own = 0 if high is not None or is_last else 1
            return own + _inner_stars(item, is_last=is_last and high == 1)
        case Alternation(options=options):
            return sum(_inner_stars(option, is_last=is_last) for option in options)
        case Sequence(items=items):
            last = len(items) - 1
            return sum(
                _inner_stars(item, is_last=is_last and i == last) for i, item in enumerate(items)
            )
        case _:
            assert_never(node)
