"""The figures of docs/quality.md that need no data of others are those that eval prints now."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lynkrc.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "quality.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("column, name", [(1, "requests"), (2, "fresh")])
def test_the_agent_traffic_is_as_told(
    column: int, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = ROOT / "examples" / "quickstart" / "routing.yaml"
    data = ROOT / "tests" / "data" / "agent" / f"{name}.jsonl"
    words = ["eval", str(spec), str(data), "--format", "json"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)["agreement"]
    total = sum(map(sum, found["table"]))
    told = {cells[1]: cells[column + 1] for cells in rows()}
    assert told["requests"] == str(total)
    assert told["tier as chosen"] == percent(found["exact"])
    assert told["higher, lower"] == f"{percent(found['over'])}, {percent(found['under'])}"
    ranks = {one["policy"]: one["value"] for one in found["rankings"]}
    assert told["pairs in order"] == share(ranks["spec"])
    assert told["pairs in order by length"] == share(ranks["length"])


def rows() -> list[list[str]]:
    table = PAGE[PAGE.index("### Agent traffic") :]
    lines = re.findall(r"^\|.*\|$", table, re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def percent(one: dict[str, Any]) -> str:
    low, high = 100 * one["low"], 100 * one["high"]
    return f"{100 * one['value']:.1f} % ({low:.1f}..{high:.1f})"


def share(one: dict[str, Any]) -> str:
    return f"{one['value']:.3f} ({one['low']:.3f}..{one['high']:.3f})"
