"""An automaton to the tables that are packed and run.

A match of a free entry is confirmed by its last byte, that of any other by the byte behind it. So
the same position can be confirmed in two states, one after the other, and a lexicon counts it once:
what entering a state adds depends on the state before. States where it does are split here, so
that the kernel only ever asks which state it entered.
"""

from collections.abc import Sequence

from lynkrc.ir.automaton import Automaton
from lynkrc_runtime.scan.tables import Tables, pack, unpack


def tables_of(automaton: Automaton, sizes: Sequence[int]) -> Tables:
    """The tables; `sizes` are the entries of each lexicon, in order."""
    lexicon_of = [number for number, size in enumerate(sizes) for _ in range(size)]
    free = frozenset(automaton.free)
    classes = automaton.classes
    bounded = [_lexicons(lexicon_of, entries, free, inside=False) for entries in automaton.accepts]
    unbound = [_lexicons(lexicon_of, entries, free, inside=True) for entries in automaton.accepts]
    # A state of the tables: that of the automaton, and the lexicons counted by the one before.
    numbers: dict[tuple[int, frozenset[int]], int] = {(0, frozenset()): 0}
    found = [(0, frozenset[int]())]
    transitions: list[int] = []
    for state, _ in found:
        for target in automaton.transitions[state * classes : (state + 1) * classes]:
            key = (target, unbound[state] & bounded[target])
            number = numbers.get(key)
            if number is None:
                number = numbers[key] = len(found)
                found.append(key)
            transitions.append(number)
    return unpack(
        pack(
            byte_class=automaton.byte_class,
            transitions=transitions,
            accepts=[automaton.accepts[state] for state, _ in found],
            # A bounded and a free match of one step end at different positions: both count.
            counts=[
                (*sorted(bounded[state] - counted), *sorted(unbound[state]))
                for state, counted in found
            ],
            sizes=sizes,
            free=automaton.free,
        )
    )


def _lexicons(
    lexicon_of: Sequence[int], entries: Sequence[int], free: frozenset[int], *, inside: bool
) -> frozenset[int]:
    """The lexicons of those entries that are free, or of those that are not."""
    return frozenset(lexicon_of[entry] for entry in entries if (entry in free) is inside)
