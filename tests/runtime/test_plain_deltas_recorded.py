"""Events known by their spelling change nothing of what a gateway says of a request.

The same streams are served twice, once with every event read with care: the client's bytes and
headers, the log line, the usage record and the metrics must be the same.
"""

import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lynkrc_runtime.dispatch import Dispatch, Price
from lynkrc_runtime.protocol.plain_deltas import PlainDeltas
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.server.stream import SSE_HEADERS
from lynkrc_runtime.telemetry.usage_log import UsageLog
from tests.bench.streams import stream
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
    RESPONSES,
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
from tests.runtime.virtual_time import run

KINDS = {
    MESSAGES: "anthropic-compatible",
    CHAT: "openai-compatible",
    RESPONSES: "openai-compatible",
}
EVENTS = 30


def table(source: str) -> Dispatch:
    price = Price(input="1", output="2", cache_read="1", cache_write="1")
    shape = RequestShape(dialects=[RESPONSES]) if source == RESPONSES else RequestShape()
    one = target("one", 0, price=price, shape=shape)
    return dispatch([provider("far", KINDS[source])], [one])


def steps_of(source: str, form: str) -> list[bytes]:
    """A usual stream as it comes: by events, in lumps, cut anywhere, ended early, gone wrong."""
    events = stream(source, EVENTS)
    data = b"".join(events)
    match form:
        case "events":
            return events
        case "lumps":
            return [b"".join(events[at : at + 5]) for at in range(0, len(events), 5)]
        case "bytes":
            return [data[at : at + 37] for at in range(0, len(data), 37)]
        case "cut":
            return events[: EVENTS // 2]
        case _:
            wrong = b'event: error\ndata: {"type":"error","error":{"message":"no"}}\n\n'
            return [*events[: EVENTS // 2], wrong]


def told(path: Path, source: str, sink: str, form: str) -> dict[str, Any]:
    """All that anyone learns of a request that is answered by the stream."""

    async def main() -> dict[str, Any]:
        made, said = table(source), Said()
        answer = Script(steps=steps_of(source, form), headers=SSE_HEADERS)
        base = gateway(policy(made), said, http=Scripted({"one": [answer]}))
        with ExitStack() as stack:
            log = stack.enter_context(
                UsageLog(path, made, "d" * 64, log=base.log, clock=lambda: 1_700_000_000.0)
            )
            client = await ask(replace(base, usage_log=log), body(sink, stream=True), sink)
        return {
            "status": client.status,
            "headers": dict(client.headers),
            "body": client.body,
            "log": said.lines,
            "usage": [msgspec.json.decode(line) for line in path.read_bytes().splitlines()],
            "metrics": [
                line
                for line in base.metrics.render().decode().splitlines()
                # The clock's time.
                if line.startswith("lynkr_") and "_created" not in line
            ],
        }

    return run(main())


@pytest.mark.parametrize("form", ["events", "lumps", "bytes", "cut", "wrong"])
@pytest.mark.parametrize("sink", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_a_request_is_told_of_in_the_same_words(
    source: str, sink: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    take, only = PlainDeltas.take, PlainDeltas.only

    def noting(deltas: PlainDeltas, data: bytes, texts: list[str]) -> int:
        end = take(deltas, data, texts)
        taken.extend(texts)
        return end

    def noting_one(deltas: PlainDeltas, data: bytes) -> str:
        text = only(deltas, data)
        taken.extend([text] if text else [])
        return text

    monkeypatch.setattr(PlainDeltas, "take", noting)
    monkeypatch.setattr(PlainDeltas, "only", noting_one)
    plain = told(tmp_path / "plain.jsonl", source, sink, form)
    assert taken or form == "bytes"
    assert plain["status"] == 200
    assert json.dumps(plain["usage"]).count("model-one") >= 1
    monkeypatch.setattr(PlainDeltas, "take", lambda *_: 0)
    monkeypatch.setattr(PlainDeltas, "only", lambda *_: "")
    assert plain == told(tmp_path / "careful.jsonl", source, sink, form)
