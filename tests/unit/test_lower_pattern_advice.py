"""What is said of an entry that makes the table too large is measured, and true."""

from collections.abc import Sequence

import pytest

from lynkrc.lower.pattern_advice import FEW_STATES, advice, states_of
from lynkrc.lower.pattern_dfa import TooManyStates, build_dfa
from lynkrc.lower.pattern_nfa import TooManyNodes, build_nfa
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern import Pattern
from lynkrc.syntax.pattern_parse import parse_pattern


def parsed(text: str) -> Pattern:
    span = Span(file=SourceFile(path="-", text=text), start=0, end=len(text))
    pattern, findings = parse_pattern(text, span, None)
    assert pattern is not None, findings
    return pattern


def told(*texts: str) -> str:
    return advice([parsed(text) for text in texts], 0)


def test_a_tighter_repetition_is_named_with_the_states_it_takes() -> None:
    entry = parsed("~/[a-z]{1,9}x.{40}y/")
    assert states_of(entry) is None
    states = states_of(parsed("~/[a-z]{1,4}x.{4}y/"))
    assert states is not None
    assert states <= FEW_STATES
    assert f"{states:,} with no repetition above 4" in told(entry.text)


def test_leaving_out_the_tilde_is_named_where_it_helps() -> None:
    states = states_of(parsed("/a[a-z]{20}/"))
    assert states is not None
    assert f"{states:,} without `~`" in told("~/a[a-z]{20}/")


def test_entries_that_are_large_only_together() -> None:
    assert "1 with `~` may begin inside what 1 with `*` go on" in told("plan*", "~計画")
    assert "table that all 2 entries share" in told("plan", "word")


HOPELESS: Sequence[tuple[str, int]] = (
    ("~/(a|aa){1,50}b/", 1),
    ("~/.{0,60}x/", 1),
    ("~/(((a?b?){1,4}){1,4}c?){1,7}x/", 300),
    ("/(\\w{1,20} ){1,3}x/", 1),
    ("~/[ab]{0,25}a[ab]{25}/", 1),
    ("~/\\W{1,8}\\w{1,20}\\W{1,8}/", 1),
    ("/.{0,60}x{number}/", 500),
)


@pytest.mark.parametrize(("written", "times"), HOPELESS)
def test_whatever_is_written_ends_with_a_table_or_with_the_entry_to_blame(
    written: str, times: int
) -> None:
    patterns = [parsed(written.replace("{number}", f"q{n}q")) for n in range(times)]
    most = 200_000
    try:
        dfa = build_dfa(build_nfa(patterns), 4_000_000, 50_000, most)
    except TooManyNodes as error:
        assert 0 <= error.entry < times
        return
    if isinstance(dfa, TooManyStates):
        assert 0 <= dfa.entry < times
        assert advice(patterns, dfa.entry)
    else:
        assert dfa.rows


def test_work_is_bounded_whatever_is_asked() -> None:
    patterns = [parsed(f"~/.{{0,60}}x{number}/") for number in range(200)]
    assert isinstance(build_dfa(build_nfa(patterns), 10**9, 10**9, 1_000), TooManyStates)
