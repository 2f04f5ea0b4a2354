"""A request of another dialect, to a Chat request; every loss listed (wire reference C.1.1).

What cannot mean the same (a cache warm-up, a file of another provider, a tool that is not there)
is a misfit.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import (
    CannotTranslate,
    JsonFormat,
    Options,
    Request,
    ThinkingKind,
)
from lynkrc_runtime.protocol.dialect import TargetFacts, Written, hides_reasoning
from lynkrc_runtime.protocol.openai_chat.ask_reasoning import NO_WISH, Wanted, wanted_of
from lynkrc_runtime.protocol.openai_chat.bodies import Body
from lynkrc_runtime.protocol.openai_chat.fit_messages import (
    edits_messages,
    fit_messages,
    mark_prefill,
)
from lynkrc_runtime.protocol.openai_chat.pass_request import refuse_prefill
from lynkrc_runtime.protocol.openai_chat.schemas import is_strict_schema
from lynkrc_runtime.protocol.openai_chat.shape import fit_body, fit_format
from lynkrc_runtime.protocol.openai_chat.write_in_place import write_in_place
from lynkrc_runtime.protocol.openai_chat.write_messages import write_messages
from lynkrc_runtime.protocol.openai_chat.write_tools import (
    WrittenTools,
    encode,
    write_choice,
    write_tools,
)
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.stops import ENFORCED

MAX_STOPS = 4
"""Stop sequences a Chat server takes where its shape does not say."""

_SAME_NAME = (
    "temperature",
    "top_p",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "verbosity",
)
"""Options Chat spells as the neutral vocabulary does."""

_WITHOUT_EFFORT = ("chat_template_kwargs", "thinking_budget")
"""Values of `reasoning_in` that have no word for an effort."""

_NOTHING = frozenset((b"null", b"false", b"[]", b"{}"))
"""Values of members nobody translates that ask for nothing, so nothing is lost."""


def write_request(request: Request, facts: TargetFacts, _: Mapping[str, str]) -> Written:
    """The upstream request; CannotTranslate where it could not mean the same."""
    changes: Changes = {}
    refuse(request)
    refuse_prefill(request, facts.shape)
    options, shape = request.options, facts.shape
    body: Body = {"model": facts.model, "messages": []}
    tools = _put_tools(body, request, shape, changes)
    _put_options(body, options, shape, changes)
    wanted = _wanted(facts, options, changes)
    put_user(body, request, changes)
    instruction = None
    if options.format is not None:
        body["response_format"] = _response_format(options.format, changes)
        instruction = fit_format(body, shape, changes)
    fit_body(body, shape, facts.max_output, changes, wanted)
    effort = body.get("reasoning_effort")
    if effort not in (None, options.effort):
        changes[f"reasoning_effort={effort}"] = None
    _put_messages(body, request, facts, instruction, changes)
    list_rest(request, changes)
    if body.get("tools") is tools.entries:
        body["tools"] = tools.spelled
    return Written(
        body=encode(body),
        headers={},
        transforms=tuple(changes),
    )


def _put_messages(
    body: Body, request: Request, facts: TargetFacts, instruction: str | None, changes: Changes
) -> None:
    written = write_in_place(request, facts, instruction, changes)
    if written is not None:
        body["messages"] = written
        return
    messages = write_messages(request.system, request.messages, facts, instruction, changes)
    body["messages"] = messages
    if edits_messages(facts.shape):
        fit_messages(messages, facts.shape, changes)
        mark_prefill(body, messages, facts.shape)


def refuse(request: Request) -> None:
    """CannotTranslate for what no other dialect of OpenAI's can do."""
    members = {name: request.members.get(name, b"") for name in request.rest}
    if members.get("n", b"1") != b"1":
        raise CannotTranslate("n", "the target gives one choice; n must be 1")
    if b'"audio"' in members.get("modalities", b""):
        raise CannotTranslate("audio", "the target does not answer in audio")
    if request.options.max_tokens == 0:
        raise CannotTranslate("max_tokens", "the target cannot warm a cache: max_tokens is 0")
    if "thread" in request.rest and b'"continue"' in request.members.get("thread", b""):
        raise CannotTranslate("thread", "the target does not hold the thread to continue")


