"""A wish for reasoning, to the members a Chat server is asked with (wire reference C.1.7, B.17).

>>> from lynkrc_runtime.protocol.shapes import RequestShape
>>> body, changes = {"max_tokens": 4000}, {}
>>> shape = RequestShape(reasoning_in="thinking", efforts=["low", "high", "max"])
>>> ask_reasoning(body, shape, Wanted(effort="medium", is_on=True), changes)
>>> body["thinking"], body["reasoning_effort"], list(changes)
({'type': 'enabled'}, 'low', ['reasoning_effort=low'])
"""

from typing import Any, final

from msgspec import Struct

from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import Options, ThinkingKind
from lynkrc_runtime.protocol.efforts import (
    MIN_BUDGET,
    OFF,
    budget_of_effort,
    effort_of_budget,
    nearest_effort,
)
from lynkrc_runtime.protocol.openai_chat.bodies import Body, drop, value_of
from lynkrc_runtime.protocol.shapes import RequestShape

_EFFORT = "reasoning_effort"


@final
class Wanted(Struct, frozen=True, kw_only=True, gc=False):
    """A wish: an effort in Chat's words, or just on, or a budget in tokens. Nothing is no wish."""

    effort: str | None = None
    is_on: bool = False
    budget: int | None = None


NO_WISH = Wanted()


def wanted_of(options: Options) -> Wanted:
    """The wish of another dialect's client, before the shape."""
    wish = options.thinking
    if wish is None:
        return NO_WISH if options.effort is None else Wanted(effort=options.effort)
    match wish.kind:
        case ThinkingKind.DISABLED:
            return Wanted(effort=OFF)
        case ThinkingKind.BETWEEN_TOOLS:
            return Wanted(effort="low")
        case ThinkingKind.ENABLED if options.effort is None and wish.budget is not None:
            effort = effort_of_budget(wish.budget)
            return Wanted(effort=effort, is_on=True, budget=wish.budget)
        case _:
            return Wanted(effort=options.effort, is_on=True)


def ask_reasoning(body: Body, shape: RequestShape, wanted: Wanted | None, changes: Changes) -> None:
    """Put the wish into `body`. None: a Chat client's own `reasoning_effort` stands there."""
    is_own = wanted is None
    if wanted is None:
        effort = value_of(body, _EFFORT)
        wanted = NO_WISH if effort is None else Wanted(effort=effort)
    if wanted is NO_WISH and shape.effort_with_tools is None:
        return
    wish = wanted
    match shape.reasoning_in:
        case "none":
            changes[f"dropped={_EFFORT}"] = None
            body.pop(_EFFORT, None)
        case "thinking":
            _ask_thinking(body, shape, wish, changes)
        case "thinking_budget":
            _ask_budget(body, wish, changes)
        case "chat_template_kwargs":
            given = value_of(body, "chat_template_kwargs") or {}
            is_on = wish.effort != OFF
            body["chat_template_kwargs"] = given | {"enable_thinking": is_on}
            body.pop(_EFFORT, None)
        case "reasoning" if not is_own:
            effort = _fitted(wish.effort, shape, changes)
            if effort == OFF:
                body["reasoning"] = {"enabled": False}
            elif wish.budget is not None:
                body["reasoning"] = {"max_tokens": wish.budget}
            elif effort is not None:
                body["reasoning"] = {"effort": effort}
            elif wish.is_on:
                body["reasoning"] = {"enabled": True}
        case _:
            _ask_effort(body, shape, wish, changes)
    if is_own and wish.effort is not None and _EFFORT not in body:
        _list_moved(body, changes)


def _list_moved(body: Body, changes: Changes) -> None:
    """A Chat client's effort that another member says now, if not as finely."""
    for member in ("thinking", "chat_template_kwargs"):
        if isinstance(body.get(member), dict):
            changes[f"mapped={_EFFORT}:{member}"] = None


def _ask_effort(body: Body, shape: RequestShape, wish: Wanted, changes: Changes) -> None:
    needed = shape.effort_with_tools
    if needed is not None and _has_function_tools(body):
        if value_of(body, _EFFORT) != needed:
            body[_EFFORT] = needed
            if wish.effort != needed:
                changes[f"{_EFFORT}={needed}"] = None
        return
    if wish.effort is None:
        return
    legal = _fitted(wish.effort, shape, changes)
    if legal is None:
        body.pop(_EFFORT, None)
    elif legal != value_of(body, _EFFORT):
        body[_EFFORT] = legal


def _ask_thinking(body: Body, shape: RequestShape, wish: Wanted, changes: Changes) -> None:
    if wish.effort == OFF:
        body.pop(_EFFORT, None)
        body["thinking"] = {"type": "disabled"}
        return
    if wish.is_on:
        body["thinking"] = {"type": "enabled"}
    if wish.effort is None:
        return
    legal = _fitted(wish.effort, shape, changes) if shape.efforts != [] else None
    if legal is not None:
        body[_EFFORT] = legal
        return
    body["thinking"] = {"type": "enabled"}
    body.pop(_EFFORT, None)


def _ask_budget(body: Body, wish: Wanted, changes: Changes) -> None:
    if wish.effort == OFF:
        body["thinking"] = {"type": "disabled"}
    else:
        budget = wish.budget or budget_of_effort(wish.effort)
        limits = (value_of(body, name) for name in ("max_completion_tokens", "max_tokens"))
        limit = next((limit for limit in limits if limit is not None), None)
        if limit is not None and budget >= limit:
            budget = limit - MIN_BUDGET
        if budget < MIN_BUDGET:
            drop(body, _EFFORT, changes)
            changes["dropped=thinking"] = None
            return
        body["thinking"] = {"type": "enabled", "budget_tokens": budget}
    body.pop(_EFFORT, None)


def _fitted(effort: str | None, shape: RequestShape, changes: Changes) -> str | None:
    """The word the server takes; a changed one is listed."""
    if effort is None:
        return None
    word = (shape.effort_words or {}).get(effort, effort)
    legal = word if shape.efforts is None else nearest_effort(word, shape.efforts)
    if legal is None:
        changes[f"dropped={_EFFORT}"] = None
    elif legal != effort:
        changes[f"{_EFFORT}={legal}"] = None
    return legal


def _has_function_tools(body: Body) -> bool:
    tools: Any = value_of(body, "tools") or ()
    return bool(value_of(body, "functions")) or any(
        tool.get("type") == "function" for tool in tools
    )
