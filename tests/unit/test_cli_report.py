"""``lynkrc report``: sums against a flagship, what is left out, a change, and its forms."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lynkrc.cli.main import main
from lynkrc.diff.replay import Decider
from lynkrc.source.resources import read_schema
from lynkrc_runtime.usage_record import GapLine, Tokens
from tests.unit.diff_sample import SPEC, edited
from tests.unit.log_sample import decider, described, line, record, values

CHANGED = edited(("up_to: 50", "up_to: 10"))
TIME = "2026-01-{:02}T10:00:00.000+00:00"


@pytest.fixture(scope="module")
def made() -> Decider:
    return decider(SPEC)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "routing.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def write(path: Path, made: Decider, *records: dict[str, Any]) -> Path:
    lines = [described(made), *(line(record(made, **one)) for one in records)]
    path.write_bytes(b"".join(lines))
    return path


def told(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> tuple[str, str]:
    assert main(["report", *map(str, words)]) == code
    out, err = capsys.readouterr()
    return out, err


def document(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(told(capsys, *words, "--format", "json")[0])
    Draft202012Validator(json.loads(read_schema("report"))).validate(found)
    return found


MIXED: tuple[dict[str, Any], ...] = (
    # Of `large`, $3 in and $15 out a million: 1,000 in and 100 out are 4,500 micro-dollars.
    {},
    {"tier": "HIGH", "target": "mid", "cost_micro_usd": 1_200, "time": TIME.format(9)},
    {"tier": "HIGH", "target": None, "ending": "transient", "status": 502, "tokens": None,
     "cost_micro_usd": 700},
    {"tier": None, "outcome": "deny", "ending": "denied", "status": 403, "target": None,
     "tokens": None},
    {"cost_micro_usd": None},
    {"surface": "embeddings", "tier": None, "cost_micro_usd": 50},
    {"surface": "embeddings", "tier": None, "cost_micro_usd": None},
    {"estimated": True, "ending": "broken"},
)  # fmt: skip


def test_every_request_is_in_the_sums_or_said_to_be_left_out(
    made: Decider, spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(tmp_path / "usage.jsonl", made, *MIXED)
    with log.open("ab") as file:
        file.write(line(GapLine(version=2, time=TIME.format(2), requests=4)) + b"no json\n")
    found = document(capsys, log, "--spec", spec)
    assert found["flagship"]["target"] == "large"
    tiers = {one["name"]: one for one in found["tiers"]}
    assert list(tiers) == ["LOW", "HIGH", "(none)"]
    assert {name: one["requests"] for name, one in tiers.items()} == {
        "LOW": 3,
        "HIGH": 2,
        "(none)": 1,
    }
    assert found["total"]["requests"] == 6 == len(MIXED) - found["embeddings"]["requests"]
    assert found["embeddings"] == {"requests": 2, "spent_micro_usd": 50, "unpriced": 1}
    assert (found["unpriced"], found["estimated"], found["lost"]) == (1, 1, 4)
    assert found["unserved"] == {"requests": 1, "spent_micro_usd": 700}
    assert found["bad_lines"] == 1
    high, low = tiers["HIGH"], tiers["LOW"]
    assert (high["spent_micro_usd"], high["there_micro_usd"]) == (1_900, 4_500)
    assert (high["errors"], high["saved_micro_usd"]) == (1, 2_600)
    assert (low["spent_micro_usd"], low["there_micro_usd"]) == (0, 9_000)
    assert (low["priced"], low["requests"], low["errors"]) == (2, 3, 1)
    for member in ("spent_micro_usd", "there_micro_usd", "saved_micro_usd", "requests", "errors"):
        assert found["total"][member] == sum(one[member] for one in tiers.values())
    text, _ = told(capsys, log, "--spec", spec)
    assert max(map(len, text.splitlines())) <= 80
    for part in (
        "of $0.0135 on large",
        "1 request without a known cost: in no amount",
        "1 request that no target served cost $0.0007; there, nothing",
        "1 request with a cost that is in part estimated",
        "2 requests for embeddings left out: $0.0000, 1 of them without a known cost",
        "4 requests never logged",
        "line 11 left out: not JSON",
        "Tokens are those of the model that answered",
        "Only 6 requests: of fewer than 1,000 little can be told.",
    ):
        assert part in text


def test_tokens_of_a_cache_cost_what_the_flagship_asks_for_them(
    made: Decider, spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tokens = Tokens(input=10, output=20, cache_read=4_000, cache_write=300)
    log = write(tmp_path / "usage.jsonl", made, {"tokens": tokens})
    found = document(capsys, log, "--spec", spec, "--flagship", "mid")
    price = {name: float(one) for name, one in found["flagship"]["price"].items()}
    would = 10 * price["input"] + 20 * price["output"]
    would += 4_000 * price["cache_read"] + 300 * price["cache_write"]
    assert found["total"]["there_micro_usd"] == round(would)
    assert found["total"]["input"] == 4_310


def test_more_may_be_spent_than_on_the_flagship(
    made: Decider, spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(tmp_path / "usage.jsonl", made, *[{"cost_micro_usd": 5_000}] * 20)
    text, _ = told(capsys, log, "--spec", spec, "--flagship", "mid")
    assert "Spent more: $0.0760 (95 %: $0.0760 to $0.0760) of $0.0240 on mid" in text
    assert "-316.7 % (-316.7 to -316.7)" in text
    even = write(tmp_path / "even", made, *[{"cost_micro_usd": n} for n in (1_100, 1_290)] * 10)
    text, _ = told(capsys, even, "--spec", spec, "--flagship", "mid")
    assert "Saved $0.0001 (95 %: -$0.0" in text
    assert ", so no difference is shown)" in text
    # A flagship that is free saves nothing, whatever was spent.
    text, _ = told(capsys, log, "--spec", spec, "--flagship", "small")
    assert "Spent more: $0.1000" in text


def test_of_few_sessions_no_interval_of_what_was_saved_is_told(
    made: Decider, spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(tmp_path / "usage.jsonl", made, *[{"cost_micro_usd": 900}] * 19)
    assert "80.0 % (too few)" in told(capsys, log, "--spec", spec)[0]


def test_requests_of_a_session_are_drawn_together(
    made: Decider, spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    costs = [{"cost_micro_usd": cost, "session": f"s{cost}"} for cost in range(25)]
    one, ten = write(tmp_path / "a", made, *costs), write(tmp_path / "b", made, *costs * 10)
    apart, together = (document(capsys, log, "--spec", spec)["total"] for log in (one, ten))
    assert together["saved_micro_usd"] == 10 * apart["saved_micro_usd"]
    assert together["saved_share"] == apart["saved_share"]


def test_a_time_is_cut_out_for_the_sums_and_for_the_change_alike(
    made: Decider, spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new.yaml"
    new.write_text(CHANGED, encoding="utf-8")
    wordy = values(made, **{"ask.words": 5})
    days = [{"time": TIME.format(day), "slots": wordy} for day in range(1, 11)]
    logs = (
        write(tmp_path / "a.jsonl", made, *days[:5]),
        write(tmp_path / "b.jsonl", made, *days[5:]),
    )
    words = (*logs, "--spec", spec, "--change", new, "--since", "2026-01-03", "--until")
    found = document(capsys, *words, "2026-01-08")
    assert (found["total"]["requests"], found["outside"]) == (5, 5)
    moved = found["change"]["replay"]
    assert (moved["records"], moved["moved"]) == (5, 5)
    assert (moved["cost"]["before"], moved["cost"]["after"]) == (0, 5 * 1_200)
    text, _ = told(capsys, *words, "2026-01-08")
    assert f"With {new} instead of {spec}" in text
    assert "LOW => HIGH" in text and "small => mid" in text
    markdown, _ = told(capsys, *words, "2026-01-08", "--format", "markdown")
    assert markdown.startswith("## Saved $")
    assert "<code>LOW =&gt; HIGH</code>" in markdown
    assert "| <code>LOW</code> | 5 | 100.0 %" in markdown
    _, err = told(capsys, *words[:-3], "--until", "2020-01-01", code=2)
    assert "all 10 requests are from other times" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--flagship", "larg"], "did you mean `large`"),
        (["--change", "broken.yaml"], "broken.yaml` has errors"),
        (["--change", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_what_cannot_be_compared_is_said(
    words: list[str],
    said: str,
    made: Decider,
    spec: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "usage.jsonl", made, {})
    Path("broken.yaml").write_text("version: 1\n", encoding="utf-8")
    out, err = told(capsys, "usage.jsonl", *words, code=2)
    assert out == ""
    assert said in err


def test_a_log_of_nothing_is_no_report(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "usage.jsonl"
    log.write_text("hello\n", encoding="utf-8")
    out, err = told(capsys, log, "--spec", spec, code=2)
    assert out == "" and "line 1: not JSON" in err and "--usage-log" in err
    _, err = told(capsys, tmp_path / "none.jsonl", "--spec", spec, code=2)
    assert "there is no" in err


def test_no_name_in_a_log_is_read_as_markdown(
    made: Decider, spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(tmp_path / "usage.jsonl", made, {"tier": "a|<b>\x1b[31m"})
    markdown, _ = told(capsys, log, "--spec", spec, "--format", "markdown")
    assert "<b>" not in markdown and "a&#124;&lt;b&gt;" in markdown
    text, _ = told(capsys, log, "--spec", spec)
    assert "\x1b" not in text
