"""The line for a prompt: from the end of a log, quickly, and never with an error."""

import io
import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lynkrc.cli.main import main
from lynkrc.live.line import Known, filled, usual_line
from lynkrc.live.today import Today, flagship_prices, midnight, today

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PRICES = {"input": 3.0, "output": 15.0, "cache_read": 0.3, "cache_write": 3.75}


def line(minutes: int, tier: str | None = "LOW", cost: int | None = 100, status: int = 200) -> str:
    record = {
        "kind": "request",
        "time": (NOW + timedelta(minutes=minutes)).isoformat(timespec="milliseconds"),
        "tier": tier,
        "target": "small",
        "model": "m",
        "status": status,
        "cost_micro_usd": cost,
        "tokens": {"input": 100, "output": 10, "cache_read": 0, "cache_write": 0},
        "padding": "x" * 900,
    }
    return json.dumps(record)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "usage.jsonl"
    old = [line(-minutes) for minutes in range(300, 0, -1)]
    new = [line(1), line(2, "HIGH", 400, 500), '{"kind": "gap"}', "broken", line(3, None, None)]
    path.write_text("\n".join([*old, *new]) + "\n" + '{"kind": "requ', encoding="utf-8")
    return path


VIENNA = "CET-1CEST,M3.5.0,M10.5.0/3"
HAVANA = "CST5CDT,M3.2.0/0,M11.1.0/1"
"""Its clocks change at midnight."""


@pytest.fixture
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    ("zone", "now", "began"),
    [
        (VIENNA, (2026, 3, 29, 0, 30), (2026, 3, 28, 23)),
        (VIENNA, (2026, 3, 29, 10), (2026, 3, 28, 23)),  # after the hour that is left out
        (VIENNA, (2026, 3, 29, 22, 30), (2026, 3, 29, 22)),
        (VIENNA, (2026, 10, 25, 0, 30), (2026, 10, 24, 22)),
        (VIENNA, (2026, 10, 25, 22, 59), (2026, 10, 24, 22)),  # after the hour that comes twice
        (VIENNA, (2026, 10, 25, 23), (2026, 10, 25, 23)),
        (HAVANA, (2026, 3, 8, 4, 59), (2026, 3, 7, 5)),
        (HAVANA, (2026, 3, 8, 20), (2026, 3, 8, 5)),  # a day that begins at one o'clock
        (HAVANA, (2026, 11, 1, 20), (2026, 11, 1, 4)),  # a day that begins twice
    ],
    indirect=["zone"],
)
def test_a_day_begins_by_the_clock_of_its_midnight(
    now: tuple[int, ...], began: tuple[int, ...]
) -> None:
    assert midnight(datetime(*now, tzinfo=UTC)) == datetime(*began, tzinfo=UTC)


def test_what_ended_since_counts(log: Path) -> None:
    found = today(log, NOW, PRICES)
    assert (found.requests, found.failed, found.cost, found.is_more) == (3, 1, 500, False)
    assert (found.tier, found.target, found.model) == ("HIGH", "small", "m")
    # 450 micro-dollars each at those prices, of two whose cost is known
    assert (found.compared, found.there, found.saved) == (500, 900.0, 44)


def test_all_of_a_short_log_may_be_of_today(log: Path) -> None:
    assert today(log, NOW - timedelta(days=1), None).requests == 303


def test_a_long_log_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    path.write_text((line(1) + "\n") * 5000, encoding="utf-8")
    found = today(path, NOW, None)
    assert found.is_more
    assert 3000 < found.requests < 5000


def test_a_database_is_read_by_its_times(tmp_path: Path) -> None:
    path = tmp_path / "usage.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE requests (id INTEGER PRIMARY KEY, time TEXT, line TEXT)")
        rows = [(json.loads(one)["time"], one) for one in (line(-9), line(1), line(2))]
        database.executemany("INSERT INTO requests (time, line) VALUES (?, ?)", rows)
    database.close()
    assert today(path, NOW, None).requests == 2
    path.write_bytes(b"SQLite format 3\0 and no more")
    with pytest.raises(OSError, match="database"):
        today(path, NOW, None)


