"""What a reload changed, told by name and by line."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from lynkrc_runtime.bundle import BrokenBundle, open_bundle
from lynkrc_runtime.dispatch import Dispatch, Rule
from lynkrc_runtime.server.changes import (
    LINES,
    MOST,
    Changes,
    Facts,
    difference,
    facts_of_bundle,
    facts_of_policy,
)
from lynkrc_runtime.settings import Limit, Settings
from lynkrc_runtime.telemetry.reloads import Reloaded, Result
from tests.e2e import small_bundle
from tests.runtime.by_hand import dispatch, policy, provider, target

RULES = [Rule(name=name, deny=None, respond=None, prefer=None) for name in ("a", "long-name")]
TABLE = replace(
    dispatch([provider("sim", "simulator")], [target("one", 0), target("two", 0)]), rules=RULES
)
ROUTES = """\
by-hand

RULES, in order
  rule   effect    when
  a      tier LOW  turns > 1
  long-  deny 403  is_side or
  name             turns > 9

TARGETS
  one
"""


def facts(table: Dispatch = TABLE, routes: str = ROUTES, digest: str = "a" * 64) -> Facts:
    return Facts(digest=digest, dispatch=table, routes=routes)


def parts(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["part"]: one for one in told["parts"]}


def test_the_same_bundle_differs_in_nothing() -> None:
    told = difference(facts(), facts())
    assert (told["parts"], told["settings"], told["lines"], told["omitted"]) == ([], [], [], 0)


def test_what_came_and_went_is_named() -> None:
    other = dispatch([provider("sim", "simulator")], [target("three", 0), target("one", 0)])
    told = parts(difference(facts(), facts(replace(other, rules=RULES[::-1]))))
    assert (told["targets"]["added"], told["targets"]["removed"]) == (["three"], ["two"])
    assert told["targets"]["changed"] == []
    assert told["rules"]["reordered"]
    # Chains name their targets: places alone would say nothing of them.
    (chain,) = told["chains"]["changed"]
    assert chain["members"] == ["groups"]


def test_a_changed_member_is_named_and_its_value_is_not_told() -> None:
    headers = {"x-team": "a-secret-value"}
    other = replace(
        TABLE,
        targets=[replace(TABLE.targets[0], model="another"), TABLE.targets[1]],
        providers=[replace(TABLE.providers[0], headers=headers)],
        settings=Settings(limits=[Limit(name="rate", requests=5, within=60.0)]),
    )
    told = difference(facts(), facts(other))
    assert parts(told)["targets"]["changed"] == [{"name": "one", "members": ["model"]}]
    assert parts(told)["providers"]["changed"] == [{"name": "sim", "members": ["headers"]}]
    assert told["settings"] == ["limits"]
    assert "a-secret-value" not in str(told)


def test_a_rule_whose_condition_changed_is_named() -> None:
    for before, after, name in (("turns > 1", "turns > 2", "a"), ("> 9", "> 8", "long-name")):
        told = difference(facts(), facts(routes=ROUTES.replace(before, after)))
        (changed,) = parts(told)["rules"]["changed"]
        assert changed == {"name": name, "members": ["condition or effect"]}


def test_a_dimension_whose_weight_changed_is_named_and_so_is_the_offset() -> None:
    table = replace(TABLE, dimensions=["size", "builtin/long-name"])
    routes = (
        "SCORE, points added and kept within 0..100\n"
        "  dimension  weight  value\n"
        "  size       40      ramp(ask.words, 0,\n"
        "                     60)\n"
        "  builtin/l  -3      when(looks_up, 100, 0)\n"
        "  ong-name\n"
        "  offset     +0\n"
    )
    for before, after, name in (
        ("60)", "70)", "size"),
        ("-3", "-4", "builtin/long-name"),
        ("+0", "+5", "offset"),
    ):
        told = difference(facts(table, routes), facts(table, routes.replace(before, after)))
        (part,) = told["parts"]
        assert part["part"] == "dimensions"
        assert part["changed"] == [{"name": name, "members": ["weight or measure"]}]


def test_models_and_needs_that_came_and_went_are_named() -> None:
    told = parts(difference(facts(), facts(replace(TABLE, models=["house"], needs=["vision"]))))
    assert told["models"]["removed"] == ["house-*"]
    assert told["needs"]["added"] == ["vision"]


def test_lines_are_told_with_what_is_around_them() -> None:
    told = difference(facts(), facts(routes=ROUTES.replace("  one", "  uno")))
    assert [line["kind"] + line["text"] for line in told["lines"]] == [
        " ",
        " TARGETS",
        "-  one",
        "+  uno",
    ]
    long = "".join(f"{number}\n" for number in range(2 * LINES))
    told = difference(facts(routes=""), facts(routes=long))
    assert (len(told["lines"]), told["omitted"]) == (LINES, LINES)


def reloaded(result: Result) -> Reloaded:
    reason = "it is broken" if result is Result.FAILED else None
    return Reloaded(result=result, old="a", new="b", reason=reason)


def test_reloads_are_kept_and_the_last_change_outlives_a_failure() -> None:
    changes = Changes(lambda: 7.0)
    assert changes.told() == {"reloads": [], "change": None}
    before, after = facts(), facts(routes="", digest="b" * 64)
    changes.ended(reloaded(Result.RELOADED), before, after)
    changes.ended(reloaded(Result.FAILED), after, after)
    told = changes.told()
    assert [one["result"] for one in told["reloads"]] == ["failed", "reloaded"]
    assert told["reloads"][0]["reason"] == "it is broken"
    assert (told["change"]["time"], told["change"]["new"]) == (7, "b" * 64)
    changes.ended(reloaded(Result.RELOADED), after, before)
    assert changes.told()["change"]["new"] == "a" * 64
    for _ in range(MOST):
        changes.ended(reloaded(Result.UNCHANGED), before, before)
    assert len(changes.told()["reloads"]) == MOST


def test_a_bundle_has_the_same_facts_served_here_or_elsewhere(tmp_path: Path) -> None:
    opened = open_bundle(small_bundle.write(tmp_path / "b.lynkr", small_bundle.files(TABLE)))
    elsewhere = facts_of_bundle(opened, TABLE)
    assert elsewhere.routes == "one row\n"
    here = facts_of_policy(policy(TABLE))
    assert (here.dispatch, here.digest) == (elsewhere.dispatch, elsewhere.digest)


def test_a_route_table_that_is_no_text_is_no_bundle(tmp_path: Path) -> None:
    files = small_bundle.files(TABLE) | {"routes.txt": b"\xff"}
    opened = open_bundle(small_bundle.write(tmp_path / "b.lynkr", files))
    with pytest.raises(BrokenBundle, match=r"b\.lynkr: 'utf-8' codec"):
        facts_of_bundle(opened, TABLE)
