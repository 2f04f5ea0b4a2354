"""A scripted model behind every target dialect, on one socket of this machine.

Its answer follows from the request alone (`script.py`), so tests of any client can say in their
prompt what is to happen. What came is kept, for tests to look at.
"""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.clients.heard import HEAR, Heard
from tests.clients.said import SPEAK
from tests.clients.script import Plan, plan

START_TIME = 30
PAUSE = 0.02
"""Seconds between the words of an endless answer: the pace of a model, nobody waits for it."""


@dataclass(frozen=True)
class Call:
    """One request the model got."""

    dialect: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    heard: Heard


@dataclass
class ModelServer:
    """`url` is the server's; below it each dialect has its place (see `_route`)."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    """Set when somebody left an endless answer."""
    failures: Counter[str] = field(default_factory=Counter)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        dialect, is_stream = _route(request.path)
        body = json.loads(await request.read())
        heard = HEAR[dialect](body)
        self.calls.append(Call(dialect, request.path, dict(request.headers), body, heard))
        made = plan(heard)
        speech = SPEAK[dialect]
        if made.status != 200 and self.failures[heard.ask] < made.times:
            self.failures[heard.ask] += 1
            headers, problem = speech.error(made.status)
            return web.json_response(problem, status=made.status, headers=headers)
        model = str(body.get("model", "scripted"))
        if not (is_stream or body.get("stream", dialect == "ollama-chat")):
            return web.json_response(speech.whole(made, model))
        return await self._stream(request, dialect, made, model)

    async def _stream(
        self, request: web.Request, dialect: str, made: Plan, model: str
    ) -> web.StreamResponse:
        speech = SPEAK[dialect]
        response = web.StreamResponse(headers={"content-type": speech.stream_type})
        await response.prepare(request)
        if made.is_endless or made.is_cut:
            made = Plan(text="word " * 10_000, is_cut=made.is_cut)
        try:
            for number, piece in enumerate(speech.stream(made, model)):
                await response.write(piece)
                if made.is_cut and number == 5:
                    assert request.transport is not None
                    request.transport.close()
                    return response
                if len(made.text) > 40_000:
                    await asyncio.sleep(PAUSE)
        except (ConnectionError, asyncio.CancelledError):
            self.hung_up.set()
            raise
        return response


def _route(path: str) -> tuple[str, bool]:
    """The dialect a path belongs to, and whether it asks for a stream by itself."""
    if path.endswith("/v1/messages"):
        return "anthropic-messages", False
    if path.endswith("/chat/completions"):
        return "openai-chat", False
    if path.endswith("/responses"):
        return "openai-responses", False
    if ":generateContent" in path or ":streamGenerateContent" in path:
        return "gemini", ":stream" in path
    if path.endswith(("/converse", "/converse-stream")):
        return "bedrock-converse", path.endswith("stream")
    if path.endswith("/api/chat"):
        return "ollama-chat", False
    raise web.HTTPNotFound(text=path)


@contextmanager
def model_server() -> Iterator[ModelServer]:
    """The server, in a thread of its own, until the block ends."""
    server = ModelServer()
    loop = asyncio.new_event_loop()
    started = threading.Event()
    stop = asyncio.Event()

    async def run() -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/{path:.*}", server.answer)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        started.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert started.wait(START_TIME), "the model server did not start"
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
