"""A table whose bytes are not what a compiler wrote: refused, or run in bounds to the end.

Digests do not help against the compiler itself. Nothing here knows the format: every byte of the
head and every number in it is changed in turn, and bytes drawn from the rest.
"""

import hashlib
import random
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from lynkrc.codegen.tables import tables_of
from lynkrc.lower.patterns import build_automaton
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern_parse import parse_pattern
from lynkrc_runtime.bundle import BrokenBundle, load_bundle
from lynkrc_runtime.scan.fold import fold
from lynkrc_runtime.scan.matcher import MAX_COUNT, Matcher
from lynkrc_runtime.scan.tables import Tables, unpack
from tests.e2e import versions

HEAD = 320
"""Bytes at the begin of the file that are changed one by one, well beyond its head."""
DRAWN = 1_500
TEXTS = (
    "",
    "alpha and the beta, gamma rays; gamma-ray\n" * 3,
    "größe 分析 x" * 20,
    "\x00\x01 a" * 40,
    "".join(map(chr, range(1, 0x250))),
)


def _table() -> Tables:
    span = Span(file=SourceFile(path="-", text=""), start=0, end=0)
    lexicons = [["alpha", "gamma ray*", "~mma"], [], ["/be?ta|[0-9]{1,3}/", "größe", "分析", "~x"]]
    read = []
    for entries in lexicons:
        patterns = [parse_pattern(entry, span, None)[0] for entry in entries]
        read.append([pattern for pattern in patterns if pattern is not None])
    return tables_of(build_automaton(read), [len(entries) for entries in lexicons])


WHOLE = _table().data


def corrupted() -> Iterator[bytes]:
    """The file with one thing changed, in many ways."""
    for at in range(0, min(HEAD, len(WHOLE)) - 3, 4):
        (number,) = struct.unpack_from("<I", WHOLE, at)
        for value in (0, 1, number - 1, number + 1, 2 * number, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
            changed = value & 0xFFFFFFFF
            yield WHOLE[:at] + struct.pack("<I", changed) + WHOLE[at + 4 :]
    for at in range(min(HEAD, len(WHOLE))):
        for flip in (0x01, 0x80, 0xFF):
            yield _flipped(at, flip)
    draw = random.Random(0)
    for _ in range(DRAWN):
        yield _flipped(draw.randrange(len(WHOLE)), draw.randrange(1, 256))
    for length in (*range(0, HEAD, 3), *range(HEAD, len(WHOLE), 97)):
        yield WHOLE[:length]
        yield WHOLE[:length] + WHOLE[length + 4 :]
        yield WHOLE[:length] + b"\xff\xff\xff\xff" + WHOLE[length:]


def _flipped(at: int, flip: int) -> bytes:
    return WHOLE[:at] + bytes([WHOLE[at] ^ flip]) + WHOLE[at + 1 :]


def check(tables: Tables) -> None:
    """Everything a request asks of the tables, and that what it is told is in bounds."""
    matcher = Matcher(tables)
    for text in TEXTS:
        found = matcher.scan(text)
        assert len(found.counts) == len(found.distinct) == len(tables.sizes)
        assert all(0 <= count <= MAX_COUNT for count in found.counts)
        sizes = zip(found.distinct, tables.sizes, strict=True)
        assert all(0 <= count <= size for count, size in sizes)
        entries = matcher.present(text)
        assert all(0 <= entry < tables.entries for entry in entries)
        data = fold(text)
        places = matcher.places(text, data)
        for entry, end in matcher.locate(data, 20):
            assert 0 <= entry < tables.entries and -1 <= end <= len(data) + 1
            if 0 < end <= len(data):
                places.of(entry, end)


def test_whole_tables_pass_the_check() -> None:
    check(unpack(WHOLE))


def test_a_corrupted_table_is_refused_or_stays_in_bounds() -> None:
    refused = run = 0
    for data in corrupted():
        try:
            tables = unpack(data)
        except ValueError:
            refused += 1
            continue
        check(tables)
        run += 1
    assert refused > 500 and run > 100


@pytest.mark.parametrize("draw", range(5))
def test_noise_behind_the_right_mark_is_refused(draw: int) -> None:
    noise = random.Random(draw).randbytes(len(WHOLE) - 4)
    with pytest.raises(ValueError, match="lexicon table"):
        unpack(WHOLE[:4] + noise)


def test_a_bundle_with_such_a_table_names_the_fault(tmp_path: Path) -> None:
    """Its digest is right: the manifest was written after the damage."""
    refused = 0
    for at in range(0, HEAD, 16):
        broken = _flipped(at, 0xFF)
        path = versions.write(tmp_path, 1, files={"lexicons.dfa": broken})
        assert hashlib.sha256(broken).digest() != hashlib.sha256(WHOLE).digest()
        try:
            load_bundle(path)
        except BrokenBundle as error:
            assert "unreadable table" in str(error) and "lexicon table" in str(error)
            refused += 1
    assert refused > 5
