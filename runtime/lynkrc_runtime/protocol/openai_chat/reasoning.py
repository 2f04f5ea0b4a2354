"""Reasoning as Chat servers spell it, to neutral blocks (wire reference C.1.7, B.1 "Ext").

`reasoning_content` (DeepSeek, Kimi, GLM, llama.cpp) and `reasoning` (OpenRouter, vLLM, Groq,
Ollama) hold text. `reasoning_details` (OpenRouter, our own answers) may hold what its maker needs
back beside it.

>>> read_reasoning({"reasoning": "2+2"})
(Held(block=Thinking(text='2+2', signature=None)),)
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from lynkrc_runtime.protocol.carrier import DETAILS, MARKER, seal
from lynkrc_runtime.protocol.conversation import Thinking
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.openai_chat.reasoning_details import Held, read_details

FIELDS = ("reasoning_content", "reasoning", "reasoning_details")
"""Where reasoning may stand in a message or a delta."""
_FIELDS = frozenset(FIELDS)

CONTENT_PARTS = ("thinking", "reasoning")
"""Types of parts that hold reasoning (Mistral, Databricks)."""


def read_reasoning(message: Mapping[str, Any]) -> tuple[Held, ...]:
    """The reasoning of a message or a delta; both text fields at once are the same text."""
    if _FIELDS.isdisjoint(message):
        return ()
    entries = details(message)
    signed = read_details(entries)
    if signed:
        return signed
    for name in ("reasoning_content", "reasoning"):
        text = message.get(name)
        if isinstance(text, str) and text:
            return (Held(block=Thinking(text=text)),)
    text = "".join(_detail_text(entry) for entry in entries)
    return (Held(block=Thinking(text=text)),) if text else ()


def reasoning_text(message: Mapping[str, Any]) -> str:
    """All that `read_reasoning` finds, as one text."""
    blocks = [held.block for held in read_reasoning(message)]
    return "".join(block.text for block in blocks if isinstance(block, Thinking))


def part_reasoning(part: Mapping[str, Any]) -> str | None:
    """The text of a reasoning part in list content (Mistral, Databricks); None for other parts.

    >>> part_reasoning({"type": "thinking", "thinking": [{"type": "text", "text": "2+2"}]})
    '2+2'
    """
    kind = part.get("type")
    if kind not in CONTENT_PARTS:
        return None
    inner = part.get("thinking") if kind == "thinking" else part.get("summary")
    if isinstance(inner, str):
        return inner
    pieces = inner if isinstance(inner, list) else []
    return "".join(_text(piece.get("text")) for piece in pieces if isinstance(piece, dict))


def part_signature(part: Mapping[str, Any]) -> str | None:
    """Claude's signature of a reasoning part (Databricks, B.6)."""
    summary = part.get("summary")
    pieces = summary if isinstance(summary, list) else []
    found = (_text(piece.get("signature")) for piece in pieces if isinstance(piece, dict))
    return next((signature for signature in found if signature), None)


def details(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The entries of `reasoning_details`."""
    found = message.get("reasoning_details")
    if not isinstance(found, list):
        return []
    return [entry for entry in found if isinstance(entry, dict)]


def add_details(held: list[dict[str, Any]], more: list[dict[str, Any]]) -> None:
    """Entries of a stream's delta, added to those before: one index and type is one entry.

    >>> held = [{"type": "reasoning.text", "text": "2", "index": 0}]
    >>> add_details(held, [{"type": "reasoning.text", "text": "+2", "signature": "E", "index": 0}])
    >>> held
    [{'type': 'reasoning.text', 'text': '2+2', 'index': 0, 'signature': 'E'}]
    """
    for entry in more:
        key = entry.get("type"), entry.get("index")
        last = held[-1] if held else {}
        if not last or key[1] is None or (last.get("type"), last.get("index")) != key:
            held.append(dict(entry))
            continue
        for name, value in entry.items():
            is_piece = name in ("text", "summary", "data") and isinstance(value, str)
            last[name] = _text(last.get(name)) + value if is_piece else value


def carrier_of(found: list[dict[str, Any]], facts: TargetFacts) -> str | None:
    """What the reasoning's maker must get back, as a signature; None where it asks for nothing."""
    if facts.shape.reasoning_replay not in ("with_tools", "always"):
        return None
    if found and facts.shape.reasoning_field == "reasoning_details":
        sealed = seal(DETAILS, msgspec.json.encode(found).decode(), facts.maker)
        if sealed is not None:
            return sealed
    return seal(MARKER, "", facts.maker)


def _detail_text(entry: Mapping[str, Any]) -> str:
    return _text(entry.get("text")) or _text(entry.get("summary"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
