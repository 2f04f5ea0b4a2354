"""Text as people write it to the folded form in which patterns are matched.

Folding forgets what matching must not depend on: case, kinds of blanks, dashes and apostrophes.
One code point folds to one, by simple case folding. In folded text every code point above ASCII is
a word character (letter, mark or number), so in its UTF-8 every byte >= 0x80 is one, and the
automaton needs no Unicode tables. What folds to what is told by the table ``fold.bin`` alone
(generated/fold_table.py says how it is made and of which Unicode), never by the interpreter, so a
bundle means the same under each.

>>> fold("Ça va \\u2013 don\\u2019t \\u2192")
b"\\xc3\\xa7a va - don't \\x01"
"""

import struct
from pathlib import Path
from typing import Final, final

SYMBOL: Final = "\x01"
"""Stands for every character outside ASCII that is no word character, blank, dash or apostrophe."""

END: Final = b"\x00"
"""Follows the folded text, to end its last word; folding lets no other NUL through."""

TABLE: Final = Path(__file__).with_name("fold.bin").read_bytes()
"""What becomes of each code point: a page of actions for every 128 code points."""

_KEPT: Final = 16_384
"""Code points whose fold is remembered: more than anyone writes, less than a hostile text has."""


@final
class _Folds(dict[int, int]):
    """Code points to what they fold to, worked out when first asked for."""

    __slots__ = ("_deltas", "_page_of", "_pages")

    def __init__(self, table: bytes) -> None:
        actions, pages = struct.unpack_from("<2I", table, 4)
        at = 12 + 4 * actions
        self._deltas: tuple[int, ...] = struct.unpack_from(f"<{actions}i", table, 12)
        self._page_of: tuple[int, ...] = struct.unpack_from(f"<{0x110000 // 128}H", table, at)
        self._pages = table[-128 * pages :]

    def __missing__(self, code: int) -> int:
        action = self._pages[self._page_of[code // 128] * 128 + code % 128]
        delta = self._deltas[action]
        folded = code + delta if delta or action == 0 else b"\x00\x01 -'"[action]
        if len(self) < _KEPT:
            self[code] = folded
        return folded


_FOLDS: Final = _Folds(TABLE)


def fold(text: str) -> bytes:
    """The folded text in UTF-8, without the final `END`. Any string is accepted."""
    if text.isascii():
        return text.encode("ascii").lower().replace(b"\x00", b"\x01")
    return text.translate(_FOLDS).encode()


def fold_text(text: str) -> str:
    """The folded text, as long as `text`; above ASCII it holds word characters only."""
    if text.isascii():
        return text.lower().replace("\x00", SYMBOL)
    return text.translate(_FOLDS)
