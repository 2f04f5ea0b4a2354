"""A Messages upstream whose streams wait in the middle until the test lets them go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tests.e2e.scripted_answers import Said, message_events, render
from tests.e2e.upstream_server import PATIENCE

MIDDLE = b"half and "
SAID = Said(text="half and half of it")


@dataclass
class HeldUpstream:
    """`held` streams wait now, until `let_go` is set; whole answers wait before they begin."""

    url: str = ""
    held: int = 0
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def wait_for_held(self, count: int) -> None:
        """Until so many requests wait."""
        async with asyncio.timeout(4 * PATIENCE), self.changed:
            await self.changed.wait_for(lambda: self.held >= count)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        raw = render(SAID, "anthropic-messages", asked)
        data = b"".join(raw.pieces)
        response = web.StreamResponse(headers=raw.headers)
        if asked.get("stream"):
            at = data.index(b"\n\n", data.index(b"content_block_delta")) + 2
            await response.prepare(request)
            await response.write(data[:at])
            await self._hold()
            await response.write(data[at:])
        else:
            await self._hold()
            await response.prepare(request)
            await response.write(data)
        await response.write_eof()
        return response

    async def _hold(self) -> None:
        async with self.changed:
            self.held += 1
            self.changed.notify_all()
        try:
            await self.let_go.wait()
        finally:
            self.held -= 1


def is_whole(content: bytes, number: int) -> bool:
    """Whether a stream is all that was said, of this version's model, and nothing else."""
    events = message_events(SAID, f"model-{number}")
    texts = [event["delta"]["text"] for event in events if "text" in event.get("delta", {})]
    return (
        f'"model":"model-{number}"'.encode() in content.replace(b'": "', b'":"')
        and all(text.encode() in content for text in texts)
        and content.count(b"event: message_start") == 1
        and content.count(b"event: message_stop") == 1
        and b"event: error" not in content
    )


@asynccontextmanager
async def held_upstream() -> AsyncIterator[HeldUpstream]:
    """Serve on a free port of the loopback, in this event loop."""
    upstream = HeldUpstream()
    app = web.Application()
    app.router.add_post("/v1/messages", upstream._handle)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=2048).start()
        upstream.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield upstream
    finally:
        upstream.let_go.set()
        await runner.cleanup()
