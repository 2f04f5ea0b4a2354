"""What the command line says of a bundle at a server to how that server is asked.

A bundle is fetched over https; over http from this machine alone, where nobody listens in. The
address has no login in it, and what stands behind its `?` is told to nobody.
"""

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final, final
from urllib.parse import SplitResult, urlsplit

from lynkrc_runtime.bundle_archive import SUFFIX
from lynkrc_runtime.plain_file import read_plain
from lynkrc_runtime.providers.links import PROXY, proxy_of, without_login
from lynkrc_runtime.server.process import CannotServe
from lynkrc_runtime.server.security import is_loopback
from lynkrc_runtime.signature import SIGNATURE_SUFFIX

POLL: Final = (60.0, 120.0)
"""Seconds between two questions: at least, at most."""
LARGEST_TOKEN: Final = 64 * 1024
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
_TOKEN = re.compile(r"[\x21-\x7e]+")
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


@final
class UnusableToken(Exception):
    """Why there is no token to show; fit to print, without the token."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line says of a bundle's server; `poll` is seconds, at least and at most."""

    poll: tuple[float, float] | None = None
    token_env: str | None = None
    token_file: Path | None = None
    ca: Path | None = None
    cache: Path | None = None


NOTHING_ASKED: Final = Asked()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BundleServer:
    """Where a bundle and its signatures are fetched from, and how.

    `told` is the address for people. `name` is the bundle's file, `kept` where the last good one
    is kept. `token` is what the environment says, `token_file` is read at every question. `tls`
    None: the system's certificates are trusted.
    """

    url: str = field(repr=False)
    signatures: str = field(repr=False)
    told: str
    name: str
    kept: Path
    poll: tuple[float, float] = POLL
    token: str | None = field(default=None, repr=False)
    token_file: Path | None = None
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    proxy: str | None = field(default=None, repr=False)

    @property
    def proxy_told(self) -> str | None:
        """The proxy without its login."""
        return None if self.proxy is None else without_login(self.proxy)

    def bearer(self) -> str | None:
        """The token to show now; None without one. Raises UnusableToken."""
        return self.token if self.token_file is None else _token_in(self.token_file)


def is_address(text: str) -> bool:
    """Whether a bundle is named by an address, not by a path.

    >>> is_address("https://host.test/a.lynkr"), is_address("out/a.lynkr")
    (True, False)
    """
    return _SCHEME.match(text) is not None


def refuse_asked(asked: Asked) -> None:
    """CannotServe where something is said of a server, and the bundle is a file."""
    given = {
        "--bundle-poll": asked.poll,
        "--bundle-token-env": asked.token_env,
        "--bundle-token-file": asked.token_file,
        "--bundle-ca": asked.ca,
        "--bundle-cache": asked.cache,
    }
    for option, value in given.items():
        if value is not None:
            raise CannotServe(f"{option} is for a bundle from a server, and this one is a path")


def bundle_server(address: str, asked: Asked, environ: Mapping[str, str]) -> BundleServer:
    """How to ask for the bundle at an address. Raises CannotServe, without a secret."""
    parts = _split(address)
    told = told_of(parts)
    if not _PRINTABLE.fullmatch(address):
        raise CannotServe(
            f"--bundle {told!a}: an address has printable letters of ASCII alone: %20 for a space, "
            "other letters as %XX, those of a host's name in their xn-- form"
        )
    _check_address(parts, told)
    file = parts.path.rpartition("/")[2]
    key = sha256(address.encode()).hexdigest()[:32]
    source, proxy = proxy_of(address, environ)
    if proxy is not None and not PROXY.fullmatch(proxy):
        raise CannotServe(
            f"{source} must be http://[user:password@]host[:port]; no other kind of proxy is "
            "spoken to"
        )
    return BundleServer(
        url=address,
        signatures=parts._replace(path=parts.path + SIGNATURE_SUFFIX).geturl(),
        told=told,
        name=file if _NAME.fullmatch(file) and file.endswith(SUFFIX) else f"bundle{SUFFIX}",
        kept=_cache(asked.cache, environ) / f"{key}.zip",
        poll=asked.poll or POLL,
        token=_token(asked, environ),
        token_file=asked.token_file,
        tls=None if asked.ca is None else _trusting(asked.ca),
        proxy=proxy,
    )


