"""Bytes to a gateway, and what comes back until it closes the connection."""

import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.e2e.upstream_server import PATIENCE

BODY = b'{"model":"lynkr/haiku","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}'
HEAD = b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
NEXT = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
"""A request of its own, answered only where all before it was read to its end and no further."""

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


@dataclass(frozen=True)
class Spoken:
    """All bytes of a connection, and the statuses in them."""

    data: bytes

    @property
    def statuses(self) -> list[int]:
        return [int(status) for status in _STATUS.findall(self.data)]


def speak(url: str, data: bytes) -> Spoken:
    """Send the bytes on a connection of their own; all that comes until its end."""
    address = urlsplit(url)
    heard = b""
    with socket.create_connection((address.hostname, address.port), timeout=PATIENCE) as client:
        try:
            client.sendall(data)
            while chunk := client.recv(65536):
                heard += chunk
        except ConnectionError:
            pass  # It was refused while we still sent; what came before is what counts.
    return Spoken(heard)
