"""Patterns to the automaton: what it accepts, that it is least, that it has a limit."""

import pytest

from lynkrc.codegen.tables import tables_of
from lynkrc.ir.automaton import Automaton
from lynkrc.lower.patterns import AutomatonTooLarge, build_automaton, too_large
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern import Pattern
from lynkrc.syntax.pattern_parse import parse_pattern
from lynkrc_runtime.scan.tables import HEAD, unpack


def lexicon(*entries: str) -> list[Pattern]:
    patterns = []
    for entry in entries:
        span = Span(file=SourceFile(path="-", text=entry), start=0, end=len(entry))
        pattern, findings = parse_pattern(entry, span, None)
        assert pattern is not None, findings
        patterns.append(pattern)
    return patterns


def run(automaton: Automaton, text: bytes) -> list[tuple[int, tuple[int, ...]]]:
    """Offsets of the bytes after which something is confirmed, and what."""
    state = 0
    confirmed = []
    for offset, byte in enumerate(text):
        state = automaton.transitions[state * automaton.classes + automaton.byte_class[byte]]
        if automaton.accepts[state]:
            confirmed.append((offset, automaton.accepts[state]))
    return confirmed


def test_bounded_entries_are_confirmed_by_the_byte_after_them() -> None:
    automaton = build_automaton([lexicon("ab"), lexicon("ab*", "b")])
    assert automaton.free == ()
    assert run(automaton, b"ab ab abx b\x00") == [
        (2, (0, 1)),
        (5, (0, 1)),
        (9, (1,)),
        (11, (2,)),
    ]
    assert run(automaton, "xab éab abé\x00".encode()) == [(13, (1,))]


def test_free_entries_are_confirmed_at_once() -> None:
    automaton = build_automaton([lexicon("a", "~a", "~中")])
    assert automaton.free == (1, 2)
    assert run(automaton, "aa中 a\x00".encode()) == [
        (0, (1,)),
        (1, (1,)),
        (4, (2,)),
        (6, (1,)),
        (7, (0,)),
    ]


def test_no_lexicons_make_one_state() -> None:
    automaton = build_automaton([])
    assert (automaton.states, automaton.classes, automaton.accepts) == (1, 1, ((),))


def test_equal_meanings_give_equal_automata() -> None:
    one = build_automaton([lexicon("(foo|fop)s?", "good (morning|evening)")])
    other = build_automaton([lexicon("foo|fop|foos|fops", "good morning|good evening")])
    assert one == other


def test_it_is_least() -> None:
    automaton = build_automaton([lexicon("(ab|cb) x", "/[de]{1,3}f/", "~gh*")])
    rows = [
        automaton.transitions[state * automaton.classes : (state + 1) * automaton.classes]
        for state in range(automaton.states)
    ]
    # Two states are equal when no text tells them apart: refine until nothing changes.
    blocks: list[object] = list(automaton.accepts)
    for _ in range(automaton.states):
        signatures = [
            (blocks[s], tuple(blocks[t] for t in rows[s])) for s in range(automaton.states)
        ]
        numbers = {signature: n for n, signature in enumerate(dict.fromkeys(signatures))}
        blocks = [numbers[signature] for signature in signatures]
    assert len(set(blocks)) == automaton.states
    columns = set(zip(*rows, strict=True))
    assert len(columns) == automaton.classes == max(automaton.byte_class) + 1


def test_the_file_gives_the_tables_back() -> None:
    tables = tables_of(build_automaton([lexicon("ab*"), lexicon("~中", "a b")]), [1, 2])
    data = tables.data
    assert unpack(data) == tables
    assert (tables.sizes, tables.entries) == ((1, 2), 3)
    for cut in (0, 3, 15, 100, len(data) - 4, len(data) - 1):
        with pytest.raises(ValueError, match=r"lexicon table"):
            unpack(data[:cut])


def test_tables_that_point_outside_themselves_are_refused() -> None:
    tables = tables_of(build_automaton([lexicon("ab")]), [1])
    data = bytearray(tables.data)
    for outside in (1, tables.accepting + tables.accepting_states):
        data[HEAD : HEAD + 2] = outside.to_bytes(2, "little")
        with pytest.raises(ValueError, match="points outside"):
            unpack(bytes(data))
    moves = HEAD + 2 * tables.accepting + 2 * tables.accepting % 4
    for outside in (1, tables.accepting):
        data = bytearray(tables.data)
        data[moves : moves + 4] = outside.to_bytes(4, "little")
        with pytest.raises(ValueError, match="points outside"):
            unpack(bytes(data))


def test_too_large_an_automaton_names_the_entry_to_blame() -> None:
    patterns = lexicon("alpha", "~/[a-z]{1,9}x.{12}y/", "beta gamma")
    with pytest.raises(AutomatonTooLarge) as caught:
        build_automaton([patterns[:1], patterns[1:]], max_bytes=100_000)
    assert caught.value.entry_index == 1
    assert caught.value.size > 100_000
    finding = too_large(patterns, caught.value)
    assert (finding.code.id, finding.span.text) == ("LK209", "~/[a-z]{1,9}x.{12}y/")


def test_a_table_just_over_the_limit_is_refused_as_well() -> None:
    patterns = lexicon("alpha", "beta gamma", "delta")
    automaton = build_automaton([patterns])
    classes = automaton.classes
    starts = range(0, len(automaton.transitions), classes)
    rows = {automaton.transitions[start : start + classes] for start in starts}
    assert len(rows) < automaton.states
    size = len(rows) * classes * 3
    assert build_automaton([patterns], max_bytes=size)
    with pytest.raises(AutomatonTooLarge) as caught:
        build_automaton([patterns], max_bytes=size - 3)
    assert caught.value.entry_index == 1
