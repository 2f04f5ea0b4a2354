"""What a reviewer sees of changed keys, limits, budgets and other settings."""

from html import unescape

import pytest

from lynkrc.diff.plan import Category, Plan
from lynkrc.diff.report_json import render_json
from lynkrc.diff.report_markdown import render_markdown
from lynkrc.diff.report_text import render_plan
from tests.unit.diff_sample import edited, plan_of

OLD = """\
keys:
  ci: {secret: "${CI_KEY}", team: build, tiers: [LOW]}
  law: {secret: "${LAW_KEY}", team: legal}
limits:
  - {name: fair, requests: 100}
budgets:
  - {name: legal-month, usd: 500, per: team, only: [legal]}
state: {store: sqlite, path: state.db}
sessions: {ttl: 1h}
rules:
"""


def told(*edits: tuple[str, str]) -> list[tuple[str, str | None, str | None, str]]:
    return [
        (one.item.title, one.item.before, one.item.after, one.category.value)
        for one in plan(*edits).changes
    ]


def plan(*edits: tuple[str, str]) -> Plan:
    return plan_of(edited(("rules:\n", edited(*edits, spec=OLD))), old=edited(("rules:\n", OLD)))


CASES = {
    "more to spend": (
        ("usd: 500", "usd: 5000"),
        ("budget legal-month", "USD 500 a month", "USD 5000 a month", "cost"),
    ),
    "less to spend": (
        ("usd: 500", "usd: 500, period: week, hard: true"),
        ("budget legal-month", "soft", "hard", "outcome"),
    ),
    "the same amount sooner again": (
        ("usd: 500", "usd: 500, period: week"),
        ("budget legal-month", "USD 500 a month", "USD 500 a week", "cost"),
    ),
    "no budget": (
        ("  - {name: legal-month", "  - {name: law-month"),
        (
            "budget legal-month",
            "USD 500 a month; a team: legal; on every target; soft; no alerts",
            None,
            "cost",
        ),
    ),
    "all tiers": (
        (", tiers: [LOW]", ""),
        ("key ci", "tiers LOW", "tiers all", "outcome"),
    ),
    "a faster rate": (
        ("requests: 100", "requests: 100, within: 30s"),
        ("limit fair", "100 requests in 1m", "100 requests in 30s", "cost"),
    ),
    "a lower rate": (
        ("requests: 100", "requests: 99"),
        ("limit fair", "100 requests in 1m", "99 requests in 1m", "outcome"),
    ),
    "tokens too": (
        ("requests: 100", "requests: 100, tokens: 2M"),
        ("limit fair", "any number of tokens", "2000000 tokens in 1m", "outcome"),
    ),
    "another store": (
        ("path: state.db", "path: other.db"),
        ("setting state.path", "state.db", "other.db", "outcome"),
    ),
    "a longer session": (
        ("ttl: 1h", "ttl: 6h"),
        ("setting sessions.ttl", "1h", "6h", "outcome"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_changed_and_from_what_to_what(case: str) -> None:
    edit, wanted = CASES[case]
    assert wanted in told(edit)


def test_without_keys_everybody_is_served() -> None:
    keys = OLD[: OLD.index("limits:")]
    budget = ("per: team, only: [legal]", "per: everyone")
    found = told((keys, ""), budget)
    assert ("keys", "everybody", "nobody", "outcome") in found
    assert [one[0] for one in found].count("key ci") == 1


def test_the_order_of_entries_says_nothing() -> None:
    limit = "  - {name: fair, requests: 100}\n"
    other = "  - {name: burst, requests: 9, within: 1s}\n"
    two = plan_of(
        edited(("rules:\n", edited((limit, other + limit), spec=OLD))),
        old=edited(("rules:\n", edited((limit, limit + other), spec=OLD))),
    )
    assert two.changes == ()


def test_another_digest_is_seen() -> None:
    digests = ["0" * 63 + end for end in "12"]
    secret = 'secret: "${CI_KEY}"'
    two = plan_of(
        edited(("rules:\n", edited((secret, f"sha256: '{digests[1]}'"), spec=OLD))),
        old=edited(("rules:\n", edited((secret, f"sha256: '{digests[0]}'"), spec=OLD))),
    )
    (found,) = two.changes
    assert found.item.title == "key ci"
    assert found.category is Category.OUTCOME
    assert (found.item.before, found.item.after) == (
        "known by sha256 00000000...",
        "known by sha256 00000000... (another)",
    )


def test_every_form_of_the_plan_tells_it() -> None:
    changed = plan(("usd: 500", "usd: 5000"))
    for text in (render_plan(changed, colour=False), render_markdown(changed)):
        assert "budget legal-month" in text
        assert "USD 500 a month => USD 5000 a month" in unescape(" ".join(text.split()))
    assert '"USD 5000 a month"' in render_json(changed)
