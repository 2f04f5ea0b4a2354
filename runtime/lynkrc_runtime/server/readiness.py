"""Whether requests should be sent here: 503 while starting, draining, refusing or overloaded.

What works less than it should is named (`degraded`), and requests are served all the same.
Design: runtime.md, "Reload and stop".
"""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from aiohttp import web

from lynkrc_runtime.scan.engines import kernel_name, kernel_notice
from lynkrc_runtime.server.http import SITE, Site, refusal

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def degraded(site: Site) -> list[str]:
    """What works less than it should, by name."""
    fetches = () if site.fetches is None else site.fetches.degraded
    return [*site.stores.down, *(["reload"] if site.trouble is not None else []), *fetches]


def readiness(site: Site, now: float, *, detailed: bool) -> tuple[int, dict[str, Any]]:
    """The status and members of a readiness answer; `now` is on the loop's clock.

    `detailed` is for operators: the reason may name files and variables.
    """
    policy = site.gateway.policy
    marks = policy.dispatch.settings.server.shedding
    worse = degraded(site)
    if site.stopping.is_draining:
        code, status = 503, "draining"
    elif site.stores.status == "unavailable":
        code, status = 503, "unavailable"
    elif site.shedding.lasts(marks, now):
        code, status = 503, "shedding"
    else:
        code, status = 200, "degraded" if worse else "ready"
    answer: dict[str, Any] = {
        "status": status,
        "bundle": policy.digest,
        "name": policy.dispatch.name,
        "engine": policy.engine,
        "kernel": kernel_name(),
        "degraded": worse,
    }
    notices = [one for one in (policy.notice, kernel_notice()) if one is not None]
    if notices and detailed:
        answer["notices"] = notices
    reasons = [] if site.trouble is None else [f"the last reload failed: {site.trouble}"]
    if site.fetches is not None:
        reasons += site.fetches.degraded.values()
    if reasons and detailed:
        answer["reason"] = "; ".join(reasons)
    return code, answer


async def ready(request: web.Request) -> web.Response:
    """`GET /health/ready`, for clients."""
    if request.query.get("deep") == "true":
        return refusal(request, 404, "targets are probed for operators, on their own address")
    return tell_readiness(request, detailed=False)


def tell_readiness(
    request: web.Request, more: Mapping[str, Any] = _NOTHING, *, detailed: bool
) -> web.Response:
    """The answer; `more` is told too."""
    now = asyncio.get_running_loop().time()
    code, answer = readiness(request.app[SITE], now, detailed=detailed)
    return web.json_response(answer | dict(more), status=code)
