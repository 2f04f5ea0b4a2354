"""The order targets are tried in, where it changes from request to request."""

from collections import Counter
from collections.abc import Sequence
from itertools import cycle
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lynkrc_runtime import pick
from lynkrc_runtime.decide import Decision, Outcome
from lynkrc_runtime.pick import Rotation
from tests.runtime.unwatched import Unwatched


def order(found: Decision, **how: Any) -> Sequence[int]:
    """With nothing known of any target."""
    return pick.order(found, watch=Unwatched(), now=0.0, streams=False, **how)


def decision(
    pick: str, *groups: tuple[int, ...], weights: dict[int, int] | None = None
) -> Decision:
    return Decision(
        outcome=Outcome.ROUTE,
        tier="T",
        rule="score",
        score=50,
        targets=tuple(target for group in groups for target in group),
        groups=groups,
        pick=pick,
        weights=weights or {},
        deny=None,
        respond=None,
    )


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    targets = draw(st.permutations(range(draw(st.integers(1, 7)))))
    groups: list[tuple[int, ...]] = []
    for one in targets:
        if groups and draw(st.booleans()):
            groups[-1] = (*groups[-1], one)
        else:
            groups.append((one,))
    pick = draw(st.sampled_from(["order", "weighted", "cheapest", "fastest", "round_robin"]))
    weights = {one: draw(st.integers(1, 1000)) for one in targets} if pick == "weighted" else {}
    return decision(pick, *groups, weights=weights)


@settings(derandomize=True, max_examples=200)
@given(decisions(), st.integers(0, 2**32))
def test_every_order_is_of_the_decided_set_group_by_group(found: Decision, seed: int) -> None:
    random, rotation = Random(seed).random, Rotation()
    for _ in range(8):
        tried = list(order(found, random=random, rotation=rotation))
        assert sorted(tried) == sorted(found.targets)
        for group in found.groups:
            assert set(tried[: len(group)]) == set(group)
            del tried[: len(group)]


@settings(derandomize=True, max_examples=100)
@given(decisions(), st.sampled_from([0.0, 0.5, 1 - 2**-53]))
def test_the_ends_of_chance_are_orders_too(found: Decision, chance: float) -> None:
    tried = order(found, random=lambda: chance, rotation=Rotation())
    assert sorted(tried) == sorted(found.targets)


@pytest.mark.parametrize("pick", ["order", "cheapest"])
def test_what_does_not_vary_draws_nothing(pick: str) -> None:
    def random() -> float:
        raise AssertionError("nothing is left to chance")

    found = decision(pick, (2, 0), (1,))
    assert order(found, random=random, rotation=Rotation()) is found.targets


def test_first_places_are_as_frequent_as_the_weights() -> None:
    found = decision("weighted", (0, 1, 2), weights={0: 1, 1: 3, 2: 6})
    random, rotation = Random(7).random, Rotation()
    drawn = Counter(tuple(order(found, random=random, rotation=rotation)) for _ in range(20_000))
    first = Counter[int]()
    for tried, times in drawn.items():
        first[tried[0]] += times
    for one, share in {0: 0.1, 1: 0.3, 2: 0.6}.items():
        assert first[one] / 20_000 == pytest.approx(share, abs=0.015)
    # The second place is drawn by the weights of those left: after 2, one to three.
    after = {tried: times / first[2] for tried, times in drawn.items() if tried[0] == 2}
    assert after[2, 0, 1] == pytest.approx(0.25, abs=0.02)
    assert after[2, 1, 0] == pytest.approx(0.75, abs=0.02)


def test_each_group_is_drawn_by_itself() -> None:
    found = decision("weighted", (0, 1), (2,), (3, 4), weights=dict.fromkeys(range(5), 1))
    chances = cycle([0.9, 0.1])
    tried = order(found, random=lambda: next(chances), rotation=Rotation())
    assert list(tried) == [1, 0, 2, 3, 4]


def test_a_rotation_begins_one_further_each_time_and_keeps_the_circle() -> None:
    found, rotation = decision("round_robin", (0, 1, 2)), Rotation()
    orders = [tuple(order(found, random=Random(1).random, rotation=rotation)) for _ in range(4)]
    assert orders == [(0, 1, 2), (1, 2, 0), (2, 0, 1), (0, 1, 2)]


def test_a_rotation_is_fair_for_each_set_of_targets_whatever_comes_between() -> None:
    rotation = Rotation()
    whole, left = decision("round_robin", (0, 1, 2)), decision("round_robin", (0, 2))
    first: Counter[tuple[int, int]] = Counter()
    for turn in range(36):
        found = left if turn % 3 else whole
        tried = order(found, random=Random(1).random, rotation=rotation)
        first[len(found.targets), tried[0]] += 1
    assert first == {(3, 0): 4, (3, 1): 4, (3, 2): 4, (2, 0): 12, (2, 2): 12}


def test_groups_of_one_decision_rotate_together() -> None:
    found, rotation = decision("round_robin", (0, 1), (2,), (3, 4, 5)), Rotation()
    orders = [list(order(found, random=Random(1).random, rotation=rotation)) for _ in range(2)]
    assert orders == [[0, 1, 2, 3, 4, 5], [1, 0, 2, 4, 5, 3]]
