"""``lynkrc trace``: by spec and by bundle, surfaces, headers, refusals, exit codes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lynkrc.cli.main import main
from lynkrc.source.resources import read_schema
from tests.unit.cli_sample import BROKEN, SPEC, environment, program

ASK = "Please write a long poem about the sea in winter, with rhymes, for my grandmother today"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routing.yaml").write_text(SPEC)
    request(tmp_path, {"max_tokens": 64})
    return tmp_path


def request(folder: Path, more: Mapping[str, Any], ask: str = ASK) -> None:
    body = {"model": "auto", "messages": [{"role": "user", "content": ask}], **more}
    (folder / "request.json").write_text(json.dumps(body))


def traced(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(["trace", "request.json", *words]) == code
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_the_answer_comes_first_and_the_reasons_follow(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = traced(capsys).splitlines()
    assert lines[:5] == [
        "outcome   route",
        "tier      HIGH",
        "rule      score",
        "score     80",
        "targets   large -> small",
    ]
    assert lines[5:15] == [
        "",
        "score",
        "  80  size  80% of 100: ramp(ask.words, 0, 20)",
        "  = sum 80",
        "",
        "tier",
        "  HIGH by the score",
        "",
        "chain",
        "  HIGH (of the tier)",
    ]
    assert lines[15:] == [
        "    kept     large",
        "    kept     small",
        "  tried in this order: large -> small (as written)",
        "",
        "rules: 0 of 1 matched",
        "  no   legal",
        '       when header("x-team") == "legal"',
        '         false header("x-team") in {"legal"}  [header("x-team") = absent]',
        "",
        "features of the request (5 are zero)",
        "  ask.words             16",
        "  context.tokens        26",
        "  model               auto",
        "  request.max_tokens    64",
    ]


RULED = """\
  - {name: poems, when: "ask.words > 9", chain: [[small, large]], pick: round_robin}
  - {name: large-first, when: "ask.words > 9", prefer: large}
  - {name: pings, when: "ask.words == 1", respond: "pong"}
"""


def test_a_chain_of_a_rule_and_a_preference_are_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "routing.yaml").write_text(SPEC + RULED)
    lines = traced(capsys).splitlines()
    assert "  rule:poems (chosen by rule poems)" in lines
    assert "  yes  poems: chain rule:poems" in lines
    assert "  yes  large-first: prefer large" in lines
    assert "         true  ask.words > 9  [ask.words = 16]" in lines
    request(folder, {"max_tokens": 64}, ask="ping")
    assert traced(capsys).splitlines()[:5] == [
        "outcome   respond",
        "tier      -",
        "rule      pings",
        "score     -",
        "targets   -",
    ]


@pytest.mark.parametrize("form", ["text", "json"])
def test_spec_and_bundle_agree(form: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "-o", "out", "--quiet"]) == 0
    by_spec = traced(capsys, "--spec", "routing.yaml", "--format", form)
    assert by_spec == traced(capsys, "--bundle", "out", "--format", form)
    assert by_spec == traced(capsys, "--bundle", "out/sample.lynkr", "--format", form)


def test_json_has_the_features_and_the_decision(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(traced(capsys, "--format", "json"))
    Draft202012Validator(json.loads(read_schema("trace"))).validate(document)
    values = {feature["slot"]: feature["value"] for feature in document["features"]}
    assert values["ask.words"] == 16
    assert document["decision"]["tier"] == "HIGH"
    assert document["decision"]["score"] == 80


def test_a_chat_body_is_read_as_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
    request(folder, {"tools": [tool]})
    assert "tier      HIGH\n" in traced(capsys, "--surface", "chat")


def test_a_responses_body_is_read_as_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tool = {"type": "function", "name": "look_up", "parameters": {"type": "object"}}
    request(folder, {"tools": [tool], "input": ASK})
    assert "tier      HIGH\n" in traced(capsys, "--surface", "responses")


def test_a_body_the_gateway_refuses_is_refused_with_its_words(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request(folder, {})
    assert main(["trace", "request.json"]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("max_tokens")) == ("", 1)
    assert err.startswith("error: request.json: the gateway answers 400: max_tokens: ")
    (folder / "request.json").write_text("{not json")
    assert main(["trace", "request.json"]) == 1
    assert "the gateway answers 400" in capsys.readouterr().err


@pytest.mark.parametrize("header", ["x-team: legal", "X-TEAM:Legal", "x-team:  legal  "])
def test_headers_decide(header: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = traced(capsys, "-H", header).splitlines()
    assert lines[0] == "outcome   deny with status 403"
    assert lines[2] == "rule      legal"


def test_a_repeated_header_that_the_spec_reads_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", "request.json", "-H", "x-team: a", "-H", "X-Team: b"]) == 1
    assert "header x-team is repeated" in capsys.readouterr().err
    assert "HIGH" in traced(capsys, "-H", "x-other: a", "-H", "x-other: b")


def test_a_header_needs_a_colon(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "request.json", "-H", "x-team"]) == 2
    assert "write it as 'name: value'" in capsys.readouterr().err


def test_a_broken_spec_is_shown_in_the_format_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "routing.yaml").write_text(BROKEN)
    assert "2 errors" in traced(capsys, code=1)
    document = json.loads(traced(capsys, "--format", "json", code=1))
    assert len(document["diagnostics"]) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing.json"], "cannot read missing.json"),
        (["."], "is a folder"),
        (["request.json", "--spec", "missing.yaml"], "cannot read missing.yaml"),
        (["request.json", "--bundle", "missing.lynkr"], "missing.lynkr: cannot be read"),
        (["request.json", "--bundle", "routing.yaml"], "is a spec, not a bundle"),
        (["request.json", "--html", "missing/a.html"], "cannot write missing/a.html"),
        (["request.json", "--bundle", "."], "holds 0 files *.lynkr"),
    ],
)
def test_what_cannot_be_read_exits_2(
    words: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert said in err


def test_a_trace_leaves_nothing_behind(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(folder.rglob("*"))
    traced(capsys)
    assert sorted(folder.rglob("*")) == before


def test_a_page_is_written_where_it_is_wanted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", "request.json", "--html", "why.html"]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", "note: wrote why.html\n")
    assert (folder / "why.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_colour_is_for_terminals(folder: Path) -> None:
    plain = program("trace", "request.json", cwd=folder)
    assert (plain.returncode, "\x1b" in plain.stdout) == (0, False)
    forced = environment(FORCE_COLOR="1")
    assert "\x1b[1mroute\x1b[0m" in program("trace", "request.json", cwd=folder, env=forced).stdout
    forbidden = forced | {"NO_COLOR": "1"}
    assert program("trace", "request.json", cwd=folder, env=forbidden).stdout == plain.stdout
