"""A bundle and options to a gateway of several workers, until a signal ends it."""

import asyncio
import os
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lynkrc_runtime.bundle import OpenedBundle
from lynkrc_runtime.server.background import background
from lynkrc_runtime.server.crowd import OPERATORS
from lynkrc_runtime.server.gateway import Policy
from lynkrc_runtime.server.lifecycle import ADMIN_PATIENCE, STOPS, announce, watch
from lynkrc_runtime.server.listening import listen
from lynkrc_runtime.server.logs import opened_log
from lynkrc_runtime.server.operators import operators_app
from lynkrc_runtime.server.options import Options, addresses, refuse_memory, tls_of
from lynkrc_runtime.server.serving import runner, serve_from
from lynkrc_runtime.server.supervisor import Supervisor
from lynkrc_runtime.server.watching import Watcher


async def supervise(
    opened: OpenedBundle, policy: Policy, options: Options, environ: Mapping[str, str]
) -> None:
    """Serve with several workers until SIGTERM or SIGINT. Raises CannotServe before that.

    SIGHUP loads the bundle anew in all of them, SIGUSR2 replaces them one by one.
    """
    log = opened_log(policy, options)
    places = addresses(options, policy.dispatch.settings, environ)
    refuse_memory(options, policy.dispatch.settings)
    # The workers speak it; that its files are there is said once.
    tls = tls_of(options, policy.dispatch.settings, environ)
    loop = asyncio.get_running_loop()
    async with background() as tasks:
        with _folder() as folder:
            crew = Supervisor(opened, policy, options, environ, log, tasks, folder)
            admin = runner(operators_app(crew), log, ADMIN_PATIENCE)
            await admin.setup()
            stop = asyncio.Event()
            for number in STOPS:
                loop.add_signal_handler(number, stop.set)
            loop.add_signal_handler(signal.SIGHUP, lambda: tasks.start(crew.reload()))
            loop.add_signal_handler(signal.SIGUSR2, lambda: tasks.start(crew.restart()))
            try:
                operators = listen(places.admin_hosts, places.admin_port, log, "--admin-port")
                clients = listen(places.hosts, places.port, log, "--port", is_secure=bool(tls))
                await crew.start(clients)
                await serve_from(admin, operators.sockets, log, most=OPERATORS)
                watcher = Watcher(options.bundle)
                tasks.start(watch(watcher, lambda: crew.watches, crew.reload))
                announce(policy, options, clients.urls, operators.urls)
                await stop.wait()
                for number in STOPS:
                    loop.remove_signal_handler(number)
                    loop.add_signal_handler(number, _end_hard, crew, number)
                await crew.stop()
            finally:
                crew.kill()
                await admin.cleanup()


def _end_hard(crew: Supervisor, number: int) -> None:
    """The second signal: no worker outlives it, and this process ends as it says."""
    crew.kill()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder only this user can enter, for the workers' sockets and the copies of bundles."""
    with tempfile.TemporaryDirectory(prefix="lynkrc-", ignore_cleanup_errors=True) as name:
        yield Path(name)
