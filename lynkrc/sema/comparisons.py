"""Comparisons to typed tests: numbers by order, enumerators as member sets, strings by literals.

A chain ``a < b < c`` is split at its inner operands, each of which is typed once.
"""

from functools import reduce

from lynkrc.diagnostics.sema_codes import (
    ARGUMENT_VALUE,
    BAD_LIST,
    CONSTANT_ATOM,
    LITERAL_RANGE,
    TYPES_DIFFER,
    UNKNOWN_ENUMERATOR,
    WRONG_OPERATOR,
)
from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import listed, shown
from lynkrc.sema.context import Context, Subject, Value, same_unit, type_of
from lynkrc.sema.naming import in_quotes, nearest
from lynkrc.sema.scope import ABSENT
from lynkrc.sema.typed import (
    Attribute,
    Bool,
    Connective,
    Constant,
    Feature,
    Logic,
    MemberTest,
    Negation,
    Number,
    NumberTest,
    Order,
    Reading,
    StringOp,
    StringTest,
)
from lynkrc.sema.types import EnumType, FixedType, IntType, StringType, decimal_text, describe
from lynkrc.source.text import Span
from lynkrc.syntax.expr import (
    Binary,
    Call,
    Comparison,
    Expr,
    IntLiteral,
    ListLiteral,
    Ref,
    StringLiteral,
    hyphenated,
)
from lynkrc_runtime.feature_table import FEATURES

_BLANKS = " \t\r\n\f\v"
_FLIPPED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def compare(context: Context, expr: Comparison) -> Bool | None:
    """The conjunction of the chain's tests."""
    values = [_operand(context, operand) for operand in expr.operands]
    tests: list[Bool | None] = []
    for i, op in enumerate(expr.ops):
        sides = expr.operands[i], expr.operands[i + 1]
        span = Span(file=expr.span.file, start=sides[0].span.start, end=sides[1].span.end)
        if len(expr.ops) == 1:
            span = expr.span
        tests.append(_test(context, op, sides, (values[i], values[i + 1]), span))
    typed = [test for test in tests if test is not None]
    if len(typed) < len(tests):
        return None
    return reduce(lambda left, right: Logic(op=Connective.AND, left=left, right=right), typed)


class _Literal:
    """An operand that only its opposite gives a meaning: a quoted text, a list, a bare name."""


class _Failed:
    """An operand in which an error was reported."""


_LITERAL, _FAILED = _Literal(), _Failed()


def _operand(context: Context, expr: Expr) -> Value | _Literal | _Failed:
    if isinstance(expr, StringLiteral | ListLiteral) or _is_bare(context, expr):
        return _LITERAL
    value = context.infer(context, expr)
    return _FAILED if value is None else value


def _is_bare(context: Context, expr: Expr) -> bool:
    """Whether a name is no feature, attribute or named expression, so perhaps an enumerator."""
    name = hyphenated(expr)
    if name is None:
        return False
    first = name.split("-")[0]
    return (
        first not in FEATURES
        and first not in context.scope.features
        and first not in context.scope.beside(context.place)
    )


def _test(
    context: Context,
    op: str,
    sides: tuple[Expr, Expr],
    values: tuple[Value | _Literal | _Failed, Value | _Literal | _Failed],
    span: Span,
) -> Bool | None:
    left, right = values
    if isinstance(left, _Failed) or isinstance(right, _Failed):
        return None
    if isinstance(left, Subject):
        return _subject_test(context, op, left, sides[0], sides[1], span)
    if isinstance(right, Subject) and op in _FLIPPED:
        return _subject_test(context, _FLIPPED[op], right, sides[1], sides[0], span)
    if op in ("in", "starts_with"):
        _needs_text(context, op, left, sides[0])
        return None
    for value, side, other in ((left, sides[0], right), (right, sides[1], left)):
        if isinstance(value, _Literal):
            _without_subject(context, side, other)
            return None
    assert not isinstance(left, _Literal) and not isinstance(right, _Literal | Subject)
    if isinstance(left, Number) and isinstance(right, Number):
        return _number_test(context, Order(op), (left, right), sides, span)
    if not isinstance(left, Number) and not isinstance(right, Number):
        context.report(
            WRONG_OPERATOR,
            span,
            f"`{op}` does not compare booleans",
            "write the boolean itself, `not` before it, or `implies` between two",
        )
        return None
    context.report(
        TYPES_DIFFER,
        span,
        f"the left side is {describe(type_of(left))}, the right side is {describe(type_of(right))}",
        "`when(CONDITION, 1, 0)` makes a number of a boolean",
    )
    return None


def _needs_text(context: Context, op: str, left: Value | _Literal, side: Expr) -> None:
    if isinstance(left, _Literal):
        _without_subject(context, side, None)
        return
    assert not isinstance(left, Subject)
    found = describe(type_of(left))
    context.report(
        WRONG_OPERATOR,
        side.span,
        f"the left side of `{op}` must be text{'' if op != 'in' else ' or an enum'}, and this is "
        f"{found}",
        "compare numbers with `==`, `<` and their like" if isinstance(left, Number) else None,
    )


