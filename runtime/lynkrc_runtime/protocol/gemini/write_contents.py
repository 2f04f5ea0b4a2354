"""Neutral messages, to Gemini's `contents` (wire reference C.3, C.3.6).

Turns alternate, all results of a turn open the next user content in the order of the calls. A
`thoughtSignature` returns to the part it came on, which is the one after its carrier; the first
call of a turn without one gets the value that Google documents for histories of other models.
"""

import base64
from collections.abc import Sequence
from typing import Final, final

from msgspec.structs import replace

from lynkrc_runtime.protocol import carrier
from lynkrc_runtime.protocol.arguments import call_input
from lynkrc_runtime.protocol.changes import Changes, list_extra
from lynkrc_runtime.protocol.conversation import (
    Block,
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
from lynkrc_runtime.protocol.gemini.write_parts import Part, result_parts, said_parts
from lynkrc_runtime.protocol.gemini.write_tools import Json, tool_name
from lynkrc_runtime.protocol.turns import settle

ANY_SIGNATURE: Final = base64.b64encode(b"skip_thought_signature_validator").decode()
"""Stands for a signature that is not there (https://ai.google.dev/gemini-api/docs/thought-signatures)."""

_BILLING = "x-anthropic-billing-header"


def write_system(
    system: tuple[Text, ...], instruction: str | None, changes: Changes
) -> Json | None:
    """`systemInstruction`; `instruction` joins the client's."""
    parts: list[Part] = []
    for block in system:
        if block.text.startswith(_BILLING):
            changes["dropped=billing-header"] = None
            continue
        list_extra(block.extra, changes)
        if block.text:
            parts.append({"text": block.text})
    if instruction is not None:
        parts.append({"text": instruction})
    return {"parts": parts} if parts else None


def write_contents(messages: Sequence[Message], facts: TargetFacts, changes: Changes) -> list[Json]:
    """The `contents` list. CannotTranslate for media that cannot be sent."""
    told = [_told(message, facts, changes) for message in messages]
    contents: list[Json] = []
    names: dict[str, str] = {}
    for turn in settle(told, changes):
        if turn.role is Role.ASSISTANT:
            calls = [block for block in turn.blocks if isinstance(block, ToolCall)]
            names = {call.id: tool_name(call.name, changes) for call in calls}
            contents.append({"role": "model", "parts": _model_parts(turn, names, facts, changes)})
        else:
            contents.append({"role": "user", "parts": _user_parts(turn, names, facts, changes)})
    return contents


def _told(message: Message, facts: TargetFacts, changes: Changes) -> Message:
    """The message without what Gemini cannot be told: each content must keep a part."""
    match message.role:
        case Role.ASSISTANT:
            blocks = tuple(one for one in message.blocks if _is_kept(one, facts, changes))
        case Role.SYSTEM:
            blocks = tuple(one for one in message.blocks if isinstance(one, Text) and one.text)
            if any(not isinstance(one, Text) for one in message.blocks):
                changes["dropped=system-media"] = None
        case Role.USER:
            blocks = tuple(one for one in message.blocks if _is_said(one, changes))
    return replace(message, blocks=blocks)


def _is_kept(block: Block, facts: TargetFacts, changes: Changes) -> bool:
    match block:
        case ToolCall():
            return True
        case Text(text=text) | Refusal(text=text):
            return bool(text)
        case Thinking() if _signature(block, facts) is not None:
            return True
        case Thinking() | RedactedThinking():
            # Reasoning goes to its maker alone (design: "Thinking blocks").
            changes["stripped=thinking"] = None
        case Opaque(type=kind):
            changes[f"dropped={kind}"] = None
        case _:
            changes[f"dropped=assistant.{type(block).__name__.lower()}"] = None
    return False


def _is_said(block: Block, changes: Changes) -> bool:
    match block:
        case Text(text=text) | Refusal(text=text):
            return bool(text)
        case Opaque(type=kind) if kind != "input_audio":
            changes[f"dropped={kind}"] = None
        case ToolCall() | Thinking() | RedactedThinking():
            changes[f"dropped=user.{type(block).__name__.lower()}"] = None
        case _:
            return True
    return False


def _signature(block: Thinking, facts: TargetFacts) -> str | None:
    if facts.without_thinking:
        return None
    return carrier.restored(block.signature, carrier.GEMINI, facts.maker)


def _model_parts(
    turn: Message, names: dict[str, str], facts: TargetFacts, changes: Changes
) -> list[Part]:
    writer = _ModelParts(names, facts, changes)
    for block in turn.blocks:
        writer.add(block)
    return writer.close()


@final
class _ModelParts:
    """The parts of one model turn; `pending` is the signature the next one takes."""

    __slots__ = ("_changes", "_facts", "_has_call", "_names", "_parts", "_pending")

    def __init__(self, names: dict[str, str], facts: TargetFacts, changes: Changes) -> None:
        self._names = names
        self._facts = facts
        self._changes = changes
        self._parts: list[Part] = []
        self._pending: str | None = None
        self._has_call = False

    def add(self, block: Block) -> None:
        match block:
            case Thinking():
                self._settle()
                self._pending = _signature(block, self._facts)
            case Text() | Refusal():
                if isinstance(block, Text):
                    list_extra(block.extra, self._changes)
                self._put({"text": block.text})
            case ToolCall():
                list_extra(block.extra, self._changes)
                self._call(block)
            case _:
                raise ValueError(f"not a block of a model: {block}")

    def close(self) -> list[Part]:
        self._settle()
        return self._parts

    def _call(self, call: ToolCall) -> None:
        if not self._has_call and self._pending is None and self._wants_signature():
            self._pending = ANY_SIGNATURE
            self._changes["added=thought_signature"] = None
        self._has_call = True
        called = {"id": call.id, "name": self._names[call.id], "args": call_input(call)}
        self._put({"functionCall": called})

    def _wants_signature(self) -> bool:
        # A target that refused what it was sent is believed rather than its shape.
        return self._facts.shape.signed_calls is not False or self._facts.without_thinking

    def _put(self, part: Part) -> None:
        if self._pending is not None:
            part["thoughtSignature"] = self._pending
            self._pending = None
        self._parts.append(part)

    def _settle(self) -> None:
        """A signature that nothing follows came on an empty text (C.3, "Stream")."""
        if self._pending is not None:
            self._put({"text": ""})


def _user_parts(
    turn: Message, names: dict[str, str], facts: TargetFacts, changes: Changes
) -> list[Part]:
    responses: list[Part] = []
    following: list[Part] = []
    said: list[Block] = []
    for block in turn.blocks:
        if isinstance(block, ToolResult):
            name = names[block.call_id]
            response, media = result_parts(block, name, facts.shape, changes)
            responses.append(response)
            following += media
        else:
            said.append(block)
    return responses + following + said_parts(said, facts.shape, changes)
