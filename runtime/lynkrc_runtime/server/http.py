"""What both applications share: the guard before every handler, refusals, the probes."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.protocol.dialect import ClientDialect, Problem
from lynkrc_runtime.server.draining import Stopping
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.server.problems import kind_of
from lynkrc_runtime.server.security import is_json, objection, request_id
from lynkrc_runtime.telemetry.log import Level
from lynkrc_runtime.telemetry.reloads import Reloaded, Reloads

BODY_LIMIT = 32 * 1024 * 1024
"""Bytes of a request's body, where the bundle does not say."""

_UNKNOWN_KEY = "a key of this gateway is needed, in x-api-key or as Authorization: Bearer"

_MESSAGES = "anthropic-messages"
_CHAT = "openai-chat"
_RESPONSES = "openai-responses"


@final
@dataclass(slots=True, kw_only=True)
class Site:
    """The serving process, as handlers see it.

    `stopping` is the process's, `reload` loads its bundle anew (None where it is not served from
    a path), `is_supervised`: it is one of several workers, `trouble` is why the last reload
    failed; `started` is Unix seconds; `aliases` are the odd paths already warned about.
    """

    gateway: Gateway
    stopping: Stopping = field(default_factory=Stopping)
    reload: Callable[[], Awaitable[Reloaded]] | None = None
    is_supervised: bool = False
    reloads: Reloads = field(default_factory=Reloads)
    trouble: str | None = None
    started: int = field(default_factory=lambda: int(time.time()))
    aliases: set[str] = field(default_factory=set)


SITE = web.AppKey("site", Site)
REQUEST_ID = web.RequestKey("request_id", str)
HEADERS = web.RequestKey("headers", dict[str, str])
REPEATED = web.RequestKey("repeated", frozenset[str])
CALLER = web.RequestKey("caller", Caller)
"""Set by the guard: the id, the headers by lower-case name, the names that came twice or more, and
whose key was shown (absent in open mode)."""

_PUBLIC = frozenset({"/", "/health/live", "/health/ready"})
"""Paths that are answered without a key: they tell nothing of anybody."""


def lower_headers(request: web.Request) -> tuple[dict[str, str], frozenset[str]]:
    """Headers by lower-case name, and the names that came more than once, joined as HTTP allows."""
    headers: dict[str, str] = {}
    repeated: set[str] = set()
    for name, value in request.headers.items():
        lower = name.lower()
        if lower in headers:
            repeated.add(lower)
            headers[lower] += f", {value}"
        else:
            headers[lower] = value
    return headers, frozenset(repeated)


def dialect_of(request: web.Request) -> str:
    """The dialect to answer in where the path alone does not say."""
    if "anthropic-version" in request.headers or "/messages" in request.path:
        return _MESSAGES
    return _RESPONSES if "/responses" in request.path else _CHAT


def identified(request: web.Request) -> dict[str, str]:
    """The headers by which clients of every dialect report a request."""
    identity = request[REQUEST_ID]
    return dict.fromkeys(("request-id", "x-request-id", "x-lynkr-request-id"), identity)


def refusal(
    request: web.Request,
    status: int,
    message: str,
    extra: Mapping[str, str] | None = None,
    *,
    param: str | None = None,
    code: str | None = None,
) -> web.Response:
    """An error of the gateway itself: its own HTTP status, in the dialect's shape."""
    dialect: ClientDialect = request.app[SITE].gateway.dialects[dialect_of(request)]
    problem = Problem(
        status=status,
        kind=kind_of(status),
        message=message,
        param=param,
        code=code,
        request_id=request[REQUEST_ID],
    )
    _, body = dialect.write_problem(problem)
    headers = identified(request) | {"content-type": "application/json"}
    return web.Response(status=status, headers=headers | dict(extra or {}), body=body)


