"""Neutral messages from another dialect, to legal Anthropic turns (wire reference C.1.4, C.1.9).

Results of one turn stand together and first in the user message after their calls; calls without
a result and results without a call are made legal; neighbours of one role become one message.
"""

from collections.abc import Sequence

from lynkrc_runtime.protocol.anthropic.edit_messages import remind
from lynkrc_runtime.protocol.anthropic.write_blocks import Json, Losses, block_object
from lynkrc_runtime.protocol.conversation import CannotTranslate, Message, Role
from lynkrc_runtime.protocol.open_calls import OpenCalls
from lynkrc_runtime.protocol.shapes import RequestShape

_CONTINUE = "Continue."
_INTERRUPTED = "[no result: interrupted]"


def write_messages(messages: Sequence[Message], shape: RequestShape, losses: Losses) -> list[Json]:
    """The `messages` list; `losses` collects what was left out or moved.

    CannotTranslate for a trailing assistant message where the model refuses one, and where no
    message is left that says anything.
    """
    turns = _turns(messages, losses)
    turns = _place_system(turns, shape, losses)
    turns = _merge(turns)
    if messages and not turns:
        raise CannotTranslate("messages", "nothing is left that the target could be sent")
    if not turns or turns[0]["role"] == "assistant":
        turns.insert(0, _turn("user", [_text(_CONTINUE)]))
        losses["added=user-turn"] = None
    turns = _pair_results(turns, losses)
    _end(turns, shape)
    return turns


def _turns(messages: Sequence[Message], losses: Losses) -> list[Json]:
    turns: list[Json] = []
    for message in messages:
        role = message.role
        for name in message.extra:
            losses[f"dropped=messages.{name}"] = None
        content: list[Json] = []
        for block in message.blocks:
            written = block_object(block, role, losses)
            if written is not None:
                content.append(written)
        if content:
            # The value of an enum's member is slow to ask for.
            word = "user" if role is Role.USER else "assistant"
            turns.append({"role": "system" if role is Role.SYSTEM else word, "content": content})
    return turns


def _place_system(turns: list[Json], shape: RequestShape, losses: Losses) -> list[Json]:
    """A later system turn stays where a model takes it (right after a user turn), else folds."""
    if not any(turn["role"] == "system" for turn in turns):
        return turns
    placed: list[Json] = []
    for position, turn in enumerate(turns):
        if turn["role"] != "system":
            placed.append(turn)
            continue
        after_user = bool(placed) and placed[-1]["role"] == "user"
        before_user = position + 1 < len(turns) and turns[position + 1]["role"] != "assistant"
        if shape.mid_system is not False and after_user and not before_user:
            placed.append(turn)
            continue
        losses["folded=mid-system"] = None
        content = [block | {"text": remind(block["text"])} for block in turn["content"]]
        placed.append(_turn("user", content))
    return placed


def _merge(turns: list[Json]) -> list[Json]:
    merged: list[Json] = []
    for turn in turns:
        if merged and merged[-1]["role"] == turn["role"]:
            merged[-1]["content"].extend(turn["content"])
        else:
            merged.append(turn)
    return merged


def _pair_results(turns: list[Json], losses: Losses) -> list[Json]:
    """Every call answered in the next user message, results first; every result with a call."""
    paired: list[Json] = []
    calls: list[str] = []
    for turn in turns:
        if turn["role"] == "user":
            turn["content"] = _results_first(turn["content"], calls, losses)
            calls = []
        elif calls:
            paired.append(_turn("user", _results_first([], calls, losses)))
            calls = []
        if turn["role"] == "assistant":
            calls = _calls(turn["content"])
        paired.append(turn)
    if calls:
        paired.append(_turn("user", _results_first([], calls, losses)))
    return paired


def _results_first(content: list[Json], calls: list[str], losses: Losses) -> list[Json]:
    if len(content) == 1:
        # One call and its result, or words without a call: as nearly every turn is.
        (only,) = content
        if only["type"] == "tool_result":
            if len(calls) == 1 and only["tool_use_id"] == calls[0]:
                return content
        elif not calls:
            return content
    results: list[Json] = []
    others: list[Json] = []
    open_calls = OpenCalls(calls)
    for block in content:
        if block["type"] != "tool_result":
            others.append(block)
            continue
        wanted = open_calls.take(block["tool_use_id"])
        if wanted is None:
            losses["orphan=tool_result"] = None
            others.extend(_orphan(block))
            continue
        is_renamed = wanted != block["tool_use_id"]
        results.append(block | {"tool_use_id": wanted} if is_renamed else block)
    for call in open_calls.left:
        losses["added=tool_result"] = None
        results.append(
            {
                "type": "tool_result",
                "tool_use_id": call,
                "content": _INTERRUPTED,
                "is_error": True,
            }
        )
    return results + others


def _calls(content: list[Json]) -> list[str]:
    """Ids of the calls, which must differ: some local models repeat `call_0` (C.1.5)."""
    ids: dict[str, None] = {}
    for position, block in enumerate(content):
        if block["type"] == "tool_use":
            if block["id"] in ids:
                block["id"] = f"{block['id']}__{position}"
            ids[block["id"]] = None
    return list(ids)


def _orphan(block: Json) -> list[Json]:
    """A result whose call was trimmed away, as user text (and its pictures)."""
    content = block.get("content", "")
    head = f"[tool result {block['tool_use_id']}]"
    if isinstance(content, str):
        return [_text(f"{head} {content}".strip())]
    return [_text(head), *content]


def _end(turns: list[Json], shape: RequestShape) -> None:
    last = turns[-1]
    if last["role"] != "assistant":
        return
    if shape.prefill is False:
        raise CannotTranslate("prefill", "the target does not continue an assistant message")
    block = last["content"][-1]
    if block["type"] == "text":
        block["text"] = block["text"].rstrip()


def _turn(role: str, content: list[Json]) -> Json:
    return {"role": role, "content": content}


def _text(text: str) -> Json:
    return {"type": "text", "text": text}
