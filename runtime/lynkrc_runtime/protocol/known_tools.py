"""The raw tools of a request to the tools read from equal bytes before.

An agent sends the same tools, often the most of a request, with every step. They are read once.
What is kept is bounded by number and by bytes, the longest unused goes first; nothing is kept of
what cannot be read. The tools are shared by requests: nobody may change what they hold.

>>> known = Known(lambda raw: KnownTools())
>>> known.read(b"[]") is known.read(b"[]")
True
"""

from collections.abc import Callable
from typing import Generic, TypeVar, final

from lynkrc_runtime.once import once
from lynkrc_runtime.protocol.conversation import Tool

_T = TypeVar("_T")

MOST_SETS = 64
"""Sets of tools that one dialect keeps."""
MOST_BYTES = 1 << 20
"""Bytes of them, as they were sent."""
MOST_OF_ONE = MOST_BYTES // 4
"""Bytes of a set that is kept."""
_TAIL = 64


@final
class KnownTools(tuple[Tool, ...]):
    """Tools, and what was worked out of them."""

    tokens: int | None = None
    """The estimate of what they have, once somebody asked for it."""

    @once
    def names(self) -> frozenset[str]:
        """Their names."""
        return frozenset([tool.name for tool in self])


@final
class Known(Generic[_T]):
    """Reads, unless it has read the same before."""

    __slots__ = ("_kept", "_read", "_size")

    def __init__(self, read: Callable[[bytes], _T]) -> None:
        self._read = read
        self._kept: dict[tuple[int, bytes], tuple[bytes, _T]] = {}
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes kept, as they were sent."""
        return self._size

    def read(self, data: bytes) -> _T:
        """What `read` makes of the data; its errors are handed on."""
        # Comparing all bytes is cheaper than a hash of all; few sets are alike in both of these.
        key = (len(data), data[-_TAIL:])
        held = self._kept.pop(key, None)
        if held is not None:
            if held[0] == data:
                self._kept[key] = held  # the last that was used
                return held[1]
            self._size -= len(held[0])
        made = self._read(data)
        if len(data) <= MOST_OF_ONE:
            self._kept[key] = (data, made)
            self._size += len(data)
            while self._size > MOST_BYTES or len(self._kept) > MOST_SETS:
                oldest, _ = self._kept.pop(next(iter(self._kept)))
                self._size -= len(oldest)
        return made


def names_of(tools: tuple[Tool, ...]) -> frozenset[str]:
    """The names of a request's tools."""
    return tools.names if type(tools) is KnownTools else frozenset([tool.name for tool in tools])
