"""Text to the room it takes: widths that no common font exceeds, and texts cut to fit.

Widths are those of DejaVu Sans, the widest of the sans-serif fonts that browsers fall back on,
rounded up by class of character; monospaced text is 0.61 em a character.

>>> cut("a long condition", 60, size=12, is_mono=True)
'a long…'
"""

import unicodedata

_NARROW = frozenset("ijl|'.,:;!I ()[]/\\-`")
_MIDDLE = frozenset('ftrs"*{}')
_WIDE = frozenset("mMwW@%—…")
ELLIPSIS = "…"


def width(text: str, *, size: int, is_mono: bool = False, is_bold: bool = False) -> int:
    """Pixels a text of that font size takes at most, on one line."""
    thousandths = sum(_thousandths(character, is_mono) for character in text)
    if is_bold and not is_mono:
        thousandths = thousandths * 112 // 100
    return -(-thousandths * size // 1000)


def cut(text: str, room: int, *, size: int, is_mono: bool = False, is_bold: bool = False) -> str:
    """The text, or as much of its beginning as fits into `room` pixels with an ellipsis.

    Nothing where not even the ellipsis fits.
    """
    if width(text, size=size, is_mono=is_mono, is_bold=is_bold) <= room:
        return text
    # No character is this narrow, marks aside, so this much of any text is enough to look at.
    kept = text[: max(0, room)]
    while kept and width(kept + ELLIPSIS, size=size, is_mono=is_mono, is_bold=is_bold) > room:
        kept = kept[:-1]
    cut_off = kept.rstrip() + ELLIPSIS
    fits = width(cut_off, size=size, is_mono=is_mono, is_bold=is_bold) <= room
    return cut_off if fits else ""


def _thousandths(character: str, is_mono: bool) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Mn"):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return 1300 if is_mono else 1100
    if is_mono:
        return 610 if character.isascii() or character == ELLIPSIS else 1000
    if character in _NARROW:
        return 400
    if character in _MIDDLE:
        return 520
    if character in _WIDE:
        return 1010
    if not character.isascii():
        return 1000
    return 790 if character.isupper() or character in "#&+<=>_~^" else 645
