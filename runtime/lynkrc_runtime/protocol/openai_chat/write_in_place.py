"""A Messages conversation that was read in place, to a Chat `messages` list, written in place too.

What the kernel writes is what `write_messages` and `fit_messages` make of it: a conversation that
needs a repair, and a target that wants more than is known here, are left to these.
"""

from typing import Final

from msgspec import Raw

from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import Request
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.late_messages import LateMessages
from lynkrc_runtime.protocol.openai_chat.write_messages import system_message
from lynkrc_runtime.protocol.openai_chat.write_tools import encode

_WRITTEN: Final = frozenset(("role", "content", "tool_calls", "tool_call_id"))
_REASONING: Final = "reasoning_content"
_LOSSES: Final = {
    b"m"[0]: "dropped=cache_control",
    b"r"[0]: "stripped=thinking",
    b"e"[0]: "folded=is_error",
}
"""What the kernel's letters say (scan/messages_write.h)."""


def write_in_place(
    request: Request, facts: TargetFacts, instruction: str | None, changes: Changes
) -> Raw | None:
    """The `messages` list as JSON text; None where it must be written with care.

    `changes` may then hold what the system text loses, which the careful writer lists first too.
    """
    messages, shape = request.messages, facts.shape
    if type(messages) is not LateMessages:
        return None
    replay = shape.reasoning_replay
    replays = replay is not None and replay != "never"
    if replays and messages.course.has_reasoning and not facts.without_thinking:
        return None
    wants_reasoning = replays and (shape.reasoning_field or _REASONING) == _REASONING
    taken = shape.message_members
    if shape.call_ids is not None or (
        taken is not None
        and (not _WRITTEN.issubset(taken) or (wants_reasoning and _REASONING not in taken))
    ):
        return None
    system = system_message(request.system, instruction, shape, changes)
    head = b"[" if system is None else b"[%b," % encode(system)
    done = messages.for_chat(
        head, bool(shape.cache_marks), not shape.merge_consecutive, wants_reasoning
    )
    if done is None:
        return None
    written, losses = done
    for loss in losses:
        changes[_LOSSES[loss]] = None
    return Raw(written)
