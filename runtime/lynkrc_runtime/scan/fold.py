"""Text as people write it to the folded form in which patterns are matched.

Folding forgets what matching must not depend on: case, kinds of blanks, dashes and apostrophes.
In folded text every code point above ASCII is a word character (letter, mark or number), so in
its UTF-8 every byte >= 0x80 is one, and the automaton needs no Unicode tables.

>>> fold("Ça va \\u2013 don\\u2019t \\u2192")
b"\\xc3\\xa7a va - don't \\x01"
"""

import re
import unicodedata

SYMBOL = "\x01"
"""Stands for every character outside ASCII that is no word character, blank, dash or apostrophe."""

END = b"\x00"
"""Follows the folded text, to end its last word; folding lets no other NUL through."""

_APOSTROPHES = frozenset("\u2018\u2019\u02bc\uff07")
_MINUS = "\u2212"
# NUL, and all above ASCII that `\w` does not know. `\w` leaves out marks (which `_replacement`
# keeps) and counts the modifier apostrophe as a letter.
_SUSPECT = re.compile("[^\\x01-\\x7f\\w]|\u02bc")


def fold(text: str) -> bytes:
    """The folded text in UTF-8, without the final `END`. Any string is accepted."""
    if text.isascii():
        return text.encode("ascii").lower().replace(b"\x00", b"\x01")
    return fold_text(text).encode()


def fold_text(text: str) -> str:
    """The folded text; above ASCII it holds word characters only."""
    if text.isascii():
        return text.lower().replace("\x00", SYMBOL)
    return _SUSPECT.sub(_replace, text.casefold())


def _replace(match: re.Match[str]) -> str:
    char = match[0]
    if char in _APOSTROPHES:
        return "'"
    if char == _MINUS:
        return "-"
    category = unicodedata.category(char)
    if category == "Pd":
        return "-"
    if char.isspace():
        return " "
    return char if category[0] == "M" else SYMBOL
