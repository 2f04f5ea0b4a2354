"""The share of each lexicon in the table, and the entries that cost most."""

from lynkrc.lower.pattern_shares import Share, costliest, shares
from lynkrc.lower.patterns import build_automaton
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern import Pattern
from lynkrc.syntax.pattern_parse import parse_pattern


def parsed(*texts: str) -> list[Pattern]:
    patterns = []
    for text in texts:
        span = Span(file=SourceFile(path="-", text=text), start=0, end=len(text))
        pattern, findings = parse_pattern(text, span, None)
        assert pattern is not None, findings
        patterns.append(pattern)
    return patterns


def test_lexicons_that_begin_alike_share_states() -> None:
    lexicons = [parsed("prove"), parsed("proven"), parsed("zebra")]
    found = shares(lexicons, build_automaton(lexicons).states)
    # A table of one word: the start, inside another word, its letters, and behind it.
    assert [share.alone for share in found] == [8, 9, 8]
    # Without `prove` only the state that confirms it is gone; `zebra` has its six for itself.
    assert [share.saved for share in found] == [1, 2, 6]


def test_one_lexicon_has_all_but_what_nothing_takes() -> None:
    lexicons = [parsed("a", "~b*")]
    states = build_automaton(lexicons).states
    assert shares(lexicons, states) == (Share(alone=states, saved=states - 1),)


def test_the_costliest_entries_come_first() -> None:
    patterns = parsed("ab", "~/[a-z]{1,9}x.{40}y/", "a long phrase", "abc")
    found = costliest(patterns, 3)
    assert [entry for entry, _ in found] == [1, 2, 3]
    assert found[0][1] is None
    assert found[1][1] is not None
