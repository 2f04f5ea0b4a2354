"""The attempt machine: what is tried next after each kind of end."""

from collections.abc import Sequence

import pytest

from lynkrc_runtime.attempt import (
    AttemptRecord,
    Attempts,
    Candidate,
    Closed,
    Fault,
    GiveUp,
    Result,
    Step,
    Try,
    Wait,
    Watch,
)
from lynkrc_runtime.cost import Charge, Cost
from lynkrc_runtime.protocol.conversation import Failure, FailureClass, Usage
from tests.runtime.unwatched import Unwatched


def failure(kind: FailureClass, retry_after: float | None = None) -> Failure:
    return Failure(kind=kind, status=500, message=kind.value, retry_after=retry_after)


TRANSIENT = failure(FailureClass.TRANSIENT)


def candidate(target: int, retries: int = 2, total: float = 600.0) -> Candidate:
    return Candidate(target=target, retries=retries, first_event=120.0, total=total)


class Shut:
    """A watch by which some targets are closed and nothing may be retried; keeps what it hears."""

    def __init__(self, *targets: int, kind: FailureClass = FailureClass.TRANSIENT) -> None:
        self.targets = set(targets)
        self.kind = kind
        self.told: list[str] = []

    def closed(self, target: int, now: float, begun: float | None = None) -> Closed | None:
        wait = failure(self.kind, 10.0 + target)
        shut = Closed(fault=Fault.BREAKER, failure=wait, until=now + 10.0 + target)
        return shut if target in self.targets else None

    def may_retry(self, target: int, now: float) -> bool:
        return False

    def begun(self, target: int, now: float, is_retry: bool) -> None:
        self.told.append(f"begun {target}")

    def heard(self, target: int, began: float, now: float) -> None:
        self.told.append(f"heard {target} after {now - began}")

    def ended(self, record: AttemptRecord, now: float) -> None:
        self.told.append(f"{record.result.value} {record.target}")

    def ranked(
        self, group: Sequence[int], now: float, *, by_speed: bool, streams: bool
    ) -> Sequence[int]:
        return group


def machine(
    *candidates: Candidate,
    limit: float | None = None,
    client_retries: bool = False,
    watch: Watch | None = None,
) -> Attempts:
    return Attempts(
        candidates,
        now=0.0,
        client_limit=limit,
        client_retries=client_retries,
        random=lambda: 1.0,
        watch=watch or Unwatched(),
    )


def tried(step: Step) -> int:
    assert isinstance(step, Try), step
    return step.target


def gave_up(step: Step) -> Failure:
    assert isinstance(step, GiveUp), step
    return step.failure


def test_a_served_attempt_is_recorded() -> None:
    attempts = machine(candidate(3))
    assert attempts.next(0.0) == Try(target=3, first_by=120.0, deadline=600.0, fresh=False)
    attempts.committed()
    attempts.served(2.5)
    (record,) = attempts.records
    assert (record.target, record.seconds, record.result) == (3, 2.5, Result.SERVED)


def test_transient_retries_twice_with_growing_waits_then_moves_on() -> None:
    attempts = machine(candidate(0), candidate(1))
    steps: list[Step] = []
    for _ in range(3):
        assert tried(attempts.next(0.0)) == 0
        attempts.failed(TRANSIENT, Fault.ANSWERED, 0.0)
        if len(attempts.records) < 3:
            steps.append(attempts.next(0.0))
    assert steps == [Wait(seconds=0.5), Wait(seconds=1.0)]
    assert tried(attempts.next(0.0)) == 1


def test_a_provider_s_own_waits_take_the_place_of_the_usual_ones() -> None:
    slow = Candidate(
        target=0, retries=4, backoff=2.0, max_backoff=5.0, first_event=None, total=600.0
    )
    attempts = machine(slow, candidate(1))
    waits: list[Step] = []
    for _ in range(3):
        assert tried(attempts.next(0.0)) == 0
        attempts.failed(TRANSIENT, Fault.ANSWERED, 0.0)
        waits.append(attempts.next(0.0))
    assert waits == [Wait(seconds=2.0), Wait(seconds=4.0), Wait(seconds=5.0)]
    attempts.next(0.0)
    # Told to wait longer than this provider is worth waiting for.
    attempts.failed(failure(FailureClass.TRANSIENT, 5.5), Fault.ANSWERED, 0.0)
    assert tried(attempts.next(0.0)) == 1


