"""One output item of a Responses answer, to neutral blocks: whole answers and streams share it.

>>> read_item({"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}, "", 0).blocks
(ToolCall(id='c', name='f', arguments='{}', custom=False, extra={}),)
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from lynkrc_runtime.protocol.carrier import OPENAI, seal
from lynkrc_runtime.protocol.conversation import Block, Refusal, Text, Thinking, ToolCall
from lynkrc_runtime.protocol.openai_responses.write_items import Sealed

CALLS: Mapping[str, str] = {"function_call": "arguments", "custom_tool_call": "input"}
"""Items that are calls of the client's tools, and where their text stands."""

HIDDEN = "reasoning.encrypted_content"
"""What is lost where a seal cannot be carried."""

BETWEEN = "\n\n"
"""Between the parts of one item's reasoning."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """What an item says, and the names of what of it has no neutral part."""

    blocks: tuple[Block, ...] = ()
    lost: tuple[str, ...] = ()


def read_item(item: Mapping[str, Any], maker: str, number: int) -> Item:
    """The blocks of an item; `number` is its place, for calls without an id."""
    kind = text_of(item.get("type"))
    if kind == "message":
        parts = [part for part in list_of(item.get("content")) if isinstance(part, dict)]
        blocks = tuple(block for part in parts if (block := read_part(part)) is not None)
        return Item(blocks=blocks, lost=lost_of(item))
    if kind == "reasoning":
        text, signature = reasoning_text(item), reasoning_signature(item, maker)
        if not text and signature is None:
            return Item(lost=lost_of(item))
        return Item(blocks=(Thinking(text=text, signature=signature),), lost=lost_of(item, maker))
    if kind in CALLS:
        custom = kind == "custom_tool_call"
        text = text_of(item.get(CALLS[kind]))
        call = ToolCall(
            id=call_id(item, number),
            name=text_of(item.get("name")),
            arguments=text if custom else text or "{}",
            custom=custom,
        )
        return Item(blocks=(call,))
    return Item(lost=lost_of(item))


def read_part(part: Mapping[str, Any]) -> Text | Refusal | None:
    """A content part that says something; None for an empty or unknown one."""
    if part.get("type") == "refusal":
        refusal = text_of(part.get("refusal"))
        return Refusal(text=refusal) if refusal else None
    text = text_of(part.get("text"))
    return Text(text=text) if text else None


def reasoning_text(item: Mapping[str, Any]) -> str:
    """Summaries and open reasoning of an item, the summaries first."""
    parts = (*list_of(item.get("summary")), *list_of(item.get("content")))
    texts = [text_of(part.get("text")) for part in parts if isinstance(part, dict)]
    return BETWEEN.join(text for text in texts if text)


def reasoning_signature(item: Mapping[str, Any], maker: str) -> str | None:
    """The carrier of what the maker needs back; None where there is nothing, or too much."""
    hidden = text_of(item.get("encrypted_content"))
    if not hidden:
        return None
    sealed = Sealed(encrypted_content=hidden, id=text_of(item.get("id")) or None)
    return seal(OPENAI, msgspec.json.encode(sealed).decode(), maker)


def lost_of(item: Mapping[str, Any], maker: str = "") -> tuple[str, ...]:
    """Names of what a whole item holds and no neutral block does."""
    kind = text_of(item.get("type"))
    if kind == "reasoning":
        hidden = item.get("encrypted_content")
        is_lost = bool(hidden) and reasoning_signature(item, maker) is None
        return (HIDDEN,) if is_lost else ()
    if kind != "message":
        return () if kind in CALLS or not kind else (kind,)
    names: dict[str, None] = {}
    for part in list_of(item.get("content")):
        if isinstance(part, dict):
            names |= {name: None for name in ("annotations", "logprobs") if part.get(name)}
    return tuple(names)


def call_id(item: Mapping[str, Any], number: int) -> str:
    """The id a result refers to; servers that give none get one made of the item's place."""
    return text_of(item.get("call_id")) or text_of(item.get("id")) or f"call_{number}"


def text_of(value: Any) -> str:
    """The string, or '' for anything else."""
    return value if isinstance(value, str) else ""


def list_of(value: Any) -> list[Any]:
    """The list, or an empty one for anything else."""
    return value if isinstance(value, list) else []
