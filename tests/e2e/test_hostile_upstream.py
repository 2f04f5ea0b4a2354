"""Whatever an upstream does, the client gets a clean error of its own dialect; nothing leaks."""

import asyncio
import base64
import gzip
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pytest

from lynkrc_runtime.protocol import ndjson, pieces, sse
from lynkrc_runtime.server import answers, relay
from tests.clients.said import SPEAK
from tests.clients.script import Call, Plan
from tests.e2e.hostile_lab import (
    CONVERSE,
    INVOKE,
    KINDS,
    OLLAMA,
    PATHS,
    SECRETS,
    HostileLab,
    error_of,
    hostile_lab,
    tasks_are,
)
from tests.e2e.hostile_server import Reply, reply
from tests.runtime.by_hand import CHAT, MESSAGES, RESPONSES
from tests.wire.bedrock_frames import frame, sealed

LIMIT = 256 * 1024
"""Bytes of an event and of an answer in these tests, so that they stay quick."""
PLAN = Plan(text="Hello there, all of you.")
CALLS = Plan(text="Two.", calls=(Call("c1", "weather", {"city": "Oslo"}), Call("c2", "now", {})))
DEEP = b"[" * 100_000
HUGE = b"9" * 5_000


def stream_type(target: str) -> str:
    if target in (INVOKE, CONVERSE):
        return "application/vnd.amazon.eventstream"
    return SPEAK[KINDS[target][2]].stream_type


def sound(target: str, plan: Plan = PLAN) -> list[bytes]:
    """A stream in its events."""
    found = list(SPEAK[KINDS[target][2]].stream(plan, "m"))
    if target != INVOKE:
        return found
    events = b"".join(found).decode().split("\n\n")[:-1]
    return [in_chunk(event.partition("data: ")[2].encode()) for event in events]


def in_chunk(payload: bytes) -> bytes:
    """An event as InvokeModel carries it."""
    return frame("event", "chunk", {"bytes": base64.b64encode(payload).decode()})


def whole(target: str, plan: Plan = PLAN) -> bytes:
    return json.dumps(SPEAK[KINDS[target][2]].whole(plan, "m")).encode()


def event(target: str, payload: bytes) -> bytes:
    """Any bytes where an event's JSON is expected."""
    match target:
        case "bedrock-converse":
            return frame("event", "contentBlockDelta", payload)
        case "invoke":
            return in_chunk(payload)
        case "ollama-chat":
            return payload + b"\n"
        case _:
            return b"data: " + payload + b"\n\n"


def delta(target: str, index: int) -> bytes:
    """A piece of a block that nobody opened."""
    if target == CONVERSE:
        tool = {"contentBlockIndex": index, "delta": {"toolUse": {"input": "{}"}}}
        return frame("event", "contentBlockDelta", tool)
    piece = {"type": "input_json_delta", "partial_json": "{}"}
    value = {"type": "content_block_delta", "index": index, "delta": piece}
    return event(target, json.dumps(value).encode())


@dataclass(frozen=True)
class Case:
    """A broken answer; `stream` and `whole` make it, None where it cannot be."""

    stream: Callable[[str], Reply] | None
    whole: Callable[[str], Reply] | None = None
    targets: tuple[str, ...] = tuple(KINDS)


def streamed(target: str, parts: Iterable[bytes], **options: bool) -> Reply:
    return reply(stream_type(target), parts, **options)


def json_reply(data: Iterable[bytes], status: str = "200 OK", **options: bool) -> Reply:
    return reply("application/json", data, status=status, **options)


