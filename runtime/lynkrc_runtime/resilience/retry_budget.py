"""How many retries of one target all requests together may make, so that retries do not sink it.

Requests and retries are counted in whole seconds, over the running one and the nine before it.

>>> budget, rules = RetryBudget(), RetryRules(share=20, at_least=0.0)
>>> for _ in range(5):
...     budget.requested(1.0)
>>> budget.take(1.5, rules), budget.take(1.5, rules), budget.take(12.0, rules)
(True, False, False)
"""

from dataclasses import dataclass
from math import floor
from typing import final

from lynkrc_runtime.settings import RetryBudget as Declared

SECONDS = 10
"""The time over which is counted."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRules:
    """Retries are at most `share` percent of requests, or `at_least` a second where that is more.

    Both over ten seconds.
    """

    share: int = 20
    at_least: float = 3.0


def retry_rules(declared: Declared) -> RetryRules:
    """What a spec states, completed."""
    usual = RetryRules()
    return RetryRules(
        share=usual.share if declared.share is None else declared.share,
        at_least=usual.at_least if declared.at_least is None else declared.at_least,
    )


@final
class RetryBudget:
    """The counts of one target; times in seconds on one clock that never goes back."""

    __slots__ = ("_requests", "_retries", "_second")

    def __init__(self) -> None:
        self._second = 0
        self._requests = [0] * SECONDS
        self._retries = [0] * SECONDS

    def requested(self, now: float) -> None:
        """A request comes to the target: its first attempt there, no retry."""
        if now // 1 != self._second:
            self._turn(now)
        self._requests[self._second % SECONDS] += 1

    def take(self, now: float, rules: RetryRules) -> bool:
        """Whether there may be one more retry now; it is counted if so."""
        self._turn(now)
        most = max(rules.share * sum(self._requests) / 100, rules.at_least * SECONDS)
        if sum(self._retries) + 1 > most:
            return False
        self._retries[self._second % SECONDS] += 1
        return True

    def _turn(self, now: float) -> None:
        second = floor(now)
        if second == self._second:
            return
        for passed in range(max(self._second + 1, second - SECONDS + 1), second + 1):
            self._requests[passed % SECONDS] = self._retries[passed % SECONDS] = 0
        self._second = second