def test_a_client_that_retries_gets_no_retry_but_still_the_next_target() -> None:
    attempts = machine(candidate(0), candidate(1), client_retries=True)
    attempts.next(0.0)
    attempts.failed(TRANSIENT, Fault.ANSWERED, 0.0)
    assert tried(attempts.next(0.0)) == 1
    attempts.failed(TRANSIENT, Fault.ANSWERED, 0.0)
    assert gave_up(attempts.next(0.0)) is TRANSIENT


def test_throttled_waits_a_short_retry_after_and_leaves_for_a_long_one() -> None:
    attempts = machine(candidate(0), candidate(1))
    attempts.next(0.0)
    attempts.failed(failure(FailureClass.THROTTLED, 5.0), Fault.ANSWERED, 0.0)
    assert attempts.next(0.0) == Wait(seconds=5.0)
    assert tried(attempts.next(5.0)) == 0
    attempts.failed(failure(FailureClass.THROTTLED, 5.1), Fault.ANSWERED, 5.0)
    assert tried(attempts.next(5.0)) == 1


@pytest.mark.parametrize("kind", [FailureClass.MISFIT, FailureClass.OURS])
def test_misfit_and_ours_go_to_the_next_target_at_once(kind: FailureClass) -> None:
    attempts = machine(candidate(0), candidate(1))
    attempts.next(0.0)
    attempts.failed(failure(kind), Fault.ANSWERED, 0.0)
    assert tried(attempts.next(0.0)) == 1


def test_the_callers_own_mistake_ends_it() -> None:
    attempts = machine(candidate(0), candidate(1))
    attempts.next(0.0)
    mistake = failure(FailureClass.CALLERS)
    attempts.failed(mistake, Fault.ANSWERED, 0.0)
    step = attempts.next(0.0)
    assert step == GiveUp(failure=mistake, target=0)


def test_a_stale_connection_is_tried_once_more_on_a_fresh_one_beside_the_retries() -> None:
    attempts = machine(candidate(0, retries=0))
    attempts.next(0.0)
    attempts.failed(TRANSIENT, Fault.STALE, 0.0)
    step = attempts.next(0.0)
    assert isinstance(step, Try) and step.target == 0 and step.fresh
    attempts.failed(TRANSIENT, Fault.STALE, 0.0)
    assert isinstance(attempts.next(0.0), GiveUp)


def test_a_time_out_is_retried_once_elsewhere() -> None:
    attempts = machine(candidate(0), candidate(1), candidate(2))
    attempts.next(0.0)
    attempts.failed(TRANSIENT, Fault.TIMEOUT, 120.0)
    assert tried(attempts.next(120.0)) == 1
    attempts.failed(TRANSIENT, Fault.TIMEOUT, 240.0)
    assert isinstance(attempts.next(240.0), GiveUp)


def test_a_time_out_of_the_only_target_is_retried_there() -> None:
    attempts = machine(candidate(0))
    attempts.next(0.0)
    attempts.failed(TRANSIENT, Fault.TIMEOUT, 120.0)
    assert tried(attempts.next(120.0)) == 0
    attempts.failed(TRANSIENT, Fault.TIMEOUT, 240.0)
    assert isinstance(attempts.next(240.0), GiveUp)


def test_the_clients_limit_bounds_every_attempt() -> None:
    attempts = machine(candidate(0), candidate(1), limit=10.0)
    step = attempts.next(0.0)
    assert isinstance(step, Try) and step.deadline == 10.0
    attempts.failed(TRANSIENT, Fault.ANSWERED, 9.8)
    # The wait of 0.5 s would pass the deadline: the next target takes what is left.
    assert tried(attempts.next(9.8)) == 1
    attempts.failed(TRANSIENT, Fault.ANSWERED, 10.0)
    assert gave_up(attempts.next(10.0)) is TRANSIENT


def test_a_deadline_before_the_first_attempt_says_so() -> None:
    attempts = machine(candidate(0), limit=0.0)
    assert "time allowed" in gave_up(attempts.next(0.0)).message


def test_an_empty_chain_says_so() -> None:
    assert "no target" in gave_up(machine().next(0.0)).message


def test_after_commit_a_failure_is_a_break_and_nothing_follows() -> None:
    attempts = machine(candidate(0), candidate(1))
    attempts.next(0.0)
    attempts.committed()
    attempts.failed(TRANSIENT, Fault.BROKEN, 3.0)
    assert attempts.records[0].result is Result.BROKEN
    with pytest.raises(RuntimeError):
        attempts.next(3.0)


