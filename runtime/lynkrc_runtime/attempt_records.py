"""How attempts end, and who is told of it: the words the attempt machine and its watch share."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, final

from msgspec import Struct

from lynkrc_runtime.cost import Charge
from lynkrc_runtime.protocol.conversation import Failure


class Fault(StrEnum):
    """How an attempt failed, beside the class of its failure."""

    ANSWERED = "answered"
    """The upstream said so, by status or in its stream."""
    CONNECT = "connect"
    TIMEOUT = "timeout"
    """No byte came in time."""
    STALE = "stale"
    """A kept-alive connection died before any byte of the answer."""
    LATE = "late"
    """Our limit of time was over, or the client's, before the target had had its own."""
    BROKEN = "broken"
    """The answer broke off, or was none."""
    FIXED = "fixed"
    """The upstream refused what the next attempt left out."""
    UNSENT = "unsent"
    """The request cannot be put to this target at all."""
    BREAKER = "breaker"
    """Skipped: its breaker is open."""
    MISCONFIGURED = "misconfigured"
    """Skipped: it refused our credentials or does not know the model, a moment ago."""
    THROTTLED = "throttled"
    """Skipped: it asked not to be called before a moment that has not come."""
    SPENT = "spent"
    """Skipped: a budget that counts it is spent."""
    UNCOUNTED = "uncounted"
    """Skipped: whether a budget allows it cannot be known, as their store is down."""
    BUSY = "busy"
    """Skipped: as many calls of its provider run and wait as may."""


class Result(StrEnum):
    """How an attempt ended."""

    SERVED = "served"
    FAILED = "failed"
    BROKEN = "broken"
    """Failed after commit."""
    ABORTED = "aborted"
    """The client went away."""
    SKIPPED = "skipped"
    """Not called: nothing was sent."""


@final
class AttemptRecord(Struct, frozen=True, gc=False):
    """One attempt, as the outcome lists it; `started` on the caller's clock, `seconds` its span.

    `first` are the seconds to the first content of a stream, None where none came or the answer
    came whole. `charge` is None where the target is not known to have done anything.
    """

    target: int
    started: float
    seconds: float
    result: Result
    fault: Fault | None = None
    failure: Failure | None = None
    charge: Charge | None = None
    first: float | None = None
    is_retry: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Why a target must not be called before `until` (the caller's clock)."""

    fault: Fault
    failure: Failure
    until: float


class Watch(Protocol):
    """What all requests together know of targets, without I/O; `now` is on the caller's clock.

    For each attempt that `begun` tells of, `ended` is told once.
    """

    def closed(self, target: int, now: float, begun: float | None = None) -> Closed | None:
        """Why the target must not be called now; None where it may be. Changes nothing.

        `begun` is when the attempt that asks began, where it did and has waited since.
        """
        ...

    def may_retry(self, target: int, now: float) -> bool:
        """Whether one more retry of the target is within what all requests together may make.

        One that may be made is counted from now on, whether or not it is made.
        """
        ...

    def begun(self, target: int, now: float, is_retry: bool) -> None:
        """An attempt begins, of a target that is not closed."""
        ...

    def heard(self, target: int, began: float, now: float) -> None:
        """The first content of the streamed answer to the attempt that `began` then has come."""
        ...

    def ended(self, record: AttemptRecord, now: float) -> None:
        """It has ended."""
        ...

    def ranked(
        self, group: Sequence[int], now: float, *, by_speed: bool, streams: bool
    ) -> Sequence[int]:
        """The targets of a group in the order they are tried; none is left out.

        `by_speed` puts the fastest first, at streams or at whole answers.
        """
        ...
