"""What was measured of targets, and how it orders a group."""

from itertools import permutations

from lynkrc_runtime.resilience.outliers import EXPLORED_EVERY, FRESH, Standing, fastest, is_outlier


def standing(*, failed: int = 0, served: int = 20, first: float | None = 1.0) -> Standing:
    made = Standing()
    for turn in range(failed + served):
        made.judge(0.0, failed=turn < failed)
        if first is not None:
            made.first.measure(first, 0.0)
    return made


def failing(times: int) -> Standing:
    made = standing()
    for _ in range(times):
        made.judge(0.0, failed=True)
    return made


def test_a_target_is_an_outlier_by_failures_its_peers_do_not_have() -> None:
    peers = [standing(), standing()]
    assert not is_outlier(failing(3), peers, 0.0)
    assert is_outlier(failing(4), peers, 0.0)
    assert not is_outlier(failing(4), [failing(3), failing(3)], 0.0), "all fare badly"


def test_a_few_attempts_are_no_measure() -> None:
    assert not is_outlier(standing(failed=9, served=0), [standing()], 0.0)
    assert is_outlier(standing(failed=10, served=0), [standing()], 0.0)


def test_a_target_is_an_outlier_by_a_first_content_that_comes_far_later() -> None:
    peers = [standing(first=1.0), standing(first=1.2)]
    assert is_outlier(standing(first=3.0), peers, 0.0)
    assert not is_outlier(standing(first=2.9), peers, 0.0)
    quick = [standing(first=0.1), standing(first=0.1)]
    assert not is_outlier(standing(first=1.0), quick, 0.0), "ten times, but not a second"


def test_an_old_measure_makes_no_outlier_and_without_peers_there_is_none() -> None:
    bad = failing(9)
    assert is_outlier(bad, [standing()], 0.0)
    fresh = standing()
    fresh.judge(FRESH + 1, failed=False)
    assert not is_outlier(bad, [fresh], FRESH + 1)
    assert not is_outlier(bad, [], 0.0)
    assert not is_outlier(bad, [Standing()], 0.0)
    slow = standing(first=99.0)
    assert not is_outlier(slow, [standing(first=None)], 0.0)


def test_the_fastest_is_first_in_whatever_order_the_group_is_written() -> None:
    paces = {0: 2.0, 1: 0.5, 2: 1.0}
    for group in permutations(paces):
        measured = [standing(first=paces[one]) for one in group]
        assert fastest(group, measured, 1.0, streams=True) == [1, 2, 0]


def test_streams_and_whole_answers_are_measured_apart() -> None:
    one, two = Standing(), Standing()
    one.first.measure(1.0, 0.0)
    two.first.measure(2.0, 0.0)
    one.whole.measure(20.0, 0.0)
    two.whole.measure(10.0, 0.0)
    assert fastest([0, 1], [one, two], 0.0, streams=True) == [0, 1]
    assert fastest([0, 1], [one, two], 0.0, streams=False) == [1, 0]


def test_what_was_not_measured_is_tried_now_and_then_and_else_comes_last() -> None:
    group, each = [0, 1, 2], [standing(first=None), standing(first=1.0), standing(first=None)]
    orders = [fastest(group, each, now, streams=True) for now in (0.0, 0.0, 1.0, EXPLORED_EVERY)]
    assert orders == [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 1, 2]]
    each[0].first.measure(0.5, 11.0)
    assert fastest(group, each, 11.0, streams=True) == [2, 0, 1]
    assert fastest(group, each, 12.0, streams=True) == [0, 1, 2]


def test_a_measure_that_grew_old_is_forgotten_by_the_next() -> None:
    one = standing(first=8.0).first
    one.measure(1.0, FRESH)
    assert one.seconds is not None and one.seconds > 6.0
    one.measure(1.0, 2 * FRESH + 1)
    assert one.seconds == 1.0