def test_the_told_failure_prefers_the_smallest_retry_after_then_transient() -> None:
    attempts = machine(*(candidate(index, retries=0) for index in range(4)))
    soon, late = failure(FailureClass.THROTTLED, 6.0), failure(FailureClass.THROTTLED, 60.0)
    for end in (late, soon, TRANSIENT, failure(FailureClass.OURS)):
        attempts.next(0.0)
        attempts.failed(end, Fault.ANSWERED, 0.0)
    assert attempts.next(0.0) == GiveUp(failure=soon, target=1)


def test_unsent_attempts_are_recorded_but_are_no_calls() -> None:
    attempts = machine(candidate(0), candidate(1))
    attempts.next(0.0)
    attempts.failed(failure(FailureClass.MISFIT), Fault.UNSENT, 0.0)
    attempts.next(0.0)
    assert attempts.calls == 1
    attempts.aborted(1.0)
    assert [record.result for record in attempts.records] == [Result.FAILED, Result.ABORTED]
    assert attempts.calls == 1


def test_a_fix_up_tries_the_same_target_at_once_outside_its_retries() -> None:
    attempts = machine(candidate(0, retries=0), candidate(1), client_retries=True)
    assert tried(attempts.next(0.0)) == 0
    assert attempts.fixed_up(failure(FailureClass.CALLERS), 1.0)
    assert tried(attempts.next(1.0)) == 0
    attempts.failed(failure(FailureClass.CALLERS), Fault.ANSWERED, 2.0)
    assert gave_up(attempts.next(2.0)).kind is FailureClass.CALLERS
    assert [record.target for record in attempts.records] == [0, 0]


def test_there_is_no_fix_up_after_commit() -> None:
    attempts = machine(candidate(0))
    tried(attempts.next(0.0))
    attempts.committed()
    assert not attempts.fixed_up(failure(FailureClass.CALLERS), 1.0)


def test_a_refusal_that_was_put_right_is_not_what_the_client_hears() -> None:
    """Its request was good: what failed it is what came after, and may be worth a retry."""
    attempts = machine(candidate(0, retries=0))
    tried(attempts.next(0.0))
    assert attempts.fixed_up(failure(FailureClass.CALLERS), 1.0)
    tried(attempts.next(1.0))
    attempts.failed(TRANSIENT, Fault.ANSWERED, 2.0)
    assert gave_up(attempts.next(2.0)) == TRANSIENT


def test_a_refusal_that_was_put_right_too_late_is_told() -> None:
    attempts = machine(candidate(0, total=1.0))
    tried(attempts.next(0.0))
    assert attempts.fixed_up(failure(FailureClass.CALLERS), 1.0)
    assert gave_up(attempts.next(1.0)).kind is FailureClass.CALLERS


def test_closed_targets_are_skipped_one_by_one() -> None:
    watch = Shut(0, 1)
    attempts = machine(candidate(0), candidate(1), candidate(2), watch=watch)
    assert tried(attempts.next(0.0)) == 2
    attempts.served(1.0)
    assert [record.result for record in attempts.records] == [
        Result.SKIPPED,
        Result.SKIPPED,
        Result.SERVED,
    ]
    assert attempts.calls == 1
    assert watch.told == ["begun 2", "served 2"], "nothing began of what was skipped"


def test_where_all_are_closed_the_earliest_to_open_is_told() -> None:
    attempts = machine(candidate(3), candidate(1), candidate(2), watch=Shut(1, 2, 3))
    step = attempts.next(0.0)
    assert isinstance(step, GiveUp)
    assert (step.target, step.failure.retry_after) == (1, 11.0)


def test_what_a_target_said_comes_before_why_another_was_not_called() -> None:
    attempts = machine(candidate(0, retries=0), candidate(1), watch=Shut(1))
    attempts.next(0.0)
    attempts.failed(TRANSIENT, Fault.ANSWERED, 0.0)
    assert gave_up(attempts.next(0.0)) is TRANSIENT


def test_no_target_is_retried_beyond_what_all_requests_may() -> None:
    attempts = machine(candidate(0), candidate(1), watch=Shut())
    attempts.next(0.0)
    attempts.failed(TRANSIENT, Fault.ANSWERED, 0.0)
    assert tried(attempts.next(0.0)) == 1
    attempts.failed(TRANSIENT, Fault.TIMEOUT, 120.0)
    assert gave_up(attempts.next(120.0)) is TRANSIENT


def test_an_attempt_that_waited_begins_anew_with_its_own_time() -> None:
    attempts = machine(candidate(0, total=300.0))
    attempts.next(0.0)
    assert attempts.resumed(7.0) == Try(target=0, first_by=127.0, deadline=300.0, fresh=False)
    attempts.served(9.0)
    (record,) = attempts.records
    assert (record.started, record.seconds) == (7.0, 2.0)


