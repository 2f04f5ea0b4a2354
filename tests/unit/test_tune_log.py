"""``lynkrc tune --log``: outcomes of a usage log to a diff, and every reason why there is none."""

import json
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lynkrc.cli.exit_codes import ExitCode
from lynkrc.cli.main import main
from lynkrc.diff.replay import Decider
from lynkrc.source.resources import read_schema
from lynkrc_runtime.usage_record import FeedbackLine, GapLine, Signal, SignalLine
from tests.unit.diff_sample import SPEC as SMALL
from tests.unit.diff_sample import edited
from tests.unit.log_sample import decider, described, line, record, values

SPEC = edited(
    (
        "  dimensions:\n",
        '  offset: 5\n  dimensions:\n    rows: {weight: 1, value: "ramp(ask.lines, 0, 20)"}\n',
    ),
    (
        "rules:\n",
        "rules:\n  - {name: huge, when: ask.chars > 9000, floor: HIGH}\n"
        "  - {name: listed, when: ask.commas > 90, floor: HIGH}\n",
    ),
    spec=SMALL,
)
TIME = "2026-01-01T00:00:00.000+00:00"


@cache
def made() -> Decider:
    return decider(SPEC)


def traffic(count: int = 80, *, judgements: bool = True, **changed: Any) -> list[bytes]:
    """Sessions of two requests; what has many lines ends badly, whatever its words.

    Of those that were served by HIGH all would be bad.
    """
    drawn = random.Random(7)
    lines = [described(made())]
    for number in range(count):
        words, rows = drawn.randrange(20), drawn.randrange(20)
        is_high = words > 12
        is_bad = drawn.random() < (0.9 if rows > 12 else 0.05)
        slots = values(
            made(),
            **{
                "ask.words": words,
                "ask.lines": rows,
                "ask.chars": 5 * words,
                "ask.commas": drawn.randrange(4),
            },
        )
        members: dict[str, Any] = {
            "request_id": f"r{number}",
            "session": f"s{number // 2}",
            "slots": slots,
            "tier": "HIGH" if is_high else "LOW",
        }
        lines.append(line(record(made(), **(members | changed))))
        if judgements and (is_high or is_bad):
            lines.append(judged(number))
    return lines


def judged(number: int, score: float = 0.0) -> bytes:
    found = FeedbackLine(
        version=2,
        time=TIME,
        request_id=f"r{number}",
        bundle=made().digest,
        key=None,
        score=score,
    )
    return line(found)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routing.yaml").write_text(SPEC, encoding="utf-8")
    (tmp_path / "usage.jsonl").write_bytes(b"".join(traffic()))
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    asked = (
        "tune",
        "routing.yaml",
        "--log",
        "usage.jsonl",
        "--resamples",
        "100",
        "--max-weights",
        "2",
        "--folds",
        "3",
        *words,
    )
    assert main(asked) == code
    return capsys.readouterr()


def document(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(capsys, *words, "--format", "json")[0])
    Draft202012Validator(json.loads(read_schema("tune-log"))).validate(found)
    assert found["records"] == found["decided"] + sum(one["count"] for one in found["left_out"])
    assert found["decided"] == found["labels"] + sum(one["count"] for one in found["unlabelled"])
    return found


