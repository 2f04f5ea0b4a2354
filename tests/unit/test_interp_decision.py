"""The reference semantics, step by step, against "The decision" as it is written."""

from dataclasses import replace

import pytest

from lynkrc.interp.evaluate import evaluate
from lynkrc.interp.trace import trace
from lynkrc.ir.guard import ALWAYS, NEVER
from lynkrc.ir.table import ChainId, Deny, Otherwise, Pick, Prefer, Respond, Rule, TierId
from tests.unit.full_table import BIG as BIG_TARGET
from tests.unit.full_table import FULL
from tests.unit.sample_table import (
    TABLE,
    keeps,
    rule,
    vector,
    with_otherwise,
)

ROUTE, DENY, RESPOND, REFUSE = 0, 1, 2, 3
SCORE, PIN = -1, -2
SMALL, MID, BIG = 1, 2, 4


def with_rules(*rules: Rule, otherwise: Otherwise = Otherwise.ESCALATE):
    return replace(TABLE, rules=rules, otherwise=otherwise)


def test_the_score_picks_the_first_tier_that_takes_it() -> None:
    assert evaluate(TABLE, vector(words=9)) == (ROUTE, 0, SCORE, 0, SMALL | MID, 0, -1)
    # proof 40 + terms 3.5 - offset 2 = 41.5, rounded to 42.
    assert evaluate(TABLE, vector(words=9, proof=2, terms=224)) == (
        ROUTE,
        1,
        SCORE,
        1,
        MID | BIG,
        42,
        -1,
    )


@pytest.mark.parametrize(
    ("points64", "score"),
    [(0, 0), (31, 0), (32, 1), (-33, 0), (100 * 64 - 33, 99), (100 * 64 - 32, 100), (10**6, 100)],
)
def test_the_score_rounds_to_the_nearest_and_stays_within_0_and_100(
    points64: int, score: int
) -> None:
    table = replace(TABLE, dimensions=(), rules=(), offset64=points64)
    assert evaluate(table, vector())[5] == score


def test_the_bound_of_a_tier_is_inclusive() -> None:
    table = replace(TABLE, dimensions=(), rules=(), offset64=25 * 64)
    assert evaluate(table, vector())[1] == 0
    assert evaluate(replace(table, offset64=26 * 64), vector())[1] == 1


def test_the_first_matching_deny_ends_it_before_tier_and_score() -> None:
    assert evaluate(TABLE, vector(data=1, greets=1)) == (DENY, -1, 0, -1, 0, -1, -1)
    table = with_rules(
        rule(0, "later-tier", ALWAYS, "x", tier=TierId(1)),
        rule(1, "first", ALWAYS, "x", deny=Deny(status=403, message="a")),
        rule(2, "second", ALWAYS, "x", deny=Deny(status=429, message="b")),
    )
    assert evaluate(table, vector())[:3] == (DENY, -1, 1)


def test_the_first_tier_rule_wins_over_the_score_and_is_reported() -> None:
    table = with_rules(
        rule(0, "first", ALWAYS, "x", tier=TierId(0)),
        rule(1, "second", ALWAYS, "x", tier=TierId(3)),
    )
    assert evaluate(table, vector(proof=2)) == (ROUTE, 0, 0, 0, SMALL | MID, 38, -1)
    assert evaluate(TABLE, vector(words=9, audit=3))[1:3] == (3, 2)


def test_a_floor_raises_and_is_reported_only_if_no_rule_set_the_tier() -> None:
    assert evaluate(TABLE, vector(words=9, results=6))[1:3] == (2, 3)
    assert evaluate(TABLE, vector(words=3, greets=1, results=6))[1:3] == (2, 1)


def test_a_floor_that_changes_nothing_is_not_reported() -> None:
    table = with_rules(rule(0, "low", ALWAYS, "x", floor=TierId(0)))
    assert evaluate(table, vector())[1:3] == (0, SCORE)


def test_the_highest_floor_counts_and_of_equals_the_first() -> None:
    table = with_rules(
        rule(0, "low", ALWAYS, "x", floor=TierId(1)),
        rule(1, "high", ALWAYS, "x", floor=TierId(2)),
        rule(2, "also-high", ALWAYS, "x", floor=TierId(2)),
    )
    assert evaluate(table, vector())[1:3] == (2, 1)


