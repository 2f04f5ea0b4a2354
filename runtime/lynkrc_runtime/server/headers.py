"""Which headers travel: the client's to an upstream, and ours on an answer.

To an upstream only what is on the list goes, so credentials, cookies and ``x-lynkr-*`` stay here
by construction. Design: "Two declared additions".
"""

import re
from collections.abc import Mapping, Sequence

from lynkrc_runtime import __version__
from lynkrc_runtime.protocol.dialect import Written

_EVERYWHERE = frozenset(("traceparent", "tracestate", "idempotency-key"))
# Not `baggage`, which is what services of one house tell each other of their users.
# anthropic-version and anthropic-beta depend on the target's shape: the dialect's writer sets them.
_OF_DIALECT: Mapping[str, frozenset[str]] = {
    "anthropic-messages": frozenset(("anthropic-workspace-id", "anthropic-user-profile-id")),
    "openai-chat": frozenset(("openai-beta", "session-id")),
    "openai-responses": frozenset(("openai-beta", "session-id", "thread-id")),
}
_PREFIXES_OF_DIALECT: Mapping[str, tuple[str, ...]] = {
    "anthropic-messages": ("x-session-",),
    "openai-chat": ("x-codex-", "x-session-"),
    # The last says that the body has the form of the newest models.
    "openai-responses": ("x-codex-", "x-session-", "x-openai-internal-codex-"),
}
_SECRET = re.compile(r"token|key|secret|auth|cookie|credential")
"""In the name of a header that begins as a listed one does, and stays here all the same."""
_AUTH = ("authorization", "x-api-key")
_USER_AGENT = f"lynkrc/{__version__}"
_NO_NAMES = frozenset[str]()

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
) -> dict[str, str]:
    """Headers of an upstream request; all names are lower-case.

    `client` are the client's, `written` the dialect's own, `provider` the configured ones with the
    credentials, which win. `accept` is the content type asked for.
    """
    headers = {"user-agent": _USER_AGENT}
    names = _OF_DIALECT.get(dialect, _NO_NAMES) if same_dialect else _NO_NAMES
    prefixes = _PREFIXES_OF_DIALECT.get(dialect, ()) if same_dialect else ()
    for name, value in client.items():
        is_listed = name in _EVERYWHERE or name in names
        is_alike = name.startswith(prefixes) and not _SECRET.search(name)
        if (is_listed or is_alike) and value.isascii():
            headers[name] = value
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
        clean = "".join(char if " " <= char <= "~" and char != "," else "?" for char in entry)
        size += len(clean) + 2
        if size > TRANSFORMS_LIMIT:
            kept.append(f"+{len(entries) - place}")
            break
        kept.append(clean)
    return ", ".join(kept)
