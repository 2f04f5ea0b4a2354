"""What the pair table is made of: features of requests, and what a target dialect does with each.

>>> row = feature("top_k", "Sampling.", MESSAGES, gemini=CARRIED, others=drops("top_k"))
>>> row.at["gemini"].does.value, row.at["openai-chat"].names
('carries', ('dropped=top_k',))
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias, final

CLIENTS = ("anthropic-messages", "openai-chat", "openai-responses")
"""The dialects that clients speak."""

TARGETS = (
    "anthropic-messages",
    "openai-chat",
    "openai-responses",
    "gemini",
    "bedrock-converse",
    "ollama-chat",
)
"""The dialects that targets speak."""

Clients: TypeAlias = tuple[str, ...]

MESSAGES: Clients = CLIENTS[:1]
CHAT: Clients = CLIENTS[1:2]
RESPONSES: Clients = CLIENTS[2:]
OPENAI: Clients = CLIENTS[1:]
EVERY: Clients = CLIENTS


class Does(Enum):
    """What becomes of a feature."""

    CARRIES = "carries"
    CHANGES = "changes"
    DROPS = "drops"
    REFUSES = "refuses"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What becomes of a feature in a target dialect, of a model that takes all the dialect has.

    `how` says it in words, '' where the word for `does` is enough. `names` are the transforms that
    a writer may list for it, and for a refusal the features it may name; ``*`` is any text.
    """

    does: Does
    how: str = ""
    names: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Something a request may say: its name, one sentence, and who can say it.

    `matters`: it is worth a word before a spec is served, as requests of everyday clients have it
    or would mean something else without it.
    """

    name: str
    meaning: str
    clients: Clients
    at: Mapping[str, Outcome]
    matters: bool


CARRIED = Outcome(does=Does.CARRIES)


def changes(how: str, *names: str) -> Outcome:
    """It arrives in another form, or not everywhere: transforms, and features of misfits."""
    return Outcome(does=Does.CHANGES, how=how, names=names)


def drops(*names: str, how: str = "") -> Outcome:
    """It is left out: ``dropped=NAME`` is listed, or `names` that are whole transforms already."""
    listed = tuple(name if "=" in name else f"dropped={name}" for name in names)
    return Outcome(does=Does.DROPS, how=how, names=listed)


def refuses(*features: str, how: str = "") -> Outcome:
    """The request is a misfit that names one of the features."""
    return Outcome(does=Does.REFUSES, how=how, names=features)


def feature(
    name: str,
    meaning: str,
    clients: Clients,
    *,
    messages: Outcome | None = None,
    chat: Outcome | None = None,
    responses: Outcome | None = None,
    gemini: Outcome | None = None,
    converse: Outcome | None = None,
    ollama: Outcome | None = None,
    others: Outcome | None = None,
    matters: bool = False,
) -> Feature:
    """A row. `others` is what the targets that are not named do; ValueError where one is left."""
    given = (messages, chat, responses, gemini, converse, ollama)
    found = {}
    for target, outcome in zip(TARGETS, given, strict=True):
        chosen = others if outcome is None else outcome
        if chosen is None:
            raise ValueError(f"{name}: nothing is said of {target}")
        found[target] = chosen
    return Feature(
        name=name, meaning=meaning, clients=clients, at=MappingProxyType(found), matters=matters
    )
