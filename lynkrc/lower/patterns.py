"""All lexicons of a spec to one automaton: patterns -> NFA -> DFA -> least DFA.

>>> from lynkrc.source.text import SourceFile, Span
>>> from lynkrc.syntax.pattern_parse import parse_pattern
>>> span = Span(file=SourceFile(path="-", text=""), start=0, end=0)
>>> patterns = [parse_pattern(text, span, None)[0] for text in ("hi|hello", "good morning")]
>>> automaton = build_automaton([patterns])
>>> automaton.states, automaton.classes, automaton.accepts[0]
(28, 14, ())
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import final

from lynkrc.diagnostics.model import Diagnostic
from lynkrc.diagnostics.pattern_codes import AUTOMATON_TOO_LARGE
from lynkrc.ir.automaton import Automaton
from lynkrc.lower.minimise import LeastDfa, minimise
from lynkrc.lower.pattern_advice import advice
from lynkrc.lower.pattern_dfa import Dfa, TooManyStates, build_dfa
from lynkrc.lower.pattern_extent import is_tame
from lynkrc.lower.pattern_nfa import MAX_NODES, Nfa, TooManyNodes, build_nfa
from lynkrc.syntax.pattern import Pattern

MAX_BYTES = 16_000_000
"""Largest transition table, in bytes."""

_CELL = 3  # bytes of a cell of a large table
_SLACK = 2  # how much larger the table may be before it is made minimal and its rows are shared
_MAX_STATES = 200_000  # before it is made minimal; bounds the time a hopeless set of entries takes


@final
class AutomatonTooLarge(Exception):
    """The construction was given up. `entry_index` (over all lexicons) adds most to the tables;
    `size` is what they had come to, in bytes."""

    def __init__(self, entry_index: int, size: int) -> None:
        super().__init__(f"automaton of {size} bytes, most of it by entry {entry_index}")
        self.entry_index = entry_index
        self.size = size


def build_automaton(lexicons: Sequence[Sequence[Pattern]], max_bytes: int = MAX_BYTES) -> Automaton:
    """The least automaton of all entries, numbered through the lexicons in order.

    Raises AutomatonTooLarge when the table would exceed `max_bytes`, or takes too many states on
    the way there.
    """
    return _least(tuple(pattern for lexicon in lexicons for pattern in lexicon), max_bytes)


@lru_cache(maxsize=4)  # a change that is compared with what was leaves its lexicons alone, mostly
def _least(patterns: tuple[Pattern, ...], max_bytes: int) -> Automaton:
    with _without_collection():
        nfa, dfa = _bounded(patterns, max_bytes)
        least = dfa if isinstance(dfa, LeastDfa) else minimise(dfa)
    return Automaton(
        classes=least.classes,
        byte_class=least.byte_class,
        transitions=tuple(least.cells),
        accepts=tuple(least.accepts),
        free=tuple(nfa.free),
    )


def check_size(lexicons: Sequence[Sequence[Pattern]]) -> list[Diagnostic]:
    """The finding that the lexicons are too large, if they are.

    As `build_automaton` finds it, without building what cannot be, and without making small what is
    not too large as it stands.
    """
    patterns = tuple(pattern for lexicon in lexicons for pattern in lexicon)
    if is_tame(patterns):
        return []
    try:
        with _without_collection():
            _bounded(patterns, MAX_BYTES)
    except AutomatonTooLarge as error:
        return [too_large(patterns, error)]
    return []


@contextmanager
def _without_collection() -> Iterator[None]:
    """Keep the collector of cycles away from hundreds of thousands of sets, none in a cycle.

    Looking at them again and again took half the time.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@lru_cache(maxsize=1)  # what was found small enough is made the least one next
def _bounded(patterns: tuple[Pattern, ...], max_bytes: int) -> tuple[Nfa, Dfa | LeastDfa]:
    """The automata of the entries, of which the least one does not exceed `max_bytes`.

    That one is given where it took making it to know.
    """
    try:
        nfa = build_nfa(patterns)
    except TooManyNodes as error:
        raise AutomatonTooLarge(error.entry, MAX_NODES * _CELL) from None
    dfa = build_dfa(nfa, _SLACK * max_bytes // _CELL, _MAX_STATES)
    if isinstance(dfa, TooManyStates):
        raise AutomatonTooLarge(dfa.entry, dfa.states * dfa.classes * _CELL)
    if sum(map(len, dfa.rows)) * _CELL <= max_bytes:
        return nfa, dfa
    least = minimise(dfa)
    size = least.rows * least.classes * _CELL
    if size > max_bytes:
        # No smaller before its rows were made few, so this is given up, and knows the entry.
        given_up = build_dfa(nfa, max_bytes // _CELL, _MAX_STATES)
        assert isinstance(given_up, TooManyStates)
        raise AutomatonTooLarge(given_up.entry, size)
    return nfa, least


def too_large(patterns: Sequence[Pattern], error: AutomatonTooLarge) -> Diagnostic:
    """The finding for `error`; `patterns` are the entries of all lexicons in order."""
    pattern = patterns[error.entry_index]
    return Diagnostic(
        code=AUTOMATON_TOO_LARGE,
        message="the lexicons together need too large a table, mostly because of this entry",
        span=pattern.span,
        help=advice(patterns, error.entry_index),
    )
