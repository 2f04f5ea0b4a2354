"""What all requests know of targets: what closes one, for how long, and what outlives a bundle."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from lynkrc_runtime.attempt import AttemptRecord, Closed, Fault, Result
from lynkrc_runtime.dispatch import Dispatch, ProviderSettings
from lynkrc_runtime.protocol.conversation import Failure, FailureClass
from lynkrc_runtime.resilience.breaker import State
from lynkrc_runtime.resilience.health import Health, Watching
from lynkrc_runtime.settings import Breaker
from tests.runtime.by_hand import dispatch, provider, target

USUAL = Breaker()


def table(*names: str, breaker: Breaker = USUAL, forwards: bool = False) -> Dispatch:
    rest = ProviderSettings(breaker=breaker, forwards_credentials=forwards)
    providers = [provider("p", "simulator", rest=rest)]
    return dispatch(providers, [target(name, 0) for name in names])


def failure(kind: FailureClass, retry_after: float | None = None) -> Failure:
    return Failure(kind=kind, status=500, message="its own words", retry_after=retry_after)


def end(
    watch: Watching,
    now: float,
    kind: FailureClass | None = None,
    *,
    one: int = 0,
    fault: Fault = Fault.ANSWERED,
    result: Result | None = None,
    retry_after: float | None = None,
) -> None:
    """An attempt that began and ended at once."""
    watch.begun(one, now, is_retry=False)
    told = None if kind is None else failure(kind, retry_after)
    usual = Result.SERVED if kind is None else Result.FAILED
    watch.ended(
        AttemptRecord(
            target=one,
            started=now,
            seconds=0.0,
            result=result or usual,
            fault=None if kind is None else fault,
            failure=told,
        ),
        now,
    )


def why(watch: Watching, now: float, one: int = 0) -> Closed:
    closed = watch.closed(one, now)
    assert closed is not None
    return closed


def test_an_open_breaker_says_when_the_next_probe_is() -> None:
    heard: list[tuple[str, State, State, int]] = []
    watch = Health().watch(table("a", "b"), lambda *change: heard.append(change))
    for _ in range(5):
        end(watch, 1.0, FailureClass.TRANSIENT)
    closed = why(watch, 11.0)
    assert (closed.fault, closed.until, closed.failure.retry_after) == (Fault.BREAKER, 31.0, 20.0)
    assert closed.failure.kind is FailureClass.TRANSIENT
    assert watch.closed(1, 11.0) is None
    end(watch, 31.0)
    end(watch, 32.0)
    assert heard == [
        ("a", State.CLOSED, State.OPEN, 5),
        ("a", State.OPEN, State.HALF_OPEN, 0),
        ("a", State.HALF_OPEN, State.CLOSED, 0),
    ]


@pytest.mark.parametrize("fault", [Fault.STALE, Fault.UNSENT, Fault.FIXED, Fault.LATE])
def test_faults_that_are_not_the_target_s_open_nothing(fault: Fault) -> None:
    watch = Health().watch(table("a"))
    for _ in range(50):
        end(watch, 1.0, FailureClass.TRANSIENT, fault=fault)
    assert watch.closed(0, 1.0) is None


@pytest.mark.parametrize("kind", [FailureClass.MISFIT, FailureClass.CALLERS, FailureClass.SPENT])
def test_what_is_wrong_with_the_request_opens_nothing(kind: FailureClass) -> None:
    watch = Health().watch(table("a"))
    for _ in range(50):
        end(watch, 1.0, kind)
    assert watch.closed(0, 1.0) is None


@pytest.mark.parametrize("result", [Result.ABORTED, Result.SKIPPED])
def test_a_client_that_leaves_changes_nothing_and_frees_the_probe(result: Result) -> None:
    watch = Health().watch(table("a", breaker=Breaker(failures=1)))
    for _ in range(50):
        end(watch, 1.0, FailureClass.TRANSIENT, result=result)
    end(watch, 1.0, FailureClass.TRANSIENT)
    watch.begun(0, 40.0, is_retry=False)
    assert why(watch, 40.0).failure.retry_after is None, "a probe runs, nobody knows how long"
    aborted = AttemptRecord(target=0, started=40.0, seconds=1.0, result=result)
    watch.ended(aborted, 41.0)
    assert watch.closed(0, 41.0) is None
    assert watch.states() == {"a": State.HALF_OPEN}


def test_a_probe_s_first_content_is_its_verdict() -> None:
    watch = Health().watch(table("a", breaker=Breaker(failures=1, successes=1)))
    end(watch, 1.0, FailureClass.TRANSIENT)
    watch.begun(0, 31.0, is_retry=False)
    watch.heard(0, 31.0, 33.0)
    assert watch.states() == {"a": State.CLOSED}
    # That stream goes on for an hour and breaks: it began before the breaker closed.
    broken = AttemptRecord(
        target=0,
        started=31.0,
        seconds=3600.0,
        result=Result.BROKEN,
        fault=Fault.BROKEN,
        failure=failure(FailureClass.TRANSIENT),
        first=2.0,
    )
    watch.ended(broken, 3631.0)
    assert watch.closed(0, 3631.0) is None


def test_a_target_that_refuses_our_credentials_is_left_alone_for_a_minute() -> None:
    watch = Health().watch(table("a"))
    end(watch, 1.0, FailureClass.OURS)
    closed = why(watch, 60.9)
    assert (closed.fault, closed.until) == (Fault.MISCONFIGURED, 61.0)
    assert closed.failure == failure(FailureClass.OURS), "the client hears what it would have"
    assert watch.closed(0, 61.0) is None


def test_a_caller_s_own_credentials_say_nothing_of_ours() -> None:
    watch = Health().watch(table("a", forwards=True))
    end(watch, 1.0, FailureClass.OURS)
    assert watch.closed(0, 1.0) is None


@pytest.mark.parametrize("retry_after", [None, 1.0, 600.0])
def test_a_caller_s_own_quota_is_nobody_else_s(retry_after: float | None) -> None:
    watch = Health().watch(table("a", forwards=True))
    for _ in range(20):
        end(watch, 1.0, FailureClass.THROTTLED, retry_after=retry_after)
        assert watch.closed(0, 1.0) is None
    assert watch.reports(1.0)[0].throttled_for is None


def test_a_long_retry_after_is_kept_to_and_a_short_one_is_waited_out() -> None:
    watch = Health().watch(table("a"))
    end(watch, 1.0, FailureClass.THROTTLED, retry_after=5.0)
    assert watch.closed(0, 1.0) is None
    end(watch, 1.0, FailureClass.THROTTLED, retry_after=20.0)
    closed = why(watch, 6.0)
    assert (closed.fault, closed.failure.retry_after) == (Fault.THROTTLED, 15.0)
    assert closed.failure.message != "its own words", "they were said to somebody else"
    assert watch.closed(0, 21.0) is None
    assert watch.states() == {"a": State.CLOSED}


def throttled(watch: Watching, times: Sequence[float]) -> None:
    for now in times:
        end(watch, now, FailureClass.THROTTLED)


def test_nothing_but_throttling_is_a_spent_quota() -> None:
    watch = Health().watch(table("a"))
    throttled(watch, (1.0, 2.0, 3.0, 4.0))
    end(watch, 4.0)
    throttled(watch, (5.0, 6.0, 7.0, 8.0))
    assert watch.closed(0, 8.0) is None, "it served between"
    throttled(watch, (9.0,))
    closed = why(watch, 9.0)
    assert (closed.until, closed.failure.retry_after) == (39.0, None)


def test_what_is_known_of_a_target_outlives_a_bundle_that_describes_it_as_before() -> None:
    health = Health()
    first = health.watch(table("a", "b"))
    health.serves(first)
    for _ in range(5):
        end(first, 1.0, FailureClass.TRANSIENT)
        end(first, 1.0, FailureClass.TRANSIENT, one=1)
    made = table("new", "a", "b", breaker=Breaker(open_for=60.0))
    changed = replace(made, targets=[*made.targets[:2], replace(made.targets[2], model="other")])
    second = health.watch(changed)
    assert why(second, 2.0, one=1).until == 61.0, "by the new bundle's rules"
    assert second.states() == {"new": State.CLOSED, "a": State.OPEN, "b": State.CLOSED}
    assert health.serves(second) == second.states()
    # Requests that began under the first bundle still count.
    end(first, 31.0)
    assert second.states()["a"] is State.HALF_OPEN
    # What the second does not name is forgotten.
    health.serves(health.watch(table("new")))
    assert health.watch(table("a")).states() == {"a": State.CLOSED}


def test_an_attempt_that_waited_for_its_place_learns_what_happened_meanwhile() -> None:
    watch = Health().watch(table("a", breaker=Breaker(failures=1)))
    watch.begun(0, 1.0, is_retry=False)
    assert watch.closed(0, 2.0, 1.0) is None
    end(watch, 2.0, FailureClass.TRANSIENT)
    left = watch.closed(0, 3.0, 1.0)
    assert left is not None and left.fault is Fault.BREAKER


def test_a_report_tells_spans_from_now() -> None:
    watch = Health().watch(table("a", "b", breaker=Breaker(failures=1)))
    end(watch, 1.0, FailureClass.TRANSIENT)
    end(watch, 1.0, FailureClass.OURS, one=1)
    watch.heard(1, 0.0, 2.0)
    first, second = watch.reports(11.0)
    assert (first.target, first.state, first.since, first.next_probe) == ("a", "open", 10.0, 20.0)
    assert (second.state, second.since, second.misconfigured_for) == ("closed", None, 50.0)
    assert (second.first_event, second.whole_answer, second.throttled_for) == (2.0, None, None)


def test_an_outlier_is_last_in_its_group_and_never_left_out() -> None:
    watch = Health().watch(table("a", "b", "c", breaker=Breaker(failures=1000)))
    for turn in range(20):
        for one in range(3):
            bad = one == 0 and turn % 2
            end(watch, 1.0, FailureClass.TRANSIENT if bad else None, one=one)
    assert watch.ranked((0, 1, 2), 1.0, by_speed=False, streams=True) == [1, 2, 0]
    assert watch.ranked((0,), 1.0, by_speed=False, streams=True) == (0,)
    assert watch.ranked((1, 2), 1.0, by_speed=False, streams=True) == (1, 2)
