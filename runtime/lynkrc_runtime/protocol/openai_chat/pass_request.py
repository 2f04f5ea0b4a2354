"""A Chat request for a Chat target: the client's own bytes, and only the edits it needs.

A body that needs no edit goes on as it came, if all its members are known to stand there once. Of
others the top-level members are joined again in order, every value byte for byte, `model` replaced.
Another model than the asked one may take other forms: then what its request shape forbids is
changed, and each change listed. Usage is asked for in every stream (design: "Pass-through, shapes
and translation"); `usage_chunk` takes it out again for clients that did not ask.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import CannotTranslate, Request, Role
from lynkrc_runtime.protocol.dialect import TargetFacts, Written
from lynkrc_runtime.protocol.late_messages import may_reason
from lynkrc_runtime.protocol.openai_chat.bodies import Body, value_of
from lynkrc_runtime.protocol.openai_chat.fit_messages import (
    edits_messages,
    fit_messages,
    mark_prefill,
)
from lynkrc_runtime.protocol.openai_chat.leave_reasoning import (
    leave_reasoning,
    may_leave_reasoning,
)
from lynkrc_runtime.protocol.openai_chat.shape import fit_body, fit_format
from lynkrc_runtime.protocol.shapes import RequestShape

_encode = msgspec.json.Encoder().encode
_messages = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_SYSTEM_ROLES = ("system", "developer")


def pass_request(request: Request, facts: TargetFacts, _: Mapping[str, str]) -> Written:
    """The upstream request; CannotTranslate where the model refuses what the client means.

    Where client and target name the same model nothing is edited but the usage wish.
    """
    whole = request.body
    if whole is not None and _is_plain(request, facts):
        return Written(body=whole, headers={}, transforms=())
    body: Body = {name: msgspec.Raw(raw) for name, raw in request.members.items()}
    body["model"] = facts.model
    changes: Changes = {}
    leave_reasoning(body, facts, changes)
    if request.model != facts.model:
        refuse_prefill(request, facts.shape)
        _fit(body, facts, changes)
    if request.options.stream and facts.shape.stream_options is not False:
        ask_for_usage(body, changes)
    return Written(body=_encode(body), headers={}, transforms=tuple(changes))


def _is_plain(request: Request, facts: TargetFacts) -> bool:
    """Whether the body surely needs no edit: not even the model's name is spelled anew."""
    options, members = request.options, request.members
    asks_usage = options.stream and facts.shape.stream_options is not False
    return (
        request.model == facts.model
        and (options.include_usage or not asks_usage)
        and members["model"] == _encode(facts.model)
        and not facts.without_thinking
        # Where messages were read without any reasoning there is none to look for.
        and not (may_reason(request.messages) and may_leave_reasoning(members["messages"], facts))
    )


def _fit(body: Body, facts: TargetFacts, changes: Changes) -> None:
    try:
        fit_body(body, facts.shape, facts.max_output, changes)
        instruction = fit_format(body, facts.shape, changes)
        _fit_messages(body, facts.shape, instruction, changes)
    except RecursionError as error:
        # Read a few calls higher up, where there was just enough room.
        raise CannotTranslate("depth", "the request is nested too deeply to edit") from error


def refuse_prefill(request: Request, shape: RequestShape) -> None:
    """CannotTranslate for a trailing assistant message where the model refuses one."""
    if shape.prefill is False and request.messages and request.messages[-1].role is Role.ASSISTANT:
        raise CannotTranslate("prefill", "the target does not continue an assistant message")


def ask_for_usage(body: Body, changes: Changes) -> None:
    """Set `stream_options.include_usage`, keeping what else stands there."""
    options = value_of(body, "stream_options") or {}
    if options.get("include_usage") is not True:
        body["stream_options"] = options | {"include_usage": True}
        changes["added=stream_options.include_usage"] = None


def _fit_messages(
    body: Body, shape: RequestShape, instruction: str | None, changes: Changes
) -> None:
    """Messages as the model's server takes them; one without an edit keeps its bytes."""
    touched = edits_messages(shape)
    has_roles = shape.system_role is not None or shape.mid_system is False
    if not touched and not has_roles and instruction is None:
        return
    given = body["messages"]
    # A list has been edited already.
    messages: list[dict[str, Any]] = given if isinstance(given, list) else list(_messages(given))
    is_leading, is_edited = True, False
    for message in messages:
        role = value_of(message, "role")
        if role not in _SYSTEM_ROLES:
            is_leading = False
        elif shape.mid_system is False and not is_leading:
            _fold(message)
            changes["folded=mid-system"] = None
            is_edited = True
        elif shape.system_role not in (None, role):
            message["role"] = shape.system_role
            changes[f"system_role={shape.system_role}"] = None
            is_edited = True
    if instruction is not None:
        _add_instruction(messages, instruction, shape.system_role or "system")
        is_edited = True
    if touched:
        is_edited |= fit_messages(messages, shape, changes)
        is_edited |= mark_prefill(body, messages, shape)
    if is_edited:
        body["messages"] = messages


def remind(text: str) -> str:
    """Later instructions as user text, for models that take them only at the head."""
    return f"<system-reminder>\n{text}\n</system-reminder>"


def _fold(message: dict[str, Any]) -> None:
    content = value_of(message, "content")
    message["role"] = "user"
    if isinstance(content, str):
        message["content"] = remind(content)
    elif isinstance(content, list):
        message["content"] = [
            part | {"text": remind(part["text"])} if part.get("type") == "text" else part
            for part in content
        ]


def _add_instruction(messages: list[dict[str, Any]], instruction: str, role: str) -> None:
    """Into the leading instructions where they are a string: some templates take only one."""
    head = messages[0]
    content = value_of(head, "content")
    if value_of(head, "role") in _SYSTEM_ROLES and isinstance(content, str):
        head["content"] = f"{content}\n\n{instruction}"
    else:
        messages.insert(0, {"role": role, "content": instruction})
