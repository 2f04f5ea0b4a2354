"""Two tables to a walker that knows the lexicons of both, so that texts can be found for any.

Lexicons are known by their entries. One automaton is built for all of them only where neither
table's own knows them all.
"""

from dataclasses import replace
from typing import TypeAlias

from lynkrc.ir.table import Entry, Lexicon, RouteTable
from lynkrc.lower.patterns import AutomatonTooLarge, build_automaton
from lynkrc.source.text import SourceFile, Span
from lynkrc.syntax.pattern import Pattern
from lynkrc.syntax.pattern_parse import parse_pattern
from lynkrc.testing.sample import Walker

_Known: TypeAlias = dict[tuple[Entry, ...], Lexicon]


def joint_walker(old: RouteTable, new: RouteTable) -> Walker | None:
    """The walker; None where the lexicons of both together are too large for one automaton."""
    known = _known(old), _known(new)
    for table, own in zip((new, old), reversed(known), strict=True):
        if own.keys() >= known[0].keys() | known[1].keys():
            return Walker(table.lexicons, table.automaton)
    lexicons: list[Lexicon] = []
    first = 0
    for lexicon in (known[0] | known[1]).values():
        lexicons.append(replace(lexicon, first=first))
        first += len(lexicon.entries)
    try:
        automaton = build_automaton([[_pattern(e) for e in one.entries] for one in lexicons])
    except AutomatonTooLarge:
        return None
    return Walker(lexicons, automaton)


def _known(table: RouteTable) -> _Known:
    return {
        tuple(sorted(one.entries, key=lambda entry: (entry.pattern, entry.weight64))): one
        for one in table.lexicons
    }


def _pattern(entry: Entry) -> Pattern:
    """An entry that was compiled once: it parses."""
    nowhere = Span(file=SourceFile(path="", text=""), start=0, end=0)
    pattern, _ = parse_pattern(entry.pattern, nowhere, None)
    assert pattern is not None, entry
    return pattern
