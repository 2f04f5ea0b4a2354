"""Confidence intervals against published values and against brute force."""

import random
from itertools import product
from math import comb

import pytest

from lynkrc.diff.intervals import ratio_interval, share_interval, total_interval


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_shares_are_those_that_are_published(
    count: int, total: int, low: float, high: float
) -> None:
    found = share_interval(count, total)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_a_share_lies_in_its_interval_and_its_counterpart_mirrors_it() -> None:
    for total in (1, 7, 50):
        for count in range(total + 1):
            found, other = share_interval(count, total), share_interval(total - count, total)
            assert 0 <= found.low <= count / total <= found.high <= 1
            assert found.low == pytest.approx(1 - other.high)


def test_nothing_is_known_of_no_sample() -> None:
    assert (share_interval(0, 0).low, share_interval(0, 0).high) == (0.0, 1.0)


def test_a_share_is_covered_about_as_often_as_is_said() -> None:
    # Every sample of 40 requests of which a quarter moves, with how likely it is.
    likely = sum(
        comb(40, count) * 0.25**count * 0.75 ** (40 - count)
        for count in range(41)
        if share_interval(count, 40).low <= 0.25 <= share_interval(count, 40).high
    )
    assert 0.93 < likely < 0.98


def test_totals_are_near_those_of_every_resample() -> None:
    amounts = (0, 0, 10, 0, 50)
    every = sorted(sum(drawn) for drawn in product(amounts, repeat=5))
    cut = round(len(every) * 0.025)
    found = total_interval(amounts)
    # 3,125 resamples against 1,000 of them: totals are steps of 10.
    assert found.low == every[cut]
    assert abs(found.high - every[-1 - cut]) <= 10


def test_totals_are_the_same_each_time_and_exact_where_nothing_varies() -> None:
    amounts = [index % 7 for index in range(5_000)]
    first = total_interval(amounts)
    assert first == total_interval(amounts)
    assert first.low < sum(amounts) < first.high
    assert (total_interval([3] * 4_000).low, total_interval([3] * 4_000).high) == (12_000, 12_000)
    assert (total_interval([]).low, total_interval([0, 0]).high) == (0.0, 0.0)


def test_the_interval_of_a_ratio_is_around_it_and_of_few_pairs_there_is_none() -> None:
    draw = random.Random(0)
    pairs = [(draw.randrange(7), draw.randrange(10, 13)) for _ in range(2_000)]
    ratio = sum(a for a, _ in pairs) / sum(b for _, b in pairs)
    found, less = ratio_interval(pairs), ratio_interval(pairs[:100])
    assert found is not None and less is not None
    assert found.low < ratio < found.high
    assert found.high - found.low < less.high - less.low
    # The delta method's standard error, which a bootstrap comes close to.
    size, mean = len(pairs), sum(b for _, b in pairs) / len(pairs)
    error = (sum((a - ratio * b) ** 2 for a, b in pairs) / size) ** 0.5 / mean / size**0.5
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.2)
    assert ratio_interval(pairs[:19]) is None
    assert ratio_interval([(0, 0)] * 50) is None
