"""Folded text to where its words end, told by characters and by the bytes they begin with.

A character of a script that is written without blanks is a word by itself: a letter, a mark or a
digit. Any other word character belongs to one word with the word characters beside it.

Folding moves such characters to where nothing else is left, or others away from them, so that their
first byte tells: nobody who reads folded text waits for the second one, as it would take to tell
Thai from Hindi. What is moved there stands where folded text has nothing else: in the private use
area, all of which folds to symbols, or in planes without characters.

>>> [begins_alone(char.encode()[0]) for char in ("a", "\\u4e2d", "\\u0915", "\\uee01")]
[False, True, False, True]
>>> as_written("\\uee01\\uee32") == "\\u0e01\\u0e32"
True
"""

from typing import Final

MOVED: Final = (
    (0x0E00, 0x0EFF, 0xE000),  # Thai, Lao
    (0x1000, 0x109F, 0xD000),  # Myanmar
    (0x1780, 0x17FF, 0xD000),  # Khmer
    (0x3130, 0x318F, 0xC000),  # Hangul's single letters: no words, so they go where none begins
    (0xA9E0, 0xA9FF, 0x4200),  # Myanmar
    (0xAA60, 0xAA7F, 0x4200),  # Myanmar
    (0xF900, 0xFAFF, -0x1000),  # Han
    (0xFF66, 0xFF9F, -0x1000),  # Katakana, half as wide
    (0x1AFF0, 0x1B16F, -0xCE00),  # Kana
    (0x20000, 0x3FFFF, 0x20000),  # Han
)
"""Blocks of code points that folding moves: the first and the last, and how far, ascending."""

ALONE: Final = ((0x3000, 0x9FFF), (0xE000, 0xEFFF), (0x40000, 0x7FFFF))
"""Blocks of folded text whose characters are words by themselves, ascending: Kana, Bopomofo and
Han, what is moved into the private use area, and Han of planes 2 and 3.

The one table of the scripts without blanks is this and `MOVED`; fold.bin is made by it, and the
numbers of `text_counts` read it. `counts.c` has the same blocks.
"""

_ALONE_LEADS: Final = frozenset(
    chr(code).encode()[0] for low, high in ALONE for code in range(low, high, 0x1000)
)
_ASCII_WORD = frozenset(b"0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def is_alone(code: int) -> bool:
    """Whether the character of folded text is a word by itself."""
    return code >= ALONE[0][0] and any(low <= code <= high for low, high in ALONE)


def is_word_byte(byte: int) -> bool:
    """Whether the byte of folded text is of a word character."""
    return byte >= 0x80 or byte in _ASCII_WORD


def begins_alone(byte: int) -> bool:
    """Whether the characters that begin with the byte are words by themselves; else none is."""
    return byte in _ALONE_LEADS


def is_after_word(data: bytes, at: int) -> bool:
    """Whether a word character that is no word by itself stands before `at` in folded text."""
    if at == 0 or not is_word_byte(data[at - 1]):
        return False
    at -= 1
    while at and data[at] & 0xC0 == 0x80:
        at -= 1
    return not begins_alone(data[at])


def as_written(folded: str) -> str:
    """Folded text with the characters that folding moves as people write them."""
    return "".join(map(_back, folded))


def _back(char: str) -> str:
    code = ord(char)
    for low, high, by in MOVED:
        if low + by <= code <= high + by:
            return chr(code - by)
    return char
