"""Usage records in files that rotate and in SQLite: both are read alike, whoever writes."""

import os
import sqlite3
import stat
import time
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.settings import Rotate
from lynkrc_runtime.telemetry import usage_sinks
from lynkrc_runtime.telemetry.outcome import Ending, Outcome
from lynkrc_runtime.telemetry.usage_log import UsageLog
from lynkrc_runtime.usage_database import SCHEMA, usage_lines
from lynkrc_runtime.usage_record import (
    VERSION,
    BundleLine,
    FeedbackLine,
    GapLine,
    Line,
    RequestLine,
)
from tests.runtime.by_hand import MESSAGES, Said, dispatch, gateway, policy, provider, target

DIGEST = "d" * 64


def table() -> Dispatch:
    return dispatch([provider("sim", "simulator")], [target("one", 0)])


def open_log(path: Path, **more: Any) -> UsageLog:
    log = gateway(policy(table()), Said()).log
    return UsageLog(path, table(), DIGEST, log=log, **{"clock": lambda: 1_700_000_000.0} | more)


def ended(identity: str) -> Outcome:
    return Outcome(
        request_id=identity,
        surface="messages",
        dialect=MESSAGES,
        model="auto",
        stream=False,
        ending=Ending.SERVED,
        status=200,
        seconds=1.5,
        target=0,
        key="ci",
        team="red",
        tenant="acme",
    )


def read(path: Path) -> list[Line]:
    return [msgspec.json.decode(line, type=Line) for line in usage_lines(path)]


def ids(lines: list[Line]) -> list[str]:
    return [line.request_id for line in lines if isinstance(line, RequestLine)]


@pytest.mark.parametrize("name", ["usage.jsonl", "usage.db"])
def test_both_forms_hold_the_same_records(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with open_log(path) as log:
        for number in range(3):
            log.settled(table(), DIGEST, ended(f"req_{number}"))
    first, *rest = read(path)
    assert isinstance(first, BundleLine) and first.bundle == DIGEST
    assert ids(rest) == ["req_0", "req_1", "req_2"]
    record = rest[0]
    assert isinstance(record, RequestLine)
    assert (record.key, record.team, record.tenant) == ("ci", "red", "acme")
    assert (record.target, record.model, record.duration_ms) == ("one", "model-one", 1500)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["usage.jsonl", "usage.db"])
def test_an_id_used_twice_is_judged_when_it_was(tmp_path: Path, name: str) -> None:
    moments = count(1_800_000_000.0)
    path = tmp_path / name
    with open_log(path, clock=lambda: next(moments)) as log:
        for score in (0.0, 1.0):
            log.settled(table(), DIGEST, ended("twice"))
            assert log.judged("twice", DIGEST, "ci", score)
    kinds = [type(line) for line in read(path) if not isinstance(line, BundleLine)]
    assert kinds == [RequestLine, FeedbackLine] * 2


def test_a_database_of_before_judgements_is_read(tmp_path: Path) -> None:
    path = tmp_path / "usage.db"
    with open_log(path) as log:
        log.settled(table(), DIGEST, ended("one"))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DROP TABLE judgements")
    assert ids(read(path)) == ["one"]
    with open_log(path) as log:
        assert log.judged("one", DIGEST, "ci", 1.0)
    assert isinstance(read(path)[-1], FeedbackLine)


