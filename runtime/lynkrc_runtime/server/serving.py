"""A bundle to a process's parts that serve it, and their orderly end.

Used alike by the one process that does everything and by each of several workers.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from aiohttp import web

from lynkrc_runtime import __version__
from lynkrc_runtime.bundle import OpenedBundle
from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.gateway import Policy
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.server.listening import BACKLOG
from lynkrc_runtime.server.options import Options
from lynkrc_runtime.server.process import CannotServe, Process, assemble, install
from lynkrc_runtime.server.reload import Reloader
from lynkrc_runtime.server.routes import Settings
from lynkrc_runtime.telemetry.log import Level, Log, http_logger
from lynkrc_runtime.telemetry.metrics import Metrics
from lynkrc_runtime.telemetry.usage_log import UsageLog
from lynkrc_runtime.unserved import unserved_parts
from lynkrc_runtime.upstream import HttpUpstream

HEADER_LIMIT: Final = 64 * 1024
LAST_WORDS: Final = 10.0
"""Seconds a request that was cut off has to say so."""
LINGER: Final = 1.0
"""Seconds, at most, that a connection accepted last has to bring its request."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What serves: `clients` has its application and listens nowhere yet."""

    site: Site
    process: Process
    reloader: Reloader
    clients: web.AppRunner


@asynccontextmanager
async def serving(
    opened: OpenedBundle,
    policy: Policy,
    options: Options,
    environ: Mapping[str, str],
    log: Log,
) -> AsyncIterator[Serving]:
    """Assemble a process around a bundle. Raises CannotServe; what is open is closed at the end."""
    usage_log = _usage_log(options.usage_log, policy, log)
    try:
        async with HttpUpstream() as http:
            process = Process(
                settings=Settings(dry_run=options.dry_run, any_host=options.insecure_open),
                environ=environ,
                http=http,
                log=log,
                metrics=Metrics(version=__version__),
                usage_log=usage_log,
            )
            gateway = assemble(policy, process)
            install(gateway, process)
            site = Site(gateway=gateway, stopping=process.stopping)
            clients = runner(client_app(site), log, options.drain + 2 * LAST_WORDS)
            await clients.setup()
            _tell(policy, log)
            try:
                yield Serving(
                    site=site,
                    process=process,
                    reloader=Reloader(options.bundle, opened.manifest, process, site),
                    clients=clients,
                )
            finally:
                await clients.cleanup()
    finally:
        # Last, when the last request has been settled.
        if usage_log is not None:
            usage_log.__exit__(None, None, None)


def runner(app: web.Application, log: Log, patience: float) -> web.AppRunner:
    """The server of an application, within our bounds; it logs nothing by itself.

    `patience`: seconds a running request is waited for at the end.
    """
    return web.AppRunner(
        app,
        access_log=None,
        logger=http_logger(log),
        handler_cancellation=True,
        shutdown_timeout=patience,
        max_line_size=HEADER_LIMIT,
        max_field_size=HEADER_LIMIT,
    )


async def serve_from(server: web.AppRunner, sockets: Iterable[socket.socket]) -> None:
    """Accept connections from these listening sockets."""
    for one in sockets:
        await web.SockSite(server, one, backlog=BACKLOG).start()


async def drain(served: Serving, options: Options, *, others_accept: bool) -> None:
    """End as clients deserve it: no request that was accepted is lost while there is time.

    Answers end their connections from now on. New connections are accepted for `stop_delay`
    seconds more, unless others accept from the same sockets; requests that run have `drain`
    seconds, and what is left then is cut off with a word.
    """
    site, log = served.site, served.process.log
    site.stopping.is_draining = True
    log.line(Level.INFO, "stopping", running=len(site.stopping))
    if others_accept:
        await _close(served.clients)
    await asyncio.sleep(options.stop_delay)
    await _close(served.clients)
    await asyncio.sleep(min(options.stop_delay, LINGER))
    timer = asyncio.get_running_loop().call_later(options.drain, _cut, site, log)
    try:
        await served.clients.cleanup()
    finally:
        timer.cancel()


async def _close(server: web.AppRunner) -> None:
    for site in server.sites:
        await site.stop()


def _cut(site: Site, log: Log) -> None:
    count = site.stopping.cut()
    if count:
        log.line(Level.WARNING, "cut-off", requests=count)


def _usage_log(path: Path | None, policy: Policy, log: Log) -> UsageLog | None:
    """The usage log at a path. Raises CannotServe where nothing can be written there."""
    if path is None:
        return None
    try:
        return UsageLog(path, policy.dispatch, policy.digest, log=log)
    except OSError as error:
        raise CannotServe(f"cannot write the usage log {path}: {error.strerror}") from error


def _tell(policy: Policy, log: Log) -> None:
    if policy.notice is not None:
        log.line(Level.WARNING, "engine", notice=policy.notice)
    for part in unserved_parts(policy.dispatch):
        log.line(Level.WARNING, "not-served", notice=part)
