"""Pictures and documents of a conversation, in the spellings that several dialects share.

>>> document_text(Document(text="Rain.", title="Weather"))
'Weather\\nRain.'
>>> picture_url(Image(media_type="image/gif", data="R0lG"))
'data:image/gif;base64,R0lG'
>>> sniffed("R0lGODlh")
'image/gif'
"""

import base64
import binascii

from lynkrc_runtime.protocol.conversation import CannotTranslate, Document, Image

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)


def document_text(document: Document) -> str:
    """A document of plain text, its title first."""
    text = document.text or ""
    return f"{document.title}\n{text}" if document.title else text


def picture_url(image: Image) -> str:
    """The address of a picture, its data in it where they are at hand; or CannotTranslate."""
    if image.data is not None:
        return f"data:{image.media_type or 'image/png'};base64,{image.data}"
    if image.url is None:
        raise CannotTranslate("file_id", "a file of another provider cannot be sent")
    return image.url


def sniffed(data: str) -> str | None:
    """The media type of a picture in base64 by its first bytes: clients lie, and servers check."""
    try:
        head = base64.b64decode(data[:24])
    except (binascii.Error, ValueError):
        return None
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((name for magic, name in _MAGIC if head.startswith(magic)), None)
