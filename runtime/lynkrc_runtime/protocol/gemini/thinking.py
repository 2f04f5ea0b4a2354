"""A wish for reasoning, to Gemini's `thinkingConfig` (wire reference B.8, C.1.7).

Models before Gemini 3 think by a budget of tokens, later ones by a level; the shape says which.

>>> from lynkrc_runtime.protocol.shapes import RequestShape
>>> from lynkrc_runtime.protocol.conversation import ThinkingWish
>>> wish = ThinkingWish(kind=ThinkingKind.ENABLED, budget=9000)
>>> thinking_config(Options(thinking=wish), RequestShape(), {})
{'thinkingLevel': 'MEDIUM', 'includeThoughts': True}
>>> thinking_config(Options(effort="high"), RequestShape(thinking_budgets=[128, 8000]), {})
{'thinkingBudget': 8000, 'includeThoughts': True}
"""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import Options, ThinkingKind
from lynkrc_runtime.protocol.efforts import budget_of_effort, nearest_effort
from lynkrc_runtime.protocol.shapes import RequestShape

LEVELS = ("minimal", "low", "medium", "high", "xhigh")
"""Words of `thinkingLevel`, rising; Gemini spells them in capitals."""

_USUAL_LEVELS = LEVELS[:4]
"""Legal where the shape does not say."""

_LEVEL_OF_EFFORT = MappingProxyType({"none": "minimal", "max": "xhigh"})

_OFF = frozenset((ThinkingKind.DISABLED, ThinkingKind.BETWEEN_TOOLS))


def thinking_config(
    options: Options, shape: RequestShape, changes: Changes
) -> dict[str, Any] | None:
    """`thinkingConfig`; None leaves it to the model. Changes name what could not be kept."""
    wish = options.thinking
    if not asks(options):
        return {"includeThoughts": True} if options.show_reasoning else None
    config = (
        _by_level(options, shape, changes)
        if shape.thinking_budgets is None
        else _by_budget(options, shape, shape.thinking_budgets, changes)
    )
    is_hidden = wish is not None and wish.display == "omitted"
    if not is_off(options) and not is_hidden:
        config["includeThoughts"] = True
    return config or None


def asks(options: Options) -> bool:
    """Whether the client says anything of reasoning."""
    return options.thinking is not None or options.effort is not None


def is_off(options: Options) -> bool:
    """Whether the client wants no reasoning before the answer."""
    wish = options.thinking
    return options.effort == "none" if wish is None else wish.kind in _OFF


def _by_level(options: Options, shape: RequestShape, changes: Changes) -> dict[str, Any]:
    legal = _USUAL_LEVELS if shape.efforts is None else shape.efforts
    wanted = _level(options)
    if wanted is None:
        return {}
    level = nearest_effort(wanted, [word for word in legal if word in LEVELS])
    if level is None:
        changes["dropped=thinking"] = None
        return {}
    if level != options.effort:
        changes[f"thinkingLevel={level.upper()}"] = None
    return {"thinkingLevel": level.upper()}


def _level(options: Options) -> str | None:
    """The level that keeps the intent, before the shape."""
    wish, effort = options.thinking, options.effort
    if is_off(options):
        return "minimal"
    if effort is not None:
        return _LEVEL_OF_EFFORT.get(effort, effort)
    return None if wish is None or wish.budget is None else _level_of_budget(wish.budget)


def _level_of_budget(budget: int) -> str:
    if budget < 4096:
        return "low"
    return "medium" if budget < 16384 else "high"


def _by_budget(
    options: Options, shape: RequestShape, legal: Sequence[int], changes: Changes
) -> dict[str, Any]:
    least, greatest = legal[0], legal[-1]
    if is_off(options):
        can_be_off = shape.thinking is None or ThinkingKind.DISABLED.value in shape.thinking
        asked: int | None = 0
        budget = 0 if can_be_off else least
    else:
        asked = options.thinking.budget if options.thinking is not None else None
        wanted = _budget(asked, options.effort)
        if wanted is None:
            return {}
        budget = min(max(wanted, least), greatest)
    if budget != asked:
        changes[f"thinkingBudget={budget}"] = None
    return {"thinkingBudget": budget}


def _budget(asked: int | None, effort: str | None) -> int | None:
    if asked is not None:
        return asked
    level = None if effort is None else _LEVEL_OF_EFFORT.get(effort, effort)
    return budget_of_effort(level) if level in LEVELS else None
