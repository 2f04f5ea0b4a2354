"""A gateway in the test's own loop before a hostile upstream of any dialect, and raw clients."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import ClientSession, ClientTimeout
from aiohttp.test_utils import TestServer
from msgspec import structs

from lynkrc_runtime.attempt_records import Watch
from lynkrc_runtime.dispatch import Provider, ProviderSettings
from lynkrc_runtime.resilience.health import Watching
from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.server.routes import Settings
from lynkrc_runtime.settings import Settings as Declared
from lynkrc_runtime.times import Times
from lynkrc_runtime.upstream_http import HttpUpstream
from tests.e2e.hostile_server import Hostile, hostile
from tests.runtime.by_hand import (
    CHAT,
    MESSAGES,
    RESPONSES,
    Said,
    dispatch,
    gateway,
    policy,
    provider,
)
from tests.runtime.by_hand import target as make_target

CLIENT_KEY = "sk-client-key-that-must-not-travel"
PROVIDER_KEY = "secret-key"
SECRETS = ("sk-live-abcdef0123456789", "Bearer abcdefgh-12345678", CLIENT_KEY, PROVIDER_KEY)
INVOKE, GEMINI, CONVERSE, OLLAMA = "invoke", "gemini", "bedrock-converse", "ollama-chat"
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"

PATHS = {MESSAGES: "/v1/messages", CHAT: "/v1/chat/completions", RESPONSES: "/v1/responses"}
ASKS: Mapping[str, dict[str, Any]] = {
    MESSAGES: {"max_tokens": 99, "messages": [{"role": "user", "content": "Hi"}]},
    CHAT: {"messages": [{"role": "user", "content": "Hi"}]},
    RESPONSES: {"input": "Hi"},
}
KINDS: Mapping[str, tuple[str, str, str]] = {
    MESSAGES: ("anthropic-compatible", "", MESSAGES),
    CHAT: ("openai-compatible", "/v1", CHAT),
    RESPONSES: ("openai", "/v1", RESPONSES),
    GEMINI: ("gemini", "/v1beta", GEMINI),
    CONVERSE: ("bedrock", "", CONVERSE),
    INVOKE: ("bedrock", "", MESSAGES),
    OLLAMA: ("ollama", "", OLLAMA),
}
"""Targets: provider kind, where its paths begin, and the dialect it is called in."""


@dataclass(frozen=True)
class Heard:
    """What the client got, whole; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_stream(self) -> bool:
        return self.headers["content-type"].startswith("text/event-stream")


