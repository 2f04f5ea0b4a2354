"""The client surfaces over aiohttp: paths to `serve`, and the small answers of our own."""

import asyncio
from collections.abc import Mapping
from typing import final

from aiohttp import HttpVersion11, web
from aiohttp.http import StreamWriter

from lynkrc_runtime import __version__
from lynkrc_runtime.feature_table import EMBEDDINGS
from lynkrc_runtime.protocol.conversation import MalformedRequest
from lynkrc_runtime.protocol.embeddings.policy import DIALECT as EMBEDDING_DIALECT
from lynkrc_runtime.server import models
from lynkrc_runtime.server.count_tokens import TokenCounter
from lynkrc_runtime.server.direct import looked_at
from lynkrc_runtime.server.draining import Stopping
from lynkrc_runtime.server.embeddings import embed
from lynkrc_runtime.server.exchange import Client, Incoming
from lynkrc_runtime.server.feedback_routes import add_feedback_routes
from lynkrc_runtime.server.front import SURFACES, USUAL, Usual
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.server.http import (
    ARRIVAL,
    SITE,
    Site,
    before_answer,
    canonical,
    dialect_of,
    guard,
    identified,
    last_words,
    live,
    nothing_here,
    read_body,
    refusal,
    shed,
)
from lynkrc_runtime.server.problems import malformed
from lynkrc_runtime.server.readiness import ready
from lynkrc_runtime.server.response_routes import add_response_routes
from lynkrc_runtime.server.responses import serve_responses
from lynkrc_runtime.server.serve import serve
from lynkrc_runtime.server.surfaces import Serving, Surface
from lynkrc_runtime.server.usage_routes import add_usage_routes
from lynkrc_runtime.server.whole_answer import WholeAnswer, is_usual

COUNTER = web.AppKey("counter", TokenCounter)

_PREFIXES = ("/v1", "/v1/v1", "")
"""Base URLs are often written with one /v1 too many or too few; the first is the right one."""


def client_app(site: Site) -> web.Application:
    """The application for clients."""
    app = web.Application(
        middlewares=[guard],
        client_max_size=0,  # `read_body` bounds it, by the bundle that serves
    )
    app.on_response_prepare.append(before_answer)
    app[SITE] = site
    app[COUNTER] = TokenCounter()
    add = app.router.add_route
    usual: dict[str, Usual] = {}
    surfaces: dict[str, Surface] = {}
    for below, (surface, dialect, serving) in _SURFACES.items():
        served = Surface(f"/v1{below}", surface, dialect, serving)
        for prefix in _PREFIXES:
            usual[prefix + below] = _handler(served)
        surfaces[served.path] = served
    app[USUAL], app[SURFACES] = usual, surfaces
    for path, handler in usual.items():
        add("POST", path, handler)
    add_response_routes(app, _PREFIXES, app[COUNTER])
    add_usage_routes(app, _PREFIXES)
    add_feedback_routes(app, _PREFIXES)
    for prefix in _PREFIXES:
        add("POST", f"{prefix}/messages/count_tokens", _count)
        add("GET", f"{prefix}/models", _models)
        add("GET", f"{prefix}/models/{{id:.+}}", _model)
        add("GET", f"{prefix}/responses", _responses)
    app.router.add_get("/", _root, allow_head=True)
    app.router.add_get("/health/live", live)
    app.router.add_get("/health/ready", ready)
    add("*", r"/{path:[\s\S]*}", _unknown)
    return app


@final
class HttpClient:
    """The way back to one client, over aiohttp."""

    __slots__ = (
        "_draining",
        "_is_begun",
        "_is_stream",
        "_protocol",
        "_request",
        "_stopping",
        "_writer",
        "response",
    )

    def __init__(self, request: web.Request, stopping: Stopping) -> None:
        writer = request.writer
        assert isinstance(writer, StreamWriter)
        self._request = request
        self._stopping = stopping
        self._writer = writer
        self._protocol = request.protocol
        self._draining: asyncio.Task[None] | None = None
        self._is_stream = self._is_begun = False
        self.response: web.StreamResponse | None = None

    async def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """See `Client.answer`; aiohttp sends it when the handler returns it."""
        if is_usual(self._request, status):
            self.response = WholeAnswer(status, headers, body)
        else:
            self.response = web.Response(status=status, headers=headers, body=body)

    async def start(self, headers: Mapping[str, str]) -> None:
        """See `Client.start`."""
        self.response = web.StreamResponse(status=200, headers=headers)
        # A client of HTTP/1.0 knows no chunks: only the end of its connection ends such an answer,
        # and aiohttp would keep it for who asked for that.
        is_old = self._request.version < HttpVersion11
        if is_old or self._stopping.is_draining:
            self.response.force_close()
        self._is_stream = True
        last_words(self._request, self.response)
        await self.response.prepare(self._request)

    async def write(self, data: bytes) -> None:
        """See `Client.write`."""
        protocol = self._protocol
        if not self._is_begun:
            # The head goes out with it.
            await self._writer.write(data, drain=False)
            self._is_begun = True
        elif data:
            # aiohttp's writer comes to the same: nothing is compressed, no length was told.
            transport = protocol.transport
            if transport is None or transport.is_closing():
                raise ConnectionResetError("the client has gone")
            chunked = self._writer.chunked
            transport.write(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)
        if protocol.writing_paused:
            await self._drained(self._writer)

    def ended(self) -> None:
        """Nothing more is written. A stream its client takes nothing of is no whole answer.

        aiohttp would end it as if it were, and wait for ever until the client has taken that.
        """
        if not self._is_stream:
            return
        transport = self._request.transport
        if transport is not None and self._protocol.writing_paused:
            transport.abort()

    async def _drained(self, writer: StreamWriter) -> None:
        """Until the client can take more; may be cancelled and asked for again.

        aiohttp waits on one future of the connection: whoever is cancelled there leaves it
        cancelled, and so cancels whoever comes next. So it is waited for by a task of its own.
        """
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(writer.drain())
            self._draining.add_done_callback(looked_at)
        await asyncio.shield(self._draining)


