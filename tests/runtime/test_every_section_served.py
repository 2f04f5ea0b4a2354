"""A spec with every section and every effect, compiled, loaded and served."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from lynkrc.cli.main import main
from lynkrc.cli.specs import compile_file
from lynkrc.diagnostics.model import Severity
from lynkrc.interp.trace import as_json, trace
from lynkrc.ir.table import RouteTable
from lynkrc.pipeline import pack_bundle
from lynkrc_runtime.features import RequestFacts
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.server.gateway import Policy, read_policy
from lynkrc_runtime.server.routes import Settings
from tests.runtime.by_hand import MESSAGES, Recorder, Said, ask, body, gateway
from tests.runtime.virtual_time import run

SPEC = Path(__file__).parents[1] / "golden" / "pipeline" / "every-section" / "routing.yaml"
IMAGE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[RouteTable, Policy]:
    compilation = compile_file(SPEC)
    assert {one.severity for one in compilation.diagnostics} <= {Severity.NOTE}
    assert compilation.table is not None
    packed, _ = pack_bundle(compilation, native=False)
    path = tmp_path_factory.mktemp("every-section") / "every-section.lynkr"
    path.write_bytes(packed)
    return compilation.table, read_policy(path)


CALLS: dict[str, tuple[dict[str, Any], dict[str, str], dict[str, Any]]] = {
    "answered": (
        {}, {"x-call": "title"}, {"outcome": "respond", "rule": "titles", "tier": None},
    ),
    "denied": (
        {"text": "go " * 9001}, {}, {"outcome": "deny", "rule": "no-shouting", "tier": None},
    ),
    "by a rule": (
        {"text": "hello"}, {},
        {"rule": "hello", "tier": "LOW", "targets": ["cheap", "spare", "fair"]},
    ),
    "chain of a rule": (
        {"text": "a penetration test"}, {},
        {"chain_rule": "audits", "chain": "rule:audits", "targets": ["fair", "dear", "spare"]},
    ),
    "at home": (
        {"text": "an audit, please"}, {"x-data-class": "confidential"},
        {"chain_rule": "audits", "targets": ["fair", "spare"]},
    ),
    "preferred target": (
        {"text": "an audit, please"}, {"x-call": "review"}, {"prefer": "reviews", "tier": "LOW"},
    ),
    "preferred pick": (
        {"text": "hello"}, {"x-hurry": "yes", "x-call": "review"}, {"prefer": "hurry"},
    ),
    "floor of the base": (
        {"text": "this is urgent"}, {},
        {"rule": "team/urgent", "tier": "MIDDLE", "targets": ["spare", "fair"]},
    ),
    "terms of a file": (
        {"text": "prove it step by step, and prove the rest"}, {}, {"score": 9, "tier": "LOW"},
    ),
    "hard thinking": (
        {"text": "hello", "thinking": {"type": "enabled", "budget_tokens": 1024},
         "max_tokens": 4000}, {},
        {"needs": ["thinking"], "targets": ["spare", "fair"]},
    ),
    "pinned tier": (
        {"text": "an audit, please", "model": "quick"}, {},
        {"rule": "pin", "chain_rule": None, "chain": "LOW"},
    ),
    "pinned target": (
        {"text": "hello", "model": "house-best"}, {"x-hurry": "yes"},
        {"rule": "pin", "tier": None, "targets": ["fair"], "prefer": None},
    ),
    "escalated": (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "urgent"}, IMAGE]}]},
        {"x-data-class": "confidential"}, {"tier": "MIDDLE", "targets": ["fair"]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_a_request_is_decided_alike_by_scorer_explanation_and_reference(
    made: tuple[RouteTable, Policy], call: str
) -> None:
    table, policy = made
    members, headers, expected = CALLS[call]
    request = CLIENT_DIALECTS[MESSAGES].read_request(body(**members), headers)
    vector = policy.extractor.extract(request, RequestFacts(surface="messages", headers=headers))
    explained = policy.explain(vector)
    assert explained == as_json(trace(table, vector))
    assert list(policy.scorer(vector)) == explained["verdict"]
    assert {name: explained[name] for name in expected} == expected


def served(
    policy: Policy, members: Mapping[str, Any], headers: Mapping[str, str], times: int = 1
) -> list[Recorder]:
    settings = Settings(dry_run=True)
    gate = replace(gateway(policy, Said(), settings=settings), random=Random(5).random)

    async def asked() -> list[Recorder]:
        return [await ask(gate, body(**members), headers=headers) for _ in range(times)]

    return run(asked())


def models(answers: list[Recorder]) -> list[str]:
    assert {one.status for one in answers} == {200}
    return [one.headers["x-lynkr-model"] for one in answers]


def test_what_is_decided_is_served(made: tuple[RouteTable, Policy]) -> None:
    _, policy = made
    (denied,) = served(policy, *CALLS["denied"][:2])
    assert (denied.status, denied.json["error"]["message"]) == (429, "say it shorter")
    (titled,) = served(policy, *CALLS["answered"][:2])
    assert titled.json["content"] == [{"type": "text", "text": "A title"}]
    assert titled.headers["x-lynkr-rule"] == "titles"
    assert models(served(policy, *CALLS["preferred target"][:2], times=3)) == ["dear"] * 3
    tried = models(served(policy, *CALLS["preferred pick"][:2], times=4))
    assert tried == ["cheap", "spare", "cheap", "cheap"], "each is measured, then they are alike"
    turns = models(served(policy, *CALLS["floor of the base"][:2], times=4))
    assert turns == ["spare", "fair", "spare", "fair"]
    drawn = Counter(models(served(policy, *CALLS["by a rule"][:2], times=200)))
    assert set(drawn) == {"cheap", "spare"} and 130 <= drawn["cheap"] <= 170
    audits = set(models(served(policy, *CALLS["at home"][:2], times=20)))
    assert audits == {"fair"}, "what the rule requires holds in any order"


def test_the_settings_reach_the_runtime(made: tuple[RouteTable, Policy]) -> None:
    _, policy = made
    found = policy.dispatch.settings
    assert found.keys["ci"].secret == "${CI_KEY}" and found.server.port == 8090
    assert policy.dispatch.providers[0].rest.forwards_credentials
    assert "5e884898da28" not in policy.routes_text


@pytest.mark.parametrize(
    ("call", "targets", "steps"),
    [
        ("by a rule", "[cheap | spare] weighted -> fair", []),
        ("preferred pick", "[cheap | spare] fastest -> fair", ["preferred by rule hurry"]),
        (
            "preferred target",
            "dear -> fair -> spare",
            ["chosen by rule audits", "preferred by rule reviews"],
        ),
        ("chain of a rule", "[fair | dear] weighted -> spare", ["chosen by rule audits"]),
        ("pinned target", "fair", []),
        ("answered", "-", []),
    ],
)
def test_a_trace_tells_the_order(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    call: str,
    targets: str,
    steps: list[str],
) -> None:
    members, headers, _ = CALLS[call]
    request = tmp_path / "request.json"
    request.write_bytes(body(**members))
    words = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    assert main(["trace", str(request), "--spec", str(SPEC), *words]) == 0
    told = capsys.readouterr().out
    assert f"targets   {targets}" in told.splitlines()
    assert re.findall("(?:chosen|preferred) by rule [a-z]+", " ".join(told.split())) == steps
