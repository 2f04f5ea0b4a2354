"""A path that calls a model to what serves it, and a request there to what is served.

Free of aiohttp, so that both ways a request may come by say it once.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, final

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.server.exchange import Client, Incoming
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.server.security import random_hex

Serving: TypeAlias = Callable[[Gateway, Incoming, Client], Awaitable[None]]
"""Serves one request, whatever becomes of it."""


@final
@dataclass(frozen=True, slots=True)
class Surface:
    """`path` is its right spelling; what comes there is `surface`, in `dialect`."""

    path: str
    surface: str
    dialect: str
    serving: Serving

    def incoming(
        self,
        headers: Mapping[str, str],
        repeated: frozenset[str],
        body: bytes,
        request_id: str,
        caller: Caller | None,
        arrived: float,
    ) -> Incoming:
        """A request that came here; see `Incoming`."""
        return Incoming(
            surface=self.surface,
            dialect=self.dialect,
            headers=headers,
            repeated=repeated,
            body=body,
            request_id=request_id,
            answer_id=random_hex(),
            created=int(time.time()),
            arrived=arrived,
            caller=caller,
        )