def test_the_ceiling_wins_over_floor_and_tier_rule() -> None:
    table = with_rules(
        rule(0, "up", ALWAYS, "x", floor=TierId(3)),
        rule(1, "down", ALWAYS, "x", ceiling=TierId(1)),
    )
    assert evaluate(table, vector())[1:3] == (1, 1)
    forced = with_rules(
        rule(0, "forced", ALWAYS, "x", tier=TierId(3)),
        rule(1, "down", ALWAYS, "x", ceiling=TierId(1)),
        rule(2, "further-down", ALWAYS, "x", ceiling=TierId(0)),
    )
    assert evaluate(forced, vector())[1:3] == (0, 0)


def test_adds_of_all_matching_rules_count() -> None:
    table = with_rules(
        rule(0, "a", ALWAYS, "x", add64=30 * 64),
        rule(1, "b", ALWAYS, "x", add64=30 * 64),
        rule(2, "c", NEVER, "x", add64=30 * 64),
    )
    assert evaluate(table, vector())[1] == 2
    assert evaluate(table, vector())[5] == 58


def test_needs_and_requirements_drop_targets() -> None:
    assert evaluate(TABLE, vector(images=1))[3:5] == (0, MID)
    assert evaluate(TABLE, vector(data=2))[3:5] == (0, SMALL)
    assert evaluate(TABLE, vector(stream=1, words=9001, data=2))[3:5] == (1, BIG)


def test_an_empty_chain_escalates_and_keeps_tier_and_rule() -> None:
    # A confidential picture: the local target sees none, the cloud is not allowed.
    assert evaluate(TABLE, vector(words=3, greets=1, images=1, data=2)) == (
        ROUTE, 0, 1, 1, BIG, 0, -1,
    )  # fmt: skip


def test_escalation_goes_up_then_down_never_above_the_ceiling() -> None:
    only_small = rule(0, "small", ALWAYS, "x", require=keeps(ALWAYS, NEVER, NEVER),
                      require_source="target == small", floor=TierId(2))  # fmt: skip
    assert evaluate(with_rules(only_small), vector())[1:5] == (2, 0, 0, SMALL)
    only_big = rule(0, "big", ALWAYS, "x", require=keeps(NEVER, NEVER, ALWAYS),
                    require_source="target == big", ceiling=TierId(0))  # fmt: skip
    assert evaluate(with_rules(only_big), vector())[:5] == (REFUSE, 0, SCORE, -1, 0)


def test_nothing_left_anywhere_refuses() -> None:
    table = with_rules(rule(0, "no", ALWAYS, "x", require=keeps(NEVER, NEVER, NEVER),
                            require_source="never"))  # fmt: skip
    assert evaluate(table, vector()) == (REFUSE, 0, SCORE, -1, 0, 0, -1)


def test_otherwise_deny_denies_unless_no_target_meets_the_needs() -> None:
    table = with_otherwise(Otherwise.DENY)
    assert evaluate(table, vector(words=3, greets=1, images=1, data=2)) == (
        DENY,
        0,
        1,
        -1,
        0,
        0,
        -1,
    )
    assert evaluate(table, vector(words=9, tokens=10**6)) == (REFUSE, 0, SCORE, -1, 0, 0, -1)


def test_no_otherwise_refuses() -> None:
    table = with_otherwise(Otherwise.NONE)
    assert evaluate(table, vector(words=9, images=1, data=2)) == (REFUSE, 0, SCORE, -1, 0, 0, -1)


def test_a_pinned_tier_stands_in_for_rules_floors_and_ceilings() -> None:
    assert evaluate(TABLE, vector(words=3, greets=1, model=2))[:4] == (ROUTE, 2, PIN, 2)
    assert evaluate(TABLE, vector(results=9, model=2))[:4] == (ROUTE, 2, PIN, 2)
    assert evaluate(TABLE, vector(model=4, data=2))[:5] == (ROUTE, 3, PIN, 3, BIG)


def test_a_pinned_tier_above_a_ceiling_escalates_only_below_it() -> None:
    table = with_rules(
        rule(0, "down", ALWAYS, "x", ceiling=TierId(0), require=keeps(ALWAYS, ALWAYS, NEVER),
             require_source="target != big"),
    )  # fmt: skip
    assert evaluate(table, vector(model=4))[:5] == (ROUTE, 3, PIN, 0, SMALL | MID)


