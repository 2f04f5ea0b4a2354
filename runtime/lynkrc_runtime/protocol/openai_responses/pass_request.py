"""A Responses request for a Responses target: the client's own bytes, and only the edits it needs.

Top-level members are joined again in order, every value byte for byte, `model` replaced. Nothing
is stored at the target, so that the next request may go to another. Reasoning that travelled in a
carrier is restored for its maker and left out for everybody else.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from lynkrc_runtime.protocol.carrier import OPENAI, PREFIX, sealed_content, unseal
from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import CannotTranslate, Request
from lynkrc_runtime.protocol.dialect import TargetFacts, Written
from lynkrc_runtime.protocol.openai_chat.bodies import Body, value_of
from lynkrc_runtime.protocol.openai_chat.pass_request import refuse_prefill
from lynkrc_runtime.protocol.openai_responses.shape import (
    ask_for_reasoning,
    fit_body,
    fit_format,
    unstored,
    without_reasoning,
)
from lynkrc_runtime.protocol.openai_responses.write_items import restored_reasoning

_encode = msgspec.json.Encoder().encode
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_CARRIED = b'"' + PREFIX.encode()


def pass_request(request: Request, facts: TargetFacts, _: Mapping[str, str]) -> Written:
    """The upstream request; CannotTranslate where the model refuses what the client means."""
    body: Body = {name: msgspec.Raw(raw) for name, raw in request.members.items()}
    body["model"] = facts.model
    changes: Changes = {}
    was_stored = value_of(body, "store") is not False
    unstored(body, changes)
    if was_stored and "thinking" in facts.capabilities and facts.shape.reasoning_in != "none":
        # The client counted on a store: without one only what it is given can be replayed.
        ask_for_reasoning(body, changes)
    try:
        if request.model != facts.model:
            refuse_prefill(request, facts.shape)
            fit_body(body, facts.shape, facts.max_output, changes)
            if "thinking" not in facts.capabilities:
                without_reasoning(body, changes)
            instruction = fit_format(body, facts.shape, changes)
            if instruction is not None:
                _instruct(body, instruction)
        _fit_items(body, facts, changes)
    except RecursionError as error:
        # Read a few calls higher up, where there was just enough room.
        raise CannotTranslate("depth", "the request is nested too deeply to edit") from error
    return Written(body=_encode(body), headers={}, transforms=tuple(changes))


def _instruct(body: Body, instruction: str) -> None:
    given = value_of(body, "instructions")
    body["instructions"] = f"{given}\n\n{instruction}" if given else instruction


def _fit_items(body: Body, facts: TargetFacts, changes: Changes) -> None:
    """Edit reasoning items that need it; every other item keeps its bytes."""
    given = _bytes_of(body.get("input"))
    foreign = _contents(facts.foreign)
    needs_edit = (
        _CARRIED in given or (facts.without_thinking and b"reasoning" in given) or bool(foreign)
    )
    if not needs_edit or not given.lstrip().startswith(b"["):
        return
    kept: list[msgspec.Raw | dict[str, Any]] = []
    for item in _items(given):
        fitted = _fitted(item, facts, foreign)
        if fitted is None:
            changes["stripped=thinking"] = None
        else:
            kept.append(fitted)
    if not kept:
        raise CannotTranslate("input", "nothing is left that the target could be sent")
    body["input"] = kept


def _contents(signatures: frozenset[str]) -> frozenset[str]:
    """What of these OpenAI's dialect knows as `encrypted_content`."""
    carried = [unseal(signature) for signature in signatures]
    found = (sealed_content(one.data) for one in carried if one is not None and one.kind == OPENAI)
    return frozenset(content for content in found if content)


def _fitted(
    item: msgspec.Raw, facts: TargetFacts, foreign: frozenset[str]
) -> msgspec.Raw | dict[str, Any] | None:
    raw = bytes(item)
    is_carried = _CARRIED in raw
    if not is_carried and not facts.without_thinking and not foreign:
        return item
    members: dict[str, Any] = _members(raw)
    kind = value_of(members, "type")
    sealed = value_of(members, "encrypted_content")
    if kind not in ("reasoning", "compaction"):
        return item
    if kind == "reasoning" and facts.without_thinking:
        return None
    if kind == "reasoning" and isinstance(sealed, str) and sealed in foreign:
        return None
    if not isinstance(sealed, str) or not sealed.startswith(PREFIX):
        return item
    kept = restored_reasoning(sealed, facts) if kind == "reasoning" else None
    if kept is None:
        return None
    members.pop("id", None)
    return members | kept


def _bytes_of(value: Any) -> bytes:
    """A member's bytes; b'' where it is absent."""
    return bytes(value) if isinstance(value, msgspec.Raw) else b""
