"""Guards and integer expressions of the RouteTable: what a request is asked, in slots and literals.

Every leaf is a slot of the feature vector or a constant, so a guard can be interpreted, printed as
Python, or handed to a solver without any further look-up. Sugar (chained comparison, named
features, ``implies``, ``clamp``) is gone. After ``normalize_guards`` a `Not` stands only on a
`BoolSlot` (negation normal form) and `And`/`Or` are flat with at least two operands.

An atom's `span` is where it was written, None where nobody wrote it; passes may lose it.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import NewType, TypeAlias, final

from lynkrc.source.text import Span

SlotId = NewType("SlotId", int)
"""Index into the feature vector."""


class Compare(Enum):
    """Comparison of two integers."""

    EQ = "=="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


# -- integers --------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IntConst:
    """A literal, in the unit of its context (fixed-point features count 1/64)."""

    value: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IntSlot:
    """The value of an integer or fixed-point slot."""

    slot: SlotId


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IntSum:
    """The sum of the terms (at least two)."""

    terms: tuple["IntExpr", ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IntScale:
    """A constant factor times a term."""

    factor: int
    term: "IntExpr"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IntMin:
    """The least of the operands (at least two)."""

    operands: tuple["IntExpr", ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IntMax:
    """The greatest of the operands (at least two)."""

    operands: tuple["IntExpr", ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IntSelect:
    """`then` where `condition` holds, else `otherwise`."""

    condition: "Guard"
    then: "IntExpr"
    otherwise: "IntExpr"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IntSteps:
    """The value of the last pair (threshold, value) with threshold <= x; 0 below the first.

    Thresholds rise strictly.
    """

    x: "IntExpr"
    pairs: tuple[tuple[int, int], ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IntRamp:
    """0 at or below `low`, 100 at or above `high`, else floor(100 (x - low) / (high - low))."""

    x: "IntExpr"
    low: int
    high: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IntSaturate:
    """min(100, floor(100 x / full)), `full` > 0; 0 for negative x."""

    x: "IntExpr"
    full: int


IntExpr: TypeAlias = (
    IntConst
    | IntSlot
    | IntSum
    | IntScale
    | IntMin
    | IntMax
    | IntSelect
    | IntSteps
    | IntRamp
    | IntSaturate
)

# -- booleans --------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BoolConst:
    """Always or never."""

    value: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BoolSlot:
    """A boolean slot is 1."""

    slot: SlotId
    span: Span | None = field(default=None, compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IntCompare:
    """`left` op `right`."""

    op: Compare
    left: IntExpr
    right: IntExpr
    span: Span | None = field(default=None, compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTest:
    """The class of a string or enum slot is one of these (sorted, distinct indices)."""

    slot: SlotId
    classes: tuple[int, ...]
    span: Span | None = field(default=None, compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """The operand does not hold."""

    operand: "Guard"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class And:
    """All operands hold."""

    operands: tuple["Guard", ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Or:
    """Some operand holds."""

    operands: tuple["Guard", ...]


Guard: TypeAlias = BoolConst | BoolSlot | IntCompare | ClassTest | Not | And | Or

ALWAYS = BoolConst(value=True)
NEVER = BoolConst(value=False)
