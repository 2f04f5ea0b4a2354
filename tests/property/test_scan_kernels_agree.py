"""The native kernel against the portable one: counts, distinct entries, points and entries."""

import threading
from random import Random

import pytest

from lynkrc.codegen.tables import tables_of
from lynkrc.lower.patterns import build_automaton
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern import Pattern
from lynkrc.syntax.pattern_parse import parse_pattern
from lynkrc_runtime.scan import tables as scan_tables
from lynkrc_runtime.scan.engines import engine_of, kernel_name, kernel_notice
from lynkrc_runtime.scan.tables import Tables
from tests.scan_cases import EDGES, LONG_EDGES, check, compare, random_tables, random_text

pytestmark = pytest.mark.skipif(
    kernel_name() == "portable", reason=kernel_notice() or "the native kernel serves"
)

LEXICONS = (
    ("ab", "ab c", "ba*", "abc?", "~中", "~é*", "~中文", "ab-ab ab"),
    ("a*", "(a|b) c", "/[a-c]+x1/", "/\\w{1,3}b/", "~/[^\\w]{1,2}a/", "~ß", "straße", "don\u2019t"),
)
WORDS = (
    "ab",
    "ab c",
    "ba",
    "abc",
    "中",
    "é",
    "中文",
    "ab ab ab",
    "a c",
    "ax1",
    " a",
    "STRAẞE",
    "a",
)


def lexicon_tables() -> Tables:
    span = Span(file=SourceFile(path="-", text=""), start=0, end=0)
    patterns: list[list[Pattern]] = []
    for lexicon in LEXICONS:
        parsed = [parse_pattern(entry, span, None)[0] for entry in lexicon]
        patterns.append([pattern for pattern in parsed if pattern is not None])
    return tables_of(build_automaton(patterns), [len(lexicon) for lexicon in LEXICONS])


@pytest.mark.parametrize("seed", range(8))
def test_random_automata_over_random_texts(seed: int) -> None:
    chance = Random(seed)
    for number in range(60):
        check(f"{seed} {number} {random_text(chance, length=40)}".encode(errors="replace"))


def test_cells_of_every_width() -> None:
    widths = set()
    for seed, states in ((7, 300), (19, 9_000), (0, 40_000)):
        chance = Random(seed)
        tables = random_tables(chance, states=states)
        widths.add(tables.data[24])
        assert tables.cell(0) == tables.cells()[0]
        assert tables.cell(tables.accepting - 1) == tables.cells()[-1]
        compare(tables, [random_text(chance) for _ in range(20)], chance)
    assert widths == {2, 3, 4}


@pytest.mark.parametrize(("width", "chains"), [(2, 5), (3, 8), (4, 5)])
def test_texts_around_every_length_with_words_over_every_cut(
    width: int, chains: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`chains` read a text at once where cells have this width."""
    if width > 2:
        monkeypatch.setattr(scan_tables, "NARROW", 0)
    if width == 3:
        monkeypatch.setattr(scan_tables, "WIDE", 0)
    chance = Random(3)
    tables = lexicon_tables()
    assert tables.data[24] == width
    texts = []
    for edge in (*EDGES[3:], *LONG_EDGES):
        for filler in ("x", " ", "中", "a ", "é-", "b"):
            text = list((filler * edge)[:edge])
            for cut in range(1, chains + 1):
                word = chance.choice(WORDS)
                at = max(0, edge // chains * cut - chance.randrange(len(word) + 1))
                text[at : at + len(word)] = word
            texts.append("".join(text))
    compare(tables, texts, chance)


def test_runs_of_ascii_between_other_letters() -> None:
    # Folding takes 16 characters of ASCII at once, wherever they stand in a text of other ones.
    chance = Random(11)
    ascii_letters = "".join(map(chr, range(128)))
    for number in range(40):
        texts = []
        for length in (14, 15, 16, 17, 31, 32, 33, 200):
            runs = ["".join(chance.choices(ascii_letters, k=length)) for _ in range(3)]
            between = chance.choice(
                ("\u00c0", "\u0416", "\u4e2d\u6587", "\uff0c", "\U00010400", "\ud800")
            )
            texts.append(between * chance.randrange(3) + between.join(runs) + between)
        compare(random_tables(chance, states=40 + number), texts, chance)


def test_a_count_is_capped_as_late_as_the_last_part() -> None:
    tables = lexicon_tables()
    chance = Random(1)
    compare(tables, ["ab " * times for times in (254, 255, 256, 300, 100_000)], chance)


def test_threads_scan_with_one_kernel_at_once() -> None:
    tables = lexicon_tables()
    weights = [1] * tables.entries
    native, portable = engine_of(tables, weights, "native"), engine_of(tables, weights, "portable")
    texts = [word + " xyz" * 60_000 + " " + word for word in ("ab", "中", "straße", "zz")]
    expected = [portable.scan(text) for text in texts]
    start = threading.Barrier(len(texts))
    wrong: list[str] = []

    def run(number: int) -> None:
        start.wait()
        for _ in range(20):
            if native.scan(texts[number]) != expected[number]:
                wrong.append(texts[number][:9])

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
