"""The reasoning in a Chat client's history, to what its target may be sent of it.

Entries of `reasoning_details` that hold a carrier, or that another target is known to have signed,
are cut out (design: "Thinking blocks"); all reasoning is, where the target refused it.
"""

from typing import Any

import msgspec

from lynkrc_runtime.protocol.carrier import PREFIX
from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import CannotTranslate
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.openai_chat.bodies import Body, value_of
from lynkrc_runtime.protocol.openai_chat.reasoning import FIELDS, details
from lynkrc_runtime.protocol.openai_chat.reasoning_details import is_carried

_messages = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_DETAILS = "reasoning_details"
_CARRIED = PREFIX.encode()


def may_leave_reasoning(messages: bytes, facts: TargetFacts) -> bool:
    """Whether these messages, JSON text, may hold what the target must not see."""
    is_signed = b'"reasoning_details"' in messages
    is_foreign = is_signed and (bool(facts.foreign) or _CARRIED in messages)
    return is_foreign or (facts.without_thinking and b'"reasoning' in messages)


def leave_reasoning(body: Body, facts: TargetFacts, changes: Changes) -> None:
    """Edit `messages` where that is needed; a message without an edit keeps its bytes."""
    raw = bytes(body["messages"])
    if not may_leave_reasoning(raw, facts):
        return
    try:
        messages: list[dict[str, Any]] = list(_messages(raw))
        edited = [_edited(message, facts) for message in messages]
    except RecursionError as error:
        raise CannotTranslate("depth", "the request is nested too deeply to edit") from error
    if any(edited):
        # As bytes: what edits them next reads them so.
        body["messages"] = msgspec.Raw(msgspec.json.encode(messages))
        changes["stripped=thinking"] = None


def _edited(message: Body, facts: TargetFacts) -> bool:
    if value_of(message, "role") != "assistant":
        return False
    if facts.without_thinking:
        given = [name for name in FIELDS if name in message]
        for name in given:
            del message[name]
        return bool(given)
    entries = details({_DETAILS: value_of(message, _DETAILS)})
    kept = [entry for entry in entries if not is_carried(entry) and not _is_foreign(entry, facts)]
    if len(kept) == len(entries):
        return False
    if kept:
        message[_DETAILS] = kept
    else:
        del message[_DETAILS]
    return True


def _is_foreign(entry: dict[str, Any], facts: TargetFacts) -> bool:
    # Whatever else a client put there has no maker.
    marks = (entry.get(name) for name in ("signature", "data"))
    return any(isinstance(mark, str) and mark in facts.foreign for mark in marks)
