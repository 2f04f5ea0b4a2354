"""Headers, log line, metrics, usage record and `/v1/usage` of one request say the same of it."""

import asyncio
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.decide import Verdict
from lynkrc_runtime.dispatch import Dispatch, Price
from lynkrc_runtime.telemetry.usage_log import UsageLog
from lynkrc_runtime.usage_database import usage_lines
from lynkrc_runtime.usage_record import Line, RequestLine
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
    route_all,
    target,
)
from tests.runtime.virtual_time import run

PRICE = Price(input="3", output="15", cache_read="0.3", cache_write="3.75")
ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "Hi there"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 11, "output_tokens": 7},
}
BEGIN = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message",'
    b'"role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,'
    b'"usage":{"input_tokens":11,"output_tokens":1}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"text","text":""}}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"Hi there"}}\n\n'
)
END = (
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn",'
    b'"stop_sequence":null},"usage":{"output_tokens":7}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)
JSON = {"content-type": "application/json"}


def failing(draw: random.Random) -> Script:
    return draw.choice(
        [
            Script(fault=Fault.CONNECT),
            Script(status=500, headers=JSON, steps=[b"{}"]),
            Script(status=503, headers=JSON, steps=[b"gone"]),
            Script(status=429, headers=JSON | {"retry-after": "60"}, steps=[b"{}"]),
            Script(status=401, headers=JSON, steps=[b"{}"]),
            Script(steps=[BEGIN[:30], Fault.BROKEN]),
        ]
    )


def last(draw: random.Random, *, stream: bool) -> Script:
    if not stream:
        whole = Script(headers=JSON, steps=[msgspec.json.encode(ANSWER)])
        caller = Script(
            status=400,
            headers=JSON,
            steps=[b'{"type":"error","error":{"type":"invalid_request_error","message":"no"}}'],
        )
        return draw.choice([whole, whole, caller, failing(draw)])
    return draw.choice(
        [
            Script(steps=[BEGIN, END]),
            Script(steps=[BEGIN[:200], BEGIN[200:], 3.0, END]),
            Script(steps=[BEGIN, Fault.BROKEN]),
            failing(draw),
        ]
    )


def table() -> Dispatch:
    return dispatch(
        [provider("house", "anthropic-compatible", retries=1)],
        [target(f"t{number}", 0, price=None if number == 2 else PRICE) for number in range(3)],
    )


def scorer(draw: random.Random) -> Any:
    def decide(vector: list[int]) -> Verdict:
        if draw.random() < 0.1:
            return (1, -1, 0, -1, 0, -1, -1)
        return route_all(vector)

    return decide


async def history(folder: Path, seed: int) -> None:
    draw = random.Random(seed)
    made, said, path = table(), Said(), folder / f"usage-{seed}.{draw.choice(('jsonl', 'db'))}"
    stream = draw.random() < 0.5
    scripts = {
        f"t{number}": [
            *(failing(draw) for _ in range(draw.randrange(3))),
            last(draw, stream=stream),
            *(failing(draw) for _ in range(3)),
        ]
        for number in range(3)
    }
    base = gateway(policy(made, scorer(draw)), said, http=Scripted(scripts))
    with UsageLog(path, made, "d" * 64, log=base.log) as log:
        served = replace(base, usage_log=log)
        dialect = draw.choice([MESSAGES, CHAT, RESPONSES])
        content = body(dialect, stream=stream)
        if draw.random() < 0.1:
            content = b"not json"
        client = Recorder(gone=draw.random() < 0.15)
        await ask(served, content, dialect, client=client)
    (record,) = [
        line
        for line in (msgspec.json.decode(data, type=Line) for data in usage_lines(path))
        if isinstance(line, RequestLine)
    ]
    told = served.recent.get(None, "req_test")
    assert told is not None
    agree(made, said.request, record, told, client, served.metrics.samples())


def agree(
    made: Dispatch,
    line: dict[str, Any],
    record: RequestLine,
    told: dict[str, Any],
    client: Recorder,
    families: Any,
) -> None:
    for member in (
        "request_id", "surface", "stream", "tier", "rule", "score", "target", "fallback",
        "status", "key", "team", "tenant", "cost_micro_usd", "estimated",
    ):  # fmt: skip
        assert line[member] == getattr(record, member), member
        if member in told:
            assert told[member] == line[member], member
    assert line["class"] == record.ending == told["class"]
    assert line["served_model"] == record.model == told["model"]
    assert record.duration_ms == round(line["duration_ms"])
    attempts = [(one["target"], one["result"]) for one in line["attempts"]]
    assert attempts == [(one.target, one.result) for one in record.attempts]
    assert attempts == [(one["target"], one["result"]) for one in told["attempts"]]

    headers = client.headers
    if client.status:
        assert client.status == line["status"]
        assert headers["x-lynkr-request-id"] == line["request_id"]
        assert headers.get("x-lynkr-tier") == line["tier"]
        assert headers.get("x-lynkr-rule") == line["rule"]
        if line["target"] is not None:
            assert headers["x-lynkr-provider"] == line["provider"]
            assert headers["x-lynkr-model"] == line["served_model"]
            assert headers["x-lynkr-fallback"] == str(line["fallback"]).lower()
            assert int(headers["x-lynkr-attempts"]) == line["calls"]
        if not client.streamed and "x-lynkr-cost-usd" in headers:
            assert headers["x-lynkr-cost-usd"] == told["cost_usd"]

    samples = [one for _, _, _, found in families for one in found if one[2]]
    (labels,) = [labels for name, labels, _ in samples if name == "lynkr_requests_total"]
    assert labels == {
        "surface": line["surface"],
        "tier": line["tier"] or "none",
        "target": line["target"] or "none",
        "class": line["class"],
    }
    counted = {
        (labels["target"], labels["result"]): 0
        for name, labels, _ in samples
        if name == "lynkr_attempts_total"
    }
    for name, labels, value in samples:
        if name == "lynkr_attempts_total":
            counted[labels["target"], labels["result"]] += value
    assert counted == {one: attempts.count(one) for one in attempts}
    for kind in ("input", "output"):
        metric = sum(
            value
            for name, labels, value in samples
            if name == "lynkr_tokens_total" and labels["kind"] == kind
        )
        assert metric == sum(getattr(one.tokens, kind) for one in record.attempts if one.tokens)
        assert metric == sum(
            one["usage"][kind] for one in line["attempts"] if one.get("usage") is not None
        )
    cost = sum(value for name, _, value in samples if name == "lynkr_cost_micro_usd_total")
    assert cost == sum(one.cost_micro_usd or 0 for one in record.attempts)
    if record.cost_micro_usd is not None:
        assert cost == record.cost_micro_usd
    assert not [value for name, _, value in samples if name == "lynkr_requests_in_flight"]


@pytest.mark.parametrize("block", range(10))
def test_everything_told_of_a_request_agrees(tmp_path: Path, block: int) -> None:
    for seed in range(block * 20, block * 20 + 20):
        run(history(tmp_path, seed))


def test_a_client_that_leaves_is_told_of_alike(tmp_path: Path) -> None:
    async def leaving() -> None:
        made, said, path = table(), Said(), tmp_path / "usage.jsonl"
        upstream = Scripted({"t0": [Script(steps=[BEGIN, 50.0, END])]})
        base = gateway(policy(made), said, http=upstream)
        client = Recorder()
        with UsageLog(path, made, "d" * 64, log=base.log) as log:
            served = replace(base, usage_log=log)
            task = asyncio.ensure_future(ask(served, body(stream=True), client=client))
            await asyncio.sleep(5)
            task.cancel()
            await asyncio.wait([task])
        (record,) = [
            line
            for line in (msgspec.json.decode(data, type=Line) for data in usage_lines(path))
            if isinstance(line, RequestLine)
        ]
        told = served.recent.get(None, "req_test")
        assert told is not None and told["class"] == "aborted"
        agree(made, said.request, record, told, client, served.metrics.samples())

    run(leaving())
