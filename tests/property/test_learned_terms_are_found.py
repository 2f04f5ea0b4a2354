"""Words and pairs of words that are learned from a text are what a lexicon finds in it."""

from hypothesis import given
from hypothesis import strategies as st

from lynkrc.codegen.tables import tables_of
from lynkrc.lower.patterns import build_automaton
from lynkrc.quality.ngrams import grams
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern_parse import parse_pattern
from lynkrc_runtime.scan.edges import as_written
from lynkrc_runtime.scan.fold import fold_text
from lynkrc_runtime.scan.matcher import Matcher
from tests.property.effort import tried

SPAN = Span(file=SourceFile(path="-", text=""), start=0, end=0)

PIECES = (
    *("a", "b", "ab", "B", "don", "t", "É", "_", "7", "x1", "ß", "K"),
    *(" ", "  ", "-", "\n", "\t - ", " " * 8, " " * 9, "'", "\u2019", "''", ".", ", ", "\u2192"),
    *("证", "明", "か", "\u3099", "ที", "\u0e48", "ក", "한", "ㄅ", "ㅎ", "𠀀", "\u00a0", "\u2003"),
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@given(texts=st.lists(TEXTS, min_size=1, max_size=4), other=st.lists(TEXTS, max_size=3))
@tried(120)
def test_a_term_is_found_where_the_automaton_finds_it(texts: list[str], other: list[str]) -> None:
    found = {text: grams(text) for text in (*texts, *other)}
    terms = sorted({gram for text in texts for gram in found[text].present})
    patterns = []
    for term in terms:
        pattern, problems = parse_pattern(as_written(term), SPAN, None)
        assert pattern is not None and not problems, (term, problems)
        patterns.append(pattern)
    if not patterns:
        return
    matcher = Matcher(tables_of(build_automaton([patterns]), [len(patterns)]))
    for text, said in found.items():
        present = {terms[entry] for entry in matcher.present(text)}
        assert present == {term for term in terms if term in said.present}, text
        assert said.whole <= said.present


@given(text=TEXTS)
@tried(60)
def test_a_term_folds_to_itself(text: str) -> None:
    for term in grams(text).present:
        assert fold_text(as_written(term)) == term
