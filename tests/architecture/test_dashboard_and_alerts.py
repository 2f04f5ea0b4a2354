"""The dashboard and the alerts ask for what a gateway shows, and for all of it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from lynkrc_runtime.attempt import Result
from lynkrc_runtime.cost import KINDS
from lynkrc_runtime.protocol.conversation import FailureClass
from lynkrc_runtime.telemetry.outcome import Ending
from tests.architecture.page_walk import ROOT
from tests.architecture.promql_names import exposed, faults, legend_faults, parsed, selectors

DEPLOY = ROOT / "deploy"
BOARD = json.loads((DEPLOY / "grafana" / "lynkrc.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
RULES = yaml.safe_load((DEPLOY / "prometheus" / "rules.yaml").read_text(encoding="utf-8"))
TRIED = yaml.safe_load((DEPLOY / "prometheus" / "rules_test.yaml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
EACH = [rule for group in RULES["groups"] for rule in group["rules"]]
ALERTS = [rule for rule in EACH if "alert" in rule]
RECORDED = {rule["record"]: frozenset(("job", "le")) for rule in EACH if "record" in rule}
KNOWN = exposed()
VALUES = {
    "class": {one.value for one in (*Ending, *FailureClass)} | {"none"},
    "result": {one.value for one in Result} | {"reloaded", "unchanged", "failed"},
    "kind": set(KINDS),
}
"""What labels may be, of those whose values are words of ours."""
LEFT_OUT = frozenset[str]()
"""Metrics that no panel shows, on purpose."""


def queries() -> Iterator[tuple[str, str, str]]:
    """Where a query of the dashboard stands, the query, and its legend."""
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"], target["legendFormat"]
    for one in BOARD["annotations"]["list"]:
        yield one["name"], one["expr"], one["textFormat"]


@pytest.mark.parametrize(("title", "query", "legend"), list(queries()))
def test_a_panel_asks_for_what_there_is(title: str, query: str, legend: str) -> None:
    assert faults(query, KNOWN) == []
    assert legend_faults(query, legend, KNOWN) == []
    # Whoever chooses a job or a gateway sees nothing of others.
    for one in selectors(parsed(query)):
        assert {"job", "instance"} <= {matcher.name for matcher in one.matchers.matchers}


@pytest.mark.parametrize("rule", EACH, ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_asks_for_what_there_is(rule: dict[str, Any]) -> None:
    assert faults(rule["expr"], KNOWN | RECORDED) == []


def test_words_that_are_compared_are_words_there_are() -> None:
    every = [query for _, query, _ in queries()] + [rule["expr"] for rule in EACH]
    compared = 0
    for query in every:
        for one in selectors(parsed(query)):
            for matcher in one.matchers.matchers:
                if matcher.name in VALUES:
                    compared += 1
                    assert set(matcher.value.split("|")) <= VALUES[matcher.name], query
    assert compared >= 10


def test_a_query_of_what_is_not_there_is_found() -> None:
    assert faults("lynkr_requests", KNOWN) == ["no metric lynkr_requests"]
    assert faults('lynkr_requests_total{nothing="x"}', KNOWN)
    assert faults("sum by (le) (rate(lynkr_requests_total[5m]))", KNOWN)
    assert faults("sum by (x) (rate(lynkr_tokens_total[5m])) / sum(lynkr_workers)", KNOWN)
    assert legend_faults("sum(lynkr_workers)", "{{target}}", KNOWN)
    with pytest.raises(ValueError, match="unexpected"):
        faults("sum(lynkr_workers))", KNOWN)


def test_no_metric_is_forgotten() -> None:
    shown = {one.name for _, query, _ in queries() for one in selectors(parsed(query))}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in KNOWN}
    seen = {re.sub(r"_(bucket|sum|count)$", "", str(name)) for name in shown}
    assert families - seen == LEFT_OUT


def test_nothing_is_divided_by_what_may_be_zero() -> None:
    """An idle gateway has no mean: NaN would be written in large letters."""
    divided = [(title, query) for title, query, _ in queries() if " / " in query]
    assert len(divided) >= 5
    for title, query in divided:
        last = query.rpartition(" / ")[2].rpartition(" group_left() ")[2]
        assert last.endswith("> 0)") or last == "1e6", title
    quantiles = [query for _, query, _ in queries() if "histogram_quantile" in query]
    assert quantiles and all(query.endswith(" >= 0") for query in quantiles)


def test_the_dashboard_is_whole() -> None:
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        grid = panel["gridPos"]
        cells = {
            (grid["x"] + right, grid["y"] + down)
            for right in range(grid["w"])
            for down in range(grid["h"])
        }
        assert grid["x"] + grid["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
    for panel in PANELS:
        assert panel["description"] and panel["targets"], panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["fieldConfig"]["defaults"]["unit"]
    names = [variable["name"] for variable in BOARD["templating"]["list"]]
    assert names == ["datasource", "job", "instance"]
    for variable in BOARD["templating"]["list"][1:]:
        asked = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
        assert asked is not None
        assert faults(asked[1], KNOWN) == []


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as they are made from their words."""
    heads = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_it_means_and_what_to_do(alert: dict[str, Any]) -> None:
    notes = alert["annotations"]
    assert set(notes) == {"summary", "description", "runbook"}
    page, _, anchor = notes["runbook"].partition("#")
    assert (page, anchor) == ("docs/observability.md", alert["alert"].lower())
    assert anchor in anchors(PAGE)
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert f"| `{alert['alert']}` | {alert['labels']['severity']} |" in PAGE


def test_every_alert_is_tried_when_it_is_due_and_when_it_is_not() -> None:
    expected = {
        case["alertname"]: [bool(one["exp_alerts"]) for one in test["alert_rule_test"]]
        for test in TRIED["tests"]
        for case in test["alert_rule_test"]
    }
    assert set(expected) == {alert["alert"] for alert in ALERTS}
    assert all({True, False} == set(found) for found in expected.values())
    for test in TRIED["tests"]:
        for series in test["input_series"]:
            assert faults(series["series"], KNOWN) == []
