"""An untyped expression to a typed one: the dispatch over its nodes, names and connectives.

Every function returns None where an error was reported, so one mistake gives one finding.
Comparisons are typed in `comparisons`, functions in `shaping`.
"""

from dataclasses import dataclass, field
from typing import assert_never, final

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.sema_codes import (
    ARGUMENT_COUNT,
    EXPRESSION_TOO_LARGE,
    PRODUCT,
    RECURSIVE_FEATURE,
    TARGET_PLACE,
    UNKNOWN_NAME,
    WRONG_TYPE,
)
from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import shown
from lynkrc.sema import comparisons, leaves, shaping
from lynkrc.sema.budget import LARGEST_EXPRESSION, LARGEST_SPEC, Budget, Extent
from lynkrc.sema.context import (
    Context,
    Subject,
    Value,
    boolean,
    bounded,
    number,
    of_type,
    same_unit,
)
from lynkrc.sema.naming import nearest
from lynkrc.sema.scope import (
    DECIDED,
    FUNCTIONS,
    LexiconFacts,
    Place,
    Scope,
    usage,
)
from lynkrc.sema.typed import (
    Attribute,
    Bool,
    Connective,
    Constant,
    Feature,
    Flag,
    Logic,
    Negation,
    Number,
    Reading,
    Scaled,
    Sum,
    Truth,
)
from lynkrc.sema.types import (
    FixedType,
    IntType,
    NumberType,
    like,
    to_64ths,
)
from lynkrc.sema.unknown import report_unknown
from lynkrc.source.text import SourceFile, Span
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
from lynkrc.syntax.parse import MAX_DEPTH
from lynkrc_runtime.feature_table import FEATURES, Parameter

_BESIDE = frozenset(name.split(".")[0] for name in ("target", *DECIDED))
"""What the names begin with that are read beside the request."""

_CONNECTIVES = {op.value: op for op in Connective}


