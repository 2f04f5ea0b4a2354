"""The operators' application of a supervisor: questions to all workers, answered as by one.

Whether a question may be asked is for the workers to say: each passes its own guard, with the
headers the operator sent, and a refusal is passed on as it is.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from aiohttp import hdrs, web

from lynkrc_runtime.server.crew import Unheard, Worker
from lynkrc_runtime.server.doors import PEER
from lynkrc_runtime.server.http import BODY_LIMIT
from lynkrc_runtime.server.reload_routes import RELOAD, RESTART
from lynkrc_runtime.server.supervisor import Supervisor
from lynkrc_runtime.telemetry.merging import merged
from lynkrc_runtime.telemetry.metrics import CONTENT_TYPE
from lynkrc_runtime.telemetry.reloads import Result

Answer: TypeAlias = tuple[int, str, bytes]
"""Status, content type, body."""

CREW = web.AppKey("crew", Supervisor)
JSON: Final = "application/json"
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
"""Headers of one connection, which are not passed on, and what is for the supervisor to say."""


def operators_app(crew: Supervisor) -> web.Application:
    """The application of a supervisor's listener."""
    app = web.Application(client_max_size=BODY_LIMIT)
    app[CREW] = crew
    add = app.router.add_route
    add("GET", "/health/ready", _ready)
    add("GET", "/metrics", _metrics)
    add("GET", "/metrics/prometheus", _metrics)
    add("GET", "/metrics/circuit-breakers", _of_each)
    add("GET", "/routing/trace/{id}", _of_whoever)
    add("POST", RELOAD, _reload)
    add("POST", RESTART, _restart)
    add("*", r"/{path:[\s\S]*}", _of_one)
    return app


async def _asked(request: web.Request, worker: Worker) -> Answer:
    """What the worker says to the very request. Raises Unheard."""
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOPS}
    headers[PEER] = request.remote or ""
    return await worker.ask(request.method, request.raw_path, headers, await request.read())


async def _asked_all(request: web.Request) -> list[tuple[Worker, Answer]]:
    """What every worker that can be heard says."""
    workers = request.app[CREW].serving
    answers = await asyncio.gather(
        *(_asked(request, one) for one in workers), return_exceptions=True
    )
    heard: list[tuple[Worker, Answer]] = []
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


def _refused(heard: list[tuple[Worker, Answer]]) -> web.Response | None:
    """The refusal of a worker's guard, or that there is no worker to ask."""
    if not heard:
        return _nobody()
    return next((_response(answer) for _, answer in heard if answer[0] in (401, 403)), None)


async def _of_one(request: web.Request) -> web.Response:
    """What all workers would say alike: asked of the first that answers."""
    for worker in request.app[CREW].serving:
        try:
            return _response(await _asked(request, worker))
        except Unheard:
            continue
    return _nobody()


async def _of_whoever(request: web.Request) -> web.Response:
    """What one of the workers has."""
    heard = await _asked_all(request)
    found = [answer for _, answer in heard if answer[0] == 200]
    return _response(found[0] if found else heard[0][1]) if heard else _nobody()


async def _of_each(request: web.Request) -> web.Response:
    """What each worker says, by its number; what is no JSON is passed on as it is."""
    heard = await _asked_all(request)
    refused = _refused(heard)
    if refused is not None:
        return refused
    told: dict[str, Any] = {}
    for worker, answer in heard:
        if answer[0] != 200:
            return _response(answer)
        told[str(worker.number)] = json.loads(answer[2])
    return web.json_response({"workers": told})


async def _metrics(request: web.Request) -> web.Response:
    crew = request.app[CREW]
    heard = await _asked_all(request)
    refused = _refused(heard)
    if refused is not None and heard:
        return refused
    for worker, answer in heard:
        worker.metrics = answer[2].decode()
    # Those that drain are not asked: what they counted when they were last asked still counts.
    texts = [crew.retired, *(one.metrics for one in crew.workers.values())]
    own = crew.counts.render(len(crew.serving)) + crew.reloads.render()
    body = merged([*texts, own.decode()])
    return web.Response(body=body.encode(), headers={"content-type": CONTENT_TYPE})


async def _ready(request: web.Request) -> web.Response:
    crew = request.app[CREW]
    heard = await _asked_all(request)
    refused = _refused(heard)
    if refused is not None and heard:
        return refused
    status, answer = _readiness(crew, [(worker, one) for worker, one in heard])
    return web.json_response(answer, status=status)


def _readiness(crew: Supervisor, heard: list[tuple[Worker, Answer]]) -> tuple[int, dict[str, Any]]:
    """Ready with every worker, degraded with some of them or after a failed reload."""
    able = [worker for worker, answer in heard if answer[0] == 200]
    told: list[Mapping[str, Any]] = [json.loads(answer[2]) for _, answer in heard]
    answer: dict[str, Any] = {
        "status": "ready",
        "bundle": crew.digest,
        "name": crew.name,
        "engine": told[0].get("engine") if told else None,
        "workers": {"wanted": crew.wanted, "ready": len(able)},
    }
    if crew.is_stopping:
        return 503, answer | {"status": "draining"}
    if not able:
        return 503, answer | {"status": told[0].get("status") if told else "starting"}
    reasons = [str(one["reason"]) for one in told if "reason" in one]
    if crew.trouble is not None:
        reasons.append(f"the last reload failed: {crew.trouble}")
    if len(able) < crew.wanted:
        reasons.append(f"{len(able)} of {crew.wanted} workers are ready")
    if reasons:
        return 200, answer | {"status": "degraded", "reason": "; ".join(dict.fromkeys(reasons))}
    return 200, answer


async def _allowed(request: web.Request) -> web.Response | None:
    """None where a worker says that the order may be given, else what it says."""
    answer = await _of_one(request)
    return None if answer.status == 202 else answer


async def _reload(request: web.Request) -> web.Response:
    refused = await _allowed(request)
    if refused is not None:
        return refused
    ended = await request.app[CREW].reload()
    return web.json_response(ended.members, status=409 if ended.result is Result.FAILED else 200)


async def _restart(request: web.Request) -> web.Response:
    refused = await _allowed(request)
    if refused is not None:
        return refused
    reason = await request.app[CREW].restart()
    if reason is not None:
        return web.json_response({"result": "failed", "reason": reason}, status=409)
    return web.json_response({"result": "restarted"})
