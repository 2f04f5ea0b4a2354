"""A Chat body and a model's request shape, to a body the model accepts, each change listed.

The body's values are plain or still raw; a raw one is decoded only where the shape touches it, so
what is not edited keeps its bytes. Pass-through and translation share these edits (design:
runtime.md, "Model shape"; wire reference B.3, B.10, B.17).

>>> from lynkrc_runtime.protocol.shapes import RequestShape
>>> body, changes = {"max_tokens": 9000, "top_p": 0.5}, {}
>>> shape = RequestShape(max_tokens_field="max_completion_tokens", sampling=["seed"])
>>> fit_body(body, shape, 4096, changes)
>>> body, list(changes)
({'max_completion_tokens': 4096}, ['max_completion_tokens=4096', 'dropped=top_p'])
"""

from typing import Any, TypeAlias

import msgspec

from lynkrc_runtime.protocol.shapes import RequestShape

Body: TypeAlias = dict[str, Any]
"""Top-level members; values plain or `msgspec.Raw`."""

Changes: TypeAlias = dict[str, None]
"""Names of changes, each once, in order."""

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""Words of `reasoning_effort`, rising (wire reference A.2.1)."""

_LIMITS = ("max_completion_tokens", "max_tokens")
_SAMPLING = {
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "top_k": ("top_k",),
    "presence_penalty": ("presence_penalty",),
    "frequency_penalty": ("frequency_penalty",),
    "logit_bias": ("logit_bias",),
    "logprobs": ("logprobs", "top_logprobs"),
    "seed": ("seed",),
    "stop": ("stop",),
}
"""Name in a shape -> the members that go with it."""


def fit_body(body: Body, shape: RequestShape, max_output: int, changes: Changes) -> None:
    """Edit `body` in place, all but its messages and answer format. `max_output` is tokens."""
    _fit_limit(body, shape, max_output, changes)
    fit_sampling(body, shape, changes)
    fit_tools(body, shape, changes)
    _fit_effort(body, shape, changes)
    if shape.stream_options is False:
        drop(body, "stream_options", changes)


def value_of(body: Body, name: str) -> Any:
    """A member's value; None where it is absent or null."""
    value = body.get(name)
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value


def nearest_effort(effort: str, legal: list[str]) -> str | None:
    """The legal word nearest to `effort`; None where none is, or the word is unknown.

    A lower one first, but `none` only for itself: it turns reasoning off.

    >>> nearest_effort("max", ["none", "low", "high"]), nearest_effort("minimal", ["none", "low"])
    ('high', 'low')
    """
    if effort in legal:
        return effort
    if effort not in EFFORTS:
        return None
    wanted = EFFORTS.index(effort)
    known = sorted(EFFORTS.index(word) for word in legal if word in EFFORTS and word != "none")
    lower = [rank for rank in known if rank <= wanted]
    if lower:
        return EFFORTS[lower[-1]]
    return EFFORTS[known[0]] if known else None


def fit_format(body: Body, shape: RequestShape, changes: Changes) -> str | None:
    """Where the model takes no JSON schema: plain JSON, and the words that ask for the schema.

    The caller puts the returned words among the instructions (wire reference C.1.1).
    """
    if shape.structured_output is not False:
        return None
    form = value_of(body, "response_format")
    if not isinstance(form, dict) or form.get("type") != "json_schema":
        return None
    schema = msgspec.json.encode((form.get("json_schema") or {}).get("schema") or {}).decode()
    body["response_format"] = {"type": "json_object"}
    changes["prompted=response_format"] = None
    return f"Answer with one JSON object only. It must match this JSON schema:\n{schema}"


