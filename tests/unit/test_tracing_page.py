"""Traces for people: the text fits a terminal, the page stands alone, and neither can be abused."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from lynkrc.cli.main import main
from lynkrc.source.resources import read_schema
from lynkrc.tracing.page import render_page
from lynkrc.tracing.text import render_trace
from lynkrc.tracing.view import UNIT

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

SPEC = """\
version: 1
name: hostile
providers:
  local: {kind: simulator, trust: local}
targets:
  small: {provider: local, model: tiny}
  large: {provider: local, model: huge}
lexicons:
  tags: ["~/<.{0,6}script/", "/a\\\\Wb/"]
  sea: ["sea*", "poem about"]
features:
  wide: "count(ask, sea) + ask.words + steps(turns, [[1, 3], [4, 9], [9, 12], [20, 22], [30, 33]])"
score:
  offset: -3
  dimensions:
    size: {weight: 30.5, value: "ramp(ask.words, 0, 20)"}
    terms: {terms: sea}
tiers:
  - {name: LOW, up_to: 50, chain: [small]}
  - {name: HIGH, chain: [large, small]}
otherwise: escalate
rules:
  - {name: loud, when: "wide >= 2 and not wants.stream", floor: HIGH, add: 2}
  - {name: home, when: "matches(ask, tags)", require: target != large}
  - {name: idle, when: "matches(ask, sea)", floor: LOW}
"""
HOSTILE = "a poem about </script><script>alert(1)</script> & \"sea\" 'a\u202eb' \x1b[31m \u2066x"


@pytest.fixture
def trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> dict[str, Any]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routing.yaml").write_text(SPEC)
    body = {"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": HOSTILE}]}
    (tmp_path / "request.json").write_text(json.dumps(body))
    assert main(["trace", "request.json", "--format", "json"]) == 0, capsys.readouterr()
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_object_is_as_its_schema_says(trace: dict[str, Any]) -> None:
    schema = json.loads(read_schema("trace"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(trace)
    patterns = {
        pattern["pattern"]: pattern["places"]
        for feature in trace["features"]
        for pattern in feature["patterns"]
    }
    for places in patterns.values():
        for place in places:
            start, end = place["chars"]
            assert HOSTILE[start:end] == place["excerpt"]["match"]
            assert HOSTILE[:end].endswith(place["excerpt"]["before"] + place["excerpt"]["match"])
            first, last = place["bytes"]
            assert HOSTILE.encode()[first:last].decode() == place["excerpt"]["match"]
    assert [place["excerpt"]["match"] for place in patterns["poem about"]] == ["poem about"]


def test_the_decision_is_told_step_by_step(trace: dict[str, Any]) -> None:
    decision = trace["decision"]
    points = decision["points"]
    parts = [points["offset"], *(row["points"] for row in points["dimensions"] + points["adds"])]
    assert sum(parts) == points["sum"]
    assert points["rounded"] == (points["sum"] + UNIT // 2) // UNIT
    assert decision["tiers"] == {
        "chosen": "LOW",
        "chosen_by": "score",
        "raised": {"tier": "HIGH", "rule": "loud"},
        "lowered": None,
    }
    effects = {rule["name"]: rule["effects"] for rule in decision["rules"]}
    assert effects == {
        "loud": [{"effect": "add +2", "took": True}, {"effect": "floor HIGH", "took": True}],
        "home": [{"effect": "require target != large", "took": True}],
        "idle": [{"effect": "floor LOW", "took": False}],
    }
    atoms = {rule["name"]: rule["atoms"] for rule in decision["rules"]}
    assert [atom["holds"] for atom in atoms["loud"]] == [True, True]
    assert atoms["loud"][0]["sides"][1] == 2
    assert atoms["loud"][1] == {
        "atom": "not wants.stream",
        "holds": True,
        "sides": None,
        "reads": {"wants.stream": "false"},
    }
    assert decision["chains"] == [
        {
            "chain": "HIGH",
            "targets": [
                {"target": "large", "dropped_by": ["rule home"]},
                {"target": "small", "dropped_by": []},
            ],
        }
    ]


@pytest.mark.parametrize("columns", [None, 100, 60, 10])
def test_the_text_fits_the_screen_and_prints_nothing_else(
    trace: dict[str, Any], columns: int | None
) -> None:
    text = render_trace(trace, columns=columns)
    width = max(40, columns or 100)
    assert [line for line in text.splitlines() if len(line) > width] == []
    assert text.isprintable() is False
    assert all(line.isprintable() for line in text.split("\n"))
    assert text.startswith("outcome   route\n")


def test_colours_change_nothing_but_colours(trace: dict[str, Any]) -> None:
    plain, coloured = render_trace(trace), render_trace(trace, colour=True)
    assert "\x1b[" in coloured
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == plain


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_is_well_formed_and_stands_alone(trace: dict[str, Any]) -> None:
    page = render_page(trace)
    ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>"))
    read = _Elements()
    read.feed(page)
    names = {name for name, _ in read.found}
    assert not names & {"script", "link", "img", "iframe", "object", "form", "a"}
    attributes = {name for _, found in read.found for name in found}
    assert not attributes & {"src", "href", "style", "onclick", "title"}
    assert "url(" not in page and "@import" not in page
    assert "prefers-color-scheme: dark" in page


def test_hostile_words_stay_words(trace: dict[str, Any]) -> None:
    page = render_page(trace)
    read = _Elements()
    read.feed(page)
    assert "</script" not in page.lower() and "<script" not in page.lower()
    assert "</script" in read.words
    # Nothing that turns the direction of a line, or the colour of a terminal.
    assert not {"\u202e", "\u2066", "\x1b"} & set(page)
    assert "\\u{202e}" in read.words


def test_hostile_names_of_a_spec_stay_words(trace: dict[str, Any]) -> None:
    text = json.dumps(trace).replace("loud", "<img src=x onerror=alert(1)>")
    page = render_page(json.loads(text))
    assert "<img" not in page and "&lt;img" in page


def test_a_request_that_ended_early_is_told_too(trace: dict[str, Any]) -> None:
    decision = trace["decision"] | {
        "outcome": "deny",
        "tier": None,
        "score": None,
        "status": 403,
        "rule": "legal",
        "tiers": None,
        "chain": None,
        "chains": [],
        "targets": [],
        "order": {"groups": [], "pick": "order", "varies": False, "prefer": None},
    }
    text = render_trace(trace | {"decision": decision})
    assert text.startswith("outcome   deny with status 403\ntier      -\nrule      legal\n")
    assert "\nscore\n" not in text and "\nchain\n" not in text
    ElementTree.fromstring(
        render_page(trace | {"decision": decision}).removeprefix("<!DOCTYPE html>")
    )


@pytest.mark.skipif(CHROMIUM is None, reason="no browser on this machine")
@pytest.mark.parametrize("width", [400, 1000])
def test_a_browser_shows_the_page(trace: dict[str, Any], tmp_path: Path, width: int) -> None:
    assert CHROMIUM is not None
    page = tmp_path / "why.html"
    page.write_text(render_page(trace), encoding="utf-8")
    common = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu"]
    common += [f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},900"]
    dumped = subprocess.run(
        [*common, "--dump-dom", page.as_uri()],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    ).stdout
    read = _Elements()
    read.feed(dumped)
    assert "script" not in {name for name, _ in read.found}
    assert "Why this request goes where it goes" in read.words
    picture = tmp_path / "why.png"
    subprocess.run(
        [*common, f"--screenshot={picture}", page.as_uri()],
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert picture.read_bytes().startswith(b"\x89PNG")
