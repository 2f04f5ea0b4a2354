"""Folded text to where its words end, told by characters and by the bytes they begin with.

A letter of a script that is written without blanks is a word by itself; so is a mark or a digit of
such a block. Any other word character belongs to one word with the word characters beside it.

>>> [decided(begun) for begun in (b"a", b"\\xe4", b"\\xe0", b"\\xe0\\xb8", b"\\xe0\\xa4")]
[False, True, None, True, False]
"""

from typing import Final

ALONE: Final = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x10BF),  # Myanmar; from 10A0 on there are letters that all fold to others
    (0x1780, 0x17FF),  # Khmer
    (0x3000, 0x9FFF),  # Kana, Bopomofo, Han; among them Hangul's single letters
)
"""Blocks of folded text whose characters are words by themselves, ascending.

These are the scripts of `text_counts` as far as one byte tells them, or two where Thai has to be
told from Hindi and Khmer from Vietnamese: each byte more that a match waits for its edge costs a
state for each way a match can end. Rare Han (beyond FFFF, and FA00), Katakana half as wide and what
it would take to tell Bopomofo from Kana would double the tables.
"""

LONGEST_WAIT: Final = 2
"""Bytes of a character after which it is surely told whether it is one of these."""

_ASCII_WORD = frozenset(b"0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def is_alone(code: int) -> bool:
    """Whether the character of folded text is a word by itself."""
    return code >= ALONE[0][0] and any(low <= code <= high for low, high in ALONE)


def is_word_byte(byte: int) -> bool:
    """Whether the byte of folded text is of a word character."""
    return byte >= 0x80 or byte in _ASCII_WORD


def size_of(lead: int) -> int:
    """How many bytes the character has that begins with this one."""
    return 1 if lead < 0xC0 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4


def decided(begun: bytes) -> bool | None:
    """Whether all characters that begin with these bytes are words by themselves; None where some
    are."""
    if not 0xE0 <= begun[0] < 0xF5:
        return False
    size = size_of(begun[0])
    low = begun[0] & (0xFF >> (size + 1))
    for byte in begun[1:]:
        low = low << 6 | byte & 0x3F
    left = 6 * (size - len(begun))
    high = ((low + 1) << left) - 1
    low <<= left
    low = max(low, 0x800 if size == 3 else 0x10000)
    inside = [one for one in ALONE if one[0] <= high and low <= one[1]]
    if not inside:
        return False
    return True if inside[0][0] <= low and high <= inside[0][1] else None


def undecided() -> dict[bytes, tuple[int, ...]]:
    """Beginnings of characters that tell too little, each with the bytes that go on to one that is
    a word by itself, or may be; the empty one first, with the first bytes that tell too little."""
    leads = tuple(byte for byte in range(0xE0, 0xF5) if decided(bytes((byte,))) is None)
    found = {b"": leads}
    waiting = [bytes((byte,)) for byte in leads]
    for begun in waiting:
        found[begun] = tuple(
            byte for byte in range(0x80, 0xC0) if decided(begun + bytes((byte,))) is not False
        )
        onward = (begun + bytes((byte,)) for byte in found[begun])
        waiting += (one for one in onward if decided(one) is None)
    return found


def telling(data: bytes, at: int) -> bytes:
    """The bytes from `at` on, where a character begins, that tell whether it is a word by itself;
    none at the end of the text."""
    end = at + 1
    while end < len(data) and decided(data[at:end]) is None:
        end += 1
    return data[at:end]


def is_after_word(data: bytes, at: int) -> bool:
    """Whether a word character that is no word by itself stands before `at` in folded text."""
    if at == 0 or not is_word_byte(data[at - 1]):
        return False
    start = start_of(data, at - 1)
    return decided(data[start:at]) is False


def start_of(data: bytes, at: int) -> int:
    """Where the character begins that has the byte at `at`."""
    while at and data[at] & 0xC0 == 0x80:
        at -= 1
    return at
