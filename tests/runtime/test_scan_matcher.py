"""The pattern kernel beyond what the property test compares: limits and caps."""

import pytest

from lynkrc_runtime.scan.matcher import Matcher
from lynkrc_runtime.scan.tables import Tables, pack, unpack


def tables(*sizes: int) -> Tables:
    """Two entries over classes other/a/b: every "a" (free), every "b" (free)."""
    lexicon_of = [number for number, size in enumerate(sizes) for _ in range(size)]
    return unpack(
        pack(
            byte_class=bytes({ord("a"): 1, ord("b"): 2}.get(byte, 0) for byte in range(256)),
            transitions=[0, 1, 2] * 3,
            accepts=[(), (0,), (1,)],
            counts=[(), (lexicon_of[0],), (lexicon_of[1],)],
            sizes=sizes,
            free=(0, 1),
        )
    )


def test_counts_are_capped_and_entries_are_told_apart() -> None:
    matcher = Matcher(tables(1, 1), [5, -7])
    found = matcher.scan("a " * 300 + "b")
    assert (found.counts, found.distinct, found.points) == ((255, 1), (1, 1), (5, -7))
    assert matcher.present("bbb") == {1}
    assert Matcher(tables(2), [5, -7]).scan("ab").points == (-2,)
    assert Matcher(tables(0, 2, 0)).scan("ab").counts == (0, 2, 0)


def test_weights_must_fit_the_tables() -> None:
    with pytest.raises(ValueError, match="2 entries in the tables, 3 weights"):
        Matcher(tables(1, 1), [1, 2, 3])


def test_locate_stops_at_its_limit() -> None:
    assert Matcher(tables(1, 1)).locate(b"abab", limit=3) == [(0, 1), (1, 2), (0, 3)]
