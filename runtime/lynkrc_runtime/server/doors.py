"""A spec's section `server` and the environment to who is let in, and by what.

Clients come in by virtual key or, without keys, from this machine; operators by a token or, without
one, from this machine. Web pages come from declared origins.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

from lynkrc_runtime.references import MissingVariable, expand
from lynkrc_runtime.server.origins import BadOrigin, origins_of
from lynkrc_runtime.server.security import is_loopback
from lynkrc_runtime.settings import Server

_BEARER = "bearer "
PEER = "x-lynkr-peer"
"""In what a supervisor passes on to a worker: where the operator's request came from."""
TOKEN_LENGTH = 16
"""Characters a token has at least: shorter ones are guessed."""


@final
class UnusableDoor(Exception):
    """What is declared cannot be had; fit to print."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """`origins` of pages that may call; `token` is the SHA-256 of the operators', None: no token.

    >>> Doors().lets_in({}, "127.0.0.1"), Doors().lets_in({}, "10.1.2.3")
    (True, False)
    """

    origins: frozenset[str] = frozenset()
    token: bytes | None = field(default=None, repr=False)

    def lets_in(self, headers: Mapping[str, str], peer: str | None) -> bool:
        """Whether an operator's request is served; `headers` have lower-case names.

        `peer` is the address it comes from, None where that is not known.
        """
        if self.token is None:
            return peer is not None and is_loopback(peer)
        given = headers.get("authorization", "")
        is_bearer = given[: len(_BEARER)].lower() == _BEARER
        shown = given[len(_BEARER) :].strip() if is_bearer else ""
        # Equal lengths whatever was shown, and every byte is looked at.
        return hmac.compare_digest(_digest(shown), self.token)


def doors_of(declared: Server, environ: Mapping[str, str]) -> Doors:
    """What a bundle declares. Raises UnusableDoor, naming what lacks."""
    try:
        origins = origins_of(declared.allowed_origins, environ)
    except BadOrigin as bad:
        raise UnusableDoor(str(bad)) from bad
    if declared.admin.token is None:
        return Doors(origins=origins)
    try:
        token = expand(declared.admin.token, environ)
    except MissingVariable as missing:
        raise UnusableDoor(
            f"server.admin.token: environment variable {missing.name} is not set"
        ) from missing
    if len(token) < TOKEN_LENGTH or token.strip() != token:
        raise UnusableDoor(
            f"server.admin.token: a token has at least {TOKEN_LENGTH} characters, and no space "
            "around them"
        )
    return Doors(origins=origins, token=_digest(token))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).digest()
