"""Sets of nodes to marks that differ only where some text tells the sets apart.

To tell all states apart by where they lead takes as many rounds as words are long. But from most
nodes there is a text that ends an entry from there and from no other node: such a node is *sharp*,
and of two states that one has it and the other has not, some text ends an entry in one alone.

>>> nfa = Nfa(edges=[[(2, 2), (4, 3)], [], [(8, 4)], [(16, 4)], []], empty_edges=[[]] * 5)
>>> nfa.accepts[4] = [0]
>>> marks(nfa, [frozenset({2}), frozenset({3}), frozenset({2, 4})])
[frozenset(), frozenset(), frozenset({4})]
"""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import TypeAlias

from lynkrc.lower.pattern_nfa import BOUNDED, FREE, ByteSet, Nfa

Nodes: TypeAlias = frozenset[int]

_SPACE: ByteSet = 1 << 0x20


def marks(nfa: Nfa, states: Sequence[Nodes]) -> list[Nodes]:
    """Of each state's nodes those that tell it from states without them."""
    sharp, before = _sharp(nfa)
    if not before:
        return [state if state <= sharp else state & sharp for state in states]
    # From a node of a blank all is read that is read from a later one, and one byte more: where
    # one before it is in the state, it tells nothing.
    return [
        state
        if state <= sharp
        else frozenset(
            node
            for node in state
            if node in sharp or (node in before and state.isdisjoint(before[node]))
        )
        for state in states
    ]


def _sharp(nfa: Nfa) -> tuple[set[int], dict[int, tuple[int, ...]]]:
    """The sharp nodes, and for nodes within blanks those before them.

    Found backwards from where an entry ends, as long as only one way leads there.
    """
    came: dict[int, tuple[int, ByteSet]] = {}
    several: set[int] = set()
    for node, edges in enumerate(nfa.edges):
        for over, target in chain(edges, ((0, one) for one in nfa.empty_edges[node])):
            if target in came:
                several.add(target)
            came[target] = node, over
    # Where every text starts, whatever came before: what is read from there tells nothing.
    implied = _implied(nfa)
    ends = Counter(code // 2 for codes in nfa.accepts.values() for code in codes)
    sharp: set[int] = set()
    before: dict[int, tuple[int, ...]] = {}
    waiting = [
        node for node, codes in nfa.accepts.items() if any(ends[code // 2] == 1 for code in codes)
    ]
    while waiting:
        node = waiting.pop()
        if node in implied or node in sharp:
            continue
        sharp.add(node)
        while node in came and node not in several and not came[node][1]:
            node = came[node][0]
        if node not in several:
            waiting += [came[node][0]] if node in came else []
        elif node in nfa.blanks:
            start, *within = nfa.blanks[node]
            over = came[start][1] if start in came and start not in several else 0
            if over and not over & _SPACE and start not in implied:
                waiting.append(start)
                for number, one in enumerate(within):
                    before[one] = (start, *within[:number])
    return sharp, before


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
