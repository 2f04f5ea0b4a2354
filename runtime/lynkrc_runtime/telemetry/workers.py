"""What a supervisor knows of its workers, as metrics."""

from typing import final

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


@final
class WorkerCounts:
    """Counts workers, in a registry of its own."""

    __slots__ = ("_deaths", "_registry", "_serving")

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._serving = Gauge(
            "lynkr_workers", "Workers that accept requests", registry=self._registry
        )
        self._deaths = Counter(
            "lynkr_worker_deaths", "Workers that ended by themselves", registry=self._registry
        )

    def died(self) -> None:
        """A worker ended that was not to end."""
        self._deaths.inc()

    def render(self, serving: int) -> bytes:
        """The text exposition format; `serving` workers accept requests now."""
        self._serving.set(serving)
        return generate_latest(self._registry)
