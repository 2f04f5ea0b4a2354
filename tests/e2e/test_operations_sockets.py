"""What operators have of a running gateway: logs that rotate and are shared, records, probes."""

import json
import re
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from lynkrc.diff.logged import read_lines
from lynkrc.quality.outcome_labels import outcome_labels
from lynkrc_runtime.usage_database import usage_lines
from lynkrc_runtime.usage_record import RequestLine
from tests.e2e.gateway import GatewayProcess, built, serving
from tests.e2e.socket_lab import Answer, exchange
from tests.unit.diff_sample import SPEC

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("operations")


@pytest.fixture(scope="module")
def bundle(folder: Path) -> Path:
    spec = folder / "routing.yaml"
    spec.write_text(SPEC)
    return built(spec, folder / "out", "shop")


def declared(folder: Path, observability: str) -> Path:
    """A bundle that says where logs go."""
    spec = folder / "declared.yaml"
    spec.write_text(f"{SPEC}observability: {observability}\n")
    return built(spec, folder / "out", "shop")


def asked(
    gateway: GatewayProcess, identity: str, words: int = 1, *, stream: bool = False
) -> Answer:
    body: dict[str, Any] = {
        "model": "auto",
        "max_tokens": 50,
        "stream": stream,
        "messages": [{"role": "user", "content": "word " * words}],
    }
    headers = JSON | {"x-request-id": identity}
    return exchange(gateway.url, "POST", "/v1/messages", json.dumps(body).encode(), headers)


def records(paths: Iterable[Path]) -> list[str]:
    return [
        line.request_id
        for path in paths
        for line in read_lines(usage_lines(path))
        if isinstance(line, RequestLine)
    ]


@pytest.mark.parametrize("name", ["usage.jsonl", "usage.db"])
def test_what_is_said_of_answers_becomes_labels(bundle: Path, tmp_path: Path, name: str) -> None:
    usage = tmp_path / name
    words = "planted words that are long enough"
    headers = JSON | {"session-id": "planted-session"}
    sent = {
        "model": "auto",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": words}],
    }
    with serving(bundle, tmp_path / "stderr", ["--usage-log", str(usage)]) as gateway:
        for identity in ("first", "again"):
            told = exchange(
                gateway.url,
                "POST",
                "/v1/messages",
                json.dumps(sent).encode(),
                headers | {"x-request-id": identity},
            )
            assert told.status == 200
        assert asked(gateway, "other").status == 200
        said = json.dumps({"request_id": "other", "score": 0.2}).encode()
        assert exchange(gateway.url, "POST", "/v1/feedback", said, JSON).status == 200
        assert gateway.stop() == 0
    found = outcome_labels(read_lines(usage_lines(usage)))
    labels = {one.request_id: (one.source.value, one.is_bad) for one in found.labels}
    assert labels == {
        "first": ("user_retry", True),
        "again": ("clean", False),
        "other": ("caller", True),
    }
    assert len({one.group for one in found.labels}) == 2
    assert b"planted" not in usage.read_bytes()


@pytest.mark.parametrize("name", ["usage.jsonl", "usage.db"])
def test_two_gateways_share_logs(bundle: Path, tmp_path: Path, name: str) -> None:
    usage, log = tmp_path / name, tmp_path / "log"
    arguments = ["--usage-log", str(usage), "--log-file", str(log)]
    with ExitStack() as stack:
        both = [
            stack.enter_context(serving(bundle, tmp_path / f"stderr-{n}", arguments))
            for n in range(2)
        ]
        for number in range(20):
            assert asked(both[number % 2], f"req-{number:02}").status == 200
        assert [gateway.stop() for gateway in both] == [0, 0]
    wanted = [f"req-{number:02}" for number in range(20)]
    assert sorted(records([usage])) == wanted
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert sorted(line["request_id"] for line in lines if line["event"] == "request") == wanted
    assert (tmp_path / "stderr-0").read_text() == ""


