"""A conversation to what the user asks now, and what surrounds it.

Clients wrap the user's words: reminders in tags, notes in blocks of their own, a system prompt.
The markers of *all* profiles are taken out of every request, whoever sent it. So the ask is a
function of the words alone: neither a User-Agent nor a set of tools can change it, and the same
words give the same ask bare and inside any client a profile describes (promise 10).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

from msgspec import Struct

from lynkrc_runtime.dispatch import Client
from lynkrc_runtime.protocol.conversation import (
    Document,
    Image,
    Message,
    Refusal,
    Request,
    Role,
    Text,
)

_MEDIA = (Image, Document)
_MAX_ATTRIBUTES = 1_000  # characters inside an opening tag


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Markers:
    """How to know text that a client injected.

    `openers` are cheap tests for `element`; every one begins with ``<``.
    """

    element: re.Pattern[str] | None
    openers: tuple[str, ...]
    prefixes: tuple[str, ...]


def markers_of(clients: Sequence[Client]) -> Markers:
    """The markers of all profiles together."""
    tags = sorted({tag for client in clients for tag in client.injected_tags})
    prefixes = sorted({prefix for client in clients for prefix in client.injected_prefixes})
    element = None
    if tags:
        names = "|".join(re.escape(tag) for tag in tags)
        # An element that is never closed reaches to the end of its block.
        element = re.compile(
            rf"<(?P<tag>{names})(?:\s[^<>]{{0,{_MAX_ATTRIBUTES}}})?>.*?(?:</(?P=tag)\s*>|\Z)",
            re.DOTALL,
        )
    return Markers(
        element=element,
        openers=tuple("<" + tag for tag in tags),
        prefixes=tuple(prefixes),
    )


def authored(text: str, markers: Markers) -> str:
    """What of one text block the user wrote, trimmed; empty when nothing."""
    if "<" in text and any(opener in text for opener in markers.openers):
        assert markers.element is not None, "where there are openers there is an element"
        text = markers.element.sub("\n", text)
    text = text.strip()
    return "" if text.startswith(markers.prefixes) else text


def authored_text(message: Message, markers: Markers) -> str:
    """What the user wrote in this message, its blocks on lines of their own.

    Tool results are not the user's words; only a user message has any.
    """
    if message.role is not Role.USER:
        return ""
    parts = []
    for block in message.blocks:
        if isinstance(block, Text) and (part := authored(block.text, markers)):
            parts.append(part)
    return "\n".join(parts)


@final
class Ask(Struct, frozen=True, kw_only=True):
    """The words of the last user message that has any, and its index (-1 without one)."""

    text: str
    index: int


def find_ask(messages: Sequence[Message], markers: Markers) -> Ask:
    """Walks back over tool results and injected text to the user's last words."""
    for index in range(len(messages) - 1, -1, -1):
        text = authored_text(messages[index], markers)
        if text:
            return Ask(text=text, index=index)
    return Ask(text="", index=-1)


def has_content_of_user(message: Message, markers: Markers) -> bool:
    """Whether the message holds words, images or documents of the user beside tool results."""
    if message.role is not Role.USER:
        return False
    for block in message.blocks:
        if isinstance(block, Text):
            if authored(block.text, markers):
                return True
        elif isinstance(block, _MEDIA):
            return True
    return False


def history_text(messages: Sequence[Message], ask: Ask, markers: Markers) -> str:
    """The user's earlier words and all words of the assistant, in order, one a line."""
    return "\n".join(_history(messages, ask, markers))


def _history(messages: Sequence[Message], ask: Ask, markers: Markers) -> Iterator[str]:
    for index, message in enumerate(messages):
        if message.role is Role.ASSISTANT:
            for block in message.blocks:
                if isinstance(block, Text | Refusal) and block.text:
                    yield block.text
        elif index != ask.index:
            text = authored_text(message, markers)
            if text:
                yield text


def envelope_text(request: Request) -> str:
    """System texts, those inside the conversation too, and names and descriptions of tools."""
    parts = [block.text for block in request.system]
    for message in request.messages:
        if message.role is Role.SYSTEM:
            parts.extend(block.text for block in message.blocks if isinstance(block, Text))
    for tool in request.tools:
        parts.append(tool.name)
        if tool.description:
            parts.append(tool.description)
    return "\n".join(parts)
