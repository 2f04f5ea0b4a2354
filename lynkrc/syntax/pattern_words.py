"""The plain form of an entry, ``good (morning|evening)`` or ``verif*``, to a tree.

Lowest to highest: ``|``, one after another, ``?`` after a word character or a group. A ``*``
ends a word and stands for the rest of it; a run of blanks is one Gap; ``\\`` makes the
punctuation after it a plain character.
"""

from lynkrc.diagnostics.pattern_codes import (
    EDGE_BLANK,
    MALFORMED_PATTERN,
    UNBALANCED_BRACKET,
)
from lynkrc.syntax.pattern import (
    Alternation,
    CharClass,
    Gap,
    Literal,
    PatternNode,
    Repeat,
    Sequence,
)
from lynkrc.syntax.pattern_reader import Reader
from lynkrc.syntax.pattern_shape import WORD_RANGES, is_word_only

_REST_OF_WORD = Repeat(item=CharClass(ranges=WORD_RANGES), low=0, high=None)


def read_words(reader: Reader) -> PatternNode:
    """The alternatives up to the end of the entry or the closing bracket of the group."""
    options = [_sequence(reader)]
    while reader.peek() == "|":
        reader.take()
        options.append(_sequence(reader))
    if reader.peek() == ")" and reader.depth == 0:
        reader.fail(
            UNBALANCED_BRACKET,
            reader.pos,
            reader.pos + 1,
            "this bracket was never opened",
            "remove it, or write `\\)` for the character itself",
        )
    return options[0] if len(options) == 1 else Alternation(options=tuple(options))


def join(items: list[PatternNode]) -> PatternNode:
    """The items as one node, neighbouring literals merged."""
    merged: list[PatternNode] = []
    for item in items:
        if isinstance(item, Literal) and merged and isinstance(merged[-1], Literal):
            merged[-1] = Literal(text=merged[-1].text + item.text)
        else:
            merged.append(item)
    return merged[0] if len(merged) == 1 else Sequence(items=tuple(merged))


def _sequence(reader: Reader) -> PatternNode:
    items: list[PatternNode] = []
    while not reader.at_end and reader.peek() not in ("|", ")"):
        items.append(_item(reader, items[-1] if items else None))
    if not items:
        reader.fail(
            MALFORMED_PATTERN,
            reader.pos,
            reader.pos + len(reader.peek()),
            "an alternative is empty",
            "remove the `|`, or make the group optional with `(...)?`",
        )
    return join(items)


def _item(reader: Reader, before: PatternNode | None) -> PatternNode:
    start = reader.pos
    char = reader.peek()
    if char.isspace():
        return _gap(reader)
    if char == "*":
        return _rest_of_word(reader, before)
    if char == "(":
        opened = reader.enter()
        node = read_words(reader)
        reader.leave(opened)
        return _optional(reader, node)
    if char == "?":
        reader.fail(
            MALFORMED_PATTERN,
            start,
            start + 1,
            "`?` makes the word character or group before it optional, and there is none",
            "write `\\?` for the character itself",
        )
    if char in "[]{}":
        reader.fail(
            MALFORMED_PATTERN,
            start,
            start + 1,
            f"`{char}` belongs to regular expressions",
            f"write the entry between slashes, `/.../`, or `\\{char}` for the character itself",
        )
    reader.take()
    if char == "\\":
        return _escaped(reader, start)
    literal = reader.literal(char, start)
    return _optional(reader, literal) if is_word_only(literal) else literal


def _optional(reader: Reader, node: PatternNode) -> PatternNode:
    if reader.peek() != "?":
        return node
    reader.take()
    return Repeat(item=node, low=0, high=1)


def _escaped(reader: Reader, start: int) -> Literal:
    char = reader.take()
    if not char or char.isalnum() or char.isspace() or not char.isascii():
        reader.fail(
            MALFORMED_PATTERN,
            start,
            reader.pos,
            f"`\\{char}` is no escape here",
            "only punctuation is escaped; classes like `\\d` need a regular expression, `/.../`",
        )
    return reader.literal(char, start)


def _rest_of_word(reader: Reader, before: PatternNode | None) -> PatternNode:
    start = reader.pos
    reader.take()
    after = reader.peek()
    follows_word = isinstance(before, Literal) and is_word_only(before)
    if not follows_word or after == "_" or after.isalnum() or after in ("*", "?", "("):
        reader.fail(
            MALFORMED_PATTERN,
            start,
            start + 1,
            "`*` stands for the rest of a word, so it ends a word",
            "put it behind the last letter of a word, or write `\\*` for the character itself",
        )
    return _REST_OF_WORD


def _gap(reader: Reader) -> Gap:
    start = reader.pos
    while reader.peek().isspace():
        reader.take()
    at_edge = start == 0 or reader.text[start - 1] in "|~" or reader.peek() in ("", "|")
    if at_edge and reader.depth == 0:
        reader.find(
            EDGE_BLANK,
            start,
            reader.pos,
            "this blank separates nothing, but would have to match",
            "remove it",
        )
    return Gap()
