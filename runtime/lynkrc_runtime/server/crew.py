"""One worker as its supervisor sees it: started, spoken to, listened to, ended."""

import asyncio
import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, final

import aiohttp

from lynkrc_runtime.server import control
from lynkrc_runtime.server.control import Assignment, Ends, Fails, Said, Serves
from lynkrc_runtime.server.options import Options

ORDER_TIME: Final = 60.0
"""Seconds a worker has to obey an order."""
SCRAPE_TIME: Final = 5.0
"""Seconds a worker has to answer an operator's question that all are asked."""


@final
class Unheard(Exception):
    """A worker did not answer: it has ended, or it hangs."""


@final
class Worker:
    """A process that serves; `number` is never used again, `bundle` is the copy it began with."""

    __slots__ = (
        "_admin",
        "_control",
        "_reader",
        "_writer",
        "bundle",
        "fault",
        "is_leaving",
        "metrics",
        "number",
        "process",
        "served",
    )

    def __init__(
        self,
        number: int,
        bundle: Path,
        folder: Path,
        process: asyncio.subprocess.Process,
        life: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self.number = number
        self.bundle = bundle
        self.process = process
        self._reader, self._writer = life
        self._control = _session(control.control_path(folder))
        self._admin = _session(control.admin_path(folder))
        self.served: asyncio.Future[Serves] = asyncio.get_running_loop().create_future()
        """Done when it serves; cancelled when it ends without."""
        self.fault: str | None = None
        """Why it cannot serve, in its own words."""
        self.is_leaving = False
        """Whether it has been told to stop."""
        self.metrics = ""
        """What it counted, when it was last asked or at its end."""

    @property
    def has_served(self) -> bool:
        """Whether it came to serve, and has not ended; it may drain."""
        return self.served.done() and not self.served.cancelled()

    @property
    def is_serving(self) -> bool:
        """Whether it accepts requests."""
        return self.has_served and not self.is_leaving

    async def listen(self) -> int:
        """Hear what it says until it has ended; its exit code, negative for a signal."""
        try:
            try:
                while line := await self._reader.readline():
                    self._hear(control.read_said(line))
            except (ConnectionError, ValueError):
                # What cannot be read is no worker of ours any more.
                self.kill()
            code = await self.process.wait()
        finally:
            # Also where nobody wants to hear any more: the start was refused.
            self.served.cancel()
            self._writer.close()
            await self._control.close()
            await self._admin.close()
        return code

    def _hear(self, said: Said) -> None:
        match said:
            case Serves():
                if not self.served.done():
                    self.served.set_result(said)
            case Fails(reason=reason):
                self.fault = reason
            case Ends(metrics=metrics):
                self.metrics = metrics

    async def order(self, path: str, **members: Any) -> tuple[int, Mapping[str, Any]]:
        """Give an order; the status and members of the answer. Raises Unheard."""
        try:
            async with (
                asyncio.timeout(ORDER_TIME),
                self._control.post(f"http://worker{path}", data=control.order(members)) as answer,
            ):
                return answer.status, await answer.json()
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise Unheard(f"worker {self.number} does not answer: {_name(error)}") from error

    async def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        *,
        within: float | None = None,
    ) -> tuple[int, str, bytes]:
        """An operator's question: status, content type and body of the answer. Raises Unheard.

        `within` is seconds.
        """
        usual = ORDER_TIME if method == "POST" else SCRAPE_TIME
        try:
            async with (
                asyncio.timeout(usual if within is None else within),
                self._admin.request(
                    method,
                    f"http://worker{path}",
                    headers=headers,
                    data=body or None,
                ) as answer,
            ):
                kind = answer.headers.get("content-type", "application/json")
                return answer.status, kind, await answer.read()
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise Unheard(f"worker {self.number} does not answer: {_name(error)}") from error

    async def stop(self, *, others_accept: bool) -> None:
        """Have it drain and end; one that does not hear is ended."""
        self.is_leaving = True
        if not self.served.done():
            self.kill()
            return
        try:
            await self.order(control.STOP, others_accept=others_accept)
        except Unheard:
            self.kill()

    def kill(self) -> None:
        """End it at once."""
        if self.process.returncode is None:
            self.process.kill()


async def start_worker(
    number: int,
    bundle: Path,
    folder: Path,
    sockets: Sequence[socket.socket],
    options: Options,
    environ: Mapping[str, str],
) -> Worker:
    """Start a worker of the same interpreter; it says by itself when it serves.

    Raises OSError: there is no process, file or memory to be had.
    """
    own = control.folder_of(folder, number)
    own.mkdir(mode=0o700)
    ours, its = socket.socketpair()
    with its, ExitStack() as undo:
        undo.callback(ours.close)
        undo.callback(shutil.rmtree, own, ignore_errors=True)
        assignment = Assignment(
            version=control.VERSION,
            number=number,
            options=options,
            bundle=bundle,
            folder=own,
            sockets=tuple(one.fileno() for one in sockets),
            life=its.fileno(),
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *_safe_path(),
            "-m",
            "lynkrc_runtime",
            "work",
            control.write_assignment(assignment),
            stdin=asyncio.subprocess.DEVNULL,
            env=dict(environ),
            pass_fds=(*assignment.sockets, its.fileno()),
        )
        undo.pop_all()
    life = await asyncio.open_unix_connection(sock=ours, limit=control.LONGEST)
    return Worker(number, bundle, own, process, life)


def _safe_path() -> tuple[str, ...]:
    """Keep the working directory off the worker's import path where it is not on ours.

    A `secrets.py` that lies there is not to come between.
    """
    return () if {"", str(Path.cwd())} & set(sys.path) else ("-P",)


def _session(path: Path) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.UnixConnector(path=str(path)),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
    )


def _name(error: Exception) -> str:
    return type(error).__name__
