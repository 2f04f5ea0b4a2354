"""A server of a test's own in a thread, for clients and gateways that block."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

PATIENCE = 30.0
"""Seconds until a server that does not come up fails its test."""


@contextmanager
def serving_app(app: web.Application) -> Iterator[str]:
    """The URL it is served at, until the block ends."""
    started: list[tuple[str, asyncio.AbstractEventLoop]] = []
    ready, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        started.append((f"http://{host}:{port}", asyncio.get_running_loop()))
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="provider", daemon=True)
    thread.start()
    assert ready.wait(PATIENCE)
    url, loop = started[0]
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE)
