"""Entries that are called tame have an automaton far below its limits."""

from hypothesis import given
from hypothesis import strategies as st

from lynkrc.cli.specs import DiskLoader, catalog_files
from lynkrc.lower.pattern_dfa import Dfa, build_dfa
from lynkrc.lower.pattern_extent import MOST_INNER_STARS, is_tame, plain_cells
from lynkrc.lower.pattern_nfa import build_nfa
from lynkrc.lower.patterns import build_automaton, check_size
from lynkrc.pipeline import check_spec
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern import Pattern
from lynkrc.syntax.pattern_parse import parse_pattern
from tests.property.effort import tried

WORDS = st.text(alphabet="abé中ก", min_size=1, max_size=4)
ATOMS = st.one_of(
    WORDS,
    WORDS.map(lambda word: f"{word}*"),
    st.lists(WORDS, min_size=2, max_size=3).map(lambda words: f"({'|'.join(words)})"),
    st.lists(WORDS, min_size=1, max_size=2).map(lambda words: f"({'|'.join(words)})?"),
)
ENTRIES = st.lists(ATOMS, min_size=1, max_size=4).map(" ".join)
FAR_BELOW = 30_000
"""States; a construction is given up at four times as many."""


def parsed(text: str) -> Pattern | None:
    span = Span(file=SourceFile(path="-", text=text), start=0, end=len(text))
    return parse_pattern(text, span, None)[0]


@tried(12)
@given(st.lists(ENTRIES, min_size=1, max_size=40))
def test_tame_entries_make_few_states(texts: list[str]) -> None:
    patterns = [found for text in texts if (found := parsed(text)) is not None]
    if not is_tame(patterns):
        return
    dfa = build_dfa(build_nfa(patterns), 100 * FAR_BELOW, FAR_BELOW)
    assert isinstance(dfa, Dfa), texts


def test_what_is_not_tame() -> None:
    def tame(*texts: str) -> bool:
        patterns = [parsed(text) for text in texts]
        return is_tame([pattern for pattern in patterns if pattern is not None])

    assert tame("plan*", "good (morning|evening)", "/[0-9]{1,6}/", "first* then")
    assert tame("~plan")
    assert not tame("~plan*")
    assert tame("/v\\w{1,4}x/", "中 a*", "中(中|国)x", "a (a |b )(a |b )x")
    assert not tame("/[中a]{1,9}x/")
    assert not tame("/a.{4}b/")
    assert not tame("/[^x]{2}y/")
    assert not tame(*(f"w{i}* then" for i in range(MOST_INNER_STARS + 1)))
    assert not tame(*(f"{i}{'long' * 50}*" for i in range(200)))


def test_what_cannot_be_built_is_not_tame() -> None:
    words = "abcdefghijklmnopqrstuvwxyz"
    beside = [f"w{one}{words}{other}" for one in words for other in words[:6]]
    for texts in (
        ["中" + "(中|国)" * 20 + "x"],
        ["a " + "(a |b )" * 14 + "x"],
        ["/(a|b){0,30}a(a|b){18}c/"],
        [*(f"c{number} w*" for number in range(200)), *beside],
    ):
        found = [pattern for text in texts if (pattern := parsed(text)) is not None]
        assert len(found) == len(texts)
        assert [one.code.id for one in check_size([found])] == ["LK209"], texts[0]


def test_the_shipped_lexicons_are_tame() -> None:
    text = (
        b"version: 1\nname: x\nextends: builtin/lynkr\n"
        b"providers: {a: {kind: simulator, trust: local}}\n"
        b"targets: {t: {provider: a, model: m}}\nscore: {use: builtin/lynkr-13}\ntiers:\n"
        b"  - {name: SIMPLE, up_to: 25, chain: [t]}\n  - {name: MEDIUM, up_to: 50, chain: [t]}\n"
        b"  - {name: COMPLEX, up_to: 75, chain: [t]}\n  - {name: REASONING, chain: [t]}\n"
    )
    checked = check_spec("x.yaml", text, loader=DiskLoader(), catalog=catalog_files())
    assert checked.typed is not None
    lexicons = [[entry.pattern for entry in one.lexicon.entries] for one in checked.typed.lexicons]
    assert is_tame([pattern for lexicon in lexicons for pattern in lexicon])
    assert check_size(lexicons) == []


PIECES = st.text(alphabet="ab+é中ก", min_size=1, max_size=4)


@tried(50)
@given(
    st.lists(
        st.tuples(st.sampled_from(("", "~")), st.lists(PIECES, min_size=1, max_size=3)),
        min_size=1,
        max_size=12,
    )
)
def test_plain_words_make_no_more_states_than_was_said(
    parts: list[tuple[str, list[str]]],
) -> None:
    texts = [edge + " ".join(words) for edge, words in parts]
    patterns = [found for text in texts if (found := parsed(text)) is not None]
    cells = plain_cells(patterns)
    assert cells is not None
    dfa = build_dfa(build_nfa(patterns), 10**7, 10**5)
    assert isinstance(dfa, Dfa)
    assert len(dfa.rows) * len(dfa.rows[0]) <= cells, texts


def test_ten_thousand_entries_of_two_words_are_built() -> None:
    patterns = [parsed(f"word{number} x{number * 7919 % 10_007}") for number in range(10_000)]
    found = [pattern for pattern in patterns if pattern is not None]
    assert check_size([found]) == []
    assert build_automaton([found]).classes > 10


def test_entries_that_are_tame_are_not_refused_when_they_are_built() -> None:
    # Few different bytes: many states before there are many cells.
    for count, tame in ((5_000, True), (20_000, False)):
        texts = [f"{number * 99_991 % 2**24:024b}" for number in range(count)]
        found = [pattern for text in texts if (pattern := parsed(text)) is not None]
        assert is_tame(found) == tame
        if tame:
            build_nfa(found)  # raises nothing


def test_plain_cells_are_known_of_words_alone() -> None:
    def known(text: str) -> bool:
        pattern = parsed(text)
        assert pattern is not None
        return plain_cells([pattern]) is not None

    assert known("step by step")
    assert known("~証明")
    assert not known("plan*")
    assert not known("x-y z")
