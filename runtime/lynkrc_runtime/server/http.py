"""What both applications share: the guard before every handler, refusals, the probes."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, final

from aiohttp import hdrs, web
from aiohttp.http import RawRequestMessage
from aiohttp.typedefs import Handler

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.access.rights import lacks_right
from lynkrc_runtime.protocol.dialect import ClientDialect, Problem
from lynkrc_runtime.server.changes import Changes
from lynkrc_runtime.server.deadline import deadline
from lynkrc_runtime.server.doors import PEER
from lynkrc_runtime.server.draining import Stopping
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.server.known import Known
from lynkrc_runtime.server.origins import cors_headers, is_preflight, preflight_headers
from lynkrc_runtime.server.problems import kind_of, overloaded
from lynkrc_runtime.server.security import (
    is_json,
    misframed,
    objection,
    own_origins,
    request_id,
)
from lynkrc_runtime.server.shedding import Reason, Shedding
from lynkrc_runtime.server.whole_answer import SERVER
from lynkrc_runtime.state.open import Stores, in_memory
from lynkrc_runtime.telemetry.fetches import Fetches
from lynkrc_runtime.telemetry.log import Level
from lynkrc_runtime.telemetry.reloads import Reloaded, Reloads

BODY_LIMIT = 32 * 1024 * 1024
"""Bytes of a request's body, where the bundle does not say."""
BODY_TIME = 300.0
"""Seconds a body has to come."""

_UNKNOWN_KEY = "a key of this gateway is needed, as a bearer token or an API key"
"""Without the name of the header: Claude Code shows "Not logged in" for whatever mentions it."""
_NO_TOKEN = "the token of this listener is needed, as Authorization: Bearer"
_ONLY_HERE = "without a token (server.admin.token) operators are served on this machine alone"

_NO_JSON = "the content type must be application/json"

_MESSAGES = "anthropic-messages"
_CHAT = "openai-chat"
_RESPONSES = "openai-responses"


@final
@dataclass(slots=True, kw_only=True)
class Site:
    """The serving process, as handlers see it.

    `stopping` is the process's, `reload` loads its bundle anew (None where it is not served from
    a path), `is_supervised`: it is one of several workers, `trouble` is why the last reload
    failed; `fetches` tells how asking a server for the bundle goes, where it comes from one;
    `asks_others` finds at another worker what a caller's request used; `started` is
    Unix seconds; `aliases` are the odd paths already warned about; `shedding` is how much is under
    way.
    """

    gateway: Gateway
    stores: Stores = field(default_factory=in_memory)
    stopping: Stopping = field(default_factory=Stopping)
    reload: Callable[[], Awaitable[Reloaded]] | None = None
    is_supervised: bool = False
    asks_others: Callable[[str | None, str], Awaitable[dict[str, Any] | None]] | None = None
    reloads: Reloads = field(default_factory=Reloads)
    fetches: Fetches | None = None
    changes: Changes = field(default_factory=Changes)
    trouble: str | None = None
    started: int = field(default_factory=lambda: int(time.time()))
    aliases: set[str] = field(default_factory=set)
    shedding: Shedding = field(default_factory=Shedding)


SITE = web.AppKey("site", Site)


@final
@dataclass(slots=True)
class Arrival:
    """What the guard found out about a request.

    `gateway` is the one that judged it, and serves it: a reload may bring other keys and rules
    while its body comes. `headers` have lower-case names, `repeated` are those that came twice or
    more. `caller` is whose key was shown, None in open mode. `origin` is the declared one of the
    page that calls, `path` the request's where it was found without the application's routes.
    """

    site: Site
    gateway: Gateway
    headers: dict[str, str] = field(repr=False)
    repeated: frozenset[str]
    request_id: str
    caller: Caller | None = None
    origin: str | None = None
    path: str | None = None


ARRIVAL = web.RequestKey("arrival", Arrival)

