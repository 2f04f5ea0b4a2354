"""A request's options and a model's request shape, to options that are legal, each change listed.

Pure decisions, the same for pass-through and translation (design: "Model shape"; wire reference
0.2 to 0.6, C.1.7).

>>> from lynkrc_runtime.protocol.conversation import ThinkingKind, ThinkingWish
>>> wish = ThinkingWish(kind=ThinkingKind.ENABLED, budget=16000)
>>> shape = RequestShape(thinking=["adaptive"], efforts=["low", "medium", "high"])
>>> fitted = fit(Options(max_tokens=90000, thinking=wish), None, shape, max_output=64000)
>>> fitted.options.thinking.kind.value, fitted.transforms
('adaptive', ('max_tokens=64000', 'thinking=adaptive', 'effort=medium'))
"""

from typing import assert_never, final

from msgspec import Struct
from msgspec.structs import replace

from lynkrc_runtime.protocol.conversation import (
    CannotTranslate,
    ChoiceKind,
    Options,
    ThinkingKind,
    ThinkingWish,
    ToolChoice,
)
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.efforts import (
    EFFORTS,
    MIN_BUDGET,
    budget_of_effort,
    effort_of_budget,
    nearest_effort,
)
from lynkrc_runtime.protocol.shapes import RequestShape
from lynkrc_runtime.protocol.stops import ENFORCED

OLD_VERSION = "2023-06-01"
"""The version assumed without a header, and the only one that takes sampling parameters."""

SAMPLING_VERSIONS = frozenset((OLD_VERSION,))

_SHOWN = (ThinkingKind.ADAPTIVE, ThinkingKind.ENABLED)
"""Forms whose answers hold reasoning that can be read."""


@final
class Fitted(Struct, frozen=True, kw_only=True, gc=False):
    """Legal options and tool choice, and the names of the changes."""

    options: Options
    choice: ToolChoice | None
    transforms: tuple[str, ...]


def fit(
    options: Options, choice: ToolChoice | None, shape: RequestShape, max_output: int
) -> Fitted:
    """The nearest legal options; CannotTranslate where a forbidden choice cannot be weakened."""
    done: list[str] = []
    max_tokens = options.max_tokens
    if max_tokens is not None and max_tokens > max_output:
        max_tokens = max_output
        done.append(f"max_tokens={max_tokens}")
    wish, effort = _fit_thinking(options, max_tokens, shape, done)
    effort = _fit_effort(effort, wish, shape)
    if effort != options.effort:
        done.append(f"effort={effort}" if effort else "dropped=effort")
    fitted = options
    if (max_tokens, wish, effort) != (options.max_tokens, options.thinking, options.effort):
        fitted = replace(options, max_tokens=max_tokens, thinking=wish, effort=effort)
    fitted = _fit_sampling(fitted, shape, done)
    return Fitted(options=fitted, choice=_fit_choice(choice, shape, done), transforms=tuple(done))


def shown(options: Options, choice: ToolChoice | None, facts: TargetFacts) -> Options:
    """The options with the reasoning shown, where the client asked to read it (C.1.7, C.5.4).

    A wish to read without a wish to think lets models think that choose for themselves how much.
    Thinking is refused beside a forced tool.
    """
    wish, shape = options.thinking, facts.shape
    if not options.show_reasoning:
        return options
    is_free = choice is None or choice.kind not in (ChoiceKind.REQUIRED, ChoiceKind.NAMED)
    can_adapt = shape.thinking is None or ThinkingKind.ADAPTIVE.value in shape.thinking
    if wish is None and options.effort is None and "thinking" in facts.capabilities:
        wish = ThinkingWish(kind=ThinkingKind.ADAPTIVE) if is_free and can_adapt else None
    if wish is not None and wish.kind in _SHOWN and shape.hides_thinking and wish.display is None:
        wish = replace(wish, display="summarized")
    return replace(options, thinking=wish)


def is_hidden(options: Options) -> bool:
    """Whether a client that asked to read the reasoning will find none."""
    wish = options.thinking
    thinks = wish is not None and wish.kind in _SHOWN
    is_off = wish is not None and wish.kind is ThinkingKind.DISABLED
    return options.show_reasoning and not thinks and not is_off


def has_sampling(options: Options) -> bool:
    """Whether any parameter is set that newer API versions refuse (wire reference 0.2)."""
    return (options.temperature, options.top_p, options.top_k) != (None, None, None)


def without_sampling(options: Options) -> tuple[Options, list[str]]:
    """The options without such parameters, and what was dropped."""
    names = ("temperature", "top_p", "top_k")
    dropped = [f"dropped={name}" for name in names if getattr(options, name) is not None]
    return replace(options, temperature=None, top_p=None, top_k=None), dropped


