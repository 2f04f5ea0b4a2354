"""The operators' application of a supervisor: questions to all workers, answered as by one.

Whether a question may be asked is for the workers to say: each passes its own guard, with the
headers the operator sent, and a refusal is passed on as it is.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from lynkrc_runtime.server import deep_ready, joined, page_routes
from lynkrc_runtime.server.crew import SCRAPE_TIME, Unheard, Worker
from lynkrc_runtime.server.doors import PEER
from lynkrc_runtime.server.http import BODY_LIMIT, before_answer, lower_headers
from lynkrc_runtime.server.reload_routes import RELOAD, RESTART
from lynkrc_runtime.server.security import misframed
from lynkrc_runtime.server.supervisor import Supervisor
from lynkrc_runtime.telemetry.merging import families, merged
from lynkrc_runtime.telemetry.metrics import CONTENT_TYPE
from lynkrc_runtime.telemetry.reloads import Result
from lynkrc_runtime.telemetry.summary import summary

Answer: TypeAlias = tuple[int, str, bytes]
"""Status, content type, body."""
Heard: TypeAlias = list[tuple[Worker, Answer]]

CREW = web.AppKey("crew", Supervisor)
METRICS, READY = "/metrics", "/health/ready"
BREAKERS, SUMMARY = "/metrics/circuit-breakers", "/metrics/observability"
RESET = f"{BREAKERS}/reset"
READY_TIME = 2.0
"""Seconds a worker has to say whether it is ready: one that is too busy to say is not."""
_HOPS = frozenset(
    name.lower()
    for name in (
        hdrs.CONNECTION,
        hdrs.CONTENT_LENGTH,
        hdrs.CONTENT_ENCODING,
        hdrs.TRANSFER_ENCODING,
        hdrs.KEEP_ALIVE,
        hdrs.UPGRADE,
        hdrs.TE,
        hdrs.TRAILER,
        hdrs.EXPECT,
        PEER,
    )
)
"""Headers of one connection, which are not passed on, and the one we add."""


def operators_app(crew: Supervisor) -> web.Application:
    """The application of a supervisor's listener."""
    app = web.Application(client_max_size=BODY_LIMIT, middlewares=[_well_framed])
    app.on_response_prepare.append(before_answer)
    app[CREW] = crew
    add = app.router.add_route
    add("GET", READY, _ready)
    add("GET", METRICS, _metrics)
    add("GET", "/metrics/prometheus", _metrics)
    add("GET", BREAKERS, _breakers)
    add("POST", RESET, _breakers)
    add("GET", SUMMARY, _summary)
    add("GET", "/routing/trace/{id}", _of_whoever)
    add("GET", page_routes.PAGE, _page)
    add("GET", f"{page_routes.FILES}{{name}}", _page)
    add("GET", page_routes.LIVE, _live)
    add("GET", page_routes.BOARD, _board)
    add("GET", page_routes.CHANGES, _changes)
    add("POST", RELOAD, _reload)
    add("POST", RESTART, _restart)
    add("*", r"/{path:[\s\S]*}", _of_one)
    return app


@web.middleware
async def _well_framed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Nobody's request is for another server; and no body is read before a worker lets it in."""
    found = misframed(request.raw_path, lower_headers(request.headers)[0])
    if found is None and not request.raw_path.startswith("/"):
        found = 400, "the request line is to hold a path alone"
    if found is not None:
        answer = web.json_response({"error": found[1]}, status=found[0])
        answer.force_close()
        return answer
    if request.can_read_body:
        refused = await _allowed(request)
        if refused is not None:
            refused.force_close()
            return refused
    return await handler(request)


async def _asked(
    request: web.Request,
    worker: Worker,
    path: str | None = None,
    *,
    method: str | None = None,
    body: bytes | None = None,
    within: float | None = None,
) -> Answer:
    """What the worker says to the very request, or to what is changed of it. Raises Unheard."""
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOPS}
    if request.remote:
        headers[PEER] = request.remote
    if body is None:
        body = await request.read()
    path = request.raw_path if path is None else path
    return await worker.ask(method or request.method, path, headers, body, within=within)


