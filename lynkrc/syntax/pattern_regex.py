"""The regular subset between slashes, ``/v\\d{1,3}(\\.\\d{1,3})?/``, to a tree.

Classes, ``.``, the escapes ``\\w \\d \\s`` and their negations, groups, alternation, ``{m,n}``,
``?``; ``*``, ``+`` and ``{m,}`` over word characters only. The text is folded before it is
matched, so classes are folded too.
"""

from typing import final

from lynkrc.diagnostics.pattern_codes import (
    MALFORMED_PATTERN,
    NOT_REGULAR,
    UNBALANCED_BRACKET,
    UNBOUNDED_REPETITION,
)
from lynkrc.syntax.pattern import Alternation, CharClass, Literal, PatternNode, Repeat
from lynkrc.syntax.pattern_reader import Reader
from lynkrc.syntax.pattern_shape import WORD_RANGES, is_word_only
from lynkrc.syntax.pattern_words import join
from lynkrc_runtime.scan.fold import SYMBOL, fold_text

Ranges = tuple[tuple[int, int], ...]

_SPACE: Ranges = ((0x09, 0x0D), (0x20, 0x20))
_SHORTHANDS: dict[str, CharClass] = {
    "w": CharClass(ranges=WORD_RANGES),
    "W": CharClass(ranges=WORD_RANGES, negated=True),
    "d": CharClass(ranges=((0x30, 0x39),)),
    "D": CharClass(ranges=((0x30, 0x39),), negated=True),
    "s": CharClass(ranges=_SPACE),
    "S": CharClass(ranges=_SPACE, negated=True),
}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_ANY = CharClass(ranges=((0x0A, 0x0A),), negated=True)
_ANCHORS = "bBAZ"
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
        return _class(reader)
    reader.take()
    match char:
        case "\\":
            return _escape(reader, start)
        case ".":
            return _ANY
        case "^" | "$":
            _refuse_anchor(reader, start, char)
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


def _refuse_anchor(reader: Reader, start: int, written: str) -> None:
    reader.fail(
        NOT_REGULAR,
        start,
        reader.pos,
        f"`{written}` looks around instead of matching a character",
        "leave it out: entries are bounded at word edges unless they start with `~`",
    )


def _escape(reader: Reader, start: int) -> PatternNode:
    char = reader.take()
    if char in _SHORTHANDS:
        return _SHORTHANDS[char]
    return reader.literal(_escaped_char(reader, start, char), start)


def _escaped_char(reader: Reader, start: int, char: str) -> str:
    if char in _CONTROLS:
        return _CONTROLS[char]
    if char and char in _ANCHORS:
        _refuse_anchor(reader, start, f"\\{char}")
    if char.isdigit():
        reader.fail(
            NOT_REGULAR,
            start,
            reader.pos,
            "back-references are not part of the regular subset",
            "write the alternatives out",
        )
    if not char or char.isalpha() or not char.isascii():
        reader.fail(
            MALFORMED_PATTERN,
            start,
            reader.pos,
            f"`\\{char}` is no escape known here",
            "known are \\w \\d \\s \\W \\D \\S \\n \\t \\r \\f \\v and escaped punctuation",
        )
    return char


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


@final
class _Members:
    """What a class has so far: ranges of folded code points, and folded words like ``ss``."""

    __slots__ = ("ranges", "words")

    def __init__(self) -> None:
        self.ranges: list[tuple[int, int]] = []
        self.words: set[str] = set()


def _class(reader: Reader) -> PatternNode:
    opened = reader.pos
    reader.take()
    negated = reader.peek() == "^"
    if negated:
        reader.take()
    members = _Members()
    first = reader.pos
    while True:
        if reader.at_end:
            reader.fail(
                UNBALANCED_BRACKET,
                opened,
                opened + 1,
                "this bracket is never closed",
                "add `]`, or write `\\[` for the character itself",
            )
        if reader.peek() == "]":
            break
        _member(reader, members)
    if reader.pos == first:
        reader.fail(
            MALFORMED_PATTERN,
            opened,
            reader.pos + 1,
            "a class without characters matches nothing",
            "write the characters between the brackets; `\\]` for the bracket itself",
        )
    reader.take()
    node = CharClass(ranges=_normal(members.ranges), negated=negated)
    if negated and not complement(node.ranges):
        reader.fail(
            MALFORMED_PATTERN,
            opened,
            reader.pos,
            "this class leaves no character to match",
            "name fewer characters between `[^` and `]`",
        )
    if negated or not members.words:
        return node
    # A character that folds to several (``ß`` to ``ss``) matches as these; a negated class need
    # not name it, since folded text never holds it.
    options: list[PatternNode] = [Literal(text=word) for word in sorted(members.words)]
    if node.ranges:
        options.insert(0, node)
    return options[0] if len(options) == 1 else Alternation(options=tuple(options))


def _member(reader: Reader, members: _Members) -> None:
    start = reader.pos
    char = reader.take()
    if char == "\\":
        char = reader.take()
        shorthand = _SHORTHANDS.get(char)
        if shorthand is not None:
            members.ranges.extend(
                complement(shorthand.ranges) if shorthand.negated else shorthand.ranges
            )
            return
        char = _escaped_char(reader, start, char)
    last = char
    if reader.peek() == "-" and reader.peek(2) not in ("-", "-]"):
        reader.take()
        last = reader.take()
        if last == "\\":
            at = reader.pos - 1
            last = _escaped_char(reader, at, reader.take())
        if ord(last) < ord(char):
            reader.fail(
                MALFORMED_PATTERN,
                start,
                reader.pos,
                f"the range `{reader.text[start : reader.pos]}` runs backwards",
                "write the lower character first",
            )
    if char == last:
        _fold_into(reader.literal(char, start).text, members)
    else:
        # A range may span symbols; folded text cannot tell them apart, so they are left out.
        folds = [fold_text(chr(code)) for code in range(ord(char), ord(last) + 1)]
        told = [folded for folded in folds if SYMBOL not in folded]
        if not told:
            reader.literal(char, start)
        for folded in told:
            _fold_into(folded, members)


def _fold_into(folded: str, members: _Members) -> None:
    if len(folded) != 1:
        members.words.add(folded)
        return
    code = ord(folded)
    if members.ranges and members.ranges[-1][1] == code - 1:
        members.ranges[-1] = (members.ranges[-1][0], code)
    else:
        members.ranges.append((code, code))


def _normal(ranges: list[tuple[int, int]]) -> Ranges:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


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
