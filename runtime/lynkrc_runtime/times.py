"""How long is waited where a provider does not say: the defaults, in seconds.

The compiler's worst cases use the same ones.
"""

from dataclasses import dataclass, replace
from typing import final

from lynkrc_runtime.settings import Resilience

LOCAL = "local"
"""The trust level whose models may have to be loaded first."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Defaults in seconds, where a provider does not say otherwise (design: "Attempts")."""

    connect: float = 5.0
    first_event: float = 120.0
    first_event_local: float = 600.0
    total: float = 600.0
    idle: float = 120.0
    max_stream: float = 3600.0
    commit_after: float = 45.0
    keep_alive: float = 15.0

    def patience(self, trust: str) -> float:
        """How long a provider of this trust level has for its first event."""
        return self.first_event_local if trust == LOCAL else self.first_event


def declared_times(times: Times, declared: Resilience) -> Times:
    """The times with what a spec says of them for every provider alike.

    What one provider may say otherwise stands at the provider.
    """
    limits = declared.timeouts
    written = {
        "max_stream": limits.max_stream,
        "commit_after": limits.commit_after,
        "keep_alive": declared.keep_alive,
    }
    return replace(times, **{name: value for name, value in written.items() if value is not None})
