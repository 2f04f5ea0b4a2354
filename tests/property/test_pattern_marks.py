"""States told apart by their nodes are told apart by texts: the least DFA is the same without.

Were a mark wrong, equal states would stay apart, and the DFA made with marks be the larger one.
"""

from dataclasses import replace
from random import Random

import pytest

from lynkrc.codegen.tables import tables_of
from lynkrc.lower import pattern_marks
from lynkrc.lower.minimise import minimise
from lynkrc.lower.pattern_dfa import Dfa, build_dfa
from lynkrc.lower.pattern_nfa import build_nfa
from lynkrc.lower.patterns import build_automaton
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern import Pattern
from lynkrc.syntax.pattern_parse import parse_pattern

PIECES = ["a", "b", "ab", "ba", "-", " ", "a?", "(a|b)", "(a|ab)?", "(a b|b)", "+", "(-|a)?", "ü"]
REGEX = ["a", "b", "[ab]", " ", "[ -]", "a{0,2}", "(ab|b)?", "[ab]{1,3}", "\\w*", "-", "(a| )"]


def patterns(texts: list[str]) -> list[Pattern]:
    span = Span(file=SourceFile(path="-", text=""), start=0, end=0)
    parsed = (parse_pattern(text, span, None)[0] for text in texts)
    return [pattern for pattern in parsed if pattern is not None]


def entry(chance: Random) -> str:
    """An entry of a few pieces that meet one another often; it may not parse."""
    tilde = chance.choice(("", "", "~"))
    if chance.random() < 0.4:
        return f"{tilde}/{''.join(chance.choices(REGEX, k=chance.randrange(1, 5)))}/"
    star = chance.choice(("", "", "*"))
    return f"{tilde}{''.join(chance.choices(PIECES, k=chance.randrange(1, 6)))}{star}"


def built(read: list[Pattern]) -> Dfa:
    dfa = build_dfa(build_nfa(read), 4_000_000, 100_000)
    assert isinstance(dfa, Dfa)
    return dfa


def same_without_marks(read: list[Pattern]) -> bool:
    dfa = built(read)
    return minimise(dfa) == minimise(replace(dfa, marks=[frozenset()] * len(dfa.rows)))


@pytest.mark.parametrize("seed", range(6))
def test_the_least_automaton_is_the_same_without_marks(seed: int) -> None:
    chance = Random(seed)
    for _ in range(60):
        texts = [entry(chance) for _ in range(chance.randrange(1, 7))]
        assert same_without_marks(patterns(texts)), texts


@pytest.mark.parametrize(
    "texts",
    [
        ["- b"],
        ["a b", "a-b", "~a b"],
        ["(a|b) c", "a? b c", "(a )?(b )?c"],
        ["/[ -]a b/", "/a[ -]{1,9}b/", "a b"],
        ["/\\w*x/", "x", "~x", "/(ab)?x y/"],
        ["a b c d", "b c d", "c d", "d"],
        ["~a b", "~b", "~ a"],
        ["a b", "a b", "~a b", "~a b"],
    ],
)
def test_blanks_that_begin_and_end_in_one_another(texts: list[str]) -> None:
    read = patterns(texts)
    assert len(read) >= len(texts) - 1
    assert same_without_marks(read)


def test_plain_words_are_told_apart_without_comparing() -> None:
    dfa = built(patterns(["plan", "planning", "good morning", "good evening", "~证明"]))
    told = set(zip(dfa.accepts, dfa.marks, strict=True))
    assert len(told) > 0.9 * len(dfa.rows)


def test_words_that_begin_and_end_alike_are_told_apart_without_comparing() -> None:
    """As in the built-in lexicons: entries of many words, with blanks, and open at the end."""
    dfa = built(
        patterns(["fix|mix|patch", "(fix|mend|patch) (the|a|this) (bug|error)", "plan*|span*"])
    )
    told = set(zip(dfa.accepts, dfa.marks, strict=True))
    assert len(told) > 0.9 * len(minimise(dfa).accepts)


@pytest.mark.parametrize(("limit", "most"), [("_MOST", 0), ("_MOST", 1), ("_MOST_SETS", 1)])
def test_what_is_given_up_is_told_apart_by_rounds(
    limit: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = patterns(["fix|mix (a|the)? bug", "/[ab][bc]{1,3}x/", "/[bc]a[a-x]/", "plan*|span*"])
    whole = minimise(built(read))
    monkeypatch.setattr(pattern_marks, limit, most)
    assert minimise(built(read)) == whole


@pytest.mark.parametrize("seed", range(4))
def test_every_state_of_the_tables_is_reached(seed: int) -> None:
    chance = Random(100 + seed)
    for _ in range(30):
        texts = [entry(chance) for _ in range(4)]
        read = patterns([*texts, *(f"~{text}" for text in texts if not text.startswith("~"))])
        if not read:
            continue
        tables = tables_of(build_automaton([read]), [len(read)])
        cells, classes = tables.cells(), tables.classes
        met, rows, stack = {0}, set[int](), [0]
        while stack:
            row = tables.moves_as(stack.pop())
            rows.add(row)
            fresh = set(cells[row : row + classes]) - met
            met |= fresh
            stack += fresh
        assert len(rows) == tables.rows, texts
        assert sum(state >= tables.accepting for state in met) == tables.accepting_states, texts
