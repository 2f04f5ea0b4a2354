"""`POST /v1/feedback`: a caller judges its own requests, and nobody else's; no text is taken."""

import hashlib
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from lynkrc_runtime.access.keyring import KeyRing
from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.feedback_routes import LONGEST, MOST_JUDGEMENTS, Said
from lynkrc_runtime.server.http import SITE, Site
from lynkrc_runtime.settings import Key
from lynkrc_runtime.telemetry.usage_log import UsageLog
from lynkrc_runtime.usage_record import FeedbackLine
from tests.runtime.by_hand import Said as Lines
from tests.runtime.by_hand import body, dispatch, gateway, policy, provider, target
from tests.runtime.test_usage_log import lines

JSON = {"content-type": "application/json"}
RED, BLUE = {"x-api-key": "red"}, {"x-api-key": "blue"}
PATH = "/v1/feedback"
Client = TestClient[Any, Any]


@asynccontextmanager
async def serving(path: Path | None, asks_others: Any = None, **more: Any) -> AsyncIterator[Client]:
    keys = {name: Key(sha256=hashlib.sha256(name.encode()).hexdigest()) for name in ("red", "blue")}
    made = policy(dispatch([provider("sim", "simulator")], [target("one", 0)]))
    base = replace(gateway(made, Lines()), keys=KeyRing(keys, {}))
    if path is None:
        async with TestClient(TestServer(client_app(Site(gateway=base)))) as client:
            yield client
        return
    with UsageLog(path, made.dispatch, made.digest, log=base.log, **more) as log:
        site = Site(gateway=replace(base, usage_log=log), asks_others=asks_others)
        async with TestClient(TestServer(client_app(site))) as client:
            yield client


async def judge(
    client: Client, content: bytes | dict[str, Any], key: dict[str, str] = RED, path: str = PATH
) -> tuple[int, Any]:
    given: dict[str, Any] = {"data": content} if isinstance(content, bytes) else {"json": content}
    async with client.post(path, headers=JSON | key, **given) as answer:
        return answer.status, await answer.json()


async def ask(client: Client, identity: str, key: dict[str, str] = RED) -> None:
    headers = JSON | key | {"x-request-id": identity}
    async with client.post("/v1/messages", data=body(), headers=headers) as answer:
        assert answer.status == 200
        await answer.read()


def said(path: Path) -> list[tuple[str, str | None, float]]:
    return [
        (line.request_id, line.key, line.score)
        for line in lines(path)
        if isinstance(line, FeedbackLine)
    ]


