"""A parsed pattern to a text it matches, short and always the same.

>>> from lynkrc.source.text import SourceFile, Span
>>> from lynkrc.syntax.pattern_parse import parse_pattern
>>> span = Span(file=SourceFile(path="-", text=""), start=0, end=0)
>>> pattern, _ = parse_pattern("(big|large) file*", span, None)
>>> example(pattern)
'big file'
"""

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
from lynkrc_runtime.scan.edges import as_written

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_ -.,;:!?"


def example(pattern: Pattern) -> str:
    """A text in which the entry occurs, from edge to edge."""
    return as_written(_example(pattern.root))


def _example(node: PatternNode) -> str:
    match node:
        case Literal(text=text):
            return text
        case Gap():
            return " "
        case CharClass(ranges=ranges, negated=negated):
            if not negated:
                return chr(ranges[0][0])
            outside = (
                char
                for char in _LETTERS
                if not any(low <= ord(char) <= high for low, high in ranges)
            )
            return next(outside, "\u4e00")
        case Sequence(items=items):
            return "".join(map(_example, items))
        case Alternation(options=options):
            return _example(options[0])
        case Repeat(item=item, low=low):
            return _example(item) * low
        case _:
            assert_never(node)
