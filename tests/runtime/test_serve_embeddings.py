"""Embeddings without sockets: which target, what a dry run says, and one settlement a request."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from lynkrc_runtime.attempt import Fault
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.protocol.embeddings.policy import DIALECT, target_of
from lynkrc_runtime.server.embeddings import embed
from lynkrc_runtime.server.exchange import Incoming
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.server.routes import Settings
from lynkrc_runtime.server.serve import serve
from lynkrc_runtime.settings import Settings as Declared
from tests.runtime.by_hand import (
    Recorder,
    Said,
    Script,
    Scripted,
    dispatch,
    gateway,
    policy,
    provider,
    target,
)
from tests.runtime.virtual_time import run

JSON = {"content-type": "application/json", "x-request-id": "req_up"}
VECTOR = {"object": "embedding", "index": 0, "embedding": [0.5]}


def table(kind: str = "openai", **embeddings: str) -> Dispatch:
    made = dispatch([provider("p", kind)], [target("one", 0), target("two", 0)], [0])
    return msgspec.structs.replace(made, settings=Declared(embeddings=embeddings))


def script(*data: Any, **more: Any) -> Script:
    body = {"object": "list", "data": list(data), "model": "up"} | more
    return Script(steps=[msgspec.json.encode(body)], headers=JSON)


def asked(
    served: Gateway,
    client: Recorder | None = None,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Recorder:
    recorder = client or Recorder()

    async def main() -> None:
        incoming = Incoming(
            surface="embeddings",
            dialect=DIALECT,
            headers=headers or {},
            repeated=frozenset(),
            body=msgspec.json.encode({"model": "e", "input": "Hi"} | members),
            request_id="req_test",
            answer_id="a" * 24,
            created=1_700_000_000,
            arrived=asyncio.get_running_loop().time(),
        )
        await serve(served, incoming, recorder, embed)

    run(main())
    return recorder


def settled(said: Said, served: Gateway) -> Mapping[str, Any]:
    """The request's only line; nothing is in flight any more."""
    assert b"lynkr_requests_in_flight 0.0" in served.metrics.render()
    return said.request


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        ("text-large", "big"),
        (" TEXT-large ", "big"),
        ("text-small", "small"),
        ("text-code-1", "code"),
        ("text", None),
        ("text-*", "small"),
        ("", None),
    ],
)
def test_exact_names_go_first_then_the_longest_prefix(model: str, wanted: str | None) -> None:
    declared = {"text-*": "small", "text-code*": "code", "text-large": "big"}
    assert target_of(declared, model) == wanted


def test_a_star_alone_takes_every_name() -> None:
    assert target_of({"*": "all"}, "anything") == "all"


def test_a_target_outside_every_chain_is_called() -> None:
    upstream, said = Scripted({"two": [script(VECTOR)]}), Said()

    def scorer(_: list[int]) -> Any:
        return (0, -1, -2, 0, 2, -1, -1)

    made = table(e="two")
    chain = msgspec.structs.replace(made.chains[0], groups=[[1]])
    made = msgspec.structs.replace(made, chains=[chain])
    served = gateway(policy(made, scorer), said, http=upstream)
    answer = asked(served)
    assert (answer.status, answer.json["data"]) == (200, [VECTOR])
    assert answer.headers["x-lynkr-rule"] == "embeddings"
    assert answer.headers["x-lynkr-upstream-request-id"] == "req_up"
    assert "x-lynkr-tier" not in answer.headers
    [call] = upstream.requests
    assert call.url == "https://api.openai.com/v1/embeddings"
    assert call.body == b'{"model":"model-two","input":"Hi"}'
    line = settled(said, served)
    assert (line["target"], line["calls"], line["usage"]["reported"]) == ("two", 1, False)


def test_a_target_the_decision_leaves_out_is_not_called() -> None:
    upstream, said = Scripted({}), Said()
    answer = asked(gateway(policy(table(e="two")), said, http=upstream))
    assert (answer.status, upstream.called) == (403, [])
    assert "does not allow target two" in answer.json["error"]["message"]


def test_without_the_section_it_is_named() -> None:
    said = Said()
    served = gateway(policy(table()), said)
    answer = asked(served)
    assert (answer.status, answer.json["error"]["code"]) == (404, "model_not_found")
    assert "section `embeddings`" in answer.json["error"]["message"]
    assert settled(said, served)["class"] == "refused"


