"""Providers over real sockets: each a face of one server, with faults on demand.

A face keeps every request, lets a judge refuse what a real upstream would refuse, and counts the
clients that hung up before their answer was whole. Without orders it answers as the simulator.
"""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from aiohttp import web

from lynkrc_runtime.protocol.tables import CLIENT_DIALECTS
from lynkrc_runtime.simulator import Act, Simulator
from lynkrc_runtime.upstream import UpstreamFault, UpstreamRequest
from tests.e2e.scripted_answers import Raw, Said, refusal, render

PATIENCE = 120.0
"""Seconds a test waits for what must happen before it fails."""

Judge: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, str]], str | Raw | None]
"""(body, lower-case headers) -> the message of the upstream's 400 or its whole refusal, or None."""
Render: TypeAlias = Callable[[Said, str, dict[str, Any]], Raw]
"""(answer, dialect, request) -> the answer as the upstream spells it."""
Behaviour: TypeAlias = str | Said | Raw
"""A behaviour of the simulator, an answer to be rendered as asked, or bytes as they are."""

PATHS: Mapping[str, str] = {
    "/v1/messages": "anthropic-messages",
    "/v1/chat/completions": "openai-chat",
}
COUNT = 77
"""What every token count says."""

T = TypeVar("T")


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Face:
    """One provider: what it did, and what it shall do; `behaviours` is used up from the front."""

    name: str
    changed: asyncio.Condition
    url: str = ""
    judge: Judge | None = None
    paths: Mapping[str, str] = field(default_factory=lambda: PATHS)
    render: Render = render
    seen: list[Seen] = field(default_factory=list)
    counted: list[Seen] = field(default_factory=list)
    behaviours: list[Behaviour] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    hung_up: int = 0
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by a test once the client has read what a `held` answer says before its cut."""

    def reset(self) -> None:
        """As new, for the next test; the judge stays."""
        for kept in (self.seen, self.counted, self.behaviours, self.refused):
            kept.clear()
        self.hung_up = 0
        self.let_go.clear()

    async def wait_for_hang_up(self, count: int = 1) -> None:
        """Until so many clients have left before their answer was whole."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.hung_up >= count)

    async def wait_for_requests(self, count: int = 1) -> None:
        """Until so many requests have come."""
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.seen) >= count)


@dataclass
class UpstreamServer:
    """The faces by name; a face's URL is the server's with its name as the path."""

    faces: dict[str, Face] = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def face(self, name: str, judge: Judge | None = None) -> Face:
        """The face of this name; a new one only before the server runs."""
        if name not in self.faces:
            self.faces[name] = Face(name=name, judge=judge, changed=self.changed)
        return self.faces[name]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        face = self.faces[request.match_info["face"]]
        path = "/" + request.match_info["path"]
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        seen = Seen(path=path, headers=headers, body=body)
        if path == "/v1/messages/count_tokens":
            face.counted.append(seen)
            return web.json_response({"input_tokens": COUNT})
        async with self.changed:
            face.seen.append(seen)
            self.changed.notify_all()
        try:
            return await self._answer(request, face, seen, face.paths[path])
        except (asyncio.CancelledError, ConnectionError):
            async with self.changed:
                face.hung_up += 1
                self.changed.notify_all()
            raise

    async def _answer(
        self, request: web.Request, face: Face, seen: Seen, dialect: str
    ) -> web.StreamResponse:
        behaviour = face.behaviours.pop(0) if face.behaviours else Act.ECHO.value
        message = face.judge(seen.json, seen.headers) if face.judge is not None else None
        if message is not None:
            face.refused.append(str(message))
            behaviour = refusal(dialect, message) if isinstance(message, str) else message
        if isinstance(behaviour, Said):
            behaviour = face.render(behaviour, dialect, seen.json)
        if isinstance(behaviour, Raw):
            return await _write_raw(request, behaviour, face)
        return await _simulate(request, seen, dialect, behaviour)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["UpstreamServer"]:
        """Serve every face on a free port of the loopback."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/{face}/{path:.*}", self._handle)
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            for face in self.faces.values():
                face.url = f"http://127.0.0.1:{runner.addresses[0][1]}/{face.name}"
            yield self
        finally:
            await runner.cleanup()


@asynccontextmanager
async def one_face(name: str = "far") -> AsyncIterator[Face]:
    """A server with a single face, in the test's own event loop."""
    server = UpstreamServer()
    face = server.face(name)
    async with server.running():
        yield face


async def _write_raw(request: web.Request, raw: Raw, face: Face) -> web.StreamResponse:
    response = web.StreamResponse(status=raw.status, headers=raw.headers)
    if raw.pieces or not raw.cut:
        await response.prepare(request)
    for piece in raw.pieces:
        await response.write(piece)
    if raw.held:
        await face.let_go.wait()
    if raw.cut:
        return _cut(request, response)
    await response.write_eof()
    return response


async def _simulate(
    request: web.Request, seen: Seen, dialect: str, behaviour: str
) -> web.StreamResponse:
    answer = await Simulator(CLIENT_DIALECTS).send(
        UpstreamRequest(
            url=str(request.url),
            headers=seen.headers,
            body=seen.body,
            connect=0.0,
            fresh=False,
            target="",
            dialect=dialect,
            simulate=behaviour,
        )
    )
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    await response.prepare(request)
    try:
        while chunk := await answer.read():
            await response.write(chunk)
    except UpstreamFault:
        return _cut(request, response)
    await response.write_eof()
    return response


def _cut(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """End the connection in the middle, as a dying server does."""
    if request.transport is not None:
        request.transport.abort()
    return response


@dataclass
class Background:
    """A server in a thread of its own, for tests whose clients block."""

    server: UpstreamServer
    loop: asyncio.AbstractEventLoop

    def let_go(self, face: Face) -> None:
        """Let a held answer end."""
        self.loop.call_soon_threadsafe(face.let_go.set)

    def wait(self, waiting: Coroutine[Any, Any, T]) -> T:
        """Wait for something of the server's, for as long as a test may take."""
        return asyncio.run_coroutine_threadsafe(waiting, self.loop).result(PATIENCE)


@contextmanager
def in_background(server: UpstreamServer) -> Iterator[Background]:
    """Serve in a thread until the block ends."""
    started: list[Background] = []
    ready, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with server.running():
            started.append(Background(server=server, loop=asyncio.get_running_loop()))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="upstreams", daemon=True)
    thread.start()
    assert ready.wait(PATIENCE)
    try:
        yield started[0]
    finally:
        started[0].loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE)
