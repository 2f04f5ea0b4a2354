"""``lynkrc usage``: sums, forms, and what is said of logs that hold nothing."""

import csv
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator, ValidationError

from lynkrc.cli.main import main
from lynkrc.source.resources import read_schema
from lynkrc.usage.tally import BY
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.telemetry.usage_sinks import DatabaseSink
from lynkrc_runtime.usage_record import AttemptLine, GapLine, Line, RequestLine, Tokens
from tests.e2e import small_bundle

ROOT = Path(__file__).parents[2]


def record(**members: Any) -> RequestLine:
    usual: dict[str, Any] = {
        "version": 2,
        "time": "2026-01-02T10:00:00.000+00:00",
        "request_id": "req_1",
        "bundle": "d" * 64,
        "surface": "messages",
        "stream": False,
        "slots": {},
        "outcome": "route",
        "ending": "served",
        "status": 200,
        "tier": "LOW",
        "rule": "score",
        "score": 0,
        "target": "small",
        "model": "llama",
        "key": "ci",
        "team": None,
        "tenant": None,
        "fallback": False,
        "duration_ms": 5,
        "attempts": [AttemptLine(target="small", result="served", tokens=Tokens(input=1000))],
        "tokens": Tokens(input=1000, output=0),
        "cost_micro_usd": 2_000,
        "estimated": False,
    }
    return RequestLine(**(usual | members))


RECORDS: list[Line] = [
    record(),
    record(time="2026-01-03T10:00:00.000+00:00", fallback=True),
    record(tier="HIGH", target="best", model="opus", cost_micro_usd=1_000_000, key=None),
    record(tier=None, target=None, outcome="deny", ending="denied", status=403, attempts=[],
           tokens=None, cost_micro_usd=0),
    record(tier="HIGH", target="best", cost_micro_usd=None),
    GapLine(version=2, time="2026-01-02T11:00:00.000+00:00", requests=4),
]  # fmt: skip


@pytest.fixture(params=["usage.jsonl", "usage.db"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / str(request.param)
    if path.suffix == ".db":
        sink = DatabaseSink(path)
        sink.put(RECORDS)
        sink.close()
    else:
        path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in RECORDS))
    return path


def bundle_of(dispatch: bytes, folder: Path) -> Path:
    """A bundle file that does this with requests."""
    table = msgspec.json.decode(dispatch, type=Dispatch)
    return small_bundle.write(folder / "one.lynkr", small_bundle.files(table))


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    assert main(["usage", *words]) == code
    out, err = capsys.readouterr()
    return out, err


