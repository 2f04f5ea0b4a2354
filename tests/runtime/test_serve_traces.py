"""``x-lynkr-explain: 1`` on every surface: where the trace is, what it tells, what it never does.

The gateway is that of the spec with every section, its providers simulated, over real sockets.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from jsonschema import Draft202012Validator

from lynkrc.cli.specs import compile_file
from lynkrc.pipeline import pack_bundle
from lynkrc.source.resources import read_schema
from lynkrc_runtime.features import Extractor
from lynkrc_runtime.server.admin_routes import admin_app
from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.gateway import Gateway, Policy, read_policy
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.server.routes import Settings
from lynkrc_runtime.server.trace_store import TTL, TraceStore
from tests.runtime.by_hand import Said, gateway

SPEC = Path(__file__).parents[1] / "golden" / "pipeline" / "every-section" / "routing.yaml"
SCHEMA = Draft202012Validator(json.loads(read_schema("trace")))
SECRET = "sk-planted-4242"
PROMPT = "prove the planted lemma urgent"
Client = TestClient[Any, Any]


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    packed, _ = pack_bundle(compile_file(SPEC), native=False)
    path = tmp_path_factory.mktemp("traces") / "every-section.lynkr"
    path.write_bytes(packed)
    return read_policy(path)


@dataclass
class Asked:
    """A gateway, its two listeners, and the clock of its traces."""

    clients: Client
    operators: Client
    gateway: Gateway
    now: float = 0.0

    async def send(
        self, path: str, body: Mapping[str, Any], **headers: str
    ) -> tuple[int, Mapping[str, str], str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named |= {"content-type": "application/json"}
        async with self.clients.post(path, data=json.dumps(body), headers=named) as answer:
            return answer.status, answer.headers, await answer.text()

    async def trace(self, headers: Mapping[str, str]) -> dict[str, Any]:
        """The trace an answer names, which is as the schema says."""
        async with self.operators.get(f"/routing/trace/{headers['x-lynkr-trace-id']}") as answer:
            assert answer.status == 200
            assert answer.headers["content-type"] == "application/json"
            found: dict[str, Any] = await answer.json()
        SCHEMA.validate(found)
        return found


@pytest.fixture
async def asked(policy: Policy) -> AsyncIterator[Asked]:
    made = gateway(policy, Said(), settings=Settings(dry_run=True))
    made = replace(made, traces=TraceStore(lambda: lab.now))
    site = Site(gateway=made)
    async with (
        TestClient(TestServer(client_app(site))) as clients,
        TestClient(TestServer(admin_app(site))) as operators,
    ):
        lab = Asked(clients=clients, operators=operators, gateway=made)
        yield lab


def messages(text: str = PROMPT, **more: Any) -> dict[str, Any]:
    said = [{"role": "user", "content": text}]
    return {"model": "auto", "max_tokens": 100, "messages": said} | more


SURFACES = {
    "messages": ("/v1/messages", messages()),
    "messages streamed": ("/v1/messages", messages(stream=True)),
    "chat": ("/v1/chat/completions", messages()),
    "chat streamed": ("/v1/chat/completions", messages(stream=True)),
    "responses": ("/v1/responses", {"model": "auto", "input": PROMPT}),
    "responses streamed": ("/v1/responses", {"model": "auto", "input": PROMPT, "stream": True}),
}


@pytest.mark.parametrize("surface", SURFACES)
async def test_every_surface_tells_where_the_trace_is(asked: Asked, surface: str) -> None:
    path, body = SURFACES[surface]
    status, headers, _ = await asked.send(path, body, x_lynkr_explain="1")
    assert status == 200
    trace = await asked.trace(headers)
    decision, served = trace["decision"], trace["served"]
    assert trace["surface"] == surface.split(maxsplit=1)[0]
    assert trace["bundle"] == headers["x-lynkr-bundle"]
    assert decision["tier"] == headers["x-lynkr-tier"]
    assert decision["rule"] == headers["x-lynkr-rule"]
    assert str(decision["score"]) == headers["x-lynkr-score"]
    assert served["request_id"] == headers["x-lynkr-request-id"]
    assert (served["status"], served["class"]) == (200, "served")
    assert served["stream"] is ("streamed" in surface)
    assert [one["result"] for one in served["attempts"]] == ["served"]
    assert served["target"] in decision["targets"]


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("header", [{}, {"x_lynkr_explain": "0"}])
async def test_without_the_header_nothing_is_explained(
    asked: Asked, surface: str, header: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("nobody asked")

    monkeypatch.setattr(Extractor, "explain", never)
    path, body = SURFACES[surface]
    status, headers, _ = await asked.send(path, body, **header)
    assert status == 200
    assert "x-lynkr-trace-id" not in headers
    assert len(asked.gateway.traces) == 0


async def test_requests_that_no_target_gets_are_told_too(asked: Asked) -> None:
    status, headers, _ = await asked.send(
        "/v1/messages", messages("go " * 9001), x_lynkr_explain="1"
    )
    trace = await asked.trace(headers)
    assert (trace["decision"]["outcome"], trace["decision"]["rule"]) == ("deny", "no-shouting")
    assert trace["decision"]["status"] == trace["served"]["status"] == status
    assert trace["served"]["class"] == "denied"
    for stream in (False, True):
        status, headers, _ = await asked.send(
            "/v1/messages", messages(stream=stream), x_lynkr_explain="1", x_call="title"
        )
        trace = await asked.trace(headers)
        assert (status, trace["decision"]["outcome"]) == (200, "respond")
        assert trace["served"]["class"] == "responded"
    status, headers, _ = await asked.send(
        "/v1/messages", messages(max_tokens=-1), x_lynkr_explain="1"
    )
    trace = await asked.trace(headers)
    assert (trace["decision"], trace["features"]) == (None, [])
    assert (trace["served"]["status"], trace["served"]["class"]) == (status, "malformed")


async def test_a_header_without_one_meaning_is_refused_and_told(asked: Asked) -> None:
    named = [
        ("content-type", "application/json"),
        ("x-lynkr-explain", "1"),
        ("x-call", "a"),
        ("x-call", "b"),
    ]
    async with asked.clients.post(
        "/v1/messages", data=json.dumps(messages()), headers=named
    ) as answer:
        assert answer.status == 400
        trace = await asked.trace(answer.headers)
    assert (trace["decision"], trace["served"]["class"]) == (None, "malformed")


async def test_counted_tokens_are_told_too(asked: Asked) -> None:
    for path, body in (
        ("/v1/messages/count_tokens", messages()),
        ("/v1/responses/input_tokens", {"model": "auto", "input": PROMPT}),
    ):
        status, headers, _ = await asked.send(path, body, x_lynkr_explain="1")
        assert status == 200
        trace = await asked.trace(headers)
        assert trace["decision"]["outcome"] == "route"
        assert trace["served"] is None
        _, headers, _ = await asked.send(path, body)
        assert "x-lynkr-trace-id" not in headers


async def test_embeddings_are_told_too(asked: Asked) -> None:
    (name,) = list(asked.gateway.policy.dispatch.settings.embeddings)[:1]
    body = {"model": name.replace("*", "x"), "input": PROMPT}
    _, headers, _ = await asked.send("/v1/embeddings", body, x_lynkr_explain="1")
    trace = await asked.trace(headers)
    assert (trace["surface"], trace["decision"]["rule"]) == ("embeddings", "pin")
    assert trace["served"]["request_id"] == headers["x-lynkr-request-id"]


async def test_a_trace_holds_no_word_of_its_request(asked: Asked) -> None:
    body = messages(
        f"{PROMPT} {SECRET}-text",
        system=f"{SECRET}-system",
        model=f"{SECRET}-model",
        metadata={"user_id": f"{SECRET}-user", "team": f"{SECRET}-team"},
    )
    tool = {"name": "planted_tool", "input_schema": {"type": "object"}}
    function = {"type": "function", "function": {"name": "planted_tool"}}
    chat = {name: value for name, value in body.items() if name != "system"}
    for path, more in (
        ("/v1/messages", body | {"tools": [tool], "stop_sequences": [SECRET]}),
        ("/v1/chat/completions", chat | {"tools": [function], "stop": [SECRET]}),
    ):
        _, headers, _ = await asked.send(
            path,
            more,
            x_lynkr_explain="1",
            x_call=f"{SECRET}-header",
            x_data_class=f"{SECRET}-class",
            authorization=f"Bearer {SECRET}-key",
            cookie=f"{SECRET}-cookie",
        )
        trace = await asked.trace(headers)
        told = json.dumps(trace)
        assert SECRET not in told and "planted" not in told
        assert trace["decision"] is not None
        shown = {feature["slot"]: feature["shown"] for feature in trace["features"]}
        assert shown['header("x-call")'] == "other"
        assert shown["model"] == "other"
        places = [
            place
            for feature in trace["features"]
            for pattern in feature["patterns"]
            for place in pattern["places"]
        ]
        assert places and all(set(place) == {"chars", "bytes"} for place in places)


async def test_a_trace_is_kept_for_ten_minutes(asked: Asked) -> None:
    _, headers, _ = await asked.send("/v1/messages", messages(), x_lynkr_explain="1")
    asked.now = TTL - 0.1
    await asked.trace(headers)
    asked.now = TTL
    path = f"/routing/trace/{headers['x-lynkr-trace-id']}"
    async with asked.operators.get(path) as answer:
        assert answer.status == 404


async def test_traces_are_for_operators(asked: Asked) -> None:
    _, headers, _ = await asked.send("/v1/messages", messages(), x_lynkr_explain="1")
    path = f"/routing/trace/{headers['x-lynkr-trace-id']}"
    async with asked.clients.get(path) as answer:
        assert answer.status == 404
    async with asked.operators.get(path, headers={"origin": "https://evil.example"}) as answer:
        assert answer.status == 403
    async with asked.operators.get("/routing/trace/tr_unknown") as answer:
        assert answer.status == 404
        assert "tr_unknown" in await answer.text()


async def test_the_dry_run_is_the_same_object(asked: Asked) -> None:
    _, headers, _ = await asked.send("/v1/messages", messages(), x_lynkr_explain="1")
    kept = await asked.trace(headers)
    named = {"content-type": "application/json"}
    async with asked.operators.post(
        "/routing/analyze", data=json.dumps(messages()), headers=named
    ) as answer:
        analysed = await answer.json()
    SCHEMA.validate(analysed)
    assert analysed == kept | {"served": None}
