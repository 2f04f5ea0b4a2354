"""Neutral blocks of a user or a tool, to Responses content parts (wire reference A.3.1).

>>> write_parts((Image(media_type="image/gif", data="R0lG"),), {})
[{'type': 'input_image', 'detail': 'auto', 'image_url': 'data:image/gif;base64,R0lG'}]
"""

from collections.abc import Iterable

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
from lynkrc_runtime.protocol.openai_chat.write_parts import (
    NO_OUTPUT,
    TOOL_ERROR,
    Json,
)


def write_parts(blocks: Iterable[Block], changes: Changes) -> list[Json]:
    """Input parts; what the dialect cannot hold is left out and listed, or CannotTranslate."""
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
                parts.append(_image(block))
            case Document():
                list_extra(block.extra, changes)
                parts.append(_document(block))
            case Opaque(type=kind):
                changes[f"dropped={kind}"] = None
            case _:
                # Calls and reasoning do not stand here; results are taken out before.
                changes[f"dropped=user.{type(block).__name__.lower()}"] = None
    return parts


def write_output(result: ToolResult, changes: Changes) -> str | list[Json]:
    """The output of a call: a string where it is text alone, else parts."""
    list_extra(result.extra, changes)
    content = result.content
    if len(content) == 1 and type(content[0]) is Text and not (content[0].extra or result.is_error):
        return content[0].text or NO_OUTPUT
    parts = write_parts(content, changes)
    if result.is_error:
        # No flag says that a tool failed: its text does.
        changes["folded=is_error"] = None
        if parts and parts[0]["type"] == "input_text":
            parts[0] = text_part(TOOL_ERROR + parts[0]["text"])
        else:
            parts.insert(0, text_part(TOOL_ERROR.rstrip()))
    if all(part["type"] == "input_text" for part in parts):
        return "\n".join(part["text"] for part in parts) or NO_OUTPUT
    return parts


def text_part(text: str) -> Json:
    """A text part."""
    return {"type": "input_text", "text": text}


def content_of(parts: list[Json]) -> str | list[Json]:
    """A single text as a string, which every server takes."""
    if len(parts) == 1 and parts[0]["type"] == "input_text":
        return str(parts[0]["text"])
    return parts


def _image(image: Image) -> Json:
    detail = image.extra.get("detail", "auto")
    return {"type": "input_image", "detail": detail, "image_url": picture_url(image)}


def _document(document: Document) -> Json:
    if document.text is not None:
        return text_part(document_text(document))
    if document.url is not None:
        return {"type": "input_file", "file_url": document.url}
    if document.data is None:
        raise CannotTranslate("file_id", "a file of another provider cannot be sent")
    media_type = document.media_type or "application/pdf"
    return {
        "type": "input_file",
        "filename": document.title or "document.pdf",
        "file_data": f"data:{media_type};base64,{document.data}",
    }
