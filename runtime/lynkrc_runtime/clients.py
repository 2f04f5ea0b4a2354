"""Which client profile a request fits: by its User-Agent, else by the tools it brings."""

from collections.abc import Collection, Sequence

from lynkrc_runtime.dispatch import Client
from lynkrc_runtime.string_classes import fold_ascii

BASELINE_PCT = 80
"""Least part of a profile's baseline tools that must be offered, in percent."""


def recognise(
    clients: Sequence[Client], user_agent: str | None, tools: Collection[str]
) -> int | None:
    """Index of the first profile that fits, None when none does. A User-Agent beats tools."""
    if user_agent is not None:
        folded = fold_ascii(user_agent)
        for number, client in enumerate(clients):
            if any(folded.startswith(fold_ascii(prefix)) for prefix in client.user_agent):
                return number
    offered = frozenset(tools)
    for number, client in enumerate(clients):
        baseline = frozenset(client.baseline_tools)
        if baseline and 100 * len(baseline & offered) >= BASELINE_PCT * len(baseline):
            return number
    return None