@dataclass
class HostileLab:
    """The gateway before its upstreams; the first target is the hostile one."""

    url: str
    said: Said
    upstream: Hostile
    session: ClientSession
    watch: Watch

    def forget_targets(self) -> None:
        """Whatever an upstream has done, it is asked again, and nothing of it is to be logged."""
        assert isinstance(self.watch, Watching)
        self.watch.forget()

    async def ask(
        self, client: str, *, stream: bool = False, headers: Mapping[str, str] | None = None
    ) -> Heard:
        """A small request of a client's dialect."""
        body = {"model": "m", "stream": stream, **ASKS[client]}
        return await self.send(client, json.dumps(body).encode(), headers)

    async def send(
        self, client: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Heard:
        """Any bytes as a request; what comes back is read whole."""
        sent = {"content-type": "application/json", "authorization": f"Bearer {CLIENT_KEY}"}
        sent |= {"x-api-key": CLIENT_KEY, **(headers or {})}
        async with self.session.post(self.url + PATHS[client], data=body, headers=sent) as answer:
            found = {name.lower(): value for name, value in answer.headers.items()}
            return Heard(answer.status, found, await answer.read())

    def settled(self) -> dict[str, Any]:
        """The one line of the last request; nothing else may be logged, and no secret in it."""
        lines = list(self.said.lines)
        self.said.lines.clear()
        assert [line["event"] for line in lines] == ["request"], lines
        assert not any(secret in str(lines) for secret in SECRETS), lines
        return dict(lines[0])


def provider_of(
    target: str,
    url: str,
    other: str | None = None,
    base: str | None = None,
    rest: ProviderSettings | None = None,
) -> Provider:
    """A provider of the target's kind (or the `other` one), at an address."""
    kind, place, _ = KINDS[target]
    kind, place = other or kind, place if base is None else base
    return provider(
        f"the-{target}",
        kind,
        base_url=url + place,
        api_key="${KEY}",
        retries=0,
        rest=rest or ProviderSettings(region="us-east-1" if kind == "bedrock" else None),
    )


@asynccontextmanager
async def hostile_lab(
    *targets: str,
    idle: float = 5.0,
    total: float = 3.0,
    kind: str | None = None,
    base: str | None = None,
    rest: ProviderSettings | None = None,
    embeddings: str | None = None,
) -> AsyncIterator[HostileLab]:
    """Serve targets in this order, all of them at the hostile upstream; times in seconds.

    `kind`, `base` and `rest` are their provider's, `embeddings` the target that makes them.
    """
    said = Said()
    async with hostile() as upstream, HttpUpstream() as http:
        table = dispatch(
            [provider_of(name, upstream.url, kind, base, rest) for name in targets],
            [
                make_target(f"t-{name}", place, dialect=KINDS[name][2], model=CLAUDE)
                for place, name in enumerate(targets)
            ],
        )
        if embeddings is not None:
            declared = Declared(embeddings={"m": embeddings})
            table = structs.replace(table, settings=declared)
        settings = Settings(times=Times(total=total))
        made = gateway(policy(table), said, http=http, settings=settings)
        made = replace(made, routes=tuple(replace(route, idle=idle) for route in made.routes))
        async with (
            TestServer(client_app(Site(gateway=made))) as served,
            ClientSession(timeout=ClientTimeout(total=30)) as session,
        ):
            url = str(served.make_url("/")).rstrip("/")
            # The one connection that every request goes over, so that tasks can be counted.
            async with session.get(url) as hello:
                assert hello.status == 200
                await hello.read()
            yield HostileLab(
                url=url, said=said, upstream=upstream, session=session, watch=made.watch
            )


async def tasks_are(count: int) -> None:
    """Until no more than `count` tasks are left over."""
    async with asyncio.timeout(60):
        while len(asyncio.all_tasks()) > count:
            await asyncio.sleep(0)


# -- what a client must be told -----------------------------------------------------------------


def error_of(client: str, heard: Heard) -> str | None:
    """The message of the error the client was told of, in its own dialect; None for an answer."""
    if not heard.is_stream:
        value = json.loads(heard.body)
        if heard.status < 400:
            assert "error" not in value or value["error"] is None
            return None
        return _message(client, value)
    assert heard.status == 200
    events = _events(heard.body)
    last = events[-1]
    match client:
        case "anthropic-messages":
            kinds = [event.get("type") for event in events]
            assert kinds.count("error") + kinds.count("message_stop") == 1, kinds
            return None if last["type"] == "message_stop" else _message(client, last)
        case "openai-chat":
            if last == "[DONE]":
                return None
            assert not any("error" in event for event in events[:-1] if event != "[DONE]")
            return _message(client, last)
        case _:
            kinds = [event["type"] for event in events]
            if last["type"] in ("response.completed", "response.incomplete"):
                return None
            assert last["type"] in ("response.failed", "error"), kinds
            error = last["response"]["error"] if "response" in last else last.get("error", last)
            assert error["message"]
            return str(error["message"])


def _message(client: str, value: dict[str, Any]) -> str:
    error = value["error"]
    if client == MESSAGES:
        assert value["type"] == "error"
        assert set(error) >= {"type", "message"}
    else:
        assert set(error) >= {"message", "type", "code"}
    assert error["message"]
    return str(error["message"])


def _events(body: bytes) -> list[Any]:
    found = []
    text = body.decode()
    assert text.endswith("\n\n") or text.endswith("\r\n\r\n"), text[-200:]
    for line in text.splitlines():
        if line.startswith("data: "):
            data = line.removeprefix("data: ")
            found.append("[DONE]" if data == "[DONE]" else json.loads(data))
    return found
