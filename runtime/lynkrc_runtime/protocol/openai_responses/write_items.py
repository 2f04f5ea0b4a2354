"""Neutral messages from another dialect, to the `input` items of Responses (C.5.1, C.5.4).

Items keep the order in which a turn was said: reasoning, text, calls. Behind a turn stand the
outputs of its calls, then stand-ins for calls nobody answered, then what the others said.
"""

from collections import deque
from collections.abc import Sequence
from typing import final

import msgspec

from lynkrc_runtime.protocol.carrier import OPENAI, restored
from lynkrc_runtime.protocol.changes import Changes, list_extra
from lynkrc_runtime.protocol.conversation import (
    Block,
    CannotTranslate,
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
from lynkrc_runtime.protocol.naming import legal_id
from lynkrc_runtime.protocol.openai_chat.write_messages import tool_name, turns_of
from lynkrc_runtime.protocol.openai_chat.write_parts import Json, named
from lynkrc_runtime.protocol.openai_responses.write_parts import (
    content_of,
    text_part,
    write_output,
    write_parts,
)
from lynkrc_runtime.protocol.outside import NOT_JSON
from lynkrc_runtime.protocol.turns import INTERRUPTED, remind

ID_LIMIT = 64
"""Characters of a `call_id` (wire reference C.1.5)."""

_ROOM_FOR_NUMBER = 8


@final
class Sealed(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an OPENAI carrier holds: what names a reasoning item and what it hides."""

    encrypted_content: str
    id: str | None = None


_read_sealed = msgspec.json.Decoder(Sealed).decode


@final
class _Call(msgspec.Struct):
    """A call of the turn under way: its id as given and as written."""

    given: str
    written: str
    custom: bool


def write_items(messages: Sequence[Message], facts: TargetFacts, changes: Changes) -> list[Json]:
    """The `input` list. CannotTranslate where nothing is left to be sent."""
    items: list[Json] = []
    writer = _Items(facts, changes)
    for assistant, others in turns_of(messages):
        calls: list[_Call] = []
        if assistant is not None:
            written, calls = writer.assistant(assistant)
            items += written
        items += writer.answers(calls, others)
    if not items:
        raise CannotTranslate("messages", "nothing is left that the target could be sent")
    return items


def restored_reasoning(signature: str | None, facts: TargetFacts) -> Json | None:
    """`id` (where one was given) and `encrypted_content` of a reasoning item this target made.

    >>> from lynkrc_runtime.protocol.carrier import seal
    >>> from lynkrc_runtime.protocol.dialect import ANY_TARGET
    >>> restored_reasoning(seal(OPENAI, '{"encrypted_content":"gA"}', ""), ANY_TARGET)
    {'encrypted_content': 'gA'}
    """
    data = restored(signature, OPENAI, facts.maker)
    if data is None or facts.without_thinking:
        return None
    try:
        sealed = _read_sealed(data)
    except NOT_JSON:
        return None
    kept = {"encrypted_content": sealed.encrypted_content}
    return kept if sealed.id is None else {"id": sealed.id, **kept}


@final
class _Items:
    """Writes turns; remembers the ids of the whole conversation, which must all differ."""

    __slots__ = ("changes", "facts", "taken")

    def __init__(self, facts: TargetFacts, changes: Changes) -> None:
        self.facts = facts
        self.changes = changes
        self.taken: set[str] = set()

    def assistant(self, message: Message) -> tuple[list[Json], list[_Call]]:
        """The items of a turn, and its calls."""
        if message.extra:
            list_extra(named(message.extra), self.changes)
        items: list[Json] = []
        calls: list[_Call] = []
        text: list[str] = []
        for block in message.blocks:
            if isinstance(block, Text | Refusal):
                if isinstance(block, Text) and block.extra:
                    list_extra(block.extra, self.changes)
                text.append(block.text)
                continue
            if text:
                _say(text, items)
            if type(block) is ToolCall:  # most blocks of a long request
                items.append(self._call(block, calls))
                continue
            match block:
                case Thinking(text=thought, signature=signature):
                    self._reasoning(thought, signature, items)
                case RedactedThinking():
                    self.changes["stripped=thinking"] = None
                case Opaque(type=kind):
                    self.changes[f"dropped={kind}"] = None
                case _:
                    self.changes[f"dropped=assistant.{type(block).__name__.lower()}"] = None
        if text:
            _say(text, items)
        while items and items[-1]["type"] == "reasoning":
            # A reasoning item is refused where what it led to does not follow.
            self.changes["stripped=thinking"] = None
            items.pop()
        return items, calls

    def _reasoning(self, thought: str, signature: str | None, items: list[Json]) -> None:
        kept = restored_reasoning(signature, self.facts)
        if kept is None:
            self.changes["stripped=thinking"] = None
            return
        summary = [{"type": "summary_text", "text": thought}] if thought else []
        items.append({"type": "reasoning", **kept, "summary": summary})

    def _call(self, call: ToolCall, calls: list[_Call]) -> Json:
        list_extra(call.extra, self.changes)
        written = legal_id(call.id, limit=ID_LIMIT)
        if written in self.taken:
            written = f"{written[: ID_LIMIT - _ROOM_FOR_NUMBER]}__{len(self.taken)}"
        self.taken.add(written)
        calls.append(_Call(given=call.id, written=written, custom=call.custom))
        name = tool_name(call.name, self.changes)
        if call.custom:
            return {
                "type": "custom_tool_call",
                "call_id": written,
                "name": name,
                "input": call.arguments,
            }
        return {
            "type": "function_call",
            "call_id": written,
            "name": name,
            "arguments": call.arguments.strip() or "{}",
        }

    def answers(self, calls: list[_Call], messages: list[Message]) -> list[Json]:
        """What follows a turn: the outputs of its calls in their order, then the others' words."""
        if (only := self._only_output(calls, messages)) is not None:
            return [only]
        outputs: dict[str, Json] = {}
        waiting: dict[str, deque[_Call]] = {}
        for call in calls:
            waiting.setdefault(call.given, deque()).append(call)
        said: list[Json] = []
        for message in messages:
            if message.extra:
                list_extra(named(message.extra), self.changes)
            if message.role is Role.SYSTEM:
                said += self._system(message)
                continue
            rest: list[Block] = []
            orphans: list[Json] = []
            for block in message.blocks:
                if not isinstance(block, ToolResult):
                    rest.append(block)
                    continue
                # Calls of one id are answered in order.
                answered = waiting.get(block.call_id)
                if not answered:
                    orphans += self._orphan(block)
                else:
                    call = answered.popleft()
                    outputs[call.written] = _output(call, write_output(block, self.changes))
            parts = orphans + write_parts(rest, self.changes) if rest else orphans
            if parts:
                said.append(_message("user", content_of(parts)))
        written: list[Json] = []
        for call in calls:
            if call.written not in outputs:
                self.changes["added=tool_result"] = None
            written.append(outputs.get(call.written) or _output(call, INTERRUPTED))
        return written + said

    def _only_output(self, calls: list[_Call], messages: list[Message]) -> Json | None:
        """The output of a turn with one call and its result, as most of an agent's are; None for
        any other turn."""
        if len(calls) != 1 or len(messages) != 1:
            return None
        (call,), (message,) = calls, messages
        if message.extra or message.role is not Role.USER or len(message.blocks) != 1:
            return None
        (result,) = message.blocks
        if type(result) is not ToolResult or result.call_id != call.given:
            return None
        return _output(call, write_output(result, self.changes))

    def _orphan(self, result: ToolResult) -> list[Json]:
        self.changes["orphan=tool_result"] = None
        output = write_output(result, self.changes)
        head = f"[tool result {result.call_id}]"
        if isinstance(output, str):
            return [text_part(f"{head} {output}")]
        return [text_part(head), *output]

    def _system(self, message: Message) -> list[Json]:
        texts: list[str] = []
        for block in message.blocks:
            if isinstance(block, Text):
                list_extra(block.extra, self.changes)
                texts.append(block.text)
            else:
                self.changes["dropped=system-media"] = None
        text = "\n\n".join(piece for piece in texts if piece)
        if not text:
            return []
        if self.facts.shape.mid_system is False:
            self.changes["folded=mid-system"] = None
            return [_message("user", remind(text))]
        return [_message(self.facts.shape.system_role or "developer", text)]


def _say(text: list[str], items: list[Json]) -> None:
    """One message of the texts since the last item; the easy form needs no id of its own."""
    joined = "".join(text)
    text.clear()
    if joined:
        items.append(_message("assistant", joined))


def _message(role: str, content: str | list[Json]) -> Json:
    return {"type": "message", "role": role, "content": content}


def _output(call: _Call, output: str | list[Json]) -> Json:
    kind = "custom_tool_call_output" if call.custom else "function_call_output"
    return {"type": kind, "call_id": call.written, "output": output}
