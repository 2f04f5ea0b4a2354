"""Pieces of work to what they cost: medians of rounds in which all of them take turns.

What slows the machine for a while so slows all of them alike, and the spread tells of it. Counted
is the CPU time of this thread, never the time on the wall.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias, TypeVar, final

Work: TypeAlias = Callable[[], object]
Clock: TypeAlias = Callable[[], int]
Key = TypeVar("Key")

ROUNDS = 7
FEWEST_ROUNDS = 3


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Nanoseconds of one run: the median, the least and the most of the rounds."""

    median: float
    least: float
    most: float

    def each(self, parts: int) -> "Cost":
        """Of one of so many equal parts of a run."""
        return Cost(median=self.median / parts, least=self.least / parts, most=self.most / parts)

    @property
    def spread(self) -> float:
        """How far apart least and most are, as a part of the median: 0.1 is ten per cent."""
        return (self.most - self.least) / self.median if self.median else 0.0


def measure(
    work: Mapping[Key, Work], seconds: float, clock: Clock = time.thread_time_ns
) -> dict[Key, Cost]:
    """What each piece of work costs, in about so many seconds.

    A piece that takes long runs once a round; where all together take too long for `ROUNDS` there
    are fewer, but never fewer than `FEWEST_ROUNDS`.
    """
    if not work:
        return {}
    once = {key: _time(run, 2, clock) / 2 for key, run in work.items()}
    share = seconds * 1e9 / (ROUNDS * len(work))
    loops = {key: max(1, round(share / max(cost, 1.0))) for key, cost in once.items()}
    round_costs = sum(once[key] * loops[key] for key in work)
    rounds = ROUNDS
    if round_costs * ROUNDS > 1.5 * seconds * 1e9:
        rounds = max(FEWEST_ROUNDS, int(seconds * 1e9 / round_costs))
    taken: dict[Key, list[float]] = {key: [] for key in work}
    for _ in range(rounds):
        for key, run in work.items():
            taken[key].append(_time(run, loops[key], clock) / loops[key])
    return {
        key: Cost(median=median(times), least=min(times), most=max(times))
        for key, times in taken.items()
    }


def _time(run: Work, loops: int, clock: Clock) -> int:
    begun = clock()
    for _ in range(loops):
        run()
    return clock() - begun
