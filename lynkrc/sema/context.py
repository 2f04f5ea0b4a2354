"""What the typing rules share: the scope, the findings so far, and the way back to `infer`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias, final

from lynkrc.diagnostics.model import Code, Diagnostic, Fix, Label
from lynkrc.diagnostics.sema_codes import (
    DECIMAL,
    NUMBER_TOO_LARGE,
    TYPES_DIFFER,
    WRONG_TYPE,
)
from lynkrc.sema.scope import Place, Scope
from lynkrc.sema.typed import (
    Attribute,
    Bool,
    Constant,
    Feature,
    Flag,
    Number,
    Reading,
    TypedExpr,
)
from lynkrc.sema.types import (
    BoolType,
    EnumType,
    FixedType,
    IntType,
    NumberType,
    StringType,
    Type,
    describe,
)
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.expr import Expr
from lynkrc_runtime.feature_table import FIXED_UNIT

LARGEST = 2**53
"""Greatest magnitude an integer expression may reach, so that 64 bits hold every result."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A string or enum leaf, before it is tested against something."""

    leaf: Feature | Attribute


Value: TypeAlias = TypedExpr | Subject


def type_of(value: Value) -> Type:
    """The type of an inferred value."""
    if isinstance(value, Subject):
        return value.leaf.type
    return value.type if isinstance(value, Number) else BoolType()


@final
@dataclass(slots=True, kw_only=True)
class Context:
    """One spec being typed, at the moment at `place`."""

    scope: Scope
    own: SourceFile
    infer: Callable[["Context", Expr], Value | None]
    place: Place = Place.GUARD
    findings: list[Diagnostic] = field(default_factory=list)
    read_lexicons: set[str] = field(default_factory=set)
    read_features: set[str] = field(default_factory=set)

    def report(
        self,
        code: Code,
        span: Span,
        message: str,
        help: str | None = None,
        labels: tuple[Label, ...] = (),
        fix: Fix | None = None,
    ) -> None:
        """Add a finding."""
        self.findings.append(
            Diagnostic(code=code, message=message, span=span, help=help, labels=labels, fix=fix)
        )

    def is_own(self, span: Span) -> bool:
        """Whether a span lies in the file being compiled; advice is given on that alone."""
        return span.file is self.own


def number(context: Context, expr: Expr, place: str) -> Number | None:
    """`expr` as a number; `place` says for what, in the message."""
    value = context.infer(context, expr)
    if value is None or isinstance(value, Number):
        return value
    _wrong(context, expr, place, "a number", value)
    return None


def boolean(context: Context, expr: Expr, place: str) -> Bool | None:
    """`expr` as a boolean; `place` says for what, in the message."""
    value = context.infer(context, expr)
    if value is None:
        return None
    if isinstance(value, Subject | Number):
        _wrong(context, expr, place, "a boolean", value)
        return None
    return value


def _wrong(context: Context, expr: Expr, place: str, wanted: str, found: Value) -> None:
    help = None
    if wanted == "a boolean":
        other = "a number" if isinstance(found, Number) else "something"
        help = f"compare it with {other}"
    elif isinstance(type_of(found), BoolType):
        help = "`when(CONDITION, 1, 0)` makes a number of a boolean"
    context.report(
        WRONG_TYPE,
        expr.span,
        f"{place} must be {wanted}, and this is {describe(type_of(found))}",
        help,
    )


def same_unit(
    context: Context, left: Number, right: Number, left_span: Span, right_span: Span
) -> tuple[Number, Number] | None:
    """Both numbers in one unit: an integer constant opposite a fixed-point number counts 1/64."""
    left_fixed, right_fixed = isinstance(left.type, FixedType), isinstance(right.type, FixedType)
    if left_fixed == right_fixed:
        return left, right
    if left_fixed and isinstance(right, Constant):
        return left, in_64ths(right)
    if right_fixed and isinstance(left, Constant):
        return in_64ths(left), right
    for decimal, other, span in ((left, right, left_span), (right, left, right_span)):
        if isinstance(decimal, Constant) and isinstance(decimal.type, FixedType):
            context.report(
                DECIMAL,
                span,
                f"a number with a fraction stands beside {describe(other.type)}",
                "only `points(TEXT, LEXICON)` has fractions; write a whole number",
            )
            return None
    context.report(
        TYPES_DIFFER,
        Span(file=left_span.file, start=left_span.start, end=right_span.end),
        f"the left side is {describe(left.type)}, the right side is {describe(right.type)}",
        "shape the fixed-point side with `steps` or `ramp`, which give integers",
    )
    return None


def in_64ths(constant: Constant) -> Constant:
    """An integer constant as a fixed-point one."""
    value = constant.value * FIXED_UNIT
    return Constant(value=value, type=FixedType(low=value, high=value))


def bounded(context: Context, span: Span, type_: NumberType) -> bool:
    """Whether every value of the type is small enough; else that is reported."""
    if max(abs(type_.low), abs(type_.high)) <= LARGEST:
        return True
    context.report(
        NUMBER_TOO_LARGE,
        span,
        f"this can reach {max(abs(type_.low), abs(type_.high)):,}, more than 2^53",
        "clamp a part of it, or use smaller factors",
    )
    return False


def of_type(leaf: Feature | Attribute) -> Value:
    """A leaf as the value its type makes it."""
    match leaf.type:
        case BoolType():
            return Flag(leaf=leaf)
        case IntType() | FixedType():
            return Reading(leaf=leaf, type=leaf.type)
        case StringType() | EnumType():
            return Subject(leaf=leaf)
