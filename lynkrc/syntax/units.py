"""Numbers written with a unit to exact numbers: durations, sizes in bytes, counts.

What the patterns of the routing schema let through is expected; what is out of range is None.

>>> seconds("1.5h"), byte_count("32MiB"), count("1.5k", 10_000)
(Fraction(5400, 1), 33554432, 1500)
>>> seconds("400d") is None
True
"""

from fractions import Fraction

LONGEST = 31_536_000
"""Most seconds of a duration: 365 days."""

MOST_BYTES = 1 << 40
"""Largest size in bytes: 1024 GiB."""

MOST = 10**12
"""Largest count that is no number of tokens of one request."""

MOST_TOKENS = 16_777_214
"""Largest number of tokens of one request."""

_SECONDS = {
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86_400),
}
_BYTES = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_THOUSANDS = {"k": 1_000, "M": 1_000_000}

_LONG = 40
"""Nothing in range has more characters, unless it has idle zeros."""


def seconds(text: str) -> Fraction | None:
    """A duration such as ``500ms`` in seconds: more than 0, at most `LONGEST`."""
    number = text.rstrip("mshd")
    value = _number(number) * _SECONDS[text.removeprefix(number)]
    return value if 0 < value <= LONGEST else None


def byte_count(text: str) -> int | None:
    """A size such as ``64KiB`` in bytes: at least 1, at most `MOST_BYTES`."""
    value = _number(text[:-3]) * _BYTES[text[-3:]]
    return int(value) if 1 <= value <= MOST_BYTES else None


def count(text: str, most: int) -> int | None:
    """A whole number such as ``1.5k``: at least 1, at most `most`."""
    value = _number(text[:-1]) * _THOUSANDS[text[-1]]
    return int(value) if value.denominator == 1 and 1 <= value <= most else None


def _number(text: str) -> Fraction:
    return Fraction(text) if len(text) < _LONG else Fraction(0)
