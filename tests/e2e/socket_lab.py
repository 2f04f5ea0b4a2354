"""A compiled spec, its gateway process and its upstreams, as one thing tests ask questions of."""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from anthropic import Anthropic, AsyncAnthropic
from openai import AsyncOpenAI, OpenAI
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.gateway import GatewayProcess
from tests.e2e.planted import HEADER
from tests.e2e.strict_models import refuse_chat, refuse_messages
from tests.e2e.upstream_server import PATIENCE, Background, Face, UpstreamServer

SPEC = Path(__file__).parent / "sockets.yaml"
CLIENT_KEY = "client-key-that-must-not-travel"
MESSAGES, CHAT = "/v1/messages", "/v1/chat/completions"

FACES = {
    "claude": refuse_messages,
    "claude-like": refuse_messages,
    "stubborn": refuse_messages,
    "gpt": refuse_chat,
    "gpt-like": refuse_chat,
    "house": refuse_chat,
}
"""Every provider of the spec with the judge of its upstream; `nowhere` has no server."""
KEYS = {"claude": "CLAUDE_KEY", "claude-like": "CLAUDE_LIKE_KEY", "gpt": "GPT_KEY"} | {
    "gpt-like": "GPT_LIKE_KEY"
}


def key_of(face: str) -> str:
    """The credential the gateway has for a provider."""
    return f"key-of-the-{face}-provider"


def new_server() -> UpstreamServer:
    """A server with the spec's faces."""
    server = UpstreamServer()
    for name, judge in FACES.items():
        server.face(name, judge)
    return server


def environ_of(server: UpstreamServer, nowhere: int) -> dict[str, str]:
    """The environment of the gateway; `nowhere` is a port nobody listens on."""
    urls = {
        f"{name.replace('-', '_').upper()}_URL": face.url for name, face in server.faces.items()
    }
    keys = {variable: key_of(face) for face, variable in KEYS.items()}
    return urls | keys | {"NOWHERE_URL": f"http://127.0.0.1:{nowhere}/v1"}


@dataclass(frozen=True)
class Answer:
    """An answer as it came; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def request_id(self) -> str:
        return self.headers["x-lynkr-request-id"]


@dataclass(frozen=True)
class Lab:
    """The gateway, its upstreams, and both official clients. `allowed` refusals are expected."""

    gateway: GatewayProcess
    background: Background
    anthropic: Anthropic
    openai: OpenAI
    allowed: list[str] = field(default_factory=list)

    def face(self, name: str) -> Face:
        """A provider's face."""
        return self.background.server.face(name)

    @property
    def faces(self) -> list[Face]:
        return list(self.background.server.faces.values())

    def async_anthropic(self) -> AsyncAnthropic:
        """A client for the running event loop."""
        return AsyncAnthropic(
            base_url=self.gateway.url,
            api_key=CLIENT_KEY,
            max_retries=0,
            timeout=PATIENCE,
            _strict_response_validation=True,
            default_headers=HEADER,
        )

    def async_openai(self) -> AsyncOpenAI:
        """A client for the running event loop."""
        return AsyncOpenAI(
            base_url=self.gateway.url + "/v1",
            api_key=CLIENT_KEY,
            max_retries=0,
            timeout=PATIENCE,
            _strict_response_validation=True,
            default_headers=HEADER,
        )

    def send(
        self,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        *,
        method: str = "POST",
        admin: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request without a client library; the log is written when this returns."""
        data = json.dumps(body).encode() if isinstance(body, Mapping) else body
        sent = {"content-type": "application/json"} if data is not None else {}
        sent |= HEADER | dict(headers or {})
        return exchange(self.gateway.admin if admin else self.gateway.url, method, path, data, sent)

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels."""
        text = self.send("/metrics", method="GET", admin=True).body.decode()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def send_streamed(self, path: str, body: Mapping[str, Any], *, until: bytes) -> "Streaming":
        """Ask for a stream and read it up to the line that holds `until`."""
        connection = connect(self.gateway.url)
        data = json.dumps(body).encode()
        connection.request("POST", path, data, HEADER | {"content-type": "application/json"})
        response = connection.getresponse()
        first = b""
        while until not in first:
            line = response.readline()
            assert line, first
            first += line
        return Streaming(connection=connection, response=response, first=first)


@dataclass(frozen=True)
class Streaming:
    """An answer whose first bytes have been read."""

    connection: http.client.HTTPConnection
    response: http.client.HTTPResponse
    first: bytes

    def finish(self) -> Answer:
        """Read the rest."""
        try:
            body = self.first + self.response.read()
        finally:
            self.connection.close()
        return _answer(self.response, body)


def connect(url: str) -> http.client.HTTPConnection:
    """A connection of its own, with a time limit."""
    address = urlsplit(url)
    assert address.hostname is not None
    return http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE)


def _answer(response: http.client.HTTPResponse, body: bytes) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(status=response.status, headers=headers, body=body)


def exchange(
    url: str, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
) -> Answer:
    """One request and its whole answer on a connection of its own."""
    connection = connect(url)
    try:
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        return _answer(response, response.read())
    finally:
        connection.close()


def forget_targets(gateway: GatewayProcess) -> None:
    """What failures have taught a gateway is none of the next request's."""
    path, json_body = "/metrics/circuit-breakers/reset", {"content-type": "application/json"}
    assert exchange(gateway.admin, "POST", path, b"", json_body).status == 200


@contextmanager
def clients(gateway: GatewayProcess) -> Iterator[tuple[Anthropic, OpenAI]]:
    """The official clients, without retries of their own and strict about what they are told."""
    with (
        Anthropic(
            base_url=gateway.url,
            api_key=CLIENT_KEY,
            max_retries=0,
            timeout=PATIENCE,
            _strict_response_validation=True,
            default_headers=HEADER,
        ) as anthropic,
        OpenAI(
            base_url=gateway.url + "/v1",
            api_key=CLIENT_KEY,
            max_retries=0,
            timeout=PATIENCE,
            _strict_response_validation=True,
            default_headers=HEADER,
        ) as openai,
    ):
        yield anthropic, openai
