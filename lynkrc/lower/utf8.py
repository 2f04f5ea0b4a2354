"""Ranges of code points to the sequences of byte ranges that encode them in UTF-8.

>>> list(byte_sequences(0x41, 0xFF))
[((65, 127),), ((194, 195), (128, 191))]
"""

from collections.abc import Iterator

ByteRange = tuple[int, int]
ByteRanges = tuple[ByteRange, ...]

_LAST = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)
_LENGTH_ENDS = (0x7F, 0x7FF, 0xFFFF, _LAST)
_TAIL: ByteRange = (0x80, 0xBF)
# Folded text is valid UTF-8, so "anything above ASCII" need not repeat what validity says.
_ABOVE_ASCII: tuple[ByteRanges, ...] = (
    ((0xC2, 0xDF), _TAIL),
    ((0xE0, 0xEF), _TAIL, _TAIL),
    ((0xF0, 0xF4), _TAIL, _TAIL, _TAIL),
)


def byte_sequences(low: int, high: int) -> Iterator[ByteRanges]:
    """Byte-range sequences whose strings are the encodings of ``low..high``, ascending.

    Surrogates have no encoding and are left out.
    """
    if low <= 0x80 and high == _LAST:
        if low < 0x80:
            yield ((low, 0x7F),)
        yield from _ABOVE_ASCII
        return
    for first, last in _without_surrogates(low, high):
        start = first
        for end in _LENGTH_ENDS:
            if start <= end and start <= last:
                yield from _split(start, min(last, end))
                start = end + 1


def _without_surrogates(low: int, high: int) -> Iterator[tuple[int, int]]:
    if low < _SURROGATES[0]:
        yield low, min(high, _SURROGATES[0] - 1)
    if high > _SURROGATES[1]:
        yield max(low, _SURROGATES[1] + 1), high


def _split(low: int, high: int) -> Iterator[ByteRanges]:
    """Both ends have encodings of one length; cut until every byte position is a plain range."""
    first, last = chr(low).encode(), chr(high).encode()
    for tail in range(len(first) - 1, 0, -1):
        block = 1 << (6 * tail)
        if first[-tail - 1] == last[-tail - 1] and low // block == high // block:
            continue
        if low % block:
            middle = (low // block + 1) * block
            yield from _split(low, middle - 1)
            yield from _split(middle, high)
            return
        if (high + 1) % block:
            middle = high // block * block
            yield from _split(low, middle - 1)
            yield from _split(middle, high)
            return
    yield tuple(zip(first, last, strict=True))
