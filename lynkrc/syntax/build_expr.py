"""Lark's tree of an expression to ours, with the spans and the values of literals.

The span of a node leaves out brackets around it, the span of what contains it takes them in.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias, cast

from lark import Token, Transformer_NonRecursive, Tree

from lynkrc.diagnostics.codes import EXPRESSION_NUMBER, EXPRESSION_STRING
from lynkrc.diagnostics.model import Code, Diagnostic, Fix
from lynkrc.diagnostics.wording import shown
from lynkrc.source.fixes import replacing
from lynkrc.source.scalars import EXACT
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

Place: TypeAlias = Callable[[int, int], Span]

_INTEGER = re.compile(r"0|[1-9][0-9]*")
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]*)\.[0-9]+")
_SCALED = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]+))?([kM])")
_ZEROS = {"k": 3, "M": 6}
_LONGEST_NUMBER = 40

_BACKSLASH = re.compile(r"\\(.)", re.DOTALL)
_BREAKS_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class _Built(NamedTuple):
    """A tree and the text it takes up, brackets around it included."""

    expr: Expr
    start: int
    end: int


_Part: TypeAlias = _Built | Token


def build_expression(tree: "Tree[Token]", place: Place) -> tuple[Expr, list[Diagnostic]]:
    """Our tree; with findings it stands only for the shape of what was written."""
    builder = _Builder(place)
    built = builder.transform(tree)
    return built.expr, builder.findings


class _Builder(Transformer_NonRecursive[Token, _Built]):
    """One method a rule of the grammar."""

    def __init__(self, place: Place) -> None:
        super().__init__(visit_tokens=False)
        self.findings: list[Diagnostic] = []
        self._place = place

    def ref(self, parts: Sequence[Token]) -> _Built:
        """A dotted name."""
        start, end = _extent(parts)
        return _Built(Ref(name=str(parts[0]), span=self._place(start, end)), start, end)

    def bool(self, parts: Sequence[Token]) -> _Built:
        """``true`` or ``false``."""
        start, end = _extent(parts)
        value = parts[0].type == "TRUE"
        return _Built(BoolLiteral(value=value, span=self._place(start, end)), start, end)

    def number(self, parts: Sequence[Token]) -> _Built:
        """A literal number, ``k`` and ``M`` applied."""
        start, end = _extent(parts)
        return _Built(self._number(str(parts[0]), self._place(start, end)), start, end)

    def string(self, parts: Sequence[Token]) -> _Built:
        """A quoted string."""
        start, end = _extent(parts)
        value = self._unquote(str(parts[0]), start)
        return _Built(StringLiteral(value=value, span=self._place(start, end)), start, end)

    def group(self, parts: Sequence[_Part]) -> _Built:
        """A bracketed expression: the tree inside, the extent of the brackets."""
        start, end = _extent(parts)
        return _Built(_exprs(parts)[0], start, end)

    def call(self, parts: Sequence[_Part]) -> _Built:
        """``name(arguments)``."""
        start, end = _extent(parts)
        name = cast(Token, parts[0])
        expr = Call(
            name=str(name),
            args=_exprs(parts),
            name_span=self._place(*_extent([name])),
            span=self._place(start, end),
        )
        return _Built(expr, start, end)

    def list(self, parts: Sequence[_Part]) -> _Built:
        """``[items]``."""
        start, end = _extent(parts)
        return _Built(ListLiteral(items=_exprs(parts), span=self._place(start, end)), start, end)

    def not_(self, parts: Sequence[_Part]) -> _Built:
        """``not x``."""
        return self._unary("not", parts)

    def minus(self, parts: Sequence[_Part]) -> _Built:
        """``-x``."""
        return self._unary("-", parts)

    def compare(self, parts: Sequence[_Part]) -> _Built:
        """A chain of comparisons."""
        start, end = _extent(parts)
        expr = Comparison(
            operands=_exprs(parts),
            ops=tuple(str(part) for part in parts if isinstance(part, Token)),
            span=self._place(start, end),
        )
        return _Built(expr, start, end)

    def implies(self, parts: Sequence[_Part]) -> _Built:
        """``a implies b``."""
        return self._binary("implies", cast(_Built, parts[0]), cast(_Built, parts[1]))

    def disjunction(self, parts: Sequence[_Part]) -> _Built:
        """``a or b or c``."""
        return self._left_to_right("or", parts)

    def conjunction(self, parts: Sequence[_Part]) -> _Built:
        """``a and b and c``."""
        return self._left_to_right("and", parts)

    def sum(self, parts: Sequence[_Part]) -> _Built:
        """``a + b - c``."""
        return self._left_to_right("+", parts)

    def product(self, parts: Sequence[_Part]) -> _Built:
        """``a * b``."""
        return self._left_to_right("*", parts)

    def _left_to_right(self, op: str, parts: Sequence[_Part]) -> _Built:
        left: _Built | None = None
        for part in parts:
            if isinstance(part, Token):
                op = str(part)
            else:
                left = part if left is None else self._binary(op, left, part)
        return cast(_Built, left)

    def _binary(self, op: str, left: _Built, right: _Built) -> _Built:
        span = self._place(left.start, right.end)
        expr = Binary(op=op, left=left.expr, right=right.expr, span=span)
        return _Built(expr, left.start, right.end)

    def _unary(self, op: str, parts: Sequence[_Part]) -> _Built:
        start, end = _extent(parts)
        expr = Unary(op=op, operand=_exprs(parts)[0], span=self._place(start, end))
        return _Built(expr, start, end)

    def _number(self, text: str, span: Span) -> Expr:
        if len(text) <= _LONGEST_NUMBER:
            if _DECIMAL.fullmatch(text):
                return DecimalLiteral(text=text, span=span)
            value = _whole(text)
            if value is not None and value <= EXACT:
                return IntLiteral(value=value, span=span)
        plain = text.replace("_", "")
        fix: Fix | None = None
        if "_" in text and _whole(plain) is not None:
            hint = f"write {plain}"
            fix = replacing(span, plain, hint, safe=True)
        elif text.startswith("0") and _whole(text.lstrip("0")) is not None:
            hint = f"write {text.lstrip('0')}"
            # It may have been meant as an octal number.
            fix = replacing(span, text.lstrip("0"), hint, safe=False)
        elif text[-1] in "KmgGbB" and text[:-1].isdigit():
            hint = "`k` is 1,000 and `M` is 1,000,000"
            if text[-1] == "K":
                fix = replacing(span, f"{text[:-1]}k", f"write {text[:-1]}k", safe=True)
        else:
            hint = "numbers are written 12, 1.5, 128k or 1M, and stay below 2^53"
        self._report(EXPRESSION_NUMBER, f"{shown(text)} is not a number", span, hint, fix)
        return IntLiteral(value=0, span=span)

    def _unquote(self, text: str, start: int) -> str:
        body = text[1:-1]
        for match in _BACKSLASH.finditer(body):
            if match.group(1) not in "\\\"'":
                at = start + 1 + match.start()
                self._report(
                    EXPRESSION_STRING,
                    f"{shown(match.group())} is no escape",
                    self._place(at, at + 2),
                    "a backslash stands only before a quote or another backslash",
                )
        broken = _BREAKS_LINE.search(body)
        if broken is not None:
            at = start + 1 + broken.start()
            self._report(
                EXPRESSION_STRING,
                "a string holds no line break and no control character",
                self._place(at, at + 1),
                "write the string on one line",
            )
        return _BACKSLASH.sub(r"\1", body)

    def _report(
        self, code: Code, message: str, span: Span, help: str, fix: Fix | None = None
    ) -> None:
        self.findings.append(Diagnostic(code=code, message=message, span=span, help=help, fix=fix))


def _whole(text: str) -> int | None:
    """The value of a whole number with or without a unit; None when it is not one.

    >>> _whole("128k"), _whole("1.5M"), _whole("0.0005k"), _whole("007")
    (128000, 1500000, None, None)
    """
    if _INTEGER.fullmatch(text):
        return int(text)
    match = _SCALED.fullmatch(text)
    if match is None:
        return None
    whole, fraction, unit = match.groups(default="")
    zeros = _ZEROS[unit] - len(fraction.rstrip("0"))
    return int(whole + fraction.rstrip("0")) * 10**zeros if zeros >= 0 else None


def _extent(parts: Sequence[_Part]) -> tuple[int, int]:
    first, last = parts[0], parts[-1]
    start = first.start_pos if isinstance(first, Token) else first.start
    end = last.end_pos if isinstance(last, Token) else last.end
    if start is None or end is None:
        raise AssertionError("a token without its place")
    return start, end


def _exprs(parts: Sequence[_Part]) -> tuple[Expr, ...]:
    return tuple(part.expr for part in parts if not isinstance(part, Token))
