"""A Chat body to its members and its conversation, the messages read in place by the native kernel.

It takes most of what `fast_messages` takes, and says the same; it can write the messages for the
Messages API as well, where they need no repair.

>>> body = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'
>>> found = native_messages(body)
>>> found is None or found[1][1].course.kinds == b"u"
True
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, final, overload

import msgspec

from lynkrc_runtime.protocol.conversation import Message, Text
from lynkrc_runtime.protocol.estimate import TOKENS_PER_MESSAGE
from lynkrc_runtime.protocol.in_place import InPlace, course_in, find_in_place, members_of
from lynkrc_runtime.protocol.late_messages import GivenCall, LateMessages
from lynkrc_runtime.protocol.openai_chat.fast_messages import (
    Conversation,
    Entry,
    decode_entries,
    is_answer,
    message_of,
    texts_of,
)
from lynkrc_runtime.protocol.outside import NOT_JSON

if TYPE_CHECKING:
    from lynkrc_runtime.scan._kernel import Turns

Opened: TypeAlias = tuple[dict[str, bytes], Conversation]
"""All members as they came, and the conversation."""

_text = msgspec.json.Decoder(str).decode
_any = msgspec.json.Decoder(Any).decode


def native_messages(body: bytes, found: InPlace | None = None) -> Opened | None:
    """The parts of the body; None where it must be read in another way, or there is no kernel.

    `found` is what was found in it, where somebody has looked.
    """
    found = found or find_in_place(body, is_chat=True)
    around = None if found is None else members_of(body, found)
    if found is None or around is None:
        return None
    turns = found[0]
    members = {name: bytes(raw) for name, raw in around.items()}
    members["messages"] = body[turns.begin : turns.end]
    return members, conversation_in(body, turns)


def conversation_in(body: bytes, turns: "Turns") -> Conversation:
    """What is said in the body."""
    entries = _Entries(body, turns)
    count = len(turns.kinds)
    messages = LateMessages(
        entries,
        range(count),
        _message,
        course_in(turns),
        turns.tokens + TOKENS_PER_MESSAGE * count,
        entries.calls,
        for_messages=entries.for_messages,
        own=turns.own,
        words=partial(turns.words, _text),
        told=turns.told,
    )
    return entries.system(), messages


def _message(groups: Sequence[Sequence[Entry]]) -> Message:
    return message_of(groups[0])


def _is_object(raw: bytes) -> bool:
    try:
        return isinstance(_any(raw), dict)
    except NOT_JSON:
        return False


@final
class _Entries(Sequence[Sequence[Entry]]):
    """What each message is made of, decoded anew whenever it is asked for."""

    __slots__ = ("_body", "_turns")

    def __init__(self, body: bytes, turns: "Turns") -> None:
        self._body = body
        self._turns = turns

    def __len__(self) -> int:
        return len(self._turns.kinds)

    @overload
    def __getitem__(self, index: int) -> list[Entry]: ...
    @overload
    def __getitem__(self, index: slice) -> list[list[Entry]]: ...
    def __getitem__(self, index: int | slice) -> list[Entry] | list[list[Entry]]:
        turns = self._turns
        if not isinstance(index, slice):
            return decode_entries(b"[%b]" % turns.turn(index))
        chosen = range(*index.indices(len(turns.kinds)))
        if len(chosen) == len(turns.kinds) and chosen.step == 1:
            return _grouped(decode_entries(b"[" + self._body[turns.first : turns.end]))
        return [self[place] for place in chosen]

    def system(self) -> tuple[Text, ...]:
        """The instructions at the head."""
        turns = self._turns
        if not turns.system_end:
            return ()
        entries = decode_entries(self._body[turns.begin : turns.system_end] + b"]")
        return tuple([text for entry in entries for text in texts_of(entry.content)])

    def calls(self, first: int) -> list[GivenCall]:
        """Those that may say the same as another one."""
        found = self._turns.doubtful(first)
        return [(_text(name), _text(given)) for name, given in found] if found else []

    def for_messages(self) -> bytes | None:
        """See `LateMessages`."""
        return self._turns.messages(_is_object)


def _grouped(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Answers of tools in a row are one message."""
    groups: list[list[Entry]] = []
    goes_on = False
    for entry in entries:
        answers = is_answer(entry)
        if goes_on and answers:
            groups[-1].append(entry)
        else:
            groups.append([entry])
        goes_on = answers
    return groups