def test_a_pinned_target_has_no_fallback() -> None:
    assert evaluate(TABLE, vector(model=3, results=9))[:5] == (ROUTE, -1, PIN, 4, SMALL)
    assert evaluate(TABLE, vector(model=3, images=1))[:5] == (REFUSE, -1, PIN, -1, 0)
    deny = with_otherwise(Otherwise.DENY)
    assert evaluate(deny, vector(model=3, images=1))[:5] == (REFUSE, -1, PIN, -1, 0)


def test_a_deny_holds_for_pins_too() -> None:
    assert evaluate(TABLE, vector(model=3, data=1))[0] == DENY


def test_a_trace_says_what_dropped_a_target_and_where_it_went_on() -> None:
    found = trace(TABLE, vector(words=3, greets=1, images=1, data=2))
    assert found.rule == "greetings" and found.tier == "SIMPLE" and found.targets == ("big",)
    first, second = found.chains
    assert [(t.target, t.dropped_by) for t in first.targets] == [
        ("small", ("need vision",)),
        ("mid", ("rule stay-home",)),
    ]
    assert second.chain == "MEDIUM" and second.targets[1].dropped_by == ()


def test_a_trace_counts_every_addend() -> None:
    found = trace(TABLE, vector(words=9, results=6, audit=1, proof=1))
    assert {d.name: (d.value, d.points6400) for d in found.dimensions} == {
        "proof": (50, 128_000),
        "builtin/length": (0, 0),
        "effort": (100, 128_000),
        "terms": (0, 0),
    }
    assert found.adds == (("builtin/hard-work", 224_000),)
    assert found.offset6400 + sum(d.points6400 for d in found.dimensions) + 224_000 == 467_200
    assert found.score == 73


# -- answers, chains of rules, preferences --------------------------------------------------


def test_the_first_matching_answer_ends_it_before_tier_and_score() -> None:
    assert evaluate(FULL, vector(words=1)) == (RESPOND, -1, 8, -1, 0, -1, -1)
    assert evaluate(FULL, vector(words=2)) == (RESPOND, -1, 9, -1, 0, -1, -1)
    assert evaluate(FULL, vector(words=3))[0] == ROUTE


def test_a_deny_comes_before_an_answer_wherever_it_is_written() -> None:
    table = with_rules(
        rule(0, "answer", ALWAYS, "x", respond=Respond(text="a")),
        rule(1, "deny", ALWAYS, "x", deny=Deny(status=403, message="b")),
    )
    assert evaluate(table, vector()) == (DENY, -1, 1, -1, 0, -1, -1)


def test_an_answer_holds_for_pins_too() -> None:
    assert evaluate(FULL, vector(words=1, model=2))[:3] == (RESPOND, -1, 8)
    assert evaluate(FULL, vector(words=1, model=3))[:3] == (RESPOND, -1, 8)


def test_the_first_matching_chain_takes_the_place_of_the_tiers() -> None:
    # Tier and rule are still those of steps 4 and 5.
    both = evaluate(FULL, vector(words=9, tools=41))
    assert both[:5] == (ROUTE, 1, 6, 5, SMALL | MID | BIG)
    assert evaluate(FULL, vector(words=9, tools=31))[:5] == (ROUTE, 1, 6, 6, SMALL)
    assert evaluate(FULL, vector(words=9, tools=30))[:4] == (ROUTE, 1, 6, 1)


def test_a_pin_comes_before_the_chain_of_a_rule() -> None:
    assert evaluate(FULL, vector(words=9, tools=31, model=2))[:4] == (ROUTE, 2, PIN, 2)
    assert evaluate(FULL, vector(words=9, tools=41, model=3))[:5] == (ROUTE, -1, PIN, 4, SMALL)
    assert evaluate(FULL, vector(words=9, tools=31, model=4, data=2))[:4] == (ROUTE, 3, PIN, 3)


def chained(*, otherwise: Otherwise = Otherwise.ESCALATE, **effects: object):
    """The chain of the small target alone, which sees no pictures, in the tier MEDIUM."""
    return replace(
        FULL,
        otherwise=otherwise,
        rules=(
            rule(0, "chained", ALWAYS, "x", tier=TierId(1), chain=ChainId(6)),
            rule(1, "more", ALWAYS, "x", **effects),
        ),
    )


