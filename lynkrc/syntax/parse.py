"""The text of an expression to its tree, or to findings that point into the file.

`grammar.lark` says what an expression is. Lark's parser and the walk over its tree use no
recursion, and the result is at most `MAX_DEPTH` deep, so that everything after this may recurse.

>>> from lynkrc.source.text import SourceFile, Span
>>> file = SourceFile(path="routing.yaml", text="turns > 3")
>>> parse_expression(file.text, lambda start, end: Span(file=file, start=start, end=end))
(Comparison(operands=(Ref(name='turns'), IntLiteral(value=3)), ops=('>',)), [])
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, TypeAlias, assert_never, final

from lynkrc.diagnostics.codes import EXPRESSION_DEPTH, EXPRESSION_EMPTY
from lynkrc.diagnostics.model import Diagnostic
from lynkrc.source.text import Span
from lynkrc.syntax.expr import (
    Binary,
    BoolLiteral,
    Call,
    Comparison,
    DecimalLiteral,
    Expr,
    IntLiteral,
    ListLiteral,
    Ref,
    StringLiteral,
    Unary,
)

if TYPE_CHECKING:
    from lark import Lark

Place: TypeAlias = Callable[[int, int], Span]

KEYWORDS = frozenset({"and", "or", "not", "implies", "in", "starts_with", "true", "false"})
"""Words of the grammar, which name nothing."""

MAX_DEPTH = 100
"""Greatest depth of a tree."""

_NOT_BLANK = re.compile(r"[^ \t\r\n]")


def parse_expression(text: str, place: Place) -> tuple[Expr | None, list[Diagnostic]]:
    """The tree of `text`, or None and why. `place` leads offsets in `text` to the file."""
    from lark.exceptions import UnexpectedInput

    from lynkrc.syntax.build_expr import build_expression
    from lynkrc.syntax.parse_problems import syntax_finding

    if not _NOT_BLANK.search(text):
        finding = Diagnostic(
            code=EXPRESSION_EMPTY,
            message="an expression is missing here",
            span=place(0, len(text)),
            help='write a condition or a number, such as "tools.count > 0"',
        )
        return None, [finding]
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        return None, [syntax_finding(text, place, error)]
    expr, findings = build_expression(tree, place)
    if findings:
        return None, findings
    if depth(expr) > MAX_DEPTH:
        finding = Diagnostic(
            code=EXPRESSION_DEPTH,
            message=f"the expression nests deeper than {MAX_DEPTH} levels",
            span=expr.span,
            help="give parts of it names under `features`",
        )
        return None, [finding]
    return expr, []


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One token: its name in the grammar, its text, and its offsets."""

    kind: str
    text: str
    start: int
    end: int


def tokens(text: str) -> tuple[Token, ...] | None:
    """The tokens of an expression without the blanks; None where something is no token."""
    from lark.exceptions import UnexpectedCharacters

    try:
        return tuple(
            Token(kind=found.type, text=str(found), start=at, end=at + len(found))
            for found in _parser().lex(text)
            if (at := found.start_pos) is not None
        )
    except UnexpectedCharacters:
        return None


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct parts of an expression, in the order written."""
    match expr:
        case IntLiteral() | DecimalLiteral() | StringLiteral() | BoolLiteral() | Ref():
            return ()
        case Call(args=args):
            return args
        case ListLiteral(items=items):
            return items
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Comparison(operands=operands):
            return operands
        case _:
            assert_never(expr)


def depth(expr: Expr) -> int:
    """How deep the tree is; 1 for a leaf."""
    deepest = 0
    stack = [(expr, 1)]
    while stack:
        node, level = stack.pop()
        deepest = max(deepest, level)
        stack.extend((child, level + 1) for child in children(node))
    return deepest


@cache
def _parser() -> "Lark":
    from lark import Lark

    grammar = files("lynkrc.syntax").joinpath("grammar.lark").read_text(encoding="utf-8")
    # A contextual lexer would read `and` as a name wherever no operator can stand.
    return Lark(grammar, parser="lalr", lexer="basic", maybe_placeholders=False)
