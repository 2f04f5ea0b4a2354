"""A request or a text, to an estimate of its tokens: no tokenizer, one pass over the bytes.

UTF-8 bytes / 4, with a correction for CJK, whose characters take three bytes and less than one
token (design: performance.md, point 7; wire reference C.6 for messages and images). Every request
pays for this one, so it looks at lengths only. Who asks for a count gets `close_text`, which looks
at the kinds of characters and is off a third as far (measured: tests/bench/measure_estimate.py).

>>> estimate_text("The quick brown fox jumps over it."), estimate_text("敏捷的棕色狐狸")
(9, 5)
>>> close_text("The quick brown fox jumps over it."), close_text("0x3b5d5c37")
(8, 8)
"""

import base64
import binascii
import re
import struct
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from lynkrc_runtime.protocol.conversation import (
    Block,
    Document,
    Image,
    MalformedRequest,
    Opaque,
    RedactedThinking,
    Refusal,
    Request,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)
from lynkrc_runtime.protocol.known_tools import KnownTools
from lynkrc_runtime.protocol.late_messages import LateMessages

BYTES_PER_TOKEN = 4

_PARTS = 20
"""Of a token: the smallest number in which both weights below are whole."""
PER_BYTE = _PARTS // BYTES_PER_TOKEN
"""What a byte of a text weighs that is not CJK."""
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

_CLOSE_PARTS = 100
_WORDS, _DIGITS, _MARKS, _WIDE, _REST = 22, 110, 35, 78, 18
"""Hundredths of a token: an ASCII letter or blank; a digit (which breaks up the word it stands in,
as in hashes and times, so that it weighs more than itself); another ASCII character; a CJK one; a
byte of any other. Fitted to six tokenizers over prose, code, JSON and listings."""
_NO_WORDS = bytes(code for code in range(128) if chr(code).isalpha() or code == 32)
_NO_DIGITS = b"0123456789"
_ABOVE_ASCII = bytes(range(128, 256))

_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+")


def estimate_text(text: str) -> int:
    """Tokens of a text, at least 1 for any that is not empty."""
    if text.isascii():
        return -(-len(text) // BYTES_PER_TOKEN)
    return tokens_of(weigh(text))


def weigh(text: str) -> int:
    """What a text weighs, in parts of a token; weights of pieces may be added up."""
    if text.isascii():
        return len(text) * PER_BYTE
    cjk = sum(map(len, _CJK.findall(text)))
    rest = len(text.encode("utf-8", "surrogatepass")) - 3 * cjk
    return rest * PER_BYTE + cjk * _PER_CJK


def tokens_of(weight: int) -> int:
    """Tokens of a weight, rounded up."""
    return -(-weight // _PARTS)


def close_text(text: str) -> int:
    """Tokens of a text, closer than `estimate_text`, in 1.6 ns a byte."""
    data = text.encode("utf-8", "surrogatepass")
    apart = data.translate(None, _NO_WORDS)
    words = len(data) - len(apart)
    wide = rest = 0
    if not apart.isascii():
        plain = apart.translate(None, _ABOVE_ASCII)
        wide = sum(map(len, _CJK.findall(text)))
        rest = len(apart) - len(plain) - 3 * wide
        apart = plain
    marks = len(apart.translate(None, _NO_DIGITS))
    digits = len(apart) - marks
    weight = words * _WORDS + digits * _DIGITS + marks * _MARKS + wide * _WIDE + rest * _REST
    return -(-weight // _CLOSE_PARTS)


def estimate_blocks(blocks: Iterable[Block]) -> int:
    """Tokens of an answer's blocks."""
    return sum(_block(block, estimate_text) for block in blocks)


def estimate_tokens(request: Request, text_tokens: Callable[[str], int] = estimate_text) -> int:
    """Tokens of the prompt: system in all its places, tools, messages, thinking and images.

    `text_tokens` counts those of a text. MalformedRequest where the prompt nests too deeply.
    """
    total = _tools(request.tools, text_tokens) if request.tools else 0
    for text in request.system:
        total += text_tokens(text.text)
    messages = request.messages
    if type(messages) is LateMessages and text_tokens is estimate_text:
        return total + messages.tokens
    total += TOKENS_PER_MESSAGE * len(messages)
    for message in messages:
        for block in message.blocks:
            # Nearly every block of a long request is one of these.
            if type(block) is Text:
                total += text_tokens(block.text)
            elif type(block) is ToolCall:
                total += text_tokens(block.name) + text_tokens(block.arguments)
            elif type(block) is ToolResult:
                for part in block.content:
                    total += (
                        text_tokens(part.text) if type(part) is Text else _block(part, text_tokens)
                    )
            else:
                total += _block(block, text_tokens)
    return total


def _tools(tools: tuple[Tool, ...], text_tokens: Callable[[str], int]) -> int:
    known = tools if type(tools) is KnownTools and text_tokens is estimate_text else None
    if known is not None and known.tokens is not None:
        return known.tokens
    total = sum([text_tokens(_spelt(tool.value)) for tool in tools])
    if known is not None:
        known.tokens = total
    return total


def _spelt(value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except RecursionError as error:
        # Read a few calls higher up, where there was just enough room.
        raise MalformedRequest(None, "the body is nested too deeply") from error


def estimate_bytes(size: int) -> int:
    """Tokens of so many bytes, rounded up."""
    return -(-size // BYTES_PER_TOKEN)


def _block(block: Block, text_tokens: Callable[[str], int]) -> int:
    match block:
        case Text(text=text) | Refusal(text=text) | Thinking(text=text):
            return text_tokens(text)
        case ToolCall():
            return text_tokens(block.name) + text_tokens(block.arguments)
        case ToolResult():
            return sum(_block(part, text_tokens) for part in block.content)
        case Image():
            return _image(block)
        case Document():
            return _document(block, text_tokens) + text_tokens(block.title or "")
        case RedactedThinking():
            return estimate_bytes(len(block.data))
        case Opaque():
            return text_tokens(_spelt(block.value))


def _document(document: Document, text_tokens: Callable[[str], int]) -> int:
    if not document.data:
        return text_tokens(document.text or "")
    try:
        data = base64.b64decode(document.data)
    except (binascii.Error, ValueError):
        return estimate_text(document.data)
    if not data.startswith(_PDF_MAGIC):
        return estimate_bytes(len(data))
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
