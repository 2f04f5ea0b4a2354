"""Listening sockets to connections of a server, no more at a time than the process has room for.

Connections cost a client nothing, and each takes a file. Beyond `most` the oldest is told to go:
one without a request goes at once, one with a request after its answer. What comes while twice as
many are there is closed unread. A TLS handshake has `HANDSHAKE` seconds.
"""

import asyncio
import resource
import socket
from collections.abc import Callable
from ssl import SSLContext
from typing import Final, final

from aiohttp import web

from lynkrc_runtime.server.listening import BACKLOG
from lynkrc_runtime.telemetry.log import Level, Log

HANDSHAKE: Final = 10.0
"""Seconds from a connection to the end of its TLS handshake."""
OPERATORS: Final = 64
"""Connections of operators at a time."""
FILES: Final = 65_536
"""Files the process asks the system for."""
RESERVED: Final = 128
"""Files that are no connections: logs, stores, listening sockets."""
LEAST: Final = 16
TELL_EVERY: Final = 60.0
"""Seconds between two lines about it."""


def room() -> int:
    """How many connections of clients there may be: a third of the files, which are made as many
    as the system allows. A client beyond it may be on its way out, and a request needs one more to
    its provider.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    wanted = FILES if hard == unlimited else min(hard, FILES)
    if soft != unlimited and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            wanted = soft  # some systems have a limit below the one they tell
    files = FILES if soft == unlimited else max(soft, wanted)
    return max(LEAST, (min(files, FILES) - RESERVED) // 3)


@final
class Door(web.BaseSite):
    """Accepts from one listening socket; `most` connections at a time for all of its server's."""

    __slots__ = ("_log", "_most", "_socket")

    def __init__(
        self,
        runner: web.AppRunner,
        listening: socket.socket,
        *,
        most: int,
        log: Log,
        tls: SSLContext | None = None,
    ) -> None:
        super().__init__(runner, ssl_context=tls, backlog=BACKLOG)
        self._socket = listening
        self._most = most
        self._log = log

    @property
    def name(self) -> str:
        """What aiohttp calls it."""
        return f"{self._socket.getsockname()}"

    async def start(self) -> None:
        """Accept from now on."""
        await super().start()
        server = self._runner.server
        assert server is not None, "the runner is set up first"
        self._server = await asyncio.get_running_loop().create_server(
            admitting(server, self._most, self._log),
            sock=self._socket,
            ssl=self._ssl_context,
            backlog=self._backlog,
            ssl_handshake_timeout=None if self._ssl_context is None else HANDSHAKE,
        )


def admitting(server: web.Server, most: int, log: Log) -> Callable[[], asyncio.BaseProtocol]:
    """What makes the protocol of each new connection."""
    leaving: set[object] = set()
    told = float("-inf")

    def accept() -> asyncio.BaseProtocol:
        nonlocal told
        connections = server.connections
        if len(connections) < most:
            return server()
        leaving.intersection_update(connections)
        oldest = next((one for one in connections if one not in leaving), None)
        if oldest is not None:
            leaving.add(oldest)
            oldest.close()
        now = asyncio.get_running_loop().time()
        if now - told >= TELL_EVERY:
            told = now
            log.line(Level.WARNING, "crowded", connections=len(connections), most=most)
        return server() if len(connections) < 2 * most else _Refused()

    return accept


@final
class _Refused(asyncio.Protocol):
    """A connection there is no room for."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it, with nothing left behind."""
        assert isinstance(transport, asyncio.Transport)
        transport.abort()
