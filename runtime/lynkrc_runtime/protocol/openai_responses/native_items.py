"""A body to its members and its items, these read in place by the native kernel.

One pass over the JSON text tells who spoke, what came of tools and how long it all is; the items
of a message are decoded when somebody wants it. It takes most of what `fast_items` takes, and says
the same; it can write the messages for the Messages API and for Chat, where they need no repair.

>>> body = b'{"model":"m","input":[{"type":"message","role":"user","content":"Hi"}]}'
>>> found = native_items(body)
>>> found is None or len(found.conversation(None, ToolNames())[1]) == 1
True
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, final, overload

import msgspec

from lynkrc_runtime.protocol.conversation import Message, Text
from lynkrc_runtime.protocol.estimate import TOKENS_PER_MESSAGE
from lynkrc_runtime.protocol.in_place import course_in
from lynkrc_runtime.protocol.late_messages import GivenCall, LateMessages
from lynkrc_runtime.protocol.long_member import list_start, members_beside
from lynkrc_runtime.protocol.openai_responses.fast_items import (
    Item,
    Reasoning,
    Said,
    decode_items,
    join_items,
    message_of,
    reasoning_of,
    texts_of,
)
from lynkrc_runtime.protocol.openai_responses.read_tools import ToolNames
from lynkrc_runtime.protocol.outside import NOT_JSON
from lynkrc_runtime.scan.engines import native_turns

if TYPE_CHECKING:
    from lynkrc_runtime.scan._kernel import Turns

_NAME = "input"
_OWN_NAMES = ToolNames()
_text = msgspec.json.Decoder(str).decode
_any = msgspec.json.Decoder(Any).decode


@final
class NativeItems(Sequence[Sequence[Item]]):
    """What each message is made of, decoded anew whenever it is asked for.

    `members` are those of the body, as they came.
    """

    __slots__ = ("_body", "_turns", "members")

    def __init__(self, body: bytes, turns: "Turns", members: dict[str, bytes]) -> None:
        self._body = body
        self._turns = turns
        self.members = members

    def __len__(self) -> int:
        return len(self._turns.kinds)

    @overload
    def __getitem__(self, index: int) -> list[Item]: ...
    @overload
    def __getitem__(self, index: slice) -> list[list[Item]]: ...
    def __getitem__(self, index: int | slice) -> list[Item] | list[list[Item]]:
        turn = self._turns.turn
        if not isinstance(index, slice):
            return decode_items(b"[%b]" % turn(index))
        places = range(*index.indices(len(self)))
        return [decode_items(b"[%b]" % turn(place)) for place in places]

    def conversation(
        self, instructions: str | None, names: ToolNames
    ) -> tuple[tuple[Text, ...], Sequence[Message]]:
        """(leading system text, the other messages)."""
        turns, count = self._turns, len(self)
        if not names.are_own:
            return join_items(decode_items(self.members[_NAME]), instructions, names)
        messages = LateMessages(
            self,
            range(count),
            _message,
            course_in(turns),
            turns.tokens + TOKENS_PER_MESSAGE * count,
            self._calls,
            for_messages=self._for_messages,
            own=turns.own,
            words=partial(turns.words, _text),
            told=turns.told,
            for_chat=turns.for_chat,
        )
        return self._system(instructions), messages

    def _system(self, instructions: str | None) -> tuple[Text, ...]:
        turns = self._turns
        system = [Text(text=instructions)] if instructions else []
        if turns.system_end:
            for item in decode_items(self._body[turns.begin : turns.system_end] + b"]"):
                assert isinstance(item, Said), "instructions are said"
                system += texts_of(item.content)
        return tuple(system)

    def _calls(self, first: int) -> list[GivenCall]:
        """Those that may say the same as another one."""
        return [(_text(name), _text(given)) for name, given in self._turns.doubtful(first)]

    def _for_messages(self) -> bytes | None:
        return self._turns.messages(_is_object)


def native_items(body: bytes) -> NativeItems | None:
    """The parts of the body; None where it must be read in another way, or there is no kernel."""
    start = None if native_turns is None else list_start(body, _NAME)
    if native_turns is None or start is None:
        return None
    try:
        turns = native_turns(body, start, False, True)
        before, after = body[:start], body[turns.end :]
        if not (turns.is_ascii and before.isascii() and after.isascii()):
            body.decode()
    except ValueError:
        return None
    found = members_beside(before, after, _NAME)
    if found is None:
        return None
    members = {name: bytes(raw) for name, raw in found.items()}
    members[_NAME] = body[start : turns.end]
    return NativeItems(body, turns, members)


def _message(groups: Sequence[Sequence[Item]]) -> Message:
    return message_of(
        _OWN_NAMES,
        [reasoning_of(item, _NAME) if isinstance(item, Reasoning) else item for item in groups[0]],
    )


def _is_object(raw: bytes) -> bool:
    try:
        return isinstance(_any(raw), dict)
    except NOT_JSON:
        return False
