"""Whose web pages may call: an `Origin` to the headers by which a browser lets a page read.

Only origins the spec declares get any, compared exactly; there is no wildcard. A preflight is
answered here, before a key is asked for: browsers send none with it. Design: "Security".
"""

import re
from collections.abc import Iterable, Mapping
from typing import final

from lynkrc_runtime.references import MissingVariable, expand

_ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?")
_USUAL = {"http": "80", "https": "443"}
_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+(?:[ \t]*,[ \t]*[A-Za-z0-9!#$%&'*+.^_`|~-]+)*")
_NAMES_LIMIT = 4096
"""Characters of the list of headers a page wants to send."""
_TOLD = frozenset({"request-id", "x-request-id", "retry-after", "x-should-retry"})
_AGE = "600"
"""Seconds a browser may remember a preflight."""


@final
class BadOrigin(Exception):
    """A declared origin is none; fit to print."""


def origins_of(declared: Iterable[str], environ: Mapping[str, str]) -> frozenset[str]:
    """The declared origins as browsers write them. Raises BadOrigin.

    >>> sorted(origins_of(["https://Tools.acme.example:443", "http://localhost:3000"], {}))
    ['http://localhost:3000', 'https://tools.acme.example']
    """
    found = set()
    for text in declared:
        try:
            origin = expand(text, environ).lower()
        except MissingVariable as missing:
            raise BadOrigin(
                f"server.allowed_origins: environment variable {missing.name} is not set"
            ) from missing
        match = _ORIGIN.fullmatch(origin)
        if match is None:
            raise BadOrigin(
                f"server.allowed_origins: {origin!r} is no origin, which is http(s)://host[:port]"
            )
        scheme, host, port = match.groups()
        is_usual = port is None or port == _USUAL[scheme]
        found.add(f"{scheme}://{host}" if is_usual else origin)
    return frozenset(found)


def is_preflight(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a browser asks what a page may send. `headers` have lower-case names."""
    return method == "OPTIONS" and "access-control-request-method" in headers


def preflight_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of the answer to a preflight of a declared origin, beside `cors_headers`.

    Every header may be sent that the page names: what is read of them is the same for all clients.
    """
    allowed = {
        "access-control-allow-methods": "GET, POST, DELETE",
        "access-control-max-age": _AGE,
    }
    wanted = headers.get("access-control-request-headers", "")
    if len(wanted) <= _NAMES_LIMIT and _NAMES.fullmatch(wanted):
        allowed["access-control-allow-headers"] = wanted
    return allowed


def cors_headers(origin: str, answer: Iterable[str]) -> dict[str, str]:
    """What lets a page of a declared origin read an answer with headers of these names.

    >>> cors_headers("https://a.example", ["Content-Type", "x-lynkr-tier"])["vary"]
    'origin'
    """
    headers = {"access-control-allow-origin": origin, "vary": "origin"}
    told = [name.lower() for name in answer]
    told = [name for name in told if name in _TOLD or name.startswith("x-lynkr-")]
    if told:
        headers["access-control-expose-headers"] = ", ".join(told)
    return headers
