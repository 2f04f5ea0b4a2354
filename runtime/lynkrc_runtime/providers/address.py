"""A provider row and the environment to an address: URL, headers with credentials, dialect.

References are resolved here, once, when the gateway starts; secrets exist only in the resolved
`Address` and are never printed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final
from urllib.parse import parse_qs, quote, urlsplit

from lynkrc_runtime.dispatch import Provider
from lynkrc_runtime.providers.extras import missing_extra
from lynkrc_runtime.providers.kind import CREDENTIAL_HEADERS, Credentials, ProviderKind
from lynkrc_runtime.providers.table import KINDS
from lynkrc_runtime.references import MissingVariable, expand
from lynkrc_runtime.sent_headers import ProviderHeaders

_CALLS = ("/chat/completions", "/responses", "/messages")
"""Ends of addresses that people paste whole."""
_ENDS = (*_CALLS, "/embeddings", "/chat", "/embed")
"""Ends of paths; what stands before them may already end the base URL."""

_DEPLOYMENTS = "/deployments/"
_PLACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]*")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a provider is called, and as whom. `headers` hold secrets: they are left out of repr.

    `base` is the base URL; `headers` have lower-case names. `region` is '' where none is known,
    `api_version` where the addresses of the provider hold none. `signs`: `headers` hold no
    credentials, and the kind's signer adds them to each request.
    """

    provider: str
    base: str
    headers: Mapping[str, str] = field(repr=False)
    region: str = ""
    api_version: str = ""
    signs: bool = False


@final
class UnresolvedProvider(Exception):
    """A provider that cannot be called as configured; says which, and what to set."""


def resolve(provider: Provider, environ: Mapping[str, str]) -> Address:
    """The provider's address. Raises UnresolvedProvider, naming the provider and the variable."""
    kind = KINDS.get(provider.kind)
    if kind is None:
        raise UnresolvedProvider(
            f"provider {provider.name}: this runtime does not know the kind {provider.kind!r}"
        )
    reason = kind.extra and missing_extra(kind.extra)
    if reason:
        raise UnresolvedProvider(f"provider {provider.name}: {reason}")
    rest = provider.rest
    try:
        key = expand(provider.api_key, environ) if provider.api_key else None
        headers = {name.lower(): expand(text, environ) for name, text in provider.headers.items()}
        region, project, version = (
            expand(text, environ) if text else ""
            for text in (rest.region, rest.project, rest.api_version)
        )
        base = (
            expand(provider.base_url, environ)
            if provider.base_url
            else _own_address(provider, kind, region, project)
        )
    except MissingVariable as missing:
        raise UnresolvedProvider(
            f"provider {provider.name}: environment variable {missing.name} is not set"
            " (--dry-run needs none)"
        ) from missing
    has_own = any(name in headers for name in CREDENTIAL_HEADERS)
    needed = kind.credentials is Credentials.REQUIRED and not rest.forwards_credentials
    if key is None and not has_own and needed:
        raise UnresolvedProvider(f"provider {provider.name}: kind {kind.name} needs an api_key")
    if key is not None and kind.keyed_header and "/projects/" not in base:
        headers[kind.keyed_header] = key
    elif key is not None:
        headers |= dict.fromkeys(kind.auth_headers, kind.auth_prefix + key)
    for name, text in headers.items():
        # A line break from a badly pasted variable must not become a second header.
        if not (text.isprintable() and text.isascii()):
            raise UnresolvedProvider(
                f"provider {provider.name}: the value of header {name} has characters "
                "that headers cannot carry (a line break at the end of the variable?)"
            )
    if kind.takes_api_version:
        base, version = _pasted_version(provider.name, base, version)
    return Address(
        provider=provider.name,
        base=_checked(provider.name, _without_end(base, kind.base_ends)),
        headers=ProviderHeaders(headers),
        region=region,
        api_version=version,
        signs=bool(kind.signer) and key is None and not has_own and not rest.forwards_credentials,
    )


def _own_address(provider: Provider, kind: ProviderKind, region: str, project: str) -> str:
    """The kind's own address for the provider's place."""
    if kind.keyed_url and provider.api_key and not project:
        return kind.keyed_url
    values = {"region": region, "project": project}
    base = kind.base_url or ""
    for name, value in values.items():
        mark = "{" + name + "}"
        if mark in base and not _PLACE.fullmatch(value):
            raise UnresolvedProvider(
                f"provider {provider.name}: the address of kind {kind.name} needs a {name}"
                f"{f', which {value!r} is not' if value else ''}"
            )
        base = base.replace(mark, value)
    host = dict(kind.hosts).get(region)
    return base if host is None else urlsplit(base)._replace(netloc=host).geturl()


