"""A request of any client, to a Converse request; every loss listed (wire reference B.5, C.2).

What only Claude takes (its forms of thinking, top_k, betas) goes in the words of the Messages API
into `additionalModelRequestFields`, fitted to the model's shape as on Anthropic's own API.
"""

import hashlib
from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from lynkrc_runtime.protocol.anthropic.shape import fit, is_hidden, shown
from lynkrc_runtime.protocol.anthropic.versions import split_betas
from lynkrc_runtime.protocol.anthropic.wishes import (
    schema_instruction,
    thinking_object,
    tool_choice_object,
)
from lynkrc_runtime.protocol.anthropic.write_request import DEFAULT_MAX_TOKENS
from lynkrc_runtime.protocol.bedrock_converse.families import Family, family_of
from lynkrc_runtime.protocol.bedrock_converse.write_messages import (
    settled,
    write_messages,
    write_system,
)
from lynkrc_runtime.protocol.bedrock_converse.write_tools import (
    NO_TOOLS,
    Json,
    tools_of_history,
    write_choice,
    write_tools,
)
from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import (
    CannotTranslate,
    ChoiceKind,
    JsonFormat,
    Message,
    Options,
    RedactedThinking,
    Request,
    Role,
    Thinking,
    ThinkingKind,
    ThinkingWish,
    ToolCall,
    ToolChoice,
)
from lynkrc_runtime.protocol.dialect import TargetFacts, Written, hides_reasoning
from lynkrc_runtime.protocol.naming import CHAT_NAME_LIMIT, legal_name
from lynkrc_runtime.protocol.stops import ENFORCED

_EMPTY = frozenset((b"null", b"false", b"[]", b"{}"))
"""Values of members nobody translates that ask for nothing, so nothing is lost."""

_WITHOUT = ("seed", "presence_penalty", "frequency_penalty", "verbosity")
"""Options the dialect has no word for."""


def write_request(request: Request, facts: TargetFacts, headers: Mapping[str, str]) -> Written:
    """The upstream request; CannotTranslate where it could not mean the same."""
    changes: Changes = {}
    body = converse_body(request, facts, headers, changes)
    try:
        encoded = msgspec.json.encode(body)
    except RecursionError as error:
        # Read a few calls higher up, where there was just enough room.
        raise CannotTranslate("depth", "the request is nested too deeply to translate") from error
    return Written(body=encoded, headers={}, transforms=tuple(changes))


def converse_body(
    request: Request, facts: TargetFacts, headers: Mapping[str, str], changes: Changes
) -> Json:
    """The body's members. Raises CannotTranslate."""
    family = family_of(facts.model)
    _refuse(request)
    _list_rest(request, changes)
    options, choice = _fitted(request, facts, family, changes)
    turns = settled(request, facts, family, changes)
    options = _beside_history(options, turns, changes)
    if is_hidden(options) if family.claude else hides_reasoning(options, facts):
        changes["dropped=reasoning.summary"] = None
    hints: list[str] = []
    tools = write_tools(request.tools, choice, family, facts.shape, changes)
    if tools and choice is not None and choice.kind is ChoiceKind.NONE:
        hints.append(NO_TOOLS)
        changes["prompted=tool_choice"] = None
    if not tools:
        if choice is not None and choice.kind in (ChoiceKind.REQUIRED, ChoiceKind.NAMED):
            changes["dropped=tool_choice"] = None
        choice = None
        tools = tools_of_history(turns, changes)
        if tools:
            hints.append(NO_TOOLS)
    output, hint = _output(options, facts, changes)
    hints += [hint] if hint else []
    body: Json = {"messages": write_messages(turns, family, changes)}
    system = write_system(request, hints, family, changes)
    if system:
        body["system"] = system
    config = _inference(options)
    if config:
        body["inferenceConfig"] = config
    fields = _fields(request, options, facts, family, headers, changes)
    if tools:
        body["toolConfig"] = {"tools": tools}
        wanted = write_choice(choice, tools, family, changes)
        if options.parallel_tools is False:
            wanted = _one_call(choice, wanted, family, fields, changes)
        if wanted is not None:
            body["toolConfig"]["toolChoice"] = wanted
    if output:
        body["outputConfig"] = output
    if fields:
        body["additionalModelRequestFields"] = fields
    if options.stop and family.claude:
        body["additionalModelResponseFieldPaths"] = ["/stop_sequence"]
    if options.user:
        # Names and addresses are nobody's business upstream: only a digest travels.
        body["requestMetadata"] = {"user_id": hashlib.sha256(options.user.encode()).hexdigest()}
        changes["hashed=user"] = None
    return body


