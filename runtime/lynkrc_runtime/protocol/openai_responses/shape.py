"""A Responses body and a model's request shape, to a body the model accepts, each change listed.

As in Chat (`openai_chat/shape.py`) values are plain or still raw, and what is not edited keeps its
bytes. What the shape says of Chat alone (`effort_with_tools`, names of members) plays no part.

>>> from lynkrc_runtime.protocol.shapes import RequestShape
>>> body, changes = {"max_output_tokens": 4, "reasoning": {"effort": "max"}}, {}
>>> fit_body(body, RequestShape(efforts=["low", "high"]), 4096, changes)
>>> body, list(changes)
({'max_output_tokens': 16, 'reasoning': {'effort': 'high'}}, ['max_output_tokens=16', \
'reasoning.effort=high'])
"""

from typing import Any

import msgspec

from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.efforts import nearest_effort
from lynkrc_runtime.protocol.openai_chat.bodies import Body, drop, value_of
from lynkrc_runtime.protocol.openai_chat.shape import fit_sampling, fit_tools
from lynkrc_runtime.protocol.shapes import RequestShape

MIN_OUTPUT = 16
"""Tokens; OpenAI refuses a smaller limit here: "Expected a value >= 16"."""

INCLUDED = "reasoning.encrypted_content"
"""What has to be asked for so that reasoning can be replayed without a store."""


def fit_body(body: Body, shape: RequestShape, max_output: int, changes: Changes) -> None:
    """Edit `body` in place, all but its items. `max_output` is tokens."""
    given = value_of(body, "max_output_tokens")
    if given is not None:
        limit = max(MIN_OUTPUT, min(given, max_output))
        if limit != given:
            body["max_output_tokens"] = limit
            changes[f"max_output_tokens={limit}"] = None
    fit_sampling(body, shape, changes)
    fit_tools(body, shape, changes)
    _fit_effort(body, shape, changes)


def fit_format(body: Body, shape: RequestShape, changes: Changes) -> str | None:
    """Where the model takes no JSON schema: plain JSON, and the words that ask for the schema."""
    if shape.structured_output is not False:
        return None
    text = value_of(body, "text") or {}
    form = text.get("format")
    if not isinstance(form, dict) or form.get("type") != "json_schema":
        return None
    schema = msgspec.json.encode(form.get("schema") or {}).decode()
    body["text"] = text | {"format": {"type": "json_object"}}
    changes["prompted=text.format"] = None
    return f"Answer with one JSON object only. It must match this JSON schema:\n{schema}"


def unstored(body: Body, changes: Changes) -> None:
    """`store: false`: what is kept, is kept here; whoever relies on it is told."""
    if value_of(body, "store") is not False:
        body["store"] = False
        changes["store=false"] = None


def ask_for_reasoning(body: Body, changes: Changes) -> None:
    """Have the encrypted reasoning sent, which nobody keeps for the client."""
    wanted = value_of(body, "include")
    listed: list[Any] = wanted if isinstance(wanted, list) else []
    if INCLUDED not in listed:
        body["include"] = [*listed, INCLUDED]
        changes[f"added=include.{INCLUDED}"] = None


def without_reasoning(body: Body, changes: Changes) -> None:
    """Do not ask a model for the reasoning it has not: it refuses ("not supported")."""
    wanted = value_of(body, "include")
    if isinstance(wanted, list) and INCLUDED in wanted:
        body["include"] = [name for name in wanted if name != INCLUDED]
        changes[f"dropped=include.{INCLUDED}"] = None


def _fit_effort(body: Body, shape: RequestShape, changes: Changes) -> None:
    if shape.reasoning_in == "none":
        drop(body, "reasoning", changes)
        return
    reasoning = value_of(body, "reasoning")
    effort = reasoning.get("effort") if isinstance(reasoning, dict) else None
    if effort is None or shape.efforts is None or effort in shape.efforts:
        return
    legal = nearest_effort(effort, shape.efforts)
    if not shape.efforts:
        # No effort at all: a model that does not reason refuses the whole member.
        drop(body, "reasoning", changes)
    elif legal is None:
        body["reasoning"] = {name: reasoning[name] for name in reasoning if name != "effort"}
        changes["dropped=reasoning.effort"] = None
    else:
        body["reasoning"] = reasoning | {"effort": legal}
        changes[f"reasoning.effort={legal}"] = None
