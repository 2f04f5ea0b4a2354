"""A bundle to a process's parts that serve it, and their orderly end.

Used alike by the one process that does everything and by each of several workers.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from ssl import SSLContext
from typing import Final, final

from aiohttp import web

from lynkrc_runtime import __version__
from lynkrc_runtime.bundle import OpenedBundle
from lynkrc_runtime.providers.links import told
from lynkrc_runtime.scan.engines import kernel_notice
from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.crowd import Door
from lynkrc_runtime.server.front import put_before
from lynkrc_runtime.server.gateway import Policy
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.server.logs import open_usage_log
from lynkrc_runtime.server.makers import Makers
from lynkrc_runtime.server.options import Options, tls_of
from lynkrc_runtime.server.process import CannotServe, Process, assemble, install
from lynkrc_runtime.server.reload import Reloader
from lynkrc_runtime.server.routes import Settings
from lynkrc_runtime.server.tracing import open_spans
from lynkrc_runtime.server.unread import end_unread
from lynkrc_runtime.settings import Settings as Declared
from lynkrc_runtime.state.interface import CannotOpen
from lynkrc_runtime.state.open import Stores, in_memory, open_stores
from lynkrc_runtime.telemetry.log import Level, Log, http_logger
from lynkrc_runtime.telemetry.metrics import Metrics
from lynkrc_runtime.unserved import unserved_parts
from lynkrc_runtime.upstream_http import HttpUpstream

HEADER_LIMIT: Final = 64 * 1024
IDLE: Final = 75.0
"""Seconds a connection may be without a request, a head that comes slowly included."""
LAST_WORDS: Final = 10.0
"""Seconds a request that was cut off has to say so."""
LINGER: Final = 1.0
"""Seconds, at most, that a connection accepted last has to bring its request."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What serves: `clients` has its application and listens nowhere yet, over `tls` if at all."""

    site: Site
    process: Process
    reloader: Reloader
    clients: web.AppRunner
    tls: SSLContext | None


@asynccontextmanager
async def serving(
    opened: OpenedBundle,
    policy: Policy,
    options: Options,
    environ: Mapping[str, str],
    log: Log,
) -> AsyncIterator[Serving]:
    """Assemble a process around a bundle. Raises CannotServe; what is open is closed at the end."""
    settings = policy.dispatch.settings
    tls = tls_of(options, settings, environ)
    async with AsyncExitStack() as closing:
        # What is entered first is closed last, when the last request has been settled.
        usage_log = open_usage_log(policy, log, file=options.usage_log)
        if usage_log is not None:
            closing.enter_context(usage_log)
        spans = open_spans(policy, options, environ, log)
        if spans is not None:
            closing.enter_context(spans)
        stores = _stores(settings, options, environ, log)
        closing.push_async_callback(stores.close)
        http = await closing.enter_async_context(HttpUpstream())
        process = Process(
            settings=Settings(dry_run=options.dry_run, any_host=options.insecure_open),
            environ=environ,
            http=http,
            log=log,
            metrics=Metrics(version=__version__),
            usage_log=usage_log,
            spans=spans,
            stores=stores,
            opened_as=settings,
            makers=Makers(time.monotonic, store=stores.shared),
        )
        closing.push_async_callback(process.makers.flush)
        closing.push_async_callback(process.remembering.drain)
        closing.push_async_callback(process.settling.drain)
        await stores.look()
        for kind, health in stores.healths.items():
            process.metrics.watches_store(kind, health)
        gateway = assemble(policy, process)
        install(gateway, process)
        site = Site(gateway=gateway, stopping=process.stopping, stores=stores)
        app = client_app(site)
        clients = runner(app, log, options.drain + 2 * LAST_WORDS)
        await clients.setup()
        put_before(clients, app)
        assert clients.server is not None, "it is set up"
        unread = asyncio.create_task(end_unread(clients.server))
        closing.callback(unread.cancel)
        closing.push_async_callback(clients.cleanup)
        if options.workers == 1:
            tell_parts(policy, log)
        for one in told((route.provider.name, route.link) for route in gateway.routes):
            log.line(Level.INFO, "proxy", provider=one.provider, proxy=one.proxy, source=one.source)
        yield Serving(
            site=site,
            process=process,
            reloader=Reloader(options, opened, process, site),
            clients=clients,
            tls=tls,
        )


def runner(app: web.Application, log: Log, patience: float, idle: float = IDLE) -> web.AppRunner:
    """The server of an application, within our bounds; it logs nothing by itself.

    `patience`: seconds a running request is waited for at the end. `idle`: seconds until the whole
    head of a connection's first or next request must be there.
    """
    return web.AppRunner(
        app,
        access_log=None,
        logger=http_logger(log),
        handler_cancellation=True,
        shutdown_timeout=patience,
        max_line_size=HEADER_LIMIT,
        max_field_size=HEADER_LIMIT,
        keepalive_timeout=idle,
    )


async def serve_from(
    server: web.AppRunner,
    sockets: Iterable[socket.socket],
    log: Log,
    *,
    most: int,
    tls: SSLContext | None = None,
) -> None:
    """Accept connections from these listening sockets, `most` at a time from all of them."""
    for one in sockets:
        await Door(server, one, most=most, log=log, tls=tls).start()


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


def _stores(settings: Declared, options: Options, environ: Mapping[str, str], log: Log) -> Stores:
    """The declared stores, open. Raises CannotServe.

    A dry run counts in memory: what it pretends to spend is nobody's, and it needs no credentials.
    """
    if options.dry_run:
        return in_memory()
    try:
        return open_stores(settings, environ, log)
    except CannotOpen as fault:
        raise CannotServe(str(fault)) from fault


def tell_parts(policy: Policy, log: Log) -> None:
    """Say what of a bundle has no effect; of several workers none says it, but the supervisor."""
    if policy.notice is not None:
        log.line(Level.WARNING, "engine", notice=policy.notice)
    slower = kernel_notice()
    if slower is not None:
        log.line(Level.WARNING, "kernel", notice=slower)
    for part in unserved_parts(policy.dispatch):
        log.line(Level.WARNING, "not-served", notice=part)
