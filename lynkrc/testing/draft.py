"""A request before it is spelled in a dialect: who says, shows, calls and returns what."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias, final

from lynkrc.testing.shown_key import ShownKey


@final
@dataclass(frozen=True, slots=True)
class Words:
    """A text."""

    text: str


@final
@dataclass(frozen=True, slots=True)
class Call:
    """The model calls the tool; `number` is its only argument."""

    id: str
    tool: str
    number: int


@final
@dataclass(frozen=True, slots=True)
class Result:
    """What a tool returned: a word, then images and documents."""

    id: str
    word: str
    is_error: bool = False
    images: int = 0
    documents: int = 0


class Medium(Enum):
    """What can be shown."""

    IMAGE = "image"
    DOCUMENT = "document"


Part: TypeAlias = Words | Call | Result | Medium


@final
@dataclass(frozen=True, slots=True)
class Said:
    """A message; `role` is user, assistant or system."""

    role: str
    parts: tuple[Part, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A whole request; None is not said. `system` are leading instructions, `word` a filler."""

    model: str
    key: ShownKey | None
    headers: Mapping[str, str]
    metadata: Mapping[str, str]
    system: tuple[str, ...]
    tools: tuple[str, ...]
    messages: tuple[Said, ...]
    word: str
    max_tokens: int | None
    thinking: bool
    schema: bool
    stream: bool
    small: bool
    """Documents are as short as can be."""
    texts: tuple[str, ...]
    """What an embeddings request asks about."""
