"""How attempts of one target ended to whether it may be called: a circuit breaker, without I/O.

Closed, it counts failures; so many of them in a time open it. Open, nothing is called until its
time is over; then one attempt at a time is a probe. Enough of them that succeed close it, one that
fails opens it anew. An attempt that says nothing of the target (the client left, the request was
wrong) frees the place of the probe and counts for nothing.

>>> rules = BreakerRules(failures=2, within=30.0, open_for=10.0, successes=1)
>>> breaker = Breaker()
>>> breaker.failed(1.0, 1.5, rules), breaker.failed(2.0, 2.5, rules)
(False, True)
>>> breaker.next_probe(5.0, rules), breaker.next_probe(12.5, rules)
(12.5, None)
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import final

from lynkrc_runtime.settings import Breaker as Declared


class State(Enum):
    """Whether a target is called."""

    CLOSED = "closed"
    """As it should be: it is."""
    OPEN = "open"
    """It is not."""
    HALF_OPEN = "half-open"
    """By one attempt at a time."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRules:
    """`failures` inside `within` seconds open it for `open_for`, `successes` of probes close it."""

    failures: int = 5
    within: float = 30.0
    open_for: float = 30.0
    successes: int = 2


def breaker_rules(declared: Declared) -> BreakerRules:
    """What a provider states, completed."""
    usual = BreakerRules()
    return BreakerRules(
        failures=usual.failures if declared.failures is None else declared.failures,
        within=usual.within if declared.within is None else declared.within,
        open_for=usual.open_for if declared.open_for is None else declared.open_for,
        successes=usual.successes if declared.successes is None else declared.successes,
    )


@final
class Breaker:
    """The breaker of one target; times in seconds on one clock that never goes back.

    Attempts are told apart by when they began: only a probe begins between an opening and a
    closing, and what began before the last change says nothing of the target as it is now.
    """

    __slots__ = ("_failures", "_is_probed", "_opened", "_successes", "since", "state")

    def __init__(self) -> None:
        self.state = State.CLOSED
        self.since = float("-inf")
        """When it came into its state."""
        self._opened = float("-inf")
        self._failures: deque[float] = deque()
        self._is_probed = False
        self._successes = 0

    def next_probe(self, now: float, rules: BreakerRules) -> float | None:
        """When the target may be called next; None: now. `now` itself: after the probe that runs.

        Changes nothing.
        """
        if self.state is State.CLOSED:
            return None
        if self.state is State.OPEN:
            due = self._opened + rules.open_for
            return due if now < due else None
        return now if self._is_probed else None

    def outdates(self, began: float) -> bool:
        """Whether an attempt that began then, and has not been sent, is to be left."""
        return self.state is not State.CLOSED and not self._is_probe(began)

    def failures(self, now: float, rules: BreakerRules) -> int:
        """Failures that count now."""
        while self._failures and self._failures[0] <= now - rules.within:
            self._failures.popleft()
        return len(self._failures)

    def begun(self, now: float) -> bool:
        """An attempt begins, which `next_probe` allows; whether the state changed."""
        if self.state is State.CLOSED:
            return False
        if self._is_probed:
            raise RuntimeError("a probe is running")
        self._is_probed = True
        if self.state is State.HALF_OPEN:
            return False
        self._turn(State.HALF_OPEN, now)
        return True

    def failed(self, began: float, now: float, rules: BreakerRules) -> bool:
        """An attempt failed; whether the state changed."""
        if self.state is State.CLOSED:
            if began < self.since:
                return False
            self._failures.append(now)
            if self.failures(now, rules) < rules.failures:
                return False
        elif not self._is_probe(began):
            return False
        self._opened = now
        self._turn(State.OPEN, now)
        return True

    def succeeded(self, began: float, now: float, rules: BreakerRules) -> bool:
        """An attempt is known to be answered; told once of each. Whether the state changed."""
        if self.state is not State.HALF_OPEN or not self._is_probe(began):
            return False
        self._is_probed = False
        self._successes += 1
        if self._successes < rules.successes:
            return False
        self._turn(State.CLOSED, now)
        return True

    def ended(self, began: float) -> None:
        """An attempt that had not been known to be answered ended and says nothing."""
        if self._is_probe(began):
            self._is_probed = False

    def _is_probe(self, began: float) -> bool:
        return self.state is State.HALF_OPEN and began > self._opened

    def _turn(self, state: State, now: float) -> None:
        self.state, self.since = state, now
        self._failures.clear()
        self._successes = 0
        if state is not State.HALF_OPEN:
            self._is_probed = False
