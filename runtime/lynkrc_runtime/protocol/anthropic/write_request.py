"""A request of another dialect, to a Messages request; every loss listed (wire reference C.1.2).

What cannot mean the same (several choices, audio, files of another provider) is a misfit.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from lynkrc_runtime.protocol.anthropic.shape import (
    SAMPLING_VERSIONS,
    Fitted,
    choose_version,
    fit,
    has_sampling,
    is_hidden,
    shown,
    without_sampling,
)
from lynkrc_runtime.protocol.anthropic.wishes import (
    schema_instruction,
    thinking_object,
    tool_choice_object,
)
from lynkrc_runtime.protocol.anthropic.write_blocks import Json, Losses
from lynkrc_runtime.protocol.anthropic.write_messages import write_messages
from lynkrc_runtime.protocol.anthropic.write_tools import write_choice, write_tools
from lynkrc_runtime.protocol.by_options import ByOptions
from lynkrc_runtime.protocol.carrier import is_foreign
from lynkrc_runtime.protocol.conversation import (
    Block,
    CannotTranslate,
    ChoiceKind,
    Message,
    Opaque,
    Options,
    RedactedThinking,
    Refusal,
    Request,
    Role,
    Text,
    Thinking,
    ThinkingKind,
    ThinkingWish,
    ToolCall,
    ToolChoice,
)
from lynkrc_runtime.protocol.dialect import TargetFacts, Written
from lynkrc_runtime.protocol.efforts import budget_of_effort
from lynkrc_runtime.protocol.late_messages import LateMessages
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.stops import ENFORCED

DEFAULT_MAX_TOKENS = 32000
"""Sent where the client gave no limit and the model's own is not lower (C.1.2)."""

_EMPTY = frozenset((b"null", b"false", b"[]", b"{}"))
"""Values of members nobody translates that ask for nothing, so nothing is lost."""


def write_request(request: Request, facts: TargetFacts, _headers: Mapping[str, str]) -> Written:
    """The upstream request; CannotTranslate where it could not mean the same."""
    losses: Losses = {}
    if request.rest or request.metadata:
        _refuse(request)
        _list_rest(request, losses)
    tools = write_tools(request.tools, request.tool_choice, facts.shape, losses)
    settled = _settled(request, facts)
    losses |= settled.losses
    options = settled.options
    body: Json = {"model": facts.model, "max_tokens": options.max_tokens}
    system = _system(request, options, facts.shape, losses)
    if system:
        body["system"] = system
    body["messages"] = _messages(request.messages, facts, losses)
    if tools.names:
        body["tools"] = tools.spelled
    choice = write_choice(settled.choice, options.parallel_tools, tools.names, losses)
    if choice is not None:
        body["tool_choice"] = tool_choice_object(*choice)
    body |= settled.members
    if options.user:
        # Names and addresses are nobody's business upstream: only a digest travels.
        body["metadata"] = {"user_id": hashlib.sha256(options.user.encode()).hexdigest()}
        losses["hashed=user"] = None
    try:
        encoded = msgspec.json.encode(body)
    except RecursionError as error:
        # Read a few calls higher up, where there was just enough room.
        raise CannotTranslate("depth", "the request is nested too deeply to translate") from error
    return Written(
        body=encoded,
        headers={"anthropic-version": settled.version},
        transforms=tuple(losses),
    )


@final
class _Settled(Struct, frozen=True, kw_only=True, gc=False):
    """What a client's options come to at a target."""

    options: Options
    choice: ToolChoice | None
    version: str
    members: Json
    losses: Losses
    by_history: bool
    """It hangs on what the conversation holds."""


_known = ByOptions[_Settled]()


def _settled(request: Request, facts: TargetFacts) -> _Settled:
    """The same as `_settle`, without doing it again for options that came before."""
    options = request.options
    is_plain = request.tool_choice is None and options.format is None
    known = _known.get(request, facts) if is_plain else None
    if known is not None:
        return known
    settled = _settle(request, facts)
    if is_plain and not settled.by_history:
        _known.keep(request, facts, settled)
    return settled


