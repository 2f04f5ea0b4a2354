"""Whatever patterns are written, their construction ends within a fixed amount of work."""

from hypothesis import given
from hypothesis import strategies as st

from lynkrc.lower.pattern_dfa import TooManyStates, build_dfa
from lynkrc.lower.pattern_nfa import MAX_NODES, TooManyNodes, build_nfa
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern import Pattern
from lynkrc.syntax.pattern_parse import parse_pattern
from tests.property.effort import tried

ATOMS = st.sampled_from(("a", "b", ".", r"\w", r"\W", r"\s", "[ab]", "[^a]", "中", "(a|aa)"))
COUNTS = st.sampled_from(("", "?", "{2}", "{1,3}", "{0,9}", "{12}", "{0,40}"))


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    parts = st.lists(st.builds(lambda atom, count: atom + count, inner, COUNTS), min_size=1)
    joined = parts.map(lambda some: "".join(some[:3]))
    return st.one_of(joined, st.lists(joined, min_size=2, max_size=3).map("|".join)).map(
        lambda text: f"({text})"
    )


REGEXES = st.recursive(ATOMS, nested, max_leaves=8)
ENTRIES = st.builds(
    lambda edge, text, count: f"{edge}/{text}{count}/", st.sampled_from(("", "~")), REGEXES, COUNTS
)
MOST_WORK = 30_000


def parsed(text: str) -> Pattern | None:
    span = Span(file=SourceFile(path="-", text=text), start=0, end=len(text))
    return parse_pattern(text, span, None)[0]


@tried(50)
@given(st.lists(ENTRIES, min_size=1, max_size=6))
def test_a_construction_ends(texts: list[str]) -> None:
    patterns = [found for text in texts if (found := parsed(text)) is not None]
    try:
        nfa = build_nfa(patterns)
    except TooManyNodes as error:
        assert 0 <= error.entry < len(patterns)
        return
    assert len(nfa.edges) <= MAX_NODES
    dfa = build_dfa(nfa, 10**9, 10**9, MOST_WORK)
    if isinstance(dfa, TooManyStates):
        assert 0 <= dfa.entry < len(patterns)
        # Every state was made by some work, so that memory is bounded with it.
        assert dfa.states <= MOST_WORK + 2
    else:
        assert 0 < len(dfa.rows) <= MOST_WORK + 2
