"""Figures of an order, against what trying every order, share and pair gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lynkrc.quality.metrics import Pairs, auroc, concordance, draws, measure, order, reach_of
from tests.property.effort import tried

STEPS = 4000
"""Shares that are tried in search of one."""


@dataclass(frozen=True)
class Sample:
    """Keys, scores and costs of a few requests."""

    keys: tuple[int, ...]
    weak: tuple[float, ...]
    strong: tuple[float, ...]
    costs: tuple[tuple[float, ...], tuple[float, ...]]

    @property
    def gaps(self) -> list[float]:
        return [strong - weak for weak, strong in zip(self.weak, self.strong, strict=True)]

    @property
    def pairs(self) -> Pairs:
        return Pairs(
            weak=np.array(self.weak),
            strong=np.array(self.strong),
            costs=(np.array(self.costs[0]), np.array(self.costs[1])),
        )

    def orders(self) -> list[tuple[int, ...]]:
        """Every order of the requests in which no key stands above a greater one."""
        return [
            one
            for one in permutations(range(len(self.keys)))
            if all(self.keys[a] >= self.keys[b] for a, b in pairwise(one))
        ]


def quarters(low: int, size: int) -> st.SearchStrategy[tuple[float, ...]]:
    return st.tuples(*[st.integers(low, 4).map(lambda n: n / 4)] * size)


@st.composite
def samples(draw: st.DrawFn, sizes: Sequence[int] = (2, 4, 5)) -> Sample:
    size = draw(st.sampled_from(sizes))
    keys = draw(st.tuples(*[st.integers(0, 3)] * size))
    costs = draw(quarters(0, size)), draw(quarters(1, size))
    return Sample(keys, draw(quarters(0, size)), draw(quarters(0, size)), costs)


def reached(values: Sequence[float], orders: Sequence[Sequence[int]]) -> list[float]:
    """The sum of the first so many values, from none to all, in the mean over the orders."""
    return [
        sum(sum(values[place] for place in one[:count]) for one in orders) / len(orders)
        for count in range(len(values) + 1)
    ]


@given(samples())
@tried(60)
def test_shares_and_gains_are_means_over_every_order_of_what_is_tied(sample: Sample) -> None:
    size = len(sample.keys)
    gains = reached(sample.gaps, sample.orders())
    found = measure(order(np.array(sample.keys, float)), sample.pairs, np.ones(size))
    if gains[-1] <= 0:
        assert all(np.isnan(one) for one in (found.apgr, found.cpt50, found.cpt80))
        return
    parts = [gain / gains[-1] for gain in gains]
    area = sum((a + b) / 2 for a, b in pairwise(parts)) / size
    assert found.apgr == pytest.approx(area)
    tried = np.linspace(0, 1, STEPS + 1)
    along = np.interp(tried, np.linspace(0, 1, size + 1), parts)
    for cpt, part in ((found.cpt50, 0.5), (found.cpt80, 0.8)):
        first = tried[np.argmax(along >= part - 1e-9)]
        assert first - 1 / STEPS - 1e-9 <= cpt <= first + 1e-9


@given(samples())
@tried(60)
def test_auroc_is_over_all_pairs(sample: Sample) -> None:
    better = [key for key, gap in zip(sample.keys, sample.gaps, strict=True) if gap > 0]
    others = [key for key, gap in zip(sample.keys, sample.gaps, strict=True) if gap <= 0]
    found = measure(order(np.array(sample.keys, float)), sample.pairs, np.ones(len(sample.keys)))
    if not better or not others:
        assert np.isnan(found.auroc)
    else:
        above = [(a > b) + (a == b) / 2 for a, b in product(better, others)]
        assert found.auroc == pytest.approx(sum(above) / len(above))


@given(samples(), st.data())
@tried(40)
def test_grades_are_compared_over_all_pairs(sample: Sample, data: st.DataObject) -> None:
    size = len(sample.keys)
    grades = data.draw(st.tuples(*[st.integers(0, 2)] * size))
    above = [
        (a > b) + (a == b) / 2
        for (a, high), (b, low) in product(zip(sample.keys, grades, strict=True), repeat=2)
        if high > low
    ]
    ordered = order(np.array(sample.keys, float))
    found = concordance(ordered, np.array(grades), np.ones(size))
    expected = sum(above) / len(above) if above else float("nan")
    assert found == pytest.approx(expected, nan_ok=True)


@given(samples())
@tried(60)
def test_aiq_is_the_mean_over_costs_of_the_best_mixture_of_two(sample: Sample) -> None:
    size = len(sample.keys)
    orders = sample.orders()
    more = [b - a for a, b in zip(*sample.costs, strict=True)]
    costs = [(sum(sample.costs[0]) + one) / size for one in reached(more, orders)]
    scores = [(sum(sample.weak) + one) / size for one in reached(sample.gaps, orders)]
    found = measure(order(np.array(sample.keys, float)), sample.pairs, np.ones(size)).aiq
    assert found is not None
    low, high = costs[0], costs[-1]
    if sum(more) <= 0:
        assert np.isnan(found)
        return
    points = list(zip(costs, scores, strict=True))

    def best(cost: float) -> float:
        """Of what is cheaper, and of mixtures of what is cheaper and what is dearer."""
        heights = [y for x, y in points if x <= cost + 1e-12]
        for (x1, y1), (x2, y2) in product(points, points):
            if x1 < x2 and x1 <= cost <= x2:
                heights.append(y1 + (y2 - y1) * (cost - x1) / (x2 - x1))
        return max(heights)

    knots = sorted({low, high, *(cost for cost in costs if low < cost < high)})
    area = sum((best(a) + best(b)) / 2 * (b - a) for a, b in pairwise(knots))
    assert found == pytest.approx(area / (high - low), abs=1e-9)


@given(samples(sizes=(3, 5, 6)), st.data())
@tried(40)
def test_a_draw_is_the_same_requests_as_often(sample: Sample, data: st.DataObject) -> None:
    size = len(sample.keys)
    counts = data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size).filter(any))
    repeated = np.repeat(np.arange(size), counts)
    costs = sample.pairs.costs
    drawn = Pairs(
        weak=sample.pairs.weak[repeated],
        strong=sample.pairs.strong[repeated],
        costs=None if costs is None else (costs[0][repeated], costs[1][repeated]),
    )
    keys = np.array(sample.keys, float)
    weighed = measure(order(keys), sample.pairs, np.array(counts, float))
    written = measure(order(keys[repeated]), drawn, np.ones(len(repeated)))
    for name in ("apgr", "cpt50", "cpt80", "auroc", "aiq"):
        one, other = getattr(weighed, name), getattr(written, name)
        assert one == pytest.approx(other, abs=1e-9, nan_ok=True), name


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.integers(0, 99))
@tried(30)
def test_groups_are_drawn_whole(groups: list[int], seed: int) -> None:
    names = sorted(set(groups))
    numbers = np.array([names.index(one) for one in groups])
    drawn = list(draws(numbers, 5, seed))
    assert len(drawn) == 5
    for weights in drawn:
        by_group = [set(weights[numbers == number]) for number in range(len(names))]
        assert all(len(one) == 1 for one in by_group)
        assert sum(max(one) for one in by_group) == len(names)
    assert all((a == b).all() for a, b in zip(drawn, draws(numbers, 5, seed), strict=True))


def test_a_curve_has_a_point_after_each_key() -> None:
    pairs = Pairs(weak=np.zeros(3), strong=np.array([1.0, 0.0, 1.0]), costs=None)
    found = reach_of(order(np.array([1.0, 1.0, 2.0])), pairs, np.ones(3))
    assert found.shares.tolist() == pytest.approx([0, 1 / 3, 1])
    assert found.scores.tolist() == pytest.approx([0, 1 / 3, 2 / 3])
    assert found.costs is None


@pytest.mark.parametrize("keys", [[], [1.0, float("nan")], [float("inf")]])
def test_keys_without_an_order_are_refused(keys: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        order(np.array(keys))


def test_labels_may_be_any() -> None:
    labels = np.array([True, False, False])
    assert auroc(order(np.array([1.0, 1.0, 0.0])), labels, np.ones(3)) == 0.75
