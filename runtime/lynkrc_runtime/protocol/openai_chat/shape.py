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

from typing import Any

import msgspec

from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.openai_chat.ask_reasoning import Wanted, ask_reasoning
from lynkrc_runtime.protocol.openai_chat.bodies import Body, drop, value_of
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.stops import ENFORCED

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


def fit_body(
    body: Body,
    shape: RequestShape,
    max_output: int,
    changes: Changes,
    wanted: Wanted | None = None,
) -> None:
    """Edit `body` in place, all but its messages and answer format. `max_output` is tokens.

    `wanted` is the reasoning another dialect's client asks for; None leaves what stands there.
    """
    _fit_limit(body, shape, max_output, changes)
    fit_sampling(body, shape, changes)
    fit_tools(body, shape, changes)
    ask_reasoning(body, shape, wanted, changes)
    if shape.stream_options is False:
        drop(body, "stream_options", changes)
    _fit_members(body, shape, changes)


def fit_format(body: Body, shape: RequestShape, changes: Changes) -> str | None:
    """Where the model takes no JSON schema: plain JSON, and the words that ask for the schema.

    The caller puts the returned words among the instructions (wire reference C.1.1).
    """
    if shape.structured_output is not False and shape.json_object is not False:
        return None
    form = value_of(body, "response_format")
    kind = form.get("type") if isinstance(form, dict) else None
    if kind not in ("json_schema", "json_object"):
        return None
    if kind == "json_schema" and shape.structured_output is not False:
        return None
    if kind == "json_object" and shape.json_object is not False:
        return None
    if shape.json_object is False:
        del body["response_format"]
    else:
        body["response_format"] = {"type": "json_object"}
    changes["prompted=response_format"] = None
    if kind == "json_object":
        return "Answer with one JSON object only."
    schema = msgspec.json.encode((form.get("json_schema") or {}).get("schema") or {}).decode()
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
    """Keep what the model samples by, within its limits; Responses names the members alike."""
    if shape.max_stops is not None:
        stops = value_of(body, "stop")
        if isinstance(stops, list) and len(stops) > shape.max_stops:
            body["stop"] = stops[: shape.max_stops]
            changes[ENFORCED] = None
    if shape.max_temperature is not None:
        temperature = value_of(body, "temperature")
        if temperature is not None and temperature > shape.max_temperature:
            body["temperature"] = shape.max_temperature
            changes[f"temperature={shape.max_temperature:g}"] = None
    if shape.sampling is None:
        return
    for name, members in _SAMPLING.items():
        if name not in shape.sampling:
            for member in members:
                if member == "stop" and value_of(body, member):
                    del body[member]
                    changes[ENFORCED] = None
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
    if shape.strict_tools is False:
        _fit_strict(body, changes)
    if shape.tool_stream and value_of(body, "stream") and value_of(body, "tools"):
        # Without it the pieces of a call's arguments come as one, when they are whole.
        body.setdefault("tool_stream", True)
    for name in ("tool_choice", "function_call"):
        choice = value_of(body, name)
        if choice is None:
            continue
        kind = _choice_kind(choice)
        is_legal = shape.tool_choice is None or kind in shape.tool_choice
        if is_legal and not shape.tool_choice_ignored:
            word = (shape.tool_choice_words or {}).get(kind)
            if word is not None and isinstance(choice, str):
                body[name] = word
                changes[f"{name}={word}"] = None
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


def _fit_strict(body: Body, changes: Changes) -> None:
    """Tools without `strict`; a list without any keeps its bytes."""
    raw = body.get("tools")
    if isinstance(raw, msgspec.Raw) and b'"strict"' not in bytes(raw):
        return
    tools = value_of(body, "tools") or []
    for tool in tools:
        function = tool.get("function")
        if isinstance(function, dict) and "strict" in function:
            if function["strict"]:
                changes["dropped=strict"] = None
            del function["strict"]
            body["tools"] = tools


def _fit_members(body: Body, shape: RequestShape, changes: Changes) -> None:
    """Names the server has for members, and none that it does not know."""
    for name, other in (shape.renamed or {}).items():
        value = body.pop(name, None)
        if value is not None and other not in body:
            body[other] = value
            changes[f"renamed={name}:{other}"] = None
    if shape.members is not None:
        for name in [name for name in body if name not in shape.members]:
            drop(body, name, changes)