def _put_tools(body: Body, request: Request, shape: RequestShape, changes: Changes) -> WrittenTools:
    tools = write_tools(request.tools, shape, changes)
    choice = write_choice(request.tool_choice, request.tools)
    if not tools.entries:
        # An empty list is refused, and so are the members beside it.
        return tools
    body["tools"] = tools.entries
    if choice is not None:
        body["tool_choice"] = choice
    if request.options.parallel_tools is False:
        body["parallel_tool_calls"] = False
    return tools


def _put_options(body: Body, options: Options, shape: RequestShape, changes: Changes) -> None:
    if options.max_tokens is not None:
        body[shape.max_tokens_field or "max_completion_tokens"] = options.max_tokens
    for name in _SAME_NAME:
        value = getattr(options, name)
        if value is not None:
            body[name] = value
    if options.top_k is not None:
        # No parameter of the dialect: only for models known to take it.
        if "top_k" in (shape.sampling or ()):
            body["top_k"] = options.top_k
        else:
            changes["dropped=top_k"] = None
    if options.stop:
        limit = shape.max_stops or MAX_STOPS
        body["stop"] = list(options.stop[:limit])
        if len(options.stop) > limit:
            changes[ENFORCED] = None
    if options.stream:
        body["stream"] = True
        if shape.stream_options is not False:
            body["stream_options"] = {"include_usage": True}


def _wanted(facts: TargetFacts, options: Options, changes: Changes) -> Wanted:
    """The reasoning asked for (C.1.7); a model without reasoning is not asked for any."""
    wish = options.thinking
    if wish is not None and wish.display is not None:
        changes["dropped=thinking.display"] = None
    if hides_reasoning(options, facts):
        changes["dropped=reasoning.summary"] = None
    if "thinking" in facts.capabilities:
        if options.effort is not None and facts.shape.reasoning_in in _WITHOUT_EFFORT:
            changes["dropped=effort"] = None
        return wanted_of(options)
    if wish is not None and wish.kind is not ThinkingKind.DISABLED:
        changes["dropped=thinking"] = None
    if options.effort is not None:
        changes["dropped=effort"] = None
    return NO_WISH


def put_user(body: Body, request: Request, changes: Changes) -> None:
    """Who the user is, as a digest."""
    user = request.options.user
    if user:
        # Device and account ids are nobody's business upstream: only a digest travels.
        body["user"] = hashlib.sha256(user.encode()).hexdigest()
        changes["hashed=user"] = None


def _response_format(wanted: JsonFormat, changes: Changes) -> dict[str, Any]:
    if wanted.schema is None:
        return {"type": "json_object"}
    strict = is_strict(wanted.schema, wanted.strict, changes)
    inner = {"name": wanted.name or "output", "schema": wanted.schema, "strict": strict}
    return {"type": "json_schema", "json_schema": inner}


def is_strict(schema: Mapping[str, Any], wish: bool | None, changes: Changes) -> bool:
    """Whether an answer format can be strict; by itself it is wherever the schema allows it."""
    strict = wish is not False and is_strict_schema(schema)
    if not strict and wish is not False:
        changes["response_format.strict=false"] = None
    return strict


def list_rest(request: Request, changes: Changes) -> None:
    """List the members without a neutral part as lost."""
    for name in request.rest:
        # A dotted name is one member of an object that was read. What is refused above asks for
        # nothing where it is not.
        if name not in ("n", "modalities") and request.members.get(name) not in _NOTHING:
            changes[f"dropped={name}"] = None
    for name in request.metadata:
        if name != "user_id" or not request.options.user:
            changes[f"dropped=metadata.{name}"] = None
