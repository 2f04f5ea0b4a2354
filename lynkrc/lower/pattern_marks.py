"""Sets of nodes to marks that differ only where some text tells the sets apart.

To tell all states apart by where they lead takes as many rounds as words are long. So texts are
read backwards from where an entry ends: a *goal* is the nodes from which one and the same text ends
an entry. It does from every state that has one of them and from no other, so of two states of which
only one does, that text ends an entry in one alone.

>>> nfa = Nfa(edges=[[(2, 2), (4, 3)], [], [(8, 4)], [(16, 4)], []], empty_edges=[[]] * 5)
>>> nfa.accepts[4] = [0]
>>> [len(mark) for mark in marks(nfa, [frozenset({2}), frozenset({3}), frozenset({2, 4})])]
[1, 1, 2]
"""

from collections import deque
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import chain
from operator import or_
from typing import TypeAlias

from lynkrc.lower.pattern_nfa import BOUNDED, FREE, ByteSet, Nfa

Nodes: TypeAlias = frozenset[int]
Goals: TypeAlias = frozenset[int]
"""Numbers of goals: of one node its own, of several a negative one."""

_Edge: TypeAlias = tuple[ByteSet, int]

_MOST = 8
"""So many times the nodes is how many of them, and of the edges to them, are put into goals of
several; what is not told apart by goals, the rounds of `minimise` tell."""
_MOST_SETS = 64
"""Sets of bytes that are cut up for one goal; every two of them are compared."""


def marks(nfa: Nfa, states: Sequence[Nodes]) -> list[Goals]:
    """The goals that each state's nodes are in."""
    alone, several = _goals(nfa)
    within: dict[int, list[int]] = {}
    for number, goal in enumerate(several, 1):
        for node in goal:
            within.setdefault(node, []).append(-number)
    plain = alone - within.keys()
    return [
        state
        if state <= plain
        else frozenset(chain(state & alone, *(within[node] for node in state if node in within)))
        for state in states
    ]


def _goals(nfa: Nfa) -> tuple[set[int], list[Nodes]]:
    """The nodes that are goals by themselves, and the goals of several nodes.

    None has a node that is reached without a byte from where entries start: every text starts
    there, whatever came before, so what is read from there tells nothing.
    """
    came = _came(nfa)
    implied = _implied(nfa)
    ends: dict[int, set[int]] = {}
    for node, codes in nfa.accepts.items():
        for code in codes:
            ends.setdefault(code // 2, set()).add(node)
    waiting = deque(map(frozenset, ends.values()))
    alone: set[int] = set()
    several: dict[Nodes, None] = {}
    left = _MOST * len(nfa.edges)
    while waiting and left > 0:
        goal = waiting.popleft()
        if len(goal) == 1:
            (node,) = goal
            while node not in alone and node not in implied:
                alone.add(node)
                edges = came[node]
                if len(edges) != 1:
                    waiting.extend(_by_byte(edges))
                    break
                node = edges[0][1]
        elif goal not in several and goal.isdisjoint(implied):
            several[goal] = None
            edges = list(chain.from_iterable([came[node] for node in goal]))
            left -= len(goal) + len(edges)
            waiting.extend(_by_byte(edges))
    return alone, list(several)


def _came(nfa: Nfa) -> list[list[_Edge]]:
    """The edges by which each node is reached: with one byte, and without any after that."""
    came: list[list[_Edge]] = [[] for _ in nfa.edges]
    for node, edges in enumerate(nfa.edges):
        for over, target in edges:
            came[target].append((over, node))
    freely: dict[int, list[int]] = {}
    for node, targets in enumerate(nfa.empty_edges):
        for target in targets:
            freely.setdefault(target, []).append(node)
    found = came.copy()
    for node in freely:
        seen = {node: None}
        stack = [node]
        while stack:
            fresh = dict.fromkeys(freely.get(stack.pop(), ())).keys() - seen.keys()
            seen.update(dict.fromkeys(fresh))
            stack += fresh
        found[node] = [edge for one in seen for edge in came[one]]
    return found


def _by_byte(edges: Sequence[_Edge]) -> Iterable[Nodes]:
    """For each byte the nodes that have an edge over it; nothing where that takes long to tell."""
    nodes: dict[ByteSet, set[int]] = {}
    for over, node in edges:
        nodes.setdefault(over, set()).add(node)
    parts = [(over, frozenset(those)) for over, those in nodes.items()]
    if sum(nodes) != reduce(or_, nodes, 0):
        parts = _disjoint(parts) if len(parts) <= _MOST_SETS else []
    return [those for _, those in parts]


def _disjoint(parts: Iterable[tuple[ByteSet, Nodes]]) -> list[tuple[ByteSet, Nodes]]:
    """The same edges, over sets of bytes of which no two have one in common."""
    found: list[tuple[ByteSet, Nodes]] = []
    for over, nodes in parts:
        cut, left = [], over
        for known, those in found:
            if known & over:
                cut.append((known & over, those | nodes))
            if known & ~over:
                cut.append((known & ~over, those))
            left &= ~known
        if left:
            cut.append((left, nodes))
        found = cut
    return found


def _implied(nfa: Nfa) -> set[int]:
    """The nodes that are reached without a byte from where entries start."""
    found = {BOUNDED, FREE}
    stack = [BOUNDED, FREE]
    while stack:
        for target in nfa.empty_edges[stack.pop()]:
            if target not in found:
                found.add(target)
                stack.append(target)
    return found