def test_files_and_fields_are_as_the_spec_says(folder: Path, tmp_path: Path) -> None:
    log, usage = tmp_path / "gateway.log", tmp_path / "usage.jsonl"
    made = declared(
        tmp_path,
        f"{{log: {{fields: [request_id, tier, status], file: {log}, rotate: {{size: 1KiB}}}},"
        f" usage: {{file: {usage}, rotate: {{size: 2KiB, keep: 50}}}},"
        " metrics: {labels: [provider, tier]}}",
    )
    with serving(made, tmp_path / "stderr") as gateway:
        for number in range(20):
            assert asked(gateway, f"req-{number:02}").status == 200
        metrics = exchange(gateway.admin, "GET", "/metrics", None, {}).body.decode()
        assert gateway.stop() == 0
    assert 'provider="house"' in metrics
    kept = [path for path in tmp_path.glob("usage.jsonl*") if path.suffix != ".lock"]
    assert len(kept) > 1
    assert sorted(records(kept)) == [f"req-{number:02}" for number in range(20)]
    lines = [json.loads(line) for line in (tmp_path / "gateway.log.1").read_text().splitlines()]
    assert all(
        set(line) == {"time", "level", "event", "request_id", "tier", "status"}
        for line in lines
        if line["event"] == "request"
    )


def test_logrotate_may_move_the_files(bundle: Path, tmp_path: Path) -> None:
    usage, log = tmp_path / "usage.jsonl", tmp_path / "log"
    arguments = ["--usage-log", str(usage), "--log-file", str(log)]
    with serving(bundle, tmp_path / "stderr", arguments) as gateway:
        assert asked(gateway, "before").status == 200
        # The log is written before the answer is complete, so it can be moved now.
        log.rename(tmp_path / "log.old")
        assert asked(gateway, "after").status == 200
        assert gateway.stop() == 0
    assert "after" in log.read_text() and "before" in (tmp_path / "log.old").read_text()


def test_a_full_disk_fails_no_request_and_is_counted(bundle: Path, tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    stderr = tmp_path / "stderr"
    with serving(bundle, stderr, ["--log-file", str(full)]) as gateway:
        for number in range(3):
            assert asked(gateway, f"req-{number}", stream=number == 1).status == 200
        metrics = exchange(gateway.admin, "GET", "/metrics", None, {}).body.decode()
        assert gateway.stop() == 0
    lost = re.search(r'lynkr_records_lost\{of="log"\} ([0-9.]+)', metrics)
    # Those of the three requests, and what was said at the start.
    assert lost is not None and float(lost[1]) >= 3
    assert stderr.read_text().count("the log cannot be written: No space left on device") == 1


def test_numbers_for_people(bundle: Path, tmp_path: Path) -> None:
    with serving(bundle, tmp_path / "stderr") as gateway:
        assert asked(gateway, "one").status == 200
        assert asked(gateway, "two", 30, stream=True).status == 200
        assert exchange(gateway.url, "POST", "/v1/messages", b"x", JSON).status == 400
        assert exchange(gateway.url, "GET", "/v1/nothing", None, {}).status == 404
        summary = json.loads(
            exchange(gateway.admin, "GET", "/metrics/observability", None, {}).body
        )
        used = json.loads(exchange(gateway.url, "GET", "/v1/usage/two", None, {}).body)
        line = gateway.request("two")
        refused = [line for line in gateway.lines if line["event"] == "refused"]
        assert gateway.stop() == 0
    assert summary["requests"] == {"total": 3, "by_class": {"malformed": 1, "served": 2}}
    assert set(summary["tiers"]) == {"LOW", "HIGH"}
    assert (summary["in_flight"], summary["refused"]) == (0, {"404": 1})
    assert summary["first_byte_seconds"]["p50"] is not None
    assert (used["cost_micro_usd"], used["target"]) == (line["cost_micro_usd"], line["target"])
    assert line["first_byte_ms"] <= line["duration_ms"]
    assert [(one["status"], one["path"]) for one in refused] == [(404, None)]
