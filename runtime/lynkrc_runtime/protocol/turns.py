"""A conversation of any client, to turns that strict targets take; every change listed.

Gemini, Converse and others demand what clients do not always send: user and assistant in turn, the
user first, every call answered in the next user turn and its results first there, ids that differ
(wire reference C.1.3 to C.1.5, C.2, C.3). One pure pass makes it so, in the neutral vocabulary.

>>> from lynkrc_runtime.protocol.conversation import Text
>>> changes = {}
>>> turns = settle((Message(role=Role.ASSISTANT, blocks=(Text(text="Hi"),)),), changes)
>>> [turn.role.value for turn in turns], list(changes)
(['user', 'assistant'], ['added=user-turn'])
"""

from collections.abc import Sequence

from msgspec.structs import replace

from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import (
    Block,
    CannotTranslate,
    Message,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from lynkrc_runtime.protocol.open_calls import OpenCalls

CONTINUE = "Continue."
"""Said for a user who has to speak first."""
INTERRUPTED = "[no result: interrupted]"
"""Stands in for the result of a call the client gave up."""


def settle(messages: Sequence[Message], changes: Changes) -> tuple[Message, ...]:
    """The messages as strictly alternating user and assistant turns, the user's first.

    System messages become reminders in user turns. Of a turn's results, those of its open calls
    come first, in the order of the calls; a call without a result gets a stand-in, a result
    without a call becomes text. Members of messages that have no neutral name are listed as lost.
    CannotTranslate where no message is left that says anything.
    """
    turns: list[tuple[Role, list[Block]]] = []
    for message in messages:
        for name in message.extra:
            changes[f"dropped=messages.{name}"] = None
        turn = _folded(message, changes)
        if not turn.blocks:
            continue
        if turns and turns[-1][0] is turn.role:
            turns[-1][1].extend(turn.blocks)
        else:
            turns.append((turn.role, list(turn.blocks)))
    if messages and not turns:
        raise CannotTranslate("messages", "nothing is left that the target could be sent")
    if not turns or turns[0][0] is Role.ASSISTANT:
        changes["added=user-turn"] = None
        turns.insert(0, (Role.USER, [Text(text=CONTINUE)]))
    return tuple(_paired(turns, changes))


def remind(text: str) -> str:
    """An instruction as a user turn may carry it."""
    return f"<system-reminder>\n{text}\n</system-reminder>"


def _folded(message: Message, changes: Changes) -> Message:
    if message.role is not Role.SYSTEM:
        return message
    changes["folded=mid-system"] = None
    blocks = tuple(
        replace(block, text=remind(block.text)) if isinstance(block, Text) else block
        for block in message.blocks
    )
    return Message(role=Role.USER, blocks=blocks)


def _paired(turns: Sequence[tuple[Role, list[Block]]], changes: Changes) -> list[Message]:
    paired: list[Message] = []
    calls: tuple[str, ...] = ()
    for role, blocks in turns:
        if role is Role.ASSISTANT:
            unique = _unique(blocks)
            calls = tuple(block.id for block in unique if isinstance(block, ToolCall))
            paired.append(Message(role=role, blocks=unique))
            continue
        paired.append(_results_first(blocks, calls, changes))
        calls = ()
    if calls:
        paired.append(_results_first((), calls, changes))
    return paired


def _unique(given: Sequence[Block]) -> tuple[Block, ...]:
    """Some local models repeat an id within a turn: the later one is numbered (C.1.5)."""
    seen: set[str] = set()
    blocks: list[Block] = []
    for place, block in enumerate(given):
        kept = block
        if isinstance(block, ToolCall):
            if block.id in seen:
                kept = replace(block, id=f"{block.id}__{place}")
            seen.add(block.id)
        blocks.append(kept)
    return tuple(blocks)


def _results_first(blocks: Sequence[Block], calls: Sequence[str], changes: Changes) -> Message:
    waiting = OpenCalls(calls)
    found: dict[str, ToolResult] = {}
    others: list[Block] = []
    for block in blocks:
        if not isinstance(block, ToolResult):
            others.append(block)
            continue
        call = waiting.take(block.call_id)
        if call is None:
            changes["orphan=tool_result"] = None
            others.append(Text(text=f"[tool result {block.call_id}]"))
            others.extend(block.content)
        else:
            found[call] = replace(block, call_id=call)
    results: list[Block] = []
    for wanted in calls:
        if wanted not in found:
            changes["added=tool_result"] = None
        results.append(found.get(wanted) or _stand_in(wanted))
    return Message(role=Role.USER, blocks=(*results, *others))


def _stand_in(call_id: str) -> ToolResult:
    return ToolResult(call_id=call_id, content=(Text(text=INTERRUPTED),), is_error=True)