async def test_a_caller_judges_its_own_requests_alone(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    async with serving(path) as client:
        await ask(client, "job-7")
        one = {"request_id": "job-7", "score": 0.25}
        assert await judge(client, one) == (200, {"recorded": True})
        assert await judge(client, one | {"score": 1}, path="/feedback") == (
            200,
            {"recorded": True},
        )
        status, foreign = await judge(client, one, BLUE)
        assert status == 404
        status, unknown = await judge(client, one | {"request_id": "job-8"}, BLUE)
        assert status == 404
        # Whose it is, and whether it is, look the same.
        assert foreign["error"] == unknown["error"]
        assert (await judge(client, one, {}))[0] == 401
        async with client.get(PATH, headers=RED) as answer:
            assert (answer.status, answer.headers["allow"]) == (405, "POST")
        metrics = client.app[SITE].gateway.metrics.render().decode()
    assert 'lynkr_judgements_total{source="caller"} 2.0' in metrics
    assert said(path) == [("job-7", "red", 0.25), ("job-7", "red", 1.0)]
    (line, _) = [line for line in lines(path) if isinstance(line, FeedbackLine)]
    assert (line.bundle, line.source) == ("d" * 64, "caller")


@pytest.mark.parametrize(
    ("content", "message", "param"),
    [
        (b"", "the body is not JSON", None),
        (b'{"request_id": "a", "score": NaN}', "the body is not JSON", None),
        (b"[1]", "the body is to be an object", None),
        (b" " * (LONGEST + 1), f"the body has more than {LONGEST} bytes", None),
        (b'{"request_id": "a", "score": 1, "score": 0}', "score: the member is repeated", "score"),
        (
            b'{"request_id": "a", "score": 1, "comment": "awful"}',
            "comment: no text is kept; there are request_id and score",
            "comment",
        ),
        (
            b'{"request_id": "a", "score": 1, "stars": 5}',
            "stars: there is no such member; there are request_id and score",
            "stars",
        ),
        (b'{"score": 1}', None, "request_id"),
        (b'{"request_id": 7, "score": 1}', None, "request_id"),
        (b'{"request_id": "\\ud800", "score": 1}', "the body is not JSON", None),
        (b'{"request_id": "a b", "score": 1}', None, "request_id"),
        (b'{"request_id": "a"}', None, "score"),
        (b'{"request_id": "a", "score": true}', None, "score"),
        (b'{"request_id": "a", "score": "1"}', None, "score"),
        (b'{"request_id": "a", "score": 1.5}', None, "score"),
        (b'{"request_id": "a", "score": -1e-9}', None, "score"),
        (b'{"request_id": "a", "score": 1e999}', "the body is not JSON", None),
        (b'{"\\ud800": 1, "\\ud800": 2}', "the body is not JSON", None),
    ],
)
async def test_a_mistake_is_named(content: bytes, message: str | None, param: str | None) -> None:
    async with serving(None) as client:
        status, told = await judge(client, content)
    error = told["error"]
    assert status == 400
    assert message is None or error["message"] == message
    if param is not None:
        assert error["param"] == param
        assert error["message"].startswith(param)
    assert "awful" not in str(told)


async def test_nothing_is_recorded_without_a_usage_log() -> None:
    async with serving(None) as client:
        await ask(client, "job-7")
        status, told = await judge(client, {"request_id": "job-7", "score": 1})
    assert status == 409
    assert "--usage-log" in told["error"]["message"]


async def test_a_request_is_judged_a_few_times_at_most(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    async with serving(path) as client:
        await ask(client, "job-7")
        one = {"request_id": "job-7", "score": 0}
        answers = [await judge(client, one) for _ in range(MOST_JUDGEMENTS + 2)]
    assert [status for status, _ in answers] == [200] * MOST_JUDGEMENTS + [429] * 2
    assert len(said(path)) == MOST_JUDGEMENTS


async def test_what_a_slow_disk_cannot_take_is_not_called_recorded(tmp_path: Path) -> None:
    goes = threading.Event()
    goes.set()

    def append(file: int, data: bytes) -> None:
        assert goes.wait(60)
        os.write(file, data)

    path = tmp_path / "usage.jsonl"
    async with serving(path, append=append, waiting=1) as client:
        goes.clear()
        await ask(client, "job-7")
        one = {"request_id": "job-7", "score": 0}
        try:
            # One record is being written, one waits: no more than two of these have a place.
            statuses = [(await judge(client, one))[0] for _ in range(3)]
        finally:
            goes.set()
    assert 503 in statuses  # which of them depends on when the first was taken to be written
    assert len(said(path)) == statuses.count(200)


async def test_another_worker_knows_the_request(tmp_path: Path) -> None:
    path = tmp_path / "usage.jsonl"
    asked: list[tuple[str | None, str]] = []

    async def asks(key: str | None, identity: str) -> dict[str, Any] | None:
        asked.append((key, identity))
        return {"bundle": "e" * 64} if (key, identity) == ("red", "far") else None

    async with serving(path, asks) as client:
        assert (await judge(client, {"request_id": "far", "score": 0.5}))[0] == 200
        assert (await judge(client, {"request_id": "far", "score": 0.5}, BLUE))[0] == 404
    assert asked == [("red", "far"), ("blue", "far")]
    (line,) = [line for line in lines(path) if isinstance(line, FeedbackLine)]
    assert (line.bundle, line.key) == ("e" * 64, "red")


def test_what_was_judged_is_forgotten_in_the_end() -> None:
    told = Said(most=2)
    for _ in range(MOST_JUDGEMENTS):
        told.said("red", "a")
    assert not told.may_say("red", "a") and told.may_say("blue", "a")
    told.said("red", "b")
    told.said("red", "c")
    assert told.may_say("red", "a")
