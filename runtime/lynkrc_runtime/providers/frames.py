"""What a provider wants around a request of a dialect it did not invent, by name.

A frame turns what a dialect's writer wrote into what the provider's endpoint takes: members moved
between body, headers and address. `Endpoint.frame` names one.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from lynkrc_runtime.protocol.dialect import Written

FRAMES: Mapping[str, Callable[[Written], Written]] = MappingProxyType({})
"""Every frame by name."""
