"""Answers of the Responses API, kept for a time and within a size: what `responses_store` declares.

In memory, so a restart forgets them. Everything is kept under a *scope*, which is the caller's: one
caller's ids mean nothing to another (design: runtime.md, "Response store").

>>> store = ResponseStore(ttl=60.0, size=1000, clock=lambda: 0.0)
>>> store.put("me", Kept(id="resp_1", body=b"{}", input=(b'{"a":1}',), output=()))
>>> store.get("me", "resp_1").input, store.get("you", "resp_1")
((b'{"a":1}',), None)
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import msgspec

from lynkrc_runtime.settings import Settings

DEFAULT_SIZE = 256 * 1024 * 1024
"""Bytes, where the bundle does not say."""


@final
class UnservedStore(Exception):
    """A declared store this runtime does not have; says which."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer: the response as the client got it, and its items as raw JSON.

    `input` is all the model was given, earlier turns included; `output` what it said.
    """

    id: str
    body: bytes
    input: tuple[bytes, ...]
    output: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Bytes. Items that several answers share count in each of them."""
        return len(self.body) + sum(map(len, self.input)) + sum(map(len, self.output))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    kept: Kept
    until: float
    items: tuple[str, ...]


@final
class ResponseStore:
    """`ttl` is seconds, `size` bytes; the oldest answers go first. `clock` gives seconds."""

    __slots__ = ("_bytes", "_clock", "_entries", "_items", "_size", "_ttl")

    def __init__(
        self, *, ttl: float, size: int = DEFAULT_SIZE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ttl = ttl
        self._size = size
        self._clock = clock
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()
        self._items: dict[tuple[str, str], tuple[str, bytes]] = {}
        """Output items by scope and id, with their answer's, for references to them."""
        self._bytes = 0

    def put(self, scope: str, kept: Kept) -> None:
        """Keep an answer; one larger than the whole store is not kept."""
        self.delete(scope, kept.id)
        if kept.size > self._size:
            return
        named = {name: item for item in kept.output if (name := item_id(item))}
        self._items |= {(scope, name): (kept.id, item) for name, item in named.items()}
        entry = _Entry(kept=kept, until=self._clock() + self._ttl, items=tuple(named))
        self._entries[scope, kept.id] = entry
        self._bytes += kept.size
        self._expire()

    def get(self, scope: str, response_id: str) -> Kept | None:
        """The answer; None for one that is not there, not yours, or too old."""
        self._expire()
        entry = self._entries.get((scope, response_id))
        return None if entry is None else entry.kept

    def item(self, scope: str, item: str) -> bytes | None:
        """An output item of any answer kept in the scope."""
        self._expire()
        found = self._items.get((scope, item))
        return None if found is None else found[1]

    def delete(self, scope: str, response_id: str) -> bool:
        """Forget an answer; whether it was there."""
        entry = self._entries.pop((scope, response_id), None)
        if entry is None:
            return False
        self._bytes -= entry.kept.size
        for name in entry.items:
            # Another answer may have an item of this id since: that one stays.
            if self._items.get((scope, name), ("", b""))[0] == response_id:
                del self._items[scope, name]
        return True

    def _expire(self) -> None:
        now = self._clock()
        while self._entries:
            key, entry = next(iter(self._entries.items()))
            if entry.until > now and self._bytes <= self._size:
                return
            self.delete(*key)


@final
class _Named(msgspec.Struct):
    id: str | None = None


_read_named = msgspec.json.Decoder(_Named).decode


def item_id(item: bytes) -> str | None:
    """The id of an item, None where it has none."""
    try:
        return _read_named(item).id
    except msgspec.DecodeError:
        return None


def open_store(settings: Settings) -> ResponseStore | None:
    """The declared store, None without one. Raises UnservedStore."""
    declared = settings.responses_store
    if declared is None:
        return None
    kind = declared.store or settings.state.store
    if kind != "memory":
        raise UnservedStore(
            f"responses_store: this runtime keeps answers in memory only, not in {kind}; "
            "write `store: memory`"
        )
    size = DEFAULT_SIZE if declared.size is None else declared.size
    return ResponseStore(ttl=declared.ttl, size=size)
