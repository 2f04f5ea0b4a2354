"""Neutral messages from another dialect, to a legal Chat `messages` list (wire reference C.1.3).

A call must be answered before anything else is said: after each assistant turn its results come
first, then stand-ins for calls nobody answered, then what the user and the system said.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import final

from msgspec.structs import replace

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
from lynkrc_runtime.protocol.free_form import wrapped
from lynkrc_runtime.protocol.naming import CHAT_NAME_LIMIT, legal_id, legal_name
from lynkrc_runtime.protocol.open_calls import OpenCalls
from lynkrc_runtime.protocol.openai_chat.call_ids import ID_LIMIT, KEPT, unique_id
from lynkrc_runtime.protocol.openai_chat.pass_request import remind
from lynkrc_runtime.protocol.openai_chat.replay import Replay
from lynkrc_runtime.protocol.openai_chat.write_parts import (
    CACHE_MARK,
    Json,
    content_of,
    marked_part,
    named,
    result_text,
    text_part,
    user_parts,
)
from lynkrc_runtime.protocol.shapes import ANYTHING, RequestShape

INTERRUPTED = "[no result: interrupted]"
"""Stands in for the result of a call the client gave up."""

_BILLING = "x-anthropic-billing-header"


def write_messages(
    system: tuple[Text, ...],
    messages: Sequence[Message],
    facts: TargetFacts,
    instruction: str | None,
    changes: Changes,
) -> list[Json]:
    """The `messages` list; `instruction` joins the system text. CannotTranslate if none is left."""
    shape = facts.shape
    head = system_message(system, instruction, shape, changes)
    written: list[Json] = [] if head is None else [head]
    turns = turns_of(messages)
    for assistant, others in turns:
        calls: Collection[str] = ()
        if assistant is not None:
            message, calls = _assistant(assistant, facts, changes)
            if message is not None:
                written.append(message)
        answer = _only_answer(calls, others, shape, changes)
        if answer is not None:
            written.append(answer)
        else:
            written += _Answers(calls, changes).write(others, shape)
    if not any(message["role"] not in ("system", "developer") for message in written):
        raise CannotTranslate("messages", "nothing is left that the target could be sent")
    return written


def system_message(
    system: tuple[Text, ...], instruction: str | None, shape: RequestShape, changes: Changes
) -> Json | None:
    """The instructions at the head of the list; None where there are none."""
    text = _system(system, instruction, shape, changes)
    return {"role": _system_role(shape), "content": text} if text else None


def _system_role(shape: RequestShape) -> str:
    return shape.system_role or "system"


def call_id(given: str) -> str:
    """The id as Chat takes it; the same for a call and for its result."""
    return legal_id(given, limit=ID_LIMIT)


def tool_name(name: str, changes: Changes) -> str:
    """The name as Chat takes it; `naming.original_names` restores it in the answer."""
    mapped = legal_name(name, limit=CHAT_NAME_LIMIT)
    if mapped != name:
        changes["mapped=tool-names"] = None
    return mapped


def system_text(system: tuple[Text, ...], instruction: str | None, changes: Changes) -> str:
    """The instructions as one text, '' where there are none."""
    text = _system(system, instruction, ANYTHING, changes)
    assert isinstance(text, str), "no marks are kept"
    return text


def _system(
    system: tuple[Text, ...], instruction: str | None, shape: RequestShape, changes: Changes
) -> str | list[Json]:
    """The leading instructions as one text, or as parts where their cache marks are kept."""
    parts: list[Json] = []
    for block in system:
        if block.text.startswith(_BILLING):
            changes["dropped=billing-header"] = None
        elif block.text:
            parts.append(marked_part(block, shape, changes))
        else:
            list_extra(block.extra, changes)
    if instruction is not None:
        parts.append(text_part(instruction))
    if any(CACHE_MARK in part for part in parts):
        return parts
    return "\n\n".join(part["text"] for part in parts)


def turns_of(messages: Sequence[Message]) -> list[tuple[Message | None, list[Message]]]:
    """Each assistant message (neighbours joined) with what came before the next one."""
    turns: list[tuple[list[Message], list[Message]]] = [([], [])]
    for message in messages:
        said, others = turns[-1]
        if message.role is not Role.ASSISTANT:
            others.append(message)
        elif said and not others:
            said.append(message)
        else:
            turns.append(([message], []))
    return [(_joined(said), others) for said, others in turns]


def _joined(messages: list[Message]) -> Message | None:
    if len(messages) < 2:
        return messages[0] if messages else None
    blocks = tuple(block for message in messages for block in message.blocks)
    extra = {name: value for message in messages for name, value in message.extra.items()}
    return replace(messages[0], blocks=blocks, extra=extra)


def _assistant(
    message: Message, facts: TargetFacts, changes: Changes
) -> tuple[Json | None, Collection[str]]:
    """(message, ids of its calls); None where nothing of it can be said."""
    thoughts: Replay | None = None
    if message.extra:
        list_extra(named(message.extra), changes)
    text = ""
    is_apart = False
    calls: list[Json] = []
    ids: dict[str, None] = {}
    for block in message.blocks:
        if type(block) is ToolCall:  # most blocks of a long request
            if block.extra:
                list_extra(block.extra, changes)
            given_id = unique_id(call_id(block.id), ids)
            ids[given_id] = None
            calls.append(_call(block, given_id, changes))
            is_apart = True
            continue
        match block:
            case Text(text=piece) | Refusal(text=piece):
                if isinstance(block, Text) and block.extra:
                    list_extra(block.extra, changes)
                if calls and piece:
                    changes["moved=text-before-calls"] = None
                # Neighbouring blocks are one text; what stood apart stays apart.
                text += f"\n\n{piece}" if text and piece and is_apart else piece
                is_apart = False
            case Thinking() | RedactedThinking():
                # Reasoning goes to its maker alone (design: "Thinking blocks").
                thoughts = thoughts or Replay(facts, changes)
                thoughts.add(block)
                is_apart = True
            case Opaque(type=kind):
                changes[f"dropped={kind}"] = None
                is_apart = True
            case _:
                changes[f"dropped=assistant.{type(block).__name__.lower()}"] = None
    if not text and not calls:
        if thoughts is not None:
            thoughts.drop()
        return None, ()
    written: Json = {"role": "assistant", "content": text or None}
    if thoughts is not None:
        thoughts.write(written, has_calls=bool(calls))
    if calls:
        written["tool_calls"] = calls
    return written, ids


def _call(call: ToolCall, given_id: str, changes: Changes) -> Json:
    name = tool_name(call.name, changes)
    arguments = wrapped(call.arguments) if call.custom else call.arguments.strip() or "{}"
    function = {"name": name, "arguments": arguments}
    return {"id": given_id, "type": "function", "function": function}


def _only_answer(
    calls: Collection[str], messages: Sequence[Message], shape: RequestShape, changes: Changes
) -> Json | None:
    """The tool message of a turn with one call and its result in text, as most of an agent's are;
    None for any other turn."""
    if len(calls) != 1 or len(messages) != 1:
        return None
    (message,) = messages
    if message.extra or message.role is not Role.USER or len(message.blocks) != 1:
        return None
    (result,) = message.blocks
    if type(result) is not ToolResult or any([type(part) is not Text for part in result.content]):
        return None
    answered = call_id(result.call_id)
    if answered not in calls:
        return None
    text, _ = result_text(result, shape, changes)
    return _tool_message(answered, text)


@final
class _Answers:
    """What follows one assistant turn; `open` are its calls without a result."""

    __slots__ = ("changes", "media", "open", "results")

    def __init__(self, calls: Iterable[str], changes: Changes) -> None:
        self.open = OpenCalls(calls)
        self.changes = changes
        self.results: list[Json] = []
        self.media: list[Json] = []

    def write(self, messages: list[Message], shape: RequestShape) -> list[Json]:
        said: list[Json] = []
        for message in messages:
            if message.extra:
                list_extra(named(message.extra), self.changes)
            if message.role is Role.SYSTEM:
                said += self._system(message, shape)
                continue
            rest: list[Block] = []
            orphans: list[Json] = []
            for block in message.blocks:
                if type(block) is ToolResult:
                    orphans += self._result(block, shape)
                else:
                    rest.append(block)
            parts = orphans + user_parts(rest, shape, self.changes) if rest else orphans
            if parts:
                said.append({"role": "user", "content": parts})
        for missing in self.open.left:
            self.changes["added=tool_result"] = None
            self.results.append(_tool_message(missing, INTERRUPTED))
        return self.results + self._with_media(said) if said or self.media else self.results

    def _result(self, result: ToolResult, shape: RequestShape) -> list[Json]:
        """The tool message; for a call that is not there, parts for the user message instead."""
        text, media = result_text(result, shape, self.changes)
        wanted = self.open.take(call_id(result.call_id), KEPT)
        if wanted is None:
            self.changes["orphan=tool_result"] = None
            return [text_part(f"[tool result {result.call_id}] {text}"), *media]
        if shape.result_media:
            content = [text_part(text), *media] if media else text
            self.results.append({"role": "tool", "tool_call_id": wanted, "content": content})
            return []
        self.results.append(_tool_message(wanted, text))
        self.media += media
        return []

    def _system(self, message: Message, shape: RequestShape) -> list[Json]:
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
        if shape.mid_system is False:
            self.changes["folded=mid-system"] = None
            return [{"role": "user", "content": [text_part(remind(text))]}]
        return [{"role": _system_role(shape), "content": text}]

    def _with_media(self, said: list[Json]) -> list[Json]:
        """Pictures of results open the user message after them, made if there is none."""
        if self.media:
            first = next((turn for turn in said if turn["role"] == "user"), None)
            if first is None:
                first = {"role": "user", "content": []}
                said.insert(0, first)
            first["content"] = self.media + first["content"]
        for turn in said:
            if turn["role"] == "user":
                turn["content"] = content_of(turn["content"])
        return said


def _tool_message(answered: str, text: str) -> Json:
    return {"role": "tool", "tool_call_id": answered, "content": text}
