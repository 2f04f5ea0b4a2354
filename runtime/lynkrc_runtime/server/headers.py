"""Which headers travel: the client's to an upstream, and ours on an answer.

To an upstream only what is on the list goes, so credentials, cookies and ``x-lynkr-*`` stay here
by construction. Design: "Two declared additions".
"""

import re
from collections.abc import Mapping, Sequence
from typing import final

from lynkrc_runtime import __version__
from lynkrc_runtime.protocol.dialect import Written
from lynkrc_runtime.sent_headers import ProviderHeaders, SentKey

_EVERYWHERE = frozenset(("traceparent", "tracestate", "idempotency-key"))
# Not `baggage`, which is what services of one house tell each other of their users.
# anthropic-version and anthropic-beta depend on the target's shape: the dialect's writer sets them.
_SECRET = re.compile(r"token|key|secret|auth|cookie|credential")
"""In the name of a header that begins as a listed one does, and stays here all the same."""


@final
class _Listed:
    """Which headers of a client travel: by their whole name, or by how it begins."""

    __slots__ = ("_names", "_prefixes")

    def __init__(self, names: Sequence[str] = (), prefixes: tuple[str, ...] = ()) -> None:
        self._names = _EVERYWHERE.union(names)
        self._prefixes = prefixes

    def may_travel(self, client: Mapping[str, str]) -> bool:
        """Whether any may; of most clients none does, which is seen without looking at each."""
        if not self._names.isdisjoint(client):
            return True
        if self._prefixes:
            said = " ".join(client)
            for prefix in self._prefixes:
                if prefix in said:
                    return True
        return False

    def of(self, client: Mapping[str, str]) -> dict[str, str]:
        """Those that do, in the client's order."""
        found = {}
        for name, value in client.items():
            is_alike = name.startswith(self._prefixes) and not _SECRET.search(name)
            if (name in self._names or is_alike) and value.isascii():
                found[name] = value
        return found


_FROM_ANY = _Listed()
_LISTED: Mapping[str, _Listed] = {
    "anthropic-messages": _Listed(
        ("anthropic-workspace-id", "anthropic-user-profile-id"), ("x-session-",)
    ),
    "openai-chat": _Listed(("openai-beta", "session-id"), ("x-codex-", "x-session-")),
    "openai-responses": _Listed(
        ("openai-beta", "session-id", "thread-id"),
        # The last says that the body has the form of the newest models.
        ("x-codex-", "x-session-", "x-openai-internal-codex-"),
    ),
}
_AUTH = ("authorization", "x-api-key")
_USER_AGENT = f"lynkrc/{__version__}"

TRANSFORMS_LIMIT = 1000
"""Characters of ``x-lynkr-transforms``."""


def upstream_headers(
    client: Mapping[str, str],
    *,
    same_dialect: bool,
    dialect: str,
    written: Written,
    provider: Mapping[str, str],
    accept: str,
) -> Mapping[str, str]:
    """Headers of an upstream request; all names are lower-case.

    `client` are the client's, `written` the dialect's own, `provider` the configured ones with the
    credentials, which win. `accept` is the content type asked for. Where nothing of the client's
    travels, equal calls of a provider have the same headers.
    """
    listed = _LISTED.get(dialect, _FROM_ANY) if same_dialect else _FROM_ANY
    if listed.may_travel(client):
        return _together(listed.of(client), written, provider, accept)
    if not isinstance(provider, ProviderHeaders):
        return _together({}, written, provider, accept)
    key: SentKey = (accept, *written.headers.items())
    kept = provider.sent.get(key)
    if kept is None:
        kept = provider.keep(key, _together({}, written, provider, accept))
    return kept


def _together(
    client: Mapping[str, str], written: Written, provider: Mapping[str, str], accept: str
) -> dict[str, str]:
    headers = {"user-agent": _USER_AGENT, **client}
    for name, value in written.headers.items():
        if value.isascii():
            headers[name.lower()] = value
    for name in _AUTH:
        headers.pop(name, None)
    headers |= provider
    headers["content-type"] = "application/json"
    headers["accept"] = accept
    headers["accept-encoding"] = "identity"
    return headers


def list_value(entries: Sequence[str]) -> str:
    """Entries as one header value, safe and bounded; what does not fit is counted.

    >>> list_value(["max_tokens=64000", "dropped=caf\\u00e9\\r\\n"])
    'max_tokens=64000, dropped=caf???'
    """
    kept: list[str] = []
    size = 0
    for place, entry in enumerate(entries):
        clean = entry
        if "," in entry or not (entry.isascii() and entry.isprintable()):
            clean = "".join(char if " " <= char <= "~" and char != "," else "?" for char in entry)
        size += len(clean) + 2
        if size > TRANSFORMS_LIMIT:
            kept.append(f"+{len(entries) - place}")
            break
        kept.append(clean)
    return ", ".join(kept)
