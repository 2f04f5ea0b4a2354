"""`GET /v1/usage/{request-id}`: what one of the caller's requests used, and what it cost.

The headers of a streamed answer are sent before its cost is known; here it can be read afterwards.
"""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from lynkrc_runtime.server.http import ARRIVAL, SITE, Site, canonical, identified, refusal


def add_usage_routes(app: web.Application, prefixes: Sequence[str]) -> None:
    """Have an application answer it, below each of the prefixes."""
    for prefix in prefixes:
        app.router.add_get(f"{prefix}/usage/{{id}}", _usage)


async def used(site: Site, key: str | None, request_id: str) -> dict[str, Any] | None:
    """What a request of this caller used, whichever worker served it; None where none knows."""
    found = site.gateway.recent.get(key, request_id)
    if found is None and site.asks_others is not None:
        found = await site.asks_others(key, request_id)
    return found


async def _usage(request: web.Request) -> web.Response:
    identity = request.match_info["id"]
    canonical(request, "/v1/usage", f"/{identity}")
    caller = request[ARRIVAL].caller
    found = await used(request.app[SITE], None if caller is None else caller.name, identity)
    if found is None:
        # Another caller's request is not told from one that never was.
        message = "there is no such request of yours, it has not ended, or it was too long ago"
        return refusal(request, 404, message, param="id")
    return web.json_response(found, headers=identified(request))
