"""The untyped tree of an expression; spans point into the file, also through folded scalars.

`lynkrc.syntax.parse` makes it from text by `grammar.lark`; `lynkrc.sema.check` types it.
"""

from dataclasses import dataclass, field
from typing import TypeAlias, final

from lynkrc.source.text import Span


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IntLiteral:
    """An integer, ``k`` and ``M`` applied."""

    value: int
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DecimalLiteral:
    """A number with a fraction, as written (compared with fixed-point features only)."""

    text: str
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class StringLiteral:
    """A quoted string."""

    value: str
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BoolLiteral:
    """``true`` or ``false``."""

    value: bool
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """A dotted name: a feature, a named expression, an enumerator, a lexicon, ``absent``."""

    name: str
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """``name(args)``: a parameterised feature or a shaping function."""

    name: str
    args: tuple["Expr", ...]
    name_span: Span = field(compare=False, repr=False)
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ListLiteral:
    """``[a, b]``: the right side of ``in``, or the pairs of ``steps``."""

    items: tuple["Expr", ...]
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Unary:
    """``not x`` or ``-x``."""

    op: str
    operand: "Expr"
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """``+ - *`` on numbers; ``and or implies`` on booleans."""

    op: str
    left: "Expr"
    right: "Expr"
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A chain ``a op b op c``; ops are ``== != < <= > >= in starts_with``.

    ``in`` and ``starts_with`` never chain. ``not in`` is written ``not (x in [...])``.
    """

    operands: tuple["Expr", ...]
    ops: tuple[str, ...]
    span: Span = field(compare=False, repr=False)


Expr: TypeAlias = (
    IntLiteral
    | DecimalLiteral
    | StringLiteral
    | BoolLiteral
    | Ref
    | Call
    | ListLiteral
    | Unary
    | Binary
    | Comparison
)


def hyphenated(expr: Expr) -> str | None:
    """The name an expression spells if its minus signs, which touch both sides, are hyphens.

    `claude-code` without quotes is a subtraction; whoever reports it can say so.
    """
    match expr:
        case Ref(name=name):
            return name
        case Binary(op="-", left=left, right=Ref(name=last) as right):
            first = hyphenated(left)
            touches = left.span.end + 1 == right.span.start
            return f"{first}-{last}" if first is not None and touches else None
        case _:
            return None
