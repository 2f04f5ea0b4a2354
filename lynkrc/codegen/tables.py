"""An automaton to the tables that are packed and run.

A match of a free entry is confirmed by its last byte, that of any other by the byte behind it. So
the same position can be confirmed in two states, one after the other, and a lexicon counts it once:
what entering a state adds depends on the state before. States where it does are split here, so
that the kernel only ever asks which state it entered.
"""

from array import array
from collections.abc import Sequence

from lynkrc.ir.automaton import Automaton
from lynkrc_runtime.scan.tables import Tables, pack, unpack

_NONE: frozenset[int] = frozenset()


def tables_of(automaton: Automaton, sizes: Sequence[int]) -> Tables:
    """The tables, checked; `sizes` are the entries of each lexicon, in order."""
    return unpack(packed(automaton, sizes))


def packed(automaton: Automaton, sizes: Sequence[int]) -> bytes:
    """The bytes of the tables, as `tables_of` reads them."""
    lexicon_of = [number for number, size in enumerate(sizes) for _ in range(size)]
    free = frozenset(automaton.free)
    classes = automaton.classes
    bounded = [_lexicons(lexicon_of, entries, free, inside=False) for entries in automaton.accepts]
    unbound = [_lexicons(lexicon_of, entries, free, inside=True) for entries in automaton.accepts]
    # Where a state follows one that counted some of its lexicons, a second one takes its place,
    # which moves as the first does and does not count these again.
    numbers: dict[tuple[int, frozenset[int]], int] = {}
    again: list[tuple[int, frozenset[int]]] = []
    transitions = array("I", automaton.transitions)
    for state, counted in enumerate(unbound):
        if not counted:
            continue
        for cell in range(state * classes, (state + 1) * classes):
            target = transitions[cell]
            both = counted & bounded[target]
            if both:
                key = (target, both)
                if key not in numbers:
                    numbers[key] = automaton.states + len(again)
                    again.append(key)
                transitions[cell] = numbers[key]
    for state, _ in again:
        transitions.extend(transitions[state * classes : (state + 1) * classes])
    found = [*((state, _NONE) for state in range(automaton.states)), *again]
    if again:
        # Where every way to a state now leads to its second one, it is not needed.
        kept = _reached(transitions, classes)
        numbered = {state: number for number, state in enumerate(kept)}
        transitions = array(
            "I",
            (
                numbered[target]
                for state in kept
                for target in transitions[state * classes : (state + 1) * classes]
            ),
        )
        found = [found[state] for state in kept]
    return pack(
        byte_class=automaton.byte_class,
        transitions=transitions,
        accepts=[automaton.accepts[state] for state, _ in found],
        # A bounded and a free match of one step end at different positions: both count.
        counts=[
            (*sorted(bounded[state] - counted), *sorted(unbound[state])) for state, counted in found
        ],
        sizes=sizes,
        free=automaton.free,
    )


def _reached(transitions: "array[int]", classes: int) -> list[int]:
    """The states that some text leads to, in order."""
    met = {0}
    stack = [0]
    while stack:
        state = stack.pop()
        fresh = set(transitions[state * classes : (state + 1) * classes]) - met
        met |= fresh
        stack += fresh
    return sorted(met)


def _lexicons(
    lexicon_of: Sequence[int], entries: Sequence[int], free: frozenset[int], *, inside: bool
) -> frozenset[int]:
    """The lexicons of those entries that are free, or of those that are not."""
    if not entries:
        return _NONE
    return frozenset(lexicon_of[entry] for entry in entries if (entry in free) is inside)