async def _asked_all(
    request: web.Request,
    path: str | None = None,
    *,
    method: str | None = None,
    within: float | None = None,
    workers: Sequence[Worker] | None = None,
) -> Heard:
    """What every worker that can be heard says: of these, or of those that serve."""
    workers = request.app[CREW].serving if workers is None else workers
    asked = (_asked(request, one, path, method=method, within=within) for one in workers)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    heard: Heard = []
    for worker, answer in zip(workers, answers, strict=True):
        if isinstance(answer, BaseException):
            if not isinstance(answer, Unheard):
                raise answer
        else:
            heard.append((worker, answer))
    return heard


def _response(answer: Answer) -> web.Response:
    status, kind, body = answer
    return web.Response(status=status, headers={"content-type": kind}, body=body)


def _nobody() -> web.Response:
    return web.json_response({"error": "no worker serves now"}, status=503)


def _refused(heard: Heard) -> web.Response | None:
    """The refusal of a worker's guard."""
    return next((_response(answer) for _, answer in heard if 400 <= answer[0] < 500), None)


def _members(heard: Heard) -> list[tuple[int, Any]]:
    """What workers told, by their numbers."""
    return [(worker.number, json.loads(told)) for worker, (code, _, told) in heard if code == 200]


async def _of_one(request: web.Request) -> web.Response:
    """What all workers would say alike: asked of the first that answers."""
    for worker in request.app[CREW].serving:
        try:
            return _response(await _asked(request, worker))
        except Unheard:
            continue
    return _nobody()


async def _page(request: web.Request) -> web.Response:
    """A file of the page, as a worker gives it; the headers that make it safe are ours."""
    answer = await _of_one(request)
    if answer.status == 200:
        answer.headers.update(page_routes.HEADERS)
    return answer


async def _joined(
    request: web.Request, join: Callable[[list[tuple[int, Any]]], dict[str, Any]]
) -> web.Response:
    """What all workers tell, joined."""
    heard = await _asked_all(request)
    refused = _refused(heard)
    if refused is not None:
        return refused
    return web.json_response(join(_members(heard))) if heard else _nobody()


async def _live(request: web.Request) -> web.Response:
    return await _joined(request, joined.last)


async def _board(request: web.Request) -> web.Response:
    return await _joined(request, joined.board)


async def _changes(request: web.Request) -> web.Response:
    """What reloads changed is known here; a worker says whether it may be told."""
    answer = await _of_one(request)
    if answer.status != 200:
        return answer
    return web.json_response(await asyncio.to_thread(request.app[CREW].changes.told))


async def _of_whoever(request: web.Request) -> web.Response:
    """What one of the workers has."""
    heard = await _asked_all(request)
    found = [answer for _, answer in heard if answer[0] == 200]
    return _response(found[0] if found else heard[0][1]) if heard else _nobody()


async def _breakers(request: web.Request) -> web.Response:
    """Every target's breakers, or those after all have been reset."""
    workers = request.app[CREW].serving
    heard = await _asked_all(request, workers=workers)
    refused = _refused(heard)
    if refused is not None:
        return refused
    silent = {one.number for one in workers} - {one.number for one, _ in heard}
    if silent and request.method == hdrs.METH_POST:
        numbers = ", ".join(map(str, sorted(silent)))
        return web.json_response({"error": f"not heard by worker {numbers}"}, status=503)
    return web.json_response(joined.breakers(_members(heard))) if heard else _nobody()


async def _counted(request: web.Request) -> str | web.Response:
    """The metrics of all workers that are and were, and of the supervisor."""
    crew = request.app[CREW]
    heard = await _asked_all(request, METRICS, method=hdrs.METH_GET, workers=crew.living)
    refused = _refused(heard)
    if refused is not None:
        return refused
    if not heard:
        # Nobody can say whether the question may be asked.
        return _nobody()
    for worker, answer in heard:
        if answer[0] == 200:
            worker.metrics = answer[2].decode()
    # Of those that did not answer counts what they said last.
    texts = [crew.retired, *(one.metrics for one in crew.workers.values())]
    own = crew.counts.render(len(crew.serving)) + crew.reloads.render()
    if crew.fetches is not None:
        own += crew.fetches.render()
    return merged([*texts, own.decode()])


