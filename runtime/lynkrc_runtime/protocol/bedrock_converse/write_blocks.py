"""Neutral blocks of settled turns, to Converse content (wire reference B.5, C.2)."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import assert_never, final

from lynkrc_runtime.protocol.arguments import call_input
from lynkrc_runtime.protocol.bedrock_converse.families import Family
from lynkrc_runtime.protocol.bedrock_converse.write_tools import Json, cache_point, tool_name
from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import (
    Block,
    CannotTranslate,
    Document,
    Image,
    Opaque,
    RedactedThinking,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from lynkrc_runtime.protocol.media import sniffed
from lynkrc_runtime.protocol.naming import legal_id

ID_LIMIT = 64
"""Characters of a `toolUseId`."""

NO_OUTPUT = "(no output)"
"""A result has to have content, and text that is not blank."""
TOOL_ERROR = "[tool error]"
"""Said where the family has no `status`."""
ATTACHED = "The documents are attached."
"""Converse wants a text beside a document."""

_FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "application/pdf": "pdf",
        "text/plain": "txt",
        "text/csv": "csv",
        "text/html": "html",
        "text/markdown": "md",
        "application/msword": "doc",
        "application/vnd.ms-excel": "xls",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    }
)
"""Media types of documents, as Converse names them."""

_PICTURES = frozenset(("png", "jpeg", "gif", "webp"))
_UNTRANSLATABLE = frozenset(("input_audio", "audio"))
_ILLEGAL_IN_NAME = re.compile(r"[^A-Za-z0-9 \-()\[\]]+")


@final
class BlockWriter:
    """The blocks of one request: names of documents must differ within it."""

    __slots__ = ("_changes", "_family", "_names")

    def __init__(self, family: Family, changes: Changes) -> None:
        self._family = family
        self._changes = changes
        self._names: set[str] = set()

    def turn(self, blocks: Iterable[Block]) -> list[Json]:
        """The content of a turn. Raises CannotTranslate."""
        content = [part for block in blocks for part in self._parts(block)]
        if any("document" in part for part in content) and not any(
            "text" in part for part in content
        ):
            content.append({"text": ATTACHED})
            self._changes["added=text"] = None
        return content

    def _parts(self, block: Block) -> list[Json]:
        match block:
            case _ if not says_something(block):
                return []
            case Text(text=text) | Refusal(text=text):
                part: Json = {"text": text}
            case Image():
                part = {"image": self._image(block)}
            case Document():
                part = {"document": self._document(block)}
            case ToolCall():
                call = {
                    "toolUseId": legal_id(block.id, limit=ID_LIMIT),
                    "name": tool_name(block.name, self._changes),
                    "input": call_input(block),
                }
                part = {"toolUse": call}
            case ToolResult():
                part = {"toolResult": self._result(block)}
            case Thinking():
                inner: Json = {"text": block.text, "signature": block.signature}
                part = {"reasoningContent": {"reasoningText": inner}}
            case RedactedThinking():
                part = {"reasoningContent": {"redactedContent": block.data}}
            case Opaque():
                lose(block, self._changes)
                return []
            case _:
                assert_never(block)
        return [part, *self._after(block)]

    def _after(self, block: Block) -> list[Json]:
        """The cache point behind a marked block; every other extra member is lost."""
        match block:
            case Thinking() | RedactedThinking() | Refusal() | Opaque():
                return []
            case Document(extra=extra):
                lost = extra.keys() - {"cache_control", "citations", "context"}
            case Text(extra=extra) | Image(extra=extra) | ToolCall(extra=extra):
                lost = extra.keys() - {"cache_control"}
            case ToolResult(extra=extra):
                lost = extra.keys() - {"cache_control"}
            case _:
                assert_never(block)
        self._changes.update({f"dropped={name}": None for name in extra if name in lost})
        return cache_point(extra.get("cache_control"), self._family, self._changes)

    def _result(self, result: ToolResult) -> Json:
        content: list[Json] = []
        for block in result.content:
            match block:
                case Text() | Image() | Document() | Opaque():
                    # A cache point has no place inside a result.
                    content += [p for p in self._parts(block) if "cachePoint" not in p]
                case _:
                    self._changes[f"dropped=tool_result.{type(block).__name__.lower()}"] = None
        if not content:
            content.append({"text": NO_OUTPUT})
        written: Json = {
            "toolUseId": legal_id(result.call_id, limit=ID_LIMIT),
            "content": content,
        }
        if self._family.status:
            written["status"] = "error" if result.is_error else "success"
        elif result.is_error:
            self._changes["folded=is_error"] = None
            text = content.pop(0)["text"] if "text" in content[0] else ""
            content.insert(0, {"text": f"{TOOL_ERROR} {text}".strip()})
        return written

    def _image(self, image: Image) -> Json:
        if image.data is None:
            source = "file_id" if image.file_id is not None else "image.url"
            raise CannotTranslate(source, "an image can only be sent with its content")
        media_type = sniffed(image.data) or image.media_type or "image/png"
        kind = media_type.removeprefix("image/")
        if kind not in _PICTURES:
            raise CannotTranslate("image", f"the target takes no {image.media_type}")
        return {"format": kind, "source": {"bytes": image.data}}

    def _document(self, document: Document) -> Json:
        source: Json
        if document.text is not None:
            kind, source = "txt", {"text": document.text}
        elif document.data is not None:
            media_type = (document.media_type or "application/pdf").partition(";")[0].strip()
            if media_type not in _FORMATS:
                raise CannotTranslate("file", f"the target takes no {media_type}")
            kind, source = _FORMATS[media_type], {"bytes": document.data}
        else:
            wanted = "file_id" if document.file_id is not None else "document.url"
            raise CannotTranslate(wanted, "a document can only be sent with its content")
        written: Json = {"format": kind, "name": self._name(document.title), "source": source}
        context, citations = document.extra.get("context"), document.extra.get("citations")
        if isinstance(context, str) and context:
            written["context"] = context
        if isinstance(citations, dict) and self._family.claude:
            written["citations"] = {"enabled": citations.get("enabled") is True}
        return written

    def _name(self, title: str | None) -> str:
        """Letters, digits, single spaces and few signs, and no two alike."""
        plain = " ".join(_ILLEGAL_IN_NAME.sub(" ", title or "").split())[:180] or "Document"
        name, number = plain, 1
        while name in self._names:
            number += 1
            name = f"{plain} ({number})"
        self._names.add(name)
        return name


def lose(block: Opaque, changes: Changes) -> None:
    """List a block only its own dialect understands. CannotTranslate where it cannot be missed."""
    if block.type in _UNTRANSLATABLE:
        raise CannotTranslate(block.type, f"the target takes no {block.type}")
    changes[f"dropped={block.type}"] = None


def says_something(block: Block) -> bool:
    """Whether it is not blank text, which Converse refuses.

    >>> says_something(Text(text=" \\n")), says_something(Text(text="a"))
    (False, True)
    """
    return not isinstance(block, Text | Refusal) or bool(block.text.strip())