def _settle(request: Request, facts: TargetFacts) -> _Settled:
    """The options in the target's terms, and what of them is lost."""
    losses: Losses = {}
    shape = facts.shape
    wanted = _options(request, facts, losses)
    fitted = fit(wanted, request.tool_choice, shape, facts.max_output)
    losses.update(dict.fromkeys(fitted.transforms))
    options = _beside_thinking(fitted, request, facts, losses)
    if is_hidden(options):
        losses["dropped=reasoning.summary"] = None
    version = choose_version(None, options, shape)
    if has_sampling(options) and version not in SAMPLING_VERSIONS:
        options, dropped = without_sampling(options)
        losses.update(dict.fromkeys(dropped))
    wish = fitted.options.thinking
    return _Settled(
        options=options,
        choice=fitted.choice,
        version=version,
        members=_members(options, shape),
        losses=losses,
        by_history=wish is not None and wish.kind is ThinkingKind.ENABLED,
    )


def _messages(turns: Sequence[Message], facts: TargetFacts, losses: Losses) -> Any:
    if type(turns) is LateMessages:
        # Those of most conversations of agents: nothing is lost there.
        written = turns.for_messages()
        if written is not None:
            return msgspec.Raw(written)
    if facts.without_thinking:
        turns = _without_thinking(turns, losses)
    return write_messages(turns, facts.shape, losses)


def _without_thinking(turns: Sequence[Message], losses: Losses) -> tuple[Message, ...]:
    kept = []
    for turn in turns:
        blocks = tuple(b for b in turn.blocks if not isinstance(b, Thinking | RedactedThinking))
        if len(blocks) < len(turn.blocks):
            losses["stripped=thinking"] = None
        kept.append(replace(turn, blocks=blocks))
    return tuple(kept)


def _refuse(request: Request) -> None:
    n = request.members.get("n") if "n" in request.rest else None
    if n is not None and n not in (b"1", b"null"):
        raise CannotTranslate("n", "the target gives one choice; n must be 1")
    modalities = request.members.get("modalities", b"") if "modalities" in request.rest else b""
    if b'"audio"' in modalities:
        raise CannotTranslate("audio", "the target does not answer in audio")


def _list_rest(request: Request, losses: Losses) -> None:
    for name in request.rest:
        value = request.members.get(name.partition(".")[0], b"")
        is_text_only = name == "modalities"
        if name != "n" and not is_text_only and value not in _EMPTY:
            losses[f"dropped={name}"] = None
    if request.metadata:
        losses["dropped=metadata"] = None


_WITHOUT = ("seed", "presence_penalty", "frequency_penalty", "verbosity")
"""Options the dialect has no word for."""


def _options(request: Request, facts: TargetFacts, losses: Losses) -> Options:
    """The options in Anthropic's terms, before the shape."""
    options = request.options
    losses.update(
        {f"dropped={name}": None for name in _WITHOUT if getattr(options, name) is not None}
    )
    max_tokens = options.max_tokens
    if max_tokens is None:
        max_tokens = min(facts.max_output, DEFAULT_MAX_TOKENS)
        losses[f"max_tokens={max_tokens}"] = None
    temperature, top_p = options.temperature, options.top_p
    if temperature is not None and temperature > 1:
        temperature = 1.0
        losses["temperature=1"] = None
    if temperature is not None and top_p is not None:
        top_p = None
        losses["dropped=top_p"] = None
    stop = tuple(word for word in options.stop if word.strip())
    if stop != options.stop:
        losses[ENFORCED] = None
    thinking, effort = _reasoning(options, request)
    if thinking is not None and thinking.kind is ThinkingKind.ADAPTIVE:
        raised = _room_for_budget(effort, max_tokens, facts)
        if raised != max_tokens:
            max_tokens = raised
            losses[f"max_tokens={max_tokens}"] = None
    wanted = replace(
        options,
        max_tokens=max_tokens,
        temperature=temperature,
        top_p=top_p,
        stop=stop,
        thinking=thinking,
        effort=effort,
    )
    return shown(wanted, request.tool_choice, facts)


