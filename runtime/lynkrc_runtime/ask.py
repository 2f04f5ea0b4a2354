"""A conversation to what the user asks now, and what surrounds it.

Clients wrap the user's words: reminders in tags, notes in blocks of their own, a system prompt.
The markers of *all* profiles are taken out of every request, whoever sent it. So the ask is a
function of the words alone: neither a User-Agent nor a set of tools can change it, and the same
words give the same ask bare and inside any client a profile describes (promise 10).

A turn is what stands between two answers: its user messages are read as one, as every API that
wants roles to alternate does. So it does not matter whether a client sends its notes, a picture
and the words in one message or in three.
"""

from collections.abc import Iterator, Sequence
from typing import final

from msgspec import Struct

from lynkrc_runtime.dispatch import Client
from lynkrc_runtime.injected import Markers, authored, make_markers
from lynkrc_runtime.protocol.conversation import (
    Document,
    Image,
    Message,
    Refusal,
    Request,
    Role,
    Text,
)
from lynkrc_runtime.protocol.late_messages import (
    ASSISTANT,
    NOTHING,
    USER,
    WORDS,
    course_of,
    own_kinds,
    told_beside,
    words_of,
)

_MEDIA = frozenset((Image, Document))
_BESIDE = bytes(set(range(256)) - {WORDS, ASSISTANT})
_ANSWERED = bytes((WORDS, ASSISTANT))
"""The end of a turn with words, where nothing beside is left."""


def markers_of(clients: Sequence[Client]) -> Markers:
    """The markers of all profiles together."""
    return make_markers(
        tags=(tag for client in clients for tag in client.injected_tags),
        wrappers=(tag for client in clients for tag in client.injected_wrappers),
        prefixes=(prefix for client in clients for prefix in client.injected_prefixes),
    )


def authored_text(message: Message, markers: Markers) -> str:
    """What the user wrote in this message, its blocks on lines of their own.

    Tool results are not the user's words; only a user message has any.
    """
    if message.role is not Role.USER:
        return ""
    blocks = message.blocks
    if len(blocks) == 1 and type(blocks[0]) is Text:
        return authored(blocks[0].text, markers)
    texts = [block.text for block in blocks if type(block) is Text]
    if len(texts) == 1:
        return authored(texts[0], markers)
    return "\n".join([part for text in texts if (part := authored(text, markers))])


@final
class Ask(Struct, frozen=True, kw_only=True):
    """The words of the last turn in which the user said or showed anything.

    `first` and `last` are the indices of its first and last message that holds something of the
    user's own; without any, 0 and -1.
    """

    text: str
    first: int
    last: int


def find_ask(messages: Sequence[Message], markers: Markers, known: bytes | None = None) -> Ask:
    """Walks back over tool results and injected text to the user's last turn.

    A turn of pictures or documents alone has no words: those of earlier turns are not its ask.
    `known` is what `own_kinds` says of the messages, where it was asked.
    """
    if known is None:
        known = own_kinds(messages, markers.spelled)
    kinds = course_of(messages).kinds
    index = kinds.rfind(USER)
    # Mostly the last turn is one message, of which it is known that it holds words.
    is_alone = index == 0 or (index > 0 and kinds[index - 1] == ASSISTANT)
    if is_alone and known[index] == WORDS and (words := words_of(messages, index)) is not None:
        return Ask(text=words.strip(), first=index, last=index)
    parts: list[str] = []
    first, last = 0, -1
    # Up to where it is known that nobody answered: looked at once, however many notes there are.
    behind = len(kinds)
    while index >= 0:
        if last >= 0 and kinds.find(ASSISTANT, index, behind) >= 0:
            break
        behind = index
        kind = known[index]
        if kind != NOTHING:
            words = words_of(messages, index) if kind == WORDS else None
            if words is not None:
                text, is_own = words.strip(), True
            else:
                message = messages[index]
                text = authored_text(message, markers)
                is_own = bool(text) or _shows_media(message)
            if is_own:
                first = index
                if last < 0:
                    last = index
                if text:
                    parts.append(text)
        index = kinds.rfind(USER, 0, index) if index else -1
    text = parts[0] if len(parts) == 1 else "\n".join(reversed(parts))
    return Ask(text=text, first=first, last=last)


def count_turns(
    messages: Sequence[Message], ask: Ask, markers: Markers, known: bytes | None = None
) -> int:
    """How often the user said or showed anything between two answers; `ask` is the last time.

    `known` as for `find_ask`.
    """
    if ask.last < 0:
        return 0
    if known is None:
        known = own_kinds(messages, markers.spelled)
    # Behind the answer before the ask there are notes alone.
    end = known.rfind(ASSISTANT, 0, ask.first) + 1
    if end == 0:
        return 1
    turns = known[:end]
    if USER in turns:
        turns = _looked_at(messages, turns, markers)
    return 1 + turns.translate(None, _BESIDE).count(_ANSWERED)


def _looked_at(messages: Sequence[Message], known: bytes, markers: Markers) -> bytes:
    """The kinds, with what a look tells of the messages without which a turn may be missed."""
    looked = bytearray(known)
    start = 0
    while (index := looked.find(USER, start)) >= 0:
        start = max(start, looked.rfind(ASSISTANT, start, index) + 1)
        end = looked.find(ASSISTANT, index)
        if looked.find(WORDS, start, end) < 0:
            while 0 <= index < end:
                message = messages[index]
                if _has_words(message, markers) or _shows_media(message):
                    looked[index] = WORDS
                    break
                index = looked.find(USER, index + 1, end)
        start = end
    return bytes(looked)


def _has_words(message: Message, markers: Markers) -> bool:
    """Whether `authored_text` finds any: it need not read on after the first."""
    if message.role is not Role.USER:
        return False
    # Backwards: clients put their notes before the words.
    for block in reversed(message.blocks):
        if type(block) is Text and authored(block.text, markers):
            return True
    return False


def _shows_media(message: Message) -> bool:
    """Whether the user shows images or documents, beside those of tool results."""
    if message.role is not Role.USER:
        return False
    return not _MEDIA.isdisjoint(map(type, message.blocks))


def history_text(
    messages: Sequence[Message], ask: Ask, markers: Markers, known: bytes | None = None
) -> str:
    """The user's earlier words and all words of the assistant, in order, one a line.

    `ask` is what `find_ask` finds, `known` as for it.
    """
    if known is None:
        known = own_kinds(messages, markers.spelled)
    # Until somebody answers there is one turn, the ask's: whatever else was said is not the user's.
    if ASSISTANT not in known:
        return ""
    told = told_beside(messages, known, ask.first, ask.last)
    if told is None:
        return "\n".join(_history(messages, ask, markers))
    parts = [
        part if isinstance(part, str) else authored_text(messages[part], markers) for part in told
    ]
    return "\n".join([part for part in parts if part])


def _history(messages: Sequence[Message], ask: Ask, markers: Markers) -> Iterator[str]:
    for index, message in enumerate(messages):
        if message.role is Role.ASSISTANT:
            for block in message.blocks:
                if isinstance(block, Text | Refusal) and block.text:
                    yield block.text
        elif not ask.first <= index <= ask.last:
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
