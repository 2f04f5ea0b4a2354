"""Code-point ranges to byte sequences: each code point exactly once, nothing else."""

import pytest

from lynkrc.lower.utf8 import ByteRanges, byte_sequences


def covers(sequence: ByteRanges, encoded: bytes) -> bool:
    return len(sequence) == len(encoded) and all(
        low <= byte <= high for (low, high), byte in zip(sequence, encoded, strict=True)
    )


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (0x41, 0x5A),
        (0x7F, 0x80),
        (0xE9, 0x1234),
        (0x7FE, 0x801),
        (0xD7F0, 0xE00F),
        (0xFFF0, 0x1100F),
    ],
)
def test_each_code_point_is_covered_once(low: int, high: int) -> None:
    sequences = list(byte_sequences(low, high))
    for code in range(max(1, low - 80), high + 80):
        if 0xD800 <= code <= 0xDFFF:
            continue
        times = sum(covers(sequence, chr(code).encode()) for sequence in sequences)
        assert times == (low <= code <= high), hex(code)
    size = sum(_size(sequence) for sequence in sequences)
    assert size == sum(1 for code in range(low, high + 1) if not 0xD800 <= code <= 0xDFFF)


def _size(sequence: ByteRanges) -> int:
    size = 1
    for low, high in sequence:
        size *= high - low + 1
    return size


def test_everything_above_ascii_is_three_sequences() -> None:
    sequences = list(byte_sequences(0x80, 0x10FFFF))
    assert len(sequences) == 3
    for char in "\x80\u07ff\u0800\uffff\U00010000\U0010ffff":
        assert sum(covers(sequence, char.encode()) for sequence in sequences) == 1
