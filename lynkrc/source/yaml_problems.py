"""PyYAML's syntax errors to diagnostics: the one place where its exceptions are read.

libyaml and the pure Python parser word the same problem differently; a row's text is contained in
both.
"""

from dataclasses import dataclass
from typing import final

import yaml

from lynkrc.diagnostics.codes import YAML_SYNTAX
from lynkrc.diagnostics.model import Diagnostic, Label
from lynkrc.diagnostics.wording import printable, shown
from lynkrc.source.text import SourceFile, Span


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """`has` occurs in the problem; `opened` points at where the construct began instead."""

    has: str
    message: str
    help: str | None = None
    opened: bool = False


_INDENTATION = "check the indentation: entries of one mapping or list stand in one column"
_QUOTE = "quote the value if it is meant as text"

_ROWS: tuple[_Row, ...] = (
    _Row(
        has="mapping values are not allowed",
        message="a `:` that makes this an entry cannot stand here",
        help="quote a value that holds `: `; or check the indentation of this line",
    ),
    _Row(
        has="could not find expected ':'",
        message="this line has no `:` after its key",
        help="write `key: value`; or indent the line if it continues the value above",
    ),
    _Row(
        has="found unexpected end of stream",
        message="this quoted text is never closed",
        help="add the closing quote",
        opened=True,
    ),
    _Row(
        has="expected ',' or ']'",
        message="a `,` or the closing `]` is missing before this",
        help="items inside [...] are separated by commas",
    ),
    _Row(
        has="expected ',' or '}'",
        message="a `,` or the closing `}` is missing before this",
        help='entries inside {...} are separated by commas; a reference is quoted there: "${NAME}"',
    ),
    _Row(
        has="directive",
        message="`%` begins a directive here, and directives are not part of the language",
        help=_QUOTE,
    ),
    _Row(
        has="unknown escape character",
        message="this escape does not exist in double quotes",
        help="write `\\\\` for a backslash, or use single quotes",
    ),
    _Row(
        has="escape",
        message="this escape is not a character",
        help="`\\x`, `\\u` and `\\U` take 2, 4 and 8 hexadecimal digits of one code point",
    ),
    _Row(
        has="hexdecimal",
        message="this escape is not a character",
        help="`\\x`, `\\u` and `\\U` take 2, 4 and 8 hexadecimal digits of one code point",
    ),
    _Row(
        has="sequence entries are not allowed",
        message="a list item cannot begin here",
        help="put the `-` on a line of its own",
    ),
    _Row(
        has="alphabetic or numeric character",
        message="`*` and `&` begin an alias or an anchor here",
        help=_QUOTE,
    ),
    _Row(
        has="non-alphabetical character",
        message="`*` and `&` begin an alias or an anchor here",
        help=_QUOTE,
    ),
    _Row(
        has="tag handle",
        message="`!` begins a tag here, and tags are not part of the language",
        help=_QUOTE,
    ),
    _Row(
        has="parsing a block collection", message="this is no item of the list", help=_INDENTATION
    ),
    _Row(
        has="expected key", message="this does not fit the mapping it stands in", help=_INDENTATION
    ),
    _Row(
        has="expected <block end>",
        message="this does not fit the mapping it stands in",
        help=_INDENTATION,
    ),
    _Row(has="node content", message="a value is missing before this", help=_QUOTE),
    _Row(
        has="block scalar",
        message="this cannot follow `|` or `>`",
        help="the text of a block begins on the next line",
    ),
    _Row(has="violates indentation", message="a tab cannot indent", help="indent with spaces"),
    _Row(
        has="<document start>",
        message="text after the end of the document",
        help="remove `...` and what follows",
    ),
)

_FIRST_CHARACTER = "cannot start any token"


def syntax_finding(file: SourceFile, error: yaml.YAMLError, shift: int = 0) -> Diagnostic:
    """The diagnostic of a parser error in `file`, of which the parser was given the text from
    `shift` on."""
    if not isinstance(error, yaml.MarkedYAMLError):
        # Reader errors: `check_characters` refuses what they are about before.
        span = Span(file=file, start=0, end=0)
        return Diagnostic(code=YAML_SYNTAX, message=f"not YAML: {printable(str(error))}", span=span)
    problem = error.problem or ""
    here = _at(file, error.problem_mark, shift)
    opened = _at(file, error.context_mark, shift) if error.context_mark is not None else None
    if "unknown escape character" in problem and not here.text.startswith("\\"):
        # The pure Python parser points behind the backslash.
        here = Span(file=file, start=here.start - 1, end=here.end - 1)
    if _FIRST_CHARACTER in problem:
        return _first_character(here)
    for row in _ROWS:
        if row.has in problem or row.has in (error.context or ""):
            if row.opened and opened is not None:
                here, opened = opened, None
            return Diagnostic(
                code=YAML_SYNTAX,
                message=row.message,
                span=here,
                help=row.help,
                labels=_labels(here, opened, error.context),
            )
    return Diagnostic(
        code=YAML_SYNTAX,
        message=f"this cannot be read as YAML: {printable(problem)}",
        span=here,
        labels=_labels(here, opened, error.context),
    )


def _first_character(here: Span) -> Diagnostic:
    if here.text == "\t":
        return Diagnostic(
            code=YAML_SYNTAX, message="a tab cannot indent", span=here, help="indent with spaces"
        )
    return Diagnostic(
        code=YAML_SYNTAX,
        message=f"a plain value cannot begin with {shown(here.text)}",
        span=here,
        help=_QUOTE,
    )


def _at(file: SourceFile, mark: object, shift: int) -> Span:
    # libyaml's marks and PyYAML's have the same attribute but no common class.
    index = getattr(mark, "index", 0)
    start = min(int(index) + shift, len(file.text))
    return Span(file=file, start=start, end=min(start + 1, len(file.text)))


def _labels(here: Span, opened: Span | None, context: str | None) -> tuple[Label, ...]:
    if opened is None or opened.start == here.start or context is None:
        return ()
    if "flow" in context or "quoted" in context:
        return (Label(span=opened, message="opened here"),)
    if "block" in context:
        return (Label(span=opened, message="begins here"),)
    return ()
