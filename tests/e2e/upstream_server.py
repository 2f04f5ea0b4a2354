"""A provider over real sockets: speaks its dialect through the simulator, with faults on demand.

It keeps every request, and counts the clients that hung up before their answer was whole.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from lynkrc_runtime.protocol.tables import DIALECTS
from lynkrc_runtime.simulator import Act, Simulator
from lynkrc_runtime.upstream import UpstreamFault, UpstreamRequest

PATHS: Mapping[str, str] = {
    "/v1/messages": "anthropic-messages",
    "/v1/chat/completions": "openai-chat",
}


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class UpstreamServer:
    """What the server did, and what it shall do: `behaviours` is used up from the front."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    behaviours: list[str] = field(default_factory=list)
    hung_up: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    may_cut: asyncio.Event = field(default_factory=asyncio.Event)
    """A ``break`` cuts the connection once this is set: after what was sent has been read."""

    async def wait_for_hang_up(self, count: int = 1) -> None:
        """Until so many clients have left before their answer was whole."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.hung_up >= count)

    async def wait_for_requests(self, count: int) -> None:
        """Until so many requests have come."""
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.seen) >= count)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        async with self.changed:
            self.seen.append(Seen(path=request.path, headers=headers, body=body))
            self.changed.notify_all()
        try:
            return await self._answer(request, headers, body)
        except (asyncio.CancelledError, ConnectionError):
            async with self.changed:
                self.hung_up += 1
                self.changed.notify_all()
            raise

    async def _answer(
        self, request: web.Request, headers: Mapping[str, str], body: bytes
    ) -> web.StreamResponse:
        behaviour = self.behaviours.pop(0) if self.behaviours else Act.ECHO.value
        answer = await Simulator(DIALECTS).send(
            UpstreamRequest(
                url=str(request.url),
                headers=headers,
                body=body,
                connect=0.0,
                fresh=False,
                target="",
                dialect=PATHS[request.path],
                simulate=behaviour,
            )
        )
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        await response.prepare(request)
        try:
            while chunk := await answer.read():
                await response.write(chunk)
        except UpstreamFault:
            await self.may_cut.wait()
            if request.transport is not None:
                request.transport.abort()
            return response
        await response.write_eof()
        return response

    async def _count(self, request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({"input_tokens": 77})

    @asynccontextmanager
    async def running(self) -> AsyncIterator["UpstreamServer"]:
        """Serve on a free port of the loopback."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        for path in PATHS:
            app.router.add_post(path, self._handle)
        app.router.add_post("/v1/messages/count_tokens", self._count)
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()
