"""What could be read in two ways is refused where something is asserted of the spec."""

import asyncio
import dataclasses

import msgspec
import pytest

from lynkrc_runtime.dispatch import Dispatch, Slot, StringClass
from lynkrc_runtime.protocol.conversation import MalformedRequest
from lynkrc_runtime.protocol.repeated import repeated_member
from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.server.count_tokens import TokenCounter
from lynkrc_runtime.server.embeddings import embed
from lynkrc_runtime.server.exchange import Incoming
from lynkrc_runtime.server.gateway import read_request
from lynkrc_runtime.server.response_store import Kept, ResponseStore
from lynkrc_runtime.server.responses import settle
from lynkrc_runtime.server.serve import serve
from lynkrc_runtime.settings import Settings
from lynkrc_runtime.state.memory import MemoryStore
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
    Recorder,
    Said,
    Scripted,
    dispatch,
    gateway,
    policy,
    provider,
    target,
)
from tests.runtime.test_serve_whole import COMPLETION, MESSAGE, whole
from tests.runtime.virtual_time import run

REPEATS = {
    "model": b'{"model":"a","model":"b","max_tokens":9,"messages":[{"role":"user","content":"x"}]}',
    "content": b'{"model":"a","max_tokens":9,"messages":[{"role":"user","content":"x",'
    b'"content":"y"}]}',
    "spelt": b'{"model":"a","max_tokens":9,"messages":[{"role":"user","c\\u006fntent":"x",'
    b'"content":"y"}]}',
    "deep": b'{"model":"a","max_tokens":9,"messages":[{"role":"user","content":"x"}],'
    b'"metadata":{"a":[{"k":1,"k":1}]}}',
}
REPEATS["beside a long number"] = REPEATS["model"][:-1] + b',"z":' + b"1" * 5000 + b"}"
NAMES = {
    "beside a long number": "model",
    "model": "model",
    "content": "content",
    "spelt": "content",
    "deep": "k",
}


def table(*, has_assertions: bool) -> Dispatch:
    made = dispatch(
        [provider("claude", "anthropic"), provider("gpt", "openai")],
        [target("one", 0), target("two", 1)],
    )
    return msgspec.structs.replace(made, has_assertions=has_assertions)


def send(
    made: Dispatch,
    content: bytes,
    dialect: str = MESSAGES,
    headers: dict[str, str] | None = None,
    repeated: frozenset[str] = frozenset(),
) -> tuple[Recorder, Scripted]:
    upstream = Scripted({"one": [whole(MESSAGE)], "two": [whole(COMPLETION)]})

    async def main() -> Recorder:
        client = Recorder()
        incoming = Incoming(
            surface="messages" if dialect == MESSAGES else "chat",
            dialect=dialect,
            headers=headers or {},
            repeated=repeated,
            body=content,
            request_id="req_test",
            answer_id="a" * 24,
            created=1_700_000_000,
            arrived=asyncio.get_running_loop().time(),
        )
        await serve(gateway(policy(made), Said(), http=upstream), incoming, client)
        return client

    return run(main()), upstream


@pytest.mark.parametrize("dialect", [MESSAGES, CHAT])
@pytest.mark.parametrize("case", REPEATS)
def test_a_repeated_member_is_refused_at_any_depth(case: str, dialect: str) -> None:
    client, upstream = send(table(has_assertions=True), REPEATS[case], dialect)
    assert client.status == 400
    assert client.json["error"]["message"] == f"{NAMES[case]}: the member is repeated"
    assert upstream.requests == []


@pytest.mark.parametrize("dialect", [MESSAGES, CHAT])
def test_no_depth_hides_a_repeated_member(dialect: str) -> None:
    """One reader's stack lasts longer than another's: what one of them takes, both must see."""
    made = gateway(policy(table(has_assertions=True)), Said(), http=Scripted({}))
    reader = CLIENT_DIALECTS[dialect].read_request

    def body(depth: int, repeated: bytes) -> bytes:
        return b'{"z":%b1%b,%b' % (b'{"a":' * depth, b"}" * depth, repeated[1:])

    for depth in range(800, 1100):
        with pytest.raises(MalformedRequest):
            read_request(made, dialect, body(depth, REPEATS["content"]), {})
    assert reader(body(500, REPEATS["content"]), {}).messages
    with pytest.raises(MalformedRequest, match="nested too deeply"):
        repeated_member(b"[" * 100_000)


