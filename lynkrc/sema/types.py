"""The types of the expression language, each with its range, and how they are named to people.

Ranges are inclusive. A fixed-point type counts 1/64, like its values everywhere after `sema`.

>>> describe(IntType(low=0, high=255))
'an integer 0..255'
>>> describe(FixedType(low=-64, high=96))
'a fixed-point number -1..1.5'
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import TypeAlias, final

from lynkrc_runtime.feature_table import FIXED_UNIT

TRUST_LEVELS: tuple[str, ...] = ("local", "internal", "cloud")
"""The trust levels of a spec that names none, from the most to the least trusted."""

_EXACT = Context(prec=2_000)
"""Takes more digits than a float has, or text that is read as a number."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BoolType:
    """True or false."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class IntType:
    """An integer. `saturates`: a feature whose top means "this or more"."""

    low: int
    high: int
    saturates: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class FixedType:
    """A number counted in 1/64; the bounds are in 1/64 too."""

    low: int
    high: int


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class StringType:
    """Text that can only be tested against literals; `name` says which, for messages."""

    name: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class EnumType:
    """One of the members; `ordered` enums rise from the first to the last."""

    name: str
    members: tuple[str, ...]
    ordered: bool = False


Type: TypeAlias = BoolType | IntType | FixedType | StringType | EnumType
NumberType: TypeAlias = IntType | FixedType


def describe(type_: Type) -> str:
    """The type in words."""
    match type_:
        case BoolType():
            return "a boolean"
        case IntType(low=low, high=high):
            return f"the integer {low}" if low == high else f"an integer {low}..{high}"
        case FixedType(low=low, high=high):
            return f"a fixed-point number {decimal_text(low)}..{decimal_text(high)}"
        case StringType(name=name):
            return f"text ({name})"
        case EnumType(name=name):
            return f"an enumerator of {name}"


def like(type_: NumberType, low: int, high: int) -> NumberType:
    """A number type of the same unit with these bounds; no result of a computation saturates."""
    return (FixedType if isinstance(type_, FixedType) else IntType)(low=low, high=high)


def decimal_text(value64: int) -> str:
    """A number of 64ths as decimal text, without trailing zeros (64ths end after six digits)."""
    scaled = Fraction(abs(value64), FIXED_UNIT) * 10**6
    whole, rest = divmod(int(scaled), 10**6)
    text = f"{whole}.{rest:06}".rstrip("0").rstrip(".")
    return f"-{text}" if value64 < 0 else text


def to_64ths(number: float | str) -> int:
    """A number as written to 1/64, nearest, ties away from zero.

    A float is taken as the shortest decimal that reads back as it, which is what was written.

    >>> to_64ths(0.1), to_64ths("-0.0078125"), to_64ths(12)
    (6, -1, 768)
    """
    text = number if isinstance(number, str) else repr(number)
    return int(_EXACT.multiply(Decimal(text), FIXED_UNIT).to_integral_value(ROUND_HALF_UP))
