"""Neutral blocks, to Gemini's parts (wire reference B.8, C.3).

Pictures and files travel inline, or by URL where the target fetches them; a file of another
provider is a misfit.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias
from urllib.parse import urlsplit

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
from lynkrc_runtime.protocol.media import document_text
from lynkrc_runtime.protocol.shapes import RequestShape

Part: TypeAlias = dict[str, Any]

_TYPE_OF_SUFFIX = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "heic": "image/heic",
    "heif": "image/heif",
    "pdf": "application/pdf",
    "txt": "text/plain",
}
"""What `fileData` calls the files behind addresses that end so."""


def said_parts(blocks: Iterable[Block], shape: RequestShape, changes: Changes) -> list[Part]:
    """The parts of what a user says; results and calls are not said."""
    parts: list[Part] = []
    for block in blocks:
        match block:
            case Text(text=text) | Refusal(text=text):
                if isinstance(block, Text):
                    list_extra(block.extra, changes)
                if text:
                    parts.append({"text": text})
            case Image():
                list_extra(block.extra, changes)
                parts.append(_media(block, "image/png", shape))
            case Document(text=str()):
                list_extra(block.extra, changes)
                parts.append({"text": document_text(block)})
            case Document():
                list_extra(block.extra, changes)
                if block.title:
                    parts.append({"text": block.title})
                parts.append(_media(block, "application/pdf", shape))
            case Opaque(type="input_audio"):
                parts.append(_audio(block))
            case Opaque(type=kind):
                changes[f"dropped={kind}"] = None
            case _:
                changes[f"dropped=user.{type(block).__name__.lower()}"] = None
    return parts


def result_parts(
    result: ToolResult, name: str, shape: RequestShape, changes: Changes
) -> tuple[Part, list[Part]]:
    """(the `functionResponse` part, parts to follow after all of the turn's responses)."""
    list_extra(result.extra, changes)
    texts: list[str] = []
    media: list[Part] = []
    is_apart = shape.result_media is False
    for block in result.content:
        match block:
            case Text(text=text):
                list_extra(block.extra, changes)
                texts.append(text)
            case Document(text=str()):
                list_extra(block.extra, changes)
                texts.append(document_text(block))
            case Image() | Document():
                media += said_parts((block,), shape, changes)
                if is_apart:
                    noun = "image" if isinstance(block, Image) else "document"
                    number = sum("text" not in part for part in media)
                    texts.append(f"[{noun} {number} of tool result {result.call_id} follows]")
                    changes["moved=tool-result-media"] = None
            case Opaque(type=kind):
                changes[f"dropped={kind}"] = None
            case _:
                changes[f"dropped=tool_result.{type(block).__name__.lower()}"] = None
    if not is_apart:
        # Only files stand beside a response: their titles are said in it.
        texts += [part["text"] for part in media if "text" in part]
    text = "\n".join(piece for piece in texts if piece)
    response: Part = {
        "id": result.call_id,
        "name": name,
        "response": {"error" if result.is_error else "output": text},
    }
    files = [part for part in media if "text" not in part]
    if files and not is_apart:
        response["parts"] = files
    return {"functionResponse": response}, media if is_apart else []


def _media(block: Image | Document, usual: str, shape: RequestShape) -> Part:
    if block.data is not None:
        return {"inlineData": {"mimeType": block.media_type or usual, "data": block.data}}
    if block.url is None:
        raise CannotTranslate("file_id", "a file of another provider cannot be sent")
    noun = "image" if isinstance(block, Image) else "document"
    if shape.media_urls is False:
        raise CannotTranslate(f"{noun}.url", f"the target takes no {noun} by URL")
    suffix = urlsplit(block.url).path.rpartition(".")[2].lower()
    media_type = block.media_type or _TYPE_OF_SUFFIX.get(suffix)
    if media_type is None:
        raise CannotTranslate(f"{noun}.url", f"the URL does not tell the type of the {noun}")
    return {"fileData": {"mimeType": media_type, "fileUri": block.url}}


def _audio(block: Opaque) -> Part:
    audio = block.value.get("input_audio")
    data, form = (audio.get("data"), audio.get("format")) if isinstance(audio, dict) else (0, 0)
    if not isinstance(data, str) or not isinstance(form, str):
        raise CannotTranslate("input_audio", "the audio is malformed")
    return {"inlineData": {"mimeType": f"audio/{form}", "data": data}}
