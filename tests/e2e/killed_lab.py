"""Gateways that are killed under load, an upstream that keeps books, and clients that do too.

What an answer costs is in its request. The upstream writes down what it was asked for, a client
what it got whole; what the gateway's store says in the end is held against both.
"""

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, web

from lynkrc_runtime.access.digest import digest_of
from lynkrc_runtime.metering.periods import period_of
from tests.e2e.gateway import PATIENCE, GatewayProcess, built, serving
from tests.e2e.one_month import begin_in_one_month
from tests.e2e.scripted_answers import Said, render

KEYS = {name: f"lk_{name}_{name * 10}" for name in ("load", "rate", "tight", "talk")}
INPUT = 12
"""Micro-dollars of the 4 tokens that every answer reports as its input: fewer than are expected."""
OUTPUT = 10
"""Micro-dollars of a token of output."""
RATE = 25
"""Requests that the key `rate` has in an hour."""
TIGHT = 15_000
"""Micro-dollars that the key `tight` has, under a hard budget."""
FAILS = "fails here"
"""A request that says so is refused by the first target of the chain."""

SPEC = f"""\
version: 1
name: killed
providers:
  far:
    kind: anthropic
    base_url: "${{FAR_URL}}"
    api_key: "${{FAR_KEY}}"
    trust: cloud
    retry: {{times: 0}}
    # So long that no reservation ends while a test runs.
    timeouts: {{total: 1h}}
targets:
  dear:
    {{provider: far, model: dear-1, context: 100k, max_output: 1k, capabilities: [tools],
      price: {{input: 3, output: 10, cache_read: 3, cache_write: 3}}}}
  spare:
    {{provider: far, model: spare-1, context: 100k, max_output: 1k, capabilities: [tools],
      price: {{input: 3, output: 10, cache_read: 3, cache_write: 3}}}}
tiers:
  - {{name: ONE, chain: [dear, spare]}}
score:
  dimensions:
    size: {{weight: 100, value: "ramp(ask.words, 0, 20)"}}
keys:
  load: {{sha256: {digest_of(KEYS["load"])}, team: web}}
  rate: {{sha256: {digest_of(KEYS["rate"])}, team: web}}
  tight: {{sha256: {digest_of(KEYS["tight"])}, team: web}}
  talk: {{sha256: {digest_of(KEYS["talk"])}, team: web}}
limits:
  - {{name: few, per: key, only: [rate], requests: {RATE}, within: 1h}}
budgets:
  - {{name: web, per: team, usd: 1000, period: month}}
  - {{name: tight, per: key, only: [tight], usd: {TIGHT / 10**6}, period: month, hard: true}}
sessions: {{within: session}}
responses_store: {{ttl: 1h}}
"""


def cost(output: int) -> int:
    """Micro-dollars of an answer with so many tokens."""
    return INPUT + OUTPUT * output


def account(budget: str, owner: str) -> str:
    """The key of an account in the period of now."""
    return f"account:{budget}:{owner}:{period_of('month', time.time()).label}"


@dataclass
class Books:
    """An upstream that answers in a moment, and what it was `asked` for: micro-dollars by key."""

    dice: random.Random
    url: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    talked: list[str] = field(default_factory=list)
    """The models that the key `talk` was sent to."""
    waiting: list[tuple[int, asyncio.Event]] = field(default_factory=list)

    async def until(self, calls: int) -> None:
        """Until it has been called so many times in all."""
        reached = asyncio.Event()
        self.waiting.append((calls, reached))
        async with asyncio.timeout(PATIENCE):
            await reached.wait()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        content = asked["messages"][-1]["content"]
        text = content if isinstance(content, str) else content[0]["text"]
        if text == FAILS and asked["model"] == "dear-1":
            error = {"type": "error", "error": {"type": "api_error", "message": "not now"}}
            return web.json_response(error, status=500)
        key, output = "talk", 1
        if "of " in text:
            words = text.split()
            key = next(word for word in words if word in KEYS)
            output = int(next(word for word in words if word.isdecimal()))
        if key == "talk":
            self.talked.append(asked["model"])
        self.asked[key] += cost(output)
        self.calls[key] += 1
        for count, reached in self.waiting:
            if self.calls.total() >= count:
                reached.set()
        said = render(
            Said(text="Hello.", fresh=4, cached=0, output=output), "anthropic-messages", asked
        )
        response = web.StreamResponse(headers=said.headers)
        # Who asked may have been killed since.
        with suppress(ConnectionError):
            await response.prepare(request)
            for piece in said.pieces:
                if self.dice.random() < 0.3:
                    await asyncio.sleep(self.dice.random() * 0.01)
                await response.write(piece)
            await response.write_eof()
        return response


