"""A Chat `messages` list and a model's request shape, to messages its server takes, changes listed.

Pass-through and translation share these edits (wire reference B.9 to B.17, C.1.3, C.1.5, C.1.9).
Values of members are plain or still raw; a message without an edit keeps its bytes.

>>> from lynkrc_runtime.protocol.shapes import RequestShape
>>> turns = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
>>> changes = {}
>>> fit_messages(turns, RequestShape(merge_consecutive=True), changes)
True
>>> turns, list(changes)
([{'role': 'user', 'content': 'a\\n\\nb'}], ['merged=messages'])
"""

from typing import Any

from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import CannotTranslate
from lynkrc_runtime.protocol.naming import alnum_id
from lynkrc_runtime.protocol.openai_chat.bodies import Body, value_of
from lynkrc_runtime.protocol.openai_chat.reasoning import FIELDS, reasoning_text
from lynkrc_runtime.protocol.shapes import RequestShape

_SYSTEM_ROLES = ("system", "developer")
CONTENT = "content"
"""`reasoning_field` of servers that take reasoning as a part of the content."""


def edits_messages(shape: RequestShape) -> bool:
    """Whether `fit_messages` may have anything to do for the shape.

    What it does is known to write_in_place.py, too.
    """
    return bool(
        shape.message_members is not None
        or shape.call_ids
        or shape.reasoning_replay
        or shape.merge_consecutive
        or shape.media_urls is False
        or shape.prefill_mark
    )


def fit_messages(messages: list[Body], shape: RequestShape, changes: Changes) -> bool:
    """Edit the list and its messages in place; whether anything changed.

    Raises CannotTranslate where a picture would have to be fetched for the server.
    """
    is_edited = False
    for message in messages:
        is_edited |= _fit(message, value_of(message, "role"), shape, changes)
    if shape.merge_consecutive:
        is_edited |= _merge(messages, changes)
    return is_edited


def mark_prefill(body: Body, messages: list[Body], shape: RequestShape) -> bool:
    """Say that a trailing assistant message is to be continued; whether `messages` changed."""
    mark = shape.prefill_mark
    last = messages[-1]
    if mark is None or value_of(last, "role") != "assistant" or last.get("tool_calls"):
        return False
    if mark == "continue_final_message":
        body[mark] = True
        body["add_generation_prompt"] = False
        return False
    last[mark] = True
    return True


def _fit(message: Body, role: str, shape: RequestShape, changes: Changes) -> bool:
    is_edited = False
    if shape.call_ids is not None:
        is_edited |= _fit_ids(message, changes)
    if role == "assistant" and shape.reasoning_replay is not None:
        is_edited |= _fit_reasoning(message, shape, changes)
    if shape.message_members is not None:
        for name in [name for name in message if name not in shape.message_members]:
            if value_of(message, name) is not None:
                changes[f"dropped=messages.{name}"] = None
            del message[name]
            is_edited = True
    if role == "user" and shape.media_urls is False:
        _refuse_urls(message)
    return is_edited


def _fit_ids(message: Body, changes: Changes) -> bool:
    """Ids as nine letters and digits, the same for a call and its result."""
    answered = value_of(message, "tool_call_id")
    if isinstance(answered, str) and alnum_id(answered) != answered:
        message["tool_call_id"] = alnum_id(answered)
        changes["mapped=tool-ids"] = None
        return True
    calls = value_of(message, "tool_calls") or []
    if all(alnum_id(call["id"]) == call["id"] for call in calls):
        return False
    for call in calls:
        call["id"] = alnum_id(call["id"])
    message["tool_calls"] = calls
    changes["mapped=tool-ids"] = None
    return True


def _fit_reasoning(message: Body, shape: RequestShape, changes: Changes) -> bool:
    """Reasoning where the server looks for it; what it must have and nobody knows is empty."""
    given = {name: value_of(message, name) for name in FIELDS if name in message}
    if shape.reasoning_replay == "never":
        for name, value in given.items():
            if value:
                changes["stripped=thinking"] = None
            del message[name]
        return bool(given)
    field = shape.reasoning_field or "reasoning_content"
    if field == CONTENT or given.get(field) is not None:
        return False
    text = reasoning_text(given)
    is_needed = field == "reasoning_content" and bool(message.get("tool_calls"))
    if not text and not is_needed:
        return False
    place = "reasoning" if field == "reasoning_details" else field
    if list(given) == [place]:
        return False
    for name in given:
        del message[name]
    message[place] = text
    return True


def _refuse_urls(message: Body) -> None:
    content = value_of(message, "content")
    for part in content if isinstance(content, list) else ():
        if part.get("type") != "image_url":
            continue
        source = part.get("image_url")
        url = source.get("url") if isinstance(source, dict) else source
        if isinstance(url, str) and url[:5].lower() != "data:":
            raise CannotTranslate("image.url", "the target takes pictures only with their data")


def _merge(messages: list[Body], changes: Changes) -> bool:
    """Neighbours of one role as one message. Tool messages and turns with calls stay apart."""
    merged: list[Body] = []
    for message in messages:
        role = _side(message)
        before = merged[-1] if merged else None
        if before is None or role is None or _side(before) != role or before.get("tool_calls"):
            merged.append(message)
            continue
        joined = _joined(value_of(before, "content"), value_of(message, "content"))
        merged[-1] = {**before, **message, "role": before["role"], "content": joined}
    if len(merged) == len(messages):
        return False
    changes["merged=messages"] = None
    messages[:] = merged
    return True


def _side(message: Body) -> str | None:
    role = value_of(message, "role")
    if role in _SYSTEM_ROLES:
        return "system"
    return role if role in ("user", "assistant") else None


def _joined(first: Any, second: Any) -> Any:
    if not first or not second:
        return first or second
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n\n{second}"
    return [*_parts(first), *_parts(second)]


def _parts(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
