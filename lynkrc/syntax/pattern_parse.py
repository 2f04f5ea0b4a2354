"""The text of a lexicon entry to a Pattern, or to findings with their places in the entry.

>>> from lynkrc.source.text import SourceFile, Span
>>> file = SourceFile(path="routing.yaml", text="Verif* that")
>>> pattern, findings = parse_pattern(file.text, Span(file=file, start=0, end=11), None)
>>> pattern.bounded, pattern.root.items[0], findings
(True, Literal(text='verif'), [])
"""

import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.pattern_codes import (
    EMPTY_MATCH,
    MALFORMED_PATTERN,
    MATCH_TOO_LONG,
    PATTERN_TOO_LONG,
    UNBALANCED_BRACKET,
)
from lynkrc.source.text import Span
from lynkrc.syntax.pattern import Gap, Literal, Pattern, PatternNode, Sequence
from lynkrc.syntax.pattern_reader import Reader, UnreadableEntry
from lynkrc.syntax.pattern_regex import build_regex
from lynkrc.syntax.pattern_shape import GAP_MAX, is_nullable, is_word_only, longest
from lynkrc.syntax.pattern_words import REST_OF_WORD, build_words
from lynkrc_runtime.scan.edges import is_alone
from lynkrc_runtime.scan.fold import SYMBOL, fold_text

if TYPE_CHECKING:
    from lark import Lark

_PLAIN = re.compile(r"~?\w+\*?(?: \w+\*?)*")

LONGEST_TEXT = 1_000
"""Most characters of an entry."""
LONGEST_MATCH = 256
"""Most bytes of a match, not counting what unbounded word runs add."""


def parse_pattern(
    text: str, span: Span, place: Callable[[int, int], Span] | None
) -> tuple[Pattern | None, list[Diagnostic]]:
    """The entry's tree; None when something is wrong with it, then there is a finding.

    `span` covers the whole entry in the file. `place` maps offsets in `text` to a span of the
    file; without it findings show the whole entry.
    """
    if len(text) > LONGEST_TEXT:
        finding = Diagnostic(
            code=PATTERN_TOO_LONG,
            message=f"the entry has {len(text):,} characters, at most {LONGEST_TEXT:,} are read",
            span=span,
            help="write its alternatives as entries of their own",
        )
        return None, [finding]
    plain = plain_words(text, span)
    if plain is not None:
        return plain, []
    return parse_entry(text, span, place)


def parse_entry(
    text: str, span: Span, place: Callable[[int, int], Span] | None
) -> tuple[Pattern | None, list[Diagnostic]]:
    """As `parse_pattern`, by the grammar whatever the entry is."""
    from lark.exceptions import UnexpectedInput

    from lynkrc.syntax.pattern_problems import completed, place_of, refuse

    bounded = not text.startswith("~")
    start = 0 if bounded else 1
    is_regex = text.startswith("/", start)
    reader = Reader(text, span, place, start, len(text))
    try:
        if is_regex:
            _open_regex(reader)
        if reader.at_end:
            reader.fail(
                EMPTY_MATCH,
                0,
                len(text),
                "the entry matches the empty string",
                "write at least one character, or remove the entry",
            )
        parser = _parser("regex" if is_regex else "words")
        build = build_regex if is_regex else build_words
        reader.start = reader.pos
        try:
            root = build(reader, parser.parse(text[reader.start : reader.end]))
        except UnexpectedInput as error:
            at = place_of(error, reader)
            # What is wrong before that comes first.
            build(reader, parser.parse(completed(reader, at)))
            refuse(reader, at, is_regex=is_regex)
    except UnreadableEntry:
        return None, reader.findings
    if is_nullable(root):
        reader.find(
            EMPTY_MATCH,
            0,
            len(text),
            "the entry matches the empty string",
            "something in it must not be optional",
        )
    most = longest(root)
    if most > LONGEST_MATCH:
        reader.find(
            MATCH_TOO_LONG,
            0,
            len(text),
            f"a match can have {most} bytes, at most {LONGEST_MATCH} are allowed",
            "lower the upper bounds of repetitions (a character may count 4 bytes), or split it",
        )
    if reader.findings:
        return None, reader.findings
    return Pattern(text=text, root=root, bounded=bounded, span=span), []


def plain_words(text: str, span: Span) -> Pattern | None:
    """Words with a blank between each two: most entries of most lexicons, with nothing to find.

    None where the entry is something else, or has something to find.
    """
    if not _PLAIN.fullmatch(text):
        return None
    bounded = not text.startswith("~")
    items: list[PatternNode] = []
    for word in text.removeprefix("~").split(" "):
        literal = Literal(text=fold_text(word.removesuffix("*")))
        items += (Gap(), literal) if items else (literal,)
        if word.endswith("*") and not is_alone(ord(literal.text[-1])):
            items.append(REST_OF_WORD)
        # Folding may have made something else of a letter.
        if not literal.text.isalnum() and (SYMBOL in literal.text or not is_word_only(literal)):
            return None
    root = items[0] if len(items) == 1 else Sequence(items=tuple(items))
    if len(text) * GAP_MAX > LONGEST_MATCH and longest(root) > LONGEST_MATCH:
        return None
    return Pattern(text=text, root=root, bounded=bounded, span=span)


@cache
def _parser(start: str) -> "Lark":
    from lark import Lark

    grammar = files("lynkrc.syntax").joinpath("pattern.lark").read_text(encoding="utf-8")
    return Lark(grammar, start=start, parser="lalr", lexer="contextual", maybe_placeholders=False)


def _open_regex(reader: Reader) -> None:
    opened = reader.pos
    if reader.text[-1] != "/" or len(reader.text) == opened + 1 or _is_escaped(reader.text):
        reader.fail(
            UNBALANCED_BRACKET,
            opened,
            opened + 1,
            "a regular expression ends with `/`",
            "add the closing `/`, or write `\\/` for the character itself",
        )
    reader.pos += 1
    reader.end -= 1
    slash = reader.pos
    while (slash := reader.text.find("/", slash, reader.end)) >= 0:
        if not _is_escaped(reader.text[: slash + 1]):
            reader.fail(
                MALFORMED_PATTERN,
                slash,
                slash + 1,
                "the regular expression ends at this `/`, but the entry goes on",
                "write `\\/` for the character itself",
            )
        slash += 1


def _is_escaped(text: str) -> bool:
    before = text[:-1]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1
