"""`POST /v1/admin/reload` and `restart`: an operator's orders, and what became of them.

A worker of several only checks that the order may be given: 202 tells its supervisor so.
"""

from aiohttp import web

from lynkrc_runtime.server.http import SITE, read_body, refusal
from lynkrc_runtime.telemetry.reloads import Result

RELOAD, RESTART = "/v1/admin/reload", "/v1/admin/restart"
_EMPTY = (b"", b"{}")


async def reload(request: web.Request) -> web.Response:
    """200 with the old and the new digest, 409 with the reason; the last good bundle serves then.

    The bundle is always the one the process was started with: the body holds nothing.
    """
    site = request.app[SITE]
    body = await read_body(request)
    if isinstance(body, web.Response):
        return body
    if body.strip() not in _EMPTY:
        return refusal(request, 400, "the body is empty: the served path is loaded, no other")
    if site.is_supervised:
        return web.Response(status=202)
    if site.reload is None:
        return refusal(request, 404, "nothing is reloaded here")
    ended = await site.reload()
    status = 409 if ended.result is Result.FAILED else 200
    return web.json_response(ended.members, status=status)


async def restart(request: web.Request) -> web.Response:
    """A rolling restart, where there are workers to restart."""
    if request.app[SITE].is_supervised:
        return web.Response(status=202)
    return refusal(request, 409, "one process serves: it has no workers to restart one by one")