def _refuse(request: Request) -> None:
    if request.options.max_tokens == 0:
        raise CannotTranslate("max_tokens", "the target cannot warm a cache: max_tokens is 0")
    if "thread" in request.rest and b'"continue"' in request.members.get("thread", b""):
        raise CannotTranslate("thread", "the target does not hold the thread to continue")
    n = request.members.get("n") if "n" in request.rest else None
    if n is not None and n not in (b"1", b"null"):
        raise CannotTranslate("n", "the target gives one choice; n must be 1")
    if "modalities" in request.rest and b'"audio"' in request.members.get("modalities", b""):
        raise CannotTranslate("audio", "the target does not answer in audio")


def _list_rest(request: Request, changes: Changes) -> None:
    for name in request.rest:
        # A dotted name is one member of an object that was read.
        if name not in ("n", "modalities") and request.members.get(name) not in _EMPTY:
            changes[f"dropped={name}"] = None
    for name in request.metadata:
        if name != "user_id" or not request.options.user:
            changes[f"dropped=metadata.{name}"] = None


def _fitted(
    request: Request, facts: TargetFacts, family: Family, changes: Changes
) -> tuple[Options, ToolChoice | None]:
    """Options and choice in forms the model takes."""
    options, choice = request.options, request.tool_choice
    for name in _WITHOUT:
        if getattr(options, name) is not None:
            changes[f"dropped={name}"] = None
    stop = tuple(word for word in options.stop if word.strip())
    if stop != options.stop:
        changes[ENFORCED] = None
    temperature = options.temperature
    if temperature is not None and temperature > 1:
        temperature = 1.0
        changes["temperature=1"] = None
    options = replace(options, stop=stop, temperature=temperature)
    if family.claude and options.max_tokens is None:
        options = replace(options, max_tokens=min(facts.max_output, DEFAULT_MAX_TOKENS))
        changes[f"max_tokens={options.max_tokens}"] = None
    if family.claude:
        options = shown(_reasoning(options, choice), choice, facts)
    else:
        options = _plain(options, facts, changes)
    # Told in words, so no shape forbids it.
    is_none = choice is not None and choice.kind is ChoiceKind.NONE
    fitted = fit(options, None if is_none else choice, facts.shape, facts.max_output)
    changes.update(dict.fromkeys(fitted.transforms))
    options = fitted.options
    if family.claude:
        options = _beside_thinking(options, changes)
    return options, choice if is_none else fitted.choice


def _reasoning(options: Options, choice: ToolChoice | None) -> Options:
    """An effort alone, as Claude is asked to think (C.1.7, other to Claude)."""
    effort = options.effort
    if options.thinking is not None or effort is None:
        return options
    if effort == "none":
        return replace(options, effort=None, thinking=ThinkingWish(kind=ThinkingKind.DISABLED))
    options = replace(options, effort="low" if effort == "minimal" else effort)
    if choice is not None and choice.kind in (ChoiceKind.REQUIRED, ChoiceKind.NAMED):
        # Thinking is refused beside a forced tool; the effort alone is not.
        return options
    return replace(options, thinking=ThinkingWish(kind=ThinkingKind.ADAPTIVE))


def _plain(options: Options, facts: TargetFacts, changes: Changes) -> Options:
    """Without what only Claude has a word for; an effort is Converse's own word."""
    wish = options.thinking
    is_off = wish is not None and wish.kind in (ThinkingKind.DISABLED, ThinkingKind.BETWEEN_TOOLS)
    # Off is what a model without reasoning is anyway.
    if wish is not None and not (is_off and "thinking" not in facts.capabilities):
        changes["dropped=thinking"] = None
    if options.top_k is not None:
        changes["dropped=top_k"] = None
    effort = options.effort
    if effort is not None and "thinking" not in facts.capabilities:
        changes["dropped=effort"] = None
        effort = None
    return replace(options, thinking=None, top_k=None, effort=effort)


