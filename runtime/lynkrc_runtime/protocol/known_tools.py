"""The raw tools of a request to the tools read from equal bytes before.

An agent sends the same tools, often the most of a request, with every step. They are read once.
What is kept is bounded by number and by bytes, the longest unused goes first; nothing is kept of
what cannot be read. What they are written as for another dialect is kept with them, about as many
bytes again for each way. The tools are shared by requests: nobody may change what they hold.

>>> known = Known(lambda raw: KnownTools())
>>> known.read(b"[]") is known.read(b"[]")
True
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Generic, ParamSpec, TypeVar, final

from lynkrc_runtime.once import once
from lynkrc_runtime.protocol.conversation import Tool
from lynkrc_runtime.protocol.naming import original_names

_T = TypeVar("_T")
_Said = ParamSpec("_Said")

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

    @once
    def originals(self) -> Mapping[str, str]:
        """See `naming.original_names`."""
        return original_names(self.names)

    @once
    def free_form(self) -> frozenset[str]:
        """The names of those that take free text."""
        return _free_form(self)

    @once
    def written(self) -> dict[Hashable, Any]:
        """What others made of them: writers by how they are written, and see `remember`."""
        return {}


@final
class Known(Generic[_T]):
    """Reads, unless it has read the same before."""

    __slots__ = ("_kept", "_made", "_read", "_size", "last")

    def __init__(self, read: Callable[[bytes], _T]) -> None:
        self._read = read
        self._kept: dict[tuple[int, bytes], tuple[bytes, _T]] = {}
        self._size = 0
        self._made: _T | None = None
        self.last = b""
        """What was read last and is kept; b"" before there is any."""

    @property
    def size(self) -> int:
        """Bytes kept, as they were sent."""
        return self._size

    def read(self, data: bytes) -> _T:
        """What `read` makes of the data; its errors are handed on."""
        if data is self.last and self._made is not None:
            return self._made
        # Comparing all bytes is cheaper than a hash of all; few sets are alike in both of these.
        key = (len(data), data[-_TAIL:])
        held = self._kept.pop(key, None)
        if held is not None:
            if held[0] == data:
                self._kept[key] = held  # the last that was used
                self.last, self._made = held
                return held[1]
            self._size -= len(held[0])
            self.last, self._made = b"", None
        made = self._read(data)
        if len(data) <= MOST_OF_ONE:
            self._kept[key] = (data, made)
            self.last, self._made = data, made
            self._size += len(data)
            while self._size > MOST_BYTES or len(self._kept) > MOST_SETS:
                oldest, _ = self._kept.pop(next(iter(self._kept)))
                self._size -= len(oldest)
        return made


def names_of(tools: tuple[Tool, ...]) -> frozenset[str]:
    """The names of a request's tools."""
    return tools.names if type(tools) is KnownTools else frozenset([tool.name for tool in tools])


def originals_of(tools: tuple[Tool, ...]) -> Mapping[str, str]:
    """What each mapped name of a request's tools was, see `naming.original_names`."""
    if type(tools) is KnownTools:
        return tools.originals
    return original_names(tool.name for tool in tools) if tools else {}


def free_form_of(tools: tuple[Tool, ...]) -> frozenset[str]:
    """The names of a request's tools that take free text."""
    return tools.free_form if type(tools) is KnownTools else _free_form(tools)


def _free_form(tools: tuple[Tool, ...]) -> frozenset[str]:
    return frozenset([tool.name for tool in tools if tool.kind == "custom"])


def written_once(
    tools: tuple[Tool, ...],
    way: Hashable,
    write: Callable[_Said, _T],
    *said: _Said.args,
    **more: _Said.kwargs,
) -> _T:
    """What `write` makes of `said`, which `way` and the tools must say all about."""
    if type(tools) is not KnownTools:
        return write(*said, **more)
    found: _T | None = tools.written.get(way)
    if found is None:
        found = tools.written[way] = write(*said, **more)
    return found


def recall(tools: tuple[Tool, ...], way: Hashable, owner: object) -> tuple[object, Any] | None:
    """The owner, and what it had remembered of these tools."""
    if type(tools) is not KnownTools:
        return None
    kept: tuple[object, Any] | None = tools.written.get(way)
    return kept if kept is not None and kept[0] is owner else None


def remember(tools: tuple[Tool, ...], way: Hashable, owner: object, told: _T) -> tuple[object, _T]:
    """What `recall` gives from now on, where the tools are known; of one owner of a way at a time.

    Bundles come and go: an owner is an object that stands for one and holds little of it.
    """
    kept = (owner, told)
    if type(tools) is KnownTools:
        tools.written[way] = kept
    return kept