def test_after_the_chain_of_a_rule_come_the_higher_tiers_then_the_lower_ones() -> None:
    everything = chained(add64=64)
    assert evaluate(everything, vector(images=1))[1:5] == (1, 0, 2, MID | BIG)
    found = trace(everything, vector(images=1))
    assert [one.chain for one in found.chains] == ["rule:tool-shed", "COMPLEX"]
    no_big = chained(require=keeps(ALWAYS, ALWAYS, NEVER), require_source="target != big")
    assert evaluate(no_big, vector(images=1))[3:5] == (2, MID)
    # Only the chain of MEDIUM, the request's own tier, has a target left: it is not tried.
    chains = list(no_big.chains)
    chains[0] = chains[2] = chains[3]
    chains = [replace(one, id=ChainId(i), name=f"c{i}") for i, one in enumerate(chains)]
    own_alone = replace(no_big, chains=tuple(chains))
    assert evaluate(own_alone, vector(images=1))[:5] == (REFUSE, 1, 0, -1, 0)
    assert [one.chain for one in trace(own_alone, vector(images=1)).chains] == [
        "c6", "c2", "c3", "c0",
    ]  # fmt: skip


def test_escalation_after_the_chain_of_a_rule_stays_below_the_ceiling() -> None:
    low = chained(ceiling=TierId(1))
    assert evaluate(low, vector(images=1))[1:5] == (1, 0, 0, MID | BIG)
    lowest = chained(ceiling=TierId(0))
    assert evaluate(lowest, vector(images=1))[:5] == (REFUSE, 0, 0, -1, 0)
    # The chain itself has no tier, so a ceiling does not bar it.
    assert evaluate(lowest, vector())[:5] == (ROUTE, 0, 0, 6, SMALL)


def test_without_escalation_an_empty_chain_of_a_rule_is_the_end() -> None:
    denied = chained(otherwise=Otherwise.DENY, add64=64)
    assert evaluate(denied, vector(images=1))[:5] == (DENY, 1, 0, -1, 0)
    assert evaluate(denied, vector(tokens=10**6))[:5] == (REFUSE, 1, 0, -1, 0)
    refused = chained(otherwise=Otherwise.NONE, add64=64)
    assert evaluate(refused, vector(images=1))[:5] == (REFUSE, 1, 0, -1, 0)


def test_the_first_matching_preference_is_reported_and_drops_nothing() -> None:
    plain = evaluate(FULL, vector(words=9))
    assert plain[3:5] == (0, SMALL | MID | BIG) and plain[6] == -1
    spare = evaluate(FULL, vector(words=9, greets=1, audit=1))
    assert spare[3:5] == (1, MID | BIG) and spare[6] == 12
    assert evaluate(FULL, vector(words=9, audit=1))[6] == 14
    assert trace(FULL, vector(words=9, audit=1)).prefer == "audit-big"


def test_a_preference_holds_for_a_pinned_tier_and_for_escalation_and_no_pinned_target() -> None:
    assert evaluate(FULL, vector(words=9, stream=1, model=2))[6] == 13
    assert evaluate(FULL, vector(words=9, stream=1, model=3))[6] == -1
    escalated = chained(prefer=Prefer(pick=None, target=BIG_TARGET))
    assert evaluate(escalated, vector(images=1))[3:] == (2, MID | BIG, 0, 1)


def test_only_a_routed_request_has_a_preference() -> None:
    prefers = rule(1, "p", ALWAYS, "x", prefer=Prefer(pick=Pick.FASTEST, target=None))
    no = rule(0, "no", ALWAYS, "x", require=keeps(NEVER, NEVER, NEVER), require_source="never")
    for otherwise, outcome in ((Otherwise.DENY, DENY), (Otherwise.NONE, REFUSE)):
        refused = evaluate(with_rules(no, prefers, otherwise=otherwise), vector())
        assert (refused[0], refused[6]) == (outcome, -1)
    deny = rule(0, "no", ALWAYS, "x", deny=Deny(status=403, message="b"))
    assert evaluate(with_rules(deny, prefers), vector())[6] == -1


def test_a_trace_names_the_rule_that_chose_the_chain() -> None:
    assert trace(FULL, vector(words=9, tools=31)).chain_rule == "tool-shed"
    assert trace(FULL, vector(words=9, tools=31, model=2)).chain_rule is None
    assert trace(FULL, vector(words=1, tools=31)).chain_rule is None
    assert trace(FULL, vector(words=1)).outcome == "respond"
