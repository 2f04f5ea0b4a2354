"""The attempt machine: what is tried next after each kind of end."""

import pytest

from lynkrc_runtime.attempt import (
    Attempts,
    Candidate,
    Fault,
    GiveUp,
    Result,
    Step,
    Try,
    Unwatched,
    Wait,
)
from lynkrc_runtime.protocol.conversation import Failure, FailureClass


def failure(kind: FailureClass, retry_after: float | None = None) -> Failure:
    return Failure(kind=kind, status=500, message=kind.value, retry_after=retry_after)


TRANSIENT = failure(FailureClass.TRANSIENT)


def candidate(target: int, retries: int = 2, total: float = 600.0) -> Candidate:
    return Candidate(target=target, retries=retries, first_event=120.0, total=total)


def machine(
    *candidates: Candidate, limit: float | None = None, client_retries: bool = False
) -> Attempts:
    return Attempts(
        candidates,
        now=0.0,
        client_limit=limit,
        client_retries=client_retries,
        random=lambda: 1.0,
        watch=Unwatched(),
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
