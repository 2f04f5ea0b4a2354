"""A request or a text, to an estimate of its tokens: no tokenizer, one pass over the bytes.

UTF-8 bytes / 4, with a correction for CJK, whose characters take three bytes and less than one
token (design: performance.md, point 7; wire reference C.6 for messages and images).

>>> estimate_text("The quick brown fox jumps over it."), estimate_text("敏捷的棕色狐狸")
(9, 5)
"""

import base64
import binascii
import re
import struct
from collections.abc import Iterable

import msgspec

from lynkrc_runtime.protocol.conversation import (
    Block,
    Document,
    Image,
    Opaque,
    RedactedThinking,
    Refusal,
    Request,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

BYTES_PER_TOKEN = 4

_PARTS = 20
"""Of a token: the smallest number in which both weights below are whole."""
_PER_BYTE = _PARTS // BYTES_PER_TOKEN
_PER_CJK = 12
"""0.6 tokens."""
TOKENS_PER_MESSAGE = 4
TOKENS_PER_IMAGE = 1600
"""Where the size is unknown; else width x height / 750."""

TOKENS_PER_PAGE = 2400
"""Of a PDF, which is read as text and as pictures of its pages, however many bytes those take."""

_PDF_MAGIC = b"%PDF-"
_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_PIXELS_PER_TOKEN = 750
_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+")


def estimate_text(text: str) -> int:
    """Tokens of a text, at least 1 for any that is not empty."""
    return tokens_of(weigh(text))


def weigh(text: str) -> int:
    """What a text weighs, in parts of a token; weights of pieces may be added up."""
    if text.isascii():
        return len(text) * _PER_BYTE
    cjk = sum(map(len, _CJK.findall(text)))
    rest = len(text.encode("utf-8", "surrogatepass")) - 3 * cjk
    return rest * _PER_BYTE + cjk * _PER_CJK


def tokens_of(weight: int) -> int:
    """Tokens of a weight, rounded up."""
    return -(-weight // _PARTS)


def estimate_blocks(blocks: Iterable[Block]) -> int:
    """Tokens of an answer's blocks."""
    return sum(map(_block, blocks))


def estimate_tokens(request: Request) -> int:
    """Tokens of the prompt: system in all its places, tools, messages, thinking and images."""
    total = sum(estimate_text(text.text) for text in request.system)
    for tool in request.tools:
        total += _tokens(len(msgspec.json.encode(tool.value)))
    total += TOKENS_PER_MESSAGE * len(request.messages)
    for message in request.messages:
        for block in message.blocks:
            # Nearly every block of a long request is text.
            total += estimate_text(block.text) if isinstance(block, Text) else _block(block)
    return total


def _tokens(size: int) -> int:
    """Tokens of so many bytes, rounded up."""
    return -(-size // BYTES_PER_TOKEN)


def _block(block: Block) -> int:
    match block:
        case Text(text=text) | Refusal(text=text) | Thinking(text=text):
            return estimate_text(text)
        case ToolCall():
            return estimate_text(block.name) + estimate_text(block.arguments)
        case ToolResult():
            return sum(_block(part) for part in block.content)
        case Image():
            return _image(block)
        case Document():
            return _document(block) + estimate_text(block.title or "")
        case RedactedThinking():
            return _tokens(len(block.data))
        case Opaque():
            return _tokens(len(msgspec.json.encode(block.value)))


def _document(document: Document) -> int:
    if not document.data:
        return estimate_text(document.text or "")
    try:
        data = base64.b64decode(document.data)
    except (binascii.Error, ValueError):
        return estimate_text(document.data)
    if not data.startswith(_PDF_MAGIC):
        return _tokens(len(data))
    # Newer files may hide their pages in compressed parts: then too little is said, and a server
    # that cannot take it says so. Too much would refuse what could be served.
    return TOKENS_PER_PAGE * max(1, sum(1 for _ in _PAGE.finditer(data)))


def _image(image: Image) -> int:
    size = _size(image.data) if image.data else None
    if size is None:
        return TOKENS_PER_IMAGE
    return max(1, min(size[0] * size[1] // _PIXELS_PER_TOKEN, TOKENS_PER_IMAGE))


def _size(data: str) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG or GIF, from its first bytes."""
    try:
        head = base64.b64decode(data[:32])
    except (binascii.Error, ValueError):
        return None
    if head.startswith(b"\x89PNG\r\n\x1a\n") and len(head) >= 24:
        width, height = struct.unpack(">II", head[16:24])
        return width, height
    if head.startswith(b"GIF8") and len(head) >= 10:
        width, height = struct.unpack("<HH", head[6:10])
        return width, height
    return None
