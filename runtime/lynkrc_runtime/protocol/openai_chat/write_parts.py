"""Neutral blocks of a user or a tool, to Chat content parts and text (wire reference C.1.3)."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from lynkrc_runtime.protocol.conversation import (
    Block,
    CannotTranslate,
    Document,
    Image,
    Opaque,
    Refusal,
    Text,
    ToolResult,
)
from lynkrc_runtime.protocol.openai_chat.shape import Changes

Json: TypeAlias = dict[str, Any]

TOOL_ERROR = "[tool error] "
"""Chat has no flag for a failed tool: its text says so."""

NO_OUTPUT = "(no output)"
"""Some servers refuse an empty tool message."""


def list_extra(extra: Iterable[str], changes: Changes) -> None:
    """Members of a block without a place in Chat are lost, each listed once."""
    for name in extra:
        changes[f"dropped={name}"] = None


def user_parts(blocks: Iterable[Block], changes: Changes) -> list[Json]:
    """Content parts; what Chat cannot hold is left out and listed, or CannotTranslate."""
    parts: list[Json] = []
    for block in blocks:
        match block:
            case Text(text=text) | Refusal(text=text):
                if isinstance(block, Text):
                    list_extra(block.extra, changes)
                if text:
                    parts.append(text_part(text))
            case Image():
                list_extra((name for name in block.extra if name != "detail"), changes)
                parts.append(image_part(block))
            case Document():
                list_extra(block.extra, changes)
                parts.append(_document_part(block))
            case Opaque(type=kind):
                changes[f"dropped={kind}"] = None
            case _:
                # Calls and reasoning do not stand in user messages; results are taken out before.
                changes[f"dropped=user.{type(block).__name__.lower()}"] = None
    return parts


def content_of(parts: list[Json]) -> str | list[Json]:
    """A single text part as a string, which every server takes."""
    if len(parts) == 1 and parts[0]["type"] == "text":
        return str(parts[0]["text"])
    return parts


def text_part(text: str) -> Json:
    """A text part."""
    return {"type": "text", "text": text}


def image_part(image: Image) -> Json:
    """An `image_url` part; CannotTranslate for a file of another provider."""
    if image.data is not None:
        url = f"data:{image.media_type or 'image/png'};base64,{image.data}"
    elif image.url is not None:
        url = image.url
    else:
        raise CannotTranslate("file_id", "a file of another provider cannot be sent")
    source: Json = {"url": url}
    if "detail" in image.extra:
        source["detail"] = image.extra["detail"]
    return {"type": "image_url", "image_url": source}


def result_text(result: ToolResult, changes: Changes) -> tuple[str, list[Json]]:
    """(text of the tool message, parts for the user message after it).

    Tool messages hold text only: pictures and files are announced in it and follow later.
    """
    list_extra(result.extra, changes)
    pieces: list[str] = []
    following: list[Json] = []
    for block in result.content:
        match block:
            case Text(text=text):
                list_extra(block.extra, changes)
                pieces.append(text)
            case Document(text=str()):
                list_extra(block.extra, changes)
                pieces.append(document_text(block))
            case Image() | Document():
                noun = "image" if isinstance(block, Image) else "document"
                following += user_parts((block,), changes)
                number = sum(part["type"] != "text" for part in following)
                pieces.append(f"[{noun} {number} of tool result {result.call_id} follows]")
                changes["moved=tool-result-media"] = None
            case Opaque(type=kind):
                changes[f"dropped={kind}"] = None
            case _:
                changes[f"dropped=tool_result.{type(block).__name__.lower()}"] = None
    text = "\n".join(piece for piece in pieces if piece) or NO_OUTPUT
    if result.is_error:
        changes["folded=is_error"] = None
        text = TOOL_ERROR + text
    return text, following


def _document_part(document: Document) -> Json:
    if document.text is not None:
        return text_part(document_text(document))
    if document.data is None:
        source = "file_id" if document.file_id is not None else "document.url"
        raise CannotTranslate(source, "a document can only be sent with its content")
    media_type = document.media_type or "application/pdf"
    return {
        "type": "file",
        "file": {
            "filename": document.title or "document.pdf",
            "file_data": f"data:{media_type};base64,{document.data}",
        },
    }


def document_text(document: Document) -> str:
    """A document of plain text, its title first."""
    text = document.text or ""
    return f"{document.title}\n{text}" if document.title else text


def named(extra: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of message members, as a change calls them."""
    return tuple(f"messages.{name}" for name in extra)
