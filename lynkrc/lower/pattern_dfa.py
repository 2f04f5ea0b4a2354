"""The NFA of all entries to a total DFA over byte classes (subset construction).

A bounded entry is confirmed by the non-word byte after its match, so on entering the state which
that byte leads to; a ``~`` entry at once, on entering the state its last byte leads to (waiting
one byte there as well would multiply the states of ``~`` entries by the ways to go on).

A state is (after a non-word byte?, nodes in progress, entries just confirmed); the start nodes,
which a naive set would repeat in every state, are implied by the first member.
"""

from dataclasses import dataclass
from typing import TypeAlias, final

from lynkrc.lower.pattern_nfa import BOUNDED, FREE, WORD_BYTES, Nfa

Nodes: TypeAlias = frozenset[int]
Entries: TypeAlias = tuple[int, ...]
_State: TypeAlias = tuple[bool, Nodes, Entries]

_MOST_WORK = 1_000_000
"""Moves of single nodes after which a construction is given up: about a second."""

_NOTHING: Nodes = frozenset()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Dfa:
    """`rows[state][class]` is the next state; state 0 is the start."""

    byte_class: bytes
    rows: list[list[int]]
    accepts: list[Entries]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TooManyStates:
    """The construction was given up; `entry` is in progress in the most states made so far."""

    entry: int
    states: int
    classes: int


def build_dfa(nfa: Nfa, max_cells: int, max_states: int) -> Dfa | TooManyStates:
    """The DFA, not yet minimal, unless its states, or states times classes, exceed the limit."""
    byte_class, classes = _byte_classes(nfa)
    return _Construction(nfa, byte_class, classes).run(min(max_states, max_cells // len(classes)))


def _byte_classes(nfa: Nfa) -> tuple[bytes, list[int]]:
    """The class of each byte, and for each class one of its bytes."""
    sets = {over for edges in nfa.edges for over, _ in edges} | {WORD_BYTES}
    ordered = sorted(sets)
    numbers: dict[tuple[int, ...], int] = {}
    classes: list[int] = []
    byte_class = bytearray()
    for byte in range(256):
        signature = tuple(over >> byte & 1 for over in ordered)
        if signature not in numbers:
            numbers[signature] = len(numbers)
            classes.append(byte)
        byte_class.append(numbers[signature])
    return bytes(byte_class), classes


@final
class _Construction:
    """The tables the construction looks things up in, and the states found so far."""

    def __init__(self, nfa: Nfa, byte_class: bytes, samples: list[int]) -> None:
        self._nfa = nfa
        self._work = 0
        self._byte_class = byte_class
        self._samples = samples
        self._closures: dict[int, Nodes] = {}
        self._class_sets: dict[int, list[int]] = {}
        self._is_word = [bool(WORD_BYTES >> byte & 1) for byte in samples]
        self._moves: dict[int, dict[int, Nodes]] = {}
        self._free = frozenset(nfa.free)
        self._from_bounded = self._moves_of(self._closure(BOUNDED))
        self._from_free = self._moves_of(self._closure(FREE))
        self._numbers: dict[_State, int] = {}
        self._states: list[_State] = []
        self._templates: dict[tuple[bool, Entries], list[int]] = {}
        self._ends: dict[Nodes, tuple[Entries, Entries]] = {}

    def run(self, max_states: int) -> Dfa | TooManyStates:
        self._number((True, _NOTHING, ()))
        rows: list[list[int]] = []
        while len(rows) < len(self._states):
            if len(self._states) > max_states:
                return TooManyStates(
                    entry=self._entry_to_blame(),
                    states=len(self._states),
                    classes=len(self._samples),
                )
            rows.append(self._row(self._states[len(rows)]))
            if self._work > _MOST_WORK:
                max_states = -1
        return Dfa(
            byte_class=self._byte_class,
            rows=rows,
            accepts=[accepted for _, _, accepted in self._states],
        )

    def _number(self, state: _State) -> int:
        number = self._numbers.get(state)
        if number is None:
            number = self._numbers[state] = len(self._states)
            self._states.append(state)
        return number

    def _row(self, state: _State) -> list[int]:
        at_edge, nodes, _ = state
        ended = self._ending(nodes)[0]
        row = self._template(at_edge, ended).copy()
        moves = self._moves_of(nodes)
        self._work += len(moves)
        for number, reached in moves.items():
            row[number] = self._next(at_edge, ended, number, reached)
        return row

    def _template(self, at_edge: bool, ended: Entries) -> list[int]:
        """The row of a state whose nodes have no move: where its ends and new starts lead."""
        template = self._templates.get((at_edge, ended))
        if template is None:
            template = self._templates[at_edge, ended] = [
                self._next(at_edge, ended, number, _NOTHING) for number in range(len(self._samples))
            ]
        return template

    def _next(self, at_edge: bool, ended: Entries, number: int, reached: Nodes) -> int:
        if at_edge:
            started = self._from_bounded.get(number)
            if started:
                reached = reached | started if reached else started
        started = self._from_free.get(number)
        if started:
            reached = reached | started if reached else started
        free = self._ending(reached)[1] if self._free else ()
        if self._is_word[number]:
            return self._number((False, reached, free))
        return self._number((True, reached, tuple(sorted(ended + free)) if free else ended))

    def _ending(self, nodes: Nodes) -> tuple[Entries, Entries]:
        """Entries whose match ends in these nodes: bounded ones, free ones."""
        known = self._ends.get(nodes)
        if known is None:
            accepts = self._nfa.accepts
            ended = {entry for node in nodes if node in accepts for entry in accepts[node]}
            free = ended & self._free
            known = self._ends[nodes] = tuple(sorted(ended - free)), tuple(sorted(free))
        return known

    def _moves_of(self, nodes: Nodes) -> dict[int, Nodes]:
        if len(nodes) == 1:
            return self._moves_of_node(next(iter(nodes)))
        reached: dict[int, Nodes] = {}
        for node in nodes:
            for number, targets in self._moves_of_node(node).items():
                known = reached.get(number)
                self._work += 1 + len(targets) // 8
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
        if closure is None:
            seen = {node}
            stack = [node]
            while stack:
                for target in self._nfa.empty_edges[stack.pop()]:
                    if target not in seen:
                        seen.add(target)
                        stack.append(target)
            closure = frozenset(n for n in seen if self._nfa.edges[n] or n in self._nfa.accepts)
            self._closures[node] = closure
        return closure

    def _entry_to_blame(self) -> int:
        states_of: dict[int, int] = {}
        for _, nodes, _ in self._states:
            for entry in {self._nfa.owner[node] for node in nodes}:
                states_of[entry] = states_of.get(entry, 0) + 1
        return max(states_of, key=lambda entry: (states_of[entry], -entry))
