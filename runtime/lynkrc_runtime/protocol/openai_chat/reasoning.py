"""Reasoning as Chat servers spell it, to neutral blocks (wire reference C.1.7, B.1 "Ext").

`reasoning_content` (DeepSeek, Kimi, GLM, llama.cpp) and `reasoning` (OpenRouter, vLLM, Groq,
Ollama) hold text. `reasoning_details` (OpenRouter) may hold a Claude signature beside it.

>>> read_reasoning({"reasoning": "2+2"})
(Thinking(text='2+2', signature=None),)
"""

from collections.abc import Mapping
from typing import Any

from lynkrc_runtime.protocol.conversation import RedactedThinking, Thinking

FIELDS = ("reasoning_content", "reasoning", "reasoning_details")
"""Where reasoning may stand in a message or a delta."""

_CLAUDE_FORMAT = "anthropic-claude"


def read_reasoning(message: Mapping[str, Any]) -> tuple[Thinking | RedactedThinking, ...]:
    """The reasoning of a message or a delta; both text fields at once are the same text."""
    made_by_claude = _claude_details(message)
    if made_by_claude:
        return made_by_claude
    for name in ("reasoning_content", "reasoning"):
        text = message.get(name)
        if isinstance(text, str) and text:
            return (Thinking(text=text),)
    text = "".join(_detail_text(entry) for entry in _details(message))
    return (Thinking(text=text),) if text else ()


def part_reasoning(part: Mapping[str, Any]) -> str | None:
    """The text of a reasoning part in list content (Mistral, Databricks); None for other parts.

    >>> part_reasoning({"type": "thinking", "thinking": [{"type": "text", "text": "2+2"}]})
    '2+2'
    """
    kind = part.get("type")
    if kind not in ("thinking", "reasoning"):
        return None
    inner = part.get("thinking") if kind == "thinking" else part.get("summary")
    if isinstance(inner, str):
        return inner
    pieces = inner if isinstance(inner, list) else []
    return "".join(_text(piece.get("text")) for piece in pieces if isinstance(piece, dict))


def _details(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    details = message.get("reasoning_details")
    if not isinstance(details, list):
        return []
    return [entry for entry in details if isinstance(entry, dict)]


def _claude_details(message: Mapping[str, Any]) -> tuple[Thinking | RedactedThinking, ...]:
    found: list[Thinking | RedactedThinking] = []
    for entry in _details(message):
        if not _text(entry.get("format")).startswith(_CLAUDE_FORMAT):
            continue
        if entry.get("type") == "reasoning.encrypted" and _text(entry.get("data")):
            found.append(RedactedThinking(data=entry["data"]))
        elif entry.get("type") == "reasoning.text":
            signature = _text(entry.get("signature")) or None
            found.append(Thinking(text=_text(entry.get("text")), signature=signature))
    return tuple(found)


def _detail_text(entry: Mapping[str, Any]) -> str:
    return _text(entry.get("text")) or _text(entry.get("summary"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
