"""User text and lists of choices to words that are safe to print in a message.

>>> shown("targts")
'`targts`'
>>> listed(["a", "b", "c"])
'`a`, `b` or `c`'
"""

import unicodedata
from collections.abc import Iterable

_LONGEST = 60
_MOST = 40  # choices in one message
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str) -> str:
    """`text` with control, format and unassigned characters as ``\\u{hex}``, so that a terminal
    shows it and nothing else happens."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"\\u{{{ord(char):x}}}" if unicodedata.category(char) in _UNPRINTABLE else char
        for char in text
    )


def shown(text: str) -> str:
    """A user's text in back-quotes, printable, cut at 60 characters."""
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 3] + "..."
    return f"`{printable(text)}`"


def listed(choices: Iterable[str], joiner: str = "or") -> str:
    """Choices in back-quotes with commas and a last `joiner`; "nothing" for none.

    Of very many the first are named and the rest counted.
    """
    chosen = list(choices)
    words = [shown(choice) for choice in chosen[:_MOST]]
    if len(chosen) > _MOST:
        words.append(f"{len(chosen) - _MOST:,} more")
        joiner = "and"
    if not words:
        return "nothing"
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} {joiner} {words[-1]}"
