"""Traces of random tables: points add up exactly, tiers and effects are those of the verdict."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lynkrc.interp.evaluate import evaluate, holds, score
from lynkrc.interp.trace import as_json, trace
from lynkrc.ir.atoms import atoms_of
from lynkrc.ir.table import RouteTable
from lynkrc.passes import run_passes
from tests.property.random_tables import tables, vectors

moderate = settings(
    derandomize=True,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
several_vectors = st.lists(vectors, min_size=2, max_size=8)


def traced(table: RouteTable, vector: list[int]) -> dict[str, Any]:
    return as_json(trace(table, vector))


@moderate
@given(tables(), several_vectors)
def test_points_add_up_to_the_score(table: RouteTable, found: list[list[int]]) -> None:
    for vector in found:
        points = traced(table, vector)["points"]
        rows = points["dimensions"] + points["adds"]
        assert points["offset"] + sum(row["points"] for row in rows) == points["sum"]
        assert all(row["factor"] * row["value"] == row["points"] for row in points["dimensions"])
        assert (points["sum"] + 3200) // 6400 == points["rounded"]
        assert min(100, max(0, points["rounded"])) == score(table, vector)


@moderate
@given(tables(), several_vectors)
def test_the_steps_lead_to_the_tier(table: RouteTable, found: list[list[int]]) -> None:
    for vector in found:
        told = traced(table, vector)
        tiers = told["tiers"]
        if tiers is None:
            assert told["score"] is None or told["rule"] == "pin"
            continue
        last = tiers["lowered"] or tiers["raised"] or {"tier": tiers["chosen"]}
        assert told["tier"] == last["tier"]
        if tiers["chosen_by"] != "score":
            assert told["rule"] == tiers["chosen_by"]
        elif told["outcome"] == "route":
            assert told["rule"] == last.get("rule", "score")


@moderate
@given(tables(), several_vectors)
def test_what_took_is_what_the_verdict_shows(table: RouteTable, found: list[list[int]]) -> None:
    for vector in found:
        told = traced(table, vector)
        took = {
            (rule["name"], effect["effect"].split()[0])
            for rule in told["rules"]
            for effect in rule["effects"]
            if effect["took"]
        }
        matched = {rule["name"] for rule in told["rules"] if rule["matched"]}
        assert {name for name, _ in took} <= matched
        dropping = {
            reason.removeprefix("rule ")
            for chain in told["chains"]
            for target in chain["targets"]
            for reason in target["dropped_by"]
            if reason.startswith("rule ")
        }
        assert {name for name, kind in took if kind == "require"} == dropping
        preferring = {name for name, kind in took if kind == "prefer"}
        assert preferring == ({told["prefer"]} if told["prefer"] else set())
        adding = (
            {row["rule"] for row in told["points"]["adds"]} if told["score"] is not None else set()
        )
        assert {name for name, kind in took if kind == "add"} == adding


@moderate
@given(tables(), several_vectors)
def test_atoms_decide_their_guard(table: RouteTable, found: list[list[int]]) -> None:
    """Two requests with the same truths of a rule's atoms are alike to the rule."""
    table = run_passes(table)
    for rule in table.rules:
        seen: dict[tuple[bool, ...], bool] = {}
        for vector in found:
            truths = tuple(holds(atom, vector) for atom in atoms_of(rule.guard))
            assert seen.setdefault(truths, holds(rule.guard, vector)) is holds(rule.guard, vector)


@moderate
@given(tables(), several_vectors)
def test_a_trace_tells_the_verdict(table: RouteTable, found: list[list[int]]) -> None:
    for vector in found:
        assert traced(table, vector)["verdict"] == list(evaluate(table, vector))
