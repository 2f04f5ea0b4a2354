"""Neutral blocks from another dialect, to Anthropic blocks (wire reference C.1.4, C.1.7)."""

from collections.abc import Mapping
from typing import Any, TypeAlias, assert_never

from lynkrc_runtime.protocol import carrier
from lynkrc_runtime.protocol.arguments import call_input
from lynkrc_runtime.protocol.conversation import (
    Block,
    CannotTranslate,
    Document,
    Image,
    Opaque,
    RedactedThinking,
    Refusal,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from lynkrc_runtime.protocol.media import sniffed
from lynkrc_runtime.protocol.naming import ANTHROPIC_NAME_LIMIT, legal_id, legal_name

Json: TypeAlias = dict[str, Any]
Losses: TypeAlias = dict[str, None]
"""Names of transforms, each once, in order."""

ID_LIMIT = 128
"""Characters of a tool call id; the API states no limit, only the alphabet."""

_IMAGE_TYPES = frozenset(("image/jpeg", "image/png", "image/gif", "image/webp"))
_PLAIN = frozenset(("type", "text"))
_KEPT_EXTRA = frozenset(("cache_control",))
_UNTRANSLATABLE = frozenset(("input_audio", "audio"))


def block_object(block: Block, role: Role, losses: Losses) -> Json | None:
    """The Anthropic block, or None where nothing of it can be sent (then listed).

    CannotTranslate where leaving it out would change what the request means.
    """
    # Nearly every block of a long request is one of these.
    if type(block) is Text:
        # Empty and blank text blocks are refused; they say nothing.
        if not block.text or block.text.isspace():
            return None
        text: Json = {"type": "text", "text": block.text}
        return _with_extra(text, block.extra, losses) if block.extra else text
    if type(block) is ToolResult:
        result = _result(block, losses)
        return _with_extra(result, block.extra, losses) if block.extra else result
    if type(block) is ToolCall:
        call = call_object(block)
        return _with_extra(call, block.extra, losses) if block.extra else call
    match block:
        case Refusal():
            return {"type": "text", "text": block.text} if block.text.strip() else None
        case Image() | Document() if role is not Role.USER:
            losses[f"dropped={role.value}-media"] = None
            return None
        case Image():
            return _with_extra(_image(block), block.extra, losses)
        case Document():
            return _with_extra(_document(block), block.extra, losses)
        case Thinking():
            if carrier.is_foreign(block):
                losses["stripped=thinking"] = None
                return None
            return {"type": "thinking", "thinking": block.text, "signature": block.signature}
        case RedactedThinking():
            return {"type": "redacted_thinking", "data": block.data}
        case Opaque():
            if block.type in _UNTRANSLATABLE:
                raise CannotTranslate(block.type, f"the target takes no {block.type}")
            losses[f"dropped={block.type}"] = None
            return None
        case _:
            assert_never(block)


def call_object(call: ToolCall) -> Json:
    """A `tool_use` block with a legal id and name."""
    return {
        "type": "tool_use",
        "id": legal_id(call.id, limit=ID_LIMIT),
        "name": legal_name(call.name, limit=ANTHROPIC_NAME_LIMIT),
        "input": call_input(call),
    }


def _image(block: Image) -> Json:
    if block.data is not None:
        media_type = sniffed(block.data) or block.media_type or "image/png"
        if media_type not in _IMAGE_TYPES:
            raise CannotTranslate("image", f"the target takes no {media_type}")
        source: Json = {"type": "base64", "media_type": media_type, "data": block.data}
    elif block.url is not None:
        source = {"type": "url", "url": block.url}
    else:
        raise CannotTranslate("file_id", "a file of another provider cannot be sent")
    return {"type": "image", "source": source}


def _document(block: Document) -> Json:
    source: Json
    if block.data is not None:
        media_type = block.media_type or "application/pdf"
        if media_type != "application/pdf":
            raise CannotTranslate("file", f"the target takes PDF documents, not {media_type}")
        source = {"type": "base64", "media_type": media_type, "data": block.data}
    elif block.text is not None:
        source = {"type": "text", "media_type": "text/plain", "data": block.text}
    elif block.url is not None:
        source = {"type": "url", "url": block.url}
    else:
        raise CannotTranslate("file_id", "a file of another provider cannot be sent")
    found: Json = {"type": "document", "source": source}
    if block.title:
        found["title"] = block.title
    return found


def _result(block: ToolResult, losses: Losses) -> Json:
    found: Json = {
        "type": "tool_result",
        "tool_use_id": legal_id(block.call_id, limit=ID_LIMIT),
    }
    parts = block.content
    if len(parts) == 1 and type(parts[0]) is Text and not parts[0].extra:
        if parts[0].text and not parts[0].text.isspace():
            found["content"] = parts[0].text
    else:
        written = [block_object(part, Role.USER, losses) for part in parts]
        content = [part for part in written if part is not None]
        if content:
            is_plain = len(content) == 1 and content[0].keys() == _PLAIN
            found["content"] = content[0]["text"] if is_plain else content
    if block.is_error:
        found["is_error"] = True
    return found


def _with_extra(found: Json, extra: Mapping[str, Any], losses: Losses) -> Json:
    for name, value in extra.items():
        if name in _KEPT_EXTRA and isinstance(value, dict):
            found[name] = value
        else:
            losses[f"dropped={name}"] = None
    return found
