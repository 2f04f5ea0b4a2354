"""The `anthropic-*` headers of an upstream request, and what must leave the body with them.

A beta that a model does not take is left out, and with it the members only that beta allows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import final

from lynkrc_runtime.protocol.shapes import RequestShape

_MEMBERS_OF_BETA: Mapping[str, tuple[str, ...]] = {
    "context_management": ("context-management-",),
    "mcp_servers": ("mcp-client-",),
    "safeguards": ("dangerous-tool-use-",),
    "speed": ("fast-mode-",),
    "thread": ("message-threads-",),
    "fallbacks": ("server-side-fallback-",),
    "compaction": ("compact-",),
}
"""Top-level members and the betas that bring them (wire reference A.1.1, A.1.2; clients 2)."""

_TURN_CONFIG_BETAS = ("per-turn-control-", "mid-conversation-output-config-")
_DISPLAY_BETA = ("thinking-display-updates-",)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Betas:
    """The betas that go on and those that were left out, in the client's order."""

    kept: tuple[str, ...]
    dropped: tuple[str, ...]

    def lost(self, prefixes: Iterable[str]) -> bool:
        """Whether every beta of these prefixes was left out, and one was there."""
        if not self.dropped:
            return False
        wanted = tuple(prefixes)
        return any(beta.startswith(wanted) for beta in self.dropped) and not any(
            beta.startswith(wanted) for beta in self.kept
        )

    def lost_members(self) -> tuple[str, ...]:
        """Top-level members that are not legal any more."""
        return tuple(name for name, of in _MEMBERS_OF_BETA.items() if self.lost(of))

    @property
    def lost_turn_config(self) -> bool:
        """Whether `output_config` inside `messages` is not legal any more."""
        return self.lost(_TURN_CONFIG_BETAS)

    @property
    def lost_display_updates(self) -> bool:
        """Whether `display: updates` is not legal any more."""
        return self.lost(_DISPLAY_BETA)


_NONE = Betas(kept=(), dropped=())


def split_betas(headers: Mapping[str, str], shape: RequestShape) -> Betas:
    """The client's `anthropic-beta`, by what the shape takes."""
    header = headers.get("anthropic-beta")
    if not header:
        return _NONE
    given = [beta.strip() for beta in header.split(",")]
    wanted = list(dict.fromkeys(beta for beta in given if beta))
    legal = shape.betas
    if legal is None:
        return Betas(kept=tuple(wanted), dropped=())
    return Betas(
        kept=tuple(beta for beta in wanted if beta in legal),
        dropped=tuple(beta for beta in wanted if beta not in legal),
    )
