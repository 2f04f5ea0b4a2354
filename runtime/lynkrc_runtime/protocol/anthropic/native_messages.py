"""A body to its members and its messages, these read in place by the native kernel.

One pass over the JSON text tells who spoke, what came of tools and how long it all is; a message is
decoded when somebody wants it. It takes most of what `fast_messages` takes, and says the same.

>>> body = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'
>>> found = native_messages(body)
>>> found is None or found.messages.course.kinds == b"u"
True
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, final, overload

import msgspec
from msgspec import Struct

from lynkrc_runtime.protocol.anthropic.fast_message import (
    WireMessage,
    decode_list,
    decode_one,
    first_message,
)
from lynkrc_runtime.protocol.anthropic.raw import Members
from lynkrc_runtime.protocol.estimate import TOKENS_PER_MESSAGE
from lynkrc_runtime.protocol.in_place import InPlace, course_in, find_in_place, members_of
from lynkrc_runtime.protocol.late_messages import GivenCall, LateMessages

if TYPE_CHECKING:
    from lynkrc_runtime.scan._kernel import Turns

_text = msgspec.json.Decoder(str).decode


@final
class Opened(Struct, frozen=True, gc=False):
    """The members but for the list, in whose place another value stands; `spelled` is its text."""

    members: Members
    messages: LateMessages
    spelled: bytes


def native_messages(body: bytes, found: InPlace | None = None) -> Opened | None:
    """The parts of the body; None where it must be read in another way, or there is no kernel.

    `found` is what was found in it, where somebody has looked.
    """
    found = found or find_in_place(body)
    members = None if found is None else members_of(body, found)
    if found is None or members is None:
        return None
    turns = found[0]
    return Opened(members, messages_in(body, turns), spelled_in(body, turns))


def spelled_in(body: bytes, turns: "Turns") -> bytes:
    """The text of the list: a view, which is all that a request's members are used as, so that a
    long one is not copied.
    """
    view: Any = memoryview(body)[turns.begin : turns.end]
    spelled: bytes = view
    return spelled


def messages_in(body: bytes, turns: "Turns") -> LateMessages:
    """The messages of the body."""
    count = len(turns.kinds)
    entries = _Entries(body, turns)
    return LateMessages(
        entries,
        range(count),
        first_message,
        course_in(turns),
        turns.tokens + TOKENS_PER_MESSAGE * count,
        entries.calls,
        own=turns.own,
        words=partial(turns.words, _text),
        told=turns.told,
        for_chat=turns.for_chat,
    )


@final
class _Entries(Sequence[WireMessage]):
    """The messages, decoded anew whenever they are asked for."""

    __slots__ = ("_body", "_turns")

    def __init__(self, body: bytes, turns: "Turns") -> None:
        self._body = body
        self._turns = turns

    def __len__(self) -> int:
        return len(self._turns.kinds)

    @overload
    def __getitem__(self, index: int) -> WireMessage: ...
    @overload
    def __getitem__(self, index: slice) -> list[WireMessage]: ...
    def __getitem__(self, index: int | slice) -> WireMessage | list[WireMessage]:
        turns = self._turns
        if not isinstance(index, slice):
            return decode_one(turns.turn(index))
        chosen = range(*index.indices(len(turns.kinds)))
        if len(chosen) == len(turns.kinds) and chosen.step == 1:
            return decode_list(memoryview(self._body)[turns.begin : turns.end])
        return [decode_one(turns.turn(place)) for place in chosen]

    def calls(self, first: int) -> list[GivenCall]:
        """Those that may say the same as another one."""
        found = self._turns.doubtful(first)
        return [(_text(name), given) for name, given in found] if found else []
