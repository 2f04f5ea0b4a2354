"""A Messages request for a Messages target: the client's own bytes, and only the edits it needs.

A body that needs no edit goes on as it came, if all its members are known to stand there once. Of
others the top-level members are joined again in order, every value byte for byte, `model` replaced:
then what counts of a member that is repeated is what we read. Another model than the asked one may
take other forms: then what its request shape forbids is changed, and each change listed (design:
"Pass-through, shapes and translation").
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from lynkrc_runtime.protocol.anthropic import raw
from lynkrc_runtime.protocol.anthropic.edit_messages import Edits, edit_messages
from lynkrc_runtime.protocol.anthropic.shape import (
    OLD_VERSION,
    SAMPLING_VERSIONS,
    Fitted,
    choose_version,
    fit,
    has_sampling,
    without_sampling,
)
from lynkrc_runtime.protocol.anthropic.versions import Betas, split_betas
from lynkrc_runtime.protocol.anthropic.wishes import (
    schema_instruction,
    thinking_object,
    tool_choice_object,
)
from lynkrc_runtime.protocol.by_options import ByOptions
from lynkrc_runtime.protocol.carrier import PREFIX
from lynkrc_runtime.protocol.conversation import (
    Block,
    CannotTranslate,
    Options,
    RedactedThinking,
    Request,
    Role,
    Thinking,
    ThinkingKind,
    ToolCall,
)
from lynkrc_runtime.protocol.dialect import TargetFacts, Written
from lynkrc_runtime.protocol.late_messages import (
    ASSISTANT,
    SYSTEM,
    LateMessages,
    course_of,
    may_reason,
)
from lynkrc_runtime.protocol.shapes import RequestShape

_encode = msgspec.json.encode
_NO_SHAPE = RequestShape()
_SYSTEM, _ASSISTANT = bytes((SYSTEM,)), bytes((ASSISTANT,))
_SAMPLING = frozenset(("temperature", "top_p", "top_k"))


def pass_request(request: Request, facts: TargetFacts, headers: Mapping[str, str]) -> Written:
    """The upstream request; CannotTranslate where the model refuses what the client means.

    Where client and target name the same model nothing is edited, but for reasoning of other
    makers, which no Claude upstream may see, and for what must go with reasoning it could not read.
    """
    is_same = request.model == facts.model
    if _is_plain(request, facts) and (is_same or _takes(request, facts, headers)):
        return _as_it_came(request, facts, headers)
    shape = _NO_SHAPE if is_same else facts.shape
    members = dict(request.members)
    members["model"] = _encode(facts.model)
    betas = split_betas(headers, shape)
    done = [f"dropped=beta:{beta}" for beta in betas.dropped]
    given_version = headers.get("anthropic-version")
    version = given_version or OLD_VERSION
    if not is_same:
        _refuse_prefill(request, shape)
        fitted = fit(request.options, request.tool_choice, shape, facts.max_output)
        done.extend(fitted.transforms)
        options = fitted.options
        version = choose_version(given_version, options, shape)
        if has_sampling(options) and version not in SAMPLING_VERSIONS:
            options, dropped = without_sampling(options)
            done.extend(dropped)
        if version != (given_version or OLD_VERSION):
            done.append(f"anthropic-version={version}")
        options = _fit_display(options, betas, done)
        if _loses_open_turn(request, facts):
            options = _stop_thinking(options, shape, done)
        _replace_options(members, request, replace(fitted, options=options))
        _drop_members(members, request, options, betas, shape, done)
        if options.format is not None and shape.structured_output is False:
            _prompt_for_format(members, options, done)
    elif _loses_open_turn(request, facts):
        options = _stop_thinking(request.options, facts.shape, done)
        unchanged = Fitted(options=options, choice=request.tool_choice, transforms=())
        _replace_options(members, request, unchanged)
        _drop_members(members, request, options, betas, facts.shape, done)
    edits = _edits(request, facts, shape, betas)
    if edits is not None:
        members["messages"], changed = edit_messages(members["messages"], edits)
        done.extend(changed)
    sent = {"anthropic-version": version}
    if betas.kept:
        sent["anthropic-beta"] = ",".join(betas.kept)
    return Written(body=raw.join(members), headers=sent, transforms=tuple(done))


def _is_plain(request: Request, facts: TargetFacts) -> bool:
    """Whether there surely is nothing to leave out of the conversation."""
    return not (facts.foreign or facts.without_thinking or may_reason(request.messages))


_known = ByOptions[bool]()


def _takes(request: Request, facts: TargetFacts, headers: Mapping[str, str]) -> bool:
    """Whether another model than the asked one surely takes the plain request as it is.

    CannotTranslate where it refuses how the request ends.
    """
    options, shape = request.options, facts.shape
    if request.tool_choice is not None or options.format is not None or "anthropic-beta" in headers:
        return False
    if not _SAMPLING.isdisjoint(request.members):
        return False  # null is left out, too
    takes = _known.get(request, facts)
    if takes is None:
        unchanged = Fitted(options=options, choice=None, transforms=())
        takes = fit(options, None, shape, facts.max_output) == unchanged
        _known.keep(request, facts, takes)
    if not takes:
        return False
    if shape.versions and (headers.get("anthropic-version") or OLD_VERSION) not in shape.versions:
        return False
    _refuse_prefill(request, shape)
    return not _folds(request, shape)


def _as_it_came(request: Request, facts: TargetFacts, headers: Mapping[str, str]) -> Written:
    """A request without an edit but for the model, or its spelling."""
    sent = {"anthropic-version": headers.get("anthropic-version") or OLD_VERSION}
    betas = split_betas(headers, _NO_SHAPE).kept
    if betas:
        sent["anthropic-beta"] = ",".join(betas)
    members, model = request.members, _encode(facts.model)
    body = request.body
    if body is None or members["model"] != model:
        body = raw.join({**members, "model": model})
    return Written(body=body, headers=sent, transforms=())


def _edits(request: Request, facts: TargetFacts, shape: RequestShape, betas: Betas) -> Edits | None:
    """What the messages need; None where nothing of them is looked at."""
    folds = _folds(request, shape)
    strips_members = folds or betas.lost_turn_config
    has_carrier = _has_carrier(request)
    if not (folds or strips_members or has_carrier or facts.foreign or facts.without_thinking):
        return None
    return Edits(
        fold_system=folds,
        strip_foreign_thinking=has_carrier,
        strip_signatures=facts.foreign,
        strip_all_thinking=facts.without_thinking,
        strip_members=("output_config",) if strips_members else (),
    )


def _folds(request: Request, shape: RequestShape) -> bool:
    """Whether instructions among the messages must go into one of these; a turn's own wishes, which
    a model without such instructions takes as little, are known to be none in common messages.
    """
    if shape.mid_system is not False:
        return False
    messages = request.messages
    return type(messages) is not LateMessages or _SYSTEM in messages.course.kinds


def _has_carrier(request: Request) -> bool:
    """Whether the history holds reasoning that went out under our own signature."""
    if not may_reason(request.messages):
        return False
    for message in request.messages:
        for block in message.blocks:
            if type(block) is Thinking and (block.signature or "").startswith(PREFIX):
                return True
    return False


def _loses_open_turn(request: Request, facts: TargetFacts) -> bool:
    """Whether the turn that waits for its tools goes without its reasoning."""
    if facts.without_thinking:
        return True
    if not may_reason(request.messages):
        return False
    turns = (turn for turn in reversed(request.messages) if turn.role is Role.ASSISTANT)
    last = next(turns, None)
    blocks = last.blocks if last is not None else ()
    return any(isinstance(block, ToolCall) for block in blocks) and any(
        _is_stripped(block, facts) for block in blocks
    )


def _is_stripped(block: Block, facts: TargetFacts) -> bool:
    match block:
        case Thinking(signature=str(mark)) | RedactedThinking(data=mark):
            return mark.startswith(PREFIX) or mark in facts.foreign
        case _:
            return False


def _refuse_prefill(request: Request, shape: RequestShape) -> None:
    if shape.prefill is not False:
        return
    kinds = course_of(request.messages).kinds
    ends_folded = shape.mid_system is False and kinds.endswith(_SYSTEM)
    if kinds.rstrip(_SYSTEM)[-1:] == _ASSISTANT and not ends_folded:
        raise CannotTranslate("prefill", "the target does not continue an assistant message")


def _fit_display(options: Options, betas: Betas, done: list[str]) -> Options:
    wish = options.thinking
    if wish is None or wish.display != "updates" or not betas.lost_display_updates:
        return options
    done.append("dropped=thinking.display")
    return replace(options, thinking=replace(wish, display=None))


def _stop_thinking(options: Options, shape: RequestShape, done: list[str]) -> Options:
    """Off, where thinking has a budget: such models refuse a tool turn that lost its reasoning."""
    wish = options.thinking
    off = wish is not None and wish.kind is ThinkingKind.ENABLED
    if not off or "disabled" not in (shape.thinking or ()):
        return options
    done.append("dropped=thinking")
    return replace(options, thinking=None)


def _replace_options(members: dict[str, bytes], request: Request, fitted: Fitted) -> None:
    """Put what changed into the raw members; what did not change keeps its bytes."""
    before, after = request.options, fitted.options
    if after.max_tokens != before.max_tokens:
        members["max_tokens"] = _encode(after.max_tokens)
    for name in _SAMPLING:
        if getattr(after, name) is None:
            members.pop(name, None)
    if after.stop != before.stop:
        members.pop("stop_sequences", None)
    if after.thinking != before.thinking:
        _put(members, "thinking", after.thinking and thinking_object(after.thinking))
    if after.effort != before.effort:
        config = _config(members)
        _put(config, "effort", after.effort)
        _put_config(members, config)
    if fitted.choice is not None and fitted.choice != request.tool_choice:
        _put(members, "tool_choice", tool_choice_object(fitted.choice, after.parallel_tools))


def _drop_members(
    members: dict[str, bytes],
    request: Request,
    options: Options,
    betas: Betas,
    shape: RequestShape,
    done: list[str],
) -> None:
    """Members that a beta or a form of thinking brought, and that left with it."""
    for name in betas.lost_members():
        if members.pop(name, None) is not None:
            done.append(f"dropped={name}")
    thinks_anyway = shape.thinking is None or "adaptive" in shape.thinking
    lost_thinking = request.options.thinking is not None and options.thinking is None
    if (
        lost_thinking
        and not thinks_anyway
        and b"clear_thinking" in members.get("context_management", b"")
    ):
        del members["context_management"]
        done.append("dropped=context_management")


def _prompt_for_format(members: dict[str, bytes], options: Options, done: list[str]) -> None:
    """Ask in words for what the model has no parameter for (wire reference C.1.2)."""
    if options.format is None:
        return
    config = _config(members)
    config.pop("format", None)
    _put_config(members, config)
    text = schema_instruction(options.format)
    system = members.get("system")
    if system is None or raw.is_null(system):
        members["system"] = _encode(text)
    elif system[:1] == b"[":
        blocks = [bytes(item) for item in raw.items(system, "system")]
        members["system"] = raw.join_items([*blocks, _encode({"type": "text", "text": text})])
    else:
        members["system"] = _encode(f"{raw.string(system, 'system')}\n\n{text}")
    done.append("prompted=output_config.format")


def _config(members: dict[str, bytes]) -> dict[str, bytes]:
    given = members.get("output_config")
    if given is None or raw.is_null(given):
        return {}
    return {name: bytes(item) for name, item in raw.members(given, "output_config").items()}


def _put_config(members: dict[str, bytes], config: dict[str, bytes]) -> None:
    if config:
        members["output_config"] = raw.join(config)
    else:
        members.pop("output_config", None)


def _put(members: dict[str, bytes], name: str, value: Any) -> None:
    if value is None:
        members.pop(name, None)
    else:
        members[name] = _encode(value)
