"""`GET /health/ready?deep=true`, for operators: whether the places that targets are at can be
reached.

A probe opens a connection, with TLS where the address says so, and closes it: that tells wrong
names, closed ports, firewalls and certificates that do not hold. No request is made, so it costs
nothing and shows nobody a credential; whether a key is good is learnt from requests.
"""

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, final
from urllib.parse import urlsplit

from aiohttp import web

from lynkrc_runtime.server.http import SITE
from lynkrc_runtime.server.readiness import tell_readiness
from lynkrc_runtime.server.routes import SIMULATOR, Route

LIMIT = 5.0
"""Seconds for all probes together."""
AT_ONCE = 8
FRESH = 10.0
"""Seconds for which a result is told again."""

REACHED = "reached"
SKIPPED = "not probed"


@final
@dataclass(slots=True)
class _Known:
    """The last result: which bundle's, until when, and one line a target."""

    bundle: str = ""
    until: float = 0.0
    found: Mapping[str, str] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


_KNOWN = web.AppKey("probes", _Known)


def add_deep_ready(app: web.Application) -> None:
    """Have the operators' application answer it."""
    app[_KNOWN] = _Known()
    app.router.add_get("/health/ready", _ready)


async def _ready(request: web.Request) -> web.Response:
    """Readiness; with `?deep=true` also what became of the probes. That changes no status."""
    if request.query.get("deep") != "true":
        return tell_readiness(request, detailed=True)
    site, known = request.app[SITE], request.app[_KNOWN]
    gateway = site.gateway
    now = asyncio.get_running_loop().time
    # Who asks at the same time waits for the same probes.
    async with known.lock:
        if known.until <= now() or known.bundle != gateway.policy.digest:
            dry = gateway.settings.dry_run
            known.found = await probe(() if dry else gateway.routes)
            known.bundle, known.until = gateway.policy.digest, now() + FRESH
    targets = dict.fromkeys((route.target.name for route in gateway.routes), SKIPPED)
    targets |= known.found
    return tell_readiness(request, {"targets": targets}, detailed=True)


async def probe(routes: Iterable[Route], *, limit: float = LIMIT) -> dict[str, str]:
    """What became of a connection to each target, by its name; one for all at the same place."""
    places: dict[tuple[str, ssl.SSLContext | None], list[Route]] = {}
    for route in routes:
        # Of what is called through a proxy only the proxy would answer.
        if route.provider.kind != SIMULATOR and route.link.proxy is None:
            places.setdefault((route.address.base, route.link.tls), []).append(route)
    found: dict[str, str] = {}
    free = asyncio.Semaphore(AT_ONCE)

    async def one(base: str, tls: ssl.SSLContext | None, at_it: Iterable[Route]) -> None:
        async with free:
            told = await _connected(base, tls)
        found.update((route.target.name, told) for route in at_it)

    tasks = [asyncio.ensure_future(one(base, tls, at_it)) for (base, tls), at_it in places.items()]
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=limit)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for at_it in places.values():
        for route in at_it:
            found.setdefault(route.target.name, f"no connection within {limit:g} s")
    return found


async def _connected(base: str, tls: ssl.SSLContext | None) -> str:
    """What became of a connection to an address; no word of it is anybody's secret."""
    parts = urlsplit(base)
    secure = parts.scheme == "https"
    try:
        # By the certificates that calls trust.
        context: Any = (tls or ssl.create_default_context()) if secure else None
        _, writer = await asyncio.open_connection(
            parts.hostname, parts.port or (443 if secure else 80), ssl=context
        )
    except ssl.SSLCertVerificationError as error:
        return f"the certificate does not hold: {error.verify_message}"
    except ssl.SSLError:
        return "TLS fails"
    except OSError as error:
        return f"no connection: {error.strerror or 'the name is not known'}"
    writer.close()
    return REACHED