@asynccontextmanager
async def books(dice: random.Random) -> AsyncIterator[Books]:
    """The upstream on a free port of the loopback."""
    made = Books(dice)
    app = web.Application()
    app.router.add_post("/v1/messages", made._handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield made
    finally:
        await runner.cleanup()


@dataclass
class Client:
    """One connection after another; `lives` are the costs it got whole, of one gateway each."""

    key: str
    dice: random.Random
    lives: list[list[int]] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)

    async def run(self, urls: list[str], stopped: asyncio.Event) -> None:
        """One request after the other, each on the connection of the last one while it holds."""
        while not stopped.is_set():
            await asyncio.sleep(0.01)
            if not urls:
                continue
            self.lives.append([])
            # One of several addresses: gateways that share a store.
            url = self.dice.choice(urls)
            async with ClientSession() as session:
                with suppress(ClientError):
                    while not stopped.is_set() and url in urls:
                        await self._ask(session, url)

    async def _ask(self, session: ClientSession, url: str) -> None:
        output = self.dice.randint(1, 50)
        body = {
            "model": "auto",
            "max_tokens": 60,
            "stream": self.dice.random() < 0.5,
            "messages": [{"role": "user", "content": f"{output} of {self.key}"}],
        }
        headers = {"x-api-key": KEYS[self.key]}
        async with session.post(url + "/v1/messages", json=body, headers=headers) as answer:
            content = await answer.read()
        if answer.status != 200:
            self.refused[answer.status] += 1
            await asyncio.sleep(0.05)
            return
        whole = b"message_stop" in content if body["stream"] else json.loads(content)["usage"]
        assert b"event: error" not in content
        if whole:
            self.lives[-1].append(cost(output))


@dataclass
class Killed:
    """Gateways one after the other on one state; `urls` are those that serve now."""

    bundle: Path
    folder: Path
    environ: Mapping[str, str]
    books: Books
    clients: list[Client]
    arguments: tuple[str, ...] = ()
    urls: list[str] = field(default_factory=list)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    logs: int = 0

    def start(self, stack: AsyncExitStack) -> GatewayProcess:
        """One more gateway, which the clients will find."""
        self.logs += 1
        log = self.folder / f"log{self.logs}"
        gateway = stack.enter_context(
            serving(self.bundle, log, self.arguments, environ=self.environ)
        )
        self.urls.append(gateway.url)
        return gateway

    async def kill(self, gateway: GatewayProcess) -> None:
        """`kill -9` the process that was started, with its children if it has any."""
        family = [*children(gateway.process.pid), gateway.process.pid]
        self.urls.remove(gateway.url)
        for one in family:
            # A child that has just ended by itself is as good.
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        await asyncio.to_thread(gateway.process.wait, PATIENCE)

    @asynccontextmanager
    async def load(self) -> AsyncIterator[None]:
        """All clients ask, until the block ends."""
        async with asyncio.TaskGroup() as group:
            for client in self.clients:
                group.create_task(client.run(self.urls, self.stopped))
            try:
                yield
            finally:
                self.stopped.set()

    async def until_refused(self, *keys: str) -> None:
        """Until each client of these keys has been refused by a limit or a budget."""
        waiting = [client for client in self.clients if client.key in keys]
        async with asyncio.timeout(2 * PATIENCE):
            while not all(client.refused[429] for client in waiting):
                await asyncio.sleep(0.05)

    def sure(self, last: int = 1) -> int:
        """The same without the `last` answers of each client before each kill."""
        return sum(
            sum(life[: max(0, len(life) - last)]) for one in self.clients for life in one.lives
        )


def children(parent: int) -> list[int]:
    """The processes a process has started."""
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(word) for word in text.split()]


@asynccontextmanager
async def killed(
    folder: Path,
    state: str,
    dice: random.Random,
    *,
    arguments: tuple[str, ...] = (),
    environ: Mapping[str, str] | None = None,
    keys: Sequence[str] = ("load", "load", "load", "load", "rate", "tight"),
) -> AsyncIterator[Killed]:
    """The lab, with a client of each of the keys, which ask once `run` and until `stopped`."""
    await asyncio.to_thread(begin_in_one_month)
    spec = folder / "routing.yaml"
    spec.write_text(SPEC + state)
    bundle = await asyncio.to_thread(built, spec, folder, "killed")
    async with books(dice) as upstream:
        named = {"FAR_URL": upstream.url, "FAR_KEY": "far-secret", **(environ or {})}
        clients = [Client(key, random.Random(dice.random())) for key in keys]
        lab = Killed(bundle, folder, named, upstream, clients, arguments)
        yield lab


async def talk(url: str, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Any:
    """One request of the key that talks; its status and its body."""
    async with (
        ClientSession() as session,
        session.request(
            "GET" if body is None else "POST",
            url + path,
            json=body,
            headers={"x-api-key": KEYS["talk"], **(headers or {})},
        ) as answer,
    ):
        return answer.status, await answer.json()
