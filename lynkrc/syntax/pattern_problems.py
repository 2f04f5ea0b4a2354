"""Lark's errors in a lexicon entry to findings in the user's words: what is wrong, a way out."""

import re
from typing import NoReturn

from lark.exceptions import UnexpectedInput, UnexpectedToken

from lynkrc.diagnostics.pattern_codes import MALFORMED_PATTERN, NOT_REGULAR, UNBALANCED_BRACKET
from lynkrc.syntax.pattern_class import refuse_anchor
from lynkrc.syntax.pattern_reader import Reader
from lynkrc.syntax.pattern_words import refuse_escape, refuse_optional

# Whatever may hold a bracket that opens no group, and the brackets that do. Classes and counts
# come before the error in regular expressions alone.
_PARTS = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\{[^}]*\}|[()]", re.DOTALL)


def place_of(error: UnexpectedInput, reader: Reader) -> int:
    """Where in the entry, which begins at the cursor, Lark could not go on."""
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return reader.end
    return reader.pos + (error.pos_in_stream or 0)


def completed(reader: Reader, at: int) -> str:
    """What stands between the cursor and `at`, made whole by what it still wants."""
    begin = reader.pos
    filler = "x" if _wants_operand(reader.text, begin, at) else ""
    return reader.text[begin:at] + filler + ")" * len(_open(reader.text, begin, at))


def refuse(reader: Reader, at: int, *, is_regex: bool) -> NoReturn:
    """Fail at `at`, where Lark could not go on in the entry, which begins at ``reader.start``."""
    begin = reader.start
    reader.pos = at
    char = reader.peek()
    is_first = _wants_operand(reader.text, begin, at)
    if char in ("", "|", ")"):
        _refuse_end(reader, begin, at, is_first=is_first)
    if is_regex:
        before = _operator_before(reader.text, begin, at)
        _refuse_in_regex(reader, char, before, is_first=is_first)
    _refuse_in_words(reader, char)


def _operator_before(text: str, begin: int, at: int) -> str:
    """The character before ``text[at]``, where it is not made plain."""
    return "" if at == begin or is_escaped(text, at - 1, begin) else text[at - 1]


def _wants_operand(text: str, begin: int, at: int) -> bool:
    """Whether an alternative begins at `at`."""
    before = _operator_before(text, begin, at)
    return at == begin or before in ("|", "(") or text[begin:at].endswith("(?:")


def is_escaped(text: str, at: int, begin: int) -> bool:
    """Whether an odd number of ``\\`` stands before ``text[at]``, from `begin` on."""
    before = text[begin:at]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _refuse_end(reader: Reader, begin: int, at: int, *, is_first: bool) -> NoReturn:
    """Nothing stands where an alternative must end, or a bracket has no partner."""
    if is_first:
        reader.fail(
            MALFORMED_PATTERN,
            at,
            at + len(reader.peek()),
            "an alternative is empty",
            "remove the `|`, or make the group optional with `(...)?`",
        )
    if reader.peek() == ")":
        _refuse_unopened(reader, ")")
    opened = _open(reader.text, begin, at)[-1]
    reader.fail(
        UNBALANCED_BRACKET,
        opened,
        opened + 1,
        "this bracket is never closed",
        "add `)`, or write `\\(` for the character itself",
    )


def _refuse_unopened(reader: Reader, char: str) -> NoReturn:
    reader.fail(
        UNBALANCED_BRACKET,
        reader.pos,
        reader.pos + 1,
        "this bracket was never opened",
        f"remove it, or write `\\{char}` for the character itself",
    )


def _refuse_in_words(reader: Reader, char: str) -> NoReturn:
    at = reader.pos
    if char == "?":
        refuse_optional(reader, at)
    if char == "\\":
        refuse_escape(reader, char, at)
    reader.fail(
        MALFORMED_PATTERN,
        at,
        at + 1,
        f"`{char}` belongs to regular expressions",
        f"write the entry between slashes, `/.../`, or `\\{char}` for the character itself",
    )


def _refuse_in_regex(reader: Reader, char: str, before: str, *, is_first: bool) -> NoReturn:
    at = reader.pos
    match char:
        case "^" | "$":
            reader.take()
            refuse_anchor(reader, at, char)
        case "[":
            reader.fail(
                UNBALANCED_BRACKET,
                at,
                at + 1,
                "this bracket is never closed",
                "add `]`, or write `\\[` for the character itself",
            )
        case "]" | "}":
            _refuse_unopened(reader, char)
        case "?" if before == "(":
            _refuse_group(reader, at - 1)
        case _ if is_first:
            reader.fail(
                MALFORMED_PATTERN,
                at,
                at + 1,
                f"`{char}` repeats what stands before it, and there is nothing",
                f"write `\\{char}` for the character itself",
            )
    if char == "{" and before not in ("?", "*", "+", "}"):
        reader.fail(
            UNBALANCED_BRACKET,
            at,
            at + 1,
            "this bracket is never closed",
            "write `{m,n}`, or `\\{` for the character itself",
        )
    start = at - 1 if before != "}" else reader.text.rindex("{", 0, at)
    reader.fail(
        NOT_REGULAR,
        start,
        at + 1,
        "lazy, possessive and doubled repetition have no meaning here",
        "every end of a match is found; one repetition is enough",
    )


def _refuse_group(reader: Reader, opened: int) -> NoReturn:
    written = reader.peek(3)
    is_look = written[:2] in ("?=", "?!") or written in ("?<=", "?<!")
    kind = "look-around" if is_look else "this group"
    reader.fail(
        NOT_REGULAR,
        opened,
        min(opened + 4, reader.end),
        f"{kind} is not part of the regular subset",
        "plain groups `(...)` are; case is folded and word edges are checked anyway",
    )


def _open(text: str, begin: int, end: int) -> list[int]:
    """The offsets of the brackets of groups that are open at `end`, outermost first."""
    opened: list[int] = []
    for part in _PARTS.finditer(text, begin, end):
        if part[0] == "(":
            opened.append(part.start())
        elif part[0] == ")":
            opened.pop()
    return opened
