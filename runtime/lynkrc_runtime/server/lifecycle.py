"""A bundle's path and options to a served gateway, until a signal ends it.

Start: load, resolve every provider, listen, say so on standard output in one line of JSON. Stop:
readiness fails, nothing new is accepted, running requests end (bounded), exit. Nothing is served
when anything about the start is wrong.
"""

import asyncio
import errno
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext
from typing import final

from aiohttp import web

from lynkrc_runtime import __version__
from lynkrc_runtime.providers.links import told
from lynkrc_runtime.server.admin_routes import admin_app
from lynkrc_runtime.server.client_routes import client_app
from lynkrc_runtime.server.gateway import Policy
from lynkrc_runtime.server.http import Site
from lynkrc_runtime.server.logs import open_log, open_usage_log
from lynkrc_runtime.server.process import CannotServe, Process, assemble, install
from lynkrc_runtime.server.routes import Settings
from lynkrc_runtime.server.security import is_loopback
from lynkrc_runtime.server.tls import UnusableTls, server_tls
from lynkrc_runtime.telemetry.log import Level, Log, http_logger
from lynkrc_runtime.telemetry.metrics import Metrics
from lynkrc_runtime.telemetry.usage_log import UsageLog
from lynkrc_runtime.unserved import unserved_parts
from lynkrc_runtime.upstream import HttpUpstream

DRAIN_LIMIT = 600.0
"""Seconds running requests have to end after a stop."""
IDLE = 75.0
"""Seconds a connection may be without a request, a head that comes slowly included."""
HEADER_LIMIT = 64 * 1024
LOOPBACKS = ("127.0.0.1", "::1")
_NO_SUCH_LOOPBACK = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to serve. `host` None: both loopbacks; port 0: any free port."""

    host: str | None = None
    port: int = 8081
    admin_port: int = 8082
    dry_run: bool = False
    insecure_open: bool = False
    log_level: Level | None = None
    log_file: Path | None = None
    usage_log: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None


def check(options: Options) -> None:
    """Raise CannotServe for options that would open the gateway to the network by accident."""
    if options.port == options.admin_port != 0:
        raise CannotServe(
            f"--port and --admin-port are both {options.port}; clients and operators need one each"
        )
    if options.host is not None and not is_loopback(options.host) and not options.insecure_open:
        raise CannotServe(
            f"--host {options.host} would serve anybody on the network without keys, with your "
            "credentials; --insecure-open does it all the same"
        )


async def run(policy: Policy, options: Options, environ: Mapping[str, str]) -> None:
    """Serve until SIGTERM or SIGINT. Raises CannotServe before anything is served."""
    declared = policy.dispatch.settings.observability
    log = open_log(declared, level=options.log_level, file=options.log_file)
    settings = Settings(dry_run=options.dry_run, any_host=options.insecure_open)
    # Closed last, when the last request has been settled.
    with ExitStack() as logs:
        usage_log = open_usage_log(policy, log, file=options.usage_log)
        if usage_log is not None:
            logs.enter_context(usage_log)
        await _run(policy, options, environ, settings, log, usage_log)


async def _run(
    policy: Policy,
    options: Options,
    environ: Mapping[str, str],
    settings: Settings,
    log: Log,
    usage_log: UsageLog | None,
) -> None:
    async with HttpUpstream() as http:
        process = Process(
            settings=settings,
            environ=environ,
            http=http,
            log=log,
            metrics=Metrics(version=__version__),
            usage_log=usage_log,
        )
        gateway = assemble(policy, process)
        declared = policy.dispatch.settings.server.tls
        try:
            tls = server_tls(options.tls_cert, options.tls_key, declared, environ)
        except UnusableTls as unusable:
            raise CannotServe(str(unusable)) from unusable
        install(gateway, process)
        site = Site(gateway=gateway)
        clients, admin = runner(client_app(site), log), runner(admin_app(site), log)
        stop = asyncio.Event()
        try:
            await clients.setup()
            await admin.setup()
            hosts = LOOPBACKS if options.host is None else (options.host,)
            admin_urls = await _listen(admin, LOOPBACKS, options.admin_port, log, "--admin-port")
            urls = await _listen(clients, hosts, options.port, log, "--port", tls)
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, stop.set)
            if policy.notice is not None:
                log.line(Level.WARNING, "engine", notice=policy.notice)
            for part in unserved_parts(policy.dispatch):
                log.line(Level.WARNING, "not-served", notice=part)
            for one in told((route.provider.name, route.link) for route in gateway.routes):
                log.line(
                    Level.INFO,
                    "proxy",
                    provider=one.provider,
                    proxy=one.proxy,
                    source=one.source,
                )
            _announce(policy, options, urls, admin_urls)
            await stop.wait()
            site.ready = False
            # A second signal ends the process the hard way.
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
            log.line(Level.INFO, "stopping")
        finally:
            # Closes the listeners, waits for running requests, then cuts what is left.
            await clients.cleanup()
            await admin.cleanup()


def runner(app: web.Application, log: Log, idle: float = IDLE) -> web.AppRunner:
    """The server of an application, within our bounds; it logs nothing by itself.

    `idle` is seconds until the whole head of a connection's first or next request must be there.
    """
    return web.AppRunner(
        app,
        access_log=None,
        logger=http_logger(log),
        handler_cancellation=True,
        shutdown_timeout=DRAIN_LIMIT,
        max_line_size=HEADER_LIMIT,
        max_field_size=HEADER_LIMIT,
        keepalive_timeout=idle,
    )


async def _listen(
    runner: web.AppRunner,
    hosts: Sequence[str],
    port: int,
    log: Log,
    option: str,
    tls: SSLContext | None = None,
) -> list[str]:
    """Listen on every host, the same port for all; a machine may lack one of the loopbacks.

    `option` chooses the port on the command line.
    """
    urls: list[str] = []
    scheme = "http" if tls is None else "https"
    any_port = port == 0
    for host in hosts:
        try:
            await web.TCPSite(runner, host, port, ssl_context=tls).start()
        except OSError as error:
            # Port 0 is settled by the first host; that it is taken on the second is nobody's fault.
            if error.errno not in _NO_SUCH_LOOPBACK and not (any_port and urls):
                if error.errno == errno.EADDRINUSE:
                    raise CannotServe(
                        f"port {port} of {host} is in use; {option} chooses another"
                    ) from error
                raise CannotServe(f"cannot listen on {host} port {port}: {error}") from error
            log.line(Level.WARNING, "not-listening", host=host, port=port, reason=str(error))
            continue
        port = runner.addresses[-1][1]
        urls.append(f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}")
    if not urls:
        raise CannotServe(f"cannot listen on any of {', '.join(hosts)}")
    return urls


def _announce(
    policy: Policy, options: Options, urls: Sequence[str], admin_urls: Sequence[str]
) -> None:
    ready = {
        "event": "ready",
        "url": urls[0],
        "urls": list(urls),
        "admin": admin_urls[0],
        "name": policy.dispatch.name,
        "bundle": policy.digest,
        "engine": policy.engine,
        "dry_run": options.dry_run,
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