@pytest.mark.parametrize("case", REPEATS)
def test_without_assertions_the_last_one_is_what_is_read_and_sent(case: str) -> None:
    client, upstream = send(table(has_assertions=False), REPEATS[case])
    assert client.status == 200
    (sent,) = upstream.requests
    assert sent.body.count(b'"model"') == 1


def test_a_name_that_nobody_can_send_is_told_all_the_same() -> None:
    content = b'{"\\ud800":1,"\\ud800":2,"max_tokens":9,"messages":[]}'
    client, _ = send(table(has_assertions=True), content)
    assert client.status == 400
    assert client.json["error"]["message"] == "?: the member is repeated"


def test_embeddings_refuse_it_too() -> None:
    made = msgspec.structs.replace(
        table(has_assertions=True), settings=Settings(embeddings={"e": "two"})
    )
    served, client = gateway(policy(made), Said(), http=Scripted({})), Recorder()

    async def main() -> None:
        incoming = Incoming(
            surface="embeddings",
            dialect=CHAT,
            headers={},
            repeated=frozenset(),
            body=b'{"model":"e","model":"e","input":"x"}',
            request_id="req_test",
            answer_id="a" * 24,
            created=1_700_000_000,
            arrived=asyncio.get_running_loop().time(),
        )
        await serve(served, incoming, client, embed)

    run(main())
    assert client.status == 400
    assert client.json["error"]["message"] == "model: the member is repeated"


async def test_a_request_that_relies_on_a_kept_answer_is_refused_as_it_came() -> None:
    store = ResponseStore(MemoryStore(), ttl=60.0)
    await store.put("", Kept(id="resp_1", body=b"{}", input=(), output=()))
    body = (
        b'{"model":"a","model":"b","input":[{"role":"user","content":"x"}],'
        b'"previous_response_id":"resp_1"}'
    )
    for has_assertions in (False, True):
        served = gateway(policy(table(has_assertions=has_assertions)), Said(), http=Scripted({}))
        served = dataclasses.replace(served, responses=store)
        assert ((await settle(served, body, "")).body == body) is has_assertions


def test_counting_refuses_it_too() -> None:
    async def main() -> None:
        served = gateway(policy(table(has_assertions=True)), Said(), http=Scripted({}))
        with pytest.raises(MalformedRequest, match="repeated"):
            await TokenCounter().count(served, {}, frozenset(), REPEATS["content"])

    run(main())


@pytest.mark.parametrize("has_assertions", [False, True])
def test_a_header_it_reads_must_not_come_twice(has_assertions: bool) -> None:
    """Another header may: nothing is decided by it."""
    classes = [StringClass(kind=kind, text="") for kind in ("absent", "other")]
    made = msgspec.structs.replace(
        table(has_assertions=has_assertions),
        slots=[
            Slot(
                feature="header",
                args=["x-data-class"],
                type="string",
                low=0,
                high=1,
                classes=classes,
            )
        ],
    )
    plain = REPEATS["model"].replace(b'"model":"a",', b"")
    headers = {"x-data-class": "public"}
    client, upstream = send(made, plain, headers=headers, repeated=frozenset({"x-data-class"}))
    assert client.status == 400
    assert "x-data-class is repeated" in client.json["error"]["message"]
    assert upstream.requests == []
    client, _ = send(made, plain, headers=headers, repeated=frozenset({"cookie"}))
    assert client.status == 200


@pytest.mark.parametrize("body", [b"", b"nonsense", b'{"a":', b"\xff", b"3"])
def test_what_is_no_json_is_not_judged_here(body: bytes) -> None:
    assert repeated_member(body) is None
