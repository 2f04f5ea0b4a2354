"""A provider's `proxy` and `ca_file`, and the environment's proxies, to how it is connected to.

`providers.proxy` comes first, then ``https_proxy`` or ``http_proxy`` by the scheme of the
provider's address, unless ``no_proxy`` names its host or it is this machine. The lower-case name
comes before the upper-case one. They are read here, once, when a bundle is loaded: nothing else
looks at them, and nothing reads ``.netrc``.
"""

import ipaddress
import re
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import final
from urllib.parse import urlsplit

from lynkrc_runtime.dispatch import Provider
from lynkrc_runtime.providers.address import Address, UnresolvedProvider
from lynkrc_runtime.references import MissingVariable, expand
from lynkrc_runtime.upstream import DIRECT, Link

PROXY = re.compile(
    r"http://(?:[^\s/?#@]+@)?(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]]+)(?::[0-9]{1,5})?/?"
)
_HERE = ("localhost", ".localhost")


@final
class Links:
    """Makes the links of one bundle's providers."""

    __slots__ = ("_environ",)

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def of(self, provider: Provider, address: Address) -> Link:
        """How to connect to the provider. Raises UnresolvedProvider, without a secret."""
        rest = provider.rest
        try:
            proxy = expand(rest.proxy, self._environ) if rest.proxy else None
            ca_file = expand(rest.ca_file, self._environ) if rest.ca_file else None
        except MissingVariable as missing:
            raise UnresolvedProvider(
                f"provider {provider.name}: environment variable {missing.name} is not set"
            ) from missing
        source = "providers.proxy"
        if proxy is None:
            source, proxy = proxy_of(address.base, self._environ)
        if proxy is not None and not PROXY.fullmatch(proxy):
            raise UnresolvedProvider(
                f"provider {provider.name}: {source} must be http://[user:password@]host[:port]; "
                "no other kind of proxy is spoken to"
            )
        if proxy is None and ca_file is None:
            return DIRECT
        context = None if ca_file is None else _context(provider.name, ca_file)
        return Link(proxy=proxy, source=source if proxy else "", tls=context)


def _context(provider: str, ca_file: str) -> ssl.SSLContext:
    try:
        found = Path(ca_file).stat()
        return _trusting(ca_file, (found.st_mtime_ns, found.st_size, found.st_ino))
    except ssl.SSLError as error:
        raise UnresolvedProvider(
            f"provider {provider}: ca_file {ca_file} holds no certificates in PEM form"
        ) from error
    except OSError as error:
        raise UnresolvedProvider(
            f"provider {provider}: cannot read ca_file {ca_file}: {error.strerror}"
        ) from error


@lru_cache(maxsize=16)
def _trusting(ca_file: str, _stamp: tuple[int, int, int]) -> ssl.SSLContext:
    """Who trusts the file's certificates as it is now: the same one from reload to reload, since
    connections are kept by it, and what is known of where they lead.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A provider that is called through a proxy, without the proxy's credentials."""

    provider: str
    proxy: str
    source: str


def told(links: Iterable[tuple[str, Link]]) -> tuple[Told, ...]:
    """Which of the providers (name, link) are called through a proxy, each once, for the log."""
    return tuple(
        Told(provider=name, proxy=without_login(link.proxy), source=link.source)
        for name, link in dict(links).items()
        if link.proxy is not None
    )


def proxy_of(url: str, environ: Mapping[str, str]) -> tuple[str, str | None]:
    """The environment's proxy for an address, after the variable it stands in; None: no proxy.

    >>> proxy_of("https://api.test/v1", {"HTTPS_PROXY": "http://proxy.test:3128"})
    ('HTTPS_PROXY', 'http://proxy.test:3128')
    >>> proxy_of("https://api.test", {"HTTPS_PROXY": "http://p", "NO_PROXY": ".test, 10.0.0.0/8"})
    ('', None)
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    name = f"{parts.scheme}_proxy"
    name = name if environ.get(name) else name.upper()
    proxy = environ.get(name)
    exempt = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not proxy or _is_here(host) or is_exempt(host, port, exempt):
        return "", None
    return name, proxy if "://" in proxy else f"http://{proxy}"


def is_exempt(host: str, port: int, exempt: str) -> bool:
    """Whether a list of hosts, domains, networks or ``*`` (``NO_PROXY``) names a host.

    A domain covers what is below it, with or without a dot before it; a port limits an entry.

    >>> is_exempt("api.acme.test", 443, "acme.test"), is_exempt("acme.test", 443, "acme.test:80")
    (True, False)
    >>> is_exempt("10.1.2.3", 80, "10.0.0.0/8"), is_exempt("notacme.test", 80, "acme.test")
    (True, False)
    """
    for entry in (one.strip().lower() for one in exempt.split(",")):
        if entry == "*":
            return True
        if not entry:
            continue
        try:
            network = ipaddress.ip_network(entry.strip("[]"), strict=False)
        except ValueError:
            name, colon, limit = entry.rpartition(":")
            if not (colon and limit.isdecimal()):
                name, limit = entry, str(port)
            domain = name.strip("[]").lstrip("*").lstrip(".")
            is_named = domain and (host == domain or host.endswith(f".{domain}"))
            if is_named and int(limit) == port:
                return True
        else:
            if _is_in(host, network):
                return True
    return False


def _is_in(host: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.ip_address(host) in network
    except ValueError:
        return False


def _is_here(host: str) -> bool:
    if host == _HERE[0] or host.endswith(_HERE[1]):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def without_login(proxy: str) -> str:
    """A proxy's address as it may be told."""
    scheme, _, rest = proxy.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
