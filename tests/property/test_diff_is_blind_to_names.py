"""Edits that change no meaning, alone and together: `diff` says so, whatever was written how."""

import re
from collections.abc import Callable, Mapping

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lynkrc.diff.plan import Category, Plan, Relation, fails
from tests.property.effort import tried
from tests.unit.diff_sample import SPEC, edited, plan_of

FULL = edited(
    ("lexicons:\n", 'features:\n  hurry: header("x-urgent") == "yes"\nlexicons:\n'),
    ('when: \'header("x-urgent") == "yes"\', floor: HIGH', "when: hurry, floor: HIGH"),
)
"""The sample with a feature in it too."""

SHADOWED = '  - {name: late, when: \'header("x-team") == "legal" and ask.words > 3\', '


def renamed(was: str, now: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        assert re.search(rf"\b{was}\b", text), was
        return re.sub(rf"\b{was}\b", now, text)

    return edit


def _turned(text: str) -> str:
    """Two rules that say nothing of each other change places."""
    urgent = re.search(r"  - \{name: (?:urgent|at-once).*\n", text)
    research = re.search(r"  - \{name: (?:research|studies).*\n", text)
    assert urgent is not None and research is not None
    return text.replace(urgent[0] + research[0], research[0] + urgent[0])


def _shadowed(text: str) -> str:
    """A rule is added after the one that covers it."""
    return text + SHADOWED + 'deny: {status: 403, message: "too late"}}\n'


def _commented(text: str) -> str:
    return "# at the head\n" + re.sub(r"(?m)^(tiers:)$", r"\1  # cheapest first", text) + "# end\n"


def _turned_keys(text: str) -> str:
    """The sections in another order, and the keys of every rule."""
    document = yaml.safe_load(text)
    document["rules"] = [dict(reversed(rule.items())) for rule in document["rules"]]
    return yaml.safe_dump(dict(reversed(document.items())), sort_keys=False)


EDITS: Mapping[str, Callable[[str], str]] = {
    "rule": renamed("name: urgent", "name: at-once"),
    "another rule": renamed("name: research", "name: studies"),
    "lexicon": renamed("secrets", "words_of_pay"),
    "feature": renamed("hurry", "in_haste"),
    "dimension": renamed("size", "length"),
    "order": _turned,
    "shadowed": _shadowed,
    "comments": _commented,
    "keys": _turned_keys,
}
LAST = ("shadowed", "comments", "keys")
"""These are made after the others, in this order: they change what the others look for."""


def assert_same(plan: Plan) -> None:
    assert plan.same_meaning, (plan.regions, plan.changes, plan.unknown)
    assert plan.relation is Relation.EQUIVALENT
    assert set(plan.categories) <= {Category.COSMETIC}
    assert plan.cost_before == plan.cost_after
    assert not fails(plan, None)


@pytest.mark.parametrize("name", EDITS)
def test_one_edit_changes_no_meaning(name: str) -> None:
    text = EDITS[name](FULL)
    assert text != FULL
    assert_same(plan_of(text, old=FULL))
    assert_same(plan_of(FULL, old=text))


@tried(8)
@given(st.sets(st.sampled_from(tuple(EDITS)), min_size=2))
def test_edits_together_change_no_meaning(names: set[str]) -> None:
    text = FULL
    for name in sorted(names, key=lambda one: (one in LAST, tuple(EDITS).index(one))):
        text = EDITS[name](text)
    assert_same(plan_of(text, old=FULL))


def test_they_hide_no_difference() -> None:
    """The same edits beside a true one: exactly that is told."""
    text = FULL
    for name, edit in EDITS.items():
        if name != "keys":
            text = edit(text)
    plan = plan_of(text.replace("target.trust == local", "target.trust <= internal"), old=FULL)
    assert plan.worst is Category.PRIVACY
    alone = plan_of(FULL.replace("target.trust == local", "target.trust <= internal"), old=FULL)
    assert [(one.category, one.what) for one in plan.regions] == [
        (one.category, one.what) for one in alone.regions
    ]


def test_the_sample_is_as_it_was() -> None:
    assert_same(plan_of(FULL, old=SPEC))
