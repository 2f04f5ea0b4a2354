"""Classes ``[a-z_\\d]`` and escapes of the regular subset to trees, folded like the text."""

import re
from typing import NoReturn

from lynkrc.diagnostics.pattern_codes import MALFORMED_PATTERN, NOT_REGULAR
from lynkrc.syntax.pattern import CharClass
from lynkrc.syntax.pattern_edges import ORDINARY
from lynkrc.syntax.pattern_reader import Reader
from lynkrc.syntax.pattern_shape import Ranges, complement, merged
from lynkrc_runtime.scan.fold import SYMBOL, fold_text

_SPACE: Ranges = ((0x09, 0x0D), (0x20, 0x20))
SHORTHANDS: dict[str, CharClass] = {
    "w": ORDINARY,
    "W": CharClass(ranges=ORDINARY.ranges, negated=True),
    "d": CharClass(ranges=((0x30, 0x39),)),
    "D": CharClass(ranges=((0x30, 0x39),), negated=True),
    "s": CharClass(ranges=_SPACE),
    "S": CharClass(ranges=_SPACE, negated=True),
}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_ANCHORS = "bBAZ"
_NAMED = re.compile(r"\[(?:\^?|(?:\\.|[^\]\\])*\[)(:[a-z]+:)\]", re.DOTALL)
"""``[:digit:]`` or ``[x[:digit:]``: elsewhere the name of a class, and never meant as letters."""


def refuse_anchor(reader: Reader, start: int, written: str) -> NoReturn:
    """Fail at an anchor; `written` is how it stands in the entry."""
    reader.fail(
        NOT_REGULAR,
        start,
        reader.pos,
        f"`{written}` looks around instead of matching a character",
        "leave it out: entries are bounded at word edges unless they start with `~`",
    )


def escaped_char(reader: Reader, start: int, char: str) -> str:
    """The character that ``\\`` and `char` stand for; `start` is where the ``\\`` stands."""
    if char in _CONTROLS:
        return _CONTROLS[char]
    if char and char in _ANCHORS:
        refuse_anchor(reader, start, f"\\{char}")
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


def read_class(reader: Reader, opened: int) -> CharClass:
    """The class whose ``[`` stands at `opened`; its ``]`` is known to follow."""
    named = _NAMED.match(reader.text, opened, reader.end)
    if named is not None:
        reader.fail(
            MALFORMED_PATTERN,
            named.start(1),
            named.end(1),
            f"`[{named[1]}]` is no class known here",
            "write `\\d`, `\\w` or `\\s`, or name the characters, as in `[a-f0-9]`",
        )
    reader.pos = opened + 1
    negated = reader.peek() == "^"
    if negated:
        reader.take()
    ranges: list[tuple[int, int]] = []
    first = reader.pos
    while reader.peek() != "]":
        _member(reader, ranges)
    if reader.pos == first:
        reader.fail(
            MALFORMED_PATTERN,
            opened,
            reader.pos + 1,
            "a class without characters matches nothing",
            "write the characters between the brackets; `\\]` for the bracket itself",
        )
    reader.take()
    node = CharClass(ranges=merged(ranges), negated=negated)
    if negated and not complement(node.ranges):
        reader.fail(
            MALFORMED_PATTERN,
            opened,
            reader.pos,
            "this class leaves no character to match",
            "name fewer characters between `[^` and `]`",
        )
    return node


def _member(reader: Reader, ranges: list[tuple[int, int]]) -> None:
    start = reader.pos
    char = reader.take()
    if char == "\\":
        char = reader.take()
        shorthand = SHORTHANDS.get(char)
        if shorthand is not None:
            ranges.extend(complement(shorthand.ranges) if shorthand.negated else shorthand.ranges)
            return
        char = escaped_char(reader, start, char)
    last = char
    if reader.peek() == "-" and reader.peek(2) not in ("-", "-]"):
        reader.take()
        last = reader.take()
        if last == "\\":
            at = reader.pos - 1
            last = escaped_char(reader, at, reader.take())
        if ord(last) < ord(char):
            reader.fail(
                MALFORMED_PATTERN,
                start,
                reader.pos,
                f"the range `{reader.text[start : reader.pos]}` runs backwards",
                "write the lower character first",
            )
    if char == last:
        _add(reader.literal(char, start).text, ranges)
    else:
        # A range may span symbols; folded text cannot tell them apart, so they are left out.
        folds = [fold_text(chr(code)) for code in range(ord(char), ord(last) + 1)]
        told = [folded for folded in folds if SYMBOL not in folded]
        if not told:
            reader.literal(char, start)
        for folded in told:
            _add(folded, ranges)


def _add(folded: str, ranges: list[tuple[int, int]]) -> None:
    code = ord(folded)
    if ranges and ranges[-1][1] == code - 1:
        ranges[-1] = (ranges[-1][0], code)
    else:
        ranges.append((code, code))
