"""The regular subset between slashes, ``/v\\d{1,3}(\\.\\d{1,3})?/``, to a tree.

Classes, ``.``, the escapes ``\\w \\d \\s`` and their negations, groups, alternation, ``{m,n}``,
``?``; ``*``, ``+`` and ``{m,}`` over word characters only. The text is folded before it is
matched, so classes are folded too.
"""

from lynkrc.diagnostics.pattern_codes import (
    MALFORMED_PATTERN,
    NOT_REGULAR,
    UNBALANCED_BRACKET,
    UNBOUNDED_REPETITION,
)
from lynkrc.syntax.pattern import Alternation, CharClass, PatternNode, Repeat
from lynkrc.syntax.pattern_class import SHORTHANDS, escaped_char, read_class, refuse_anchor
from lynkrc.syntax.pattern_reader import Reader
from lynkrc.syntax.pattern_shape import is_word_only
from lynkrc.syntax.pattern_words import join

_ANY = CharClass(ranges=((0x0A, 0x0A),), negated=True)
_MOST = 256


def read_regex(reader: Reader) -> PatternNode:
    """The alternatives up to the end of the expression or the closing bracket of the group."""
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


def _sequence(reader: Reader) -> PatternNode:
    items: list[PatternNode] = []
    while not reader.at_end and reader.peek() not in ("|", ")"):
        start = reader.pos
        items.append(_quantified(reader, _atom(reader), start))
    if not items:
        reader.fail(
            MALFORMED_PATTERN,
            reader.pos,
            reader.pos + len(reader.peek()),
            "an alternative is empty",
            "remove the `|`, or make the group optional with `(...)?`",
        )
    return join(items)


def _atom(reader: Reader) -> PatternNode:
    start = reader.pos
    char = reader.peek()
    if char == "(":
        return _group(reader)
    if char == "[":
        return read_class(reader)
    reader.take()
    match char:
        case "\\":
            return _escape(reader, start)
        case ".":
            return _ANY
        case "^" | "$":
            refuse_anchor(reader, start, char)
        case "?" | "*" | "+" | "{":
            reader.fail(
                MALFORMED_PATTERN,
                start,
                start + 1,
                f"`{char}` repeats what stands before it, and there is nothing",
                f"write `\\{char}` for the character itself",
            )
        case "]" | "}":
            reader.fail(
                UNBALANCED_BRACKET,
                start,
                start + 1,
                "this bracket was never opened",
                f"remove it, or write `\\{char}` for the character itself",
            )
    return reader.literal(char, start)


def _group(reader: Reader) -> PatternNode:
    opened = reader.enter()
    if reader.peek() == "?":
        if reader.peek(2) == "?:":
            reader.take(2)
        else:
            kind = "look-around" if reader.peek(3)[1:] in ("=", "!", "<=", "<!") else "this group"
            if reader.peek(2) in ("?=", "?!"):
                kind = "look-around"
            reader.fail(
                NOT_REGULAR,
                opened,
                min(opened + 4, reader.end),
                f"{kind} is not part of the regular subset",
                "plain groups `(...)` are; case is folded and word edges are checked anyway",
            )
    node = read_regex(reader)
    reader.leave(opened)
    return node


def _escape(reader: Reader, start: int) -> PatternNode:
    char = reader.take()
    if char in SHORTHANDS:
        return SHORTHANDS[char]
    return reader.literal(escaped_char(reader, start, char), start)


def _quantified(reader: Reader, node: PatternNode, start: int) -> PatternNode:
    at = reader.pos
    char = reader.peek()
    if not char or char not in "?*+{":
        return node
    low, high = _counts(reader)
    if reader.peek() and reader.peek() in "?+*{":
        reader.fail(
            NOT_REGULAR,
            at,
            reader.pos + 1,
            "lazy, possessive and doubled repetition have no meaning here",
            "every end of a match is found; one repetition is enough",
        )
    if high is None and not is_word_only(node):
        reader.find(
            UNBOUNDED_REPETITION,
            start,
            reader.pos,
            f"`{reader.text[at : reader.pos]}` repeats more than word characters without a bound",
            f"give it one: `{{{low},8}}`",
        )
    return Repeat(item=node, low=low, high=high)


def _counts(reader: Reader) -> tuple[int, int | None]:
    start = reader.pos
    char = reader.take()
    match char:
        case "?":
            return 0, 1
        case "*":
            return 0, None
        case "+":
            return 1, None
    close = reader.text.find("}", start, reader.end)
    if close < 0:
        reader.fail(
            UNBALANCED_BRACKET,
            start,
            start + 1,
            "this bracket is never closed",
            "write `{m,n}`, or `\\{` for the character itself",
        )
    low, comma, high = reader.text[start + 1 : close].partition(",")
    reader.pos = close + 1
    written = (low, high) if comma and high else (low,)
    if not all(
        part.isascii() and part.isdigit() and len(part) < 5 and int(part) <= _MOST
        for part in written
    ):
        reader.fail(
            MALFORMED_PATTERN,
            start,
            reader.pos,
            f"`{reader.text[start : reader.pos]}` is no repetition",
            f"write `{{m}}` or `{{m,n}}` with numbers up to {_MOST}",
        )
    least = int(low)
    most = (int(high) if high else None) if comma else least
    if most == 0 or (most is not None and most < least):
        reader.fail(
            MALFORMED_PATTERN,
            start,
            reader.pos,
            f"`{reader.text[start : reader.pos]}` can never match",
            "the second number must be at least the first, and at least 1",
        )
    return least, most
