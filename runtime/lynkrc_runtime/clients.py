"""Which client profile a request fits: by its User-Agent, else by the tools it brings."""

from collections.abc import Sequence
from typing import final

from lynkrc_runtime.dispatch import Client
from lynkrc_runtime.string_classes import fold_ascii

SHARED_PCT = 80
"""Least part of a profile's baseline tools that must be offered, or of the offered tools that must
be baseline ones, in percent."""

LEAST_SHARED = 4
"""Fewest tools that tell a client when only a part of its baseline is offered."""


@final
class Profile:
    """A client profile, ready to be compared with a request."""

    __slots__ = ("baseline", "tool_weights", "user_agents")

    def __init__(self, client: Client) -> None:
        self.user_agents = tuple(fold_ascii(prefix) for prefix in client.user_agent)
        self.baseline = frozenset(client.baseline_tools)
        self.tool_weights = client.tool_weights


def recognise(
    profiles: Sequence[Profile], user_agent: str | None, tools: frozenset[str]
) -> int | None:
    """Index of the profile that fits, None when none does. A User-Agent beats tools.

    A baseline lists the tools of many versions, and no version offers them all: a client is also
    known by hardly offering any others. Of several that fit, the one with most of the tools.
    """
    if user_agent is not None:
        folded = fold_ascii(user_agent)
        for number, profile in enumerate(profiles):
            if folded.startswith(profile.user_agents):
                return number
    best, most = None, 0
    for number, profile in enumerate(profiles if tools else ()):
        shared = len(profile.baseline & tools)
        offers_most_of_its_own = 100 * shared >= SHARED_PCT * len(profile.baseline)
        offers_few_others = shared >= LEAST_SHARED and 100 * shared >= SHARED_PCT * len(tools)
        if shared > most and (offers_most_of_its_own or offers_few_others):
            best, most = number, shared
    return best
