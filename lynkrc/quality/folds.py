"""Rows to folds that share no group and no question, so that each can judge a fit on the others.

Rows stand together that are of one group, or whose asks are the same words: what a fit has seen
once it must not be judged on again.
"""

import random
from collections import Counter
from collections.abc import Hashable, Sequence

from lynkrc.quality.decided import Decided
from lynkrc_runtime.scan.fold import fold_text


def folds_of(decided: Sequence[Decided], count: int, seed: int) -> tuple[int, ...]:
    """The fold of each row, from 0; sources are spread evenly over the folds.

    The same rows come to the same folds, in whatever order they stand.
    """
    together: dict[int, list[Decided]] = {}
    for one, group in zip(decided, groups_of(decided), strict=True):
        together.setdefault(group, []).append(one)
    ordered = sorted(together.values(), key=lambda rows: min(one.row.id for one in rows))
    random.Random(seed).shuffle(ordered)
    # The large ones first: the small ones then fill up.
    ordered.sort(key=len, reverse=True)
    filled: list[Counter[str]] = [Counter() for _ in range(count)]
    fold: dict[str, int] = {}
    for rows in ordered:
        source = rows[0].row.suite
        least = min(range(count), key=lambda at: (filled[at][source], filled[at].total(), at))
        for one in rows:
            filled[least][one.row.suite] += 1
            fold[one.row.id] = least
    return tuple(fold[one.row.id] for one in decided)


def groups_of(decided: Sequence[Decided]) -> tuple[int, ...]:
    """A number for each row, equal for those that must not be parted."""
    above: list[int] = []
    first: dict[Hashable, int] = {}

    def top(at: int) -> int:
        while above[at] != at:
            above[at] = above[above[at]]
            at = above[at]
        return at

    for at, one in enumerate(decided):
        above.append(at)
        marks: list[Hashable] = [("group", one.row.group)]
        if one.ask is not None:
            marks.append(("ask", " ".join(fold_text(one.ask).split())))
        for mark in marks:
            above[top(at)] = top(first.setdefault(mark, at))
    return tuple(top(at) for at in range(len(decided)))
