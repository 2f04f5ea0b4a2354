"""What became of a reload, and of all of them as metrics of the process that owns the bundle."""

from dataclasses import dataclass
from enum import Enum
from typing import Any, final

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class Result(Enum):
    """How a reload ended."""

    RELOADED = "reloaded"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reloaded:
    """A reload's end: the digest that served before and the one that serves now."""

    result: Result
    old: str
    new: str
    reason: str | None = None

    @property
    def members(self) -> dict[str, Any]:
        """For an answer and a log line."""
        told: dict[str, Any] = {"result": self.result.value, "old": self.old, "new": self.new}
        return told if self.reason is None else told | {"reason": self.reason}


@final
class Reloads:
    """Counts reloads, in a registry of its own."""

    __slots__ = ("_failed", "_registry", "_total")

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._total = Counter(
            "lynkr_reloads",
            "Reloads of the bundle by how they ended",
            ["result"],
            registry=self._registry,
        )
        for result in Result:
            self._total.labels(result.value)
        self._failed = Gauge(
            "lynkr_reload_failed",
            "1 while the last reload is one that failed",
            registry=self._registry,
        )

    def ended(self, result: Result) -> None:
        """A reload ended."""
        self._total.labels(result.value).inc()
        self._failed.set(result is Result.FAILED)

    def render(self) -> bytes:
        """The text exposition format."""
        return generate_latest(self._registry)
