"""The automaton against the slow matcher where scripts, folding and the kernel's blocks meet."""

from random import Random

import pytest

from lynkrc_runtime.scan.fold import fold_text
from tests.property.test_scan_against_reference import check

# An entry as one writes it, and spellings of a text that it must find as a whole.
FOLDED = {
    "ΛΌΓΟΣ": ("λόγος", "ΛΌΓΟΣ", "λόγο\u03c3", "Λόγος"),
    "ς": ("\u03c3", "Σ", "ς"),
    "\u13a0ꭰ": ("ꭰꭰ", "\u13a0\u13a0", "\u13a0ꭰ"),
    "ᏸ": ("ᏸ", "Ᏸ"),
    "ᲐᲑ": ("აბ", "ᲐᲑ"),
    "kelvin": ("kelvin", "KELVIN", "\u212aelvin"),
    "s": ("s", "S", "\u017f"),
    "å": ("å", "Å", "\u212b"),
    "straße": ("straße", "STRAẞE", "Straße"),
    "Ǆ": ("ǆ", "ǅ", "Ǆ"),
    "ø*": ("Ø", "øre", "ØRE"),
    "𐐀": ("𐐨", "𐐀"),
    "ж": ("Ж", "ж"),
}
# And what it must not.
APART = {
    "strasse": ("straße", "STRAẞE"),
    "\u0131": ("i", "I", "İ"),
    "i": ("\u0131", "İ"),
    "é": ("e\u0301", "e"),
    "e": ("e\u0301", "é"),
    "ა": ("Ⴀ",),
    "\u03c3": ("\u03c3\u0301", "s"),
}
BLOCKS = (31, 32, 33, 34, 35, 36, 63, 64, 65, 127, 128, 129, 191, 192, 193, 255, 256, 257)
FAR = (8191, 8192, 8193)
FILLERS = ("x", "中", " ", "é ", "ก", "e\u0301", "\U00020000", "→", "\u13a0", "ệ", "क", "ខ", "한")
LEXICONS = [
    ["ab", "~中", "c++", "~+", "ΛΌΓΟΣ", "~ก"],
    ["a*", "~é", "/\\W-\\W/", "~\u0301", "k", "~𠀀"],
    ["ab", "~ab", "က", "k中*"],
]
TAILS = (
    *("ab", "中", " c++", "+", " λόγος", "\u212a", " - ", "e\u0301", "𠀀", " - k"),
    *("中ab", "xk中ก", " abက", " abệ", "ab"),
)


@pytest.mark.parametrize("entry", FOLDED)
def test_spellings_that_fold_alike_are_found(entry: str) -> None:
    for spelling in FOLDED[entry]:
        bare = fold_text(entry.removesuffix("*"))
        assert fold_text(spelling).startswith(bare), spelling
        for text in (spelling, f"x {spelling}.", f"x{spelling}", f"{spelling}中"):
            check([[entry, f"~{entry}"]], text)


@pytest.mark.parametrize("entry", APART)
def test_spellings_that_fold_apart_are_not(entry: str) -> None:
    for spelling in APART[entry]:
        assert fold_text(spelling) != fold_text(entry), spelling
        for text in (spelling, f"x {spelling}.", f"中{spelling}"):
            check([[entry], [f"~{entry}"]], text)


@pytest.mark.parametrize("length", BLOCKS)
def test_tails_around_the_edges_of_blocks(length: int) -> None:
    chance = Random(length)
    for filler in chance.sample(FILLERS, 4):
        for tail in chance.sample(TAILS, 2):
            # The last byte of the tail stands at that place of the folded text, or the one before.
            text = tail
            while len((filler + text).encode()) <= length:
                text = filler + text
            check(LEXICONS, text)
            check(LEXICONS, text + chance.choice(FILLERS) + chance.choice(TAILS))


@pytest.mark.parametrize("length", FAR)
def test_tails_far_into_a_text(length: int) -> None:
    chance = Random(length)
    filler = ("x", "中", "→")[length % 3]
    text = filler * ((length - 9) // len(filler.encode())) + chance.choice(TAILS)
    check([["c++", "~中文", "k"], ["ab", "~\u0301"]], text)