async def _metrics(request: web.Request) -> web.Response:
    counted = await _counted(request)
    if isinstance(counted, web.Response):
        return counted
    return web.Response(body=counted.encode(), headers={"content-type": CONTENT_TYPE})


async def _summary(request: web.Request) -> web.Response:
    """The summary of all workers' metrics, and how each has the breakers."""
    crew = request.app[CREW]
    counted = await _counted(request)
    if isinstance(counted, web.Response):
        return counted
    told = _members(await _asked_all(request, SUMMARY))
    breakers = _members(await _asked_all(request, BREAKERS))
    ready = await _readiness(request)
    if isinstance(ready, web.Response):
        return ready
    return web.json_response(
        summary(families(counted))
        | {
            "uptime_seconds": max(0, int(time.time()) - crew.started),
            "bundle": crew.digest,
            "name": crew.name,
            "store": told[0][1]["store"] if told else None,
            "degraded": ready[1]["degraded"],
            "workers": ready[1]["workers"],
            "breakers": joined.states(joined.breakers(breakers)),
        }
    )


async def _readiness(request: web.Request) -> tuple[int, dict[str, Any]] | web.Response:
    """Status and members of all workers' readiness, or the refusal of their guard."""
    crew = request.app[CREW]
    heard = await _asked_all(request, READY, within=READY_TIME)
    refused = _refused(heard)
    if refused is not None:
        return refused
    return joined.readiness(
        [(answer[0], json.loads(answer[2])) for _, answer in heard if answer[0] in (200, 503)],
        wanted=crew.wanted,
        trouble=crew.trouble,
        is_stopping=crew.is_stopping,
        bundle=crew.digest,
        name=crew.name,
        fetches=crew.fetches,
    )


async def _ready(request: web.Request) -> web.Response:
    """Readiness of all; targets are probed by one of them."""
    told = await _readiness(request)
    if isinstance(told, web.Response):
        return told
    status, answer = told
    if request.query.get("deep") == "true":
        answer |= await _probed(request)
    return web.json_response(answer, status=status)


async def _probed(request: web.Request) -> dict[str, Any]:
    """`targets`, as the first worker that answers has found them."""
    for worker in request.app[CREW].serving:
        try:
            code, _, told = await _asked(request, worker, within=SCRAPE_TIME + deep_ready.LIMIT)
        except Unheard:
            continue
        return {"targets": json.loads(told)["targets"]} if code in (200, 503) else {}
    return {}


async def _allowed(request: web.Request) -> web.Response | None:
    """None where a worker says that an order may be given, else what it says."""
    for worker in request.app[CREW].serving:
        try:
            answer = await _asked(request, worker, RELOAD, method=hdrs.METH_POST, body=b"")
        except Unheard:
            continue
        return None if answer[0] == 202 else _response(answer)
    return _nobody()


async def _ordered(request: web.Request) -> web.Response | None:
    """None where this very order may be given, else what a worker says to it."""
    answer = await _of_one(request)
    return None if answer.status == 202 else answer


async def _reload(request: web.Request) -> web.Response:
    refused = await _ordered(request)
    if refused is not None:
        return refused
    ended = await request.app[CREW].reloading.wait()
    return web.json_response(ended.members, status=409 if ended.result is Result.FAILED else 200)


async def _restart(request: web.Request) -> web.Response:
    refused = await _ordered(request)
    if refused is not None:
        return refused
    reason = await request.app[CREW].restarting.wait()
    if reason is not None:
        return web.json_response({"result": "failed", "reason": reason}, status=409)
    return web.json_response({"result": "restarted"})
