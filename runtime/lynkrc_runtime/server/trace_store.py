"""Traces of requests, kept for a while within bounds, to be read by operators.

>>> store = TraceStore(lambda: 0.0)
>>> store.put("tr_1", {"version": 1})
>>> store.get("tr_1"), store.get("tr_2")
(b'{"version":1}', None)
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, final

import msgspec

TTL = 600.0
"""Seconds a trace is kept."""
MOST = 1000
"""Traces kept at a time."""
SIZE = 32 * 1024 * 1024
"""Bytes of all of them."""
LARGEST = 512 * 1024
"""Bytes of one; of a larger one the largest parts are left out, and named in it."""

_LEFT_OUT = ("features", "rules", "decision")
"""What is left out of a large trace, in this order."""


@final
class TraceStore:
    """The traces of one gateway as JSON; the oldest go first. `clock` gives seconds."""

    __slots__ = ("_bytes", "_clock", "_kept", "_most", "_size", "_ttl")

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        ttl: float = TTL,
        most: int = MOST,
        size: int = SIZE,
    ) -> None:
        self._clock = clock
        self._ttl = ttl
        self._most = most
        self._size = size
        # In the order they were last put, so what is too old stands first.
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._bytes = 0

    def put(self, identity: str, trace: Mapping[str, Any]) -> None:
        """Keep a trace, in place of one of the same id."""
        self._forget(identity)
        body = _bounded(trace)
        self._kept[identity] = (self._clock() + self._ttl, body)
        self._bytes += len(body)
        self._expire()

    def get(self, identity: str) -> bytes | None:
        """A trace; None for one that is not there, or no longer."""
        self._expire()
        found = self._kept.get(identity)
        return None if found is None else found[1]

    def __len__(self) -> int:
        self._expire()
        return len(self._kept)

    def _expire(self) -> None:
        now = self._clock()
        while self._kept:
            identity, (until, _) = next(iter(self._kept.items()))
            if until > now and self._bytes <= self._size and len(self._kept) <= self._most:
                return
            self._forget(identity)

    def _forget(self, identity: str) -> None:
        found = self._kept.pop(identity, None)
        if found is not None:
            self._bytes -= len(found[1])


def _bounded(trace: Mapping[str, Any]) -> bytes:
    """The trace as JSON, without its largest parts where it would be larger than `LARGEST`."""
    parts = dict(trace)
    body = msgspec.json.encode(parts)
    for name in _LEFT_OUT:
        if len(body) <= LARGEST:
            break
        if name == "rules" and parts["decision"] is not None:
            parts["decision"] = {**parts["decision"], "rules": []}
        elif name != "rules":
            parts[name] = [] if name == "features" else None
        parts["omitted"] = [*parts["omitted"], name]
        body = msgspec.json.encode(parts)
    return body
