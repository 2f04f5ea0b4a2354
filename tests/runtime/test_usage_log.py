"""The usage log: one record a request, the same facts as headers and log line, no text of it."""

import contextlib
import errno
import json
import os
import stat
import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.dispatch import Dispatch, Price, Slot, StringClass
from lynkrc_runtime.telemetry.outcome import Ending, Outcome
from lynkrc_runtime.telemetry.usage_log import UsageLog
from lynkrc_runtime.usage_record import BundleLine, FeedbackLine, GapLine, Line, RequestLine
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
    RESPONSES,
    Recorder,
    Said,
    Script,
    Scripted,
    ask,
    body,
    dispatch,
    gateway,
    policy,
    provider,
    target,
)

SECRET = "sk-planted-secret-0123456789"
PROMPT = "the planted prompt about a merger"
CLASSES = [
    StringClass(kind="absent", text=""),
    StringClass(kind="other", text=""),
    StringClass(kind="literal", text="legal"),
    StringClass(kind="prefix", text="team-"),
]


def table() -> Dispatch:
    made = dispatch(
        [provider("sim", "simulator"), provider("far", "anthropic-compatible")],
        [
            target("t0", 1, price=Price(input="1", output="2", cache_read="1", cache_write="1")),
            target("t1", 0),
        ],
    )
    words = Slot(feature="ask.words", args=[], type="int", low=0, high=99, classes=[])
    team = Slot(
        feature="header", args=["x-team"], type="class", low=0, high=3, classes=list(CLASSES)
    )
    return msgspec.structs.replace(made, slots=[words, team])


def open_log(path: Path, made: Dispatch, said: Said, **more: Any) -> UsageLog:
    served = gateway(policy(made), said)
    return UsageLog(path, made, "d" * 64, log=served.log, clock=lambda: 1_700_000_000.0, **more)


def lines(path: Path) -> list[Line]:
    return [msgspec.json.decode(one, type=Line) for one in path.read_bytes().splitlines()]


async def served(path: Path, calls: list[tuple[bytes, str, dict[str, str]]]) -> list[Recorder]:
    made = table()
    with ExitStack() as stack:
        log = stack.enter_context(open_log(path, made, Said()))
        base = gateway(
            policy(made), Said(), http=Scripted({"t0": [Script(fault=Fault.CONNECT)] * 9})
        )
        whole = replace(base, usage_log=log)
        return [
            await ask(whole, data, dialect, headers=headers) for data, dialect, headers in calls
        ]


