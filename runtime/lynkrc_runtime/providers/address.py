"""A provider row and the environment to an address: URL, headers with credentials, dialect.

``${NAME}`` and ``${NAME:-default}`` are resolved here, once, when the gateway starts; secrets exist
only in the resolved `Address` and are never printed.

>>> expand("http://${HOST:-localhost}:8080", {})
'http://localhost:8080'
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final
from urllib.parse import quote, urlsplit

from lynkrc_runtime.dispatch import Provider
from lynkrc_runtime.providers.table import KINDS, Credentials
from lynkrc_runtime.served import RUNTIME
from lynkrc_runtime.unserved import unserved_kind

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a provider is called, and as whom. `headers` hold secrets: they are left out of repr.

    `base` is the base URL; `headers` have lower-case names.
    """

    provider: str
    base: str
    headers: Mapping[str, str] = field(repr=False)


@final
class UnresolvedProvider(Exception):
    """A provider that cannot be called as configured; says which, and what to set."""


@final
class MissingVariable(Exception):
    """The environment lacks `name` (or it is empty) and the text gives no default."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def expand(text: str, environ: Mapping[str, str]) -> str:
    """Replace every reference; an empty variable counts as unset. Raises MissingVariable."""

    def value(match: re.Match[str]) -> str:
        name, default = match[1], match[2]
        found = environ.get(name) or default
        if found is None:
            raise MissingVariable(name)
        return found

    return _REFERENCE.sub(value, text)


def resolve(provider: Provider, environ: Mapping[str, str]) -> Address:
    """The provider's address. Raises UnresolvedProvider, naming the provider and the variable."""
    kind = KINDS.get(provider.kind)
    if kind is None:
        raise UnresolvedProvider(
            f"provider {provider.name}: this runtime does not know the kind {provider.kind!r}"
        )
    reason = unserved_kind(kind.name)
    if reason is not None:
        raise UnresolvedProvider(f"provider {provider.name}: {reason}")
    try:
        base = expand(provider.base_url or kind.base_url or "", environ)
        key = expand(provider.api_key, environ) if provider.api_key else None
        headers = {name.lower(): expand(text, environ) for name, text in provider.headers.items()}
    except MissingVariable as missing:
        raise UnresolvedProvider(
            f"provider {provider.name}: environment variable {missing.name} is not set"
        ) from missing
    if key is None and kind.credentials is Credentials.REQUIRED:
        if provider.rest.forwards_credentials:
            raise UnresolvedProvider(
                f"provider {provider.name}: `credentials: caller` is not served by runtime"
                f" {RUNTIME}: write an api_key"
            )
        raise UnresolvedProvider(f"provider {provider.name}: kind {kind.name} needs an api_key")
    if key is not None:
        headers |= dict.fromkeys(kind.auth_headers, kind.auth_prefix + key)
    for name, text in headers.items():
        # A line break from a badly pasted variable must not become a second header.
        if not (text.isprintable() and text.isascii()):
            raise UnresolvedProvider(
                f"provider {provider.name}: the value of header {name} has characters "
                "that headers cannot carry (a line break at the end of the variable?)"
            )
    return Address(
        provider=provider.name,
        base=_checked(provider.name, base),
        headers=headers,
    )


def url_of(base: str, path: str, model: str, replaces: Sequence[str] = ()) -> str:
    """The address of an endpoint's path for a model, whose name is percent-encoded in it.

    The first of `replaces` that the base ends with gives way to the path.

    >>> url_of("https://h/v1beta", "/models/{model}:generateContent", "a/b:c")
    'https://h/v1beta/models/a%2Fb%3Ac:generateContent'
    >>> url_of("https://api.moonshot.ai/v1/", "/anthropic/v1/messages", "kimi-k3", ["/v1"])
    'https://api.moonshot.ai/anthropic/v1/messages'
    """
    plain = base.rstrip("/")
    end = "" if plain.endswith(path) else next((e for e in replaces if plain.endswith(e)), "")
    base = plain.removesuffix(end) if end else base
    return join(base, path.replace("{model}", quote(model, safe="")))


def join(base: str, path: str) -> str:
    """Base URL and path; a base that already ends with the path, or what leads to the call, keeps
    it once.

    >>> join("http://localhost:11434/v1/", "/v1/chat/completions")
    'http://localhost:11434/v1/chat/completions'
    >>> join("https://it.openai.azure.com/openai", "/openai/v1/chat/completions")
    'https://it.openai.azure.com/openai/v1/chat/completions'
    """
    base = base.rstrip("/")
    if base.endswith(path):
        return base
    leading = path.removesuffix("/chat/completions").removesuffix("/messages")
    while leading:
        if base.endswith(leading):
            return base + path[len(leading) :]
        leading = leading.rpartition("/")[0]
    return base + path


def _checked(provider: str, base: str) -> str:
    try:
        parts = urlsplit(base)
        ok = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        ok = False
        parts = urlsplit("")
    if not ok or parts.query or parts.fragment or parts.username is not None:
        raise UnresolvedProvider(
            f"provider {provider}: base_url must be http(s)://host[:port][/path], "
            "without a user, query or fragment"
        )
    return base
