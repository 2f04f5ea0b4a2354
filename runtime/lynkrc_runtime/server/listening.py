"""Hosts and a port to listening sockets, made once, before anything serves from them."""

import errno
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import final

from lynkrc_runtime.server.process import CannotServe
from lynkrc_runtime.telemetry.log import Level, Log

BACKLOG = 1024
"""Connections that may wait to be accepted."""
_NO_SUCH_LOOPBACK = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Sockets that listen, and what a client calls them."""

    sockets: tuple[socket.socket, ...]
    urls: tuple[str, ...]

    def close(self) -> None:
        """Close this process's copies."""
        for one in self.sockets:
            one.close()


def listen(
    hosts: Sequence[str], port: int, log: Log, option: str, *, is_secure: bool = False
) -> Listening:
    """Listen on every host, the same port for all; a machine may lack one of the loopbacks.

    Port 0: any free port. `option` chooses the port on the command line. `is_secure`: what is
    spoken there is TLS. Raises CannotServe.
    """
    with ExitStack() as made:
        sockets: list[socket.socket] = []
        any_port = port == 0
        for host in hosts:
            try:
                for family, address in _resolved(host):
                    one = made.enter_context(socket.socket(family, socket.SOCK_STREAM))
                    _bind(one, address, port)
                    port = one.getsockname()[1]
                    sockets.append(one)
            except OSError as error:
                # Port 0 is settled by the first host; that it is taken on the second is nobody's
                # fault.
                if error.errno not in _NO_SUCH_LOOPBACK and not (any_port and sockets):
                    if error.errno == errno.EADDRINUSE:
                        raise CannotServe(
                            f"port {port} of {host} is in use; {option} chooses another"
                        ) from error
                    raise CannotServe(f"cannot listen on {host} port {port}: {error}") from error
                log.line(Level.WARNING, "not-listening", host=host, port=port, reason=str(error))
        if not sockets:
            raise CannotServe(f"cannot listen on any of {', '.join(hosts)}")
        made.pop_all()
    scheme = "https" if is_secure else "http"
    urls = tuple(_url(one, scheme) for one in sockets)
    return Listening(sockets=tuple(sockets), urls=urls)


def _resolved(host: str) -> list[tuple[socket.AddressFamily, str]]:
    """The addresses of a host; each once."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _bind(one: socket.socket, address: str, port: int) -> None:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if one.family == socket.AF_INET6:
        # Each family has a socket of its own.
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    one.bind((address, port))
    one.listen(BACKLOG)
    one.setblocking(False)


def _url(one: socket.socket, scheme: str) -> str:
    host, port = one.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
