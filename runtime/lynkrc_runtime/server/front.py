"""The usual requests to what serves them, before aiohttp's application is asked.

An application finds a route, wraps middlewares around its handler and tells hooks of the answer:
three per cent of a short request. What calls a model comes on a few paths by POST, so a table has
their handlers; everything else goes on to the application. The guard stands before both. Of those
in the table the most usual do not even come here: see `lynkrc_runtime.server.connection`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from aiohttp import hdrs, web

from lynkrc_runtime.server.connection import Connections
from lynkrc_runtime.server.http import SITE, Site, last_words, turned_away
from lynkrc_runtime.server.surfaces import Surface

Usual: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
"""Serves a request that was let in; what it returns may have been sent already."""
USUAL = web.AppKey("usual", Mapping[str, Usual])
"""Handlers of POST by exact path, which the application's own routes have as well."""
SURFACES = web.AppKey("surfaces", Mapping[str, Surface])
"""What calls a model, by the right spelling of its path alone."""


def put_before(runner: web.AppRunner, app: web.Application) -> None:
    """Have a runner that is set up serve by our own connections, which ask the table first.

    Connections come later.
    """
    server = runner.server
    assert server is not None, "the runner is set up first"
    site = app[SITE]
    handler = _front(site, app[USUAL], server.request_handler)
    runner._server = Connections(server, site, app[SURFACES], handler)


def _front(
    site: Site,
    usual: Mapping[str, Usual],
    others: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        path = request.raw_path
        if path not in usual:
            path = path.partition("?")[0]
        serves = usual.get(path)
        if (
            serves is None
            or request.method != hdrs.METH_POST
            or hdrs.EXPECT in request.headers
            or not isinstance(request, web.Request)
        ):
            return await others(request)
        response = turned_away(request, site, path) or await serves(request)
        if site.stopping.is_draining:
            response.force_close()
        if isinstance(response, web.Response) and not response.prepared:
            last_words(request, response)
        return response

    return handle
