"""What reports of any plan hold to: width, escaping, bounds, the schema."""

import json
import re
from dataclasses import replace

import jsonschema
import pytest

from lynkrc.diff.plan import Category, Plan, Relation, What, fails
from lynkrc.diff.report_json import render_json
from lynkrc.diff.report_markdown import LIMIT, render_markdown
from lynkrc.diff.report_text import WIDTH, render_plan
from lynkrc.source.resources import read_schema
from tests.unit.diff_sample import SPEC, edited, plan_of
from tests.unit.sample_plan import PLAN, PLANS, REGIONS, RULE, SAME, UNPROVED

HOSTILE = "\x1b[31m</code></details><script>alert(1)</script> | ``` @everyone\n# head\r"


def hostile() -> Plan:
    """Names of everything are an attack on the report."""
    side = replace(REGIONS[0].before, chain=HOSTILE, rule=HOSTILE, tier=HOSTILE)
    region = replace(
        REGIONS[0],
        before=side,
        rules=(HOSTILE, HOSTILE),
        witness=replace(REGIONS[0].witness, features=((HOSTILE, HOSTILE),)),
    )
    item = replace(PLAN.items[0], name=HOSTILE, before=HOSTILE, after=HOSTILE * 90)
    spec = replace(PLAN.old, label=HOSTILE, routes=f"{HOSTILE}\n{HOSTILE}")
    return replace(
        PLAN, old=spec, regions=(region,), items=(item,), unknown=(HOSTILE,), relation=None
    )


@pytest.mark.parametrize("plan", [*PLANS.values(), hostile()], ids=[*PLANS, "hostile"])
def test_text_is_no_wider_than_a_screen_and_does_nothing_to_it(plan: Plan) -> None:
    text = render_plan(plan)
    before_table = text.split("\nRoute table\n")[0]
    assert max(map(len, before_table.splitlines())) <= WIDTH
    assert "\x1b" not in text and "\r" not in text
    coloured = render_plan(plan, colour=True)
    assert re.sub(r"\x1b\[\d+m", "", coloured) == text
    narrow = re.split("\n(?:Route table|Logged traffic)\n", render_plan(plan, columns=80))[0]
    assert max(map(len, narrow.splitlines())) <= 80


def test_markdown_cannot_be_broken_out_of() -> None:
    text = render_markdown(hostile())
    outside = re.sub(r"(`{3,})\w+\n.*?\n\1", "", text, flags=re.DOTALL)
    assert "<script" not in outside and "@everyone" not in outside
    assert outside.count("<details>") == outside.count("</details>")
    assert outside.count("<code>") == outside.count("</code>")
    for row in outside.splitlines():
        if row.startswith("| "):
            assert row.replace(" --- ", "").count("|") in (3, 4, 5), row
    # A fence is longer than any that stands in it.
    assert "````yaml" in text


def test_a_long_report_is_cut_and_says_so() -> None:
    regions = tuple(
        replace(region, items=(replace(RULE, name=f"r{number}"),))
        for region in REGIONS
        for number in range(200)
    )
    many = replace(PLAN, regions=regions, unknown=("why",) * 50)
    text = render_markdown(many)
    assert len(text) <= LIMIT
    assert re.search(r"\*\*Cut here:\*\* \d+ differences", text)
    # What is gravest, and the counts, are still there.
    assert "| **privacy** | 200 |" in text
    assert text.index("<b>privacy</b>") < text.index("Cut here")
    huge = replace(PLAN, old=replace(PLAN.old, routes="line\n" * 90_000))
    assert "1 route table difference did not fit" in render_markdown(huge)


@pytest.mark.parametrize("plan", [*PLANS.values(), hostile()], ids=[*PLANS, "hostile"])
def test_json_is_what_the_schema_says(plan: Plan) -> None:
    schema = json.loads(read_schema("plan"))
    jsonschema.Draft202012Validator.check_schema(schema)
    document = json.loads(render_json(plan))
    jsonschema.Draft202012Validator(schema).validate(document)
    assert document["categories"]["privacy"] == plan.count(Category.PRIVACY)


def test_a_plan_of_two_specs_has_all_three_reports() -> None:
    plan = plan_of(edited(("up_to: 50", "up_to: 40")))
    jsonschema.Draft202012Validator(json.loads(read_schema("plan"))).validate(
        json.loads(render_json(plan))
    )
    assert "a higher tier: LOW => HIGH" in render_plan(plan)
    assert "a higher tier&#58; LOW =&gt; HIGH" in render_markdown(plan)
    assert "Same meaning." in render_plan(plan_of(SPEC))


def test_text_holds_two_screens_and_counts_the_rest() -> None:
    regions = tuple(
        replace(REGIONS[1], items=(replace(RULE, name=f"r{number}"),)) for number in range(30)
    )
    many = replace(PLAN, regions=regions, replay=None)
    text = render_plan(many)
    assert len(text.splitlines()) <= 60
    found = re.search(r"\.\.\. and (\d+) more \((\d+) outcome\b.*--all shows them", text)
    assert found is not None
    assert text.count("  * ") + int(found[2]) == 30
    assert render_plan(many, whole=True).count("  * ") == 30


def test_regions_of_one_cause_are_one_difference() -> None:
    first, second, other = REGIONS[1], replace(REGIONS[1], before=REGIONS[0].after), REGIONS[2]
    plan = replace(PLAN, regions=(first, second, other), changes=())
    assert [len(group.regions) for group in plan.groups] == [2, 1]
    assert plan.count(Category.OUTCOME) == 1
    text = render_plan(plan)
    assert text.count("  * ") == 2 and "also     HIGH: [mid | large] weighted 3:1" in text
    document = json.loads(render_json(plan))
    assert [group["regions"] for group in document["groups"]] == [[0, 1], [2]]
    assert len(document["regions"]) == 3


def test_nothing_is_said_to_become_itself() -> None:
    """No line reads ``a => a``, whatever it is that differs."""
    side = REGIONS[0].before
    dearer = replace(side, cost=(side.cost or 0) + 1)
    for what, after in ((What.ADDRESS, side), (What.PRICE, dearer), (What.NAME, side)):
        region = replace(REGIONS[0], what=what, after=after, items=())
        for line in render_plan(replace(PLAN, regions=(region,), changes=())).splitlines():
            before, arrow, goes = line.partition(" => ")
            assert not arrow or not before.endswith(goes), line


@pytest.mark.parametrize(
    ("plan", "named", "fail"),
    [
        (PLAN, None, True),
        (PLAN, ["privacy"], True),
        (PLAN, ["cost"], True),
        (replace(PLAN, regions=REGIONS[2:], changes=()), ["privacy", "outcome", "cost"], False),
        (replace(PLAN, regions=REGIONS[2:], changes=()), ["chain"], True),
        (replace(PLAN, regions=REGIONS[2:], changes=()), None, True),
        (SAME, None, False),
        (SAME, ["privacy"], False),
        (UNPROVED, None, True),
        (UNPROVED, ["privacy"], True),
    ],
)
def test_the_gate(plan: Plan, named: list[str] | None, fail: bool) -> None:
    assert fails(plan, named) is fail


def test_the_words_of_the_verdict() -> None:
    assert "Same meaning." in render_plan(SAME)
    assert "No difference found, and none ruled out." in render_plan(UNPROVED)
    for relation in Relation:
        assert f"{relation.value}:" in render_plan(replace(PLAN, relation=relation))
