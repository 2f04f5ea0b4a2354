"""The oracle that keeps the prover honest: on a spec read by eye, and on what small specs hold."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings

from lynkrc.ir.assertion import Assertion, Assertions, Kind
from lynkrc.ir.guard import ALWAYS, NEVER, And, Guard, SlotId
from lynkrc.ir.table import ChainId, Deny, Otherwise, Pin, RouteTable, RuleId, Tier, TierId
from lynkrc.ir.verify import verify
from tests.property import oracle
from tests.property.effort import tried
from tests.property.small_specs import PROVIDERS, SmallSpec, beside, small_specs, small_tables
from tests.unit.sample_table import (
    SPAN,
    TABLE,
    bool_slot,
    chain,
    class_slot,
    compare,
    flag,
    is_class,
    keeps,
    number_slot,
    rule,
    target,
    tiny_automaton,
)

TURNS, STREAM, DATA = 1, 2, 0


def both(*guards: Guard) -> Guard:
    return And(operands=guards)


RULES = (
    rule(0, "early", compare(TURNS, ">=", 2), "turns >= 2", tier=TierId(1)),
    rule(1, "late", compare(TURNS, ">=", 3), "turns >= 3", tier=TierId(0)),
    rule(2, "no", flag(STREAM), "wants.stream", deny=Deny(status=403, message="no")),
    rule(3, "after-no", both(flag(STREAM), compare(TURNS, "==", 1)), "both", tier=TierId(0)),
    rule(4, "some", compare(TURNS, ">=", 1), "turns >= 1", tier=TierId(1)),
    rule(5, "twice", compare(TURNS, "==", 2), "turns == 2", tier=TierId(0)),
    rule(6, "void", both(compare(TURNS, ">", 2), compare(TURNS, "<", 1)), "", tier=TierId(0)),
    rule(7, "up", is_class(DATA, 2), "secret", floor=TierId(1)),
    rule(8, "down", compare(TURNS, "==", 1), "turns == 1", ceiling=TierId(0)),
    rule(9, "home", is_class(DATA, 2), "secret", require=keeps(ALWAYS, NEVER), require_source="."),
)  # fmt: skip

BY_HAND = replace(
    TABLE,
    slots=(
        class_slot(0, "header", "secret", args=("x-data-class",)),
        number_slot(1, "turns", 3),
        bool_slot(2, "wants.stream"),
    ),
    lexicons=(),
    automaton=tiny_automaton(0),
    clients=(),
    providers=PROVIDERS,
    targets=(
        replace(target(0, "t0", "home", "local", 1), price=("0", "0", "0", "0")),
        replace(target(1, "t1", "far", "cloud", 2), price=("1", "2", "0", "0"), max_output=5),
    ),
    chains=(chain(0, "T0", 0, 1), chain(1, "T1", 1)),
    tiers=tuple(
        Tier(id=TierId(i), name=f"T{i}", up_to=bound, chain=TABLE.tiers[i].chain, span=SPAN)
        for i, bound in enumerate([50, None])
    ),
    pins=(),
    needs=(),
    definitions=(),
    rules=RULES,
    dimensions=(),
    offset64=0,
    otherwise=Otherwise.DENY,
)
TOLD = oracle.world(BY_HAND)


def test_every_point_is_tried() -> None:
    assert verify(BY_HAND) == []
    assert len(TOLD.points) == 3 * 4 * 2
    quiet = oracle.world(BY_HAND, occurs=lambda _, point: not point[STREAM])
    assert len(quiet.points) == 3 * 4
    some = oracle.world(BY_HAND, values={TURNS: (0, 3)})
    assert {point[TURNS] for point in some.points} == {0, 3}


def test_rules_that_decide_and_rules_that_do_not() -> None:
    assert oracle.deciding(TOLD) == {(0, "tier"), (2, "deny"), (4, "tier")}
    assert oracle.contradictory(TOLD) == {6}

    def sets(number: int) -> set[frozenset[RuleId]]:
        return oracle.shadows(TOLD, RULES[number], "tier")

    assert sets(1) == {frozenset({0})}
    assert sets(3) == {frozenset({2})}
    assert sets(5) == {frozenset({0}), frozenset({4})}
    assert sets(4) == set()
    assert oracle.shadows(TOLD, RULES[2], "deny") == set()


def test_a_rule_may_be_covered_by_several_together() -> None:
    wide = replace(RULES[1], guard=compare(TURNS, ">=", 1))
    first = replace(RULES[0], guard=compare(TURNS, "==", 1))
    second = replace(RULES[4], id=RuleId(1), guard=compare(TURNS, ">", 1), name="second")
    table = replace(BY_HAND, rules=(first, second, replace(wide, id=RuleId(2))))
    told = oracle.world(table)
    assert oracle.shadows(told, table.rules[2], "tier") == {frozenset({0, 1})}


def test_a_rule_that_only_pinned_requests_match_has_nothing_to_decide() -> None:
    pin = Pin(pattern="p", guard=compare(TURNS, ">=", 2), tier=TierId(1), chain=None)
    told = oracle.world(replace(BY_HAND, pins=(pin,)))
    assert oracle.shadows(told, RULES[0], "tier") == {frozenset()}


def test_constant_atoms_and_crossing_bounds() -> None:
    assert oracle.constant_atoms(TOLD) == []
    only = oracle.world(BY_HAND, values={TURNS: (0, 1)})
    constant = {(BY_HAND.rules[rule_id].name, truth) for rule_id, _, truth in (
        oracle.constant_atoms(only)
    )}  # fmt: skip
    assert constant == {("early", False), ("late", False), ("twice", False), ("void", False),
                        ("void", False)}  # fmt: skip
    assert oracle.crossing(TOLD) == {(7, 8)}


def test_tiers_chains_and_targets() -> None:
    assert oracle.reached_tiers(TOLD) == {0, 1}
    assert oracle.scored_tiers(TOLD) == {0}
    assert oracle.attempted(TOLD) == {(0, 0), (0, 1), (1, 1)}
    assert oracle.reached_targets(TOLD) == {0, 1}
    # A secret first turn comes to T1, whose only target is no longer there.
    empty = oracle.emptied(TOLD)
    assert set(empty) == {1}
    assert (2, 0, 0) in empty[ChainId(1)]
    at_home = replace(BY_HAND, rules=(replace(RULES[9], id=RuleId(0), guard=ALWAYS),))
    assert oracle.attempted(oracle.world(at_home)) == {(0, 0)}


def test_effects_that_change_nothing() -> None:
    assert oracle.idle_effects(TOLD) == set()
    twice = replace(BY_HAND, rules=(*RULES, replace(RULES[9], id=RuleId(10), name="again")))
    assert oracle.idle_effects(oracle.world(twice)) == {(9, "require"), (10, "require")}


def test_the_dearest_and_the_slowest() -> None:
    # t1: three calls of 2 tokens read and 5 written; its connection takes the default 5 s.
    assert oracle.dearest(TOLD) == 3 * Fraction(2 * 1 + 5 * 2, 10**6)
    assert oracle.slowest(TOLD) == min(10 + 3 * 35 + 2 * 5, 600)
    assert oracle.unpriced(TOLD) == set()


def test_assertions_by_hand() -> None:
    slots = tuple(
        replace(slot, id=SlotId(i)) for i, slot in enumerate((*BY_HAND.slots, *beside(BY_HAND)))
    )
    at = {slot.feature: slot.id for slot in slots}

    def claim(kind: Kind, guard: Guard | None, feature: SlotId | None = None) -> Assertion:
        return Assertion(
            name=None, kind=kind, guard=guard, feature=feature, amount=None, file=None,
            waive=None, source="", span=SPAN,
        )  # fmt: skip

    secret_in_cloud = both(is_class(at["header"], 2), is_class(at["target.trust"], 2))
    items = (
        claim(Kind.NEVER, secret_in_cloud),
        claim(Kind.NEVER, is_class(at["target.trust"], 2)),
        claim(Kind.REACHABLE, both(is_class(at["tier"], 1), flag(at["target.first"]))),
        claim(Kind.MONOTONE, None, at["turns"]),
    )
    told = oracle.world(BY_HAND, Assertions(slots=slots, items=items))
    assert [oracle.verdict(told, one) for one in items] == [True, False, True, True]
    shown = oracle.witnesses(told, items[1])
    assert {targets for targets in shown.values()} == {(1,)}
    assert all(not point[STREAM] and point[DATA] != 2 for point in shown)
    lowered = replace(BY_HAND, rules=(RULES[0], replace(RULES[8], id=RuleId(1),
                      guard=compare(TURNS, "==", 3))))  # fmt: skip
    told = oracle.world(lowered, Assertions(slots=slots, items=items))
    assert oracle.verdict(told, items[3]) is False
    pairs = {(low[TURNS], high[TURNS]) for low, high in oracle.sinking(told, items[3])}
    assert pairs == {(2, 3)}


# -- two tables --------------------------------------------------------------------------------


def test_tables_that_differ_do_so_on_points() -> None:
    other = replace(BY_HAND, rules=(replace(RULES[0], guard=compare(TURNS, ">=", 3)), *RULES[1:]))
    _, points = oracle.differences(BY_HAND, other)
    assert points == []  # `some` gives the same tier.
    other = replace(other, rules=(other.rules[0], *RULES[1:4], *RULES[7:]))
    other = replace(
        other, rules=tuple(replace(one, id=RuleId(i)) for i, one in enumerate(other.rules))
    )
    _, points = oracle.differences(BY_HAND, other)
    assert {point[TURNS] for point in points} == {2}


@tried(30)
@given(small_tables())
def test_a_table_is_equal_to_itself_with_a_rule_that_never_matches(table: RouteTable) -> None:
    void = rule(len(table.rules), "void", NEVER, "never", tier=TierId(0))
    assert oracle.differences(table, replace(table, rules=(*table.rules, void)))[1] == []


# -- what small specs hold ---------------------------------------------------------------------


def seen(spec: SmallSpec) -> set[str]:
    """What there is to be found in a small spec, every part of the oracle asked once."""
    table, told = spec.table, oracle.world(spec.table, spec.assertions)
    void, decides = oracle.contradictory(told), oracle.deciding(told)
    found = {"contradictory"} if void else set()
    for one in table.rules:
        for effect in oracle.FIRST:
            if getattr(one, effect) is None or one.id in void or (one.id, effect) in decides:
                continue
            sets = oracle.shadows(told, one, effect)
            found.add("shadowed" if sets else "shadowed by pins")
            found |= {"shadowed by two"} if any(len(rules) == 2 for rules in sets) else set()
            found |= {"shadowed twice"} if len(sets) > 1 else set()
    places = {(one.id, target_id) for one in table.chains for target_id in one.targets}
    tiers = len(table.tiers)
    asked = {
        "atom": oracle.constant_atoms(told),
        "crossing": oracle.crossing(told),
        "idle effect": oracle.idle_effects(told),
        "idle dimension": oracle.idle_dimensions(told),
        "constant dimension": oracle.constant_dimensions(told),
        "dead place": places - oracle.attempted(told),
        "live places alone": places == oracle.attempted(told),
        "emptied": oracle.emptied(told),
        "unreached tier": len(oracle.reached_tiers(told)) < tiers,
        "unscored tier": len(oracle.scored_tiers(told)) < tiers,
        "unreached target": len(oracle.reached_targets(told)) < len(table.targets),
    }
    found |= {name for name, what in asked.items() if what}
    assert oracle.reached_tiers(told) >= oracle.chosen_tiers(told)
    return found | {
        f"{one.kind.value} {oracle.verdict(told, one)}" for one in spec.assertions.items
    }


def test_small_specs_have_what_is_looked_for() -> None:
    """Counted over more specs than the prover is tried on; every one passes `verify`."""
    count: Counter[str] = Counter()

    # What is counted is what is drawn, so it is always the same.
    @settings(max_examples=300, derandomize=True, deadline=None)
    @given(small_specs())
    def counting(spec: SmallSpec) -> None:
        assert verify(spec.table) == []
        count.update(seen(spec))
        count["specs"] += 1

    counting()
    assert count["specs"] >= 300
    for what in ("contradictory", "shadowed", "atom", "idle effect", "idle dimension", "emptied"):
        assert count[what] > 30, (what, count)
    for what in ("dead place", "live places alone", "unreached tier", "unscored tier"):
        assert count[what] > 20, (what, count)
    for what in ("crossing", "constant dimension", "shadowed by two", "shadowed twice"):
        assert count[what] > 1, (what, count)
    for kind in ("never", "always", "reachable", "max_cost_usd", "max_latency"):
        true, false = count[f"{kind} True"], count[f"{kind} False"]
        assert 0.25 < true / (true + false) < 0.8, (kind, count)
    assert count["monotone False"] > 3, count
    assert count["max_cost_usd None"] > 5, count