async def _embed(gateway: Gateway, incoming: Incoming, client: Client) -> None:
    await serve(gateway, incoming, client, embed)


_SURFACES: Mapping[str, tuple[str, str, Serving]] = {
    "/messages": ("messages", "anthropic-messages", serve),
    "/chat/completions": ("chat", "openai-chat", serve),
    "/responses": ("responses", "openai-responses", serve_responses),
    "/embeddings": (EMBEDDINGS, EMBEDDING_DIALECT, _embed),
}
"""Path below /v1 -> surface, dialect and what serves it."""


def _handler(surface: Surface) -> Usual:
    async def handle(request: web.Request) -> web.StreamResponse:
        arrival, arrived = request[ARRIVAL], asyncio.get_running_loop().time()
        if arrival.path != surface.path:
            canonical(request, surface.path)
        site, gateway = arrival.site, arrival.gateway
        marks = gateway.policy.dispatch.settings.server.shedding
        reason = site.shedding.enter(marks, arrived)
        if reason is not None:
            return shed(request, reason)
        try:
            body = await read_body(request)
            if isinstance(body, web.Response):
                return body
            client = HttpClient(request, site.stopping)
            incoming = surface.incoming(
                arrival.headers,
                arrival.repeated,
                body,
                arrival.request_id,
                arrival.caller,
                arrived,
            )
            await surface.serving(gateway, incoming, client)
            client.ended()
            # The client went away before anything was answered: nobody reads this.
            return client.response or web.Response(status=499)
        finally:
            site.shedding.leave()

    return handle


async def _count(request: web.Request) -> web.StreamResponse:
    canonical(request, "/v1/messages/count_tokens")
    body = await read_body(request)
    if isinstance(body, web.Response):
        return body
    arrival = request[ARRIVAL]
    try:
        count = await request.app[COUNTER].count(
            arrival.gateway, arrival.headers, arrival.repeated, body, caller=arrival.caller
        )
    except MalformedRequest as error:
        return refusal(request, 400, malformed(error, "").message, param=error.field)
    answer = identified(request) | count.headers
    return web.json_response({"input_tokens": count.tokens}, headers=answer)


async def _models(request: web.Request) -> web.Response:
    canonical(request, "/v1/models")
    site, arrival = request.app[SITE], request[ARRIVAL]
    anthropic = dialect_of(request) == "anthropic-messages"
    try:
        answer = models.listing(
            models.offered(
                arrival.gateway.policy.dispatch, anthropic=anthropic, caller=arrival.caller
            ),
            anthropic=anthropic,
            created=site.started,
            query=request.query,
        )
    except ValueError:
        return refusal(request, 400, "limit: must be a number from 1 to 1000")
    return web.json_response(answer, headers=identified(request))


async def _model(request: web.Request) -> web.Response:
    name = request.match_info["id"]
    canonical(request, "/v1/models", f"/{name}")
    site, arrival = request.app[SITE], request[ARRIVAL]
    anthropic = dialect_of(request) == "anthropic-messages"
    if name not in models.offered(
        arrival.gateway.policy.dispatch, anthropic=anthropic, caller=arrival.caller
    ):
        if anthropic:
            return refusal(request, 404, f"model: {name}")
        message = f"The model '{name}' does not exist: GET /v1/models lists those there are"
        return refusal(request, 404, message, param="model", code="model_not_found")
    found = models.entry(name, anthropic=anthropic, created=site.started)
    return web.json_response(found, headers=identified(request))


async def _responses(request: web.Request) -> web.Response:
    """Codex asks for a WebSocket here first; 426 sends it to plain HTTP at once."""
    if request.headers.get("upgrade", "").lower() != "websocket":
        return await _unknown(request)
    answer = refusal(
        request,
        426,
        "WebSockets are not served; use HTTP",
        {"upgrade": "HTTP/1.1", "connection": "upgrade, close"},
    )
    # The parser has left HTTP on this connection: nothing more can be read from it.
    answer.force_close()
    return answer


async def _root(_: web.Request) -> web.Response:
    return web.json_response({"name": "lynkrc-runtime", "version": __version__})


async def _unknown(request: web.Request) -> web.Response:
    return nothing_here(request)
