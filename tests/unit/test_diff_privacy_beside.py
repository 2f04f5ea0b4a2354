"""Changes that leave every decision as it is, and yet bring requests to a less trusted class."""

import pytest

from lynkrc.diff.plan import Category, Change, Plan, fails
from tests.unit.diff_sample import SPEC, edited, plan_of

FAR = "far: {kind: simulator, trust: cloud}"
ROOMY = edited(
    (
        "lexicons:",
        "  spare: {provider: office, model: aside, context: 16000, max_output: 2000,\n"
        "    price: free, capabilities: [tools]}\nlexicons:",
    ),
    ("chain: [large]", "chain: [large, spare]"),
)
MOVED = edited(("office, model: middling", "far, model: middling"), spec=ROOMY)
WORDS = edited(("rules:", "clients:\n  desk: {user_agent: [desk/]}\nrules:"))
TAGS = edited(
    ("{user_agent: [desk/]}", "{user_agent: [desk/], injected: {tags: [note]}}"), spec=WORDS
)


def change(plan: Plan, title: str) -> Change:
    (found,) = [one for one in plan.changes if one.item.title == title]
    return found


def test_a_target_at_a_less_trusted_provider_is_a_matter_of_privacy() -> None:
    plan = plan_of(MOVED, old=ROOMY)
    assert change(plan, "target mid.provider").category is Category.PRIVACY
    told = [region for region in plan.regions if region.category is Category.PRIVACY]
    assert told, "and there is a request that shows it"
    assert {(region.before.trust, region.after.trust) for region in told} == {("internal", "cloud")}
    assert fails(plan, ["privacy"])


def test_a_target_at_a_more_trusted_provider_is_not() -> None:
    plan = plan_of(ROOMY, old=MOVED)
    assert change(plan, "target mid.provider").category is Category.OUTCOME
    assert not fails(plan, ["privacy"])


def test_embeddings_follow_a_target_that_moves() -> None:
    declared = "embeddings: {text-small: {target: mid}}\nrules:"
    old, new = (edited(("rules:", declared), spec=spec) for spec in (ROOMY, MOVED))
    assert fails(plan_of(new, old=old), ["privacy"])


def test_another_name_of_a_provider_hides_no_other_trust() -> None:
    renamed = (FAR, FAR.replace("far", "near")), ("provider: far", "provider: near")
    assert not fails(plan_of(edited(*renamed)), ["privacy"])
    plan = plan_of(edited(*renamed, ("trust: cloud", "trust: local")))
    assert change(plan, "target large.trust").category is Category.PRIVACY


@pytest.mark.parametrize(("old", "new"), [(WORDS, TAGS), (TAGS, WORDS), (SPEC, WORDS)])
def test_another_reading_of_requests_may_send_them_anywhere(old: str, new: str) -> None:
    assert fails(plan_of(new, old=old), ["privacy"])


KEY = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"


@pytest.mark.parametrize(
    ("when", "category"),
    [('key.team == "legal"', Category.PRIVACY), ("matches(ask, secrets)", Category.OUTCOME)],
)
def test_a_key_of_another_team_matters_where_rules_ask_for_teams(
    when: str, category: Category
) -> None:
    keyed = f"keys: {{one: {{sha256: {KEY}, team: legal}}}}\nrules:"
    allowed = "allow: {LK601: keys come later}\nrules:"
    old = edited(
        ("matches(ask, secrets)", f"matches(ask, secrets) or {when}"),
        ("rules:", keyed),
        ("rules:", allowed),
    )
    plan = plan_of(old.replace("team: legal", "team: sales"), old=old)
    assert change(plan, "key one").category is category
