"""A path of a running gateway to what it answers, or to why it cannot be asked."""

import http.client
from urllib.parse import urlsplit

ADMIN = "http://127.0.0.1:8082"
"""Where operators ask a gateway that was told nothing else."""
_MOST = 16 * 2**20
"""Bytes of an answer that are read."""


class Unreachable(Exception):
    """Nobody answers there, or not as a gateway would; fit to print."""


def ask(url: str, path: str, *, token: str | None = None, within: float = 5.0) -> bytes:
    """What ``GET path`` gives, within so many seconds a step. Raises Unreachable."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Unreachable(f"{url!r} is no address of a gateway; write http://HOST:PORT")
        is_tls = parts.scheme == "https"
        make = http.client.HTTPSConnection if is_tls else http.client.HTTPConnection
        connection = make(parts.hostname, parts.port, timeout=within)
        try:
            headers = {} if token is None else {"authorization": f"Bearer {token}"}
            connection.request("GET", parts.path.rstrip("/") + path, headers=headers)
            answer = connection.getresponse()
            body = answer.read(_MOST)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
        raise Unreachable(f"no gateway answers at {url} ({reason})") from problem
    if answer.status in (401, 403):
        raise Unreachable(
            f"the gateway at {url} lets in nobody without its operators' token (LYNKRC_ADMIN_TOKEN)"
            if answer.status == 401
            else f"the gateway at {url} lets in nobody from here (403)"
        )
    if answer.status != 200:
        raise Unreachable(
            f"{url}{path} answers {answer.status}: not what a gateway tells operators"
        )
    return body
