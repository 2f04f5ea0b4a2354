"""A bundle and options to a served gateway in this process, until a signal ends it.

Start: load, resolve every provider, listen, say so on standard output in one line of JSON. SIGHUP
loads the bundle anew, and so does a change of the file where the bundle wants it watched. Stop:
readiness fails, nothing new is accepted, running requests end (bounded), exit. Nothing is served
when anything about the start is wrong.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from lynkrc_runtime.bundle import OpenedBundle
from lynkrc_runtime.server.admin_routes import admin_app
from lynkrc_runtime.server.background import Joint, background
from lynkrc_runtime.server.crowd import OPERATORS, room
from lynkrc_runtime.server.gateway import Policy
from lynkrc_runtime.server.listening import listen
from lynkrc_runtime.server.logs import opened_log
from lynkrc_runtime.server.notify import READY, STOPPING, tell, told
from lynkrc_runtime.server.options import Options, addresses
from lynkrc_runtime.server.remote import RemoteBundle
from lynkrc_runtime.server.serving import drain, runner, serve_from, serving
from lynkrc_runtime.server.unread import end_unread
from lynkrc_runtime.server.watching import Watcher

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at a watched bundle."""
ADMIN_PATIENCE: Final = 5.0
"""Seconds an operator's request has to end at the stop."""
STOPS: Final = (signal.SIGTERM, signal.SIGINT)


async def run(
    opened: OpenedBundle,
    policy: Policy,
    options: Options,
    environ: Mapping[str, str],
    remote: RemoteBundle | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. Raises CannotServe before anything is served.

    `remote` is what fetches the bundle, where it comes from a server.
    """
    log = opened_log(policy, options)
    places = addresses(options, policy.dispatch.settings, environ)
    loop = asyncio.get_running_loop()
    async with (
        background() as tasks,
        serving(opened, policy, options, environ, log) as served,
    ):
        site, reload = served.site, served.reloader.reload
        if remote is not None:
            remote.follow(log, reload, lambda: site.gateway.policy.digest)
            site.fetches, reload = remote.fetches, remote.reload
        ordered = Joint(tasks, reload)
        site.reload = ordered.wait
        admin = runner(admin_app(site), log, ADMIN_PATIENCE)
        await admin.setup()
        assert admin.server is not None, "it is set up"
        tasks.start(end_unread(admin.server))
        try:
            operators = listen(places.admin_hosts, places.admin_port, log, "--admin-port")
            await serve_from(admin, operators.sockets, log, most=OPERATORS)
            clients = listen(places.hosts, places.port, log, "--port", is_secure=bool(served.tls))
            await serve_from(served.clients, clients.sockets, log, most=room(), tls=served.tls)
            stop = asyncio.Event()
            for number in STOPS:
                loop.add_signal_handler(number, stop.set)
            loop.add_signal_handler(signal.SIGHUP, Joint(tasks, told(environ, ordered.wait)).ask)
            if remote is None:
                watcher = Watcher(options.bundle, with_signatures=bool(options.trust.keys))
                tasks.start(watch(watcher, lambda: watches(site.gateway.policy), reload))
            else:
                tasks.start(remote.poll())
            announce(policy, options, clients.urls, operators.urls)
            tell(environ, READY)
            await stop.wait()
            tell(environ, STOPPING)
            # A second signal ends the process the hard way.
            for number in STOPS:
                loop.remove_signal_handler(number)
            await drain(served, options, others_accept=False)
        finally:
            await admin.cleanup()


def watches(policy: Policy) -> bool:
    """Whether the bundle wants its file watched."""
    return policy.dispatch.settings.server.reload.watch


async def watch(
    watcher: Watcher, is_wanted: Callable[[], bool], reload: Callable[[], Awaitable[object]]
) -> None:
    """Reload when the bundle's file has changed, while the bundle that serves wants that."""
    while True:
        await asyncio.sleep(LOOK_EVERY)
        if is_wanted() and watcher.look():
            await reload()


def announce(
    policy: Policy, options: Options, urls: Sequence[str], admin_urls: Sequence[str]
) -> None:
    """Say on standard output that the gateway serves, and where."""
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
    if options.workers > 1:
        ready["workers"] = options.workers
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
