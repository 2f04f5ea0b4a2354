"""Neutral options, to members of an Ollama request: ``options``, ``think``, ``format``.

Servers ignore members of the body they do not know, so what only newer ones read is written for
all of them (rows of `STATED`). A value of a member they know must fit, though: rows of `LEVELS`.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias, final

from msgspec import Struct

from lynkrc_runtime.protocol.changes import Changes
from lynkrc_runtime.protocol.conversation import (
    JsonFormat,
    Options,
    ThinkingKind,
    ThinkingWish,
)
from lynkrc_runtime.protocol.dialect import TargetFacts, hides_reasoning
from lynkrc_runtime.protocol.efforts import EFFORTS, OFF, effort_of_budget, nearest_effort
from lynkrc_runtime.protocol.stops import ENFORCED

Json: TypeAlias = dict[str, Any]


@final
class Stated(Struct, frozen=True):
    """A member every request states, because what servers do without it loses text in silence.

    `older` says what servers do that do not know it yet.
    """

    member: str
    value: bool
    older: str
    source: str


STATED = (
    Stated(
        "truncate",
        False,
        "drop the oldest messages of a prompt beyond num_ctx",
        "github.com/ollama/ollama/issues/14259: true where not given",
    ),
    Stated(
        "shift",
        False,
        "drop the beginning of the conversation when an answer reaches num_ctx",
        "wire reference B.10",
    ),
)
"""By version: servers of which these are unknown ignore them; num_ctx and our estimate guard."""


@final
class Levels(Struct, frozen=True):
    """How deep models may think: words in rising order; `can_stop` whether `think: false` works."""

    prefix: str
    words: tuple[str, ...]
    can_stop: bool


LEVELS = (
    # docs.ollama.com/capabilities/thinking: gpt-oss takes low, medium, high, and always thinks.
    Levels("gpt-oss", ("low", "medium", "high"), False),
)
"""Models, by the last part of their name, that take more than true and false. Servers before these
words came refuse them, and those servers do not run these models."""

_NAMES: Mapping[str, str] = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}
"""Neutral option -> name in ``options``."""


def write_options(options: Options, facts: TargetFacts, changes: Changes) -> Json:
    """The ``options`` object; what the model's shape does not take is left out and listed."""
    written: Json = {}
    if facts.context:
        # The server's own default is small, and what is longer is cut without a word (B.10).
        written["num_ctx"] = facts.context
    if options.max_tokens is not None:
        limit = min(options.max_tokens, facts.max_output)
        written["num_predict"] = limit
        if limit != options.max_tokens:
            changes[f"num_predict={limit}"] = None
    sampling = facts.shape.sampling
    for name, member in _NAMES.items():
        value = getattr(options, name)
        if value is None:
            continue
        if sampling is not None and name not in sampling:
            changes[f"dropped={name}"] = None
        else:
            written[member] = value
    if options.stop:
        if sampling is not None and "stop" not in sampling:
            changes[ENFORCED] = None
        else:
            written["stop"] = list(options.stop)
    if options.verbosity is not None:
        changes["dropped=verbosity"] = None
    if options.user:
        changes["dropped=user"] = None
    return written


def write_think(options: Options, facts: TargetFacts, changes: Changes) -> bool | str | None:
    """The value of ``think``, None to leave it out: models without it refuse the member."""
    wish = options.thinking
    if wish is not None and wish.display is not None:
        changes["dropped=thinking.display"] = None
    if hides_reasoning(options, facts):
        changes["dropped=reasoning.summary"] = None
    wants = _wants(wish, options.effort)
    if wants is None:
        return None
    if facts.without_thinking or "thinking" not in facts.capabilities:
        if wish is not None and wish.kind is not ThinkingKind.DISABLED:
            changes["dropped=thinking"] = None
        if options.effort not in (None, "none"):
            changes["dropped=effort"] = None
        return None
    levels = _levels(facts)
    if levels is None:
        if wants and options.effort is not None:
            changes["think=true"] = None
        return wants
    if not wants:
        if levels.can_stop:
            return False
        changes[f"think={levels.words[0]}"] = None
        return levels.words[0]
    effort = options.effort or _effort_of(wish)
    if effort is None:
        return True
    word = _nearest(effort, levels.words)
    if word != effort:
        changes[f"think={word}"] = None
    return word


def write_format(wanted: JsonFormat | None) -> str | Mapping[str, Any] | None:
    """The value of ``format``: a JSON Schema, or the word for any JSON.

    >>> write_format(JsonFormat(schema=None))
    'json'
    """
    if wanted is None:
        return None
    return "json" if wanted.schema is None else wanted.schema


def _wants(wish: ThinkingWish | None, effort: str | None) -> bool | None:
    """Whether reasoning is asked for; None leaves it to the model."""
    if wish is None:
        return None if effort is None else effort != "none"
    return wish.kind is not ThinkingKind.DISABLED


def _levels(facts: TargetFacts) -> Levels | None:
    """The shape's words where it has any, else those of the model's row."""
    if facts.shape.efforts is not None:
        words = tuple(word for word in EFFORTS if word in facts.shape.efforts and word != OFF)
        can_stop = OFF in facts.shape.efforts
        return Levels("", words, can_stop) if words else None
    name = facts.model.rpartition("/")[2]
    return next((row for row in LEVELS if name.startswith(row.prefix)), None)


def _effort_of(wish: ThinkingWish | None) -> str | None:
    """The word for a budget of tokens (wire reference C.1.7)."""
    if wish is None or wish.budget is None:
        return None
    return effort_of_budget(wish.budget)


def _nearest(effort: str, words: tuple[str, ...]) -> str:
    """The word itself, else the next lower one, else the lowest; `words` rise and are not empty.

    >>> _nearest("max", ("low", "high")), _nearest("minimal", ("low", "high"))
    ('high', 'low')
    """
    return nearest_effort(effort, words) or words[0]
