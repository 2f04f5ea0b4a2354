"""A request of any client, to a `generateContent` body; every loss listed (wire reference C.3).

The model stands in the address, and so does the wish for a stream. What cannot mean the same
(several choices, a cache warm-up, a file of another provider) is a misfit.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import (
    CannotTranslate,
    JsonFormat,
    Options,
    Request,
    Role,
)
from lynkrc_runtime.protocol.dialect import TargetFacts, Written, hides_reasoning
from lynkrc_runtime.protocol.gemini.schemas import open_schema
from lynkrc_runtime.protocol.gemini.thinking import asks, is_off, thinking_config
from lynkrc_runtime.protocol.gemini.write_contents import write_contents, write_system
from lynkrc_runtime.protocol.gemini.write_tools import Json, write_choice, write_tools
from lynkrc_runtime.protocol.stops import ENFORCED

MAX_STOPS = 5
"""Stop sequences Gemini takes."""

HEAD_ROOM = 8192
"""Tokens added to the limit of a client that did not ask a thinking model to think: its thinking
counts in the limit. As many as medium effort stands for (C.1.7, C.3)."""

_SAMPLING = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
_SEEDS = range(-(2**31), 2**31)
_NOTHING = frozenset((b"null", b"false", b"[]", b"{}"))
"""Values of members nobody translates that ask for nothing, so nothing is lost."""


def write_request(request: Request, facts: TargetFacts, _: Mapping[str, str]) -> Written:
    """The upstream request; CannotTranslate where it could not mean the same."""
    changes: Changes = {}
    body = encoded(lambda: write_body(request, facts, changes))
    return Written(body=body, headers={}, transforms=tuple(changes))


def encoded(write: Callable[[], Json]) -> bytes:
    """What `write` gives, as JSON. CannotTranslate where it is nested too deeply."""
    try:
        return msgspec.json.encode(write())
    except RecursionError as error:
        # Read a few calls higher up, where there was just enough room.
        raise CannotTranslate("depth", "the request is nested too deeply to translate") from error


def write_body(request: Request, facts: TargetFacts, changes: Changes) -> Json:
    """The body as a value; raises CannotTranslate."""
    _refuse(request, facts)
    options, shape = request.options, facts.shape
    declared = write_tools(request.tools, request.tool_choice, shape, changes)
    choice = write_choice(request.tool_choice, request.tools, shape, changes)
    config = _generation_config(options, facts, changes)
    instruction = None
    if options.format is not None:
        instruction = _put_format(config, options.format, facts, bool(declared), changes)
    body: Json = {}
    system = write_system(request.system, instruction, changes)
    if system is not None:
        body["systemInstruction"] = system
    body["contents"] = write_contents(request.messages, facts, changes)
    if declared:
        body["tools"] = [{"functionDeclarations": declared}]
        if choice is not None:
            body["toolConfig"] = {"functionCallingConfig": choice}
        if options.parallel_tools is False:
            changes["dropped=parallel_tool_calls"] = None
    if config:
        body["generationConfig"] = config
    _list_rest(request, changes)
    return body


def _refuse(request: Request, facts: TargetFacts) -> None:
    members = {name: request.members.get(name, b"") for name in request.rest}
    if request.options.max_tokens == 0:
        raise CannotTranslate("max_tokens", "the target cannot warm a cache: max_tokens is 0")
    if members.get("n", b"1") not in (b"1", b"null"):
        raise CannotTranslate("n", "the target gives one choice; n must be 1")
    if b'"audio"' in members.get("modalities", b""):
        raise CannotTranslate("audio", "the target does not answer in audio")
    if b'"continue"' in members.get("thread", b""):
        raise CannotTranslate("thread", "the target does not hold the thread to continue")
    messages = request.messages
    if facts.shape.prefill is False and messages and messages[-1].role is Role.ASSISTANT:
        raise CannotTranslate("prefill", "the target does not continue an assistant message")


def _generation_config(options: Options, facts: TargetFacts, changes: Changes) -> Json:
    config: Json = {}
    legal = facts.shape.sampling
    for name, member in _SAMPLING.items():
        value = getattr(options, name)
        if value is None:
            continue
        is_legal = legal is None or name in legal
        if is_legal and (name != "seed" or value in _SEEDS):
            config[member] = value
        else:
            changes[f"dropped={name}"] = None
    stops = [word for word in options.stop if word and (legal is None or "stop" in legal)]
    if stops:
        config["stopSequences"] = stops[:MAX_STOPS]
    if min(len(stops), MAX_STOPS) < len(options.stop):
        changes[ENFORCED] = None
    if options.verbosity is not None:
        changes["dropped=verbosity"] = None
    thinking = _thinking(options, facts, changes)
    if thinking is not None:
        config["thinkingConfig"] = thinking
    if options.max_tokens is not None:
        config["maxOutputTokens"] = _limit(options.max_tokens, options, facts, thinking)
        if config["maxOutputTokens"] != options.max_tokens:
            changes[f"max_tokens={config['maxOutputTokens']}"] = None
    return config


def _thinking(options: Options, facts: TargetFacts, changes: Changes) -> Json | None:
    if hides_reasoning(options, facts):
        changes["dropped=reasoning.summary"] = None
    if "thinking" in facts.capabilities:
        return thinking_config(options, facts.shape, changes)
    if options.thinking is not None and not is_off(options):
        changes["dropped=thinking"] = None
    if options.effort is not None:
        changes["dropped=effort"] = None
    return None


def _limit(asked: int, options: Options, facts: TargetFacts, thinking: Json | None) -> int:
    thinks_unasked = not asks(options) or is_off(options)
    is_silent = thinking is not None and thinking.get("thinkingBudget") == 0
    if "thinking" in facts.capabilities and thinks_unasked and not is_silent:
        asked += HEAD_ROOM
    return min(asked, facts.max_output)


def _put_format(
    config: Json, wanted: JsonFormat, facts: TargetFacts, has_tools: bool, changes: Changes
) -> str | None:
    """Ask for JSON; the words that ask for it where there is no parameter."""
    shape = facts.shape
    if shape.format_with_tools is False and has_tools:
        changes["prompted=response_format"] = None
        return _words(wanted)
    config["responseMimeType"] = "application/json"
    if wanted.schema is None:
        return None
    if shape.structured_output is False:
        changes["prompted=response_format"] = None
        return _words(wanted)
    if shape.plain_schemas is not False:
        config["responseJsonSchema"] = wanted.schema
        return None
    cleaned, is_less = open_schema(wanted.schema)
    config["responseSchema"] = cleaned
    if is_less:
        changes["schema=response_format"] = None
    return None


def _words(wanted: JsonFormat) -> str:
    if wanted.schema is None:
        return "Answer with one JSON object only: no other text, no code fence."
    schema = msgspec.json.encode(wanted.schema).decode()
    return (
        "Answer with one JSON value only, valid against this JSON Schema: no other text, no code "
        f"fence.\n{schema}"
    )


def _list_rest(request: Request, changes: Changes) -> None:
    if request.options.user:
        changes["dropped=user"] = None
    for name in request.rest:
        value: Any = request.members.get(name)
        if name not in ("n", "modalities") and value not in _NOTHING:
            changes[f"dropped={name}"] = None
    for name in request.metadata:
        if name != "user_id" or not request.options.user:
            changes[f"dropped=metadata.{name}"] = None
