"""Lark's tree of words, ``good (morning|evening)`` or ``verif*``, to what they match.

Lowest to highest: ``|``, one after another, ``?`` after a word character or a group. A ``*``
ends a word and stands for the rest of it; a run of blanks is one Gap; ``\\`` makes the
punctuation after it a plain character.
"""

from typing import TYPE_CHECKING, NoReturn

from lynkrc.diagnostics.pattern_codes import EDGE_BLANK, MALFORMED_PATTERN
from lynkrc.syntax.pattern import (
    Alternation,
    Gap,
    Literal,
    PatternNode,
    Repeat,
    Sequence,
)
from lynkrc.syntax.pattern_edges import ORDINARY
from lynkrc.syntax.pattern_reader import Reader
from lynkrc.syntax.pattern_shape import is_word_only
from lynkrc_runtime.scan.edges import is_alone
from lynkrc_runtime.scan.fold import fold_text

if TYPE_CHECKING:
    from lark import Token, Tree

REST_OF_WORD = Repeat(item=ORDINARY, low=0, high=None)
"""Behind a character that is a word by itself there is no rest."""


def build_words(reader: Reader, tree: "Tree[Token]") -> PatternNode:
    """What the tree of a rule ``words`` matches."""
    options = [_sequence(reader, sequence) for sequence in subtrees(tree)]
    return options[0] if len(options) == 1 else Alternation(options=tuple(options))


def subtrees(tree: "Tree[Token]") -> "list[Tree[Token]]":
    """The parts of a rule that are no tokens."""
    return [part for part in tree.children if not isinstance(part, str)]


def bracket_of(group: "Tree[Token]") -> "Token":
    """The token that opens a group."""
    bracket = group.children[0]
    assert isinstance(bracket, str)
    return bracket


def join(items: list[PatternNode]) -> PatternNode:
    """The items as one node, neighbouring literals merged."""
    merged: list[PatternNode] = []
    for item in items:
        if isinstance(item, Literal) and merged and isinstance(merged[-1], Literal):
            merged[-1] = Literal(text=merged[-1].text + item.text)
        else:
            merged.append(item)
    return merged[0] if len(merged) == 1 else Sequence(items=tuple(merged))


def refuse_optional(reader: Reader, at: int) -> NoReturn:
    """Fail at a ``?`` that nothing optional stands before."""
    reader.fail(
        MALFORMED_PATTERN,
        at,
        at + 1,
        "`?` makes the word character or group before it optional, and there is none",
        "write `\\?` for the character itself",
    )


def refuse_rest(reader: Reader, at: int) -> NoReturn:
    """Fail at a ``*`` that ends no word."""
    reader.fail(
        MALFORMED_PATTERN,
        at,
        at + 1,
        "`*` stands for the rest of a word, so it ends a word",
        "put it behind the last letter of a word, or write `\\*` for the character itself",
    )


def _sequence(reader: Reader, tree: "Tree[Token]") -> PatternNode:
    items: list[PatternNode] = []
    for part in tree.children:
        if not isinstance(part, str):
            reader.enter(bracket_of(part))
            items.append(build_words(reader, *subtrees(part)))
            reader.leave()
            continue
        start = reader.step(part)
        match part.type:
            case "CHAR":
                items.append(reader.literal(part, start))
            case "ESCAPE":
                items.append(_escaped(reader, part, start))
            case "BLANK":
                items.append(_gap(reader, start))
            case "REST":
                rest = _rest_of_word(reader, items[-1] if items else None, start)
                if rest is not None:
                    items.append(rest)
            case _:
                before = items[-1]
                if isinstance(before, Literal) and not is_word_only(before):
                    refuse_optional(reader, start)
                items[-1] = Repeat(item=before, low=0, high=1)
    return join(items)


def _escaped(reader: Reader, written: str, start: int) -> Literal:
    char = written[1:]
    if char.isalnum() or char.isspace() or not char.isascii():
        refuse_escape(reader, written, start)
    return reader.literal(char, start)


def refuse_escape(reader: Reader, written: str, start: int) -> NoReturn:
    """Fail at a ``\\`` that makes nothing plain."""
    reader.fail(
        MALFORMED_PATTERN,
        start,
        start + len(written),
        f"`{written}` is no escape here",
        "only punctuation is escaped; classes like `\\d` need a regular expression, `/.../`",
    )


def _rest_of_word(reader: Reader, before: PatternNode | None, start: int) -> PatternNode | None:
    after = reader.peek()
    if not isinstance(before, Literal) or not is_word_only(before):
        refuse_rest(reader, start)
    goes_on = after != "" and is_word_only(Literal(text=fold_text(after)))
    if goes_on or after in ("*", "?", "("):
        refuse_rest(reader, start)
    return None if is_alone(ord(before.text[-1])) else REST_OF_WORD


def _gap(reader: Reader, start: int) -> Gap:
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