_NOT_AGAIN: Mapping[str, str] = MappingProxyType({"x-should-retry": "false"})
_UNUSUAL = frozenset({"content-encoding", "expect", "origin", "transfer-encoding", "upgrade"})
"""Headers of requests that take the long way."""
_NONE = frozenset[str]()

ANYTHING = "/{path}"
"""The route of every path that is not ours."""

_PUBLIC = frozenset({"/", "/health/live", "/health/ready"})
"""Paths that are answered without a key: they tell nothing of anybody."""
PAGE_FILES = "/page/"
"""What is below it on the operators' listener is as public: files of a page that hold no data."""


def lower_headers(given: Mapping[str, str]) -> tuple[dict[str, str], frozenset[str]]:
    """Headers by lower-case name, and the names that came more than once, joined as HTTP allows.

    `given` may hold a name several times.
    """
    headers = {name.lower(): value for name, value in given.items()}
    if len(headers) == len(given):
        return headers, _NONE
    headers.clear()
    repeated: set[str] = set()
    for name, value in given.items():
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
    identity = request[ARRIVAL].request_id
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
    arrival = request[ARRIVAL]
    gateway = arrival.gateway
    dialect: ClientDialect = gateway.dialects[dialect_of(request)]
    gateway.metrics.refused(status)
    gateway.log.line(
        Level.INFO,
        "refused",
        request_id=arrival.request_id,
        status=status,
        reason=kind_of(status),
        method=request.method if request.method in hdrs.METH_ALL else None,
        path=_known_path(request),
    )
    problem = Problem(
        status=status,
        kind=kind_of(status),
        message=message,
        param=param,
        code=code,
        request_id=arrival.request_id,
    )
    _, body = dialect.write_problem(problem)
    headers = identified(request) | {"content-type": "application/json"}
    return web.Response(status=status, headers=headers | dict(extra or {}), body=body)


def shed(request: web.Request, reason: Reason) -> web.Response:
    """The refusal of a request beyond a mark: what an overloaded provider would answer."""
    request[ARRIVAL].gateway.metrics.shed(reason.value)
    status, extra = overloaded(dialect_of(request))
    return refusal(request, status, "the gateway is overloaded", extra)


def _known_path(request: web.Request) -> str | None:
    """The path as we wrote it, without what a client put into it; None where it is not ours."""
    known = request[ARRIVAL].path
    if known is not None:
        return known
    resource = request.match_info.route.resource
    found = None if resource is None else resource.canonical
    return None if found == ANYTHING else found


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
    site = request.app[SITE]
    response = turned_away(request, site) or await handler(request)
    if site.stopping.is_draining:
        response.force_close()
    return response


def turned_away(request: web.Request, site: Site, path: str | None = None) -> web.Response | None:
    """The answer to a client's request that is not to be served; None: it is.

    `path` is the request's, where no route of the application was asked for.
    With keys, a page of an origin that is not declared is served like any client, without the
    headers that would let it read the answer: a key that must be shown is no ambient authority.
    """
    arrival = _arrived(request, site)
    arrival.path = path
    headers = arrival.headers
    refused = _misframed(request, headers)
    if refused is not None:
        return refused
    gateway = arrival.gateway
    origins = gateway.doors.origins
    if origins and headers.get("origin") in origins:
        arrival.origin = headers["origin"]
        if is_preflight(request.method, headers):
            return web.Response(status=204, headers=preflight_headers(headers))
    if not len(gateway.keys) or request.path not in _PUBLIC:
        found = _caller(gateway, headers)
        if isinstance(found, _Refused):
            return refusal(request, found.status, found.message, found.extra)
        arrival.caller = found
    if request.method == hdrs.METH_POST and not is_json(headers.get("content-type", "")):
        return refusal(request, 415, _NO_JSON)
    return None