def test_a_broken_answer_is_asked_for_again_from_the_same_target() -> None:
    upstream = Scripted({"one": [script(), Script(fault=Fault.CONNECT), script(VECTOR)]})
    said = Said()
    served = gateway(policy(table(e="one")), said, http=upstream)
    assert asked(served).status == 200
    line = settled(said, served)
    assert [one["result"] for one in line["attempts"]] == ["failed", "failed", "served"]


def test_a_time_out_is_told() -> None:
    upstream = Scripted({"one": [Script(before=700.0), Script(before=700.0)]})
    said = Said()
    served = gateway(policy(table(e="one")), said, http=upstream)
    answer = asked(served)
    assert (answer.status, upstream.cancelled) == (503, 1)
    assert settled(said, served)["class"] == "transient"


def test_a_client_that_left_is_settled_once() -> None:
    class Gone(Recorder):
        async def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            raise ConnectionResetError

    said = Said()
    served = gateway(policy(table(e="one")), said, http=Scripted({"one": [script(VECTOR)]}))
    asked(served, Gone())
    line = settled(said, served)
    assert (line["class"], line["attempts"][-1]["result"]) == ("aborted", "aborted")


def test_a_dry_run_makes_vectors_of_its_own() -> None:
    said = Said()
    served = gateway(policy(table("ollama", e="one")), said, settings=Settings(dry_run=True))
    first, again = asked(served, input=["a", "b"], dimensions=3), asked(served, input="a")
    assert first.headers["x-lynkr-simulated"] == "1"
    vectors = [one["embedding"] for one in first.json["data"]]
    assert [len(vector) for vector in vectors] == [3, 3] and vectors[0] != vectors[1]
    assert again.json["data"][0]["embedding"][:3] == vectors[0]


def test_the_simulator_fails_as_it_is_told() -> None:
    made = dispatch([provider("p", "simulator", simulate="fail:429:2")], [target("one", 0)])
    made = msgspec.structs.replace(made, settings=Declared(embeddings={"e": "one"}))
    said = Said()
    answer = asked(gateway(policy(made), said))
    assert (answer.status, answer.headers["retry-after"]) == (429, "2")


def test_a_dry_run_hears_what_the_client_wishes() -> None:
    served = gateway(policy(table(e="one")), Said(), settings=Settings(dry_run=True))
    assert asked(served, headers={"x-lynkr-simulate": "one=fail:429"}).status == 429
    assert asked(served, headers={"x-lynkr-simulate": "one=laugh"}).status == 400


def test_the_simulator_makes_no_endless_vectors() -> None:
    served = gateway(policy(table(e="one")), Said(), settings=Settings(dry_run=True))
    answer = asked(served, dimensions=10**9)
    assert answer.status == 400
    assert "dimensions" in answer.json["error"]["message"]


def test_the_log_line_is_bounded_whatever_members_are_called() -> None:
    said = Said()
    served = gateway(
        policy(table("ollama", e="one")), said, http=Scripted({"one": [script(VECTOR)]})
    )
    asked(served, **{f"{number}{'n' * 500}": 1 for number in range(99)})
    told = settled(said, served)["transforms"]
    assert (len(told), told[-1], max(map(len, told))) == (51, "+49", 100)


def test_vectors_that_are_not_as_asked_are_paid_for() -> None:
    said = Said()
    answer = script(VECTOR, usage={"prompt_tokens": 9, "total_tokens": 9})
    served = gateway(policy(table(e="one")), said, http=Scripted({"one": [answer]}))
    assert asked(served, dimensions=2).status == 400
    line = settled(said, served)
    assert line["attempts"][0]["usage"]["input"] == 9
    assert line["usage"] is None


def test_a_target_that_may_lose_nothing_is_not_asked_for_less() -> None:
    made = table("ollama", e="one")
    strict = [msgspec.structs.replace(one, on_loss="deny") for one in made.targets]
    upstream = Scripted({})
    served = gateway(policy(msgspec.structs.replace(made, targets=strict)), Said(), http=upstream)
    answer = asked(served, user="ann")
    assert answer.status == 400
    assert "dropped=user" in answer.json["error"]["message"]
    assert upstream.requests == []
