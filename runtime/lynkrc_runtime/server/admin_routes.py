"""The operators' application: health, metrics, the route table, dry runs and kept traces."""

import time
from collections.abc import Mapping

from aiohttp import web

from lynkrc_runtime.feature_table import DIALECTS, SURFACES
from lynkrc_runtime.features import RefusedRequest, RequestFacts
from lynkrc_runtime.protocol.conversation import MalformedRequest
from lynkrc_runtime.served import RUNTIME
from lynkrc_runtime.server.breakers import breakers, reset
from lynkrc_runtime.server.deep_ready import add_deep_ready
from lynkrc_runtime.server.gateway import read_request
from lynkrc_runtime.server.http import (
    ARRIVAL,
    SITE,
    Site,
    admin_guard,
    before_answer,
    live,
    nothing_here,
    read_body,
    refusal,
)
from lynkrc_runtime.server.logs import note_lost
from lynkrc_runtime.server.page_routes import add_page_routes
from lynkrc_runtime.server.problems import malformed
from lynkrc_runtime.server.readiness import degraded
from lynkrc_runtime.server.reload_routes import RELOAD, RESTART, reload, restart
from lynkrc_runtime.telemetry.metrics import CONTENT_TYPE
from lynkrc_runtime.telemetry.summary import summary
from lynkrc_runtime.trace import trace_of
from lynkrc_runtime.unserved import unserved_parts

_ID_LIMIT = 100
"""Characters of an unknown trace's id that are told back."""

_SURFACES: Mapping[str, str] = dict(zip(SURFACES, DIALECTS, strict=True))


def admin_app(site: Site) -> web.Application:
    """The application for operators; it never listens to other Host names than the loopback's."""
    app = web.Application(middlewares=[admin_guard], client_max_size=0)
    app.on_response_prepare.append(before_answer)
    app[SITE] = site
    app.router.add_get("/health/live", live)
    add_deep_ready(app)
    app.router.add_get("/metrics", _metrics)
    app.router.add_get("/metrics/prometheus", _metrics)
    app.router.add_get("/metrics/circuit-breakers", breakers)
    app.router.add_get("/metrics/observability", _summary)
    app.router.add_post("/metrics/circuit-breakers/reset", reset)
    app.router.add_get("/routing/table", _table)
    app.router.add_post("/routing/analyze", _analyze)
    app.router.add_get("/routing/trace/{id}", _trace)
    app.router.add_post(RELOAD, reload)
    app.router.add_post(RESTART, restart)
    add_page_routes(app)
    app.router.add_route("*", r"/{path:[\s\S]*}", _unknown)
    return app


async def _metrics(request: web.Request) -> web.Response:
    site = request.app[SITE]
    note_lost(site.gateway)
    body = site.gateway.metrics.render()
    if site.reload is not None:
        body += site.reloads.render()
    if site.fetches is not None:
        body += site.fetches.render()
    return web.Response(body=body, headers={"content-type": CONTENT_TYPE})


async def _summary(request: web.Request) -> web.Response:
    """`GET /metrics/observability`: the same numbers, added up, for a person or a dashboard."""
    site = request.app[SITE]
    note_lost(site.gateway)
    policy, is_dry = site.gateway.policy, site.gateway.settings.dry_run
    return web.json_response(
        summary(site.gateway.metrics.samples())
        | {
            "uptime_seconds": max(0, int(time.time()) - site.started),
            "bundle": policy.digest,
            "name": policy.dispatch.name,
            # A dry run counts in memory, whatever is declared.
            "store": "memory" if is_dry else policy.dispatch.settings.state.store,
            "degraded": degraded(site),
        }
    )


async def _table(request: web.Request) -> web.Response:
    """The bundle's own table, then what of the bundle is not served."""
    policy = request.app[SITE].gateway.policy
    unserved = unserved_parts(policy.dispatch)
    told = "".join(f"not served by runtime {RUNTIME}: {part}\n" for part in unserved)
    return web.Response(text=f"{policy.routes_text}\n{told}" if told else policy.routes_text)


async def _analyze(request: web.Request) -> web.Response:
    """`POST /routing/analyze[?surface=chat]`: the trace of a request that no target gets."""
    surface = request.query.get("surface", "messages")
    if surface not in _SURFACES:
        return refusal(request, 400, f"surface: one of {', '.join(_SURFACES)}")
    body = await read_body(request)
    if isinstance(body, web.Response):
        return body
    gateway = request[ARRIVAL].gateway
    headers = request[ARRIVAL].headers
    facts = RequestFacts(surface=surface, headers=headers, repeated=request[ARRIVAL].repeated)
    try:
        read = read_request(gateway, _SURFACES[surface], body, headers)
        features = gateway.policy.extractor.explain(read, facts)
    except MalformedRequest as error:
        return refusal(request, 400, malformed(error, "").message, param=error.field)
    except RefusedRequest as error:
        return refusal(request, 400, error.message)
    policy = gateway.policy
    vector = [feature.value for feature in features]
    return web.json_response(
        trace_of(
            bundle=policy.digest,
            surface=surface,
            dispatch=policy.dispatch,
            features=features,
            explained=policy.explain(vector),
            decision=gateway.decider.decide(vector),
        )
    )


async def _trace(request: web.Request) -> web.Response:
    """`GET /routing/trace/{id}`: why a request that asked was decided as it was."""
    identity = request.match_info["id"]
    trace = request.app[SITE].gateway.traces.get(identity)
    if trace is None:
        return refusal(request, 404, f"there is no trace {identity[:_ID_LIMIT]!r}, or no longer")
    return web.Response(body=trace, content_type="application/json")


async def _unknown(request: web.Request) -> web.Response:
    return nothing_here(request)
