"""What to try next: a decided chain and what happened so far to the next step, without I/O.

The caller asks `next(now)` and does what it says, then tells how it ended: `failed`, `committed`
(bytes reached the client: the target never changes again), `served` or `aborted`. The clock and
the randomness are passed in; every attempt is recorded for the outcome.
Rules: design, runtime.md, "Attempts".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias, assert_never, final

from msgspec import Struct

from lynkrc_runtime.cost import Charge
from lynkrc_runtime.protocol.conversation import Failure, FailureClass

RETRIES = 2
"""Retries of one target, where the provider does not say otherwise."""
BACKOFF_BASE = 0.5
BACKOFF_CAP = 8.0
"""Seconds; the wait before retry n is random in 0 .. min(cap, base * 2**n). Where the provider does
not say otherwise; a `retry-after` beyond the cap is not waited out."""
THROTTLED_WAIT = 5.0
"""Longest `retry-after`, in seconds, that is waited out on the same target."""


class Fault(Enum):
    """How an attempt failed, beside the class of its failure."""

    ANSWERED = "answered"
    """The upstream said so, by status or in its stream."""
    CONNECT = "connect"
    TIMEOUT = "timeout"
    """No byte came in time."""
    STALE = "stale"
    """A kept-alive connection died before any byte of the answer."""
    BROKEN = "broken"
    """The answer broke off, or was none."""
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


class Result(Enum):
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
class Candidate(Struct, frozen=True, kw_only=True):
    """A target (index) with its provider's limits; times in seconds, None is no limit."""

    target: int
    retries: int
    backoff: float = BACKOFF_BASE
    max_backoff: float = BACKOFF_CAP
    first_event: float | None
    total: float


@final
class Try(Struct, frozen=True, kw_only=True):
    """Call `target` now.

    The first byte must come by `first_by`, the answer (or a stream's commit) by `deadline`, both
    on the caller's clock. `fresh` asks for a new connection.
    """

    target: int
    first_by: float | None
    deadline: float
    fresh: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Ask again after so many seconds."""

    seconds: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Nothing is left to try; `failure` is what the client hears, `target` whose it was."""

    failure: Failure
    target: int | None


Step: TypeAlias = Try | Wait | GiveUp


@final
class AttemptRecord(Struct, frozen=True, kw_only=True):
    """One attempt, as the outcome lists it; `started` on the caller's clock, `seconds` its span.

    `charge` is None where the target is not known to have done anything.
    """

    target: int
    started: float
    seconds: float
    result: Result
    fault: Fault | None = None
    failure: Failure | None = None
    charge: Charge | None = None


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

    def closed(self, target: int, now: float) -> Closed | None:
        """Why the target must not be called now; None where it may be."""
        ...

    def may_retry(self, target: int, now: float) -> bool:
        """Whether one more retry of the target is within what all requests together may make."""
        ...

    def begun(self, target: int, now: float, *, is_retry: bool) -> None:
        """An attempt begins."""
        ...

    def ended(self, record: "AttemptRecord", now: float) -> None:
        """It has ended."""
        ...


@final
class Unwatched:
    """Nothing is known of any target."""

    def closed(self, *_: object, **__: object) -> Closed | None:
        """See `Watch`."""
        return None

    def may_retry(self, *_: object, **__: object) -> bool:
        """See `Watch`."""
        return True

    def begun(self, *_: object, **__: object) -> None:
        """See `Watch`."""

    def ended(self, *_: object, **__: object) -> None:
        """See `Watch`."""


