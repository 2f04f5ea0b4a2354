"""What was measured of targets to the order they are tried in: the fast first, outliers last.

Nothing here leaves a target out; it is order alone, and only in groups whose order is nobody's
promise (`weighted`, `fastest`, `round_robin`), so what was proved of a chain holds.

A target is an **outlier** of its group while all of this is so:

- something was measured of it in the last `FRESH` seconds, and of one other of the group at least;
- its last attempts (each weighs `WEIGHT`, those before it less and less; `ENOUGH` of them at least)
  failed at a share of `FAILING` or more, and `FAR` times that of the middle one of its peers; or
  it took `FAR` times as long to its first content as the middle one of them, and `SLOW` seconds
  longer.

Since it is then called less, its measure grows old and it is tried in its usual place again: if it
is as bad as before, the next attempt says so.
"""

from collections.abc import Sequence
from statistics import median_low
from typing import final

WEIGHT = 0.1
ENOUGH = 10
_FEW = 1 / WEIGHT
FRESH = 60.0
"""Seconds."""
FAILING = 0.3
FAR = 3.0
SLOW = 1.0
"""Seconds."""
EXPLORED_EVERY = 10.0
"""Seconds: so often one request is given to a target of which nothing fresh was measured."""


@final
class Pace:
    """How long something takes: an average in which what is new weighs most."""

    __slots__ = ("measured", "seconds")

    def __init__(self) -> None:
        self.seconds: float | None = None
        """None: never measured."""
        self.measured = float("-inf")
        """When it was, last."""

    def measure(self, seconds: float, now: float) -> None:
        """It took so long, as known now. A measure that is no longer fresh is forgotten."""
        if self.seconds is None or now - self.measured > FRESH:
            self.seconds = seconds
        else:
            self.seconds += 2 * WEIGHT * (seconds - self.seconds)
        self.measured = now

    def is_fresh(self, now: float) -> bool:
        """Whether it says anything of the target as it is now."""
        return now - self.measured <= FRESH


@final
class Standing:
    """What was measured of one target. `explored` is when it was last put first to measure it."""

    __slots__ = ("explored", "failing", "first", "verdict", "verdicts", "whole")

    def __init__(self) -> None:
        self.first, self.whole = Pace(), Pace()
        """To the first content of a stream, and to the end of a whole answer."""
        self.failing = 0.0
        """Share of its last attempts that failed."""
        self.verdicts = 0
        self.verdict = float("-inf")
        """When the last of them came."""
        self.explored = float("-inf")

    def judge(self, now: float, failed: bool) -> None:
        """An attempt was answered, or failed for what is held against the target."""
        if now - self.verdict > FRESH:
            self.failing, self.verdicts = 0.0, 0
        self.verdicts += 1
        # The first few weigh alike: one failure alone is no share of anything.
        self.failing += (failed - self.failing) / (self.verdicts if self.verdicts < _FEW else _FEW)
        self.verdict = now

    def is_judged(self, now: float) -> bool:
        """Whether the share of failures says anything."""
        return self.verdicts >= ENOUGH and now - self.verdict <= FRESH


def is_outlier(one: Standing, peers: Sequence[Standing], now: float) -> bool:
    """Whether a target is far worse than the others of its group (see above)."""
    if one.is_judged(now) and one.failing >= FAILING:
        shares = [peer.failing for peer in peers if peer.is_judged(now)]
        if shares and one.failing >= FAR * median_low(shares):
            return True
    pace = one.first.seconds
    if pace is None or not one.first.is_fresh(now) or one.verdicts < ENOUGH:
        return False
    paces = [peer.first.seconds for peer in peers if peer.first.is_fresh(now)]
    middle = median_low([each for each in paces if each is not None] or [pace])
    return pace >= FAR * middle and pace >= middle + SLOW


def fastest(
    group: Sequence[int], standings: Sequence[Standing], now: float, *, streams: bool
) -> list[int]:
    """The group, fastest first; `standings` are of the group's targets, in its order.

    One of which nothing fresh was measured is put first for one request every `EXPLORED_EVERY`
    seconds, so that it gets measured; else it comes after those that were, by what was known last.
    """
    unknown: list[int] = []
    known: list[tuple[bool, float, int]] = []
    for place, standing in enumerate(standings):
        pace = standing.first if streams else standing.whole
        fresh = pace.is_fresh(now)
        if not fresh and not unknown and now - standing.explored >= EXPLORED_EVERY:
            standing.explored = now
            unknown.append(place)
        else:
            seconds = float("inf") if pace.seconds is None else pace.seconds
            known.append((not fresh, seconds, place))
    return [group[place] for place in (*unknown, *(place for _, _, place in sorted(known)))]
