"""An answer that is kept on its way: a slow store costs the client none of its events."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from lynkrc_runtime.server.exchange import Incoming
from lynkrc_runtime.server.response_store import ResponseStore
from lynkrc_runtime.server.responses import serve_responses
from lynkrc_runtime.state.memory import MemoryStore
from tests.runtime.by_hand import (
    RESPONSES,
    Recorder,
    Said,
    Script,
    Scripted,
    body,
    dispatch,
    gateway,
    policy,
    provider,
    target,
)
from tests.runtime.test_serve_resilience import answers
from tests.runtime.test_serve_streams import END, OPEN, START, delta
from tests.runtime.virtual_time import run


class Slow(MemoryStore):  # type: ignore[misc]  # final; all else of it works
    """A store that takes a moment to write."""

    async def put(self, values: Mapping[str, bytes], ttl: float, room: int | None = None) -> None:
        await asyncio.sleep(2.0)
        await super().put(values, ttl, room)


class Careless(MemoryStore):  # type: ignore[misc]  # final; all else of it works
    """A store that fails as none may."""

    async def put(self, values: Mapping[str, bytes], ttl: float, room: int | None = None) -> None:
        raise RuntimeError("a mistake")


def _incoming(*, stream: bool) -> Incoming:
    return Incoming(
        surface="responses",
        dialect=RESPONSES,
        headers={},
        repeated=frozenset(),
        body=body(RESPONSES, stream=stream, store=True),
        request_id="req_test",
        answer_id="a" * 24,
        created=1_700_000_000,
        arrived=asyncio.get_running_loop().time(),
    )


def _streamed(client: Recorder, *, leaves_after: float | None = None) -> tuple[Said, bool]:
    """A stream whose end is being kept when the next keep-alive is due; whether it was kept."""
    document = dispatch([provider("p", "anthropic")], [target("one", 0)])
    said = Said()

    async def main() -> bool:
        # The keep-alive is due 15 seconds after the first content: while the end is being kept.
        upstream = Scripted({"one": [Script(steps=[START, OPEN, delta("Hi"), 14.0, END])]})
        store = ResponseStore(Slow(asyncio.get_running_loop().time), ttl=60.0)
        served = replace(gateway(policy(document), said, http=upstream), responses=store)
        incoming = _incoming(stream=True)
        task = asyncio.create_task(serve_responses(served, incoming, client))
        await asyncio.wait((task,), timeout=leaves_after)
        if leaves_after is not None:
            task.cancel()
            await asyncio.wait((task,))
            await asyncio.sleep(10.0)
        else:
            task.result()
        return await store.get("", f"resp_{'a' * 24}") is not None

    return said, run(main())


def _types(client: Recorder) -> list[str]:
    lines = [line for line in client.body.split(b"\n") if line.startswith(b"data: ")]
    return [msgspec.json.decode(line.removeprefix(b"data: "))["type"] for line in lines]


def test_the_end_of_a_stream_arrives_though_keeping_it_takes_longer_than_a_silence_may() -> None:
    client = Recorder()
    said, is_kept = _streamed(client)
    assert is_kept
    types = _types(client)
    assert types[0] == "response.created" and types[-1] == "response.completed"
    assert types.count("response.completed") == 1
    assert said.request["class"] == "served"


def test_a_client_that_leaves_while_its_answer_is_kept_is_no_mistake() -> None:
    client = Recorder()
    said, is_kept = _streamed(client, leaves_after=14.5)
    assert is_kept
    assert said.request["class"] in ("aborted", "served")
    assert [line["event"] for line in said.lines] == ["request"]


def test_a_client_that_is_gone_when_its_answer_is_kept_is_told_nothing() -> None:
    client = Recorder()

    async def leave() -> None:
        client.gone = True

    original = client.write

    async def write(data: bytes) -> None:
        if b"response.completed" in data:
            await leave()
        await original(data)

    object.__setattr__(client, "write", write)
    said, _ = _streamed(client)
    assert said.request["class"] == "aborted"


def test_a_mistake_while_an_answer_is_kept_is_told() -> None:
    document = dispatch([provider("p", "anthropic")], [target("one", 0)])
    said, client = Said(), Recorder()

    async def main() -> None:
        store = ResponseStore(Careless(asyncio.get_running_loop().time), ttl=60.0)
        upstream = Scripted({"one": [answers()]})
        served = replace(gateway(policy(document), said, http=upstream), responses=store)
        await serve_responses(served, _incoming(stream=False), client)

    run(main())
    assert client.status == 500 and b"inside the gateway" in client.body
    assert said.request["class"] == "internal" and said.request["status"] == 500


def test_a_stop_while_an_answer_is_kept_is_told() -> None:
    document = dispatch([provider("p", "anthropic")], [target("one", 0)])
    said, client = Said(), Recorder()

    async def main() -> None:
        store = ResponseStore(Slow(asyncio.get_running_loop().time), ttl=60.0)
        upstream = Scripted({"one": [answers()]})
        served = replace(gateway(policy(document), said, http=upstream), responses=store)
        asyncio.get_running_loop().call_later(1.0, served.stopping.cut)
        await serve_responses(served, _incoming(stream=False), client)

    run(main())
    assert client.status == 503 and b"stopping" in client.body
