"""The text of a plain scalar to its value by YAML 1.2's core schema, and the traps of YAML 1.1.

A plain scalar that the two versions of YAML read differently is never guessed at: `trap` says so,
and the caller makes it an error.

>>> resolve_plain("12"), resolve_plain("1.5"), resolve_plain("true"), resolve_plain("128k")
(12, 1.5, True, '128k')
>>> trap("010").old
'an octal number'
"""

import re
from dataclasses import dataclass
from typing import TypeAlias, final

Value: TypeAlias = str | int | float | bool | None

EXACT = 2**53 - 1
"""Greatest magnitude of a number: what JSON and a double carry exactly."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """How YAML 1.1 (`old`) and YAML 1.2 (`new`) read one plain scalar."""

    old: str
    new: str


_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

_DATE = r"\d{4}-\d\d?-\d\d?"
_TIME = r"(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::?\d\d)?))?"

# The first row that matches the whole scalar holds. Possessive repetitions keep a long scalar that
# matches no row from being tried at each of its characters.
_TRAPS: tuple[tuple[re.Pattern[str], Trap], ...] = tuple(
    (re.compile(pattern), Trap(old=old, new=new))
    for pattern, old, new in (
        ("y|Y|yes|Yes|YES|on|On|ON", "true", "text"),
        ("n|N|no|No|NO|off|Off|OFF", "false", "text"),
        (r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?", "a number to base 60", "text"),
        (r"[-+]?0b[01_]+", "a binary number", "text"),
        (r"[-+]0x[0-9a-fA-F_]+|0x[0-9a-fA-F]*+_[0-9a-fA-F_]*+", "a hexadecimal number", "text"),
        (r"[-+]?[0-9.][0-9.]*+_[0-9_.]*+(?:[eE][-+]?[0-9]+)?", "a number", "text"),
        (r"[-+]?0[0-7]+", "an octal number", "a decimal number"),
        (r"[-+]?0[0-9]+", "text", "a decimal number"),
        (r"0o[0-7]+", "text", "an octal number"),
        (r"[-+]?[0-9]+[eE][-+]?[0-9]+", "text", "a number"),
        (r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)[eE][0-9]+", "text", "a number"),
        (r"[-+]\.[0-9]+(?:[eE][-+]?[0-9]+)?", "text", "a number"),
        (f"{_DATE}(?:{_TIME})?", "a date", "text"),
        ("=", "a default value", "text"),
        ("<<", "a merge", "text"),
    )
)


# What every row begins with, and what every number does.
_SUSPECT = re.compile(r"[-+.0-9=<]|(?:yes|no|on|off|[yn])\Z", re.IGNORECASE)
_NUMERIC = re.compile(r"[-+.0-9]")


def trap(text: str) -> Trap | None:
    """The two readings of a plain scalar where YAML 1.1 and 1.2 differ, else None."""
    if not _SUSPECT.match(text):
        return None
    for pattern, found in _TRAPS:
        if pattern.fullmatch(text):
            return found
    return None


def resolve_plain(text: str) -> Value:
    """The value of a plain scalar that is no trap; anything not null, boolean or number is text.

    Infinity and NaN come back as the float; a whole number beyond `EXACT` as infinity, so that no
    digit is lost in silence. `is_usable` tells them apart.
    """
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if not _NUMERIC.match(text):
        return text
    for pattern, base in ((_DECIMAL, 10), (_OCTAL, 8), (_HEX, 16)):
        if pattern.fullmatch(text):
            # Longer than any exact number, and int() itself refuses thousands of digits.
            number = int(text, base) if len(text) <= 64 else EXACT + 1
            return number if abs(number) <= EXACT else float("inf")
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", "", 1))
    return text


def is_usable(value: Value) -> bool:
    """False for a number that is infinite, not a number, or too large to be exact."""
    return not isinstance(value, float) or abs(value) <= EXACT