def test_the_dearest_target_is_what_all_is_beside(tmp_path: Path) -> None:
    path = tmp_path / "one.lynkr"
    prices = [None, dict.fromkeys(PRICES, "1"), {kind: str(one) for kind, one in PRICES.items()}]
    with zipfile.ZipFile(path, "w") as zipped:
        targets = [{"name": "x", "price": price} for price in prices]
        zipped.writestr("dispatch.json", json.dumps({"targets": targets}))
    assert flagship_prices(path) == PRICES
    assert flagship_prices(tmp_path / "none") is None


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1", ""])
def test_a_broken_bundle_compares_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "one.lynkr"
    targets = [{"name": "x", "price": dict.fromkeys(PRICES, text)}] * 50
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("dispatch.json", json.dumps({"targets": targets}))
    if text == "1":
        assert flagship_prices(path) is not None
        data = bytearray(path.read_bytes())
        data[60:90] = bytes(one ^ 0xFF for one in data[60:90])
        path.write_bytes(data)
    assert flagship_prices(path) is None


def test_amounts_that_nobody_writes_are_in_no_sum(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    good = json.loads(line(1))
    huge = {"cost_micro_usd": 10**400}, {"tokens": {"input": 10**400}}
    path.write_text("".join(f"{json.dumps(good | one)}\n" for one in huge), encoding="utf-8")
    found = today(path, NOW, PRICES)
    assert (found.requests, found.compared, found.saved) == (2, 0, None)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no file"):
        today(tmp_path / "pipe", NOW, None)


def test_names_of_a_hostile_log_do_nothing_to_a_terminal() -> None:
    known = Known(tier="\x1b[31mLOW\u202e", requests="1")
    assert usual_line(known) == "lynkrc ?[31mLOW? 1 req (today)"
    assert filled("{tier}\x1b", known) == "?[31mLOW??"


def test_more_spent_than_there_is_told() -> None:
    assert Today(compared=300, there=100.0).saved == -200
    assert Today().saved is None


def test_it_never_ends_with_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper((tmp_path / "nothing").open("wb+")))
    for name in ("LYNKRC_USAGE_LOG", "LYNKRC_BUNDLE", "LYNKRC_ADMIN"):
        monkeypatch.delenv(name, raising=False)
    words = ["statusline", "--admin", "http://127.0.0.1:1"]
    assert main(words) == 0
    assert main([*words, "--usage-log", str(tmp_path / "none")]) == 0
    assert main([*words[:2], "no address"]) == 0
    assert main([*words[:2], "http://[::1"]) == 0
    with socket.create_server(("127.0.0.1", 0)) as mute:  # it takes the call, and says nothing
        assert main([*words[:2], f"http://127.0.0.1:{mute.getsockname()[1]}"]) == 0
    assert capsys.readouterr().out == "lynkrc: not running\n" * 5
    sys.stdin.close()


def test_it_imports_little_and_heeds_claude_code(log: Path, tmp_path: Path) -> None:
    """What an import costs is paid at every prompt."""
    heavy = ("msgspec", "aiohttp", "yaml", "lark", "jsonschema", "z3", "http", "email", "sqlite3")
    program = (
        "import sys; from lynkrc.cli.main import main;"
        f"main(['statusline', '--usage-log', {str(log)!r}, '--format', '{{client}} {{tier}}']);"
        f"sys.exit(', '.join(set({heavy!r}) & set(sys.modules)))"
    )
    # There from the start: what comes later than a moment is not heeded.
    told = tmp_path / "told"
    told.write_text(json.dumps({"model": {"id": "m", "display_name": "Opus"}}))
    with told.open() as stdin:
        done = subprocess.run(
            [sys.executable, "-c", program],
            stdin=stdin,
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
        )
    assert done.stderr == "\n" and done.returncode == 1, done.stderr
    assert done.stdout == "Opus -\n"
