"""Which client profile a request fits: by its User-Agent, else by the tools it brings."""

from collections.abc import Sequence
from typing import final

from lynkrc_runtime.dispatch import Client
from lynkrc_runtime.protocol.conversation import Tool
from lynkrc_runtime.protocol.known_tools import names_of, recall, remember
from lynkrc_runtime.string_classes import Remembered, fold_ascii

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
    """Index of the profile that fits, None when none does. A User-Agent beats tools."""
    number = None if user_agent is None else _by_agent(profiles, user_agent)
    return _by_tools(profiles, tools) if number is None else number


@final
class Clients:
    """The profiles of one bundle; what is asked again (an agent, known tools) is looked up."""

    __slots__ = ("_key", "by_agent", "profiles")

    def __init__(self, clients: Sequence[Client]) -> None:
        self.profiles = tuple(map(Profile, clients))
        self.by_agent = Remembered(lambda agent: _by_agent(self.profiles, agent))
        """By User-Agent, the index of the profile that fits; None where none does."""
        # The same for all that know the clients of one bundle: what one remembers helps the others.
        self._key = clients

    def recognise(self, user_agent: str | None, tools: tuple[Tool, ...]) -> int | None:
        """As the function of that name does."""
        number: int | None = None if user_agent is None else self.by_agent[user_agent]
        if number is not None or not tools:
            return number
        kept = recall(tools, Clients, self._key)
        if kept is None:
            told = _by_tools(self.profiles, names_of(tools))
            kept = remember(tools, Clients, self._key, told)
        number = kept[1]
        return number


def _by_agent(profiles: Sequence[Profile], user_agent: str) -> int | None:
    folded = fold_ascii(user_agent)
    for number, profile in enumerate(profiles):
        if folded.startswith(profile.user_agents):
            return number
    return None


def _by_tools(profiles: Sequence[Profile], tools: frozenset[str]) -> int | None:
    """A baseline lists the tools of many versions, and no version offers them all: a client is also
    known by hardly offering any others. Of several that fit, the one with most of the tools.
    """
    best, most = None, 0
    for number, profile in enumerate(profiles if tools else ()):
        shared = len(profile.baseline & tools)
        offers_most_of_its_own = 100 * shared >= SHARED_PCT * len(profile.baseline)
        offers_few_others = shared >= LEAST_SHARED and 100 * shared >= SHARED_PCT * len(tools)
        if shared > most and (offers_most_of_its_own or offers_few_others):
            best, most = number, shared
    return best
