"""Who may talk to an open gateway: only programs on this machine, and no web page.

Without keys, the loopback bind is the only lock, and two things walk around it: a page that makes
the browser send a request here (its `Origin` tells), and a name of the attacker's that resolves
to 127.0.0.1 (the `Host` tells). Both are refused before the body is read. Design: "Security".
"""

import ipaddress
import os
import re
from collections.abc import Container, Mapping
from functools import lru_cache

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
HEADERS_LIMIT = 64 * 1024
"""Bytes of all of a request's header values together."""
_CHUNKED = "chunked"
_ABSOLUTE = re.compile(r"https?://([^/?#]*)", re.IGNORECASE)
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::\d{1,5})?")


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Whether a host name or address (without port) is this machine's loopback.

    >>> is_loopback("127.8.0.1"), is_loopback("[::1]"), is_loopback("localhost.evil.example")
    (True, True, False)
    """
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def objection(
    headers: Mapping[str, str], *, any_host: bool, origins: Container[str] = ()
) -> str | None:
    """Why a request must not be served, or None. `headers` have lower-case names.

    `any_host` is for a gateway opened to the network on purpose; pages are refused even then, but
    for those of the declared `origins`.
    """
    if "origin" in headers and headers["origin"] not in origins:
        return "requests of web pages (with an Origin header) are not served"
    if any_host:
        return None
    if not _is_here(headers.get("host", "")):
        return "the Host header must name this machine (localhost, 127.0.0.1 or [::1])"
    return None


def own_origins(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The origins of pages that the listener asked by this Host serves itself.

    Which names may stand in the Host is for `objection` to say. A proxy before the listener may
    have added TLS.

    >>> own_origins({"host": "127.0.0.1:8082"})
    ('http://127.0.0.1:8082', 'https://127.0.0.1:8082')
    """
    host = headers.get("host", "").lower()
    return (f"http://{host}", f"https://{host}") if host else ()


@lru_cache(maxsize=64)
def _is_here(host: str) -> bool:
    """Whether a Host header names this machine."""
    match = _HOST.fullmatch(host)
    return match is not None and is_loopback(match["name"])


def misframed(target: str, headers: Mapping[str, str]) -> tuple[int, str] | None:
    """Status and words for what another server could read as another request, or None.

    Beside what the parser refuses: `target` is the request line's, `headers` have lower-case names.

    >>> misframed("/v1/messages", {"transfer-encoding": "chunked"})
    >>> misframed("http://evil.example/v1/messages", {"host": "localhost"})
    (400, 'the request line and the Host header name different hosts')
    """
    if headers.get("transfer-encoding", _CHUNKED).lower() != _CHUNKED:
        return 501, "the one transfer encoding that is taken is chunked"
    if not target.startswith("/"):
        match = _ABSOLUTE.match(target)
        if match is None:
            return 400, "the request line names no path"
        if match[1].lower() != headers.get("host", "").lower():
            return 400, "the request line and the Host header name different hosts"
    if sum(map(len, headers.values())) > HEADERS_LIMIT:
        return 431, f"the headers are larger than {HEADERS_LIMIT} bytes"
    return None


def is_json(content_type: str) -> bool:
    """Whether a content type says JSON; a page can send other types without asking us first.

    >>> is_json("application/json; charset=utf-8"), is_json("text/plain"), is_json("")
    (True, False, False)
    """
    if content_type == "application/json":
        return True
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )


def request_id(given: str | None) -> str:
    """The client's id if it is a harmless one, else a new one."""
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given
    return f"req_{random_hex()}"


def random_hex() -> str:
    """24 characters nobody can guess. The system is asked for many at a time."""
    try:
        return _unused.pop()
    except IndexError:
        many = os.urandom(12 * _AT_A_TIME).hex()
        _unused.extend([many[at : at + 24] for at in range(24, len(many), 24)])
        return many[:24]


_AT_A_TIME = 128
_unused: list[str] = []
# A child would give out what its parent gives out too.
os.register_at_fork(after_in_child=_unused.clear)
