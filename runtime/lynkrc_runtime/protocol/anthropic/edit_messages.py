"""The raw `messages` of a request, to the same with only the turns changed that must change.

Three edits: a `system` turn folded into its user neighbour as a ``<system-reminder>`` text,
reasoning that no Claude signed, or that another target did, left out, members beside role and
content left out. Every other turn, and every untouched block of a changed one, stays byte for byte.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import msgspec

from lynkrc_runtime.protocol.anthropic import raw
from lynkrc_runtime.protocol.carrier import PREFIX

_encode = msgspec.json.encode


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """Which edits to make; `strip_members` names siblings of role and content."""

    fold_system: bool = False
    strip_foreign_thinking: bool = False
    strip_signatures: frozenset[str] = frozenset()
    strip_all_thinking: bool = False
    strip_members: tuple[str, ...] = ()


@final
class _Turn:
    """A message under edit: `raw` until something changes, then members and blocks."""

    __slots__ = ("blocks", "members", "role", "whole")

    def __init__(self, item: msgspec.Raw | bytes, place: str) -> None:
        self.whole: bytes | None = bytes(item)
        self.members = raw.members(item, place)
        self.role = raw.string(self.members.get("role"), f"{place}.role")
        self.blocks: list[bytes] | None = None

    def open(self) -> list[bytes]:
        """The blocks, to be changed; a string becomes one text block."""
        self.whole = None
        if self.blocks is None:
            content = bytes(self.members["content"])
            if content[:1] == b"[":
                self.blocks = [bytes(item) for item in raw.items(content, "content")]
            else:
                is_empty = content == b'""'
                self.blocks = [] if is_empty else [b'{"type":"text","text":' + content + b"}"]
        return self.blocks

    def to_bytes(self) -> bytes:
        if self.whole is not None:
            return self.whole
        members = {name: bytes(member) for name, member in self.members.items()}
        if self.blocks is not None:
            members["content"] = raw.join_items(self.blocks)
        return raw.join(members)


def edit_messages(messages: bytes, edits: Edits) -> tuple[bytes, tuple[str, ...]]:
    """(messages, transforms); the very same bytes where nothing applies."""
    turns = [_Turn(item, f"messages.{i}") for i, item in enumerate(raw.items(messages, "messages"))]
    done: dict[str, None] = {}
    if edits.strip_all_thinking:
        turns = _strip_thinking(turns, done, b"thinking", _is_thinking)
    elif edits.strip_signatures:

        def goes(block: bytes) -> bool:
            return _is_foreign(block) or _signature(block) in edits.strip_signatures

        turns = _strip_thinking(turns, done, b"thinking", goes)
    elif edits.strip_foreign_thinking:
        turns = _strip_thinking(turns, done, PREFIX.encode(), _is_foreign)
    for name in edits.strip_members:
        for turn in turns:
            if turn.members.pop(name, None) is not None:
                turn.whole = None if turn.blocks is not None else raw.join(turn.members)
                done[f"dropped=messages.{name}"] = None
    if edits.fold_system and any(turn.role == "system" for turn in turns):
        turns = _fold_system(turns)
        done["folded=mid-system"] = None
    if not done:
        return messages, ()
    return raw.join_items([turn.to_bytes() for turn in turns]), tuple(done)


def _strip_thinking(
    turns: list[_Turn], done: dict[str, None], hint: bytes, goes: Callable[[bytes], bool]
) -> list[_Turn]:
    """Without the blocks that go; turns whose bytes lack the hint hold none."""
    kept: list[_Turn] = []
    for turn in turns:
        if turn.role == "assistant" and hint in (turn.whole or b""):
            blocks = turn.open()
            signed = [block for block in blocks if not goes(block)]
            if len(signed) < len(blocks):
                done["stripped=thinking"] = None
                turn.blocks = signed
                if not signed:
                    continue
        kept.append(turn)
    return kept


def _is_thinking(block: bytes) -> bool:
    kind = raw.optional_string(raw.members(block, "content").get("type"), "type")
    return kind in ("thinking", "redacted_thinking")


def _is_foreign(block: bytes) -> bool:
    return (_signature(block) or "").startswith(PREFIX)


def _signature(block: bytes) -> str | None:
    """What its maker knows a block of reasoning by; None for other blocks."""
    members = raw.members(block, "content")
    match raw.optional_string(members.get("type"), "type"):
        case "thinking":
            return raw.optional_string(members.get("signature"), "signature")
        case "redacted_thinking":
            return raw.optional_string(members.get("data"), "data")
        case _:
            return None


def _fold_system(turns: list[_Turn]) -> list[_Turn]:
    folded: list[_Turn] = []
    waiting: list[bytes] = []
    for turn in turns:
        if turn.role == "system":
            reminders = [_reminder(block) for block in turn.open()]
            if not waiting and folded and folded[-1].role == "user":
                folded[-1].open().extend(reminders)
            else:
                waiting.extend(reminders)
            continue
        if waiting:
            if turn.role == "user":
                blocks = turn.open()
                position = _leading_results(blocks)
                blocks[position:position] = waiting
            else:
                folded.append(_user_turn(waiting))
            waiting = []
        folded.append(turn)
    if waiting:
        folded.append(_user_turn(waiting))
    return folded


def _user_turn(blocks: list[bytes]) -> _Turn:
    return _Turn(b'{"role":"user","content":' + raw.join_items(blocks) + b"}", "messages")


def _leading_results(blocks: list[bytes]) -> int:
    """How many tool results stand first; nothing may be put before them."""
    for position, block in enumerate(blocks):
        if raw.optional_string(raw.members(block, "content").get("type"), "type") != "tool_result":
            return position
    return len(blocks)


def _reminder(block: bytes) -> bytes:
    """A system text as a reminder; its other members (a cache mark) stay as they are."""
    members = raw.members(block, "content")
    text = raw.optional_string(members.get("text"), "text")
    if text is None:
        return block
    return raw.join(
        {name: bytes(member) for name, member in members.items()} | {"text": _encode(remind(text))}
    )


def remind(text: str) -> str:
    """An instruction as a user turn may carry it."""
    return f"<system-reminder>\n{text}\n</system-reminder>"
