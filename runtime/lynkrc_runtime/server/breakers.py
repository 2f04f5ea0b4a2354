"""What is known of targets to what operators read: JSON, a log line, metrics."""

import asyncio
from dataclasses import asdict

from aiohttp import web

from lynkrc_runtime.resilience.breaker import State
from lynkrc_runtime.resilience.health import Report, Watching
from lynkrc_runtime.server.http import SITE, refusal
from lynkrc_runtime.telemetry.log import Level, Log
from lynkrc_runtime.telemetry.metrics import Metrics

_DIGITS = 3
"""Of seconds and shares."""
_SHOWN = 100
"""Characters of an unknown target's name that are told back."""


async def breakers(request: web.Request) -> web.Response:
    """`GET /metrics/circuit-breakers`: each target of the bundle that serves."""
    watch = request.app[SITE].gateway.watch
    now = asyncio.get_running_loop().time()
    reports = watch.reports(now) if isinstance(watch, Watching) else []
    return web.json_response({"targets": [_members(one) for one in reports]})


async def reset(request: web.Request) -> web.Response:
    """`POST /metrics/circuit-breakers/reset`: nothing is known of any target any more.

    `?target=NAME` forgets that one alone; 404 where the bundle has no such target.
    """
    gateway, target = request.app[SITE].gateway, request.query.get("target")
    if target is not None and target not in {one.target.name for one in gateway.routes}:
        return refusal(request, 404, f"the bundle that serves has no target {target[:_SHOWN]!r}")
    if isinstance(gateway.watch, Watching):
        gateway.watch.forget(target)
        gateway.metrics.watches(gateway.watch.states())
        gateway.log.line(Level.INFO, "breakers-reset", target=target)
    return await breakers(request)


def tell(
    metrics: Metrics, log: Log, target: str, before: State, after: State, failures: int
) -> None:
    """A breaker has changed. A probe, and one that failed, are no news for the log."""
    metrics.turned(target, after)
    if before is State.CLOSED:
        log.line(Level.WARNING, "breaker", target=target, state=after.value, failures=failures)
    elif after is State.CLOSED:
        log.line(Level.INFO, "breaker", target=target, state=after.value)


def _members(report: Report) -> dict[str, object]:
    """The report, its numbers rounded."""
    return {
        name: round(value, _DIGITS) if isinstance(value, float) else value
        for name, value in asdict(report).items()
    }
