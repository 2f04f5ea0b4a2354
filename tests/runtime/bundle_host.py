"""A server of one bundle and its signatures, over TLS, which can be told to misbehave."""

import asyncio
import hashlib
import ssl
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import trustme
from aiohttp import web

from lynkrc_runtime.signature import SIGNATURE_SUFFIX
from tests.e2e import versions
from tests.runtime.test_tampering import signature
from tests.signing_keys import signing_key

PATIENCE = 60
BUNDLE = "/policies/by-hand.lynkr"
SIGNATURES = BUNDLE + SIGNATURE_SUFFIX
Answer: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


def signed(folder: Path, number: int, *seeds: int, **members: Any) -> tuple[bytes, bytes]:
    """Version `number` and its signatures, by the keys of these seeds."""
    bundle = versions.write(folder, number, **members)
    return bundle.read_bytes(), signature(bundle, *map(signing_key, seeds or (1,)))


@dataclass
class BundleHost:
    """What lies at the two addresses; `instead` answers in the place of a path.

    `answers` counts paths with statuses; `token` is the one that must be shown. `after` is called
    with the path of every answer.
    """

    pair: tuple[bytes, bytes]
    has_tags: bool = True
    token: str | None = None
    instead: dict[str, Answer] = field(default_factory=dict)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    after: Callable[[str], None] | None = None
    url: str = ""

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        answer = await self._of(request)
        self.answers[path, answer.status] += 1
        if self.after is not None:
            self.after(path)
        return answer

    async def _of(self, request: web.Request) -> web.StreamResponse:
        if self.token is not None and request.headers.get("authorization") != (
            f"Bearer {self.token}"
        ):
            return web.Response(status=401)
        if request.path in self.instead:
            return await self.instead[request.path](request)
        if request.path not in (BUNDLE, SIGNATURES):
            return web.Response(status=404)
        data = self.pair[request.path == SIGNATURES]
        if not self.has_tags:
            return web.Response(body=data)
        tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        if request.headers.get("if-none-match") == tag:
            return web.Response(status=304, headers={"etag": tag})
        return web.Response(body=data, headers={"etag": tag})

    @asynccontextmanager
    async def running(self, context: ssl.SSLContext) -> AsyncIterator[None]:
        """Serve on this machine until the block ends."""
        app = web.Application()
        app.router.add_route("GET", r"/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
            await site.start()
            self.url = f"https://127.0.0.1:{runner.addresses[0][1]}{BUNDLE}"
            yield
        finally:
            await runner.cleanup()


@dataclass(frozen=True)
class Papers:
    """An authority's certificate, and a server's context with one by it."""

    ca: Path
    context: ssl.SSLContext


def papers(folder: Path, *names: str) -> Papers:
    """Of a server of these names."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("127.0.0.1",))).configure_cert(context)
    ca = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    return Papers(ca=ca, context=context)


@contextmanager
def in_background(host: BundleHost, context: ssl.SSLContext) -> Iterator[None]:
    """Serve in a thread until the block ends, for tests that block."""
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with host.running(context):
            ready.set()
            await stop.wait()

    def run() -> None:
        loop.run_until_complete(serve())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(PATIENCE)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE)
