"""`POST /v1/admin/reload`: a reload by an operator, and what became of it."""

from aiohttp import web

from lynkrc_runtime.server.http import SITE, read_body, refusal
from lynkrc_runtime.telemetry.reloads import Result

RELOAD = "/v1/admin/reload"
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
    if site.reload is None:
        return refusal(request, 404, "nothing is reloaded here")
    ended = await site.reload()
    status = 409 if ended.result is Result.FAILED else 200
    return web.json_response(ended.members, status=status)
