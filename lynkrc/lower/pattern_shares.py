"""Lexicons to what each has of the table they share, in states.

States cannot be dealt out one by one: most are on the way to entries of several lexicons. What is
told is measured on whole automata, with each lexicon and without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from lynkrc.lower.pattern_advice import states_of
from lynkrc.lower.patterns import build_automaton
from lynkrc.syntax.pattern import Pattern


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one lexicon has of the table.

    `alone` is the states of a table with this lexicon only; `saved` is how many fewer the whole
    table has without it. The difference is shared with other lexicons; where `saved` is the
    greater one, its entries and those of others multiply.
    """

    alone: int
    saved: int


def shares(lexicons: Sequence[Sequence[Pattern]], states: int) -> tuple[Share, ...]:
    """The share of each lexicon; `states` is what the automaton of all has.

    Builds two automata for each lexicon, so it takes as many times as long as the table did.
    """
    found = []
    for number, lexicon in enumerate(lexicons):
        others = [*lexicons[:number], *lexicons[number + 1 :]]
        found.append(
            Share(
                alone=build_automaton([lexicon]).states,
                saved=states - build_automaton(others).states,
            )
        )
    return tuple(found)


def costliest(patterns: Sequence[Pattern], most: int) -> tuple[tuple[int, int | None], ...]:
    """The `most` entries with the most states alone, as (entry, states), greatest first.

    The states are those before they are made few; None, which comes first, is too many to count.
    """
    counted = [(entry, states_of(pattern)) for entry, pattern in enumerate(patterns)]
    counted.sort(key=lambda one: (one[1] is not None, -(one[1] or 0), one[0]))
    return tuple(counted[:most])
