"""Lexicons of 10,000 entries: the table stays below its bound, and each entry is found by it."""

from random import Random

import pytest

from lynkrc.codegen.tables import tables_of
from lynkrc.lower.patterns import MAX_BYTES, build_automaton
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern_parse import parse_pattern
from lynkrc_runtime.scan.matcher import Matcher
from tests.bench.large_lexicons import ENTRIES, LEXICONS, entries

SPAN = Span(file=SourceFile(path="-", text=""), start=0, end=0)


@pytest.mark.parametrize("chinese", [False, True], ids=["latin", "half-chinese"])
def test_ten_thousand_entries_are_one_table(chinese: bool) -> None:
    made = entries(chinese=chinese)
    lexicons = [
        [found for one in made[number::LEXICONS] if (found := parse_pattern(one, SPAN, None)[0])]
        for number in range(LEXICONS)
    ]
    sizes = [len(one) for one in lexicons]
    assert sum(sizes) == ENTRIES == len(set(made))
    tables = tables_of(build_automaton(lexicons), sizes)
    assert len(tables.data) <= MAX_BYTES == 16_000_000
    matcher = Matcher(tables)
    order = [one for number in range(LEXICONS) for one in made[number::LEXICONS]]
    for entry in Random(1).sample(range(ENTRIES), 500):
        assert entry in matcher.present(order[entry].strip("*"))
