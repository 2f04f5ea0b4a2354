"""An entry whose table is too large to what would make it smaller, measured.

Each way out that is named was tried on the entry alone, within a fixed amount of work.
"""

from collections.abc import Sequence as Many
from dataclasses import replace
from typing import assert_never

from lynkrc.lower.pattern_dfa import TooManyStates, build_dfa
from lynkrc.lower.pattern_nfa import TooManyNodes, build_nfa
from lynkrc.syntax.pattern import (
    Alternation,
    CharClass,
    Gap,
    Literal,
    Pattern,
    PatternNode,
    Repeat,
    Sequence,
)

FEW_STATES = 2_000
"""An entry with no more states alone is not large by itself."""

_MOST_STATES = 20_000
_MOST_CELLS = 4_000_000
_MOST_WORK = 100_000
_BOUNDS = (64, 32, 16, 8, 4, 2, 1)


def advice(patterns: Many[Pattern], blamed: int) -> str:
    """What to change, of the entry `blamed` or of all `patterns` where it is not large alone."""
    pattern = patterns[blamed]
    alone = states_of(pattern)
    if alone is not None and alone <= FEW_STATES:
        return _together(patterns, alone)
    size = f"over {FEW_STATES:,}" if alone is None else f"{alone:,}"
    ways = []
    if not pattern.bounded:
        without = states_of(replace(pattern, bounded=True))
        if without is not None and without <= FEW_STATES:
            ways.append(f"{without:,} without `~`")
    for bound in _BOUNDS:
        tighter = replace(pattern, root=_bounded(pattern.root, bound))
        states = states_of(tighter) if tighter.root != pattern.root else None
        if states is not None and states <= FEW_STATES:
            ways.append(f"{states:,} with no repetition above {bound}")
            break
    if not ways:
        return f"alone it takes {size} states: split it, or name fewer alternatives"
    return f"alone it takes {size} states, but {' or '.join(ways)}"


def states_of(pattern: Pattern) -> int | None:
    """The states of the entry alone, before they are made few; None where they are too many."""
    try:
        dfa = build_dfa(build_nfa([pattern]), _MOST_CELLS, _MOST_STATES, _MOST_WORK)
    except TooManyNodes:
        return None
    return None if isinstance(dfa, TooManyStates) else len(dfa.rows)


def _together(patterns: Many[Pattern], alone: int) -> str:
    free = sum(not pattern.bounded for pattern in patterns)
    open_ended = sum(_has_star(pattern.root) for pattern in patterns)
    if free and open_ended:
        return (
            f"alone it takes {alone:,} states, but {free:,} with `~` may begin inside what "
            f"{open_ended:,} with `*` go on matching: write fewer of one or the other"
        )
    return (
        f"alone it takes {alone:,} states of the table that all {len(patterns):,} entries share: "
        "write fewer entries, or shorter ones"
    )


def _has_star(node: PatternNode) -> bool:
    match node:
        case Literal() | Gap() | CharClass():
            return False
        case Repeat(item=item, high=high):
            return high is None or _has_star(item)
        case Alternation(options=parts) | Sequence(items=parts):
            return any(_has_star(part) for part in parts)
        case _:
            assert_never(node)


def _bounded(node: PatternNode, bound: int) -> PatternNode:
    """The node with no bounded repetition of more than `bound` times."""
    match node:
        case Literal() | Gap() | CharClass():
            return node
        case Repeat(item=item, low=low, high=high):
            most = None if high is None else min(high, bound)
            return Repeat(item=_bounded(item, bound), low=min(low, bound), high=most)
        case Alternation(options=options):
            return Alternation(options=tuple(_bounded(option, bound) for option in options))
        case Sequence(items=items):
            return Sequence(items=tuple(_bounded(item, bound) for item in items))
        case _:
            assert_never(node)
