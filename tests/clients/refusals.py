"""A server that refuses everything, to how many requests a client sends it for one task."""

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web

from lynkrc_runtime.protocol import anthropic, openai_chat, openai_responses
from lynkrc_runtime.protocol.dialect import ClientDialect, Problem

START_TIME = 30

DIALECTS: Mapping[str, ClientDialect] = {
    "/v1/messages": anthropic.CLIENT,
    "/v1/chat/completions": openai_chat.CLIENT,
    "/v1/responses": openai_responses.CLIENT,
}


@dataclass(frozen=True)
class Refusal:
    """A status and a problem's kind, as the gateway would write it.

    None in `retry_after` or `should_retry` means there is no such header.
    """

    status: int
    kind: str
    should_retry: bool | None = None
    retry_after: int | None = None
    resets_at: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        headers = {"content-type": "application/json", "x-request-id": "req_1"}
        if self.should_retry is not None:
            headers["x-should-retry"] = str(self.should_retry).lower()
        if self.retry_after is not None:
            headers["retry-after"] = str(self.retry_after)
        return headers

    def body(self, dialect: ClientDialect) -> bytes:
        problem = Problem(
            status=self.status,
            kind=self.kind,
            message="the scripted refusal",
            resets_at=self.resets_at,
        )
        return dialect.write_problem(problem)[1]


@dataclass
class Refusing:
    """The server at `url`, and when each request for an answer came, in seconds."""

    refusal: Refusal
    url: str = ""
    came: list[float] = field(default_factory=list)

    @property
    def gaps(self) -> list[float]:
        """Seconds between one request and the next."""
        return [after - before for before, after in zip(self.came, self.came[1:], strict=False)]

    async def answer(self, request: web.Request) -> web.Response:
        await request.read()
        dialect = DIALECTS.get(request.path)
        if request.method != "POST" or dialect is None:
            raise web.HTTPNotFound(text=request.path)
        self.came.append(time.monotonic())
        refusal = self.refusal
        return web.Response(
            body=refusal.body(dialect), status=refusal.status, headers=refusal.headers
        )


@contextmanager
def refusing(refusal: Refusal) -> Iterator[Refusing]:
    """The server, in a thread of its own, until the block ends."""
    server = Refusing(refusal)
    loop = asyncio.new_event_loop()
    started = threading.Event()
    stop = asyncio.Event()

    async def run() -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", server.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        started.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert started.wait(START_TIME), "the refusing server did not start"
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