def test_what_ends_badly_is_learned_of_weak_tiers_alone(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(capsys)
    weights = {one["name"]: one["after"] for one in found["weights"]}
    # By HIGH all long ones ended badly: that would have made words weigh.
    assert weights["rows"] > 50 and abs(weights["size"] or 0) < weights["rows"] / 4
    assert found["held_out"]["weak_tiers"] == ["LOW"]
    assert found["held_out"]["tuned"]["value"] > 0.8
    assert found["held_out"]["length_slot"] == "ask.chars"
    assert [one["verdict"] for one in found["verdicts"]] == ["better", "better"]
    assert found["bad"] == sum(one["bad"] for one in found["sources"])
    assert {one["source"]: one["weight"] for one in found["sources"]} == {
        "caller": 1.0,
        "clean": 0.1,
    }
    assert found["counts"] == ["ask.chars", "ask.words", "ask.lines", "ask.commas"]
    (high,) = found["unlabelled"]
    assert high["what"].startswith("served by HIGH")
    assert 0 < found["lowered"] <= high["count"]
    assert any(
        f"{found['lowered']} of the requests would go below" in one for one in found["warnings"]
    )


def test_the_current_order_is_measured_as_eval_does(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    current = document(capsys)["held_out"]
    asked = ("eval", "routing.yaml", "--log", "usage.jsonl", "--resamples", "100")
    assert main([*asked, "--format", "json"]) == 0
    weak = json.loads(capsys.readouterr().out)["weak"]
    assert weak["auroc"]["value"] == current["current"]["value"]
    assert weak["length"]["value"] == current["length"]["value"]


def test_the_text_says_what_labels_are_worth(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, _ = run(capsys)
    above, _, patch = text.partition("\n--- ")
    told = " ".join(above.split())
    assert "weak labels of a usage log" in told
    assert "better than the current spec on held-out outcomes: AUROC +0." in told
    assert "warning: the labels are weak" in told
    assert "warning: only what was served was seen" in told
    assert "favours what is tuned" in told
    assert "of so few bad outcomes little can be told" in told
    assert "of fewer than 1,000 little can be told" in told
    assert "APGR" not in text and "CPT" not in text
    assert max(map(len, above.splitlines())) <= 80
    assert "+    rows:" in patch
    again, _ = run(capsys)
    assert again == text


def test_what_is_written_decides_the_log_as_was_fitted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "--write", "--shares", "60,40")
    assert "rows" in (folder / "routing.yaml").read_text(encoding="utf-8")
    assert main(["eval", "routing.yaml", "--log", "usage.jsonl", "--format", "json"]) == 0
    low, high = json.loads(capsys.readouterr().out)["tiers"]
    assert high["now"] / (low["now"] + high["now"]) == pytest.approx(0.4, abs=0.06)


def test_no_gain_is_claimed_whose_interval_holds_zero(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A spec that orders by lines already: there is nothing to gain.
    text = SPEC.replace("rows: {weight: 1,", "rows: {weight: 100,")
    text = text.replace("size: {weight: 100,", "size: {weight: 1,")
    (folder / "routing.yaml").write_text(text, encoding="utf-8")
    text, _ = run(capsys, "--require-gain", code=ExitCode.FINDINGS)
    assert "no gain shown: AUROC " in text and "better than the current spec" not in text
    assert "Nothing here says that the diff helps." in text


def test_what_cannot_be_used_is_counted_and_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slots = values(made())
    lost = {name: value for name, value in slots.items() if name != "ask.lines"}
    extra = [
        line(record(made(), request_id="x1", slots=lost)),
        line(record(made(), request_id="x2", slots=None, ending="malformed")),
        line(record(made(), request_id="x3", surface="embeddings")),
        line(record(made(), request_id="x4", ending="aborted")),
        line(record(made(), request_id="x5", tier="OTHER")),
        line(GapLine(version=2, time=TIME, requests=3)),
        line(
            SignalLine(
                version=2,
                time=TIME,
                request_id="nobodys",
                bundle="d",
                key=None,
                signal=Signal.USER_RETRY,
            )
        ),
        b"{\n",
    ]
    (folder / "usage.jsonl").write_bytes(b"".join((*traffic(), *extra)))
    found = document(capsys)
    left = {one["what"]: one["count"] for one in found["left_out"]}
    assert left["ask.lines, which this spec reads"] == 1
    assert left["no features: the request ended before it was read"] == 1
    assert left["embeddings: their targets are declared, not decided"] == 1
    assert left["never logged: the gateway could not write them"] == 3
    unlabelled = {one["what"]: one["count"] for one in found["unlabelled"]}
    assert unlabelled["it ended as aborted, which says nothing of the answer"] == 1
    assert unlabelled["served by no tier that this spec has"] == 1
    assert (found["strays"], found["bad_line_count"]) == (1, 1)
    text = " ".join(run(capsys)[0].split())
    assert "1 count for shares only: served by no tier that this spec has" in text
    assert "3 left out: never logged" in text
    assert "1 left out: judgements of requests that are not in the log" in text


def test_words_that_a_log_cannot_weigh_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SPEC.replace("    rows:", "    spoken: {terms: secrets}\n    rows:")
    (folder / "routing.yaml").write_text(text, encoding="utf-8")
    other = decider(text)
    points = next(slot.text for slot in other.table.slots if slot.text.startswith("points"))
    lines = [described(other)]
    for one in traffic()[1:]:
        read = json.loads(one)
        if read["kind"] == "request":
            read["slots"][points] = 0
        lines.append(line(read | {"bundle": other.digest}))
    (folder / "usage.jsonl").write_bytes(b"".join(lines))
    found = document(capsys)
    assert found["lost"] == ["spoken"]
    assert any("points of the terms of spoken are not in" in one for one in found["warnings"])
    assert "-    spoken: {terms: secrets}" in found["patch"]


def test_a_count_that_some_records_lack_is_no_candidate(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Of an older bundle, which did not read commas; the spec does not read them either.
    text = SPEC.replace("  - {name: listed, when: ask.commas > 90, floor: HIGH}\n", "")
    (folder / "routing.yaml").write_text(text, encoding="utf-8")
    older = {name: 1 for name in ("ask.words", "ask.lines", "ask.chars")}
    other = decider(text)
    extra = [described(other), line(record(other, slots=values(other, **older)))]
    (folder / "usage.jsonl").write_bytes(b"".join((*traffic(), *extra)))
    found = document(capsys)
    assert found["counts"] == ["ask.chars", "ask.words", "ask.lines"]
    assert found["decided"] == 81


NOT_BAD: dict[str, Any] = {"judgements": False}
BROKEN = {"ending": "broken"}


@pytest.mark.parametrize(
    ("count", "changed", "words", "said"),
    [
        (0, {}, (), "usage.jsonl holds no record of a request yet; `lynkrc serve"),
        (9, {"tier": "HIGH"}, (), "no outcome is known of a request that a tier below HIGH"),
        (9, {"tier": "HIGH"}, (), "or name a higher tier by --strong-from"),
        (9, NOT_BAD, (), "no answer of LOW was bad, of "),
        (9, NOT_BAD, (), "feedback of callers (POST /v1/feedback)"),
        (9, BROKEN, (), "every answer of LOW was bad"),
        (9, BROKEN, (), "send more of them to HIGH"),
        (6, {}, (), "are too few for 3 folds; gather more traffic"),
        (9, {}, ("--folds", "2"), "2 folds are too few; take 3 or more"),
        (9, {}, ("--strong-from", "LOW"), "no tier is below LOW"),
        (9, {}, ("--shares", "50,30,20"), "--shares: 3 for 2 tiers"),
        (9, {}, ("--weak", "m"), "leave out --weak, or tune without it"),
        (9, {}, ("--suite", "m"), "leave out --suite"),
        (9, {}, ("--max-terms", "5"), "leave out --max-terms"),
        (9, {}, ("--budget-usd", "5"), "leave out --budget-usd"),
    ],
)
def test_what_no_fit_is_made_of_has_a_way_out(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    count: int,
    changed: dict[str, Any],
    words: Sequence[str],
    said: str,
) -> None:
    (folder / "usage.jsonl").write_bytes(b"".join(traffic(count, **changed)))
    out, err = run(capsys, *words, code=ExitCode.CANNOT_RUN)
    assert said in err and not out


def test_a_log_that_is_not_there_and_neither_log_nor_data(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "usage.jsonl").unlink()
    assert "there is no usage.jsonl; `lynkrc serve" in run(capsys, code=2)[1]
    assert main(["tune", "routing.yaml"]) == 2
    assert "name DATA, files of labelled requests, or --log FILE" in capsys.readouterr().err
    assert main(["tune", "routing.yaml", "data.jsonl", "--log", "usage.jsonl"]) == 2
    assert "leave out DATA" in capsys.readouterr().err