def endless(start: bytes, piece: bytes) -> Iterator[bytes]:
    """Until somebody hangs up, or far beyond the limit."""
    return itertools.chain((start,), itertools.repeat(piece, 64 * LIMIT // len(piece)))


def html(_: str) -> Reply:
    return reply("text/html", [b"<html><body>busy</body></html>"])


def error_body(target: str) -> bytes:
    """2 MB of an error, with secrets at its start."""
    text = f"key {SECRETS[0]} and {SECRETS[1]} " + "x" * 2_000_000
    return json.dumps({"error": {"message": text}, "message": text, "type": target}).encode()


CASES: dict[str, Case] = {
    "endless line": Case(
        lambda t: streamed(t, endless(sound(t)[0] + b"data: ", b"a" * 30_000)),
        lambda _: json_reply(endless(b'{"a":"', b"a" * 30_000)),
    ),
    "endless line at once": Case(lambda t: streamed(t, endless(b"{", b"a" * 30_000))),
    "huge event": Case(
        lambda t: streamed(t, [*sound(t)[:2], event(t, b'{"a":"' + b"a" * 2 * LIMIT + b'"}')]),
        targets=(*PATHS, "gemini", OLLAMA),
    ),
    "invalid UTF-8": Case(
        lambda t: streamed(t, [*sound(t)[:3], event(t, b'{"type":"\xff\xfe","model":"\xc3"}')]),
        lambda t: json_reply([whole(t).replace(b"Hello", b"\xff\xfe\xc3")]),
    ),
    "invalid UTF-8 first": Case(lambda t: streamed(t, [event(t, b'{"\xff":1}')])),
    "no JSON": Case(
        lambda t: streamed(t, [*sound(t)[:3], event(t, b"{oops")]),
        lambda _: json_reply([b"{oops"]),
    ),
    "deep JSON": Case(
        lambda t: streamed(t, [*sound(t)[:3], event(t, b'{"a":' + DEEP)]),
        lambda _: json_reply([b'{"a":' + DEEP]),
    ),
    "number out of range": Case(
        lambda t: streamed(t, [*sound(t)[:3], event(t, b'{"index":1e999,"usage":{"a":NaN}}')]),
        lambda _: json_reply([b'{"usage":1e999,"id":NaN}']),
    ),
    "too many digits": Case(
        lambda t: streamed(t, [*sound(t)[:3], event(t, b'{"error":' + HUGE + b"}")]),
        lambda _: json_reply([b'{"error":' + HUGE + b"}"]),
    ),
    "delta of an unopened block": Case(
        lambda t: streamed(t, [sound(t)[0], delta(t, 7)]),
        targets=(MESSAGES, INVOKE, CONVERSE),
    ),
    "delta at a negative index": Case(
        lambda t: streamed(t, [sound(t)[0], delta(t, -1)]),
        targets=(MESSAGES, INVOKE, CONVERSE),
    ),
    "delta at a huge index": Case(
        lambda t: streamed(t, [sound(t)[0], delta(t, 2**80)]),
        targets=(MESSAGES, INVOKE, CONVERSE),
    ),
    "delta of a closed block": Case(
        lambda t: streamed(t, [*sound(t, CALLS)[:-2], delta(t, 1)]),
        targets=(MESSAGES, INVOKE),
    ),
    "two starts": Case(
        lambda t: streamed(t, [sound(t)[0], sound(t)[0]]), targets=(MESSAGES, INVOKE)
    ),
    "wrong content type": Case(
        lambda _: reply("application/xml", [b"<a/>"]),
        lambda _: reply("application/xml", [b"<a/>"]),
    ),
    "HTML": Case(html, html),
    "a whole answer to a streamed request": Case(lambda t: json_reply([whole(t)])),
    "gzip unasked": Case(
        lambda t: reply(
            stream_type(t),
            [gzip.compress(b"".join(sound(t)))],
            headers={"content-encoding": "gzip"},
        ),
        lambda t: reply(
            "application/json", [gzip.compress(whole(t))], headers={"content-encoding": "gzip"}
        ),
    ),
    "empty body": Case(lambda t: streamed(t, []), lambda _: json_reply([])),
    "no body at all": Case(
        lambda _: Reply(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
        lambda _: Reply(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    ),
    "cut at once": Case(lambda _: Reply(b""), lambda _: Reply(b"")),
    "cut behind the head": Case(
        lambda t: streamed(t, [], cut=True), lambda _: json_reply([], cut=True)
    ),
    "cut in the middle": Case(
        lambda t: streamed(t, sound(t)[:4], cut=True),
        lambda t: json_reply([whole(t)[:40]], cut=True),
    ),
    "ended in the middle": Case(
        lambda t: streamed(t, sound(t)[:3]), lambda t: json_reply([whole(t)[:40]])
    ),
    "a chunk that lies": Case(
        lambda t: Reply(
            f"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: {stream_type(t)}"
            f"\r\n\r\nzz\r\n".encode(),
        ),
        lambda _: Reply(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffff\r\n{"),
    ),
    "header bomb": Case(
        lambda _: Reply(b"HTTP/1.1 200 OK\r\n" + b"x-a: " + b"a" * 10_000_000 + b"\r\n\r\n"),
        lambda _: Reply(b"HTTP/1.1 200 OK\r\n" + b"x-a: b\r\n" * 400_000 + b"\r\n"),
    ),
    "no HTTP": Case(lambda _: Reply(b"\x16\x03\x01 hello"), lambda _: Reply(b"SSH-2.0-x\r\n")),
    "redirect": Case(
        lambda _: reply(None, [], status="302 Found", headers={"location": "http://x.test/"}),
        lambda _: reply(None, [], status="307 Go", headers={"location": "/elsewhere"}),
    ),
    "a silent stream": Case(lambda t: streamed(t, sound(t)[:5], stays=True)),
    "an error with secrets": Case(
        lambda t: json_reply([error_body(t)[:900] + b'"}}'], status="400 Bad"),
        lambda t: json_reply([error_body(t)], status="500 Oh"),
    ),
    "an error of 2 MB": Case(
        lambda t: json_reply([error_body(t)], status="400 Bad"),
        lambda t: json_reply([error_body(t)], status="400 Bad"),
    ),
    "an error that is no JSON": Case(
        lambda _: reply("text/plain", [b"\xff" + SECRETS[1].encode()], status="403 No"),
        lambda _: reply("text/plain", [b"\xff" + SECRETS[1].encode()], status="403 No"),
    ),
    "an endless error": Case(
        lambda _: json_reply(endless(b"{", b"a" * 30_000), status="429 Slow"),
        lambda _: json_reply(endless(b"{", b"a" * 30_000), status="429 Slow"),
    ),
    "frames with a wrong checksum": Case(
        lambda t: streamed(t, [*sound(t)[:2], _flipped(sound(t)[2])]), targets=(INVOKE, CONVERSE)
    ),
    "a frame that is too long": Case(
        lambda t: streamed(t, [*sound(t)[:2], sealed(b"", 0, 2**32 - 1)], stays=True),
        targets=(INVOKE, CONVERSE),
    ),
    "a frame that is too short": Case(
        lambda t: streamed(t, [sealed(b"", 0, 3)], stays=True), targets=(INVOKE, CONVERSE)
    ),
    "a chunk without an event": Case(
        lambda t: streamed(t, [frame("event", "chunk", {"bytes": "!!"})]), targets=(INVOKE,)
    ),
}


def _flipped(data: bytes) -> bytes:
    return data[:-6] + bytes([data[-6] ^ 1]) + data[-5:]


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that are reached soon."""
    for module in (sse, pieces, ndjson):
        monkeypatch.setattr(module, "MAX_EVENT", LIMIT)
    monkeypatch.setattr(relay, "MAX_ANSWER", LIMIT)
    monkeypatch.setattr(answers, "MAX_ERROR", LIMIT)
    monkeypatch.setattr("lynkrc_runtime.protocol.event_stream.MAX_FRAME", LIMIT)
    monkeypatch.setattr("lynkrc_runtime.server.flow.MAX_STREAM", 8 * LIMIT)


async def broken(lab: HostileLab, client: str, *, stream: bool) -> None:
    """Ask, and be told of an error; nothing of it stays."""
    tasks = len(asyncio.all_tasks())
    lab.upstream.sent = 0
    lab.forget_targets()
    heard = await lab.ask(client, stream=stream)
    message = error_of(client, heard)
    assert message is not None, heard
    assert len(message) <= 2_100
    for secret in SECRETS:
        assert secret not in message
        assert secret.encode() not in heard.body
        assert secret not in str(heard.headers)
    assert lab.upstream.sent < 64 * LIMIT, "it was read to its end"
    await lab.upstream.all_closed()
    await tasks_are(tasks)
    line = lab.settled()
    assert line["status"] == heard.status
    assert line["calls"] > 0, "the upstream was never asked"
    assert line["class"] not in ("internal", "served", "aborted"), line


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize(
    ("name", "target"), [(name, target) for name, one in CASES.items() for target in one.targets]
)
async def test_a_broken_answer_is_a_clean_error(name: str, target: str) -> None:
    case = CASES[name]
    async with hostile_lab(target, idle=0.2) as lab:
        for client in PATHS:
            for make, stream in ((case.stream, True), (case.whole, False)):
                if make is not None:
                    lab.upstream.says = make(target)
                    await broken(lab, client, stream=stream)


FINE: dict[str, Callable[[str], list[bytes]]] = {
    "an event behind the end": lambda t: [*sound(t), sound(t)[2]],
    "two ends": lambda t: [*sound(t), *sound(t)[-2:]],
    "the whole stream twice": lambda t: [*sound(t), *sound(t)],
    "one byte at a time": lambda t: [
        b"".join(sound(t))[at : at + 1] for at in range(len(b"".join(sound(t))))
    ],
}


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("name", FINE)
async def test_an_answer_is_whole_with_its_end(name: str, target: str) -> None:
    async with hostile_lab(target) as lab:
        for client in PATHS:
            lab.upstream.says = streamed(target, FINE[name](target))
            heard = await lab.ask(client, stream=True)
            assert error_of(client, heard) is None, heard.body
            assert heard.body.count(b"all ") == 1 or client == RESPONSES
            await lab.upstream.all_closed()
            assert lab.settled()["class"] == "served"


ABSURD = (str(2**80), "-5", "1e300", '"many"', "true", "[]", "null")


@pytest.mark.parametrize("target", KINDS)
async def test_absurd_counts_cost_nothing_absurd(target: str) -> None:
    async with hostile_lab(target) as lab:
        for client, text in itertools.product(PATHS, ABSURD):
            for stream in (False, True):
                data = b"".join(SPEAK[KINDS[target][2]].stream(PLAN, "m"))
                if stream and target in (INVOKE, CONVERSE):
                    continue
                said = (data if stream else whole(target)).decode()
                for count in ("40", "52", "59", "12", "7"):
                    said = said.replace(f": {count},", f": {text},").replace(
                        f": {count}}}", f": {text}}}"
                    )
                sent = [said.encode()]
                lab.upstream.says = streamed(target, sent) if stream else json_reply(sent)
                heard = await lab.ask(client, stream=stream)
                if error_of(client, heard) is None:
                    usage = lab.said.lines[-1]["usage"]
                    assert usage is None or all(
                        0 <= value <= 10**12 for value in usage.values() if type(value) is int
                    )
                await lab.upstream.all_closed()
                lab.settled()


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("name", ["HTML", "cut in the middle", "no JSON", "an error with secrets"])
async def test_a_broken_answer_is_passed_over(name: str, target: str) -> None:
    async with hostile_lab(target, MESSAGES) as lab:
        make = CASES[name].whole or CASES[name].stream
        assert make is not None
        for client in PATHS:
            if name == "an error with secrets":
                lab.upstream.then = [json_reply([error_body(target)], status="503 No")]
            else:
                lab.upstream.then = [make(target)]
            lab.upstream.says = json_reply([whole(MESSAGES)])
            heard = await lab.ask(client)
            assert error_of(client, heard) is None
            assert heard.headers["x-lynkr-fallback"] == "true"
            # One more where the kept connection had been closed meanwhile.
            assert lab.settled()["calls"] in (2, 3)


async def test_the_limit_of_an_event_as_it_is() -> None:
    async with hostile_lab(CHAT, total=60.0) as lab:
        start = sound(CHAT)[0] + b"data: "
        parts = itertools.chain((start,), itertools.repeat(b"a" * 1_000_000, 200))
        lab.upstream.says = streamed(CHAT, parts)
        heard = await lab.ask(MESSAGES, stream=True)
        assert error_of(MESSAGES, heard) is not None
        assert sse.MAX_EVENT <= lab.upstream.sent < sse.MAX_EVENT + 20_000_000
        await lab.upstream.all_closed()