def _reasoning(options: Options, request: Request) -> tuple[ThinkingWish | None, str | None]:
    """`reasoning_effort` as a thinking form and an effort (C.1.7, other to Claude)."""
    if options.thinking is not None:
        return options.thinking, options.effort
    effort = options.effort
    if effort is None:
        return None, None
    if effort == "none":
        return ThinkingWish(kind=ThinkingKind.DISABLED), None
    effort = "low" if effort == "minimal" else effort
    choice = request.tool_choice
    if choice is not None and choice.kind in (ChoiceKind.REQUIRED, ChoiceKind.NAMED):
        # Thinking is refused beside a forced tool; the effort alone is not.
        return None, effort
    return ThinkingWish(kind=ThinkingKind.ADAPTIVE), effort


def _room_for_budget(effort: str | None, max_tokens: int, facts: TargetFacts) -> int:
    """For models that know budgets only: budget plus asked output; one is part of the other."""
    legal = facts.shape.thinking
    if legal is None or "adaptive" in legal or "enabled" not in legal or max_tokens == 0:
        return max_tokens
    budget = budget_of_effort(effort)
    return max_tokens if budget < max_tokens else min(max_tokens + budget, facts.max_output)


def _beside_thinking(
    fitted: Fitted, request: Request, facts: TargetFacts, losses: Losses
) -> Options:
    """Drop what is not legal together with thinking."""
    options = fitted.options
    wish = options.thinking
    if wish is None or wish.kind not in (ThinkingKind.ENABLED, ThinkingKind.ADAPTIVE):
        return options
    if wish.kind is ThinkingKind.ENABLED and _lacks_reasoning(request, facts):
        # Manual thinking wants the signed block of the last tool turn.
        losses["dropped=thinking"] = None
        return replace(options, thinking=None)
    if options.temperature not in (None, 1):
        losses["dropped=temperature"] = None
        options = replace(options, temperature=None)
    return options


def _lacks_reasoning(request: Request, facts: TargetFacts) -> bool:
    """Whether the last turn calls tools and does not begin with reasoning that Claude signed."""
    last = next((turn for turn in reversed(request.messages) if turn.role is Role.ASSISTANT), None)
    if last is None or not any(isinstance(block, ToolCall) for block in last.blocks):
        return False
    first = next(block for block in last.blocks if not _is_left_out(block))
    is_signed = isinstance(first, Thinking | RedactedThinking)
    return facts.without_thinking or not is_signed


def _is_left_out(block: Block) -> bool:
    match block:
        case Thinking() | RedactedThinking():
            return is_foreign(block)
        case Text(text=text) | Refusal(text=text):
            return not text.strip()
        case _:
            return isinstance(block, Opaque)


def _system(
    request: Request, options: Options, shape: RequestShape, losses: Losses
) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for text in request.system:
        if not text.text or text.text.isspace():
            continue
        block: dict[str, Any] = {"type": "text", "text": text.text}
        for name, value in text.extra.items():
            if name == "cache_control" and isinstance(value, dict):
                block[name] = value
            else:
                losses[f"dropped={name}"] = None
        blocks.append(block)
    wanted = options.format
    if wanted is not None and (wanted.schema is None or shape.structured_output is False):
        blocks.append({"type": "text", "text": schema_instruction(wanted)})
        losses["prompted=response_format"] = None
    return blocks


def _members(options: Options, shape: RequestShape) -> Json:
    """Those of the body that say them, behind its tools."""
    body: Json = {}
    for name in ("temperature", "top_p", "top_k"):
        value = getattr(options, name)
        if value is not None:
            body[name] = value
    if options.stop:
        body["stop_sequences"] = list(options.stop)
    if options.thinking is not None:
        body["thinking"] = thinking_object(options.thinking)
    config: Json = {}
    if options.effort is not None:
        config["effort"] = options.effort
    wanted = options.format
    if wanted is not None and wanted.schema is not None and shape.structured_output is not False:
        config["format"] = {"type": "json_schema", "schema": wanted.schema}
    if config:
        body["output_config"] = config
    if options.stream:
        body["stream"] = True
    return body
