"""Folding: what is kept, what is made equal."""

import unicodedata

import pytest

from lynkrc_runtime.scan.fold import END, fold, fold_text

CASES = [
    ("Hello\tWORLD-1", b"hello\tworld-1"),
    ("a\x00b", b"a\x01b"),
    ("\u00e9\x00", b"\xc3\xa9\x01"),
    ("Stra\u00dfe \u212a \ufb01", b"strasse k fi"),
    ("don\u2019t \u2018a\u02bc", b"don't 'a'"),
    ("a\u00a0b\u3000c\u2028d", b"a b c d"),
    ("a\u2010b\u2014c\u2212d\uff0d", b"a-b-c-d-"),
    ("\u2192\u20ac\U0001f600\u200b", b"\x01\x01\x01\x01"),
    ("\u0130", b"i\xcc\x87"),
    ("\ud800", b"\x01"),
]


@pytest.mark.parametrize(("text", "folded"), CASES)
def test_folding(text: str, folded: bytes) -> None:
    assert fold(text) == folded
    assert fold_text(text).encode() == folded


def test_above_ascii_only_word_characters_remain() -> None:
    everything = "".join(map(chr, range(0x110000)))
    folded = fold_text(everything)
    assert {unicodedata.category(char)[0] for char in set(folded) if char > "\x7f"} <= set("LNM")
    assert END.decode() not in folded
    assert fold_text(folded) == folded
