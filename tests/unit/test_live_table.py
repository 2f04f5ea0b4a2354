"""Snapshots of metrics to a screen: rates between two, and what is left out where it is small."""

import sys
from math import inf
from typing import Any

import pytest

from lynkrc.cli import top
from lynkrc.cli.main import main
from lynkrc.live.asking import Unreachable
from lynkrc.live.snapshot import Snapshot, is_after, snapshot
from lynkrc.live.table import Look, screen

Sample = tuple[str, dict[str, str], float]


def taken(at: float, times: int = 1, **more: Any) -> Snapshot:
    """A gateway that has served so many times a hundred requests."""

    def requests(target: str, tier: str, ending: str, count: int) -> Sample:
        labels = {"target": target, "tier": tier, "class": ending, "surface": "messages"}
        return "lynkr_requests_total", labels, float(count * times)

    samples: list[Sample] = [
        requests("small", "LOW", "served", 80),
        requests("best", "HIGH", "served", 15),
        requests("best", "HIGH", "broken", 1),
        requests("none", "none", "malformed", 4),
        ("lynkr_attempts_total", {"target": "best", "result": "x", "class": "transient"}, 7.0),
        ("lynkr_attempts_total", {"target": "best", "result": "x", "class": "none"}, 15.0),
        ("lynkr_fallbacks_total", {"target": "best"}, 2.0),
        ("lynkr_tokens_total", {"target": "best", "kind": "input"}, 12_000.0),
        ("lynkr_tokens_total", {"target": "best", "kind": "cache_read"}, 500.0),
        ("lynkr_tokens_total", {"target": "best", "kind": "output"}, 300.0),
        ("lynkr_cost_micro_usd_total", {"target": "best", "kind": "input"}, 1_250_000.0),
        ("lynkr_breaker_state", {"target": "best"}, 2.0),
        ("lynkr_breaker_state", {"target": "small"}, 0.0),
        ("lynkr_request_seconds_bucket", {"le": "1.0"}, 90.0 * times),
        ("lynkr_request_seconds_bucket", {"le": "2.5"}, 100.0 * times),
        ("lynkr_request_seconds_bucket", {"le": "+Inf"}, 100.0 * times),
    ]
    summary = {
        "name": "team",
        "uptime_seconds": 3700,
        "degraded": [],
        "requests": {"total": 100 * times},
        "in_flight": 3,
        "cost_micro_usd": 1_250_000,
        "unpriced_calls": 0,
    }
    return snapshot(at, summary | more, samples)


def texts(*snapshots: Snapshot, width: int = 80, height: int | None = None) -> list[str]:
    *before, new = snapshots
    return [one.text for one in screen(new, *(before or [None]), width=width, height=height)]


def test_the_whole_table() -> None:
    lines = texts(taken(0.0), taken(10.0, 2))
    assert lines[0] == "lynkrc team  up 1 h 1 min  3 in flight"
    told = "200 requests  10.0/s  p50 556 ms  p95 1.8 s  errors 5.0 %  $1.2500 spent"
    assert lines[1] == told
    assert lines[3:6] == [
        "target     breaker  requests     /s  failed fallb.      in     out     cost $",
        "small       closed       160    8.0       0      0       0       0     0.0000",
        "best          open        32    1.6       7      2   12.5k     300     1.2500",
    ]
    assert lines[8].split() == ["LOW", "160", "8.0", "0", "83", "%"]
    assert all(len(line) <= 80 for line in lines)


def test_an_open_breaker_is_seen() -> None:
    looks = {
        line.text.split()[0]: line.look
        for line in screen(taken(0), None, width=80, height=None)
        if line.text
    }
    assert looks["best"] is Look.BAD
    assert looks["small"] is Look.PLAIN


def test_workers_and_what_is_degraded_are_told() -> None:
    lines = texts(taken(0, workers={"ready": 3, "wanted": 4}, degraded=["workers"]))
    assert "3 of 4 workers" in lines[0]
    assert lines[2] == "degraded: workers"
    assert "  4 workers  " in texts(taken(0, workers={"ready": 4, "wanted": 4}))[0]


@pytest.mark.parametrize("width", [1, 8, 20, 40, 79])
@pytest.mark.parametrize("height", [1, 2, 3, 5, 7, 9, 12])
def test_a_small_screen_is_not_left(width: int, height: int) -> None:
    lines = texts(taken(0.0), taken(10.0, 2), width=width, height=height)
    assert len(lines) <= height
    assert all(len(line) <= width for line in lines)


def test_what_is_wanted_least_goes_first() -> None:
    assert "fallb." not in texts(taken(0), width=70)[3]
    assert "requests" in texts(taken(0), width=20)[3]


def test_a_restart_begins_anew() -> None:
    old = taken(0.0, 2)
    assert is_after(taken(2.0, 3), old)
    assert not is_after(taken(2.0, 1), old)
    assert not is_after(taken(2.0, 3, name="other"), old)
    assert not is_after(taken(2.0, 3, uptime_seconds=1), old)
    # One of several workers was killed: what it had counted for one target is gone.
    lost = taken(2.0, 3)
    lost.targets["small"].requests = 1
    assert not is_after(lost, old)


@pytest.mark.parametrize("state", ["4", "NaN", "+Inf"])
def test_what_no_gateway_says_is_no_end(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    says = {
        "/metrics": f'lynkr_breaker_state{{target="x"}} {state}\n'.encode(),
        "/metrics/observability": b"[]",
    }
    monkeypatch.setattr(top, "ask", lambda _, path, **__: says[path])
    with pytest.raises(Unreachable, match="not as a gateway"):
        top.taken("http://127.0.0.1:1", None, within=1.0)


def test_an_address_without_a_scheme_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["top", "--once", "--admin", "127.0.0.1:8082"]) == 2
    assert "write http://HOST:PORT" in capsys.readouterr().err


def test_where_there_is_no_curses_one_table_can_be_had(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("curses", "_curses"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("lynkrc.live.screen", "lynkrc.cli.top"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert main(["top", "--once", "--admin", "http://127.0.0.1:1"]) == 2
    assert "no gateway answers" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "linux")
    assert main(["top"]) == 2
    assert "use --once" in capsys.readouterr().err


def test_nothing_has_happened_yet() -> None:
    empty = Snapshot(at=0.0, name="team", uptime=1, buckets={inf: 0})
    lines = texts(empty)
    assert "0 requests  -/s  p50 -  p95 -  errors -  $0.0000 spent" in lines
    assert "no target has had a request yet" in lines
