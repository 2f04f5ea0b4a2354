"""The NFA of all entries to a total DFA over byte classes (subset construction).

A bounded entry is confirmed by the byte behind its match, on entering the state which that byte
leads to: it tells whether the word ends there. An entry that needs no edge is confirmed at once, on
entering the state its last byte leads to (waiting one byte there as well would multiply the states
of ``~`` entries by the ways to go on).

A state is (context, nodes in progress, entries just confirmed); the start nodes, which a naive set
would repeat in every state, are implied by the context.

A state moves as its *base* does, except where nodes move that the base has not. The base is the
state that the same last byte leads to from the base of the state before: its nodes are among the
state's own. So a row is a copy of the base's and a few cells, which makes thousands of words as
cheap as their letters (the failure links of Aho and Corasick, for any nodes).
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias, final

from lynkrc.lower.pattern_marks import Nodes, marks
from lynkrc.lower.pattern_nfa import BOUNDED, FREE, Nfa
from lynkrc_runtime.scan.edges import begins_alone, is_word_byte

Context: TypeAlias = int
START: Context = 0
"""After what ends a word: no word character, or one that is a word by itself, or within this."""
INSIDE: Context = 1
"""After a word character that is none, or within one."""

Entries: TypeAlias = tuple[int, ...]
Codes: TypeAlias = tuple[int, ...]
"""Entries whose match has ended, as in `Nfa.accepts`."""
_State: TypeAlias = tuple[Context, Nodes, Entries]

MOST_WORK = 4_000_000
"""Nodes put into sets after which a construction is given up: one or two seconds."""

_NOTHING: Nodes = frozenset()
_NO_ENDS: tuple[Codes, Entries] = (), ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Dfa:
    """`rows[state][class]` is the next state; state 0 is the start.

    States whose `marks` differ are told apart by some text (others may be, too).
    """

    byte_class: bytes
    rows: list["array[int]"]
    accepts: list[Entries]
    marks: list[Nodes]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TooManyStates:
    """The construction was given up; `entry` is in progress in the most states made so far."""

    entry: int
    states: int
    classes: int


def build_dfa(
    nfa: Nfa, max_cells: int, max_states: int, most_work: int = MOST_WORK
) -> Dfa | TooManyStates:
    """The DFA, not yet minimal, unless its states, or states times classes, exceed the limit."""
    byte_class, classes = _byte_classes(nfa)
    most = min(max_states, max_cells // len(classes))
    return _Construction(nfa, byte_class, classes, most_work).run(most)


@final
class _TooMuchWork(Exception):
    """The construction has done all the work it may."""


def _byte_classes(nfa: Nfa) -> tuple[bytes, list[int]]:
    """The class of each byte, and for each class one of its bytes."""
    ordered = sorted({over for edges in nfa.edges for over, _ in edges})
    numbers: dict[object, int] = {}
    classes: list[int] = []
    byte_class = bytearray()
    for byte in range(256):
        signature = (
            tuple(over >> byte & 1 for over in ordered),
            *(_after(context, byte) for context in (START, INSIDE)),
        )
        if signature not in numbers:
            numbers[signature] = len(numbers)
            classes.append(byte)
        byte_class.append(numbers[signature])
    return bytes(byte_class), classes


def _after(context: Context, byte: int) -> tuple[Context, bool]:
    """The context that the byte leads to, and whether it ends the word before it."""
    if 0x80 <= byte < 0xC0:
        return context, False
    if not is_word_byte(byte) or begins_alone(byte):
        return START, True
    return INSIDE, False


@final
class _Construction:
    """The tables the construction looks things up in, and the states found so far."""

    def __init__(self, nfa: Nfa, byte_class: bytes, samples: list[int], most: int) -> None:
        self._nfa = nfa
        self._work = 0
        self._most_work = most
        self._byte_class = byte_class
        self._closures: dict[int, Nodes] = {}
        self._class_sets: dict[int, list[int]] = {}
        self._samples = samples
        self._after = [
            [_after(context, byte)[0] for byte in samples] for context in (START, INSIDE)
        ]
        self._ends_word = [_after(INSIDE, byte)[1] for byte in samples]
        self._telling = [number for number, ends in enumerate(self._ends_word) if ends]
        self._moves: dict[int, dict[int, Nodes]] = {}
        self._free = frozenset(nfa.free)
        self._ends: dict[Nodes, tuple[Codes, Entries]] = {}
        # The first states have nothing begun: they are the bases of all bases.
        self._states: list[_State] = [(START, _NOTHING, ()), (INSIDE, _NOTHING, ())]
        self._bases = [START, INSIDE]
        self._numbers: dict[_State, int] = {state: i for i, state in enumerate(self._states)}
        self._rows: list[array[int]] = []

    def run(self, max_states: int) -> Dfa | TooManyStates:
        try:
            self._begin()
            while len(self._rows) < len(self._states):
                if len(self._states) > max_states:
                    return self._given_up()
                self._rows.append(self._row(len(self._rows)))
        except _TooMuchWork:
            return self._given_up()
        return Dfa(
            byte_class=self._byte_class,
            rows=self._rows,
            accepts=[accepted for _, _, accepted in self._states],
            marks=marks(self._nfa, [nodes for _, nodes, _ in self._states]),
        )

    def _given_up(self) -> TooManyStates:
        return TooManyStates(
            entry=self._entry_to_blame(),
            states=len(self._states),
            classes=len(self._samples),
        )

    def _spend(self, work: int) -> None:
        self._work += work
        if self._work > self._most_work:
            raise _TooMuchWork

    def _begin(self) -> None:
        """The rows of the states without nodes, from which entries start."""
        started = self._moves_of(self._closure(FREE))
        for after in self._after:
            row = array("I")
            for number, context in enumerate(after):
                row.append(self._next(context, started.get(number, _NOTHING), ()))
            self._rows.append(row)
        bounded = self._moves_of(self._closure(BOUNDED))
        self._rows[START] = self._moved(self._rows[START], bounded, (), ())

    def _row(self, number: int) -> "array[int]":
        """The row of a state, whose base has one already: bases are found first."""
        nodes = self._states[number][1]
        base = self._bases[number]
        known = self._states[base][1]
        return self._moved(
            self._rows[base],
            self._moves_of(nodes - known if known else nodes),
            self._ending(nodes)[0],
            self._ending(known)[0],
        )

    def _moved(
        self, base_row: "array[int]", moves: dict[int, Nodes], due: Codes, base_due: Codes
    ) -> "array[int]":
        """The row of the base with what more nodes do; `due` is what ends there."""
        row = base_row[:]
        states = self._states
        self._spend(1 + len(moves))
        for number, reached in moves.items():
            onward = base_row[number]
            known = states[onward][1]
            ended = self._confirmed(due, number) if due else ()
            row[number] = self._next(onward, reached | known if known else reached, ended)
        if due != base_due:
            numbers: Iterable[int] = self._telling
            if any(code & 1 for code in due + base_due):
                numbers = range(len(row))
            for number in numbers:
                if number not in moves:
                    onward = base_row[number]
                    ended = self._confirmed(due, number)
                    row[number] = self._next(onward, states[onward][1], ended)
        return row

    def _confirmed(self, due: Codes, number: int) -> Entries:
        """The entries that a byte of this class confirms, of what ended before it."""
        ends = self._ends_word[number]
        return tuple(sorted({code // 2 for code in due if ends or code & 1}))

    def _next(self, base: int, reached: Nodes, ended: Entries) -> int:
        """The state with these nodes, of which the base (reached by the same byte) has some."""
        self._spend(1 + len(reached) // 4)
        confirmed = ended
        if self._free:
            free = self._ending(reached)[1]
            if free:
                confirmed = tuple(sorted({*ended, *free})) if ended else free
        state = (self._states[base][0], reached, confirmed)
        number = self._numbers.get(state)
        if number is None:
            number = self._numbers[state] = len(self._states)
            self._states.append(state)
            self._bases.append(base)
        return number

    def _ending(self, nodes: Nodes) -> tuple[Codes, Entries]:
        """What ends in these nodes: codes of entries that may need an edge, free entries."""
        accepts = self._nfa.accepts
        if accepts.keys().isdisjoint(nodes):
            return _NO_ENDS
        known = self._ends.get(nodes)
        if known is None:
            self._spend(len(nodes) // 4)
            ended = {code for node in nodes if node in accepts for code in accepts[node]}
            ended -= {code - 1 for code in ended if code & 1}  # what needs no edge, needs none
            free = {code for code in ended if code // 2 in self._free}
            bounded = tuple(sorted(ended - free))
            known = self._ends[nodes] = bounded, tuple(sorted(code // 2 for code in free))
        return known

    def _moves_of(self, nodes: Nodes) -> dict[int, Nodes]:
        if len(nodes) == 1:
            return self._moves_of_node(next(iter(nodes)))
        reached: dict[int, Nodes] = {}
        for node in nodes:
            moves = self._moves_of_node(node)
            self._spend(len(moves))
            for number, targets in moves.items():
                known = reached.get(number)
                reached[number] = targets if known is None else known | targets
        return reached

    def _moves_of_node(self, node: int) -> dict[int, Nodes]:
        moves = self._moves.get(node)
        if moves is None:
            moves = self._moves[node] = {}
            for over, target in self._nfa.edges[node]:
                closure = self._closure(target)
                for number in self._classes_in(over):
                    known = moves.get(number)
                    moves[number] = closure if known is None else known | closure
        return moves

    def _classes_in(self, over: int) -> list[int]:
        numbers = self._class_sets.get(over)
        if numbers is None:
            numbers = [n for n, byte in enumerate(self._samples) if over >> byte & 1]
            self._class_sets[over] = numbers
        return numbers

    def _closure(self, node: int) -> Nodes:
        """Nodes reached without a byte, of these only those that move or end an entry."""
        closure = self._closures.get(node)
        if closure is None and not self._nfa.empty_edges[node]:
            moves = self._nfa.edges[node] or node in self._nfa.accepts
            closure = self._closures[node] = frozenset((node,)) if moves else _NOTHING
        elif closure is None:
            seen = {node}
            stack = [node]
            while stack:
                for target in self._nfa.empty_edges[stack.pop()]:
                    if target not in seen:
                        seen.add(target)
                        stack.append(target)
            self._spend(len(seen) // 4)
            closure = frozenset(n for n in seen if self._nfa.edges[n] or n in self._nfa.accepts)
            self._closures[node] = closure
        return closure

    def _entry_to_blame(self) -> int:
        states_of: dict[int, int] = {}
        for (_, nodes, _), base in zip(self._states, self._bases, strict=True):
            # What the base has as well is told of the base.
            own = nodes - self._states[base][1]
            for entry in {self._nfa.owner[node] for node in own}:
                states_of[entry] = states_of.get(entry, 0) + 1
        if not states_of:
            return 0
        return max(states_of, key=lambda entry: (states_of[entry], -entry))