def let_in(gateway: Gateway, message: RawRequestMessage, path: str, limit: int) -> Known | None:
    """What the guard finds out about a request that calls a model, by POST at this path.

    None: it is turned away, or has a header by which it is no usual one; `turned_away` says which.
    Its body has a length, `limit` at most (in bytes), and comes as it is.
    """
    headers, repeated = lower_headers(message.headers)
    if not _UNUSUAL.isdisjoint(headers):
        return None
    length = headers.get("content-length")
    if (
        length is None
        or int(length) > limit
        or misframed(path, headers) is not None
        or not is_json(headers.get("content-type", ""))
    ):
        return None
    found = _caller(gateway, headers)
    if isinstance(found, _Refused):
        return None
    return Known(gateway, message.raw_headers, headers, repeated, found, limit)


@final
class _Refused(NamedTuple):
    """Why somebody is not served."""

    status: int
    message: str
    extra: Mapping[str, str] | None = None


def _caller(gateway: Gateway, headers: Mapping[str, str]) -> Caller | _Refused | None:
    """Who calls; None is anybody, in open mode."""
    if not len(gateway.keys):
        origins = gateway.doors.origins
        reason = objection(headers, any_host=gateway.settings.any_host, origins=origins)
        return None if reason is None else _Refused(403, reason)
    caller = gateway.keys.caller_of(headers)
    if caller is None:
        return _Refused(401, _UNKNOWN_KEY, _NOT_AGAIN)
    lacking = lacks_right(caller, headers)
    return caller if lacking is None else _Refused(403, lacking, _NOT_AGAIN)


@web.middleware
async def admin_guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The guard of the operators' listener: by token, or without one from this machine only."""
    site = request.app[SITE]
    arrival = _arrived(request, site)
    headers = arrival.headers
    refused = _misframed(request, headers)
    if refused is not None:
        return refused
    doors = arrival.gateway.doors
    # A worker's listener is a socket only its supervisor can reach, which says who asks.
    peer = headers.get(PEER) if site.is_supervised else request.remote
    reason = objection(headers, any_host=doors.token is not None, origins=own_origins(headers))
    if reason is not None:
        return refusal(request, 403, reason)
    is_public = request.path in _PUBLIC or request.path.startswith(PAGE_FILES)
    if not is_public and not doors.lets_in(headers, peer):
        if doors.token is None:
            return refusal(request, 403, _ONLY_HERE)
        return refusal(request, 401, _NO_TOKEN, {"www-authenticate": "Bearer"})
    if request.method == hdrs.METH_POST and not is_json(headers.get("content-type", "")):
        return refusal(request, 415, _NO_JSON)
    return await handler(request)


async def before_answer(request: web.Request, response: web.StreamResponse) -> None:
    """See `last_words`; aiohttp calls it of an application's answers."""
    last_words(request, response)


def last_words(request: web.Request, response: web.StreamResponse) -> None:
    """Last words on an answer's headers: a page of a declared origin may read it.

    A connection that was asked to become something else is closed: the parser has left HTTP.
    Said twice they are the same.
    """
    headers = request.headers
    response.headers[hdrs.SERVER] = SERVER
    if hdrs.UPGRADE in headers:
        response.headers.setdefault(hdrs.CONNECTION, "close")
        response.force_close()
    # Asked of the headers first: an origin that is not declared is none of ours.
    arrival = request.get(ARRIVAL) if hdrs.ORIGIN in headers else None
    if arrival is not None and arrival.origin is not None:
        response.headers.update(cors_headers(arrival.origin, response.headers))


def _arrived(request: web.Request, site: Site) -> Arrival:
    headers, repeated = lower_headers(request.headers)
    identity = request_id(headers.get("x-request-id"))
    arrival = Arrival(site, site.gateway, headers, repeated, identity)
    request[ARRIVAL] = arrival
    return arrival


def _misframed(request: web.Request, headers: Mapping[str, str]) -> web.Response | None:
    found = misframed(request.raw_path, headers)
    if found is None:
        return None
    answer = refusal(request, *found)
    answer.force_close()  # what follows may be a part of it
    return answer