def _without_subject(context: Context, side: Expr, other: Value | _Literal | None) -> None:
    """Report an operand that would only mean something opposite text or an enum."""
    if isinstance(side, Ref):
        context.infer(context, side)  # reports the unknown name
        return
    what = "a list" if isinstance(side, ListLiteral) else "text in quotes"
    beside = (
        "no text or enum"
        if other is None or isinstance(other, _Literal)
        else describe(type_of(other))
    )
    context.report(TYPES_DIFFER, side.span, f"{what} stands opposite {beside}")


# -- numbers -----------------------------------------------------------------------------------


def _number_test(
    context: Context,
    op: Order,
    values: tuple[Number, Number],
    sides: tuple[Expr, Expr],
    span: Span,
) -> Bool | None:
    both = same_unit(context, *values, sides[0].span, sides[1].span)
    if both is None:
        return None
    left, right = both
    if not in_range(context, left, right, sides[1].span):
        return None
    if not in_range(context, right, left, sides[0].span):
        return None
    fixed = always(op, left, right)
    if fixed is not None and context.is_own(span):
        context.report(
            CONSTANT_ATOM,
            span,
            f"this is always {'true' if fixed else 'false'}: the left side is "
            f"{describe(left.type)}, the right side is {describe(right.type)}",
            "remove it, or correct the number",
        )
    return NumberTest(op=op, left=left, right=right, span=span)


def in_range(context: Context, read: Number, literal: Number, span: Span) -> bool:
    """Whether a literal compared with a feature lies in its range; else that is reported.

    The top of a range that saturates stands for "this or more", so no literal may reach it.
    """
    if not (isinstance(read, Reading) and isinstance(literal, Constant)):
        return True
    top = read.type.high
    if isinstance(read.type, IntType) and read.type.saturates:
        top -= 1
    if read.type.low <= literal.value <= top:
        return True
    is_fixed = isinstance(read.type, FixedType)
    text = decimal_text if is_fixed else str
    context.report(
        LITERAL_RANGE,
        span,
        f"{text(literal.value)} is outside {text(read.type.low)}..{text(top)}, "
        f"the range of {_called(read.leaf)}",
        "a count above the range is read as its top"
        if literal.value > top and top < read.type.high
        else None,
    )
    return False


def _called(leaf: Feature | Attribute) -> str:
    args = leaf.args if isinstance(leaf, Feature) else ()
    return shown(f"{leaf.name}({', '.join(args)})" if args else leaf.name)


def always(op: Order, left: Number, right: Number) -> bool | None:
    """What the ranges alone say of a comparison; None where they leave it open."""
    a, b = left.type, right.type
    match op:
        case Order.LT:
            return True if a.high < b.low else False if a.low >= b.high else None
        case Order.LE:
            return True if a.high <= b.low else False if a.low > b.high else None
        case Order.GT:
            return always(Order.LT, right, left)
        case Order.GE:
            return always(Order.LE, right, left)
        case Order.EQ:
            if a.high < b.low or a.low > b.high:
                return False
            return True if a.low == a.high == b.low == b.high else None
        case Order.NE:
            equal = always(Order.EQ, left, right)
            return None if equal is None else not equal


def quoted_hint(name: str) -> tuple[str, str]:
    """What is wrong with a name whose hyphens read as minus signs, and the way out."""
    return f"{shown(name)} reads as a subtraction", f'a name with `-` is quoted: "{name}"'


# -- strings and enums -------------------------------------------------------------------------


def _subject_test(
    context: Context, op: str, subject: Subject, side: Expr, other: Expr, span: Span
) -> Bool | None:
    match subject.leaf.type, subject.leaf:
        case EnumType() as enum, leaf:
            return _member_test(context, op, leaf, enum, other, span)
        case StringType() as string, Feature() as leaf:
            return _string_test(context, op, leaf, string, other, span)
        case _:
            raise AssertionError(f"{side} is neither text nor an enum")


def _member_test(
    context: Context, op: str, leaf: Feature | Attribute, enum: EnumType, other: Expr, span: Span
) -> Bool | None:
    allowed = ("==", "!=", "in") + (("<", "<=", ">", ">=") if enum.ordered else ())
    if op not in allowed:
        _wrong_operator(context, op, enum, allowed, span)
        return None
    items = _items(context, op, other)
    if items is None:
        return None
    found = [_enumerator(context, enum, item) for item in items]
    named = [member for member in found if member is not None]
    if len(named) < len(found) or _repeats(context, items, named):
        return None
    passing = tuple(m for m in enum.members if _passes(enum.members, m, op, named))
    if (
        len(passing) in (0, len(enum.members))
        and isinstance(leaf, Feature)
        and context.is_own(span)
    ):
        context.report(
            CONSTANT_ATOM,
            span,
            f"this is always {'true' if passing else 'false'}: `{leaf.name}` is one of "
            f"{listed(enum.members)}",
            "remove it",
        )
    return MemberTest(leaf=leaf, type=enum, members=passing, span=span)


