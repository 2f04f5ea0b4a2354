"""Folding: what is kept, what is made equal, and that only the committed table says so."""

import re
import unicodedata
from itertools import pairwise

import pytest

from lynkrc_runtime.scan.edges import MOVED, as_written, begins_alone, is_alone
from lynkrc_runtime.scan.fold import END, SYMBOL, fold, fold_text

CASES = [
    ("Hello\tWORLD-1", b"hello\tworld-1"),
    ("a\x00b", b"a\x01b"),
    ("\u00e9\x00", b"\xc3\xa9\x01"),
    ("Stra\u00dfe \u1e9e", "stra\u00dfe \u00df".encode()),
    ("\u212a \u017f \ufb01", "k s \ufb01".encode()),
    ("\u03a3\u03c3\u03c2", "\u03c3\u03c3\u03c3".encode()),  # the final sigma, too
    ("\u13a0\uab70", "\u13a0\u13a0".encode()),  # Cherokee folds to the upper case
    ("\U00010400", "\U00010428".encode()),  # Deseret
    ("\u01c5", "\u01c6".encode()),  # a title case letter
    ("don\u2019t \u2018a\u02bc", b"don't 'a'"),
    ("a\u00a0b\u3000c\u2028d\u0085e", b"a b c d e"),
    ("a\u2010b\u2014c\u2212d\uff0d", b"a-b-c-d-"),
    ("\u2192\u20ac\U0001f600\u200b", b"\x01\x01\x01\x01"),
    ("\u24b6\u203f", b"\x01\x01"),  # a circled letter is a symbol, a tie no word character
    ("\u0130I\u0131", "\u0130i\u0131".encode()),  # Turkish letters are not those of others
    ("\ud800", b"\x01"),
    ("e\u0301", "e\u0301".encode()),
]
EVERYTHING = "".join(map(chr, range(0x110000)))
UNICODE = (15, 0, 0)


@pytest.mark.parametrize(("text", "folded"), CASES)
def test_folding(text: str, folded: bytes) -> None:
    assert fold(text) == folded
    assert fold_text(text).encode() == folded


def test_one_code_point_folds_to_one_and_written_so_again_to_the_same() -> None:
    folded = fold_text(EVERYTHING)
    assert len(folded) == len(EVERYTHING)
    assert END.decode() not in folded
    assert fold_text(as_written(folded)) == folded
    # An ASCII text takes another way.
    assert fold_text(EVERYTHING[:128]) == folded[:128]


def test_what_moves_goes_each_to_a_place_of_its_own_and_comes_back() -> None:
    folded = fold_text(EVERYTHING)
    for low, high, by in MOVED:
        block = [(char, folded[ord(char)]) for char in EVERYTHING[low : high + 1]]
        letters = [(char, target) for char, target in block if target != SYMBOL]
        assert letters
        assert all(ord(target) == ord(char) + by for char, target in letters)
        assert all(as_written(target) == char for char, target in letters)
        # Nothing else is left there.
        assert set(folded[low + by : high + by + 1]) == {SYMBOL}
    apart = sorted((low + by, high + by) for low, high, by in MOVED)
    assert all(one[1] < other[0] for one, other in pairwise(apart))


def test_the_first_byte_tells_what_is_a_word_by_itself() -> None:
    for char in set(fold_text(EVERYTHING)):
        assert begins_alone(char.encode()[0]) == is_alone(ord(char)), hex(ord(char))


@pytest.mark.parametrize(
    ("written", "alone"),
    [
        ("中々〇㆐㈠かゟカㇰｶﾞㄅㆠ豈𠀀𠮷\U0003134a\U0001b000กาກខមမꩠ๑်", True),
        ("aéж\u03b1कệაꡀ한ㅋㄱﾡ\uff41\U00010428\U000e0100\u0301ༀᥐ", False),
    ],
)
def test_scripts_without_blanks(written: str, alone: bool) -> None:
    told = {char: is_alone(ord(fold_text(char))) for char in written if fold_text(char) != SYMBOL}
    assert set(told.values()) == {alone}


# Capital sharp s, and Greek capitals with an iota below: full folding takes them apart.
_IOTA = (*range(0x1F88, 0x1F90), *range(0x1F98, 0x1FA0), *range(0x1FA8, 0x1FB0))
SIMPLE = "".join(map(chr, (0x1E9E, *_IOTA, 0x1FBC, 0x1FCC, 0x1FFC)))


def by_interpreter(char: str) -> str:
    """What the rule makes of a code point by the tables of the running interpreter."""
    full = char.casefold()
    if len(full) == 1:
        char = full
    if char in "\u2018\u2019\u02bc\uff07":
        return "'"
    category = unicodedata.category(char)
    if char == "\u2212" or category == "Pd":
        return "-"
    if char.isspace() and char > "\x7f":
        return " "
    return char if "\x00" < char <= "\x7f" or category[0] in "LMN" else SYMBOL


def test_the_table_agrees_with_the_interpreter_on_what_both_know() -> None:
    folded = as_written(fold_text(EVERYTHING))
    differ = {
        char: (mine, theirs)
        for char, mine in zip(EVERYTHING, folded, strict=True)
        if mine != (theirs := by_interpreter(char)) and len(char.casefold()) == 1
    }
    # Letters that only the newer one of both knows: to the other they are symbols.
    assert all(SYMBOL in pair for pair in differ.values())
    if tuple(map(int, unicodedata.unidata_version.split("."))) <= UNICODE:
        assert {unicodedata.category(char) for char in differ} <= {"Cn"}
    # Where full folding makes several code points, ours stays or is the one of simple folding.
    several = [char for char in EVERYTHING if len(char.casefold()) > 1]
    moved = {char: folded[ord(char)] for char in several if folded[ord(char)] != char}
    assert "".join(moved) == SIMPLE
    assert all(char.lower() == target for char, target in moved.items())


def test_above_ascii_only_word_characters_remain() -> None:
    above = {char for char in set(as_written(fold_text(EVERYTHING))) if char > "\x7f"}
    known = {char for char in above if unicodedata.category(char) != "Cn"}
    assert {unicodedata.category(char)[0] for char in known} <= set("LNM")
    assert len(known) > 130_000
    assert not any(map(re.compile(r"\s").match, above))
