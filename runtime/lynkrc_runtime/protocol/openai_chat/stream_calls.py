"""Tool call deltas of Chat servers, to neutral calls: whole, numbered from 0, with ids.

Servers differ (wire reference C.1.10, point 6): no index, one index for all calls, no id, the id
or the name in every delta, the name late, arguments as an object, the whole arguments twice.
"""

from collections.abc import Sequence
from typing import Any, final

import msgspec

from lynkrc_runtime.protocol.conversation import (
    BrokenAnswer,
    Event,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)
from lynkrc_runtime.protocol.failures import broken
from lynkrc_runtime.protocol.free_form import wrapped
from lynkrc_runtime.protocol.openai_chat.call_ids import made_id, unique_id
from lynkrc_runtime.protocol.openai_chat.read_messages import arguments_text
from lynkrc_runtime.protocol.outside import NOT_JSON


@final
class _Call:
    """One call under way; `number` is None until it has begun, that is until it has a name."""

    __slots__ = ("given_id", "is_custom", "is_ended", "name", "number", "pieces", "size")

    def __init__(self, given_id: str) -> None:
        self.given_id = given_id
        self.number: int | None = None
        self.name = ""
        self.pieces: list[str] = []
        self.size = 0
        self.is_ended = False
        self.is_custom = False

    def is_whole(self) -> bool:
        """Whether the arguments so far are complete (none at all may be)."""
        return self.size == 0 or self.is_custom or _is_json("".join(self.pieces))

    def repeats(self, piece: str) -> bool:
        """Whether `piece` is all that came before, sent again."""
        return len(piece) == self.size and piece == "".join(self.pieces) and _is_json(piece)


@final
class StreamCalls:
    """The calls of one answer. `answer` is its (id, created), for ids made here."""

    __slots__ = ("_by_index", "_calls", "_ids", "_open", "answer")

    def __init__(self) -> None:
        self.answer: tuple[str, Any] = ("", None)
        self._calls: list[_Call] = []
        self._open: list[_Call] = []
        """Calls that have not ended."""
        self._by_index: dict[int, _Call] = {}
        self._ids: dict[str, None] = {}

    @property
    def count(self) -> int:
        """Calls that have begun."""
        return len(self._ids)

    def add(self, entry: dict[str, Any], events: list[Event]) -> None:
        """One entry of `delta.tool_calls`. BrokenAnswer for arguments behind a call's end."""
        function = entry.get("function") or entry.get("custom")
        function = function if isinstance(function, dict) else {}
        name = function.get("name")
        name = name if isinstance(name, str) else ""
        call = self._find(entry, name)
        call.is_custom = call.is_custom or "custom" in entry
        piece = arguments_text(function.get("input" if call.is_custom else "arguments"))
        if call.is_ended:
            if piece.strip() and not call.repeats(piece):
                raise BrokenAnswer(broken("upstream sent arguments after a call had ended"))
            return
        if piece and not call.repeats(piece):
            call.pieces.append(piece)
            call.size += len(piece)
            if call.number is not None and not call.is_custom:
                events.append(ToolCallDelta(index=call.number, json=piece))
        if call.number is None and name:
            self._begin(call, name, events)

    def more(self, number: int, pieces: Sequence[str]) -> bool:
        """Pieces of call `number`, which is open; False, and nothing done, where one may repeat."""
        call = next(call for call in self._open if call.number == number)
        size = call.size
        for piece in pieces:
            if len(piece) == size:
                return False
            size += len(piece)
        call.pieces += pieces
        call.size = size
        return True

    def end_whole(self, events: list[Event]) -> bool:
        """End all open calls if every one is whole; whether none is open now."""
        if not all(call.number is not None and call.is_whole() for call in self._open):
            return False
        for call in self._open:
            _end_call(call, events)
        self._open.clear()
        return True

    def end(self, events: list[Event]) -> None:
        """The stream is at its end. BrokenAnswer for a call that never had a name."""
        for call in self._open:
            if call.number is None:
                raise BrokenAnswer(broken("upstream sent a tool call without a name"))
            _end_call(call, events)
        self._open.clear()

    def _find(self, entry: dict[str, Any], name: str) -> _Call:
        index, given = entry.get("index"), entry.get("id")
        given = given if isinstance(given, str) else ""
        if isinstance(index, int) and not isinstance(index, bool):
            call = self._by_index.get(index)
            if call is None or (name and _is_other(call, given, name)):
                call = self._by_index[index] = self._new(given)
        else:
            same = [call for call in self._calls if given and call.given_id == given]
            is_new = not self._calls or bool(given) or bool(name)
            call = same[0] if same else self._new(given) if is_new else self._calls[-1]
        call.given_id = call.given_id or given
        return call

    def _new(self, given_id: str) -> _Call:
        call = _Call(given_id)
        self._calls.append(call)
        self._open.append(call)
        return call

    def _begin(self, call: _Call, name: str, events: list[Event]) -> None:
        number = len(self._ids)
        given = call.given_id or made_id(*self.answer, number)
        call_id = unique_id(given, self._ids)
        self._ids[call_id] = None
        call.number, call.name = number, name
        events.append(ToolCallStart(index=number, id=call_id, name=name))
        if call.pieces and not call.is_custom:
            events.append(ToolCallDelta(index=number, json="".join(call.pieces)))


def _is_other(call: _Call, given: str, name: str) -> bool:
    """Whether a named entry at the index of `call` is another one.

    Some servers give every call the index 0; some of them no id either.
    """
    if given and call.given_id:
        return given != call.given_id
    return not given and call.name not in ("", name) and call.is_whole()


def _end_call(call: _Call, events: list[Event]) -> None:
    call.is_ended = True
    if call.number is None:
        return
    if call.is_custom:
        # Free-form input travels between dialects as {"input": text} (wire reference C.1.2).
        text = wrapped("".join(call.pieces))
        events.append(ToolCallDelta(index=call.number, json=text))
    events.append(ToolCallEnd(index=call.number))


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except NOT_JSON:
        return False
    return True