def _passes(members: tuple[str, ...], member: str, op: str, named: list[str]) -> bool:
    at, bound = members.index(member), members.index(named[0])
    match op:
        case "==" | "in":
            return member in named
        case "!=":
            return member not in named
        case "<":
            return at < bound
        case "<=":
            return at <= bound
        case ">":
            return at > bound
        case _:
            return at >= bound


def _enumerator(context: Context, enum: EnumType, expr: Expr) -> str | None:
    match expr:
        case Ref(name=name) | StringLiteral(value=name):
            if name in enum.members:
                return name
            context.report(
                UNKNOWN_ENUMERATOR,
                expr.span,
                f"{shown(name)} is no value of {shown(enum.name)}",
                did_you_mean(name, enum.members, "known"),
                fix=nearest(expr.span, name, enum.members),
            )
        case Binary() if spelled := hyphenated(expr):
            context.report(
                UNKNOWN_ENUMERATOR,
                expr.span,
                *quoted_hint(spelled),
                fix=in_quotes(expr.span, spelled, enum.members),
            )
        case _:
            context.report(
                TYPES_DIFFER,
                expr.span,
                f"{shown(enum.name)} is compared with its own values: {listed(enum.members)}",
            )
    return None


def _string_test(
    context: Context, op: str, leaf: Feature, string: StringType, other: Expr, span: Span
) -> Bool | None:
    allowed = ("==", "!=", "in", "starts_with")
    if op not in allowed:
        _wrong_operator(context, op, string, allowed, span)
        return None
    if isinstance(other, Ref) and other.name == ABSENT and op in ("==", "!="):
        present = StringTest(leaf=leaf, type=string, op=StringOp.PRESENT, values=(), span=span)
        return Negation(operand=present) if op == "==" else present
    items = _items(context, op, other)
    if items is None:
        return None
    found = [_text(context, op, item) for item in items]
    values = [text for text in found if text is not None]
    if len(values) < len(found) or _repeats(context, items, values):
        return None
    if op == "starts_with" and not values[0]:
        context.report(
            ARGUMENT_VALUE,
            other.span,
            "every text starts with nothing",
            f"`{leaf.name}(...) != absent` tests that there is one",
        )
        return None
    test = StringTest(
        leaf=leaf,
        type=string,
        op=StringOp.STARTS if op == "starts_with" else StringOp.EQUALS,
        values=tuple(sorted(values)),
        span=span,
    )
    return Negation(operand=test) if op == "!=" else test


def _text(context: Context, op: str, expr: Expr) -> str | None:
    if isinstance(expr, StringLiteral):
        text = normal_text(expr.value)
        # Blanks that end the beginning of a text do not end the text.
        inner = len(expr.value) - len(expr.value.rstrip(_BLANKS))
        return text + expr.value[-inner:] if op == "starts_with" and text and inner else text
    help = None
    if isinstance(expr, Ref) and expr.name == ABSENT:
        # In quotes it would be a text that a client can send.
        help = 'only `==` and `!=` test it: `header("x") == absent or ...`'
    elif isinstance(expr, Ref | Call | IntLiteral) and '"' not in expr.span.text:
        help = f'write `"{expr.span.text}"`'
    context.report(TYPES_DIFFER, expr.span, "text is compared with text in quotes only", help)
    return None


def normal_text(text: str) -> str:
    """Text as tests see it: ASCII letters folded to lower case, blanks trimmed.

    >>> normal_text(" Legal\\t"), normal_text("Ä")
    ('legal', 'Ä')
    """
    return "".join(c.lower() if c.isascii() else c for c in text.strip(_BLANKS))


def _items(context: Context, op: str, other: Expr) -> tuple[Expr, ...] | None:
    """The literals on the right: the items of a list after `in`, else the operand itself."""
    if op != "in":
        if isinstance(other, ListLiteral):
            context.report(
                BAD_LIST, other.span, f"`{op}` takes one value, not a list", "`in` takes a list"
            )
            return None
        return (other,)
    if not isinstance(other, ListLiteral):
        context.report(BAD_LIST, other.span, "`in` takes a list", f"write `[{other.span.text}]`")
        return None
    if not other.items:
        context.report(BAD_LIST, other.span, "nothing is in an empty list", "name its values")
        return None
    return other.items


def _repeats(context: Context, items: tuple[Expr, ...], values: list[str]) -> bool:
    """Whether a value stands twice in a list; that is reported."""
    seen: set[str] = set()
    for item, value in zip(items, values, strict=True):
        if value in seen:
            context.report(
                BAD_LIST, item.span, f"{shown(value)} stands twice in the list", "remove one"
            )
            return True
        seen.add(value)
    return False


def _wrong_operator(
    context: Context,
    op: str,
    type_: EnumType | StringType,
    allowed: tuple[str, ...],
    span: Span,
) -> None:
    context.report(
        WRONG_OPERATOR,
        span,
        f"`{op}` does not apply to {describe(type_)}",
        f"use {listed(allowed)}",
    )
