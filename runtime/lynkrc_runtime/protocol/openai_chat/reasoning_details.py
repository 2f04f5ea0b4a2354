"""Signed reasoning, to the entries of `reasoning_details` a Chat client may send back, and back.

Chat has no place for a signature, so reasoning that has one stands there a second time, in the
shapes of OpenRouter (wire reference B.9, C.1.7): ``reasoning.text`` with `text` and `signature`,
``reasoning.encrypted`` with `data`. Claude's own have the format ``anthropic-claude-v1``; what
other makers need back is a carrier and names no format. An entry is always whole, its `index` its
own, and its `id` that of the call it led to: Chat keeps calls apart from what was said.

>>> entry = detail_of(Thinking(text="Hm.", signature="Eo4B"), 0, None)
>>> entry["type"], entry["format"], read_details([entry])
('reasoning.text', 'anthropic-claude-v1', (Held(block=Thinking(text='Hm.', signature='Eo4B')),))
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, final

from msgspec import Struct
from msgspec.structs import replace

from lynkrc_runtime.protocol.carrier import PREFIX
from lynkrc_runtime.protocol.conversation import Block, RedactedThinking, Thinking, ToolCall

Json: TypeAlias = dict[str, Any]

CLAUDE_FORMAT = "anthropic-claude"
"""How the formats of Claude's entries begin."""

_FORMAT = "anthropic-claude-v1"
_TEXT = "reasoning.text"
_ENCRYPTED = "reasoning.encrypted"


@final
class Held(Struct, frozen=True, omit_defaults=True, repr_omit_defaults=True, kw_only=True):
    """Reasoning that was read, and the id of the call it led to, where it is known."""

    block: Thinking | RedactedThinking
    call_id: str | None = None


def detail_of(block: Thinking | RedactedThinking, index: int, call_id: str | None) -> Json | None:
    """The entry for a block; None where nobody needs anything back of it."""
    entry: Json
    if isinstance(block, RedactedThinking):
        entry = {"type": _ENCRYPTED, "data": block.data, "format": _FORMAT}
    elif not block.signature:
        return None
    elif not block.signature.startswith(PREFIX):
        signature = block.signature
        entry = {"type": _TEXT, "text": block.text, "signature": signature, "format": _FORMAT}
    elif block.text:
        entry = {"type": _TEXT, "text": block.text, "signature": block.signature}
    else:
        entry = {"type": _ENCRYPTED, "data": block.signature}
    if call_id is not None:
        entry["id"] = call_id
    entry["index"] = index
    return entry


@final
class Details:
    """The entries of one answer, which wait until it is known what their reasoning led to."""

    __slots__ = ("_count", "_waiting")

    def __init__(self) -> None:
        self._count = 0
        self._waiting: list[Thinking | RedactedThinking] = []

    @property
    def waits(self) -> bool:
        """Whether any reasoning does."""
        return bool(self._waiting)

    def add(self, block: Thinking | RedactedThinking) -> None:
        """Reasoning of the answer, in order."""
        self._waiting.append(block)

    def take(self, call_id: str | None) -> list[Json]:
        """The entries that waited: the call with this id follows them, or (None) something else."""
        entries: list[Json] = []
        for block in self._waiting:
            entry = detail_of(block, self._count, call_id)
            if entry is not None:
                self._count += 1
                entries.append(entry)
        self._waiting.clear()
        return entries


def read_details(entries: Sequence[Mapping[str, Any]]) -> tuple[Held, ...]:
    """The reasoning that its maker can be given back, in order; () where none is signed.

    Pieces of one entry may have been kept apart: a text is one with what follows it, up to its
    signature. Text that nobody signed among signed ones is reasoning too.
    """
    found: list[Held] = []
    is_open = False
    last: Any = None
    for entry in entries:
        held = _read(entry)
        if held is None:
            continue
        block, before = held.block, found[-1] if found else None
        same = None in (last, entry.get("index")) or last == entry.get("index")
        if is_open and same and isinstance(block, Thinking) and before is not None:
            assert isinstance(before.block, Thinking)
            whole = Thinking(text=before.block.text + block.text, signature=block.signature)
            found[-1] = replace(held, block=whole, call_id=held.call_id or before.call_id)
        else:
            found.append(held)
        is_open = isinstance(block, Thinking) and block.signature is None
        last = entry.get("index")
    is_signed = any(not isinstance(one.block, Thinking) or one.block.signature for one in found)
    return tuple(found) if is_signed else ()


def placed(held: Sequence[Held], blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The reasoning before what it led to: its call where that is known, else the whole turn."""
    if not held:
        return tuple(blocks)
    calls = {block.id for block in blocks if isinstance(block, ToolCall)}
    turn: list[Block] = [one.block for one in held if one.call_id not in calls]
    for block in blocks:
        if isinstance(block, ToolCall):
            turn += (one.block for one in held if one.call_id == block.id)
        turn.append(block)
    return tuple(turn)


def is_carried(entry: Mapping[str, Any]) -> bool:
    """Whether the entry holds a carrier of ours, which no Chat server can read."""
    return any(_text(value).startswith(PREFIX) for value in entry.values())


def _read(entry: Mapping[str, Any]) -> Held | None:
    given = entry.get("id")
    call_id = given if isinstance(given, str) and given else None
    is_claude = _text(entry.get("format")).startswith(CLAUDE_FORMAT)
    kind, data = entry.get("type"), _text(entry.get("data"))
    if kind == _ENCRYPTED and data.startswith(PREFIX):
        return Held(block=Thinking(text="", signature=data), call_id=call_id)
    if kind == _ENCRYPTED and data and is_claude:
        return Held(block=RedactedThinking(data=data), call_id=call_id)
    if kind != _TEXT:
        return None
    signature = _text(entry.get("signature"))
    is_readable = is_claude or signature.startswith(PREFIX)
    block = Thinking(text=_text(entry.get("text")), signature=signature or None)
    return Held(block=block, call_id=call_id) if is_readable or not signature else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
