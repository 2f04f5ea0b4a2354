"""The tree of the regular subset between slashes, ``/v\\d{1,3}(\\.\\d{1,3})?/``, to a tree.

Classes, ``.``, the escapes ``\\w \\d \\s`` and their negations, groups, alternation, ``{m,n}``,
``?``; ``*``, ``+`` and ``{m,}`` over word characters only. The text is folded before it is
matched, so classes are folded too.
"""

from typing import TYPE_CHECKING

from lynkrc.diagnostics.pattern_codes import (
    MALFORMED_PATTERN,
    UNBOUNDED_REPETITION,
)
from lynkrc.syntax.pattern import Alternation, CharClass, PatternNode, Repeat
from lynkrc.syntax.pattern_class import SHORTHANDS, escaped_char, read_class
from lynkrc.syntax.pattern_edges import within_word
from lynkrc.syntax.pattern_reader import Reader
from lynkrc.syntax.pattern_shape import is_word_only
from lynkrc.syntax.pattern_words import bracket_of, join, subtrees

if TYPE_CHECKING:
    from lark import Token, Tree

_ANY = CharClass(ranges=((0x0A, 0x0A),), negated=True)
_MOST = 256


def build_regex(reader: Reader, tree: "Tree[Token]") -> PatternNode:
    """What the tree of a rule ``regex`` matches."""
    options = [_branch(reader, branch) for branch in subtrees(tree)]
    return options[0] if len(options) == 1 else Alternation(options=tuple(options))


def _branch(reader: Reader, tree: "Tree[Token]") -> PatternNode:
    items: list[PatternNode] = []
    began = reader.pos
    for part in tree.children:
        if not isinstance(part, str):
            began = reader.enter(bracket_of(part))
            items.append(build_regex(reader, *subtrees(part)))
            reader.leave()
        elif part.type == "COUNT":
            items[-1] = _repeated(reader, items[-1], part, began)
        else:
            began = reader.step(part)
            items.append(_atom(reader, part, began))
    return join(items)


def _atom(reader: Reader, written: "Token", start: int) -> PatternNode:
    match written.type:
        case "ANY":
            return _ANY
        case "CLASS":
            return read_class(reader, start)
        case "ESCAPE":
            char = written[1:]
            if char in SHORTHANDS:
                return SHORTHANDS[char]
            return reader.literal(escaped_char(reader, start, char), start)
        case _:
            return reader.literal(written, start)


def _repeated(reader: Reader, node: PatternNode, written: "Token", start: int) -> PatternNode:
    low, high = _counts(reader, written)
    if high is None and not is_word_only(node):
        reader.find(
            UNBOUNDED_REPETITION,
            start,
            reader.pos,
            f"`{written}` repeats more than word characters without a bound",
            f"give it one: `{{{low},8}}`",
        )
    elif high is None:
        kept = within_word(node)
        if kept is None:
            reader.find(
                UNBOUNDED_REPETITION,
                start,
                reader.pos,
                f"`{written}` repeats without a bound what is a word by itself, each one",
                f"give it one: `{{{low},8}}`",
            )
        else:
            node = kept
    return Repeat(item=node, low=low, high=high)


def _counts(reader: Reader, written: "Token") -> tuple[int, int | None]:
    start = reader.step(written)
    match written:
        case "?":
            return 0, 1
        case "*":
            return 0, None
        case "+":
            return 1, None
    low, comma, high = written[1:-1].partition(",")
    numbers = (low, high) if comma and high else (low,)
    if not all(
        part.isascii() and part.isdigit() and len(part) < 5 and int(part) <= _MOST
        for part in numbers
    ):
        reader.fail(
            MALFORMED_PATTERN,
            start,
            reader.pos,
            f"`{written}` is no repetition",
            f"write `{{m}}` or `{{m,n}}` with numbers up to {_MOST}",
        )
    least = int(low)
    most = (int(high) if high else None) if comma else least
    if most == 0 or (most is not None and most < least):
        reader.fail(
            MALFORMED_PATTERN,
            start,
            reader.pos,
            f"`{written}` can never match",
            "the second number must be at least the first, and at least 1",
        )
    return least, most
