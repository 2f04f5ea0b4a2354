"""Verdicts to decisions: how groups are ordered, what is preferred, what is shared."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import pytest

from lynkrc_runtime.decide import Decider, Decision, Outcome, Verdict
from lynkrc_runtime.dispatch import Chain, Deny, Dispatch, Prefer, Price, Rule
from tests.runtime.by_hand import dispatch, provider, target

EVERY = 0b11111
CHEAPEST, FASTEST, LAST_FIRST = 0, 1, 2


def price(input: str, output: str) -> Price:
    # Cache prices have no part in it.
    return Price(input=input, output=output, cache_read="0", cache_write="999")


PRICES = {"a": price("2.50", "10"), "b": price("0.1", "0.2"), "c": None, "d": price("0.3", "0"),
          "e": None}  # fmt: skip


def rule(name: str, pick: str | None = None, target: int | None = None) -> Rule:
    return Rule(name=name, deny=None, respond=None, prefer=Prefer(pick=pick, target=target))


def table(pick: str, groups: Sequence[Sequence[int]], weights: Sequence[int] = ()) -> Dispatch:
    made = dispatch(
        [provider("house", "simulator")],
        [target(name, 0, price=cost) for name, cost in PRICES.items()],
    )
    chain = Chain(name="T", groups=[list(g) for g in groups], pick=pick, weights=list(weights))
    return msgspec.structs.replace(
        made,
        chains=[chain],
        rules=[
            rule("spare", "cheapest"),
            rule("quick", "fastest"),
            rule("last", target=4),
            Rule(name="no", deny=Deny(status=403, message="m"), respond=None, prefer=None),
            Rule(name="hi", deny=None, respond="hello", prefer=None),
        ],
    )


def decided(made: Dispatch, *, mask: int = EVERY, prefer: int = -1) -> Decision:
    return Decider(made, lambda _: (0, 0, -1, 0, mask, 50, prefer)).decide([])


def test_a_chain_of_single_targets_is_tried_as_written() -> None:
    found = decided(table("order", [[3], [0], [1]]), mask=0b1011)
    assert found.targets == (3, 0, 1) and found.groups == ((3,), (0,), (1,))
    assert not found.varies


def test_cheapest_is_input_plus_output_with_ties_as_written_and_unknown_prices_last() -> None:
    # b and d cost 0.3, a 12.5; of c and e nobody knows.
    assert decided(table("cheapest", [[4, 0, 3, 2, 1]])).targets == (3, 1, 0, 4, 2)
    assert decided(table("cheapest", [[1, 2, 0, 4, 3]])).targets == (1, 3, 0, 2, 4)


def test_cheapest_orders_inside_groups_alone() -> None:
    found = decided(table("cheapest", [[2, 0], [4, 1]]))
    assert found.groups == ((0, 2), (1, 4)) and not found.varies


def test_what_the_filters_drop_is_in_no_group() -> None:
    found = decided(table("cheapest", [[2, 0], [4], [1, 3]]), mask=0b01101)
    assert found.groups == ((0, 2), (3,)) and found.targets == (0, 2, 3)


@pytest.mark.parametrize("pick", ["weighted", "round_robin", "order", "fastest", "cheapest"])
def test_a_preferred_pick_replaces_that_of_every_group(pick: str) -> None:
    made = table(pick, [[2, 0], [4, 1]], [1, 2, 3, 4] if pick == "weighted" else [])
    assert decided(made, prefer=CHEAPEST).targets == (0, 2, 1, 4)
    quick = decided(made, prefer=FASTEST)
    assert quick.targets == (2, 0, 4, 1) and quick.varies


@pytest.mark.parametrize("pick", ["weighted", "round_robin"])
def test_only_groups_of_several_vary(pick: str) -> None:
    weights = [1, 2, 3] if pick == "weighted" else []
    made = table(pick, [[2, 0], [4]], weights)
    assert decided(made).varies
    assert not decided(made, mask=0b10001).varies
    # What is left beside the preferred target is one in each group.
    assert not decided(table(pick, [[4, 0], [2]], weights), prefer=LAST_FIRST).varies


def test_a_preferred_target_goes_before_every_group() -> None:
    found = decided(table("cheapest", [[2, 0], [4, 1]]), prefer=LAST_FIRST)
    assert found.targets == (4, 0, 2, 1) and found.groups == ((4,), (0, 2), (1,))
    assert decided(table("order", [[2], [0], [4]]), prefer=LAST_FIRST).targets == (4, 2, 0)


def test_a_preferred_target_that_was_dropped_or_is_not_there_changes_nothing() -> None:
    made = table("order", [[2, 0], [4, 1]])
    assert decided(made, mask=0b00111, prefer=LAST_FIRST).groups == ((2, 0), (1,))
    assert decided(table("order", [[2, 0]]), prefer=LAST_FIRST).targets == (2, 0)


def test_weights_are_by_target() -> None:
    found = decided(table("weighted", [[2, 0], [4]], [7, 1, 2]))
    assert found.weights == {2: 7, 0: 1, 4: 2}


def test_equal_verdicts_share_one_decision() -> None:
    verdicts: list[Verdict] = [
        (0, 0, -1, 0, 0b101, 50, -1),
        (0, 0, -1, 0, 0b101, 50, -1),
        (0, 0, -1, 0, 0b101, 51, -1),
        (0, 0, -1, 0, 0b101, 50, CHEAPEST),
    ]
    decider = Decider(table("order", [[2, 0]]), lambda v: verdicts[v[0]])
    first, second, third, fourth = (decider.decide([i]) for i in range(4))
    assert first is second
    assert third == replace(first, score=51)
    assert fourth.targets == (0, 2)


def test_what_ends_a_decision_early_is_told_with_its_words() -> None:
    made = table("order", [[0]])
    denied = Decider(made, lambda _: (1, -1, 3, -1, 0, -1, -1)).decide([])
    assert denied.outcome is Outcome.DENY and denied.rule == "no"
    assert denied.deny == Deny(status=403, message="m") and denied.respond is None
    answered = Decider(made, lambda _: (2, -1, 4, -1, 0, -1, -1)).decide([])
    assert answered.outcome is Outcome.RESPOND and answered.respond == "hello"
    assert (answered.tier, answered.score, answered.targets) == (None, None, ())
    refused = Decider(made, lambda _: (3, 0, -1, -1, 0, 12, -1)).decide([])
    assert (refused.tier, refused.score, refused.rule) == ("ONLY", 12, "score")
    # `otherwise: deny` after a rule that set the tier: the rule has no words for it.
    otherwise = Decider(made, lambda _: (1, 0, 0, -1, 0, 12, -1)).decide([])
    assert otherwise.rule == "spare" and otherwise.deny is None
