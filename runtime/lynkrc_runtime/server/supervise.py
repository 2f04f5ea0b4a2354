"""A bundle and options to a gateway of several workers, until a signal ends it."""

import asyncio
import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

from lynkrc_runtime.bundle import OpenedBundle
from lynkrc_runtime.server.background import Joint, background
from lynkrc_runtime.server.crowd import OPERATORS
from lynkrc_runtime.server.gateway import Policy
from lynkrc_runtime.server.lifecycle import ADMIN_PATIENCE, STOPS, announce, watch
from lynkrc_runtime.server.listening import Listening, listen
from lynkrc_runtime.server.logs import opened_log
from lynkrc_runtime.server.notify import READY, STOPPING, tell, told
from lynkrc_runtime.server.operators import operators_app
from lynkrc_runtime.server.options import Options, addresses, apart, refuse_memory, tls_of
from lynkrc_runtime.server.private_folder import private_folder
from lynkrc_runtime.server.remote import RemoteBundle
from lynkrc_runtime.server.serving import runner, serve_from, tell_parts
from lynkrc_runtime.server.supervisor import Supervisor
from lynkrc_runtime.server.unread import end_unread
from lynkrc_runtime.server.watching import Watcher
from lynkrc_runtime.telemetry.log import Level


async def supervise(
    opened: OpenedBundle,
    policy: Policy,
    options: Options,
    environ: Mapping[str, str],
    remote: RemoteBundle | None = None,
) -> None:
    """Serve with several workers until SIGTERM or SIGINT. Raises CannotServe before that.

    SIGHUP loads the bundle anew in all of them, SIGUSR2 replaces them one by one. `remote` is what
    fetches the bundle for all of them, where it comes from a server.
    """
    watcher = Watcher(options.bundle, with_signatures=bool(options.trust.keys))
    log = opened_log(policy, options)
    places = addresses(options, policy.dispatch.settings, environ)
    refuse_memory(options, policy.dispatch.settings)
    # The workers speak it; that its files are there is said once.
    tls = tls_of(options, policy.dispatch.settings, environ)
    tell_parts(policy, log)
    for notice in apart(options, policy.dispatch):
        log.line(Level.WARNING, "apart", notice=notice)
    loop = asyncio.get_running_loop()
    async with background() as tasks:
        with private_folder("several workers need") as folder:
            crew = Supervisor(opened, policy, options, environ, log, tasks, folder)
            admin = runner(operators_app(crew), log, ADMIN_PATIENCE)
            await admin.setup()
            assert admin.server is not None, "it is set up"
            tasks.start(end_unread(admin.server))
            stop = asyncio.Event()
            for number in STOPS:
                loop.add_signal_handler(number, stop.set)
            if remote is not None:
                remote.follow(log, crew.reload, lambda: crew.digest)
                crew.fetches = remote.fetches
                crew.reloading = Joint(tasks, remote.reload)
            reload = Joint(tasks, told(environ, crew.reloading.wait))
            loop.add_signal_handler(signal.SIGHUP, reload.ask)
            loop.add_signal_handler(signal.SIGUSR2, crew.restarting.ask)
            try:
                operators = listen(places.admin_hosts, places.admin_port, log, "--admin-port")
                clients = listen(places.hosts, places.port, log, "--port", is_secure=bool(tls))
                if not await _started(crew, clients, stop):
                    return
                await serve_from(admin, operators.sockets, log, most=OPERATORS)
                if remote is None:
                    tasks.start(watch(watcher, lambda: crew.watches, crew.reload))
                else:
                    tasks.start(remote.poll())
                announce(policy, options, clients.urls, operators.urls)
                tell(environ, READY)
                await stop.wait()
                tell(environ, STOPPING)
                for number in STOPS:
                    loop.remove_signal_handler(number)
                    loop.add_signal_handler(number, _end_hard, crew, folder, number)
                await crew.stop()
            finally:
                crew.kill()
                await admin.cleanup()


async def _started(crew: Supervisor, clients: Listening, stop: asyncio.Event) -> bool:
    """Whether all workers serve; False where the stop came before. Raises CannotServe."""
    starting = asyncio.ensure_future(crew.start(clients))
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((starting, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            crew.is_stopping = True
            return False
        await starting
        return True
    finally:
        starting.cancel()
        stopped.cancel()
        await asyncio.gather(starting, stopped, return_exceptions=True)


def _end_hard(crew: Supervisor, folder: Path, number: int) -> None:
    """The second signal: no worker outlives it, and this process ends as it says."""
    crew.kill()
    shutil.rmtree(folder, ignore_errors=True)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
