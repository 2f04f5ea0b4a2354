"""What a gateway tells the service manager that started it: ready, reloading, stopping.

systemd's protocol (sd_notify(3)): a datagram of lines to the socket that `NOTIFY_SOCKET` names. A
gateway that nobody manages so tells nobody.
"""

import socket
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, Final

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
_SOCKET: Final = "NOTIFY_SOCKET"


def tell(environ: Mapping[str, str], *lines: str) -> None:
    """Send these lines to the manager, if there is one. One that does not listen is no failure."""
    address = environ.get(_SOCKET, "")
    # Another kind (vsock) is for machines, not for services.
    if not address.startswith(("/", "@")):
        return
    # A leading @ stands for the NUL of Linux' abstract names.
    name = "\0" + address[1:] if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.setblocking(False)
        manager.sendto("\n".join(lines).encode(), name)


def told(
    environ: Mapping[str, str], reload: Callable[[], Awaitable[object]]
) -> Callable[[], Coroutine[Any, Any, object]]:
    """The same reload, with the manager told when it begins and ends, however it ends."""

    async def reloading() -> object:
        # The time tells the manager which of several reloads this is.
        now = f"MONOTONIC_USEC={time.monotonic_ns() // 1000}"
        tell(environ, "RELOADING=1", now)
        try:
            return await reload()
        finally:
            tell(environ, READY)

    return reloading
