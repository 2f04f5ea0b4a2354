"""Traces of random tables: points add up exactly, tiers and effects are those of the verdict."""

from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from lynkrc.interp.evaluate import evaluate, holds, score
from lynkrc.interp.trace import as_json, trace
from lynkrc.ir.atoms import atoms_of
from lynkrc.ir.table import RouteTable
from lynkrc.passes import run_passes
from tests.property.effort import tried
from tests.property.random_tables import tables, vectors

moderate = tried(25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
several_vectors = st.lists(vectors, min_size=2, max_size=8)


@moderate
@given(tables(), several_vectors)
def test_a_trace_agrees_with_itself_and_with_the_verdict(
    table: RouteTable, found: list[list[int]]
) -> None:
    for vector in found:
        told = as_json(trace(table, vector))
        assert told["verdict"] == list(evaluate(table, vector))
        points_add_up(told["points"], score(table, vector))
        steps_lead_to_the_tier(told)
        what_took_is_what_the_verdict_shows(told)
    atoms_decide_their_guards(run_passes(table), found)


def points_add_up(points: dict[str, Any], expected: int) -> None:
    rows = points["dimensions"] + points["adds"]
    assert points["offset"] + sum(row["points"] for row in rows) == points["sum"]
    assert all(row["factor"] * row["value"] == row["points"] for row in points["dimensions"])
    assert (points["sum"] + 3200) // 6400 == points["rounded"]
    assert min(100, max(0, points["rounded"])) == expected


def steps_lead_to_the_tier(told: dict[str, Any]) -> None:
    tiers = told["tiers"]
    if tiers is None:
        assert told["score"] is None or told["rule"] == "pin"
        return
    last = tiers["lowered"] or tiers["raised"] or {"tier": tiers["chosen"], "rule": "score"}
    assert told["tier"] == last["tier"]
    by_rule = tiers["chosen_by"] != "score"
    assert told["rule"] == (tiers["chosen_by"] if by_rule else last["rule"])


def what_took_is_what_the_verdict_shows(told: dict[str, Any]) -> None:
    took = {
        (rule["name"], effect["effect"].split()[0])
        for rule in told["rules"]
        for effect in rule["effects"]
        if effect["took"]
    }

    def those(kind: str) -> set[str]:
        return {name for name, effect in took if effect == kind}

    assert {name for name, _ in took} <= {r["name"] for r in told["rules"] if r["matched"]}
    reasons = {
        reason
        for chain in told["chains"]
        for target in chain["targets"]
        for reason in target["dropped_by"]
    }
    assert {f"rule {name}" for name in those("require")} == {
        reason for reason in reasons if reason.startswith("rule ")
    }
    assert those("prefer") == ({told["prefer"]} if told["prefer"] else set())
    adding = {row["rule"] for row in told["points"]["adds"]}
    assert those("add") == (set() if told["score"] is None else adding)


def atoms_decide_their_guards(table: RouteTable, found: list[list[int]]) -> None:
    """Two requests with the same truths of a rule's atoms are alike to the rule."""
    for rule in table.rules:
        seen: dict[tuple[bool, ...], bool] = {}
        for vector in found:
            truths = tuple(holds(atom, vector) for atom in atoms_of(rule.guard))
            assert seen.setdefault(truths, holds(rule.guard, vector)) is holds(rule.guard, vector)
