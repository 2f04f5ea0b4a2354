"""An automaton to the tables that are packed and run.

A match of a free entry is confirmed by its last byte, that of any other by the byte behind it, or
the next. So the same position can be confirmed in two states, one after the other, and a lexicon
counts it once: what entering a state adds depends on the states before. Those where it does are
split here, so that the kernel only ever asks which state it entered.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.ir.automaton import Automaton
from lynkrc_runtime.scan.edges import undecided
from lynkrc_runtime.scan.tables import Tables, pack, unpack

_NONE: frozenset[int] = frozenset()
_UNDECIDED = undecided()


def tables_of(automaton: Automaton, sizes: Sequence[int]) -> Tables:
    """The tables, checked; `sizes` are the entries of each lexicon, in order."""
    return unpack(packed(automaton, sizes))


def packed(automaton: Automaton, sizes: Sequence[int]) -> bytes:
    """The bytes of the tables, as `tables_of` reads them."""
    lexicon_of = [number for number, size in enumerate(sizes) for _ in range(size)]
    free = frozenset(automaton.free)
    bounded = [_lexicons(lexicon_of, entries, free, inside=False) for entries in automaton.accepts]
    unbound = [_lexicons(lexicon_of, entries, free, inside=True) for entries in automaton.accepts]
    transitions, found = _Split(automaton, bounded, unbound).states()
    if len(found) > automaton.states:
        # Where every way to a state now leads to its second one, it is not needed.
        kept = _reached(transitions, automaton.classes)
        numbered = {state: number for number, state in enumerate(kept)}
        classes = automaton.classes
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
        accepts=[automaton.accepts[one.state] for one in found],
        # A bounded and a free match of one step end at different positions: both count.
        counts=[
            (*sorted(bounded[one.state] - one.silent), *sorted(unbound[one.state])) for one in found
        ],
        sizes=sizes,
        free=automaton.free,
    )


@final
@dataclass(frozen=True, slots=True)
class _Second:
    """A state that moves as another, and where fewer lexicons count.

    `silent` are those that do not count on entering it, `counted` those that have counted the
    position that the beginning of a character, `begun`, was read behind.
    """

    state: int
    silent: frozenset[int] = _NONE
    counted: frozenset[int] = _NONE
    begun: bytes = b""


@final
class _Split:
    """The states of an automaton, and second ones: where one follows a state that counted some of
    its lexicons, another takes its place, which does not count these again."""

    def __init__(
        self,
        automaton: Automaton,
        bounded: Sequence[frozenset[int]],
        unbound: Sequence[frozenset[int]],
    ) -> None:
        self._classes = automaton.classes
        self._byte_class = automaton.byte_class
        self._cells = automaton.transitions
        self._bounded = bounded
        self._unbound = unbound
        self._found = [_Second(state) for state in range(automaton.states)]
        self._numbers: dict[_Second, int] = {}
        self._added: list[_Second] = []  # grows as their rows are made

    def states(self) -> tuple["array[int]", list[_Second]]:
        """The transitions, and what each state is."""
        transitions = array("I", self._cells)
        for number, counted in enumerate(self._unbound):
            if counted:
                row = self._row(self._found[number])
                transitions[number * self._classes : (number + 1) * self._classes] = row
        for one in self._added:
            transitions.extend(self._row(one))
        return transitions, [*self._found, *self._added]

    def _row(self, one: _Second) -> "array[int]":
        start = one.state * self._classes
        row = array("I", self._cells[start : start + self._classes])
        counted = one.counted if one.begun else self._unbound[one.state]
        if not counted:
            return row
        for step, target in enumerate(row):
            both = counted & self._bounded[target]
            if both:
                row[step] = self._second(_Second(target, silent=both))
        for byte in _UNDECIDED[one.begun]:
            begun = one.begun + bytes((byte,))
            step = self._byte_class[byte]
            if begun in _UNDECIDED and row[step] < len(self._unbound):
                later = counted & self._told_from(row[step], begun)
                if later:
                    row[step] = self._second(_Second(row[step], counted=later, begun=begun))
        return row

    def _told_from(self, state: int, begun: bytes) -> frozenset[int]:
        """The bounded lexicons that the rest of the character may confirm."""
        found = _NONE
        for byte in _UNDECIDED[begun]:
            target = self._cells[state * self._classes + self._byte_class[byte]]
            further = begun + bytes((byte,))
            found |= self._bounded[target]
            if further in _UNDECIDED:
                found |= self._told_from(target, further)
        return found

    def _second(self, one: _Second) -> int:
        number = self._numbers.get(one)
        if number is None:
            number = self._numbers[one] = len(self._found) + len(self._added)
            self._added.append(one)
        return number


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
