"""An assignment to one of several processes that serve a bundle, until its supervisor ends it.

A worker reads its bundle from the copy its supervisor verified, accepts from sockets it inherited,
and obeys orders (see `control`). Without a supervisor it drains and ends.
"""

import asyncio
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from aiohttp import web

from lynkrc_runtime.bundle import BrokenBundle, open_bundle
from lynkrc_runtime.server import control
from lynkrc_runtime.server.admin_routes import admin_app
from lynkrc_runtime.server.control import Assignment, Ends, Fails, Serves
from lynkrc_runtime.server.crowd import room
from lynkrc_runtime.server.logs import opened_log
from lynkrc_runtime.server.process import CannotServe
from lynkrc_runtime.server.reload import CannotReload, Reloader, tried_policy
from lynkrc_runtime.server.serving import Serving, drain, runner, serve_from, serving
from lynkrc_runtime.server.siblings import Siblings
from lynkrc_runtime.telemetry.recent import Recent

PATIENCE: Final = 5.0
"""Seconds an order or an operator's request has to end at the stop."""


async def work(assignment: Assignment, environ: Mapping[str, str]) -> int:
    """Serve until told to stop; the exit code."""
    life = socket.socket(fileno=assignment.life)
    reader, writer = await asyncio.open_unix_connection(sock=life)
    try:
        await _serve(assignment, environ, reader, writer)
    except (BrokenBundle, CannotServe) as fault:
        writer.write(control.write_said(Fails(reason=str(fault))))
        return 2
    except ConnectionError:
        # The supervisor is gone, and so is who would want to hear of it.
        return 1
    finally:
        writer.close()
    return 0


async def _serve(
    assignment: Assignment,
    environ: Mapping[str, str],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    options = assignment.options
    opened = open_bundle(assignment.bundle, options.trust)
    policy = tried_policy(opened)
    log = opened_log(policy, options, worker=assignment.number)
    async with serving(opened, policy, options, environ, log) as served:
        served.site.is_supervised = True
        served.site.asks_others = Siblings(assignment.folder).usage
        orders = _Orders(served.reloader, served.process.recent)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, orders.stop.set)
        servers = (
            (runner(orders.app(), log, PATIENCE), control.control_path(assignment.folder)),
            (runner(admin_app(served.site), log, PATIENCE), control.admin_path(assignment.folder)),
        )
        try:
            for server, path in servers:
                await server.setup()
                await _listen_at(server, path)
            sockets = [socket.socket(fileno=number) for number in assignment.sockets]
            await serve_from(served.clients, sockets, log, most=room(), tls=served.tls)
            writer.write(control.write_said(Serves(digest=policy.digest, engine=policy.engine)))
            await writer.drain()
            await _until_stopped(orders, reader)
            await drain(served, options, others_accept=orders.others_accept)
            await _end(served, writer)
        finally:
            for server, _ in servers:
                await server.cleanup()


async def _listen_at(server: web.AppRunner, path: Path) -> None:
    try:
        await web.UnixSite(server, str(path)).start()
    except OSError as error:
        # A path of more than about 100 characters is one reason.
        raise CannotServe(f"cannot listen at {path}: {error}; TMPDIR chooses the folder") from error


async def _until_stopped(orders: "_Orders", reader: asyncio.StreamReader) -> None:
    """Until an order to stop, or the end of the supervisor, which says nothing before it."""
    stop = asyncio.ensure_future(orders.stop.wait())
    gone = asyncio.ensure_future(reader.read())
    await asyncio.wait((stop, gone), return_when=asyncio.FIRST_COMPLETED)
    if gone.done():
        # Another gateway may want to listen here now.
        orders.others_accept = True
    for waiting in (stop, gone):
        waiting.cancel()
    await asyncio.gather(stop, gone, return_exceptions=True)


async def _end(served: Serving, writer: asyncio.StreamWriter) -> None:
    """Leave what was counted to the supervisor."""
    metrics = served.process.metrics.render().decode()
    writer.write(control.write_said(Ends(metrics=metrics)))
    await writer.drain()


class _Orders:
    """What the supervisor wants, and siblings ask; `stop` is set once, `others_accept` with it.

    SIGTERM is for all processes of a service at once as often as for one of them.
    """

    def __init__(self, reloader: Reloader, recent: Recent) -> None:
        self._reloader = reloader
        self._recent = recent
        self.stop = asyncio.Event()
        self.others_accept = False

    def app(self) -> web.Application:
        """The application that takes orders."""
        app = web.Application()
        app.router.add_post(control.PREPARE, self._prepare)
        app.router.add_post(control.COMMIT, self._commit)
        app.router.add_post(control.ABANDON, self._abandon)
        app.router.add_post(control.STOP, self._stop)
        app.router.add_post(control.USAGE, self._usage)
        return app

    async def _prepare(self, request: web.Request) -> web.Response:
        members: dict[str, Any] = msgspec.json.decode(await request.read())
        try:
            result = await self._reloader.prepare(Path(members["bundle"]))
        except CannotReload as fault:
            return web.json_response({"reason": str(fault)}, status=409)
        return web.json_response({"result": result.value})

    async def _commit(self, _: web.Request) -> web.Response:
        return web.json_response({"digest": self._reloader.commit()})

    async def _abandon(self, _: web.Request) -> web.Response:
        self._reloader.abandon()
        return web.json_response({})

    async def _stop(self, request: web.Request) -> web.Response:
        members: dict[str, Any] = msgspec.json.decode(await request.read())
        self.others_accept = members["others_accept"]
        self.stop.set()
        return web.json_response({})

    async def _usage(self, request: web.Request) -> web.Response:
        members: dict[str, Any] = msgspec.json.decode(await request.read())
        found = self._recent.get(members["key"], members["request_id"])
        return web.json_response(found, status=404 if found is None else 200)