@final
@dataclass(slots=True)
class Checker:
    """Types the expressions of one spec; named expressions are typed once, when first met."""

    scope: Scope
    own: SourceFile
    _context: Context = field(init=False)
    _named: dict[str, tuple[Value | None, Extent]] = field(init=False, default_factory=dict)
    _reads: dict[str, tuple[set[str], set[str]]] = field(init=False, default_factory=dict)
    _open: list[str] = field(init=False, default_factory=list)
    _budget: Budget = field(init=False, default_factory=Budget)

    def __post_init__(self) -> None:
        """Make the context the typing rules share."""
        self._context = Context(scope=self.scope, own=self.own, infer=self._infer)

    @property
    def findings(self) -> list[Diagnostic]:
        """What was found so far."""
        return self._context.findings

    def used(self) -> tuple[set[str], set[str]]:
        """Features and lexicons that guards, requirements and dimensions read, also indirectly."""
        features: set[str] = set()
        lexicons = set(self._context.read_lexicons)
        waiting = set(self._context.read_features)
        while waiting:
            name = waiting.pop()
            features.add(name)
            read_features, read_lexicons = self._reads.get(name, (set(), set()))
            lexicons |= read_lexicons
            waiting |= read_features - features
        return features, lexicons

    def guard(self, expr: Expr) -> Bool | None:
        """The expression as a condition on requests."""
        guard = boolean(self._context, expr, "a condition")
        return guard if self._affordable(expr, 1) else None

    def requirement(self, expr: Expr) -> Bool | None:
        """The expression as a condition on requests and a target."""
        requirement = self._boolean(expr, Place.REQUIREMENT, "a requirement")
        return requirement if self._affordable(expr, len(self.scope.targets)) else None

    def assertion(self, expr: Expr) -> Bool | None:
        """The expression as a condition on requests, a target and the decision."""
        asserted = self._boolean(expr, Place.ASSERTION, "what is asserted")
        return asserted if self._affordable(expr, 1) else None

    def leaf(self, expr: Expr, place: str) -> Feature | None:
        """The expression as one feature of the request with a number; `place` says for what."""
        value = self._infer(self._context, expr)
        if not self._affordable(expr, 1):
            return None
        match value:
            case None:
                return None
            case Reading(leaf=Feature() as leaf) | Flag(leaf=Feature() as leaf):
                return leaf
            case _:
                self._context.report(
                    WRONG_TYPE,
                    expr.span,
                    f"{place} must be one numeric feature, as `context.tokens`",
                    "write the feature itself, not a name or an expression of yours",
                )
                return None

    def _boolean(self, expr: Expr, place: Place, what: str) -> Bool | None:
        self._context.place = place
        try:
            return boolean(self._context, expr, what)
        finally:
            self._context.place = Place.GUARD

    def value(self, expr: Expr) -> Number | None:
        """The expression as the value of a dimension."""
        value = number(self._context, expr, "the value of a dimension")
        if value is not None and isinstance(value.type, FixedType):
            self._context.report(
                WRONG_TYPE,
                expr.span,
                "the value of a dimension must be an integer, and this has fractions",
                "shape it with `steps` or `ramp`, or write `terms:` to add the points unscaled",
            )
            return None
        return value if self._affordable(expr, 1) else None

    def _affordable(self, expr: Expr, times: int) -> bool:
        """Count an expression that is worked on `times` over; False where it is too much."""
        fits = self._budget.spend(times)
        if fits is False:
            self._context.report(
                EXPRESSION_TOO_LARGE,
                expr.span,
                f"with this, all expressions come to over {LARGEST_SPEC:,} parts: features are "
                "written out, requirements once a target",
                "this and what follows is not checked; let fewer rules use large features",
            )
        return bool(fits)

    def lexicon(self, name: str, span: Span) -> LexiconFacts | None:
        """The lexicon of this name, noted as used."""
        return leaves.lexicon(self._context, name, span)

    def named(self, name: str) -> Value | None:
        """The value of a named expression."""
        return self._resolve_named(name)[0]

    def _resolve_named(self, name: str) -> tuple[Value | None, Extent]:
        known = self._named.get(name)
        if known is not None:
            return known
        definition = self.scope.features[name]
        if name in self._open:
            circle = [*self._open[self._open.index(name) :], name]
            self._context.report(
                RECURSIVE_FEATURE,
                definition.name.span,
                f"the feature {shown(name)} is defined by itself: {' -> '.join(circle)}",
                "write one of them without the others",
            )
            return None, Extent()
        context = self._context
        outer = self._budget.begin_part()
        outer_place, context.place = context.place, Place.GUARD
        outer_reads = context.read_features, context.read_lexicons
        self._reads[name] = (set(), set())
        context.read_features, context.read_lexicons = self._reads[name]
        self._open.append(name)
        value = self._infer(context, definition.expression)
        self._open.pop()
        if isinstance(value, Subject):
            context.report(
                WRONG_TYPE,
                definition.expression.span,
                f"a feature must be a boolean or a number, and {shown(name)} is text",
                'test it here, as in `client == codex` or `header("x") == "y"`',
            )
            value = None
        context.place = outer_place
        context.read_features, context.read_lexicons = outer_reads
        self._named[name] = (value, self._budget.end_part(outer))
        return self._named[name]

    def _infer(self, context: Context, expr: Expr) -> Value | None:
        self._budget.enter()
        value = None
        if self._is_shallow(expr):
            value = self._infer_one(context, expr)
        self._budget.leave()
        return value

    def _is_shallow(self, expr: Expr) -> bool:
        if self._budget.deepest <= MAX_DEPTH:
            return True
        self._budget.deepest = self._budget.level  # reported once
        self._context.report(
            EXPRESSION_TOO_LARGE,
            expr.span,
            f"with its features written out, this nests deeper than {MAX_DEPTH} levels",
            "let fewer features build on one another",
        )
        return False

    def _infer_one(self, context: Context, expr: Expr) -> Value | None:
        match expr:
            case IntLiteral(value=value):
                type_: NumberType = IntType(low=value, high=value)
                return Constant(value=value, type=type_) if self._fits(expr, type_) else None
            case DecimalLiteral(text=text):
                value = to_64ths(text)
                type_ = FixedType(low=value, high=value)
                return Constant(value=value, type=type_) if self._fits(expr, type_) else None
            case BoolLiteral(value=truth):
                return Truth(value=truth)
            case StringLiteral():
                self._misplaced(expr, "text in quotes stands only opposite text or an enum")
                return None
            case ListLiteral():
                self._misplaced(expr, "a list stands only after `in` and in `steps`")
                return None
            case Ref():
                return self._reference(expr)
            case Call():
                return self._call(expr)
            case Unary(op="not"):
                operand = boolean(context, expr.operand, "the operand of `not`")
                return None if operand is None else Negation(operand=operand)
            case Unary():
                return self._minus(expr)
            case Binary(op="*"):
                return self._product(expr)
            case Binary(op="+" | "-"):
                return self._sum(expr)
            case Binary():
                return self._logic(expr)
            case Comparison():
                return comparisons.compare(context, expr)
            case _:
                assert_never(expr)

    def _misplaced(self, expr: Expr, message: str) -> None:
        self._context.report(WRONG_TYPE, expr.span, message)

    def _fits(self, expr: Expr, type_: NumberType) -> bool:
        return bounded(self._context, expr.span, type_)

    # -- names -------------------------------------------------------------------------------

    def _reference(self, ref: Ref) -> Value | None:
        feature = FEATURES.get(ref.name)
        if feature is not None:
            if feature.parameter is not Parameter.NONE:
                self._context.report(
                    ARGUMENT_COUNT,
                    ref.span,
                    f"{shown(ref.name)} needs an argument",
                    f"write `{usage(feature)}`",
                )
                return None
            return leaves.leaf(self._context, feature, (), ref.span)
        # Made of all names each time: looked at only where the name can be one of them.
        stem = ref.name.split(".", maxsplit=1)[0]
        attributes = self.scope.beside(self._context.place) if stem in _BESIDE else {}
        if ref.name in attributes:
            if self._context.place is Place.GUARD:
                self._context.report(
                    TARGET_PLACE,
                    ref.span,
                    f"{shown(ref.name)} has no value here: targets are chosen after the guards",
                    "a rule's `require` and assertions read it",
                )
                return None
            return of_type(Attribute(name=ref.name, type=attributes[ref.name], span=ref.span))
        if ref.name in self.scope.features:
            return self._use(ref)
        report_unknown(self._context, ref.name, ref.span)
        return None

    def _use(self, ref: Ref) -> Value | None:
        value, extent = self._resolve_named(ref.name)
        self._context.read_features.add(ref.name)
        self._budget.use(extent)
        if value is None or not self._is_shallow(ref):
            return None
        if self._budget.size > LARGEST_EXPRESSION:
            self._context.report(
                EXPRESSION_TOO_LARGE,
                ref.span,
                f"with its features written out, this has over {LARGEST_EXPRESSION:,} parts",
                "let fewer features refer to one another",
            )
            self._budget.size = 0
            return None
        return value

    def _call(self, call: Call) -> Value | None:
        if call.name in FUNCTIONS:
            return shaping.apply(self._context, call)
        feature = FEATURES.get(call.name)
        if feature is None:
            known = [*FUNCTIONS, *(f.name for f in FEATURES.values() if f.parameter.name != "NONE")]
            self._context.report(
                UNKNOWN_NAME,
                call.name_span,
                f"there is no function {shown(call.name)}",
                did_you_mean(call.name, known, "functions"),
                fix=nearest(call.name_span, call.name, known),
            )
            return None
        match feature.parameter:
            case Parameter.TEXT_AND_LEXICON:
                return leaves.over_lexicon(self._context, feature, call)
            case Parameter.LITERAL:
                return leaves.of_literal(self._context, feature, call)
            case Parameter.NONE:
                self._context.report(
                    ARGUMENT_COUNT,
                    call.span,
                    f"{shown(call.name)} takes no arguments",
                    f"write `{call.name}`",
                )
                return None

    # -- connectives and arithmetic ----------------------------------------------------------

    def _logic(self, expr: Binary) -> Bool | None:
        left = boolean(self._context, expr.left, f"the left side of `{expr.op}`")
        right = boolean(self._context, expr.right, f"the right side of `{expr.op}`")
        if left is None or right is None:
            return None
        return Logic(op=_CONNECTIVES[expr.op], left=left, right=right)

    def _minus(self, expr: Unary) -> Number | None:
        operand = number(self._context, expr.operand, "the operand of `-`")
        return None if operand is None else scaled(-1, operand)

    def _sum(self, expr: Binary) -> Number | None:
        left = number(self._context, expr.left, f"the left side of `{expr.op}`")
        right = number(self._context, expr.right, f"the right side of `{expr.op}`")
        if left is None or right is None:
            return None
        both = same_unit(self._context, left, right, expr.left.span, expr.right.span)
        if both is None:
            return None
        first, second = both[0], both[1] if expr.op == "+" else scaled(-1, both[1])
        low, high = first.type.low + second.type.low, first.type.high + second.type.high
        type_ = like(first.type, low, high)
        if not self._fits(expr, type_):
            return None
        if isinstance(first, Constant) and isinstance(second, Constant):
            return Constant(value=first.value + second.value, type=type_)
        return Sum(left=first, right=second, type=type_)

    def _product(self, expr: Binary) -> Number | None:
        left = number(self._context, expr.left, "the left side of `*`")
        right = number(self._context, expr.right, "the right side of `*`")
        if left is None or right is None:
            return None
        if not isinstance(left, Constant):
            left, right = right, left
        if not isinstance(left, Constant) or not isinstance(left.type, IntType):
            what = (
                "the constant side has a fraction"
                if isinstance(left, Constant)
                else ("neither side is a constant")
            )
            self._context.report(
                PRODUCT,
                expr.span,
                f"one side of `*` must be a whole number: {what}",
                "expressions are linear; `steps` and `ramp` bend them",
            )
            return None
        product = scaled(left.value, right)
        return product if self._fits(expr, product.type) else None


def scaled(factor: int, term: Number) -> Number:
    """`factor` times `term`, folded where that is a constant."""
    ends = sorted((factor * term.type.low, factor * term.type.high))
    type_ = like(term.type, *ends)
    if isinstance(term, Constant):
        return Constant(value=factor * term.value, type=type_)
    return Scaled(factor=factor, term=term, type=type_)