@final
class Attempts:
    """The state of one request's way down its chain."""

    __slots__ = (
        "_candidates",
        "_charge",
        "_client_limit",
        "_committed",
        "_current",
        "_fixed",
        "_fresh",
        "_may_retry",
        "_over",
        "_pending_wait",
        "_place",
        "_random",
        "_records",
        "_retried",
        "_stale_used",
        "_started",
        "_timeouts",
        "_watch",
    )

    def __init__(
        self,
        candidates: Sequence[Candidate],
        *,
        now: float,
        client_limit: float | None,
        client_retries: bool,
        random: Callable[[], float],
        watch: Watch,
    ) -> None:
        """`client_limit`: seconds the client allows from `now`; `random` gives 0 <= x < 1.

        `client_retries`: the client is retrying by itself, so no target is tried twice. `watch`
        knows which targets are not to be called.
        """
        self._candidates = tuple(candidates)
        self._started = now
        self._client_limit = client_limit
        self._may_retry = not client_retries
        self._random = random
        self._watch = watch
        self._place = 0
        self._retried = 0
        self._timeouts = 0
        self._stale_used = False
        self._fresh = False
        self._pending_wait: float | None = None
        self._current: tuple[int, float] | None = None
        self._charge: Charge | None = None
        self._committed = False
        self._over = False
        self._records: list[AttemptRecord] = []
        self._fixed: list[AttemptRecord] = []
        """Those of them whose failure was put right: what came after them tells more."""

    @property
    def records(self) -> tuple[AttemptRecord, ...]:
        """Every ended attempt, in order."""
        return tuple(self._records)

    @property
    def is_running(self) -> bool:
        """Whether an attempt runs now."""
        return self._current is not None

    @property
    def charges(self) -> tuple[Charge, ...]:
        """What all attempts so far were charged, the running one as far as it has been told."""
        ended = [record.charge for record in self._records]
        return tuple(one for one in (*ended, self._charge) if one is not None)

    @property
    def calls(self) -> int:
        """Upstream calls made so far, the running one counted; what was not sent is none."""
        return sum(map(_is_call, self._records)) + (self._current is not None)

    def next(self, now: float) -> Step:
        """What to do now. Not to be asked while an attempt runs, nor after commit."""
        if self._current is not None or self._committed:
            raise RuntimeError("an attempt is running or has been committed")
        if self._pending_wait is not None:
            wait, self._pending_wait = self._pending_wait, None
            return Wait(seconds=wait)
        while not self._over and self._place < len(self._candidates):
            candidate = self._candidates[self._place]
            deadline = self._deadline(candidate)
            closed = self._watch.closed(candidate.target, now)
            if closed is not None:
                self._skip(candidate.target, closed.failure, closed.fault, now)
            elif now < deadline:
                self._current = (candidate.target, now)
                self._watch.begun(candidate.target, now, is_retry=self._retried > 0)
                fresh, self._fresh = self._fresh, False
                limit = candidate.first_event
                return Try(
                    target=candidate.target,
                    first_by=None if limit is None else now + limit,
                    deadline=deadline,
                    fresh=fresh,
                )
            self._advance()
        return self._give_up()

    def failed(self, failure: Failure, fault: Fault, now: float) -> None:
        """The running attempt failed; after commit this ends the request."""
        result = Result.BROKEN if self._committed else Result.FAILED
        self._record(result, now, fault, failure)
        if self._committed:
            self._over = True
            return
        if fault is Fault.STALE and not self._stale_used:
            # Nobody's fault: the server closed an idle connection as we sent. Not a retry.
            self._stale_used = self._fresh = True
            return
        if fault is Fault.TIMEOUT:
            self._after_timeout()
            return
        match failure.kind:
            case FailureClass.CALLERS:
                self._over = True
            case FailureClass.MISFIT | FailureClass.OURS | FailureClass.SPENT:
                self._advance()
            case FailureClass.TRANSIENT:
                self._after_transient(failure, now)
            case FailureClass.THROTTLED:
                wait = failure.retry_after
                if wait is None or wait > THROTTLED_WAIT or not self._retry(wait, now):
                    self._advance()
            case _:
                assert_never(failure.kind)

    def skipped(self, failure: Failure, fault: Fault, now: float) -> None:
        """The running attempt was never begun: there is no place or no money for it."""
        if self._current is None or self._committed:
            raise RuntimeError("no attempt is running, or it has been committed")
        self._record(Result.SKIPPED, now, fault, failure)
        self._advance()

    def fixed_up(self, failure: Failure, now: float) -> bool:
        """The running attempt failed for something the next one will leave out.

        The same target is then tried again at once, outside its retries, but not after commit:
        False, and nothing was recorded; tell `failed`. That it ends is the caller's to see to.
        """
        if self._committed:
            return False
        self._record(Result.FAILED, now, Fault.ANSWERED, failure)
        self._fixed.append(self._records[-1])
        return True

    def charged(self, charge: Charge) -> None:
        """What the running attempt costs; told before it is told how it ended."""
        if self._current is None:
            raise RuntimeError("no attempt is running")
        self._charge = charge

    def committed(self) -> None:
        """Bytes of the running attempt reach the client."""
        if self._current is None:
            raise RuntimeError("no attempt is running")
        self._committed = True

    def served(self, now: float) -> None:
        """The running attempt gave the whole answer."""
        self._record(Result.SERVED, now)
        self._over = True

    def aborted(self, now: float) -> None:
        """The client went away; a running attempt ends with it."""
        if self._current is not None:
            self._record(Result.ABORTED, now)
        self._over = True

    # -- transitions -------------------------------------------------------------------------

    def _deadline(self, candidate: Candidate) -> float:
        limit = self._client_limit
        return self._started + (candidate.total if limit is None else min(limit, candidate.total))

    def _record(
        self,
        result: Result,
        now: float,
        fault: Fault | None = None,
        failure: Failure | None = None,
    ) -> None:
        if self._current is None:
            raise RuntimeError("no attempt is running")
        target, started = self._current
        charge, self._charge = self._charge, None
        self._current = None
        record = AttemptRecord(
            target=target,
            started=started,
            seconds=now - started,
            result=result,
            fault=fault,
            failure=failure,
            charge=charge,
        )
        self._records.append(record)
        self._watch.ended(record, now)

    def _skip(self, target: int, failure: Failure, fault: Fault, now: float) -> None:
        """Go past a target that is not to be called."""
        self._records.append(
            AttemptRecord(
                target=target,
                started=now,
                seconds=0.0,
                result=Result.SKIPPED,
                fault=fault,
                failure=failure,
            )
        )
        self._advance()

    def _advance(self) -> None:
        self._place += 1
        self._retried = 0
        self._fresh = False

    def _after_timeout(self) -> None:
        """A time-out before the first byte: once more, elsewhere if possible."""
        self._timeouts += 1
        if self._timeouts > 1:
            self._over = True
        elif self._place + 1 < len(self._candidates):
            self._advance()
        elif self._can_retry():
            self._retried += 1
        else:
            self._over = True

    def _after_transient(self, failure: Failure, now: float) -> None:
        candidate = self._candidates[self._place]
        cap = candidate.max_backoff
        wait = self._random() * min(cap, candidate.backoff * 2**self._retried)
        if failure.retry_after is not None:
            wait = max(wait, failure.retry_after)
        if wait > cap or not self._retry(wait, now):
            self._advance()

    def _can_retry(self) -> bool:
        return self._may_retry and self._retried < self._candidates[self._place].retries

    def _retry(self, wait: float, now: float) -> bool:
        """Plan a retry of the same target, if one is left and its wait ends before the deadline."""
        candidate = self._candidates[self._place]
        if not self._can_retry() or now + wait >= self._deadline(candidate):
            return False
        if not self._watch.may_retry(candidate.target, now):
            return False
        self._retried += 1
        self._pending_wait = wait
        return True

    def _give_up(self) -> GiveUp:
        """The failure worth telling: a caller's own, else the one most useful to a retry."""
        self._over = True
        best: AttemptRecord | None = None
        # A refusal that was put right is told only where nothing else went wrong.
        told = [record for record in self._records if record not in self._fixed]
        for record in told or self._records:
            if record.failure is not None and (best is None or _rank(record) <= _rank(best)):
                best = record
        if best is None or best.failure is None:
            text = (
                "the time allowed for this request is over"
                if self._candidates
                else "no target of the chain can take this request"
            )
            failure = Failure(kind=FailureClass.TRANSIENT, status=0, message=text)
            return GiveUp(failure=failure, target=None)
        return GiveUp(failure=best.failure, target=best.target)


def _is_call(record: AttemptRecord) -> bool:
    return record.result is not Result.SKIPPED and record.fault is not Fault.UNSENT


_URGENCY = {
    FailureClass.CALLERS: 0,
    FailureClass.THROTTLED: 1,
    FailureClass.TRANSIENT: 2,
    FailureClass.SPENT: 3,
    FailureClass.MISFIT: 4,
    FailureClass.OURS: 5,
}


def _rank(record: AttemptRecord) -> tuple[int, float]:
    """Smaller is told first; of throttled ones, the smallest `retry_after` (known before not)."""
    failure = record.failure
    assert failure is not None
    wait = failure.retry_after
    throttled = failure.kind is FailureClass.THROTTLED
    return _URGENCY[failure.kind], (
        0.0 if not throttled else float("inf") if wait is None else wait
    )
