"""The portable kernel beyond what the property test compares: limits and caps."""

from array import array

import pytest

from lynkrc_runtime.scan.portable import Matcher
from lynkrc_runtime.scan.tables import Tables

# Two entries over classes other/a/b, in two lexicons: every "a" (free), every "b" (free).
TABLES = Tables(
    classes=3,
    entries=2,
    byte_class=bytes(1 if b == ord("a") else 2 if b == ord("b") else 0 for b in range(256)),
    transitions=array("I", [0, 1, 2] * 3),
    accepts=((), (0,), (1,)),
    free=(0, 1),
)


def test_counts_are_capped_and_presence_is_a_bit_set() -> None:
    found = Matcher(TABLES, [1, 1]).scan(b"a " * 300 + b"b")
    assert found.counts == (255, 1)
    assert found.present == 0b11
    assert Matcher(TABLES, [2]).scan(b"ab").counts == (2,)
    assert Matcher(TABLES, [0, 2, 0]).scan(b"ab").counts == (0, 2, 0)


def test_lexicons_must_fit_the_tables() -> None:
    with pytest.raises(ValueError, match="2 entries in the tables, 3"):
        Matcher(TABLES, [1, 2])


def test_locate_stops_at_its_limit() -> None:
    assert Matcher(TABLES, [1, 1]).locate(b"abab", limit=3) == [(0, 1), (1, 2), (0, 3)]
