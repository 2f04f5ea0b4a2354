"""What the gateway knows beside a request, as test cases and `lynkrc trace` are told it."""

import json
from pathlib import Path

import pytest

from lynkrc.cli.main import main

SPEC = """\
version: 1
name: beside
providers:
  house: {kind: simulator, trust: local}
targets:
  one: {provider: house, model: m1, context: 100k, price: free}
tiers:
  - {name: LOW, up_to: 50, chain: [one]}
  - {name: HIGH, chain: [one]}
score:
  dimensions:
    size: {value: "ramp(ask.words, 0, 100)", weight: 100}
rules:
  - {name: team, when: 'key.team == "legal"', tier: HIGH}
  - {name: tenant, when: 'key.tenant == "acme"', tier: HIGH}
  - {name: turns, when: session.turn >= 3, tier: HIGH}
  - {name: tiers, when: session.tier == HIGH, tier: HIGH}
  - {name: warm, when: session.warm_tokens > 10000, tier: HIGH}
  - {name: spent, when: budget.used_pct >= 90, tier: LOW}
"""

GIVEN = {
    "team": ("key: {team: legal}", ["--team", "legal"]),
    "tenant": ("key: {tenant: acme}", ["--tenant", "acme"]),
    "turns": ("session: {turn: 3}", ["--turn", "3"]),
    "tiers": ("session: {tier: HIGH}", ["--session-tier", "HIGH"]),
    "warm": ("session: {warm_tokens: 20000}", ["--warm-tokens", "20000"]),
    "spent": ("budget_used_pct: 90", ["--budget-used", "90"]),
    "score": ("", []),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routing.yaml").write_text(SPEC)
    body = {"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    (tmp_path / "request.json").write_text(json.dumps(body))
    return tmp_path


def test_cases(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = [
        f"  - name: {rule}\n    request: {{ask: Hi}}\n    {given}\n    expect: {{rule: {rule}}}\n"
        for rule, (given, _) in GIVEN.items()
    ]
    (folder / "routing.test.yaml").write_text("version: 1\ncases:\n" + "".join(cases))
    assert main(["test"]) == 0, capsys.readouterr()


@pytest.mark.parametrize("rule", GIVEN)
def test_traces(folder: Path, rule: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "request.json", *GIVEN[rule][1], "--format", "json"]) == 0
    trace = json.loads(capsys.readouterr().out)
    assert trace["decision"]["rule"] == rule
    assert trace["session"] is None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("session: {tier: HIHG}", "the spec has no tier `HIHG`"),
        ("session: {turn: -1}", "-1"),
        ("session: {turn: 'three'}", "three"),
        ("budget_used_pct: 1.5", "1.5"),
        ("key: {name: ci}", "name"),
    ],
)
def test_mistakes_in_cases(
    folder: Path, given: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    case = f"  - name: a\n    request: {{ask: Hi}}\n    {given}\n    expect: {{tier: LOW}}\n"
    (folder / "routing.test.yaml").write_text("version: 1\ncases:\n" + case)
    assert main(["test"]) != 0
    out, err = capsys.readouterr()
    assert told in out + err


def test_features_have_them_already(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = "  - {name: a, features: {session.turn: 3}, session: {turn: 3}, expect: {tier: HIGH}}\n"
    (folder / "routing.test.yaml").write_text("version: 1\ncases:\n" + case)
    assert main(["test"]) != 0
    out, err = capsys.readouterr()
    assert "request" in out + err


def test_a_tier_that_is_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "request.json", "--session-tier", "MIDDLE"]) == 2
    assert "the tiers are LOW, HIGH" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["-1", "x", "1.5", "\u0663"])
def test_numbers_that_are_none(
    folder: Path, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["trace", "request.json", "--turn", number])
    capsys.readouterr()