async def test_every_surface_has_a_record_of_what_its_headers_say(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    calls = [
        (body(MESSAGES, text="one two"), MESSAGES, {"x-team": "Legal"}),
        (body(CHAT, stream=True), CHAT, {"x-team": "team-7"}),
        (body(RESPONSES), RESPONSES, {}),
        (b"not json", MESSAGES, {}),
    ]
    answers = await served(path, calls)
    first, *records = lines(path)
    assert isinstance(first, BundleLine)
    assert first.slots["ask.words"].classes == []
    assert first.slots['header("x-team")'].classes == ["absent", "other", '"legal"', '"team-"*']
    slots = [record.slots for record in records if isinstance(record, RequestLine)]
    assert slots == [
        {"ask.words": 2, 'header("x-team")': '"legal"'},
        {"ask.words": 1, 'header("x-team")': '"team-"*'},
        {"ask.words": 1, 'header("x-team")': "absent"},
        None,
    ]
    for answer, record in zip(answers, records, strict=True):
        assert isinstance(record, RequestLine)
        headers = answer.headers
        assert record.bundle == headers["x-lynkr-bundle"]
        assert record.tier == headers.get("x-lynkr-tier")
        assert record.rule == headers.get("x-lynkr-rule")
        if record.slots is not None:
            assert str(record.score) == headers["x-lynkr-score"]
            assert record.target == "t1"
            assert record.fallback is (headers["x-lynkr-fallback"] == "true")
            called = [one for one in record.attempts if one.result != "skipped"]
            assert len(called) == int(headers["x-lynkr-attempts"])
    assert records[-1].ending == "malformed"


async def test_no_text_of_a_request_comes_into_the_log(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    secret = {
        "authorization": f"Bearer {SECRET}",
        "x-api-key": SECRET,
        "x-team": f"team-{SECRET}",
        "user-agent": SECRET,
    }
    planted = {"metadata": {"user_id": SECRET}, "system": PROMPT, "model": f"model-{SECRET}"}
    calls = [
        (body(dialect, text=PROMPT, stream=stream), dialect, secret)
        for dialect in (MESSAGES, CHAT, RESPONSES)
        for stream in (False, True)
    ]
    calls.append((body(MESSAGES, text=PROMPT, **planted), MESSAGES, secret))
    calls.append((body(MESSAGES, text=PROMPT, tools=SECRET), MESSAGES, secret))
    await served(path, calls)
    text = path.read_text()
    assert len(lines(path)) == 9
    for piece in (SECRET, PROMPT, "planted", "merger"):
        assert piece not in text


def ended(**members: Any) -> Outcome:
    usual: dict[str, Any] = {
        "request_id": "req_1",
        "surface": "messages",
        "dialect": MESSAGES,
        "model": "auto",
        "stream": False,
        "ending": Ending.SERVED,
        "status": 200,
        "seconds": 1.0,
    }
    return Outcome(**(usual | members))


def test_a_log_is_appended_to_and_a_cut_off_line_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    path.write_bytes(b'{"kind":"request","ver')
    with open_log(path, table(), Said()) as log:
        log.settled(table(), "d" * 64, ended())
    with open_log(path, table(), Said()) as log:
        log.settled(table(), "d" * 64, ended(request_id="req_2"))
    first, *rest = path.read_bytes().splitlines()
    assert first == b'{"kind":"request","ver'
    kinds = [json.loads(line)["kind"] for line in rest]
    assert kinds == ["bundle", "request", "bundle", "request"]


def test_a_new_log_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    with open_log(path, table(), Said()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_does_not_fit_the_queue_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    with open_log(path, table(), Said(), waiting=1) as log:
        for _ in range(5_000):
            log.settled(table(), "d" * 64, ended())
    found = lines(path)
    logged = sum(isinstance(line, RequestLine) for line in found)
    lost = sum(line.requests for line in found if isinstance(line, GapLine))
    assert logged + lost == 5_000


def test_judgements_that_do_not_fit_are_counted_apart(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    with open_log(path, table(), Said(), waiting=1) as log:
        kept = sum(log.judged("req_1", "d" * 64, "ci", 0.5) for _ in range(5_000))
    found = lines(path)
    assert sum(isinstance(line, FeedbackLine) for line in found) == kept
    gaps = [line for line in found if isinstance(line, GapLine)]
    assert sum(line.judgements for line in gaps) == log.lost == 5_000 - kept
    assert sum(line.requests for line in gaps) == 0


def test_a_disk_that_is_full_stops_no_request_and_is_told(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    said = Said()
    fails = iter([False, True, True, True, False])

    def append(file: int, data: bytes) -> None:
        if next(fails, False):
            raise OSError(errno.ENOSPC, "No space left on device")
        os.write(file, data)

    with open_log(path, table(), said, append=append) as log:
        for _ in range(2):
            log.settled(table(), "d" * 64, ended())
    # Two records are lost; then the count of them, which is written at the end or not at all.
    assert [line["event"] for line in said.lines] == ["usage-log"]
    assert said.lines[0]["reason"] == "No space left on device"
    assert isinstance(lines(path)[0], BundleLine)
    assert not [line for line in lines(path) if isinstance(line, RequestLine)]


def test_a_piece_of_a_line_spoils_no_other_line(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    fails = iter([False, True])

    def append(file: int, data: bytes) -> None:
        if next(fails, False):
            os.write(file, data[:40])
            raise OSError(errno.ENOSPC, "No space left on device")
        os.write(file, data)

    with open_log(path, table(), Said(), append=append) as log:
        log.settled(table(), "d" * 64, ended())
        log.settled(table(), "d" * 64, ended(request_id="req_2"))
    found = []
    for data in path.read_bytes().splitlines():
        with contextlib.suppress(msgspec.DecodeError):
            found.append(msgspec.json.decode(data, type=Line))
    kinds = sorted(type(line).__name__ for line in found)
    assert kinds == ["BundleLine", "GapLine", "RequestLine"]


def test_a_log_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        open_log(tmp_path / "nowhere" / "usage.jsonl", table(), Said())
    assert "usage-log" not in [thread.name for thread in threading.enumerate()]
