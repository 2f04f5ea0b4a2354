"""The tools on offer and the client that offers them, to the slots that read these alone.

An agent offers the same tools with every step. What they put into the vector is worked out once for
tools that were read before, and copied from then on.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias, final

from lynkrc_runtime.clients import Clients
from lynkrc_runtime.dispatch import Client, Slot
from lynkrc_runtime.feature_table import OTHER_CLIENT
from lynkrc_runtime.protocol.conversation import Tool
from lynkrc_runtime.protocol.known_tools import names_of, recall, remember

DEFAULT_TOOL_WEIGHT = 50
"""Percent, of a tool the profile does not list."""

_Measure: TypeAlias = Callable[[Sequence[Tool], Sequence[int]], int]
"""A slot's value, of the tools and the percent weight of each beyond the client's baseline."""

_MEASURES: Mapping[str, _Measure] = MappingProxyType(
    {
        "tools.count": lambda tools, _: len(tools),
        "tools.added": lambda _, weights: len(weights),
        "tools.max_weight": lambda _, weights: max(weights, default=0),
        "tools.mean_weight": lambda _, weights: sum(weights) // len(weights) if weights else 0,
    }
)
OFFERED = frozenset((*_MEASURES, "tools.named", "client"))
"""The features of these slots."""


@final
class Offered:
    """Begins vectors: the slots of `OFFERED` features are filled, all others are zero, clamped."""

    __slots__ = ("_clients", "_key", "_measured", "_named", "_of_client", "_without", "_zeros")

    def __init__(self, slots: Sequence[Slot], names: Sequence[Client], clients: Clients) -> None:
        self._clients = clients
        self._zeros = [clamped(0, slot) for slot in slots]
        self._measured = [
            (place, slot, _MEASURES[slot.feature])
            for place, slot in enumerate(slots)
            if slot.feature in _MEASURES
        ]
        self._named = {
            slot.args[0]: (place, clamped(1, slot))
            for place, slot in enumerate(slots)
            if slot.feature == "tools.named"
        }
        self._of_client = [
            (place, _by_client(slot, names))
            for place, slot in enumerate(slots)
            if slot.feature == "client"
        ]
        self._without: dict[int | None, list[int]] = {}
        """Without tools, by the client that its User-Agent tells."""
        self._key = object()

    def begin(self, tools: tuple[Tool, ...], user_agent: str | None) -> list[int]:
        """A new vector."""
        agent = None if user_agent is None else self._clients.by_agent[user_agent]
        if tools:
            way = (Offered, agent)
            kept = recall(tools, way, self._key)
            if kept is None:
                kept = remember(tools, way, self._key, self._vector(tools, user_agent))
            vector: list[int] = kept[1]
            return vector.copy()
        known = self._without.get(agent)
        if known is None:
            known = self._without[agent] = self._vector(tools, user_agent)
        return known.copy()

    def _vector(self, tools: tuple[Tool, ...], user_agent: str | None) -> list[int]:
        client = self._clients.recognise(user_agent, tools)
        vector = self._zeros.copy()
        for place, values in self._of_client:
            vector[place] = values[client]
        weights = self._weights(tools, client)
        for place, slot, measure in self._measured:
            vector[place] = clamped(measure(tools, weights), slot)
        for name in self._named.keys() & names_of(tools):
            place, value = self._named[name]
            vector[place] = value
        return vector

    def _weights(self, tools: tuple[Tool, ...], client: int | None) -> list[int]:
        if client is None:
            return [DEFAULT_TOOL_WEIGHT] * len(tools)
        profile = self._clients.profiles[client]
        return [
            profile.tool_weights.get(tool.name, DEFAULT_TOOL_WEIGHT)
            for tool in tools
            if tool.name not in profile.baseline
        ]


def clamped(value: int, slot: Slot) -> int:
    """The value, or the slot's bound that it is beyond."""
    return min(max(value, slot.low), slot.high)


def _by_client(slot: Slot, clients: Sequence[Client]) -> dict[int | None, int]:
    """What a slot over clients is, by the index of the profile that fits."""
    numbers = {member.text: number for number, member in enumerate(slot.classes)}
    values: dict[int | None, int] = {None: clamped(numbers[OTHER_CLIENT], slot)}
    for index, client in enumerate(clients):
        values[index] = clamped(numbers[client.name], slot)
    return values