def _beside_thinking(options: Options, changes: Changes) -> Options:
    """Drop what is not legal together with thinking."""
    wish = options.thinking
    if wish is None or wish.kind not in (ThinkingKind.ENABLED, ThinkingKind.ADAPTIVE):
        return options
    if options.temperature not in (None, 1):
        changes["dropped=temperature"] = None
        options = replace(options, temperature=None)
    if options.top_k is not None:
        changes["dropped=top_k"] = None
        options = replace(options, top_k=None)
    return options


def _beside_history(options: Options, turns: Sequence[Message], changes: Changes) -> Options:
    """Manual thinking wants the signed block of the last tool turn: off where that is gone."""
    wish = options.thinking
    last = next((turn for turn in reversed(turns) if turn.role is Role.ASSISTANT), None)
    if wish is None or wish.kind is not ThinkingKind.ENABLED or last is None:
        return options
    calls = any(isinstance(block, ToolCall) for block in last.blocks)
    if not calls or isinstance(last.blocks[0], Thinking | RedactedThinking):
        return options
    changes["dropped=thinking"] = None
    return replace(options, thinking=None)


def _output(options: Options, facts: TargetFacts, changes: Changes) -> tuple[Json, str | None]:
    """`outputConfig`, and a format in words where there is no form for it."""
    output: Json = {}
    hint = None
    wanted = options.format
    if wanted is not None:
        if wanted.schema is None or facts.shape.structured_output is False:
            hint = schema_instruction(wanted)
            changes["prompted=response_format"] = None
        else:
            output["textFormat"] = _text_format(wanted)
    if options.effort is not None:
        output["effort"] = options.effort
    return output, hint


def _text_format(wanted: JsonFormat) -> Json:
    schema: Json = {"schema": msgspec.json.encode(wanted.schema).decode()}
    if wanted.name:
        schema["name"] = wanted.name
    return {"type": "json_schema", "structure": {"jsonSchema": schema}}


def _inference(options: Options) -> Json:
    config: Json = {}
    if options.max_tokens is not None:
        config["maxTokens"] = options.max_tokens
    if options.temperature is not None:
        config["temperature"] = options.temperature
    if options.top_p is not None:
        config["topP"] = options.top_p
    if options.stop:
        config["stopSequences"] = list(options.stop)
    return config


def _fields(
    request: Request,
    options: Options,
    facts: TargetFacts,
    family: Family,
    headers: Mapping[str, str],
    changes: Changes,
) -> Json:
    """`additionalModelRequestFields`: what Claude takes beyond the common form."""
    fields: Json = {}
    if request.dialect == "anthropic-messages":
        betas = split_betas(headers, facts.shape)
        lost = betas.dropped if family.claude else betas.kept + betas.dropped
        changes.update({f"dropped=beta:{beta}": None for beta in lost})
        if family.claude and betas.kept:
            fields["anthropic_beta"] = list(betas.kept)
    if options.thinking is not None:
        fields["thinking"] = thinking_object(options.thinking)
    if options.top_k is not None:
        fields["top_k"] = options.top_k
    return fields


def _one_call(
    choice: ToolChoice | None, wanted: Json | None, family: Family, fields: Json, changes: Changes
) -> Json | None:
    """The single-call switch: Claude's own choice instead of Converse's, which has none."""
    if not family.claude or (choice is not None and choice.kind is ChoiceKind.NONE):
        changes["dropped=parallel_tool_calls"] = None
        return wanted
    kept = choice or ToolChoice(kind=ChoiceKind.AUTO)
    if kept.name is not None:
        kept = replace(kept, name=legal_name(kept.name, limit=CHAT_NAME_LIMIT))
    fields["tool_choice"] = tool_choice_object(kept, parallel_tools=False)
    return None
