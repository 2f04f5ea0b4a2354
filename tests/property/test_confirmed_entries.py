"""What is always confirmed on the way to a state is what every one of its ways agrees on."""

from functools import reduce
from operator import and_

from hypothesis import given
from hypothesis import strategies as st

from lynkrc.analysis.entries import _confirmed
from lynkrc.ir.automaton import Automaton
from tests.property.effort import tried

ENTRIES = 5


@st.composite
def automata(draw: st.DrawFn) -> Automaton:
    states, classes = draw(st.integers(1, 8)), draw(st.integers(1, 3))
    targets = st.integers(0, states - 1)
    accepted = st.sets(st.integers(0, ENTRIES - 1), max_size=3).map(lambda s: tuple(sorted(s)))
    size = states * classes
    return Automaton(
        classes=classes,
        byte_class=bytes(256),
        transitions=tuple(draw(st.lists(targets, min_size=size, max_size=size))),
        accepts=tuple(draw(st.lists(accepted, min_size=states, max_size=states))),
        free=(),
    )


def agreed(automaton: Automaton, asked: set[int]) -> list[int]:
    """The greatest solution, by trying until nothing changes."""
    states, classes = range(automaton.states), automaton.classes
    own = [sum(1 << one for one in asked & {*entries}) for entries in automaton.accepts]
    rows = [automaton.transitions[state * classes : (state + 1) * classes] for state in states]
    reached = {0}
    while more := {target for state in reached for target in rows[state]} - reached:
        reached |= more
    every = sum(1 << one for one in {bit for s in automaton.accepts for bit in s} & asked)
    known = [own[0], *[every] * (automaton.states - 1)]
    while True:
        after = [
            own[state]
            | reduce(
                and_, [known[s] for s in reached if state in rows[s]], 0 if state == 0 else every
            )
            for state in states
        ]
        if after == known:
            return known
        known = after


@tried(200)
@given(automata(), st.sets(st.integers(0, ENTRIES - 1)))
def test_what_every_way_confirms(automaton: Automaton, asked: set[int]) -> None:
    assert _confirmed(automaton, asked) == agreed(automaton, asked)
