"""The command line and a bundle's `server` section to where and how a process serves.

What the command line says comes before what the bundle says; references in the bundle are looked
up in the environment once, at the start.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext
from typing import final

from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.references import MissingVariable, expand
from lynkrc_runtime.server.process import CannotServe
from lynkrc_runtime.server.security import is_loopback
from lynkrc_runtime.server.tls import UnusableTls, server_tls
from lynkrc_runtime.settings import Settings
from lynkrc_runtime.signature import NO_KEYS, Trust, UnusableKey, read_trusted_key
from lynkrc_runtime.state.open import needs_shared
from lynkrc_runtime.telemetry.log import Level

PORT, ADMIN_PORT = 8081, 8082
"""Where neither the command line nor the bundle says."""
LOOPBACKS = ("127.0.0.1", "::1")
STOP_DELAY = 5.0
"""Seconds connections are still accepted after a stop, with readiness failing."""
DRAIN_LIMIT = 600.0
"""Seconds running requests then have to end."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to serve; None leaves it to the bundle. Port 0: any free port; times in seconds."""

    bundle: Path
    host: str | None = None
    port: int | None = None
    admin_port: int | None = None
    dry_run: bool = False
    insecure_open: bool = False
    log_level: Level | None = None
    log_file: Path | None = None
    usage_log: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    workers: int = 1
    stop_delay: float = STOP_DELAY
    drain: float = DRAIN_LIMIT
    trust: Trust = NO_KEYS


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where to listen: for clients, and for operators."""

    hosts: tuple[str, ...]
    port: int
    admin_hosts: tuple[str, ...]
    admin_port: int


def addresses(options: Options, settings: Settings, environ: Mapping[str, str]) -> Addresses:
    """Where to listen. CannotServe where that would open the gateway to the network by accident."""
    server = settings.server
    host = options.host if options.host is not None else _expanded("host", server.host, environ)
    admin_host = _expanded("admin.host", server.admin.host, environ)
    port = _first(options.port, server.port, PORT)
    admin_port = _first(options.admin_port, server.admin.port, ADMIN_PORT)
    if port == admin_port != 0:
        raise CannotServe(
            f"--port and --admin-port are both {port}; clients and operators need one each"
        )
    if host is not None and not is_loopback(host) and not settings.keys:
        option = "server.host" if options.host is None else "--host"
        if not options.insecure_open:
            raise CannotServe(
                f"{option} {host} would serve anybody on the network without keys, with your "
                "credentials; declare keys, or --insecure-open does it all the same"
            )
    if admin_host is not None and not is_loopback(admin_host) and server.admin.token is None:
        raise CannotServe(
            f"server.admin.host {admin_host} would let anybody on the network operate the gateway; "
            "it needs server.admin.token"
        )
    return Addresses(
        hosts=LOOPBACKS if host is None else (host,),
        port=port,
        admin_hosts=LOOPBACKS if admin_host is None else (admin_host,),
        admin_port=admin_port,
    )


def trust_of(keys: Sequence[Path], *, is_required: bool) -> Trust:
    """Whose signatures count. The files are read once; CannotServe where one is no key."""
    if is_required and not keys:
        raise CannotServe("--require-signature needs --trusted-key FILE, the key of who signs")
    try:
        return Trust(keys=tuple(map(read_trusted_key, keys)), is_required=is_required)
    except UnusableKey as unusable:
        raise CannotServe(f"--trusted-key {unusable}") from unusable


def tls_of(options: Options, settings: Settings, environ: Mapping[str, str]) -> SSLContext | None:
    """What clients are served over TLS with; None without it. Raises CannotServe."""
    try:
        return server_tls(options.tls_cert, options.tls_key, settings.server.tls, environ)
    except UnusableTls as unusable:
        raise CannotServe(str(unusable)) from unusable


def refuse_memory(options: Options, settings: Settings) -> None:
    """CannotServe where several workers would each count for themselves what they must share."""
    needs = needs_shared(settings) if options.workers > 1 else []
    if needs:
        raise CannotServe(
            f"{', '.join(needs)}: with {options.workers} workers this cannot be kept in the memory "
            "of each; `state: {store: sqlite}` keeps it on this machine, `redis` for many"
        )


def apart(options: Options, dispatch: Dispatch) -> list[str]:
    """What several workers each know for themselves though it is declared of all; fit to print."""
    if options.workers == 1:
        return []
    told: list[str] = []
    settings = dispatch.settings
    needs = needs_shared(settings, is_dry=True) if options.dry_run else []
    if needs:
        told.append(
            f"{', '.join(needs)}: a dry run keeps them in memory, and each worker in its own; with "
            "one worker they are counted for all"
        )
    if settings.state.store == "memory" and settings.sessions.within == "turn":
        told.append(
            "sessions: each worker keeps turns in its own memory, and a turn's later steps may "
            "meet another worker, which decides them anew; `state: {store: sqlite}` shares them"
        )
    told += [
        f"providers.{one.name}.concurrency: each worker counts its own calls, all together may "
        f"have {options.workers} times {one.rest.concurrency} under way"
        for one in dispatch.providers
        if one.rest.concurrency is not None
    ]
    return told


def _first(chosen: int | None, declared: int | None, usual: int) -> int:
    """The first that is there; 0 counts."""
    return chosen if chosen is not None else usual if declared is None else declared


def _expanded(name: str, text: str | None, environ: Mapping[str, str]) -> str | None:
    if text is None:
        return None
    try:
        return expand(text, environ)
    except MissingVariable as missing:
        raise CannotServe(
            f"server.{name}: environment variable {missing.name} is not set"
        ) from missing
