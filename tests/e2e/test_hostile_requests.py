"""What a request says never chooses where we call, nor becomes a header or a line of anybody's."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from yarl import URL

from lynkrc_runtime.dispatch import ProviderSettings
from tests.clients.said import SPEAK
from tests.clients.script import Plan
from tests.e2e.hostile_lab import ASKS, KINDS, PATHS, HostileLab, error_of, hostile_lab
from tests.e2e.hostile_server import reply
from tests.e2e.socket_lab import Lab
from tests.runtime.by_hand import CHAT, MESSAGES, RESPONSES

JSON = {"content-type": "application/json"}


@dataclass
class Canary:
    """An address that requests speak of, and how often somebody came."""

    url: str = ""
    visits: int = 0


@asynccontextmanager
async def canary() -> AsyncIterator[Canary]:
    made = Canary()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.visits += 1
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/latest/meta-data"
    try:
        yield made
    finally:
        server.close()


def answers(lab: HostileLab, target: str) -> None:
    body = json.dumps(SPEAK[KINDS[target][2]].whole(Plan(text="Yes."), "m")).encode()
    lab.upstream.says = reply("application/json", [body])


def enticing(client: str, url: str) -> list[dict[str, Any]]:
    """Bodies that name an address in every place one may stand in."""
    picture = {"type": "image", "source": {"type": "url", "url": url}}
    paper = {"type": "document", "source": {"type": "url", "url": url}}
    parts: dict[str, list[dict[str, Any]]] = {
        MESSAGES: [picture, paper],
        CHAT: [
            {"type": "image_url", "image_url": {"url": url}},
            {"type": "file", "file": {"file_data": url, "filename": url}},
            {"type": "file", "file": {"file_id": url}},
        ],
        RESPONSES: [
            {"type": "input_image", "image_url": url},
            {"type": "input_file", "file_url": url},
        ],
    }
    member = "input" if client == RESPONSES else "messages"
    bodies = [{member: [{"role": "user", "content": [part]}]} for part in parts[client]]
    return [
        *bodies,
        {"mcp_servers": [{"type": "url", "url": url, "name": "x"}]},
        {"tools": [{"type": "mcp", "server_label": "x", "server_url": url}]},
        {"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}]},
        {"base_url": url, "api_base": url, "api_url": url, "endpoint": url, "url": url},
        {"metadata": {"base_url": url, "user_id": url}, "user": url, "webhook": url},
        {"model": url},
        {"model": f"openai/{url}"},
    ]


@pytest.mark.parametrize("client", PATHS)
@pytest.mark.parametrize("target", KINDS)
async def test_no_address_of_a_client_is_visited(target: str, client: str) -> None:
    async with canary() as bait, hostile_lab(target) as lab:
        headers = {
            "x-base-url": bait.url,
            "x-lynkr-base-url": bait.url,
            "x-forwarded-host": URL(bait.url).authority,
            "forwarded": f"host={URL(bait.url).authority}",
            "x-original-url": bait.url,
            "referer": bait.url,
        }
        for body in enticing(client, bait.url):
            answers(lab, target)
            data = json.dumps({"model": "m", **ASKS[client], **body}).encode()
            heard = await lab.send(client, data, headers)
            assert heard.status in (200, 400), heard
        assert bait.visits == 0
        for asked in lab.upstream.asked:
            head = asked.partition(b"\r\n\r\n")[0]
            assert URL(bait.url).authority.encode() not in head


async def test_nor_to_count_tokens() -> None:
    async with canary() as bait, hostile_lab(MESSAGES) as lab:
        answers(lab, MESSAGES)
        for body in enticing(MESSAGES, bait.url):
            data = {"model": "m", "input": bait.url, **ASKS[MESSAGES], **body}
            async with lab.session.post(lab.url + "/v1/messages/count_tokens", json=data) as answer:
                assert answer.status in (200, 400)
        assert bait.visits == 0


VECTOR = {"object": "list", "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}} | {
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]
}


async def test_nor_to_make_embeddings() -> None:
    async with canary() as bait, hostile_lab(RESPONSES, embeddings="t-openai-responses") as lab:
        for more in (
            {"input": bait.url},
            {"input": [bait.url]},
            {"model": bait.url},
            {"model": f"{bait.url}#/../../x"},
            {"user": bait.url, "base_url": bait.url, "api_base": bait.url, "url": bait.url},
            {"input": [{"type": "image_url", "image_url": {"url": bait.url}}]},
            {"input": [{"type": "input_file", "file_url": bait.url}]},
            {"encoding_format": bait.url},
        ):
            lab.upstream.says = reply("application/json", [json.dumps(VECTOR).encode()])
            data = {"model": "m", "input": "Hi", **more}
            async with lab.session.post(lab.url + "/v1/embeddings", json=data) as answer:
                assert answer.status in ((404,) if "model" in more else (200, 400))
        assert bait.visits == 0
        assert lab.upstream.asked, "it is served here"
        for asked in lab.upstream.asked:
            assert asked.startswith(b"POST /v1/embeddings HTTP/1.1\r\n")
            head = asked.partition(b"\r\n\r\n")[0]
            assert URL(bait.url).authority.encode() not in head


async def test_nor_for_what_was_kept_elsewhere() -> None:
    async with canary() as bait, hostile_lab(RESPONSES) as lab:
        lures: tuple[dict[str, Any], ...] = (
            {"previous_response_id": bait.url},
            {"previous_response_id": "../../responses/resp_1"},
            {"input": [{"type": "item_reference", "id": bait.url}]},
            {"input": [{"id": bait.url}]},
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": bait.url}]}]},
            {
                "input": [
                    {"role": "user", "content": [{"type": "input_image", "file_id": bait.url}]}
                ]
            },
            {"prompt": {"id": bait.url}},
            {"conversation": bait.url},
            {"conversation": {"id": bait.url}},
            {"metadata": {"url": bait.url, "webhook_url": bait.url}},
            {"tools": [{"type": "file_search", "vector_store_ids": [bait.url]}]},
            {"tools": [{"type": "code_interpreter", "container": bait.url}]},
        )
        for lure in lures:
            answers(lab, RESPONSES)
            data = json.dumps({"model": "m", **ASKS[RESPONSES], **lure}).encode()
            heard = await lab.send(RESPONSES, data)
            assert heard.status in (200, 400, 404), heard
        for path in (f"/v1/responses/{quote(bait.url, safe='')}", "/v1/responses/..%2f..%2fx"):
            async with lab.session.get(lab.url + path) as answer:
                assert answer.status == 404
        assert bait.visits == 0
        for asked in lab.upstream.asked:
            assert asked.startswith(b"POST /v1/responses HTTP/1.1\r\n")
            assert URL(bait.url).authority.encode() not in asked.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("client", PATHS)
async def test_no_redirect_is_followed(client: str, status: int) -> None:
    async with canary() as bait, hostile_lab(CHAT) as lab:
        lab.upstream.says = reply(
            "text/html", [b"over there"], status=status, headers={"location": bait.url}
        )
        heard = await lab.ask(client)
        assert heard.status >= 400
        assert bait.url.encode() not in heard.body
        assert "location" not in heard.headers
        assert bait.visits == 0


MODELS = (
    "../../../evil",
    "..%2f..%2fevil",
    "m/../../evil?x=1#y",
    "//evil.example/m",
    "m\r\nx-evil: 1\r\n\r\nGET / HTTP/1.1",
    "m\nx-evil: 1",
    "m\x00\x1b[31m",
    "m\u2028x-evil: 1",
    "\u202em",
    "é" * 500,
    "http://evil.example/",
    "m" * 5_000,
)


@pytest.mark.parametrize("client", PATHS)
@pytest.mark.parametrize("target", KINDS)
async def test_a_model_s_name_is_no_path_no_header_and_no_line(target: str, client: str) -> None:
    async with hostile_lab(target) as lab:
        for model in ("m", *MODELS):
            answers(lab, target)
            data = json.dumps({"model": model, **ASKS[client]}).encode()
            heard = await lab.send(client, data)
            assert heard.status in (200, 400), heard
            assert "x-evil" not in heard.headers
            assert all(value.isprintable() for value in heard.headers.values())
            lab.settled()
        # The spec's model stands in the address, and the client's nowhere.
        assert len({asked.partition(b"\r\n")[0] for asked in lab.upstream.asked}) == 1
        for asked in lab.upstream.asked:
            head = asked.partition(b"\r\n\r\n")[0].lower()
            assert b"evil" not in head


@pytest.mark.parametrize("base", ["/openai/deployments/d", ""])
@pytest.mark.parametrize("client", PATHS)
async def test_a_model_s_name_is_no_path_of_a_deployment(client: str, base: str) -> None:
    rest = ProviderSettings(api_version="2025-04-01-preview")
    async with hostile_lab(CHAT, kind="azure-openai", base=base, rest=rest) as lab:
        for model in ("m", *MODELS):
            answers(lab, CHAT)
            heard = await lab.send(client, json.dumps({"model": model, **ASKS[client]}).encode())
            assert heard.status in (200, 400), heard
        (line,) = {asked.partition(b"\r\n")[0] for asked in lab.upstream.asked}
        assert b"evil" not in line and b".." not in line


@pytest.mark.parametrize(
    "value",
    ["a\tb", "a b", "caf\u00e9", "\u2028", "<script>", "a" * 200, "../x", "${HOME}", "%0d%0a"],
)
async def test_a_request_s_id_is_a_harmless_one(value: str) -> None:
    async with hostile_lab(MESSAGES) as lab:
        answers(lab, MESSAGES)
        heard = await lab.ask(MESSAGES, headers={"x-request-id": value, "traceparent": value})
        assert heard.status == 200
        assert heard.headers["x-request-id"].startswith("req_")
        assert lab.settled()["request_id"] == heard.headers["x-request-id"]
        (asked,) = lab.upstream.asked
        assert asked.partition(b"\r\n\r\n")[0].isascii()


SECRETS = {
    "cookie": "session=of-the-client",
    "proxy-authorization": "Basic of-the-client",
    "api-key": "of-the-client",
    "x-goog-api-key": "of-the-client",
    "x-amz-security-token": "of-the-client",
    "x-session-token": "of-the-client",
    "x-codex-authorization": "of-the-client",
    "x-lynkr-key": "of-the-client",
    "x-forwarded-for": "of-the-client",
}


@pytest.mark.parametrize("client", PATHS)
@pytest.mark.parametrize("target", KINDS)
async def test_no_credential_of_a_client_travels(target: str, client: str) -> None:
    async with hostile_lab(target) as lab:
        answers(lab, target)
        assert (await lab.ask(client, headers=SECRETS)).status == 200
        (asked,) = lab.upstream.asked
        assert b"of-the-client" not in asked


@pytest.mark.parametrize("client", PATHS)
async def test_an_upstream_s_huge_headers_are_its_failure(client: str) -> None:
    async with hostile_lab(CHAT) as lab:
        for headers in ({"x-a": "a" * 70_000}, {f"x-{n}": "a" * 100 for n in range(5_000)}):
            lab.upstream.says = reply("application/json", [b"{}"], headers=headers)
            heard = await lab.ask(client)
            assert heard.status in (503, 529)
            assert b"127.0.0.1" not in heard.body and b"aaaa" not in heard.body
            assert lab.settled()["class"] == "transient"


@pytest.mark.parametrize("client", PATHS)
async def test_an_upstream_s_address_is_in_no_answer(client: str) -> None:
    async with hostile_lab(CHAT) as lab:
        port = lab.upstream.url.rpartition(":")[2]
        for says in (
            reply("application/json", [b"{}"], status=500),
            reply("text/html", [b"oops"], status=502),
            reply("application/json", [b"garbage"]),
        ):
            lab.upstream.says = says
            heard = await lab.ask(client)
            message = error_of(client, heard)
            assert message and port not in message and "127.0.0.1" not in message
            assert port not in str(heard.headers)


DEEP = "[" * 100_000 + "]" * 100_000
ODD = {
    "deep": f'{{"model":"m","max_tokens":9,"messages":{DEEP},"input":{DEEP}}}',
    "deep objects": '{"model":"m","input":' + '{"a":' * 100_000 + "1" + "}" * 100_001,
    "unclosed": "[" * 200_000,
    "a number of many digits": '{"model":"m","max_tokens":%s,"messages":[]}' % ("9" * 100_000),
    "a huge exponent": '{"model":"m","max_tokens":1e999999,"messages":[],"input":1e999999}',
    "a lone surrogate": '{"model":"\\ud800","max_tokens":9,"messages":[],"input":"\\udfff"}',
    "members that stand twice": '{"model":"m","model":"n","messages":1,"messages":2,"input":3}',
}
SURFACES = (
    ("/v1/messages", False),
    ("/v1/chat/completions", False),
    ("/v1/responses", False),
    ("/v1/embeddings", False),
    ("/v1/messages/count_tokens", False),
    ("/v1/responses/input_tokens", False),
    ("/v1/responses/compact", False),
    ("/routing/analyze?surface=messages", True),
    ("/routing/analyze?surface=chat", True),
    ("/routing/analyze?surface=responses", True),
)


@pytest.mark.parametrize(("path", "admin"), SURFACES, ids=str)
@pytest.mark.parametrize("odd", ODD)
def test_odd_json_is_the_client_s_mistake_on_every_surface(
    lab: Lab, path: str, admin: bool, odd: str
) -> None:
    heard = lab.send(path, ODD[odd].encode(), admin=admin)
    assert 400 <= heard.status < 500, heard
    assert heard.json["error"]["message"]
    assert len(heard.body) < 4_000