def choose_version(given: str | None, options: Options, shape: RequestShape) -> str:
    """The `anthropic-version` that fits the body: the client's where legal, else the last legal.

    Sampling parameters ask for a version that takes them, where the shape has one.
    """
    legal = shape.versions
    version = given or OLD_VERSION
    if legal and version not in legal:
        version = legal[-1]
    if has_sampling(options) and version not in SAMPLING_VERSIONS:
        taken = [name for name in legal or (OLD_VERSION,) if name in SAMPLING_VERSIONS]
        version = taken[-1] if taken else version
    return version


def _fit_thinking(
    options: Options, max_tokens: int | None, shape: RequestShape, done: list[str]
) -> tuple[ThinkingWish | None, str | None]:
    """(wish, effort): the wish in a legal form, and the effort that keeps its intent."""
    wish, effort, legal = options.thinking, options.effort, shape.thinking
    if wish is None:
        return None, effort
    kind = wish.kind
    if legal is not None and kind.value not in legal:
        kind_or_none = next((k for k in _second_best(kind) if k.value in legal), None)
        if effort is None and shape.efforts:
            match kind:
                case ThinkingKind.ENABLED if wish.budget is not None:
                    effort = effort_of_budget(wish.budget)
                case ThinkingKind.DISABLED | ThinkingKind.BETWEEN_TOOLS if kind_or_none is None:
                    effort = "low"
                case _:
                    pass
        if kind_or_none is None:
            done.append("dropped=thinking")
            return None, effort
        kind = kind_or_none
    fitted = _complete(wish, kind, effort, max_tokens)
    if fitted is None:
        done.append("dropped=thinking")
    elif kind is not wish.kind:
        done.append(f"thinking={kind.value}")
    elif fitted.budget != wish.budget:
        done.append(f"thinking.budget_tokens={fitted.budget}")
    return fitted, effort


def _second_best(kind: ThinkingKind) -> tuple[ThinkingKind, ...]:
    """What comes nearest to a form that is not legal."""
    match kind:
        case ThinkingKind.DISABLED:
            return (ThinkingKind.BETWEEN_TOOLS,)
        case ThinkingKind.BETWEEN_TOOLS:
            return (ThinkingKind.DISABLED,)
        case ThinkingKind.ADAPTIVE:
            return (ThinkingKind.ENABLED,)
        case ThinkingKind.ENABLED:
            return (ThinkingKind.ADAPTIVE,)
        case _:
            assert_never(kind)


def _complete(
    wish: ThinkingWish, kind: ThinkingKind, effort: str | None, max_tokens: int | None
) -> ThinkingWish | None:
    """The wish in this form; None where the answer's limit leaves no room for a budget."""
    if kind is not ThinkingKind.ENABLED:
        display = wish.display if kind is ThinkingKind.ADAPTIVE else None
        return ThinkingWish(kind=kind, display=display)
    budget = wish.budget or budget_of_effort(effort)
    if max_tokens is not None and budget >= max_tokens:
        budget = max_tokens - MIN_BUDGET
        if budget < MIN_BUDGET:
            return None
    return ThinkingWish(kind=kind, budget=budget, display=wish.display)


def _fit_effort(effort: str | None, wish: ThinkingWish | None, shape: RequestShape) -> str | None:
    """The nearest legal effort, a lower one first."""
    if effort is not None and shape.efforts is not None:
        effort = nearest_effort((shape.effort_words or {}).get(effort, effort), shape.efforts)
    limit = shape.disabled_max_effort
    if wish is not None and wish.kind is ThinkingKind.DISABLED and limit and effort:
        effort = nearest_effort(
            effort, [e for e in shape.efforts or EFFORTS if _rank(e) <= _rank(limit)]
        )
    return effort


def _rank(effort: str) -> int:
    return EFFORTS.index(effort) if effort in EFFORTS else -1


def _fit_sampling(options: Options, shape: RequestShape, done: list[str]) -> Options:
    if shape.sampling is None:
        return options
    legal = shape.sampling
    done.extend(
        f"dropped={name}"
        for name in ("temperature", "top_p", "top_k")
        if name not in legal and getattr(options, name) is not None
    )
    options = replace(
        options,
        temperature=options.temperature if "temperature" in legal else None,
        top_p=options.top_p if "top_p" in legal else None,
        top_k=options.top_k if "top_k" in legal else None,
    )
    if options.stop and "stop" not in legal:
        options = replace(options, stop=())
        done.append(ENFORCED)
    return options


def _fit_choice(
    choice: ToolChoice | None, shape: RequestShape, done: list[str]
) -> ToolChoice | None:
    if choice is None or shape.tool_choice is None or choice.kind.value in shape.tool_choice:
        return choice
    if choice.kind is ChoiceKind.NONE:
        raise CannotTranslate("tool_choice", "the target cannot be told to use no tools")
    done.append("tool_choice=auto")
    return ToolChoice(kind=ChoiceKind.AUTO, allowed=choice.allowed)