def _fit_limit(body: Body, shape: RequestShape, max_output: int, changes: Changes) -> None:
    given = {name: value for name in _LIMITS if (value := value_of(body, name)) is not None}
    if not given:
        return
    asked = next(iter(given))
    wanted = shape.max_tokens_field or asked
    limit = min(given[asked], max_output)
    if limit == given[asked] and (shape.max_tokens_field is None or list(given) == [wanted]):
        return
    if limit < given[asked]:
        changes[f"{wanted}={limit}"] = None
    elif wanted not in given:
        changes[f"renamed={asked}:{wanted}"] = None
    for other in given:
        if other != wanted and wanted in given:
            changes[f"dropped={other}"] = None
    _replace_limits(body, wanted, limit)


def _replace_limits(body: Body, wanted: str, limit: int) -> None:
    """One limit in the place of the first; the order of the others stays."""
    entries = list(body.items())
    body.clear()
    for name, value in entries:
        if name not in _LIMITS:
            body[name] = value
        elif wanted not in body:
            body[wanted] = limit


def fit_sampling(body: Body, shape: RequestShape, changes: Changes) -> None:
    """Drop what the model does not sample by; the members are named alike in Responses."""
    if shape.sampling is None:
        return
    for name, members in _SAMPLING.items():
        if name not in shape.sampling:
            for member in members:
                drop(body, member, changes)


def fit_tools(body: Body, shape: RequestShape, changes: Changes) -> None:
    """Make `tools` and what speaks of them legal, in the spelling of Chat or of Responses."""
    if value_of(body, "tools") == []:
        # An empty list is refused, and so is what speaks of tools beside none.
        drop(body, "tools", changes)
        drop(body, "parallel_tool_calls", changes)
        if value_of(body, "tool_choice") in ("auto", "none"):
            drop(body, "tool_choice", changes)
    if shape.parallel_tool_calls is False:
        drop(body, "parallel_tool_calls", changes)
    for name in ("tool_choice", "function_call"):
        choice = value_of(body, name)
        if choice is None:
            continue
        kind = _choice_kind(choice)
        is_legal = shape.tool_choice is None or kind in shape.tool_choice
        if is_legal and not shape.tool_choice_ignored:
            continue
        if kind == "none":
            # Without a way to forbid tools, none may be offered.
            drop(body, "tools", changes)
            drop(body, "functions", changes)
            drop(body, "parallel_tool_calls", changes)
        if kind == "none" or shape.tool_choice_ignored or "auto" not in (shape.tool_choice or ()):
            drop(body, name, changes)
        else:
            body[name] = _as_auto(choice)
            changes[f"{name}=auto"] = None


def _choice_kind(choice: Any) -> str:
    """The kind in the words of a shape: auto, required, named, none."""
    if isinstance(choice, str):
        return choice
    if choice.get("type") == "allowed_tools":
        return str(choice.get("allowed_tools", choice)["mode"])
    return "named"


def _as_auto(choice: Any) -> Any:
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        inner = choice.get("allowed_tools")
        return choice | (
            {"mode": "auto"} if inner is None else {"allowed_tools": inner | {"mode": "auto"}}
        )
    return "auto"


def _fit_effort(body: Body, shape: RequestShape, changes: Changes) -> None:
    name = "reasoning_effort"
    effort = value_of(body, name)
    if shape.reasoning_in == "none":
        drop(body, name, changes)
        return
    needed = shape.effort_with_tools
    if needed is not None and _has_function_tools(body):
        if effort != needed:
            body[name] = needed
            changes[f"{name}={needed}"] = None
        return
    if effort is None or shape.efforts is None or effort in shape.efforts:
        return
    legal = nearest_effort(effort, shape.efforts)
    if legal is None:
        drop(body, name, changes)
    else:
        body[name] = legal
        changes[f"{name}={legal}"] = None


def _has_function_tools(body: Body) -> bool:
    tools = value_of(body, "tools") or ()
    return bool(value_of(body, "functions")) or any(
        tool.get("type") == "function" for tool in tools
    )


def drop(body: Body, name: str, changes: Changes) -> None:
    """Leave a member out; listed if it said anything."""
    if value_of(body, name) is not None:
        changes[f"dropped={name}"] = None
    body.pop(name, None)