def test_every_file_of_a_rotation_describes_its_bundle(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    with open_log(path, rotate=Rotate(size=600, keep=50)) as log:
        for number in range(20):
            log.settled(table(), DIGEST, ended(f"req_{number:02}"))
    files = [one for one in tmp_path.iterdir() if not one.name.endswith(".lock")]
    assert len(files) > 3
    found = [read(one) for one in files]
    assert all(isinstance(lines[0], BundleLine) for lines in found)
    assert sorted(one for lines in found for one in ids(lines)) == [
        f"req_{number:02}" for number in range(20)
    ]


def test_a_bundle_is_described_before_its_first_record(tmp_path: Path) -> None:
    path, other = tmp_path / "usage.jsonl", "e" * 64
    with open_log(path) as log:
        log.settled(table(), other, ended("req_1"))
        log.settled(table(), DIGEST, ended("req_2"))
        log.settled(table(), other, ended("req_3"))
    kinds = [(type(line).__name__, getattr(line, "bundle", None)) for line in read(path)]
    assert kinds == [
        ("BundleLine", DIGEST),
        ("BundleLine", other),
        ("RequestLine", other),
        ("RequestLine", DIGEST),
        ("RequestLine", other),
    ]


@pytest.mark.parametrize("name", ["usage.jsonl", "usage.db"])
def test_gateways_share_a_log(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with open_log(path) as one, open_log(path) as other:
        for number in range(50):
            one.settled(table(), DIGEST, ended(f"one_{number:02}"))
            other.settled(table(), DIGEST, ended(f"two_{number:02}"))
    assert sorted(ids(read(path))) == sorted(
        f"{who}_{number:02}" for who in ("one", "two") for number in range(50)
    )


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "usage.db"
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE theirs (a)")
    made.close()
    with pytest.raises(OSError, match="no database of usage records"):
        open_log(path)
    with pytest.raises(OSError, match="something else"):
        list(usage_lines(path))


def test_a_number_that_a_database_cannot_hold_is_told_of(tmp_path: Path) -> None:
    sink = usage_sinks.DatabaseSink(tmp_path / "usage.db")
    time = "2026-01-02T03:04:05.000+00:00"
    with pytest.raises(OSError, match="too large"):
        sink.put((GapLine(version=VERSION, time=time, requests=2**64),))
    sink.put((GapLine(version=VERSION, time=time, requests=1),))
    sink.close()
    (line,) = read(tmp_path / "usage.db")
    assert isinstance(line, GapLine) and line.requests == 1


def test_a_file_of_another_kind_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "usage.db"
    path.write_bytes(b"not a database, but long enough to be taken for a header" * 20)
    with pytest.raises(OSError, match="not a database"):
        open_log(path)


def test_a_start_that_ended_half_way_left_no_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "usage.db"
    with monkeypatch.context() as patch:
        patch.setattr(usage_sinks, "SCHEMA", (*SCHEMA[:1], "CREATE nonsense"))
        with pytest.raises(OSError, match="syntax error"):
            open_log(path)
    with open_log(path) as log:
        log.settled(table(), DIGEST, ended("req_1"))
    assert ids(read(path)) == ["req_1"]


def test_an_end_does_not_wait_for_each_record_that_cannot_be_written(tmp_path: Path) -> None:
    tried: list[bytes] = []
    path, now, passed = tmp_path / "usage.jsonl", [1_700_000_000.0], [0.0]

    def append(file: int, data: bytes) -> None:
        if b"req_" not in data and b"gap" not in data:
            os.write(file, data)
            return
        while log._ends is None:  # all of them wait until the end has begun
            time.sleep(0.001)
        tried.append(data)
        passed[0] += 2.0
        now[0] -= 3600.0  # the time of day is set back, too
        raise OSError("database is locked")

    log = open_log(path, append=append, clock=lambda: now[0], ticks=lambda: passed[0])
    with log:
        for number in range(50):
            log.settled(table(), DIGEST, ended(f"req_{number}"))
    assert [b"gap" in data for data in tried] == [False, False, False, True]
    assert log.lost == 50


def test_a_file_that_was_emptied_describes_its_bundle_again(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    with open_log(path) as log:
        os.truncate(path, 0)
        log.settled(table(), DIGEST, ended("req_1"))
    first, *rest = read(path)
    assert isinstance(first, BundleLine) and ids(rest) == ["req_1"]


@pytest.mark.parametrize("how", ["emptied", "removed"])
def test_a_judgement_first_in_a_file_leaves_its_bundle_to_be_described(
    tmp_path: Path, how: str
) -> None:
    path = tmp_path / "usage.jsonl"
    with open_log(path) as log:
        if how == "emptied":
            os.truncate(path, 0)
        else:
            path.unlink()
        log.judged("one", DIGEST, "ci", 1.0)
        log.settled(table(), DIGEST, ended("two"))
    assert [type(line) for line in read(path)] == [FeedbackLine, BundleLine, RequestLine]
