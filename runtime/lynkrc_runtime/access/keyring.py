"""A spec's virtual keys to who shows one: by digest, compared in constant time.

>>> ring = KeyRing({"ci": Key(sha256=digest_of("sesame"), team="platform")}, {})
>>> ring.caller_of({"authorization": "Bearer sesame"}).team
'platform'
>>> ring.caller_of({"x-api-key": "open sesame"}) is None
True
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import final

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.access.digest import digest_of
from lynkrc_runtime.references import MissingVariable, expand
from lynkrc_runtime.settings import Key

_BEARER = "bearer "
_NOBODY = (bytes(32), None)
"""What an unknown digest is compared with: as long as a known one."""


@final
class UnknownSecret(Exception):
    """A key's secret is not in the environment; fit to print."""


@final
class KeyRing:
    """The keys of one bundle. Raises UnknownSecret, which lists every key without its secret."""

    __slots__ = ("_callers",)

    def __init__(self, keys: Mapping[str, Key], environ: Mapping[str, str]) -> None:
        self._callers: dict[bytes, tuple[bytes, Caller]] = {}
        faults = []
        for name, key in keys.items():
            try:
                secret = None if key.secret is None else expand(key.secret, environ)
            except MissingVariable as missing:
                faults.append(f"key {name}: environment variable {missing.name} is not set")
                continue
            if secret is not None and not secret.strip():
                faults.append(f"key {name}: its secret is empty")
                continue
            digest = bytes.fromhex(key.sha256 or digest_of(secret or ""))
            other = self._callers.get(digest)
            if other is not None:
                faults.append(f"key {name}: it is the same as key {other[1].name}")
                continue
            self._callers[digest] = (
                digest,
                Caller(
                    name=name,
                    team=key.team,
                    tenant=key.tenant,
                    tiers=frozenset(key.tiers),
                    targets=frozenset(key.targets),
                    debug=key.debug,
                ),
            )
        if faults:
            raise UnknownSecret("\n".join(faults))

    def __len__(self) -> int:
        return len(self._callers)

    def caller_of(self, headers: Mapping[str, str]) -> Caller | None:
        """Who shows a key by these headers (lower-case names); None where it is none of ours."""
        shown = key_in(headers)
        if shown is None:
            return None
        digest = hashlib.sha256(shown.encode(errors="surrogateescape")).digest()
        # What the look-up may tell by its time is about a digest, which nobody can steer; what is
        # decided, and how long that takes, is the comparison's, for a key nobody knows too.
        known, caller = self._callers.get(digest, _NOBODY)
        return caller if hmac.compare_digest(known, digest) else None


def usable(
    keys: Mapping[str, Key], environ: Mapping[str, str]
) -> tuple[Mapping[str, Key], Mapping[str, str]]:
    """The keys whose secrets there are, and the others with the variable each lacks.

    Raises UnknownSecret where none is usable: a gateway without keys is open.
    """
    lacking: dict[str, str] = {}
    for name, key in keys.items():
        try:
            expand(key.secret or "", environ)
        except MissingVariable as missing:
            lacking[name] = missing.name
    if keys and len(lacking) == len(keys):
        raise UnknownSecret(
            "no key can be used, and without keys the gateway would be open: set "
            + " or ".join(dict.fromkeys(lacking.values()))
        )
    return {name: key for name, key in keys.items() if name not in lacking}, lacking


def key_in(headers: Mapping[str, str]) -> str | None:
    """The key a request shows: of the four headers the first that has one.

    >>> key_in({"x-api-key": "a", "authorization": "Bearer b"}), key_in({"authorization": "Basic"})
    ('a', None)
    """
    bearer = headers.get("authorization", "")
    is_bearer = bearer[: len(_BEARER)].lower() == _BEARER
    return (
        headers.get("x-lynkr-key")
        or headers.get("x-api-key")
        or (bearer[len(_BEARER) :].strip() if is_bearer else None)
        or headers.get("api-key")
        or None
    )
