"""Variants of a spec against it: the category, the words and the witness of each difference."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lynkrc.cli.comparands import compile_path
from lynkrc.cli.joined import joint_walker
from lynkrc.diff.classify import classify
from lynkrc.diff.compare import compare
from lynkrc.diff.identity import pair_of
from lynkrc.diff.plan import Category, Plan, Region, Relation, What, fails
from lynkrc.interp.evaluate import evaluate
from lynkrc.ir.digest import meaning_digest
from lynkrc.ir.domain import Part, domain_of
from lynkrc.testing.replay import Replay
from tests.unit.diff_sample import SPEC, compiled, edited, plan_of

QUICKSTART = Path(__file__).parents[2] / "examples/quickstart/routing.yaml"
LOW_CHAIN = ("chain: [small, mid]", "chain: [small]")


def regions(plan: Plan, category: Category) -> list[Region]:
    return [region for region in plan.regions if region.category is category]


def test_a_spec_has_the_meaning_of_itself() -> None:
    plan = plan_of(SPEC)
    assert plan.same_meaning and plan.complete
    assert plan.relation is Relation.EQUIVALENT
    assert (plan.regions, plan.changes, plan.items) == ((), (), ())
    assert not fails(plan, None) and not fails(plan, ["privacy"])


SAME = {
    "order without effect": edited(
        (
            '  - {name: urgent, when: \'header("x-urgent") == "yes"\', floor: HIGH}\n',
            "",
        ),
        (
            "require: target.trust == local}\n",
            "require: target.trust == local}\n"
            '  - {name: urgent, when: \'header("x-urgent") == "yes"\', floor: HIGH}\n',
        ),
    ),
    "a comment": SPEC + "# nothing\n",
    "a capability that nothing asks for": edited(
        (
            "{input: 3, output: 15}, capabilities: [tools]",
            "{input: 3, output: 15}, capabilities: [tools, parallel_tools]",
        )
    ),
    "another name of a rule": edited(("name: urgent", "name: at-once")),
    "another name of a lexicon": edited(("secrets", "words_of_pay")),
    "another name of the spec": edited(("name: shop", "name: store")),
    "a condition written otherwise": edited(
        ('header("x-team") == "legal"', 'not (header("x-team") != "legal")')
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_what_changes_no_meaning_is_the_same_meaning(case: str) -> None:
    plan = plan_of(SAME[case])
    assert plan.same_meaning, (plan.regions, plan.unknown, plan.changes)
    assert plan.relation is Relation.EQUIVALENT


def test_a_renamed_rule_is_told() -> None:
    (item,) = plan_of(SAME["another name of a rule"]).items
    assert (item.kind, item.change, item.before, item.after) == (
        "rule",
        "renamed",
        "urgent",
        "at-once",
    )


def test_a_less_trusted_target_is_a_matter_of_privacy() -> None:
    plan = plan_of(edited(("chain: [mid, small]", "chain: [mid, small, large]")))
    assert plan.worst is Category.PRIVACY
    found = regions(plan, Category.PRIVACY)
    (region,) = [one for one in found if one.before.chain == "mid -> small"]
    assert (region.before.trust, region.after.trust) == ("internal", "cloud")
    assert region.gains and not region.loses
    assert [item.title for item in region.items] == ["tier HIGH"]


def test_a_looser_requirement_is_a_matter_of_privacy() -> None:
    plan = plan_of(edited(("target.trust == local", "target.trust <= internal")))
    found = regions(plan, Category.PRIVACY)
    assert all(("matches(ask, secrets)", "true") in one.witness.features for one in found)
    (region, *_) = found
    assert len(region.witness.features) == 1
    assert [item.title for item in region.items] == ["rule private"]
    assert (region.before.chain, region.after.chain) == ("small", "small -> mid")


def test_another_bound_of_a_tier_is_a_matter_of_the_outcome() -> None:
    plan = plan_of(edited(("up_to: 50", "up_to: 40")))
    (region, *_) = regions(plan, Category.OUTCOME)
    assert (region.before.tier, region.after.tier) == ("LOW", "HIGH")
    # The plainest request that moves: ramp(9, 0, 20) is 45, the fewest words beyond 40.
    assert region.witness.features == (("ask.words", "9"),)


def test_a_new_answer_is_a_matter_of_the_outcome() -> None:
    plan = plan_of(edited(("not here", "not there")))
    (region, *_) = regions(plan, Category.OUTCOME)
    assert (region.before.answer, region.after.answer) == ("403 not here", "403 not there")
    assert region.witness.features == (('header("x-team")', '"legal"'),)


def test_a_shorter_chain_is_narrower_and_a_matter_of_the_chain() -> None:
    plan = plan_of(edited(LOW_CHAIN))
    assert plan.worst is Category.CHAIN
    assert all(region.loses and not region.gains for region in plan.regions)
    assert plan.relation is Relation.NARROWER and plan.complete
    assert not fails(plan, ["privacy"]) and fails(plan, ["chain"])


def test_a_longer_chain_of_the_same_trust_costs_more() -> None:
    plan = plan_of(SPEC, old=edited(("chain: [mid, small]", "chain: [mid]")))
    # `small` is free: another attempt that costs nothing.
    asked = [region for region in plan.regions if region.before.chain == "mid"]
    assert {region.category for region in asked} == {Category.CHAIN}
    plan = plan_of(
        edited(("price: free", "price: {input: 5, output: 5}")),
        old=edited(
            ("price: free", "price: {input: 5, output: 5}"),
            ("chain: [mid, small]", "chain: [mid]"),
        ),
    )
    asked = [region for region in plan.regions if region.before.chain == "mid"]
    assert {region.category for region in asked} == {Category.COST}


def test_every_witness_shows_its_difference() -> None:
    old, new = edited(("up_to: 50", "up_to: 40")), edited(LOW_CHAIN)
    (before, _), (after, _) = compiled(old), compiled(new)
    plan = plan_of(new, old=old)
    domain = domain_of(
        Part(slots=before.slots, lexicons=before.lexicons),
        Part(slots=after.slots, lexicons=after.lexicons),
    )
    assert plan.regions
    for region in plan.regions:
        vectors = [view.vector(region.witness.point) for view in domain.views]
        verdicts = evaluate(before, vectors[0]), evaluate(after, vectors[1])
        assert verdicts[0] != verdicts[1]
        assert before.tiers[verdicts[0][1]].name == region.before.tier


def test_a_tier_called_otherwise_moves_only_those_who_name_it() -> None:
    plan = plan_of(edited(("name: HIGH", "name: TOP"), ("floor: HIGH", "floor: TOP")))
    moved = [region for region in plan.regions if region.category is not Category.COSMETIC]
    assert moved
    for region in moved:
        assert any(name == "model" for name, _ in region.witness.features), region


CHANGES = {
    "a target that thinks": (
        (
            "{input: 3, output: 15}, capabilities: [tools]",
            "{input: 3, output: 15}, capabilities: [tools, thinking]",
        ),
        Category.OUTCOME,
    ),
    "price up": (("{input: 3, output: 15}", "{input: 3, output: 16}"), Category.COST),
    "price down": (("{input: 3, output: 15}", "{input: 3, output: 14}"), Category.CHAIN),
    "another model": (("model: huge", "model: giant"), Category.OUTCOME),
    "more retries": (
        (
            "far: {kind: simulator, trust: cloud}",
            "far: {kind: simulator, trust: cloud, retry: {times: 5}}",
        ),
        Category.COST,
    ),
    "relabelled trust": (
        ("office: {kind: simulator, trust: internal}", "office: {kind: simulator, trust: local}"),
        Category.PRIVACY,
    ),
    "settings": (
        ("rules:", "server: {body_limit: 1MiB}\nrules:"),
        Category.OUTCOME,
    ),
    "an assertion": (
        ("rules:", "assert:\n  - {reachable: tier == LOW}\nrules:"),
        Category.COSMETIC,
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_surrounds_the_decision_is_told_with_its_category(case: str) -> None:
    edit, category = CHANGES[case]
    plan = plan_of(edited(edit))
    assert category in {change.category for change in plan.changes}, plan.changes
    assert plan.worst is category
    assert fails(plan, None) is (category is not Category.COSMETIC)


def test_a_target_that_lies_elsewhere_takes_its_attempts_along() -> None:
    plan = plan_of(edited(("model: tiny", "model: teeny")))
    assert plan.complete and plan.relation is Relation.INCOMPARABLE


def test_embeddings_at_a_less_trusted_target_are_a_matter_of_privacy() -> None:
    plans = [
        edited(("rules:", f"embeddings: {{text-small: {{target: {who}}}}}\nrules:"))
        for who in ("small", "large")
    ]
    (change,) = plan_of(plans[1], old=plans[0]).changes
    assert (change.category, change.item.before) == (Category.PRIVACY, "small")
    (change,) = plan_of(plans[0], old=plans[1]).changes
    assert (change.category, change.item.after) == (Category.OUTCOME, "small")
    assert plan_of(plans[0]).relation is Relation.WIDER
    assert plan_of(SPEC, old=plans[0]).relation is Relation.NARROWER


def test_attempts_are_compared_exactly() -> None:
    relations = {
        "chain: [small, mid, large]": Relation.WIDER,
        "chain: [small]": Relation.NARROWER,
        "chain: [large, mid]": Relation.INCOMPARABLE,
    }
    for chain, relation in relations.items():
        assert plan_of(edited((LOW_CHAIN[0], chain))).relation is relation
    # Another order of the same attempts.
    plan = plan_of(edited((LOW_CHAIN[0], "chain: [mid, small]")))
    assert plan.relation is Relation.EQUIVALENT and plan.worst is Category.OUTCOME


def test_the_dearest_request_is_one_that_there_is() -> None:
    plan = plan_of(edited(("chain: [large]", "chain: [large, mid]")))
    # What fills the window of `large`, three calls of it, does not fit `mid`: not all are billed.
    assert plan.cost_before == plan.cost_after == 3 * (32_000 * 3 + 4_000 * 15)


def test_a_moved_target_is_told_once() -> None:
    plan = plan_of(edited(("model: middling", "model: better")))
    (group,) = [one for one in plan.groups if one.leader.category is Category.OUTCOME]
    assert group.leader.what is What.ADDRESS
    assert [item.title for item in group.leader.items] == ["target mid", "target mid.model"]
    assert "mid" in group.leader.before.targets and plan.count(Category.OUTCOME) == 1


def test_other_client_profiles_are_never_the_same_meaning() -> None:
    old, spec = compiled(SPEC)
    with_clients = compile_path(QUICKSTART).table
    assert with_clients is not None and with_clients.clients != old.clients
    new = replace(old, clients=with_clients.clients)
    other = replace(spec, digest=meaning_digest(new))
    plan = compare(old, new, specs=(spec, other))
    assert not plan.same_meaning and not plan.complete
    assert plan.relation is None, "one request may be two points"
    assert plan.worst is Category.OUTCOME and fails(plan, ["privacy"])
    assert "client profiles" in " ".join(plan.unknown)


@pytest.mark.parametrize(
    "edit",
    [
        ("up_to: 50", "up_to: 40"),
        ("secrets: [salary, password]", "secrets: [salary, password, bonus]"),
        ("target.trust == local", "target.trust <= internal"),
        ('== "legal"', '== "law"'),
    ],
)
def test_a_difference_comes_with_a_request_that_shows_it(edit: tuple[str, str]) -> None:
    (old, was), (new, now) = compiled(SPEC, "old.yaml"), compiled(edited(edit), "new.yaml")
    walker = joint_walker(old, new)
    assert walker is not None
    plan = compare(old, new, specs=(was, now), walker=walker)
    assert plan.groups
    pair, domain = (
        pair_of(old, new),
        domain_of(*(Part(slots=one.slots, lexicons=one.lexicons) for one in (old, new))),
    )
    for group in plan.groups:
        region = group.leader
        request = region.witness.request
        assert request is not None, region.witness.missed
        # What the new spec reads of the bytes that are sent is the witness.
        facts = dict(request.headers)
        values, _ = Replay(new, domain, walker).values(
            request.surface, facts, json.loads(request.body)
        )
        assert tuple(values) == region.witness.point
        shown = classify(pair, *(view.vector(region.witness.point) for view in domain.views))
        assert shown is not None
        assert (shown.category, shown.before, shown.after) == (
            region.category,
            region.before,
            region.after,
        )
        assert request.curl.startswith("curl -sS http://localhost:8081/v1/")
        assert f'outcome: "{region.after.outcome}"' in request.test


def test_a_comparison_says_how_far_it_is_with_every_difference() -> None:
    (old, was), (new, now) = compiled(SPEC), compiled(edited(("up_to: 50", "up_to: 40")))
    said: list[str] = []
    plan = compare(old, new, specs=(was, now), progress=said.append)
    made = [line for line in said if line.endswith("made plain")]
    count = len(plan.regions)
    assert count and made == [
        f"differences: {number} of {count} made plain" for number in range(count)
    ]
