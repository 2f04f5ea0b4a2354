"""A bundle and options to a gateway of several workers, until a signal ends it."""

import asyncio
import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lynkrc_runtime.bundle import OpenedBundle
from lynkrc_runtime.server.background import Repeated, background
from lynkrc_runtime.server.crowd import OPERATORS
from lynkrc_runtime.server.gateway import Policy
from lynkrc_runtime.server.lifecycle import ADMIN_PATIENCE, STOPS, announce, watch
from lynkrc_runtime.server.listening import Listening, listen
from lynkrc_runtime.server.logs import opened_log
from lynkrc_runtime.server.notify import READY, STOPPING, tell, told
from lynkrc_runtime.server.operators import operators_app
from lynkrc_runtime.server.options import Options, addresses, apart, refuse_memory, tls_of
from lynkrc_runtime.server.process import CannotServe
from lynkrc_runtime.server.serving import runner, serve_from, tell_parts
from lynkrc_runtime.server.supervisor import Supervisor
from lynkrc_runtime.server.watching import Watcher
from lynkrc_runtime.telemetry.log import Level


async def supervise(
    opened: OpenedBundle, policy: Policy, options: Options, environ: Mapping[str, str]
) -> None:
    """Serve with several workers until SIGTERM or SIGINT. Raises CannotServe before that.

    SIGHUP loads the bundle anew in all of them, SIGUSR2 replaces them one by one.
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
        with _folder() as folder:
            crew = Supervisor(opened, policy, options, environ, log, tasks, folder)
            admin = runner(operators_app(crew), log, ADMIN_PATIENCE)
            await admin.setup()
            stop = asyncio.Event()
            for number in STOPS:
                loop.add_signal_handler(number, stop.set)
            loop.add_signal_handler(signal.SIGHUP, Repeated(tasks, told(environ, crew.reload)).ask)
            loop.add_signal_handler(signal.SIGUSR2, Repeated(tasks, crew.restart).ask)
            try:
                operators = listen(places.admin_hosts, places.admin_port, log, "--admin-port")
                clients = listen(places.hosts, places.port, log, "--port", is_secure=bool(tls))
                if not await _started(crew, clients, stop):
                    return
                await serve_from(admin, operators.sockets, log, most=OPERATORS)
                tasks.start(watch(watcher, lambda: crew.watches, crew.reload))
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


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder only this user can enter, for the workers' sockets and the copies of bundles.

    It is locked, which tells who clears old temporary files away (systemd-tmpfiles) to let it be.
    """
    try:
        made = tempfile.TemporaryDirectory(prefix="lynkrc-", ignore_cleanup_errors=True)
    except OSError as error:
        raise CannotServe(
            f"several workers need a temporary folder: {error.strerror or error}; TMPDIR names one"
        ) from error
    with made as name:
        lock = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield Path(name)
        finally:
            os.close(lock)
