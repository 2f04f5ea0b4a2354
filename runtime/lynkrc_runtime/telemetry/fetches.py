"""How asking a server for the bundle went, as metrics and as what readiness tells of it."""

from enum import Enum
from typing import final

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

SERVER, CACHE = "bundle-server", "bundle-cache"
"""What readiness calls degraded."""


class Fetch(Enum):
    """How one question ended; all but the first two leave what serves as it is."""

    FETCHED = "fetched"
    UNCHANGED = "unchanged"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    TIMEOUT = "timeout"
    TOKEN = "token"
    DENIED = "denied"
    MISSING = "missing"
    REDIRECT = "redirect"
    STATUS = "status"
    BROKEN = "broken"
    LARGE = "large"
    ENCODED = "encoded"
    DISK = "disk"
    UNTRUSTED = "untrusted"
    INVALID = "invalid"
    REFUSED = "refused"


@final
class Fetches:
    """Counts questions, in a registry of its own.

    `trouble` is why the last one failed, `unkept` why what serves could not be kept on disk.
    """

    __slots__ = ("_last", "_registry", "_total", "trouble", "unkept")

    def __init__(self) -> None:
        self.trouble: str | None = None
        self.unkept: str | None = None
        self._registry = CollectorRegistry(auto_describe=False)
        self._total = Counter(
            "lynkr_bundle_fetches",
            "Questions to the bundle server by how they ended",
            ["result"],
            registry=self._registry,
        )
        for result in Fetch:
            self._total.labels(result.value)
        self._last = Gauge(
            "lynkr_bundle_last_success_timestamp_seconds",
            "When the bundle server last said what the bundle is; 0: never",
            registry=self._registry,
        )

    def succeeded(self, result: Fetch, now: float) -> None:
        """The server offers what serves; `now` is Unix seconds."""
        self._total.labels(result.value).inc()
        self._last.set(now)
        self.trouble = None

    def failed(self, result: Fetch, reason: str) -> None:
        """It does not, or did not say."""
        self._total.labels(result.value).inc()
        self.trouble = reason

    @property
    def degraded(self) -> dict[str, str]:
        """What works less than it should, and why."""
        found = {SERVER: self.trouble, CACHE: self.unkept}
        return {name: reason for name, reason in found.items() if reason is not None}

    def render(self) -> bytes:
        """The text exposition format."""
        return generate_latest(self._registry)
