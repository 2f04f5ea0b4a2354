"""Entries in scripts without blanks to the finding that their word edges are hardly ever there.

A match keeps to word edges unless its entry begins with ``~``. Chinese, Japanese, Thai, Lao, Khmer
and Burmese are written without blanks between words: such an entry would be found only where
punctuation or the ends of the text stand on both sides.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import assert_never

from lynkrc.diagnostics.model import Diagnostic, Edit, Fix
from lynkrc.diagnostics.sema_codes import EDGES_IN_SCRIPT
from lynkrc.sema.merge import Spec
from lynkrc.source.fixes import fix_of
from lynkrc.source.text import Span
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
from lynkrc.syntax.pattern_shape import WORD_RANGES, is_nullable

_BLOCKS = (
    (0x0E01, 0x0E4E),  # Thai
    (0x0E81, 0x0EDF),  # Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17DD),  # Khmer
    (0x3005, 0x3007),  # Han: repetition, closing mark, zero
    (0x3021, 0x3029),  # Hangzhou numerals
    (0x3041, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),  # Katakana, small letters
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xA9E0, 0xA9FE),  # Myanmar
    (0xAA60, 0xAA7F),
    (0xF900, 0xFAFF),  # Han
    (0xFF66, 0xFF9F),  # Katakana, half as wide
    (0x1AFF0, 0x1B16F),  # Kana
    (0x20000, 0x323AF),  # Han
)
_STARTS = [first for first, _ in _BLOCKS]


def check_scripts(spec: Spec) -> Iterable[Diagnostic]:
    """Entries of the document's own lexicons that keep to word edges where there are none."""
    for one in spec.lexicons:
        if not one.origin:
            for entry in one.item.entries:
                if entry.pattern.bounded:
                    yield from _of(entry.pattern)


def _of(pattern: Pattern) -> Iterator[Diagnostic]:
    root = pattern.root
    if pattern.text.isascii():
        return
    options = root.options if isinstance(root, Alternation) else (root,)
    lost = [one for one in options if _is_at(one, -1) and _is_at(one, 0)]
    if lost:
        is_whole = len(lost) == len(options)
        yield Diagnostic(
            code=EDGES_IN_SCRIPT,
            message="this is found only between blanks or punctuation, which its script hardly has"
            if is_whole
            else "alternatives of this are found only between blanks or punctuation, which their "
            "script hardly has",
            span=pattern.span,
            help="write `~` before the entry: it is found inside of sentences then"
            if is_whole
            else "write them as an entry of their own that begins with `~`",
            fix=_tilde(pattern) if is_whole else None,
        )


def _tilde(pattern: Pattern) -> Fix | None:
    """The fix that puts ``~`` before the entry; None where the file spells it otherwise."""
    span = pattern.span
    if span.file.path.endswith(".tsv"):
        return None
    quotes = 0 if span.text == pattern.text else 1
    if span.text[quotes : len(span.text) - quotes] != pattern.text:
        return None
    at = span.start + quotes
    start = Span(file=span.file, start=at, end=at)
    return fix_of(Edit(span=start, text="~"), "write `~` before the entry", safe=True)


def _is_at(node: PatternNode, edge: int) -> bool:
    """Whether every match of the node begins (`edge` 0) or ends (-1) in such a script.

    Behind a match, the rest of the word counts as what it follows.
    """
    match node:
        case Literal(text=text):
            return not text or _is_within(ord(text[edge]), ord(text[edge]))
        case Gap():
            return False
        case CharClass(ranges=ranges, negated=negated):
            return not negated and all(_is_within(low, high) for low, high in ranges)
        case Sequence(items=items):
            for item in items if edge == 0 else reversed(items):
                if not _is_at(item, edge):
                    return False
                if not is_nullable(item):
                    return True
            return True
        case Alternation(options=options):
            return all(_is_at(option, edge) for option in options)
        case Repeat(item=item, high=high):
            is_rest = edge == -1 and high is None and item == CharClass(ranges=WORD_RANGES)
            return is_rest or _is_at(item, edge)
        case _:
            assert_never(node)


def _is_within(low: int, high: int) -> bool:
    """Whether the characters lie in one of the blocks."""
    block = bisect_right(_STARTS, low) - 1
    return block >= 0 and high <= _BLOCKS[block][1]