def body_limit(gateway: Gateway) -> int:
    """Bytes a request's body may have."""
    declared = gateway.policy.dispatch.settings.server.body_limit
    return BODY_LIMIT if declared is None else declared


@final
class _TooLarge(Exception):
    """The body goes on beyond the limit."""


async def _whole(request: web.Request, limit: int) -> bytes:
    """The body."""
    if request.content_length is not None and hdrs.CONTENT_ENCODING not in request.headers:
        return await request.read()
    body = bytearray()
    while piece := await request.content.readany():
        body += piece
        if len(body) > limit:
            raise _TooLarge
    return bytes(body)


async def read_body(request: web.Request) -> bytes | web.Response:
    """The body, or the refusal of one over the limit, late, or that cannot be decoded."""
    limit = body_limit(request[ARRIVAL].gateway)
    length, content = request.content_length, request.content
    if length is not None and length > limit:
        return refusal(request, 413, _larger(limit))
    try:
        if content.is_eof():  # the usual case: it came with its head
            if length is not None and hdrs.CONTENT_ENCODING not in request.headers:
                return content.read_nowait()
            return await _whole(request, limit)
        return await _coming(request, limit)
    except TimeoutError:
        return too_late(request)
    except _TooLarge:
        return await _too_large(request, _larger(limit))
    except web.RequestPayloadError:
        return refusal(request, 400, "the body is not encoded as its headers say")


async def _coming(request: web.Request, limit: int) -> bytes | web.Response:
    """A body that is still to come, or its refusal where the gateway stops first. TimeoutError."""
    stopping = request[ARRIVAL].site.stopping
    running = stopping.enters()
    try:
        with body_time(asyncio.get_running_loop()):
            return await _whole(request, limit)
    except asyncio.CancelledError:
        if not stopping.was_cut(running):
            raise
        return cut_off(request)
    finally:
        stopping.leaves(running)


def body_time(loop: asyncio.AbstractEventLoop) -> deadline:
    """A block whose waits for a body end when it has had its time; then TimeoutError is raised."""
    return deadline(loop.time() + BODY_TIME, loop)


def too_late(request: web.Request) -> web.Response:
    """The refusal of a body that did not come in time."""
    late = refusal(request, 408, f"the body did not come within {BODY_TIME:g} seconds")
    late.force_close()
    return late


def cut_off(request: web.Request) -> web.Response:
    """The refusal of a body that is waited for no longer: the gateway stops."""
    status, extra = overloaded(dialect_of(request))
    cut = refusal(request, status, "the gateway is stopping", extra)
    cut.force_close()
    return cut


def _larger(limit: int) -> str:
    return f"the request is larger than {limit} bytes"


async def _too_large(request: web.Request, message: str) -> web.Response:
    """The refusal of a body that turned out too large.

    aiohttp reads on for a while, so that a client that still sends gets to read the answer. Of a
    compressed body a little more is a lot: the connection ends at once.
    """
    answer = refusal(request, 413, message)
    answer.force_close()
    if hdrs.CONTENT_ENCODING in request.headers:
        last_words(request, answer)
        await answer.prepare(request)
        await answer.write_eof()
        request.protocol.force_close()
    return answer


def canonical(request: web.Request, path: str, below: str = "") -> None:
    """Note that a client used another spelling of `path`; each is warned about once.

    `below` is what follows it, as an id: it is no part of the spelling.
    """
    spelled = request[ARRIVAL].path or request.path.removesuffix(below)
    if spelled == path:
        return
    site = request[ARRIVAL].site
    if spelled not in site.aliases and len(site.aliases) < 100:
        site.aliases.add(spelled)
        request[ARRIVAL].gateway.log.line(
            Level.WARNING, "alias", path=spelled, hint=f"clients should call {path}"
        )


async def live(_: web.Request) -> web.Response:
    """`GET /health/live`: the process answers."""
    return web.json_response({"status": "ok"})
