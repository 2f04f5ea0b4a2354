"""One trace: what the gateway process keeps is what the command tells, whoever served."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lynkrc.source.resources import read_schema
from tests.e2e.gateway import environment
from tests.e2e.socket_lab import CHAT, CLIENT_KEY, MESSAGES, Answer, Lab
from tests.warm_lynkrc import run

EXPLAIN = {"x-lynkr-explain": "1"}
ASK = "Compare optimistic locking with pessimistic locking, then write a function for planted-4711."
RESPONSES = "/v1/responses"


def body(path: str, **more: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"messages": [{"role": "user", "content": ASK}], "max_tokens": 100}
    return {"model": "auto"} | ({"input": ASK} if path == RESPONSES else said) | more


def trace_of(lab: Lab, answer: Answer) -> dict[str, Any]:
    """The trace an answer names, as the schema says."""
    path = f"/routing/trace/{answer.headers['x-lynkr-trace-id']}"
    found: dict[str, Any] = lab.send(path, method="GET", admin=True).json
    Draft202012Validator(json.loads(read_schema("trace"))).validate(found)
    return found


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", [MESSAGES, CHAT, RESPONSES])
def test_a_trace_agrees_with_headers_log_and_attempts(lab: Lab, path: str, stream: bool) -> None:
    """The first target of the tier refuses connections: the trace tells the fallback."""
    asked = body(path, model="lynkr/COMPLEX", stream=stream)
    answer = lab.send(path, asked, headers=EXPLAIN)
    assert answer.status == 200, answer.body
    trace, line = trace_of(lab, answer), lab.gateway.request(answer.request_id)
    decision, served = trace["decision"], trace["served"]
    assert (decision["tier"], decision["rule"]) == (line["tier"], line["rule"])
    assert (decision["pin"], decision["targets"]) == ("lynkr/COMPLEX", ["gone", "haiku", "llama"])
    assert (
        (served["target"], served["fallback"])
        == ("haiku", True)
        == (
            line["target"],
            line["fallback"],
        )
    )
    assert [one["target"] for one in served["attempts"]] == ["gone", "haiku"]
    assert [one["fault"] for one in served["attempts"]] == ["connect", None]
    assert [one["target"] for one in line["attempts"]] == ["gone", "haiku"]
    assert (served["status"], served["class"]) == (line["status"], line["class"])
    told = json.dumps(trace)
    assert "planted" not in told and CLIENT_KEY not in told


@pytest.mark.parametrize(
    ("headers", "model", "status", "outcome"),
    [
        ({"x-team": "banned"}, "auto", 403, "deny"),
        ({"x-data-class": "confidential"}, "lynkr/mini", 400, "refuse"),
    ],
)
@pytest.mark.parametrize("path", [MESSAGES, CHAT])
def test_who_is_turned_away_learns_why(
    lab: Lab, path: str, headers: Mapping[str, str], model: str, status: int, outcome: str
) -> None:
    answer = lab.send(path, body(path, model=model), headers=EXPLAIN | headers)
    assert answer.status == status
    trace = trace_of(lab, answer)
    assert trace["decision"]["outcome"] == outcome
    assert trace["served"]["attempts"] == []
    assert "confidential" not in json.dumps(trace["served"])


def test_the_command_tells_what_the_gateway_keeps(
    lab: Lab, sockets_bundle: Path, tmp_path: Path
) -> None:
    asked = body(MESSAGES, model="auto")
    answer = lab.send(MESSAGES, asked, headers=EXPLAIN)
    kept = trace_of(lab, answer)
    request = tmp_path / "request.json"
    request.write_text(json.dumps(asked))
    words = ["trace", str(request), "--bundle", str(sockets_bundle), "--format", "json"]
    done = run(words, cwd=tmp_path, env=environment())
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert "planted-4711" in done.stdout or "locking" in done.stdout, "excerpts are the command's"
    for feature in told["features"]:
        for pattern in feature["patterns"]:
            for place in pattern["places"]:
                del place["excerpt"]
    assert told == kept | {"served": None}


def test_nothing_is_kept_of_who_does_not_ask(lab: Lab) -> None:
    answer = lab.send(MESSAGES, body(MESSAGES))
    assert "x-lynkr-trace-id" not in answer.headers
    assert lab.send("/routing/trace/tr_0", method="GET", admin=True).status == 404
    assert lab.send("/routing/trace/tr_0", method="GET").status == 404, "operators' only"