def nothing_here(request: web.Request) -> web.Response:
    """No such path: 404; or not by this method: 405, with those that there are."""
    path, methods = request.path, set[str]()
    for resource in request.app.router.resources():
        # What matches every path is the route that leads here.
        if isinstance(resource, web.PlainResource) and resource.canonical == path:
            methods |= {route.method for route in resource}
    methods.discard(request.method)  # one that is there for something else: an upgrade
    if not methods:
        return refusal(request, 404, f"there is no {request.method} {path} here")
    allowed = ", ".join(sorted(methods))
    message = f"{path} takes {allowed}, not {request.method}"
    return refusal(request, 405, message, {"allow": allowed})


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give each client's request an id, and turn away what must not be served."""
    headers = _identify(request)
    gateway = request.app[SITE].gateway
    if len(gateway.keys):
        if request.path not in _PUBLIC:
            caller = gateway.keys.caller_of(headers)
            if caller is None:
                return refusal(request, 401, _UNKNOWN_KEY, {"x-should-retry": "false"})
            request[CALLER] = caller
    else:
        reason = objection(headers, any_host=gateway.settings.any_host)
        if reason is not None:
            return refusal(request, 403, reason)
    if request.method == hdrs.METH_POST and not is_json(headers.get("content-type", "")):
        return refusal(request, 415, "the content type must be application/json")
    response = await handler(request)
    if request.app[SITE].stopping.is_draining:
        response.force_close()
    return response


@web.middleware
async def admin_guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The guard of the operators' listener."""
    headers = _identify(request)
    reason = objection(headers, any_host=False)
    if reason is not None:
        return refusal(request, 403, reason)
    if request.method == hdrs.METH_POST and not is_json(headers.get("content-type", "")):
        return refusal(request, 415, "the content type must be application/json")
    return await handler(request)


def _identify(request: web.Request) -> dict[str, str]:
    headers, request[REPEATED] = lower_headers(request)
    request[HEADERS] = headers
    request[REQUEST_ID] = request_id(headers.get("x-request-id"))
    return headers


def body_limit(site: Site) -> int:
    """Bytes a request's body may have."""
    declared = site.gateway.policy.dispatch.settings.server.body_limit
    return BODY_LIMIT if declared is None else declared


async def read_body(request: web.Request) -> bytes | web.Response:
    """The body, or the refusal of one over the limit, or of one that cannot be decoded."""
    limit = body_limit(request.app[SITE])
    message = f"the request is larger than {limit} bytes"
    if request.content_length is not None and request.content_length > limit:
        return refusal(request, 413, message)
    try:
        if request.content_length is not None and hdrs.CONTENT_ENCODING not in request.headers:
            return await request.read()
        body = bytearray()
        while piece := await request.content.readany():
            body += piece
            if len(body) > limit:
                return refusal(request, 413, message)
        return bytes(body)
    except web.RequestPayloadError:
        return refusal(request, 400, "the body is not encoded as its headers say")


def canonical(request: web.Request, path: str, below: str = "") -> None:
    """Note that a client used another spelling of `path`; each is warned about once.

    `below` is what follows it, as an id: it is no part of the spelling.
    """
    site, spelled = request.app[SITE], request.path.removesuffix(below)
    if spelled != path and spelled not in site.aliases and len(site.aliases) < 100:
        site.aliases.add(spelled)
        site.gateway.log.line(
            Level.WARNING, "alias", path=spelled, hint=f"clients should call {path}"
        )


async def live(_: web.Request) -> web.Response:
    """`GET /health/live`: the process answers."""
    return web.json_response({"status": "ok"})


def readiness(site: Site, *, detailed: bool) -> tuple[int, dict[str, str]]:
    """The status and members of a readiness answer; 503 once the process has been told to stop.

    `detailed` is for operators: the reason may name files and variables.
    """
    policy = site.gateway.policy
    answer = {
        "status": "ready" if site.trouble is None else "degraded",
        "bundle": policy.digest,
        "name": policy.dispatch.name,
        "engine": policy.engine,
    }
    if site.trouble is not None and detailed:
        answer["reason"] = f"the last reload failed: {site.trouble}"
    if site.stopping.is_draining:
        return 503, answer | {"status": "draining"}
    return 200, answer


async def ready(request: web.Request) -> web.Response:
    """`GET /health/ready`."""
    status, answer = readiness(request.app[SITE], detailed=False)
    return web.json_response(answer, status=status)
