"""Typed expressions: names resolved, ranges known, what only abbreviates written out.

Chained comparisons are split, `clamp` is a `Least` of a `Greatest`, named expressions stand where
their names stood; `implies` is kept. Enumerator tests are the set of members that pass. Numbers of
one fixed-point expression all count 1/64. Spans point at what an atom was written as.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias, final

from lynkrc.sema.types import EnumType, IntType, NumberType, StringType, Type
from lynkrc.source.text import Span

# -- leaves ----------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A feature of the request; `args` are its text and lexicon, or its literal."""

    name: str
    args: tuple[str, ...]
    type: Type
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A fact of the target under test (``target.trust``); only in requirements."""

    name: str
    type: Type
    span: Span = field(compare=False, repr=False)


Leaf: TypeAlias = Feature | Attribute

# -- numbers ---------------------------------------------------------------------------------


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A literal."""

    value: int
    type: NumberType


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The value of a numeric leaf."""

    leaf: Leaf
    type: NumberType


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """The sum of two terms."""

    left: "Number"
    right: "Number"
    type: NumberType


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """A constant times a term."""

    factor: int
    term: "Number"
    type: NumberType


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Least:
    """``min`` of at least two operands."""

    operands: tuple["Number", ...]
    type: NumberType


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Greatest:
    """``max`` of at least two operands."""

    operands: tuple["Number", ...]
    type: NumberType


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """``when(condition, then, otherwise)``."""

    condition: "Bool"
    then: "Number"
    otherwise: "Number"
    type: NumberType


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The value of the last pair whose threshold is at most `x`; thresholds in the unit of `x`."""

    x: "Number"
    pairs: tuple[tuple[int, int], ...]
    type: IntType


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """0 up to `low`, 100 from `high`, straight between; bounds in the unit of `x`."""

    x: "Number"
    low: int
    high: int
    type: IntType


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Saturate:
    """``100 x / full`` up to 100; `full` in the unit of `x`."""

    x: "Number"
    full: int
    type: IntType


Number: TypeAlias = (
    Constant | Reading | Sum | Scaled | Least | Greatest | Choice | Steps | Ramp | Saturate
)

# -- booleans --------------------------------------------------------------------------------


class Order(Enum):
    """How two numbers compare."""

    EQ = "=="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


class Connective(Enum):
    """How two booleans combine."""

    AND = "and"
    OR = "or"
    IMPLIES = "implies"


class StringOp(Enum):
    """How a string is tested; an absent string passes none of these."""

    EQUALS = "equals one of"
    STARTS = "starts with one of"
    PRESENT = "is present"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Always or never."""

    value: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A boolean leaf holds."""

    leaf: Leaf


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Negation:
    """The operand does not hold."""

    operand: "Bool"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Logic:
    """Two booleans combined."""

    op: Connective
    left: "Bool"
    right: "Bool"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class NumberTest:
    """`left` op `right`; both sides count the same unit."""

    op: Order
    left: Number
    right: Number
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class MemberTest:
    """The enumerator a leaf holds is one of `members` (in the order of its type)."""

    leaf: Leaf
    type: EnumType
    members: tuple[str, ...]
    span: Span = field(compare=False, repr=False)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class StringTest:
    """A string against literals: ASCII-folded, trimmed, sorted."""

    leaf: Feature
    type: StringType
    op: StringOp
    values: tuple[str, ...]
    span: Span = field(compare=False, repr=False)


Bool: TypeAlias = Truth | Flag | Negation | Logic | NumberTest | MemberTest | StringTest

TypedExpr: TypeAlias = Bool | Number

ALWAYS = Truth(value=True)
NEVER = Truth(value=False)
