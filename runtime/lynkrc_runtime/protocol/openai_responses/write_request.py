"""A request of another dialect, to a Responses request; every loss listed (wire reference C.5.1).

Nothing is stored at the target: reasoning comes back encrypted and travels with the client.
"""

from collections.abc import Mapping
from typing import Any

from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import (
    JsonFormat,
    Options,
    Request,
    ThinkingKind,
    ThinkingWish,
)
from lynkrc_runtime.protocol.dialect import TargetFacts, Written
from lynkrc_runtime.protocol.openai_chat.ask_reasoning import wanted_of
from lynkrc_runtime.protocol.openai_chat.bodies import Body
from lynkrc_runtime.protocol.openai_chat.pass_request import refuse_prefill
from lynkrc_runtime.protocol.openai_chat.write_messages import system_text
from lynkrc_runtime.protocol.openai_chat.write_request import (
    is_strict,
    list_rest,
    put_user,
    refuse,
)
from lynkrc_runtime.protocol.openai_chat.write_tools import encode
from lynkrc_runtime.protocol.openai_responses.shape import INCLUDED, fit_body, fit_format
from lynkrc_runtime.protocol.openai_responses.write_items import write_items
from lynkrc_runtime.protocol.openai_responses.write_tools import write_choice, write_tools
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.stops import ENFORCED

_LOST = ("top_k", "seed", "presence_penalty", "frequency_penalty")
"""Options without a member here."""


def write_request(request: Request, facts: TargetFacts, _: Mapping[str, str]) -> Written:
    """The upstream request; CannotTranslate where it could not mean the same."""
    changes: Changes = {}
    refuse(request)
    refuse_prefill(request, facts.shape)
    options = request.options
    body: Body = {"model": facts.model, "instructions": "", "input": []}
    _put_tools(body, request, facts.shape, changes)
    _put_options(body, options, changes)
    _put_reasoning(body, facts, options, changes)
    put_user(body, request, changes)
    text = _text(options, changes)
    if text:
        body["text"] = text
    instruction = fit_format(body, facts.shape, changes)
    fit_body(body, facts.shape, facts.max_output, changes)
    effort = body.get("reasoning", {}).get("effort")
    if effort not in (None, options.effort):
        changes[f"reasoning.effort={effort}"] = None
    body["input"] = write_items(request.messages, facts, changes)
    body["instructions"] = system_text(request.system, instruction, changes)
    if not body["instructions"]:
        del body["instructions"]
    body["store"] = False
    list_rest(request, changes)
    return Written(body=encode(body), headers={}, transforms=tuple(changes))


def _put_tools(body: Body, request: Request, shape: RequestShape, changes: Changes) -> None:
    tools = write_tools(request.tools, shape, changes)
    choice = write_choice(request.tool_choice, request.tools)
    if not tools:
        return
    body["tools"] = tools
    if choice is not None:
        body["tool_choice"] = choice
    if request.options.parallel_tools is False:
        body["parallel_tool_calls"] = False


def _put_options(body: Body, options: Options, changes: Changes) -> None:
    if options.max_tokens is not None:
        body["max_output_tokens"] = options.max_tokens
    for name in ("temperature", "top_p"):
        value = getattr(options, name)
        if value is not None:
            body[name] = value
    for name in _LOST:
        if getattr(options, name) is not None:
            changes[f"dropped={name}"] = None
    if options.stop:
        changes[ENFORCED] = None
    if options.stream:
        body["stream"] = True


def _put_reasoning(body: Body, facts: TargetFacts, options: Options, changes: Changes) -> None:
    """Reasoning in this dialect's words (C.1.7); a model without it is not asked for any."""
    wish = options.thinking
    if "thinking" not in facts.capabilities:
        if wish is not None and wish.kind is not ThinkingKind.DISABLED:
            changes["dropped=thinking"] = None
        if options.effort is not None:
            changes["dropped=effort"] = None
        return
    reasoning: dict[str, Any] = {}
    effort = wanted_of(options).effort
    if effort is not None:
        reasoning["effort"] = effort
    if wish is not None and _is_shown(wish):
        reasoning["summary"] = "auto"
    elif wish is not None and wish.display not in (None, "omitted"):
        changes["dropped=thinking.display"] = None
    if reasoning:
        body["reasoning"] = reasoning
    if facts.shape.reasoning_in != "none":
        body["include"] = [INCLUDED]


def _is_shown(wish: ThinkingWish) -> bool:
    """Whether the client wants to read the reasoning."""
    asked = wish.kind in (ThinkingKind.ENABLED, ThinkingKind.ADAPTIVE)
    return asked and wish.display in (None, "summarized")


def _text(options: Options, changes: Changes) -> dict[str, Any]:
    text: dict[str, Any] = {}
    if options.format is not None:
        text["format"] = _format(options.format, changes)
    if options.verbosity is not None:
        text["verbosity"] = options.verbosity
    return text


def _format(wanted: JsonFormat, changes: Changes) -> dict[str, Any]:
    if wanted.schema is None:
        return {"type": "json_object"}
    return {
        "type": "json_schema",
        "name": wanted.name or "output",
        "schema": wanted.schema,
        "strict": is_strict(wanted.schema, wanted.strict, changes),
    }
