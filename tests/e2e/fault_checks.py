"""What a row's client was told, judged by the table."""

import json

from tests.e2e.fault_lab import Told
from tests.e2e.fault_server import MARK
from tests.e2e.fault_table import TOLD, Row
from tests.e2e.hostile_lab import error_of
from tests.runtime.by_hand import CHAT, MESSAGES, RESPONSES

_DIALECTS = {"messages": MESSAGES, "chat": CHAT, "responses": RESPONSES, "embeddings": CHAT}


def judge(row: Row, told: Told) -> None:
    """Status, shape, type, and the headers a client acts on."""
    want, heard = TOLD[row.word], told.heard
    status, kind = want.messages if row.surface == "messages" else want.openai
    assert heard.status == status, heard
    assert heard.headers["x-lynkr-attempts"] == str(row.calls)
    assert heard.headers.get("retry-after") == want.wait(row.surface)
    assert heard.headers.get("x-should-retry") == want.should_retry
    message = error_of(_DIALECTS[row.surface], heard)
    if want.ending == "served":
        assert message is None
        assert heard.is_stream == row.stream
        assert heard.headers["x-lynkr-fallback"] == str(row.word == "fallback").lower()
        assert row.fault == "empty" or row.surface == "embeddings" or b"came" in heard.body
        return
    assert message is not None
    if row.word == "cut":
        assert heard.is_stream
        assert MARK in heard.body
        assert b"came" not in heard.body
    else:
        assert not heard.is_stream
        error = json.loads(heard.body)["error"]
        assert error["type"] == kind, error
    named = row.word in ("overloaded", "wait-7", "ours", "cut")
    assert (row.target in message or "second" in message) == named, message


def judge_records(row: Row, told: Told) -> None:
    """The log line, the usage record and the metrics tell the same."""
    want, record, line = TOLD[row.word], told.record, told.line
    assert record["ending"] == line["class"] == want.ending
    assert record["status"] == line["status"] == told.heard.status
    assert record["surface"] == row.surface
    assert record["stream"] is row.stream
    calls = [(one["target"], one["result"]) for one in record["attempts"]]
    last = {"served": "served", "fallback": "served", "cut": "broken"}.get(row.word, "failed")
    first = row.calls - (row.word == "fallback")
    expected = [(row.target, "failed")] * first
    if row.word == "fallback":
        expected.append(("second", "served"))
    else:
        expected[-1] = (row.target, last)
    assert calls == expected
    assert [(one["target"], one["result"]) for one in line["attempts"]] == calls
    for result in ("served", "failed", "broken"):
        counted = told.metric("lynkr_attempts_total", target=row.target, result=result)
        assert counted == calls.count((row.target, result)), result
    charged = [one for one in record["attempts"] if one["tokens"] is not None]
    if want.ending == "served" and row.surface != "embeddings":
        assert [one["target"] for one in charged][-1:] == [calls[-1][0]]
        assert record["tokens"]["input"] == 120
        # What an answer that broke off cost is estimated where it had begun.
        assert row.calls > 1 or not record["estimated"]
    if row.word == "cut":
        assert record["estimated"] or record["tokens"] is not None
    if want.ending in ("ours", "throttled", "callers"):
        assert not charged, "nobody pays for a refusal"


def judge_breaker(row: Row, told: Told) -> None:
    """What all later requests know of the target."""
    report = told.breaker
    assert (report["failures"] > 0) == (row.breaker == "failure"), report
    assert (report["misconfigured_for"] is not None) == (row.breaker == "misconfigured"), report
    assert (report["throttled_for"] is not None) == (row.breaker == "throttled"), report
