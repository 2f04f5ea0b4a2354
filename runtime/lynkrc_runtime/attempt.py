"""What to try next: a decided chain and what happened so far to the next step, without I/O.

The caller asks `next(now)` and does what it says, then tells how it ended: `failed`, `committed`
(bytes reached the client: the target never changes again), `served` or `aborted`. The clock and
the randomness are passed in; every attempt is recorded for the outcome.
Rules: design, runtime.md, "Attempts".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never, final

from msgspec import Struct

from lynkrc_runtime.attempt_records import (
    AttemptRecord,
    Closed,
    Fault,
    Result,
    Watch,
)
from lynkrc_runtime.cost import NO_COST, Charge, Cost, total_of
from lynkrc_runtime.protocol.conversation import Failure, FailureClass

__all__ = [
    "BACKOFF_BASE",
    "BACKOFF_CAP",
    "RETRIES",
    "THROTTLED_WAIT",
    "AttemptRecord",
    "Attempts",
    "Candidate",
    "Closed",
    "Fault",
    "GiveUp",
    "Result",
    "Step",
    "Try",
    "Wait",
    "Watch",
]

RETRIES = 2
"""Retries of one target, where the provider does not say otherwise."""
BACKOFF_BASE = 0.5
BACKOFF_CAP = 8.0
"""Seconds; the wait before retry n is random in 0 .. min(cap, base * 2**n). Where the provider does
not say otherwise; a `retry-after` beyond the cap is not waited out."""
THROTTLED_WAIT = 5.0
"""Longest `retry-after`, in seconds, that is waited out on the same target."""
# A member of an enumeration is looked up by its class's metaclass: these are asked every time.
_SERVED, _SKIPPED, _UNSENT = Result.SERVED, Result.SKIPPED, Fault.UNSENT

PATIENT = 0.5
"""Part of its own time a silent target must have had for its silence to be held against it."""


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
class Try(Struct, frozen=True, kw_only=True, gc=False):
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
class Attempts:
    """The state of one request's way down its chain."""

    __slots__ = (
        "_candidates",
        "_charge",
        "_client_limit",
        "_committed",
        "_first",
        "_fresh",
        "_is_retry",
        "_may_retry",
        "_over",
        "_pending_wait",
        "_place",
        "_random",
        "_retried",
        "_stale_used",
        "_started",
        "_timeouts",
        "_watch",
        "calls",
        "records",
        "running",
    )

    def __init__(
        self,
        candidates: Sequence[Candidate],
        now: float,
        client_limit: float | None,
        client_retries: bool,
        random: Callable[[], float],
        watch: Watch,
    ) -> None:
        """`candidates` stay as they are meanwhile; `random` gives 0 <= x < 1.

        `client_limit`: seconds the client allows from `now`. `client_retries`: the client is
        retrying by itself, so no target is tried twice. `watch` knows which targets are not to be
        called.
        """
        self._candidates = candidates
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
        self._is_retry = False
        self.running: tuple[int, float] | None = None
        """The running attempt: its target, and when it began."""
        self._first: float | None = None
        self._charge: Charge | None = None
        self._committed = False
        self._over = False
        self.records: list[AttemptRecord] = []
        """Every ended attempt, in order; for whoever reads only."""
        self.calls = 0
        """Upstream calls made so far, the running one counted; what was not sent is none."""

    @property
    def is_running(self) -> bool:
        """Whether an attempt runs now."""
        return self.running is not None

    @property
    def charges(self) -> tuple[Charge, ...]:
        """What all attempts so far were charged, the running one as far as it has been told."""
        ended = [record.charge for record in self.records]
        return tuple([one for one in (*ended, self._charge) if one is not None])

    def cost(self) -> Cost | None:
        """The sum of the charges; None where the cost of any of them is not known."""
        if self.records:
            return total_of(self.charges)
        return NO_COST if self._charge is None else self._charge.cost

    def next(self, now: float) -> Step:
        """What to do now. Not to be asked while an attempt runs, nor after commit."""
        if self.running is not None or self._committed:
            raise RuntimeError("an attempt is running or has been committed")
        if self._pending_wait is not None:
            wait, self._pending_wait = self._pending_wait, None
            return Wait(seconds=wait)
        watch, limit = self._watch, self._client_limit
        while not self._over and self._place < len(self._candidates):
            candidate = self._candidates[self._place]
            target = candidate.target
            deadline = (
                self._started + candidate.total if limit is None else self._deadline(candidate)
            )
            closed = watch.closed(target, now)
            if closed is not None:
                self._skip(target, closed.failure, closed.fault, now)
            elif now < deadline:
                watch.begun(target, now, self._is_retry)
                self.calls += 1
                return self._try(candidate, now, deadline)
            else:
                self._advance()
        return self._give_up()

    def resumed(self, now: float) -> Try | None:
        """The running attempt has waited until now, for a place, and nothing was sent yet.

        None: its target has been closed meanwhile, or its time is over, and it is skipped.
        """
        if self.running is None or self._committed:
            raise RuntimeError("no attempt is running, or it has been committed")
        target, began = self.running
        candidate = self._candidates[self._place]
        closed = self._watch.closed(target, now, began)
        if closed is not None:
            self.skipped(closed.failure, closed.fault, now)
            return None
        deadline = self._deadline(candidate)
        if now >= deadline:
            self.skipped(_OVER, Fault.LATE, now)
            return None
        return self._try(candidate, now, deadline)

    def failed(self, failure: Failure, fault: Fault, now: float) -> None:
        """The running attempt failed; after commit this ends the request."""
        result = Result.BROKEN if self._committed else Result.FAILED
        if fault is Fault.TIMEOUT and not self._was_patient(now):
            fault = Fault.LATE
        self._record(result, now, fault, failure)
        if self._committed:
            self._over = True
            return
        if fault is Fault.STALE and not self._stale_used:
            # Nobody's fault: the server closed an idle connection as we sent. Not a retry.
            self._stale_used = self._fresh = True
            return
        if fault in (Fault.TIMEOUT, Fault.LATE):
            self._after_timeout(now)
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
        if self.running is None or self._committed:
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
        self._record(Result.FAILED, now, Fault.FIXED, failure)
        return True

    def charged(self, charge: Charge) -> None:
        """What the running attempt costs; told before it is told how it ended."""
        if self.running is None:
            raise RuntimeError("no attempt is running")
        self._charge = charge

    def heard(self, now: float) -> None:
        """The first content of its streamed answer has come; told once."""
        if self.running is None:
            raise RuntimeError("no attempt is running")
        target, began = self.running
        self._first = now - began
        self._watch.heard(target, began, now)

    def committed(self) -> None:
        """Bytes of the running attempt reach the client."""
        if self.running is None:
            raise RuntimeError("no attempt is running")
        self._committed = True

    def served(self, now: float) -> None:
        """The running attempt gave the whole answer."""
        self._record(_SERVED, now)
        self._over = True

    def aborted(self, now: float) -> None:
        """The client went away; a running attempt ends with it."""
        if self.running is not None:
            self._record(Result.ABORTED, now)
        self._over = True

    # -- transitions -------------------------------------------------------------------------

    def _try(self, candidate: Candidate, now: float, deadline: float) -> Try:
        """Make `now` the beginning of the running attempt."""
        self.running = (candidate.target, now)
        limit = candidate.first_event
        return Try(
            target=candidate.target,
            first_by=None if limit is None else now + limit,
            deadline=deadline,
            fresh=self._fresh,
        )

    def _was_patient(self, now: float) -> bool:
        """Whether the running attempt had about as long as its target may take."""
        if self.running is None:
            raise RuntimeError("no attempt is running")
        candidate = self._candidates[self._place]
        limit = candidate.total if candidate.first_event is None else candidate.first_event
        return now - self.running[1] >= PATIENT * limit

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
        if self.running is None:
            raise RuntimeError("no attempt is running")
        target, started = self.running
        record = AttemptRecord(
            target,
            started,
            now - started,
            result,
            fault,
            failure,
            self._charge,
            self._first,
            self._is_retry,
        )
        self.running = self._charge = self._first = None
        self._fresh = self._is_retry = False
        self.records.append(record)
        if result is _SKIPPED or fault is _UNSENT:
            self.calls -= 1
        self._watch.ended(record, now)

    def _skip(self, target: int, failure: Failure, fault: Fault, now: float) -> None:
        """Go past a target that is not to be called."""
        self.records.append(
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
        self._fresh = self._is_retry = self._stale_used = False

    def _after_timeout(self, now: float) -> None:
        """A time-out before the first byte: once more, elsewhere if possible."""
        self._timeouts += 1
        if self._timeouts > 1:
            self._over = True
        elif self._place + 1 < len(self._candidates):
            self._advance()
        elif self._retry(0.0, now):
            self._pending_wait = None
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
        if self._watch.closed(candidate.target, now + wait) is not None:
            # Its failure closed it: there is nothing to wait for.
            return False
        if not self._watch.may_retry(candidate.target, now):
            return False
        self._retried += 1
        self._is_retry = True
        self._pending_wait = wait
        return True

    def _give_up(self) -> GiveUp:
        """The failure worth telling: a caller's own, else the one most useful to a retry."""
        self._over = True
        best: AttemptRecord | None = None
        # A refusal that was put right is told only where nothing else went wrong.
        told = [record for record in self.records if record.fault is not Fault.FIXED]
        for record in told or self.records:
            if record.failure is not None and (best is None or _rank(record) <= _rank(best)):
                best = record
        if best is None or best.failure is None:
            return GiveUp(failure=_OVER if self._candidates else _NOBODY, target=None)
        return GiveUp(failure=best.failure, target=best.target)


_OVER = Failure(
    kind=FailureClass.TRANSIENT, status=0, message="the time allowed for this request is over"
)
_NOBODY = Failure(
    kind=FailureClass.TRANSIENT, status=0, message="no target of the chain can take this request"
)


_URGENCY = {
    FailureClass.CALLERS: 0,
    FailureClass.THROTTLED: 1,
    FailureClass.TRANSIENT: 2,
    FailureClass.SPENT: 3,
    FailureClass.MISFIT: 4,
    FailureClass.OURS: 5,
}


def _rank(record: AttemptRecord) -> tuple[int, bool, float]:
    """Smaller is told first; of throttled ones, the smallest `retry_after` (known before not).

    What a target said comes before why one was not called; of those, whoever may be called first.
    """
    failure = record.failure
    assert failure is not None
    wait = failure.retry_after
    urgency, is_skipped = _URGENCY[failure.kind], record.result is Result.SKIPPED
    if failure.kind is FailureClass.THROTTLED:
        return urgency, False, float("inf") if wait is None else wait
    return urgency, is_skipped, (wait or 0.0) if is_skipped else 0.0
