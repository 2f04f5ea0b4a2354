"""Answers of the Responses API, kept for a time and within a size: what `responses_store` declares.

They lie in a `Store`, as one family of values. Everything is kept under a *scope*, which is the
caller's: one caller's ids mean nothing to another (design: runtime.md, "Response store").

>>> import asyncio
>>> from lynkrc_runtime.state.memory import MemoryStore
>>> async def kept_and_found():
...     answers = ResponseStore(MemoryStore(), ttl=60.0)
...     await answers.put("me", Kept(id="resp_1", body=b"{}", input=(b'{"a":1}',), output=()))
...     mine = await answers.get("me", "resp_1")
...     return mine.input, await answers.get("you", "resp_1")
>>> asyncio.run(kept_and_found())
((b'{"a":1}',), None)
"""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import final

import msgspec

from lynkrc_runtime.settings import ResponsesStore
from lynkrc_runtime.state.interface import Store

DEFAULT_SIZE = 256 * 1024 * 1024
"""Bytes, where the bundle does not say."""

_FAMILY = "response"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer: the response as the client got it, and its items as raw JSON.

    `input` is all the model was given, earlier turns included; `output` what it said.
    """

    id: str
    body: bytes = field(repr=False)
    input: tuple[bytes, ...] = field(repr=False)
    output: tuple[bytes, ...] = field(repr=False)


_write = msgspec.msgpack.encode
_read = msgspec.msgpack.Decoder(Kept).decode
_read_item = msgspec.msgpack.Decoder(tuple[str, bytes]).decode


@final
class ResponseStore:
    """`ttl` is seconds; all answers take at most `size` bytes, and the oldest go first.

    Redis bounds what it holds by its own `maxmemory`. Every operation raises StoreDown.
    """

    __slots__ = ("_size", "_store", "_ttl")

    def __init__(self, store: Store, *, ttl: float, size: int = DEFAULT_SIZE) -> None:
        self._store = store
        self._ttl = ttl
        self._size = size

    async def put(self, scope: str, kept: Kept) -> None:
        """Keep an answer, and its items for references to them; not one larger than the store."""
        values = {
            _item_key(scope, name): _write((kept.id, item))
            for item in kept.output
            if (name := item_id(item))
        }
        values[_key(scope, kept.id)] = _write(kept)
        if sum(len(key) + len(value) for key, value in values.items()) <= self._size:
            await self._store.put(values, self._ttl, self._size)

    async def get(self, scope: str, response_id: str) -> Kept | None:
        """The answer; None for one that is not there, not yours, or too old."""
        key = _key(scope, response_id)
        found = (await self._store.get([key])).get(key)
        try:
            return None if found is None else _read(found)
        except msgspec.DecodeError:
            return None  # of another version of this runtime

    async def item(self, scope: str, item: str) -> bytes | None:
        """An output item of any answer kept in the scope."""
        found = await self._items(scope, [item])
        return found[item][1] if found else None

    async def delete(self, scope: str, response_id: str) -> bool:
        """Forget an answer; whether it was there."""
        kept = await self.get(scope, response_id)
        if kept is None:
            return False
        named = [name for item in kept.output if (name := item_id(item))]
        # Another answer may have an item of this id since: that one stays.
        own = [
            _item_key(scope, name)
            for name, (answer, _) in (await self._items(scope, named)).items()
            if answer == response_id
        ]
        await self._store.delete([_key(scope, response_id), *own])
        return True

    async def _items(self, scope: str, names: list[str]) -> dict[str, tuple[str, bytes]]:
        """Items by their ids: the id of the answer each was last in, and itself."""
        keys = {name: _item_key(scope, name) for name in names}
        found = await self._store.get(list(keys.values()))
        items = {}
        for name, key in keys.items():
            if key in found:
                try:
                    items[name] = _read_item(found[key])
                except msgspec.DecodeError:
                    continue  # of another version of this runtime
        return items


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


def response_store(declared: ResponsesStore | None, store: Store) -> ResponseStore | None:
    """What the section declares, in the store that holds kept answers; None without a section."""
    if declared is None:
        return None
    size = DEFAULT_SIZE if declared.size is None else declared.size
    return ResponseStore(store, ttl=declared.ttl, size=size)


def _key(scope: str, response_id: str) -> str:
    return _hashed("answer", scope, response_id)


def _item_key(scope: str, item: str) -> str:
    return _hashed("item", scope, item)


def _hashed(*parts: str) -> str:
    """A key of one length without a client's text; the parts' lengths tell them apart."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
    return f"{_FAMILY}:{digest}"
