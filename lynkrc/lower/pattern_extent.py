"""Entries to whether their automaton is surely far below its limits, without building it.

The states multiply where many ways through the entries are open at once: with ``~``, which starts
anywhere; with classes that run across words; with a ``*`` that something follows; where an entry
that chooses often may begin again within itself; where a ``*`` is met by many beginnings of its
word. Tame entries start at word edges and have hardly any of these, so that what was read decides
which ways are open, and the states grow with the entries' length. Whatever is not tame is built,
and so counted.
"""

import re
from collections.abc import Iterable
from typing import assert_never

from lynkrc.lower.pattern_nfa import WORD_BYTES
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
from lynkrc.syntax.pattern_edges import IS_OTHER, kinds_at, within_word
from lynkrc.syntax.pattern_shape import is_word_only
from lynkrc_runtime.scan.edges import begins_alone

MOST_LENGTH = 20_000
"""Greatest length of tame entries together: bytes of their texts, a blank counting 8."""

MOST_PLAIN_CELLS = 5_000_000
"""Most cells of the table of plain words, which is what 16 MB hold."""

MOST_PLAIN_STATES = 160_000
"""Most states of that table, which are made of few enough nodes: a blank is 8 of them, and 10."""

MOST_INNER_STARS = 12
"""Most repetitions without an end that something follows."""

MOST_CHOICES = 10
"""Most choices that a match of one entry makes: what is open may be any set of them."""

MOST_BESIDE_TAILS = 500_000
"""Greatest length of tame entries times those that end with several words and a ``*``: each of
these may be open beside every beginning of the word, which few begin alike."""

_BLANKS = 8
_OTHER_CLASSES = 5  # of bytes that no entry has: of words, three, of none, and of blanks
_BLANK = re.compile(r"[\s-]", re.ASCII)  # what a blank of an entry matches


def is_tame(patterns: Iterable[Pattern]) -> bool:
    """Whether the automaton of the entries cannot come near its limits.

    >>> from lynkrc.source.text import SourceFile, Span
    >>> from lynkrc.syntax.pattern_parse import parse_pattern
    >>> span = Span(file=SourceFile(path="-", text=""), start=0, end=0)
    >>> [is_tame([parse_pattern(text, span, None)[0]]) for text in ("plan* (a|b)", "~plan*")]
    [True, False]
    """
    patterns = list(patterns)
    cells = plain_cells(patterns)
    if cells is not None and cells <= MOST_PLAIN_CELLS:
        return True
    length = stars = tails = 0
    for pattern in patterns:
        if not pattern.bounded or not _stays_in_words(pattern.root):
            return False
        length += _length(pattern.root)
        stars += _inner_stars(pattern.root, is_last=True)
        tails += _tails(pattern.root)
        if length > MOST_LENGTH or stars > MOST_INNER_STARS:
            return False
        if _choices(pattern.root, is_last=True) > MOST_CHOICES:
            return False
    return length * tails <= MOST_BESIDE_TAILS


def plain_cells(patterns: Iterable[Pattern]) -> int | None:
    """Cells that the table has at most, if all entries are words with blanks between, and few.

    What was read last decides all that is open then: the longest beginning of an entry that the
    text ends with. So there is a state for each beginning of an entry, and for each byte that may
    confirm one and begin another.
    """
    written: set[str] = set()
    entries = 0
    for pattern in patterns:
        root = pattern.root
        text = "" if pattern.bounded else "~"
        for item in root.items if isinstance(root, Sequence) else (root,):
            match item:
                case Literal(text=literal) if not _BLANK.search(literal):
                    text += literal
                case Gap():
                    text += _BLANKS * " "
                case _:
                    return None
        written.add(text)
        entries += 1
    read = set("".join(written).encode())
    between = sum(begins_alone(byte) or not WORD_BYTES >> byte & 1 for byte in read)
    beginnings = 0
    before = b""
    for text in sorted(written):
        data = text.encode()
        beginnings += len(data) - _shared(before, data)
        before = data
    states = 2 + beginnings + entries * (2 + between)
    return states * (len(read) + _OTHER_CLASSES) if states <= MOST_PLAIN_STATES else None


def _shared(one: bytes, other: bytes) -> int:
    """How many bytes both begin with."""
    for length, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return length
    return min(len(one), len(other))


def _stays_in_words(node: PatternNode) -> bool:
    """Whether every class matches nothing but characters that one word may have several of."""
    match node:
        case CharClass():
            return is_word_only(node) and kinds_at(node, 0) == IS_OTHER
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


def _choices(node: PatternNode, *, is_last: bool) -> int:
    """How often a match may go on in several ways, and does not end so."""
    match node:
        case Literal() | Gap():
            return 0
        case CharClass():
            return 0 if is_last else 1
        case Repeat(item=CharClass()) if is_last:
            return 0
        case Repeat(item=item, high=high):
            within = _choices(item, is_last=is_last and high == 1)
            return (1 + within) * (1 if high is None else high)
        case Alternation(options=options):
            return 1 + max(_choices(option, is_last=is_last) for option in options)
        case Sequence(items=items):
            last = len(items) - 1
            return sum(
                _choices(item, is_last=is_last and i == last) for i, item in enumerate(items)
            )
        case _:
            assert_never(node)


def _tails(node: PatternNode) -> int:
    """How many repetitions end a match of several words: what stands before them is remembered.

    Of one word, it is what the word begins with.
    """
    if isinstance(node, Alternation):
        return sum(map(_tails, node.options))
    if is_word_only(node) and within_word(node) is not None:
        return 0
    return _last_stars(node)


def _last_stars(node: PatternNode) -> int:
    match node:
        case Literal() | Gap() | CharClass():
            return 0
        case Repeat(item=item, high=high):
            return _last_stars(item) if high == 1 else 1
        case Alternation(options=options):
            return sum(map(_last_stars, options))
        case Sequence(items=items):
            return _last_stars(items[-1])
        case _:
            assert_never(node)
