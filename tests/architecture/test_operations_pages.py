"""The pages for operators name what there is: metrics, events, endings, options and paths."""

import re

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from lynkrc_runtime.__main__ import parser
from lynkrc_runtime.server.reload_routes import RELOAD, RESTART
from lynkrc_runtime.sessions.keep import Reason
from lynkrc_runtime.telemetry.fetches import Fetch, Fetches
from lynkrc_runtime.telemetry.metrics import Metrics
from lynkrc_runtime.telemetry.outcome import Ending
from lynkrc_runtime.telemetry.reloads import Reloads
from lynkrc_runtime.telemetry.tallies import Histogram
from lynkrc_runtime.telemetry.workers import WorkerCounts
from tests.architecture.page_walk import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SESSIONS = (ROOT / "docs" / "sessions.md").read_text(encoding="utf-8")
RUNTIME = ROOT / "runtime" / "lynkrc_runtime"
LOGGED = re.compile(r"(?:\.line|\._head)\(\s*(?:Level\.\w+|level),\s*\"([a-z-]+)\"")
CODE = re.compile(r"`([^`]+)`")


def table(page: str, head: str) -> list[tuple[list[str], list[str]]]:
    """Of each row of the table with this head, the code spans of its first two cells."""
    rows = page[page.index(head) :].split("\n\n", 1)[0].splitlines()[2:]
    cells = [row.split("|")[1:3] for row in rows]
    return [(CODE.findall(first), CODE.findall(second)) for first, second in cells]


def firsts(page: str, head: str) -> list[str]:
    return [name for names, _ in table(page, head) for name in names]


def registered(registry: CollectorRegistry) -> dict[str, tuple[str, ...]]:
    """Its metrics with their labels."""
    found = {}
    for metric, names in registry._collector_to_names.items():
        if not names:
            continue
        if isinstance(metric, Histogram):
            found[metric.name] = metric.labels
            continue
        assert isinstance(metric, MetricWrapperBase)
        found[metric._name] = metric._labelnames
    return found


def test_the_table_of_metrics_is_the_registry() -> None:
    told = {names[0]: tuple(labels) for names, labels in table(PAGE, "| name | labels |")}
    others = (Reloads()._registry, WorkerCounts()._registry, Fetches()._registry)
    registries = (Metrics(version="1").registry, *others)
    assert told == {name: labels for one in registries for name, labels in registered(one).items()}


def test_the_table_of_events_is_what_is_logged() -> None:
    logged = {
        event
        for path in RUNTIME.rglob("*.py")
        for event in LOGGED.findall(path.read_text(encoding="utf-8"))
    }
    assert set(firsts(PAGE, "| event | level |")) == logged


def test_every_end_of_a_fetch_is_told() -> None:
    told = firsts(PAGE, "| `result` | |")
    assert sorted(told) == sorted(one.value for one in Fetch)


def test_every_ending_is_told() -> None:
    told = firsts(PAGE, "| `class` | |")
    assert sorted(told) == sorted(ending.value for ending in Ending)


def test_every_option_is_told() -> None:
    actions = parser()._subparsers
    assert actions is not None
    [commands] = actions._group_actions
    assert isinstance(commands.choices, dict)
    known = {
        text
        for action in commands.choices["serve"]._actions
        for text in action.option_strings
        if text not in ("-h", "--help")
    }
    assert set(firsts(PAGE, "| option | |")) == known


def test_every_path_of_operators_is_told() -> None:
    server = RUNTIME / "server"
    source = "".join(
        (server / name).read_text(encoding="utf-8")
        for name in ("admin_routes.py", "deep_ready.py", "page_routes.py")
    )
    orders = {"RELOAD": RELOAD, "RESTART": RESTART}
    served = {
        f"{method.upper()} {orders.get(path, path.strip(chr(34)))}"
        for method, path in re.findall(r"add_(get|post)\((\"[^\"]+\"|[A-Z]+),", source)
    }
    assert set(firsts(PAGE, "| path | |\n")) == served


@pytest.mark.parametrize("reason", [one for one in Reason if one is not Reason.OFF])
def test_every_reason_of_sessions_is_told(reason: Reason) -> None:
    assert f"`{reason.value}`" in SESSIONS


def test_every_page_is_linked_from_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert {name for name in pages if f"(docs/{name}" not in text} == set()
