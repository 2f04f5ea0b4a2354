"""Logged outcomes of a spec: tiers, endings, the order against brute force, cost, what is left."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lynkrc.cli.main import main
from lynkrc.diff.replay import Decider
from lynkrc.source.resources import read_schema
from lynkrc_runtime.usage_record import FeedbackLine, GapLine, Signal, SignalLine
from tests.unit.diff_sample import SPEC, edited
from tests.unit.log_sample import decider, described, line, record, values

# The same words, told beside another measure: who asks for much is hard, who writes much is not.
LINES = edited(("ask.words, 0, 20", "ask.lines, 0, 20"))
BAD = {"ending": "broken"}


@pytest.fixture(scope="module")
def made() -> Decider:
    return decider(SPEC)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "routing.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def told(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> tuple[str, str]:
    assert main(["eval", *map(str, words), "--resamples", "100"]) == code
    out, err = capsys.readouterr()
    return out, err


def document(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(told(capsys, *words, "--format", "json")[0])
    Draft202012Validator(json.loads(read_schema("outcomes"))).validate(found)
    assert found["records"] == found["decided"] + sum(one["count"] for one in found["left_out"])
    assert found["decided"] == found["costed"] + sum(one["count"] for one in found["uncosted"])
    for member in ("now", "logged"):
        assert sum(tier[member] for tier in found["tiers"]) == found["decided"]
    return found


def write(path: Path, made: Decider, *records: dict[str, Any]) -> Path:
    lines = [described(made), *(line(record(made, **one)) for one in records)]
    path.write_bytes(b"".join(lines))
    return path


def words(made: Decider, count: int, **members: Any) -> dict[str, Any]:
    return {"slots": values(made, **{"ask.words": count})} | members


def above(bad: Sequence[int], good: Sequence[int]) -> float:
    """How often a bad one is above a good one, ties by half: by trying all."""
    pairs = [(one > other) + (one == other) / 2 for one in bad for other in good]
    return sum(pairs) / len(pairs)


def test_tiers_now_and_as_logged_and_how_they_ended(
    made: Decider, spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(
        tmp_path / "usage.jsonl",
        made,
        words(made, 1),
        words(made, 1, **BAD),
        words(made, 1, ending="aborted"),
        words(made, 18, ending="transient", target=None, tokens=None),
        words(made, 18, tier="HIGH", target="mid", cost_micro_usd=1_200),
        words(made, 18, tier="HUGE"),
    )
    found = document(capsys, spec, "--log", log)
    rows = {one["tier"]: one for one in found["tiers"]}
    assert list(rows) == ["LOW", "HIGH", "HUGE"]
    assert {name: (one["now"], one["logged"]) for name, one in rows.items()} == {
        "LOW": (3, 4),
        "HIGH": (3, 1),
        "HUGE": (0, 1),
    }
    low = rows["LOW"]
    assert (low["judged"], low["bad"]) == (3, 2), "whom the client left is not judged"
    assert low["rate"]["value"] == pytest.approx(2 / 3, abs=1e-8)
    assert low["reasons"] == [
        {"what": "broken", "count": 1},
        {"what": "transient", "count": 1},
    ]
    weak = found["weak"]
    assert weak["tiers"] == ["LOW"] and (weak["judged"], weak["bad"]) == (3, 2)
    assert (weak["kept"]["judged"], weak["kept"]["bad"]) == (2, 1)
    assert (weak["raised"]["judged"], weak["raised"]["bad"]) == (1, 1)
    text, _ = told(capsys, spec, "--log", log)
    assert max(map(len, text.splitlines()[1:])) <= 80
    for part in (
        "6 requests decided anew",
        "broke off 1, upstream",
        "Only 5 outcomes: of fewer than 1,000 little can be told.",
        "1 not in the cost: no tokens were logged",
        "Outcomes are weak labels",
    ):
        assert part in text


def test_a_length_beyond_all_is_no_record(
    made: Decider, spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(
        tmp_path / "usage.jsonl",
        made,
        words(made, 2**63, **BAD),
        words(made, -(10**400)),
        words(made, 1, score=2**53 + 1),
        words(made, 3, **BAD),
        words(made, 1),
    )
    found = document(capsys, spec, "--log", log)
    assert (found["decided"], len(found["bad_lines"])) == (2, 3)


def test_the_order_is_measured_as_by_trying_all_pairs(
    made: Decider, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "routing.yaml"
    path.write_text(LINES, encoding="utf-8")
    other = decider(LINES)
    bad, good = [(3, 9), (5, 2), (5, 4)], [(1, 9), (3, 1), (2, 7), (5, 5)]
    members = [(one, BAD) for one in bad] + [(one, {}) for one in good]
    log = write(
        tmp_path / "usage.jsonl",
        other,
        *(
            {"slots": values(other, **{"ask.lines": lines}) | {"ask.words": count}} | ending
            for (lines, count), ending in members
        ),
    )
    weak = document(capsys, path, "--log", log)["weak"]
    assert weak["auroc"]["value"] == pytest.approx(
        above([one for one, _ in bad], [one for one, _ in good])
    )
    assert weak["length_slot"] == "ask.words"
    assert weak["length"]["value"] == pytest.approx(
        above([one for _, one in bad], [one for _, one in good])
    )
    difference = weak["difference"]
    assert difference["value"] == pytest.approx(weak["auroc"]["value"] - weak["length"]["value"])
    assert difference["low"] <= difference["value"] <= difference["high"]
    assert "no difference shown" in told(capsys, path, "--log", log)[0]
    assert made.digest != other.digest


def test_what_callers_and_sessions_say_counts_by_its_weight(
    made: Decider, spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = {"version": 2, "time": "2026-01-02T00:00:00Z", "bundle": made.digest, "key": None}
    log = write(
        tmp_path / "usage.jsonl",
        made,
        *(words(made, count, request_id=f"r{count}") for count in (1, 2, 3, 4, 5)),
    )
    said: list[Any] = [
        FeedbackLine(request_id="r1", score=0.2, **usual),
        FeedbackLine(request_id="r2", score=0.2, **usual),
        FeedbackLine(request_id="r2", score=0.9, **usual),
        SignalLine(request_id="r4", signal=Signal.USER_RETRY, **usual),
        SignalLine(request_id="r9", signal=Signal.TOOL_ERROR, **usual),
    ]
    with log.open("ab") as file:
        file.write(b"".join(map(line, said)))
    found = document(capsys, spec, "--log", log)
    low = found["tiers"][0]
    assert (low["judged"], low["bad"], found["strays"]) == (5, 2, 1)
    assert [one["what"] for one in low["reasons"]] == ["caller", "user_retry"]
    # Bad are 1 (weight 1) and 4 (0.5), good 2 (1), 3 and 5 (0.1 each).
    right = 0.5 * (1 + 0.1)
    assert found["weak"]["auroc"]["value"] == pytest.approx(right / (1.5 * 1.2))
    text, _ = told(capsys, spec, "--log", log)
    assert "the caller says so 1" in text
    assert "1 left out: judgements of requests that are not in the log" in text


def test_worse_than_length_fails_where_it_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "routing.yaml"
    path.write_text(LINES, encoding="utf-8")
    other = decider(LINES)

    def asked(lines: int, count: int, ending: dict[str, Any]) -> dict[str, Any]:
        slots = values(other, **{"ask.lines": lines}) | {"ask.words": count}
        return {"slots": slots} | ending

    # Long asks end badly, and this spec thinks the short ones hard.
    turned = [asked(1, 9, BAD), asked(5, 2, {})] * 20
    log = write(tmp_path / "usage.jsonl", other, *turned)
    gate = ("--fail-if-worse", "length")
    out, err = told(capsys, path, "--log", log, *gate, code=1)
    assert ": worse" in out and "the spec is worse than length" in err
    log = write(tmp_path / "usage.jsonl", other, asked(1, 9, {}))
    assert "the log has no length" in told(capsys, path, "--log", log, *gate, code=2)[1]


def test_requests_of_one_session_are_drawn_together(
    made: Decider, spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some = [words(made, count, **(BAD if count % 3 else {})) for count in range(1, 9)]
    apart = write(tmp_path / "a", made, *some * 5)
    together = write(
        tmp_path / "b", made, *(one | {"session": str(n % 8)} for n, one in enumerate(some * 5))
    )
    spans = []
    for log in (apart, together):
        found = document(capsys, spec, "--log", log)["weak"]["auroc"]
        spans.append(found["high"] - found["low"])
    assert spans[1] > 1.5 * spans[0], "eight sessions tell less than forty requests"


def test_cost_is_on_the_logged_tokens_at_the_targets_prices(
    made: Decider, spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(
        tmp_path / "usage.jsonl",
        made,
        words(made, 1, cost_micro_usd=500),
        words(made, 18, cost_micro_usd=0),
        words(made, 1, cost_micro_usd=None),
    )
    found = document(capsys, spec, "--log", log)
    # 1,000 tokens at $1 and 100 at $2 a million on `mid`; `small` is free.
    assert {way["name"]: way["cost"]["value"] for way in found["ways"]} == {
        "this spec": 0.0006,
        "as paid": 0.00025,
        "all weak": 0,
        "all strong": 0.0012,
    }
    assert [way["less"] and way["less"]["value"] for way in found["ways"]] == [
        None,
        0.00035,
        0.0006,
        -0.0006,
    ]
    assert (found["weakest"], found["strongest"]) == ("small", "mid")
    assert found["uncosted"] == [{"what": "what was paid for it is not known", "count": 1}]


def test_what_cannot_be_decided_is_counted_by_reason(
    made: Decider, spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = decider(LINES)
    log = write(
        tmp_path / "usage.jsonl",
        made,
        {},
        {"slots": None, "ending": "malformed"},
        {"surface": "embeddings"},
        {"slots": values(made, **{'header("x-team")': '"legal"'})},
    )
    with log.open("ab") as file:
        file.write(line(GapLine(version=2, time="2026-01-01T00:00:00Z", requests=4)))
        file.write(described(other) + line(record(other)) + b"no json\n")
    found = document(capsys, spec, "--log", log)
    assert {one["what"]: one["count"] for one in found["left_out"]} == {
        "never logged: the gateway could not write them": 4,
        "ask.words, which this spec reads": 1,
        "embeddings: their targets are declared, not decided": 1,
        "no features: the request ended before it was read": 1,
        "the outcome is deny now (rule legal)": 1,
    }
    assert (found["bad"], found["bad_lines"][0]["problem"]) == (1, "not JSON")
    assert found["weak"]["auroc"] is None
    assert "line 9 left out: not JSON" in told(capsys, spec, "--log", log)[0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["data.jsonl"], "leave out DATA"),
        (["--against", "git:main"], "leave out --against"),
        (["--fail-if-worse", "older"], "a log says nothing of an older spec"),
        (["--strong-from", "HIHG"], "did you mean `HIGH`"),
    ],
)
def test_what_is_about_graded_answers_is_refused(
    more: list[str],
    said: str,
    made: Decider,
    spec: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = write(tmp_path / "usage.jsonl", made, {})
    assert said in told(capsys, spec, *more, "--log", log, code=2)[1]


def test_neither_data_nor_a_log_is_nothing_to_evaluate(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--log FILE" in told(capsys, spec, code=2)[1]
    log = tmp_path / "usage.jsonl"
    log.write_bytes(b"")
    assert "holds no record of a request yet" in told(capsys, spec, "--log", log, code=2)[1]
    log.write_bytes(b"hello\n")
    assert "line 1: not JSON" in told(capsys, spec, "--log", log, code=2)[1]
