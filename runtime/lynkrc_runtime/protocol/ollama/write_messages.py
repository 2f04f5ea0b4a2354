"""Neutral messages, to Ollama's ``messages`` (wire reference C.4).

A message has one text, its pictures beside it, and calls with their arguments as objects. Results
are messages of their own and name their tool, since older servers know no ids.
"""

from collections.abc import Iterable, Sequence
from typing import final

from lynkrc_runtime.protocol.arguments import call_input
from lynkrc_runtime.protocol.carrier import MARKER, restored
from lynkrc_runtime.protocol.changes import Changes, list_extra
from lynkrc_runtime.protocol.conversation import (
    Block,
    CannotTranslate,
    Document,
    Image,
    Message,
    Opaque,
    RedactedThinking,
    Refusal,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.media import document_text
from lynkrc_runtime.protocol.ollama.options import Json
from lynkrc_runtime.protocol.turns import settle

TOOL_ERROR = "[tool error] "
"""A failed tool has no flag: its text says so."""
NO_OUTPUT = "(no output)"

_BILLING = "x-anthropic-billing-header"


def write_messages(
    system: tuple[Text, ...],
    messages: Sequence[Message],
    instructions: Iterable[str],
    facts: TargetFacts,
    changes: Changes,
) -> list[Json]:
    """The list; `instructions` join the system text. CannotTranslate if nothing is left."""
    written: list[Json] = []
    head = [*_system(system, changes), *instructions]
    if head:
        written.append({"role": "system", "content": "\n\n".join(head)})
    names: dict[str, str] = {}
    said = 0
    for turn in settle(messages, changes):
        if turn.role is Role.ASSISTANT:
            names = {block.id: block.name for block in turn.blocks if isinstance(block, ToolCall)}
            made = _assistant(turn.blocks, facts, changes)
        else:
            made = _Others(names, changes).write(turn.blocks)
        said += len(made)
        written += made
    if not said:
        raise CannotTranslate("messages", "nothing is left that the target could be sent")
    return written


def _system(system: tuple[Text, ...], changes: Changes) -> list[str]:
    texts: list[str] = []
    for block in system:
        if block.text.startswith(_BILLING):
            changes["dropped=billing-header"] = None
            continue
        list_extra(block.extra, changes)
        if block.text:
            texts.append(block.text)
    return texts


def _assistant(blocks: tuple[Block, ...], facts: TargetFacts, changes: Changes) -> list[Json]:
    text = ""
    thoughts: list[str] = []
    calls: list[Json] = []
    is_apart = False
    for block in blocks:
        match block:
            case Text(text=piece) | Refusal(text=piece):
                if isinstance(block, Text):
                    list_extra(block.extra, changes)
                if calls and piece:
                    changes["moved=text-before-calls"] = None
                # Neighbouring blocks are one text; what stood apart stays apart.
                text += f"\n\n{piece}" if text and piece and is_apart else piece
                is_apart = False
                continue
            case ToolCall():
                list_extra(block.extra, changes)
                calls.append(_call(block, len(calls)))
            case Thinking() if _is_own(block, facts):
                if block.text:
                    thoughts.append(block.text)
            case Thinking() | RedactedThinking():
                changes["stripped=thinking"] = None
            case Opaque(type=kind):
                changes[f"dropped={kind}"] = None
            case _:
                changes[f"dropped=assistant.{type(block).__name__.lower()}"] = None
        is_apart = True
    if not text and not calls and not thoughts:
        return []
    written: Json = {"role": "assistant", "content": text}
    if thoughts:
        # Models that think between calls want it back there (wire reference C.4).
        written["thinking"] = "\n\n".join(thoughts)
    if calls:
        written["tool_calls"] = calls
    return [written]


def _is_own(block: Thinking, facts: TargetFacts) -> bool:
    """Whether this model made the reasoning, or nobody knows who did."""
    if facts.without_thinking or "thinking" not in facts.capabilities:
        return False
    return block.signature is None or restored(block.signature, MARKER, facts.maker) is not None


def _call(call: ToolCall, number: int) -> Json:
    function = {"index": number, "name": call.name, "arguments": call_input(call)}
    return {"id": call.id, "function": function}


@final
class _Others:
    """What follows an assistant turn whose calls have these names, by id."""

    __slots__ = ("changes", "images", "names", "texts")

    def __init__(self, names: dict[str, str], changes: Changes) -> None:
        self.names = names
        self.changes = changes
        self.texts: list[str] = []
        self.images: list[str] = []

    def write(self, blocks: tuple[Block, ...]) -> list[Json]:
        """Results first, then one message of the user with the pictures of both."""
        written = [self._result(block) for block in blocks if isinstance(block, ToolResult)]
        for block in blocks:
            if not isinstance(block, ToolResult):
                self._say(block)
        if self.texts or self.images:
            user: Json = {"role": "user", "content": "\n".join(self.texts)}
            if self.images:
                user["images"] = self.images
            written.append(user)
        return written

    def _say(self, block: Block) -> None:
        match block:
            case Text(text=text) | Refusal(text=text):
                if isinstance(block, Text):
                    list_extra(block.extra, self.changes)
                if text:
                    self.texts.append(text)
            case Image():
                list_extra(block.extra, self.changes)
                if self.texts:
                    # They stand beside the text, and the model sees them first.
                    self.changes["moved=images"] = None
                self.images.append(_picture(block))
            case Document():
                list_extra(block.extra, self.changes)
                self.texts.append(_document(block))
            case Opaque(type=kind):
                self.changes[f"dropped={kind}"] = None
            case _:
                # Calls and reasoning do not stand in turns of the user.
                self.changes[f"dropped=user.{type(block).__name__.lower()}"] = None

    def _result(self, result: ToolResult) -> Json:
        list_extra(result.extra, self.changes)
        pieces: list[str] = []
        for block in result.content:
            match block:
                case Text(text=text):
                    list_extra(block.extra, self.changes)
                    pieces.append(text)
                case Document():
                    list_extra(block.extra, self.changes)
                    pieces.append(_document(block))
                case Image():
                    list_extra(block.extra, self.changes)
                    self.images.append(_picture(block))
                    pieces.append(f"[image {len(self.images)} of the next message]")
                    self.changes["moved=tool-result-media"] = None
                case Opaque(type=kind):
                    self.changes[f"dropped={kind}"] = None
                case _:
                    self.changes[f"dropped=tool_result.{type(block).__name__.lower()}"] = None
        text = "\n".join(piece for piece in pieces if piece) or NO_OUTPUT
        if result.is_error:
            self.changes["folded=is_error"] = None
            text = TOOL_ERROR + text
        return {
            "role": "tool",
            "tool_name": self.names[result.call_id],
            "tool_call_id": result.call_id,
            "content": text,
        }


def _picture(image: Image) -> str:
    """Base64 without a prefix; CannotTranslate for what would have to be fetched."""
    if image.data is None:
        source = "image.url" if image.url is not None else "file_id"
        raise CannotTranslate(source, "the target takes pictures as base64 only")
    return image.data


def _document(document: Document) -> str:
    if document.text is None:
        raise CannotTranslate("document", "the target takes documents as text only")
    return document_text(document)
