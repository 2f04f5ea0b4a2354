"""What somebody wrote as an address to what it says: whether it can stand in a spec, kind, trust.

>>> plain_address("https://me:secret@api.example.com/v1") is None
True
>>> trust_at("local", "gpu.example.com")
'internal'
"""

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from lynkrc.migrate.vendors import CHAT, MESSAGES, Vendor, Way
from lynkrc_runtime.providers.kind import ProviderKind


def plain_address(text: str) -> SplitResult | None:
    """The parts of an address that a provider can have, else None.

    It has no user, query or fragment, and is not that of the Responses API.
    """
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return None
    plain = not (parts.query or parts.fragment or parts.username is not None)
    if not good or not plain or not re.fullmatch(r"[!#%-\[\]-z~]+", text):
        return None
    return None if parts.path.rstrip("/").endswith("/responses") else parts


def fitting_way(
    vendor: Vendor, way: Way, parts: SplitResult, kinds: Mapping[str, ProviderKind]
) -> Way:
    """The kind that fits an address of the user's: its dialect by the path, its vendor by host.

    A vendor's own kind is for its own hosts: what its catalog states is not so of a proxy's.
    """
    if vendor.compatible is None:
        return way
    messages = "/anthropic" in parts.path or parts.path.endswith("/messages")
    fitting = MESSAGES if messages or vendor.compatible == MESSAGES else CHAT
    own = kinds.get(vendor.id)
    usual = urlsplit(own.base_url or "").hostname if own else None
    theirs = vendor.trust != "cloud" or usual == parts.hostname
    if own is not None and theirs:
        # A dialect of its own is not one a path could stand for.
        shared = (kinds[MESSAGES].dialect, kinds[CHAT].dialect)
        if own.dialect == kinds[fitting].dialect or own.dialect not in shared:
            return Way(kind=own.name, base_url=None)
    return Way(kind=fitting, base_url=None)


def trust_at(usual: str, host: str) -> str:
    """How far an address is to be trusted: this machine, the house, or what is usual.

    >>> trust_at("cloud", "127.0.0.1"), trust_at("cloud", "api.example.com")
    ('local', 'cloud')
    """
    if host in ("localhost", "::1", "0.0.0.0") or host.startswith("127."):
        return "local"
    return "internal" if usual == "local" else usual