def told_of(parts: SplitResult) -> str:
    """An address for messages and logs: what stands behind `?` may be a credential.

    >>> told_of(urlsplit("https://host.test/a.lynkr?sig=secret"))
    'https://host.test/a.lynkr?...'
    """
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}{parts.path}" + ("?..." if parts.query else "")


def _split(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError as error:
        raise CannotServe("--bundle: not an address: its host or port cannot be read") from error
    return parts


def _check_address(parts: SplitResult, told: str) -> None:
    if parts.scheme not in ("https", "http"):
        raise CannotServe(f"--bundle {told}: bundles are fetched over https, or lie at a path")
    host = parts.hostname
    if not host or parts.path in ("", "/"):
        raise CannotServe(f"--bundle {told}: names no file; https://HOST/PATH/NAME{SUFFIX} does")
    if parts.username is not None or parts.password is not None:
        raise CannotServe(
            f"--bundle {told}: a login does not belong into an address, where others read it; "
            "--bundle-token-env NAME shows a token"
        )
    if parts.fragment:
        raise CannotServe(f"--bundle {told}: what stands behind # is of no use to a server")
    if parts.scheme == "http" and not is_loopback(host):
        raise CannotServe(
            f"--bundle {told}: http is spoken to this machine alone, anybody between could hold "
            "back what is new and read the token; serve it over https (--bundle-ca FILE names "
            "your own authority)"
        )


def _token(asked: Asked, environ: Mapping[str, str]) -> str | None:
    if asked.token_env is not None and asked.token_file is not None:
        raise CannotServe("--bundle-token-env and --bundle-token-file: one token is shown, not two")
    try:
        if asked.token_file is not None:
            _token_in(asked.token_file)
    except UnusableToken as fault:
        raise CannotServe(f"--bundle-token-file {fault}") from fault
    if asked.token_env is None:
        return None
    found = environ.get(asked.token_env)
    if not found:
        raise CannotServe(f"--bundle-token-env: environment variable {asked.token_env} is not set")
    if not _TOKEN.fullmatch(found):
        raise CannotServe(
            f"--bundle-token-env: what {asked.token_env} holds is no token: it has spaces, line "
            "ends, or letters beyond ASCII"
        )
    return found


def _token_in(file: Path) -> str:
    try:
        found = read_plain(file, LARGEST_TOKEN).decode("ascii").strip()
    except OSError as error:
        raise UnusableToken(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError:
        found = ""
    if len(found) > LARGEST_TOKEN or not _TOKEN.fullmatch(found):
        raise UnusableToken(f"{file}: holds no token, which is one word of ASCII")
    return found


def _trusting(file: Path) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=file)
    except ssl.SSLError as error:
        raise CannotServe(f"--bundle-ca {file}: holds no certificates in PEM form") from error
    except OSError as error:
        raise CannotServe(f"--bundle-ca {file}: cannot be read: {error.strerror}") from error
    context.set_alpn_protocols(["http/1.1"])
    return context


def _cache(chosen: Path | None, environ: Mapping[str, str]) -> Path:
    """The folder that keeps last good bundles, made if need be. Raises CannotServe."""
    folder = chosen or _usual_cache(environ)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, os.strerror(13))
    except OSError as error:
        raise CannotServe(
            f"the last good bundle cannot be kept in {folder}: {error.strerror}; "
            "--bundle-cache DIR names another folder"
        ) from error
    return folder


def _usual_cache(environ: Mapping[str, str]) -> Path:
    """Under systemd the unit's own folder, else the user's cache. Raises CannotServe."""
    if state := environ.get("STATE_DIRECTORY", "").partition(":")[0]:
        return Path(state) / "bundles"
    if cache := environ.get("XDG_CACHE_HOME"):
        return Path(cache) / "lynkrc" / "bundles"
    if home := environ.get("HOME"):
        return Path(home) / ".cache" / "lynkrc" / "bundles"
    raise CannotServe(
        "the last good bundle is kept on disk, and neither STATE_DIRECTORY, XDG_CACHE_HOME nor "
        "HOME says where; --bundle-cache DIR does"
    )
