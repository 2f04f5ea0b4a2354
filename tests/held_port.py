"""A port that one test has for itself, also while nothing listens there."""

import socket
import sys
from dataclasses import dataclass, field


def _bound() -> socket.socket:
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


@dataclass(slots=True)
class HeldPort:
    """A free port of the loopback, `number`; until `close` nobody is given it who asks for any.

    Who asks for it by its number gets it, again and again, as nothing listens here.
    """

    number: int = field(init=False)
    _holder: socket.socket = field(default_factory=_bound)

    def __post_init__(self) -> None:
        self.number = self._holder.getsockname()[1]
        if sys.platform != "linux":  # there nobody else gets it at all
            self.close()

    def close(self) -> None:
        """Let it go."""
        self._holder.close()
