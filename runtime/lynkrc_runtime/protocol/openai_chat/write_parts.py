"""Neutral blocks of a user or a tool, to Chat content parts and text (wire reference C.1.3)."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from lynkrc_runtime.protocol.changes import Changes, list_extra
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
from lynkrc_runtime.protocol.media import document_text, picture_url
from lynkrc_runtime.protocol.shapes import RequestShape

Json: TypeAlias = dict[str, Any]

TOOL_ERROR = "[tool error] "
"""Chat has no flag for a failed tool: its text says so."""

CACHE_MARK = "cache_control"

NO_OUTPUT = "(no output)"
"""Some servers refuse an empty tool message."""


def marked_part(block: Text, shape: RequestShape, changes: Changes) -> Json:
    """A text part, with its cache mark where the server takes one."""
    return _marked(text_part(block.text), block.extra, shape, changes)


def _marked(part: Json, extra: Mapping[str, Any], shape: RequestShape, changes: Changes) -> Json:
    if shape.cache_marks and CACHE_MARK in extra:
        part[CACHE_MARK] = extra[CACHE_MARK]
    list_extra((name for name in extra if name not in part), changes)
    return part


def user_parts(blocks: Iterable[Block], shape: RequestShape, changes: Changes) -> list[Json]:
    """Content parts; what Chat cannot hold is left out and listed, or CannotTranslate."""
    parts: list[Json] = []
    for block in blocks:
        match block:
            case Text(text=text) | Refusal(text=text):
                part = text_part(text)
                if isinstance(block, Text) and block.extra:
                    part = _marked(part, block.extra, shape, changes)
                if text:
                    parts.append(part)
            case Image():
                extra = {name: value for name, value in block.extra.items() if name != "detail"}
                parts.append(_marked(image_part(block, shape), extra, shape, changes))
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
    if len(parts) == 1 and parts[0]["type"] == "text" and CACHE_MARK not in parts[0]:
        return str(parts[0]["text"])
    return parts


def text_part(text: str) -> Json:
    """A text part."""
    return {"type": "text", "text": text}


def image_part(image: Image, shape: RequestShape) -> Json:
    """An `image_url` part; CannotTranslate for what would have to be fetched for the server."""
    if image.data is None and image.url is not None and shape.media_urls is False:
        raise CannotTranslate("image.url", "the target takes pictures only with their data")
    source: Json = {"url": picture_url(image)}
    if "detail" in image.extra:
        source["detail"] = image.extra["detail"]
    return {"type": "image_url", "image_url": source}


def result_text(
    result: ToolResult, shape: RequestShape, changes: Changes
) -> tuple[str, list[Json]]:
    """(text of the tool message, parts for the user message after it).

    Tool messages hold text only: pictures and files are announced in it and follow later. Where
    they hold pictures too, the parts are theirs.
    """
    list_extra(result.extra, changes)
    pieces: list[str] = []
    following: list[Json] = []
    for block in result.content:
        if type(block) is Text:  # as nearly all are
            if block.extra:
                list_extra(block.extra, changes)
            pieces.append(block.text)
            continue
        match block:
            case Document(text=str()):
                list_extra(block.extra, changes)
                pieces.append(document_text(block))
            case Image() | Document():
                noun = "image" if isinstance(block, Image) else "document"
                following += user_parts((block,), shape, changes)
                if shape.result_media:
                    continue
                number = sum(part["type"] != "text" for part in following)
                pieces.append(f"[{noun} {number} of tool result {result.call_id} follows]")
                changes["moved=tool-result-media"] = None
            case Opaque(type=kind):
                changes[f"dropped={kind}"] = None
            case _:
                changes[f"dropped=tool_result.{type(block).__name__.lower()}"] = None
    text = pieces[0] if len(pieces) == 1 else "\n".join([piece for piece in pieces if piece])
    text = text or NO_OUTPUT
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


def named(extra: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of message members, as a change calls them."""
    return tuple(f"messages.{name}" for name in extra)