def test_an_attempt_that_waited_while_its_target_closed_is_skipped() -> None:
    watch = Shut()
    attempts = machine(candidate(0), candidate(1), watch=watch)
    attempts.next(0.0)
    watch.targets = {0}
    assert attempts.resumed(7.0) is None
    assert tried(attempts.next(7.0)) == 1
    assert watch.told == ["begun 0", "skipped 0", "begun 1"]


def test_an_attempt_that_waited_for_all_of_its_time_is_skipped() -> None:
    attempts = machine(candidate(0), limit=5.0)
    attempts.next(0.0)
    assert attempts.resumed(5.0) is None
    assert "time allowed" in gave_up(attempts.next(5.0)).message


@pytest.mark.parametrize(
    ("at", "fault"), [(59.0, Fault.LATE), (60.0, Fault.TIMEOUT), (120.0, Fault.TIMEOUT)]
)
def test_a_silence_cut_short_is_not_the_target_s(at: float, fault: Fault) -> None:
    attempts = machine(candidate(0), limit=at)
    attempts.next(0.0)
    attempts.failed(TRANSIENT, Fault.TIMEOUT, at)
    assert [record.fault for record in attempts.records] == [fault]


def test_the_first_content_of_a_stream_is_told_and_recorded() -> None:
    watch = Shut()
    attempts = machine(candidate(0), watch=watch)
    attempts.next(1.0)
    attempts.heard(3.0)
    attempts.committed()
    attempts.served(9.0)
    assert watch.told == ["begun 0", "heard 0 after 2.0", "served 0"]
    assert attempts.records[0].first == 2.0


def test_each_target_may_have_a_stale_connection() -> None:
    attempts = machine(candidate(0, retries=0), candidate(1, retries=0))
    for one, is_fresh in ((0, False), (0, True), (1, False), (1, True)):
        step = attempts.next(0.0)
        assert isinstance(step, Try) and (step.target, step.fresh) == (one, is_fresh)
        attempts.failed(TRANSIENT, Fault.STALE, 0.0)
    assert isinstance(attempts.next(0.0), GiveUp)
    assert not any(record.is_retry for record in attempts.records)


def test_retries_are_marked_and_nothing_else_is() -> None:
    attempts = machine(candidate(0), candidate(1))
    for at in (0.0, 1.0):
        attempts.next(at)
        attempts.failed(TRANSIENT, Fault.ANSWERED, at)
        attempts.next(at)
    attempts.next(2.0)
    assert attempts.fixed_up(failure(FailureClass.CALLERS), 2.0)
    attempts.next(2.0)
    attempts.served(2.0)
    assert [record.is_retry for record in attempts.records] == [False, True, True, False]


def test_a_record_has_everything_of_its_attempt_and_nothing_of_the_one_before() -> None:
    attempts = machine(candidate(3, retries=1), candidate(4))
    charges = [
        Charge(usage=Usage(input=one), cost=Cost(input=one), estimated=False) for one in (7, 1)
    ]
    assert attempts.cost() == Cost()
    attempts.next(0.0)
    attempts.heard(2.0)
    attempts.charged(charges[0])
    assert attempts.cost() == Cost(input=7)
    attempts.failed(TRANSIENT, Fault.ANSWERED, 5.0)
    assert isinstance(attempts.next(5.0), Wait)
    attempts.next(6.0)
    attempts.failed(TRANSIENT, Fault.CONNECT, 6.5)
    attempts.next(7.0)
    assert (attempts.calls, attempts.cost()) == (3, Cost(input=7))
    attempts.charged(charges[1])
    assert attempts.cost() == Cost(input=8)
    attempts.served(9.0)
    assert attempts.charges == tuple(charges)
    assert attempts.records == [
        AttemptRecord(
            target=3,
            started=0.0,
            seconds=5.0,
            result=Result.FAILED,
            fault=Fault.ANSWERED,
            failure=TRANSIENT,
            charge=charges[0],
            first=2.0,
            is_retry=False,
        ),
        AttemptRecord(
            target=3,
            started=6.0,
            seconds=0.5,
            result=Result.FAILED,
            fault=Fault.CONNECT,
            failure=TRANSIENT,
            charge=None,
            first=None,
            is_retry=True,
        ),
        AttemptRecord(
            target=4,
            started=7.0,
            seconds=2.0,
            result=Result.SERVED,
            charge=charges[1],
        ),
    ]