def test_the_table(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = told(capsys, str(log))
    assert err == ""
    assert out == (
        "2026-01-02T10:00:00.000+00:00 to 2026-01-03T10:00:00.000+00:00\n"
        "\n"
        "tier    requests  share      in     out      cost $     avg $ errors fallb.\n"
        "HIGH           2  40.0%    2.0k       0      1.0000  1.000000      0      0\n"
        "LOW            2  40.0%    2.0k       0      0.0040  0.002000      0      1\n"
        "(none)         1  20.0%       0       0      0.0000  0.000000      1      0\n"
        "total          5 100.0%    4.0k       0      1.0040  0.251000      1      1\n"
        "\n"
        "1 request of targets without a known price: in no cost\n"
        "4 requests never logged: the log has gaps\n"
    )
    assert max(map(len, out.splitlines())) <= 80


def test_json_and_csv_have_whole_numbers(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(told(capsys, str(log), "--format", "json", "--by", "key")[0])
    assert found["total"]["cost_micro_usd"] == 1_004_000
    assert (found["total"]["requests"], found["lost"]) == (5, 4)
    assert [one["names"] for one in found["groups"]] == [["(none)"], ["ci"]]
    rows = list(csv.DictReader(StringIO(told(capsys, str(log), "--format", "csv")[0])))
    assert [row["tier"] for row in rows] == ["HIGH", "LOW", "(none)"]
    assert sum(int(row["cost_micro_usd"]) for row in rows) == 1_004_000


def test_a_time_bounds_what_is_added_up(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--by", "day", "--format", "json"]
    found = json.loads(told(capsys, str(log), "--since", "2026-01-03", *words)[0])
    assert [one["names"] for one in found["groups"]] == [["2026-01-03"]]
    assert found["outside"] == 8
    found = json.loads(told(capsys, str(log), "--until", "2026-01-03", *words)[0])
    assert (found["total"]["requests"], found["outside"]) == (4, 1)
    _, err = told(capsys, str(log), "--since", "2027-01-01T00:00", code=2)
    assert "widen --since and --until" in err


def test_several_logs_are_added_up(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(told(capsys, str(log), str(log), "--format", "json")[0])
    assert found["total"]["requests"] == 10


def test_a_line_left_out_is_told_by_its_file_and_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    one.write_bytes(msgspec.json.encode(record()) + b"\n")
    noon = msgspec.json.encode(record(time="noon"))
    two.write_bytes(b"\n" + noon + b"\n")
    out, _ = told(capsys, str(one), str(two))
    problem = "its time is none of ISO 8601 with a zone"
    assert f"line 2 left out: {problem}, in {two}" in out


@pytest.mark.parametrize("by", ["tier", "day"])
def test_the_json_form_is_that_of_its_schema(
    log: Path, capsys: pytest.CaptureFixture[str], by: str
) -> None:
    schema = json.loads(read_schema("usage"))
    validator = Draft202012Validator(schema)
    found = json.loads(told(capsys, str(log), "--format", "json", "--by", by)[0])
    validator.validate(found)
    for more in ({"more": 1}, {"total": found["total"] | {"more": 1}}):
        with pytest.raises(ValidationError):
            validator.validate(found | more)
    assert set(schema["properties"]["by"]["items"]["enum"]) == set(BY)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no"),
        (b"", "holds no record of a request yet"),
        (b"a text of somebody\n", "not JSON"),
        (b'{"kind":"request","ver', "cut off"),
        (b'{"kind":"gap","version":1,"time":"","requests":1}\n', "version 1 of the usage log"),
        (b"SQLite format 3\0", "cannot read"),
    ],
)
def test_what_holds_nothing_says_how_to_get_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, words: str
) -> None:
    path = tmp_path / "log"
    if content is not None:
        path.write_bytes(content)
    out, err = told(capsys, str(path), code=2)
    assert out == "" and words in err and "somebody" not in err
    assert "Traceback" not in err


def test_a_torn_line_is_told_beside_the_sums(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "log"
    good = msgspec.json.encode(record()) + b"\n"
    path.write_bytes(good + b'{"torn\n' + good)
    out, _ = told(capsys, str(path))
    assert "line 2 left out: not JSON" in out and "total         2" in out


def test_what_all_on_one_target_would_have_cost(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = bundle_of((ROOT / "generated" / "quickstart" / "dispatch.json").read_bytes(), tmp_path)
    out, _ = told(capsys, str(log), "--flagship", "best", "--bundle", str(bundle))
    assert "against all on best: " in out and "2 requests left out: unserved or unpriced" in out
    document = json.loads(
        told(capsys, str(log), "--flagship", "best", "--bundle", str(bundle), "--format", "json")[0]
    )
    assert document["against"]["requests"] == 3
    assert document["against"]["paid"] == 1_004_000
    assert document["against"]["would"] > 0
    _, err = told(capsys, str(log), "--flagship", "bets", "--bundle", str(bundle), code=2)
    assert "did you mean `best`" in err
    _, err = told(capsys, str(log), "--flagship", "best", code=2)
    assert "--flagship needs --bundle" in err
    out, _ = told(capsys, str(log), "--bundle", str(bundle))
    assert "against all on best: " in out  # the dearest


def test_two_keys_tell_groups_of_groups_apart(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = told(capsys, str(log), "--by", "day,tier")
    rows = [line.split("  ")[:2] for line in out.splitlines() if re.match(r"\S* *(HIGH|LOW)", line)]
    assert rows
    document = json.loads(told(capsys, str(log), "--by", "day,tier", "--format", "json")[0])
    names = [one["names"] for one in document["groups"]]
    assert document["by"] == ["day", "tier"]
    assert [first for first, _ in names] == sorted(first for first, _ in names)
    assert sum(one["requests"] for one in document["groups"]) == document["total"]["requests"]
    csv_text = told(capsys, str(log), "--by", "day,tier", "--format", "csv")[0]
    assert csv_text.startswith("day,tier,requests,")
    assert len(csv_text.splitlines()) == len(names) + 1


@pytest.mark.parametrize("by", ["tiers", "day,day", "day,tier,key", ""])
def test_what_cannot_be_told_apart_is_refused(
    by: str, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["usage", str(log), "--by", by])
    assert "--by" in capsys.readouterr().err
