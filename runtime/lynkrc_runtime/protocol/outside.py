"""Values as others may send them, to values we can count on.

>>> tokens({"n": 3}, "n"), tokens({"n": True}, "n"), tokens({"n": -1}, "n"), tokens({}, "n")
(3, None, None, None)
>>> tokens({"n": 1 << 80}, "n") is None
True
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

NOT_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""All that decoding may raise of bytes that are no JSON, are no UTF-8, or nest too deep."""

MOST_TOKENS: Final = 10**12
"""More than this is no count of tokens, whoever says so: costs and sums stay what they are."""


_HALF_PAIR = re.compile(
    rb"(?<!\\)(?:\\\\)*\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD])[c-fC-F])"
)


def why_not_json(error: Exception, data: bytes) -> str:
    """In words, why bytes could not be decoded.

    JSON may spell half of a surrogate pair, as programs do that cut text in the middle of an emoji;
    such a string is no Unicode text.

    >>> why_not_json(msgspec.DecodeError("truncated"), b'["cut \\\\ud83d"]')
    'a string holds half of a surrogate pair, such as \\\\ud83d alone'
    >>> why_not_json(msgspec.DecodeError("truncated"), b'["\\\\ud83d\\\\ude00", ')
    'truncated'
    """
    half = _HALF_PAIR.search(data)
    if half is None:
        return str(error)
    return "a string holds half of a surrogate pair, such as \\ud83d alone"


def tokens(given: Mapping[str, Any], name: str) -> int | None:
    """A count of tokens; None where there is none, or no such number."""
    return count(given.get(name))


def count(value: Any) -> int | None:
    """The value where it may be a count of tokens, else None."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_TOKENS:
        return None
    return value
