"""Kept answers of the Responses API: the store, its routes, and requests that rely on it."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from openai.types.responses import Response, ResponseItem
from pydantic import TypeAdapter

from lynkrc_runtime.server import responses
from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.server.response_store import (
    Kept,
    ResponseStore,
    response_store,
)
from lynkrc_runtime.server.responses import RefusedState
from lynkrc_runtime.settings import ResponsesStore
from lynkrc_runtime.state.guarded import Guarded, Health
from lynkrc_runtime.state.interface import StoreDown
from lynkrc_runtime.state.memory import MemoryStore
from lynkrc_runtime.telemetry.log import Log
from tests.runtime.by_hand import Said, dispatch, gateway, policy, provider, target

JSON = {"content-type": "application/json"}
Client = TestClient[Any, Any]
LIMIT = 10_000
settle_state = partial(responses.settle_state, limit=LIMIT)
_ITEMS: TypeAdapter[Any] = TypeAdapter(list[ResponseItem])


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def kept(name: str, *, body: bytes = b"{}", output: tuple[bytes, ...] = ()) -> Kept:
    return Kept(id=name, body=body, input=(), output=output)


def store_of(clock: Clock, size: int = 1000) -> ResponseStore:
    return ResponseStore(MemoryStore(clock), ttl=10.0, size=size)


# -- the store -------------------------------------------------------------------------------


async def test_answers_grow_old() -> None:
    clock = Clock()
    store = store_of(clock)
    await store.put("me", kept("a", output=(b'{"id":"msg_1"}',)))
    clock.now = 5.0
    await store.put("me", kept("b"))
    assert await store.item("me", "msg_1") == b'{"id":"msg_1"}'
    clock.now = 10.0
    assert await store.get("me", "a") is None
    assert await store.item("me", "msg_1") is None
    assert await store.get("me", "b") is not None


async def test_the_oldest_make_room() -> None:
    store = store_of(Clock(), size=300)
    for name in "abc":
        await store.put("me", kept(name, body=b"x" * 40))
    assert [await store.get("me", name) is not None for name in "abc"] == [False, True, True]
    await store.put("me", kept("huge", body=b"x" * 301))
    assert await store.get("me", "huge") is None
    assert await store.get("me", "c") is not None
    await store.put("me", kept("c", body=b"y" * 40))
    assert [await store.get("me", name) is not None for name in "bc"] == [True, True]
    assert await store.delete("me", "b")
    assert not await store.delete("me", "b")


async def test_nobody_sees_another_one_s_answers() -> None:
    store = store_of(Clock())
    await store.put("me", kept("a", output=(b'{"id":"msg_1"}',)))
    assert await store.get("you", "a") is None
    assert await store.item("you", "msg_1") is None
    assert not await store.delete("you", "a")


async def test_an_item_of_two_answers_is_there_as_long_as_the_later_one() -> None:
    store = store_of(Clock())
    await store.put("me", kept("a", output=(b'{"id":"msg_1","n":1}',)))
    await store.put("me", kept("b", output=(b'{"id":"msg_1","n":2}',)))
    assert await store.delete("me", "a")
    assert await store.item("me", "msg_1") == b'{"id":"msg_1","n":2}'
    assert await store.delete("me", "b")
    assert await store.item("me", "msg_1") is None


@pytest.mark.parametrize(
    "reference", [b'{"id":"msg_1","type":"item_reference"}', b'{"id":"msg_1"}']
)
async def test_a_reference_need_not_say_that_it_is_one(reference: bytes) -> None:
    store = store_of(Clock())
    item = b'{"id":"msg_1","type":"message"}'
    await store.put("me", kept("a", output=(item,)))
    body = b'{"input":[' + reference + b"]}"
    assert (await settle_state(body, store, "me")).input == (item,)
    with pytest.raises(RefusedState, match="Item with id 'msg_1' not found"):
        await settle_state(body, store, "you")


async def test_what_is_referred_to_again_and_again_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    find = ResponseStore.item

    async def found(self: ResponseStore, scope: str, name: str) -> bytes | None:
        asked.append(name)
        return await find(self, scope, name)

    monkeypatch.setattr(ResponseStore, "item", found)
    store = store_of(Clock(), 10_000)
    item = b'{"id":"msg_1","type":"message","content":"%b"}' % (b"x" * 950)
    await store.put("me", kept("a", output=(item,)))
    most = LIMIT // len(item)
    reference = b'{"type":"item_reference","id":"msg_1"}'

    def body(times: int, more: bytes = b"") -> bytes:
        return b'{"input":[' + b",".join([reference] * times) + b"]" + more + b"}"

    assert (await settle_state(body(most), store, "me")).input == (item,) * most
    assert asked == ["msg_1"], "it is asked for once"
    with pytest.raises(RefusedState, match="input: with what it refers to") as caught:
        await settle_state(body(most + 1), store, "me")
    assert caught.value.status == 413
    with pytest.raises(
        RefusedState, match="previous_response_id: with what it refers to"
    ) as caught:
        await settle_state(body(most, b',"previous_response_id":"a"'), store, "me")
    assert caught.value.status == 413
    # What refers to nothing is bounded as any body is, before this.
    large = b'{"input":[%b]}' % (b'"' + b"x" * LIMIT + b'"')
    assert (await settle_state(large, store, "me")).body is large


@pytest.mark.parametrize("value", [b'"\xff"', b"1e999"])
async def test_a_reference_that_cannot_be_read_is_left_to_who_reads_the_request(
    value: bytes,
) -> None:
    body = b'{"input":[{"type":"item_reference","id":' + value + b"}]}"
    assert (await settle_state(body, store_of(Clock()), "")).body == body


def test_without_a_section_there_is_no_store() -> None:
    assert response_store(None, MemoryStore()) is None
    assert response_store(ResponsesStore(ttl=1.0), MemoryStore()) is not None


# -- requests that rely on it ----------------------------------------------------------------


async def test_a_request_that_relies_on_nothing_keeps_its_bytes() -> None:
    body = b'{ "model":"m", "input": "x" }'
    assert (await settle_state(body, None, "")).body is body
    assert (await settle_state(b"{", None, "")).body == b"{"
    assert (await settle_state(b"[]", None, "")).body == b"[]"


@pytest.mark.parametrize("given", ["[]", '[{"id":"x"}]', "[1,[2]]", '"Hi"', "5", "{}", "null"])
@pytest.mark.parametrize("state", ["background", "conversation", "previous_response_id"])
async def test_without_a_store_the_same_is_refused(given: str, state: str) -> None:
    """Where the input is none at all, who reads it says so before anything else."""
    value = "true" if state == "background" else '"x"'
    body = f'{{"input":{given},"{state}":{value}}}'.encode()
    if given in ("5", "{}"):
        assert (await settle_state(body, None, "")).body is body
    else:
        with pytest.raises(RefusedState) as refused:
            await settle_state(body, None, "")
        assert refused.value.param == state


async def test_earlier_turns_are_put_before_the_new_one() -> None:
    store = store_of(Clock())
    items = (b'{"role":"user","content":"a"}',), (b'{"type":"message","id":"msg_1"}',)
    await store.put("me", Kept(id="r", body=b"{}", input=items[0], output=items[1]))
    body = b'{"model":"m","previous_response_id":"r","temperature":1.50,"input":"b"}'
    settled = await settle_state(body, store, "me")
    assert settled.body == (
        b'{"model":"m","temperature":1.50,"input":[{"role":"user","content":"a"},'
        b'{"type":"message","id":"msg_1"},{"type":"message","role":"user","content":"b"}]}'
    )
    assert settled.keep
    assert settled.previous == "r"
    referring = b'{"model":"m","store":false,"input":[{"type":"item_reference","id":"msg_1"}]}'
    settled = await settle_state(referring, store, "me")
    assert json.loads(settled.body)["input"] == [{"type": "message", "id": "msg_1"}]
    assert not settled.keep


@pytest.mark.parametrize(
    ("members", "param", "code"),
    [
        ({"previous_response_id": "r"}, "previous_response_id", "previous_response_not_found"),
        ({"previous_response_id": 7}, "previous_response_id", "previous_response_not_found"),
        ({"background": True}, "background", None),
        ({"conversation": "c"}, "conversation", None),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input", None),
    ],
)
async def test_what_is_not_kept_is_refused_by_name(
    members: dict[str, Any], param: str, code: str | None
) -> None:
    body = json.dumps({"model": "m", "input": "x"} | members).encode()
    with pytest.raises(RefusedState) as caught:
        await settle_state(body, store_of(Clock()), "")
    assert (caught.value.param, caught.value.code) == (param, code)


# -- over HTTP -------------------------------------------------------------------------------


def site(store: ResponseStore | None) -> Site:
    table = dispatch([provider("sim", "simulator")], [target("one", 0)])
    made = replace(gateway(policy(table), Said()), responses=store)
    return Site(gateway=made, started=1_700_000_000)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    app = client_app(site(ResponseStore(MemoryStore(), ttl=60.0)))
    async with TestClient(TestServer(app)) as made:
        yield made


async def post(client: Client, path: str = "", **members: Any) -> tuple[int, Any]:
    body = json.dumps({"model": "auto", "input": "Hi", **members})
    async with client.post(f"/v1/responses{path}", data=body, headers=JSON) as answer:
        return answer.status, json.loads(await answer.read())


async def get(client: Client, path: str, method: str = "GET") -> tuple[int, Any]:
    async with client.request(method, f"/v1/responses/{path}", headers=JSON) as answer:
        return answer.status, json.loads(await answer.read())


async def streamed(client: Client, **members: Any) -> list[dict[str, Any]]:
    body = json.dumps({"model": "auto", "input": "Hi", "stream": True, **members})
    async with client.post("/v1/responses", data=body, headers=JSON) as answer:
        text = await answer.text()
    return [json.loads(line[5:]) for line in text.split("\n") if line.startswith("data:")]


async def test_an_answer_is_kept_found_followed_and_forgotten(client: Client) -> None:
    status, first = await post(client)
    assert status == 200
    assert first["store"] is True
    Response.model_validate(first, strict=True)
    assert await get(client, first["id"]) == (200, first)
    status, second = await post(client, previous_response_id=first["id"], input="And?")
    assert status == 200
    assert second["previous_response_id"] == first["id"]
    status, listed = await get(client, f"{second['id']}/input_items?order=asc")
    assert status == 200
    roles = [item["role"] for item in listed["data"]]
    assert roles == ["user", "assistant", "user"]
    assert (listed["object"], listed["has_more"]) == ("list", False)
    _ITEMS.validate_python(listed["data"])
    deleted = {"id": first["id"], "object": "response", "deleted": True}
    assert await get(client, first["id"], "DELETE") == (200, deleted)
    status, body = await get(client, first["id"])
    assert (status, body["error"]["type"]) == (404, "invalid_request_error")
    status, _ = await post(client, previous_response_id=second["id"])
    assert status == 200


async def test_pages_of_input(client: Client) -> None:
    _, made = await post(client, input=[{"role": "user", "content": str(n)} for n in range(3)])
    _, page = await get(client, f"{made['id']}/input_items?limit=2")
    assert [item["content"][0]["text"] for item in page["data"]] == ["2", "1"]
    assert page["has_more"]
    _, rest = await get(client, f"{made['id']}/input_items?after={page['last_id']}")
    assert [item["content"][0]["text"] for item in rest["data"]] == ["0"]
    for query in ("limit=0", "limit=101", "limit=x", "order=up", "after=none"):
        status, _ = await get(client, f"{made['id']}/input_items?{query}")
        assert status == 400


async def test_a_streamed_answer_is_kept_as_it_was_given(client: Client) -> None:
    events = await streamed(client)
    responses = [event["response"] for event in events if "response" in event]
    assert len(responses) == 3
    assert all(response["store"] is True for response in responses)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert await get(client, responses[-1]["id"]) == (200, responses[-1])
    following = await streamed(client, previous_response_id=responses[-1]["id"])
    assert following[-1]["response"]["previous_response_id"] == responses[-1]["id"]


async def test_what_the_client_does_not_want_kept_is_not(client: Client) -> None:
    _, made = await post(client, store=False)
    assert made["store"] is False
    assert (await get(client, made["id"]))[0] == 404


async def test_another_caller_finds_nothing(client: Client) -> None:
    _, made = await post(client)
    url = f"/v1/responses/{made['id']}"
    async with client.get(url, headers={"authorization": "Bearer other"}) as answer:
        assert answer.status == 404


async def test_without_a_store_nothing_is_kept() -> None:
    async with TestClient(TestServer(client_app(site(None)))) as client:
        _, made = await post(client)
        assert made["store"] is False
        assert (await get(client, made["id"]))[0] == 404
        status, body = await post(client, previous_response_id=made["id"])
    assert status == 400
    assert body == {
        "error": {
            "message": f"Previous response with id '{made['id']}' not found. Answers are not kept"
            " here: the policy has no section `responses_store`.",
            "type": "invalid_request_error",
            "param": "previous_response_id",
            "code": "previous_response_not_found",
        }
    }


class Dead(MemoryStore):  # type: ignore[misc]  # final; all else of it works
    """A store that is down for everything."""

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        raise StoreDown("redis at db:6379: away")

    async def put(self, values: Mapping[str, bytes], ttl: float, room: int | None = None) -> None:
        raise StoreDown("redis at db:6379: away")


@pytest.mark.parametrize("closed", [True, False])
async def test_while_the_store_is_down_answers_are_found_or_refused_as_declared(
    closed: bool,
) -> None:
    store = Guarded(Dead(), Health(is_closed=closed), Log(write=lambda _: None))
    kept_in = ResponseStore(store, ttl=60.0)
    async with TestClient(TestServer(client_app(site(kept_in)))) as client:
        status, made = await post(client)
        assert status == 200
        assert made["store"] is not closed
        status, body = await post(client, previous_response_id="resp_1")
        assert status == (503 if closed else 400)
        assert "db:6379" not in json.dumps(body)
        assert (await get(client, "resp_1"))[0] == (503 if closed else 404)
        assert (await get(client, "resp_1", "DELETE"))[0] == (503 if closed else 404)
    await store.close()


async def test_tokens_are_counted(client: Client) -> None:
    status, counted = await post(client, "/input_tokens", input="Hi " * 40)
    assert status == 200
    assert counted["object"] == "response.input_tokens"
    assert counted["input_tokens"] > 20
    status, body = await post(client, "/input_tokens", previous_response_id="gone")
    assert (status, body["error"]["code"]) == (400, "previous_response_not_found")
    status, body = await post(client, "/input_tokens", input=7)
    assert (status, body["error"]["param"]) == (400, "input")


async def test_what_is_not_served_is_refused_in_shape(client: Client) -> None:
    _, made = await post(client)
    for path, wanted, word in (
        ("/compact", 404, "compacted"),
        (f"/{made['id']}/cancel", 400, "Cannot cancel a synchronous response."),
        ("/none/cancel", 404, "'none' not found"),
    ):
        status, body = await post(client, path)
        assert status == wanted
        assert word in body["error"]["message"]
        assert body["error"]["type"] == "invalid_request_error"
    status, _ = await get(client, f"{made['id']}?stream=true")
    assert status == 400
    async with client.post("/v1/conversations", data="{}", headers=JSON) as answer:
        assert answer.status == 404
        assert b"conversations are not kept here" in await answer.read()
    for members in ({"background": True}, {"conversation": "conv_1"}):
        status, body = await post(client, **members)
        assert status == 400
        assert body["error"]["param"] == next(iter(members))
