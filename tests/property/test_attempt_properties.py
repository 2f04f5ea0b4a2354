"""The attempt machine under any sequence of ends."""

from hypothesis import given
from hypothesis import strategies as st

from lynkrc_runtime.attempt import Attempts, Candidate, Fault, GiveUp, Result, Try, Wait
from lynkrc_runtime.protocol.conversation import Failure, FailureClass
from tests.property.effort import tried
from tests.runtime.unwatched import Unwatched

failures = st.builds(
    Failure,
    kind=st.sampled_from(FailureClass),
    status=st.sampled_from([0, 400, 429, 500]),
    message=st.just("m"),
    retry_after=st.none() | st.floats(min_value=0, max_value=100),
)
ends = st.lists(
    st.tuples(failures, st.sampled_from(Fault), st.floats(min_value=0, max_value=200)), max_size=60
)
candidates = st.lists(
    st.builds(
        Candidate,
        target=st.integers(min_value=0, max_value=9),
        retries=st.integers(min_value=0, max_value=3),
        first_event=st.none() | st.just(120.0),
        total=st.floats(min_value=1, max_value=600),
    ),
    max_size=5,
)


@tried(400)
@given(
    chain=candidates,
    ends=ends,
    limit=st.none() | st.floats(min_value=0, max_value=600),
    client_retries=st.booleans(),
    random=st.floats(min_value=0, max_value=1, exclude_max=True),
)
def test_every_run_is_bounded_and_stays_in_its_chain(
    chain: list[Candidate],
    ends: list[tuple[Failure, Fault, float]],
    limit: float | None,
    client_retries: bool,
    random: float,
) -> None:
    attempts = Attempts(
        chain,
        now=0.0,
        client_limit=limit,
        client_retries=client_retries,
        random=lambda: random,
        watch=Unwatched(),
    )
    now = 0.0
    latest = max((candidate.total for candidate in chain), default=0.0)
    targets: list[int] = []
    steps = 0
    remaining = iter(ends)
    while True:
        steps += 1
        step = attempts.next(now)
        if isinstance(step, GiveUp):
            assert isinstance(attempts.next(now), GiveUp), "giving up is final"
            break
        if isinstance(step, Wait):
            assert 0 <= step.seconds <= 8.0
            now += step.seconds
            continue
        assert isinstance(step, Try)
        assert now < step.deadline <= latest
        assert limit is None or step.deadline <= limit
        targets.append(step.target)
        assert attempts.calls == called(attempts) + 1, "the running one counts"
        end = next(remaining, None)
        if end is None:
            attempts.served(now)
            break
        failure, fault, seconds = end
        now += seconds
        attempts.failed(failure, fault, now)
    most = sum(1 + (0 if client_retries else candidate.retries) for candidate in chain)
    most += len(chain)
    assert len(targets) <= most, "at most one more of each, for a stale connection"
    assert steps <= 2 * most + 1
    # In chain order: the targets tried are a walk down the chain that never turns back.
    rest = iter(candidate.target for candidate in chain)
    current: int | None = None
    for target in targets:
        if target != current:
            assert target in rest
            current = target
    assert len(attempts.records) == len(targets)
    assert attempts.calls == called(attempts)


def called(attempts: Attempts) -> int:
    """How many of the ended attempts were calls."""
    return sum(
        one.result is not Result.SKIPPED and one.fault is not Fault.UNSENT
        for one in attempts.records
    )