def _pasted_version(provider: str, base: str, version: str) -> tuple[str, str]:
    """A whole address copied from a portal brings its version along."""
    head, mark, query = base.partition("?")
    found = parse_qs(query)
    if mark and found.keys() == {"api-version"}:
        base, version = head, version or found["api-version"][0]
    if "/deployments/" in base and not version:
        raise UnresolvedProvider(
            f"provider {provider}: an address with /deployments/ in it needs an api_version"
        )
    return base, version


def url_of(
    base: str, path: str, model: str, api_version: str = "", replaces: Sequence[str] = ()
) -> str:
    """The address of an endpoint's path for a model, whose name is percent-encoded in it.

    What needs no encoding in a path has none, so that the address is sent as it is signed. The
    first of `replaces` that the base ends with gives way to the path.

    >>> url_of("https://h/v1beta", "/models/{model}:generateContent", "a/b:c")
    'https://h/v1beta/models/a%2Fb:c:generateContent'
    >>> url_of("https://api.moonshot.ai/v1/", "/anthropic/v1/messages", "kimi", replaces=["/v1"])
    'https://api.moonshot.ai/anthropic/v1/messages'
    """
    where, mark, query = path.partition("?")
    plain = base.rstrip("/")
    end = "" if plain.endswith(where) else next((e for e in replaces if plain.endswith(e)), "")
    url = join(plain.removesuffix(end), where.replace("{model}", quote(model, safe="!$&'()*,;=:@")))
    return url + mark + query.replace("{api_version}", quote(api_version))


def embedding_url(base: str, path: str, model: str, api_version: str = "") -> str:
    """Where a model makes embeddings; a base that is the whole address of another call is cut.

    >>> embedding_url("http://h/v1/chat/completions", "/v1/embeddings", "m")
    'http://h/v1/embeddings'
    """
    return url_of(without_call(base), path, model, api_version)


def without_call(base: str) -> str:
    """The base of an address that may be a conversation's whole one."""
    plain = base.rstrip("/")
    for end in _CALLS:
        plain = plain.removesuffix(end)
    return plain


def join(base: str, path: str) -> str:
    """Base URL and path; a base that already ends with the path, or what leads to the call, keeps
    it once. A base that is a whole call keeps its own.

    >>> join("http://localhost:11434/v1/", "/v1/chat/completions")
    'http://localhost:11434/v1/chat/completions'
    >>> join("https://it.openai.azure.com/openai", "/openai/v1/chat/completions")
    'https://it.openai.azure.com/openai/v1/chat/completions'
    >>> join("https://it.openai.azure.com/openai/v1/chat/completions", "/openai/v1/responses")
    'https://it.openai.azure.com/openai/v1/responses'
    >>> join("https://it.openai.azure.com/openai/deployments/d", "/openai/v1/responses")
    'https://it.openai.azure.com/openai/v1/responses'
    >>> join("https://it.openai.azure.com/openai/deployments/d", "/chat/completions")
    'https://it.openai.azure.com/openai/deployments/d/chat/completions'
    """
    base = base.rstrip("/")
    call = next((one for one in _CALLS if base.endswith(one)), "")
    if base.endswith(path) or (call and path.endswith(call)):
        return base
    base = base.removesuffix(call)
    _, mark, deployed = path.partition(_DEPLOYMENTS)
    if mark and _DEPLOYMENTS in base:
        return base + "/" + deployed.partition("/")[2]
    above, mark, _ = base.partition(_DEPLOYMENTS)
    if mark and path.startswith(f"/{above.rpartition('/')[2]}/"):
        # The address of one deployment; the call stands beside them, and names the model itself.
        base = above
    leading = next((path.removesuffix(one) for one in _ENDS if path.endswith(one)), path)
    while leading:
        if base.endswith(leading):
            return base + path[len(leading) :]
        leading = leading.rpartition("/")[0]
    return base + path


def _without_end(base: str, end: str) -> str:
    """The base URL without the end its kind does not want, nor the call behind it.

    >>> _without_end("http://localhost:11434/v1/chat/completions", "/v1")
    'http://localhost:11434'
    """
    plain = without_call(base)
    return plain.removesuffix(end) if end and plain.endswith(end) else base


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
