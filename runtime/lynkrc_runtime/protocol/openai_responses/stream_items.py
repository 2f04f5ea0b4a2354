"""Output items of a Responses stream under way, each to the neutral events it adds.

Each kind of item takes deltas, then its ``.done`` events, then itself whole, and says what it has
not said before: servers leave out any of the three.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias, final

from lynkrc_runtime.protocol.conversation import (
    BlockEnd,
    BrokenAnswer,
    Event,
    OpaqueEvent,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ThinkingEnd,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)
from lynkrc_runtime.protocol.failures import broken
from lynkrc_runtime.protocol.openai_responses.read_items import DIALECT_NAME
from lynkrc_runtime.protocol.openai_responses.read_output import (
    BETWEEN,
    CALLS,
    HIDDEN,
    call_id,
    list_of,
    lost_of,
    reasoning_signature,
    text_of,
)


@final
class MessageItem:
    """A message: parts of text or refusal, one open at a time."""

    __slots__ = ("_current", "_said", "has_refusal")

    def __init__(self) -> None:
        self._current: int | None = None
        self._said: set[int] = set()
        self.has_refusal = False

    def delta(self, part: int, text: str, *, is_refusal: bool, events: list[Event]) -> None:
        """More of part number `part`."""
        if not text:
            return
        if self._current != part:
            self.pause(events)
        self._current = part
        self._said.add(part)
        self.has_refusal = self.has_refusal or is_refusal
        events.append(RefusalDelta(text=text) if is_refusal else TextDelta(text=text))

    def part_done(self, number: int, part: Mapping[str, Any], events: list[Event]) -> None:
        """Part `number` is whole; it is said now if it was not before."""
        if number not in self._said:
            is_refusal = part.get("type") == "refusal"
            text = text_of(part.get("refusal" if is_refusal else "text"))
            self.delta(number, text, is_refusal=is_refusal, events=events)
        if self._current == number:
            self.pause(events)

    def pause(self, events: list[Event]) -> None:
        """Another part or item begins."""
        if self._current is not None:
            events.append(BlockEnd())
        self._current = None

    def finish(self, item: Mapping[str, Any], _: str, events: list[Event]) -> None:
        """The item is whole; `item` is {} where it was never sent so."""
        for number, part in enumerate(list_of(item.get("content"))):
            if isinstance(part, dict):
                self.part_done(number, part, events)
        self.pause(events)
        _tell_lost(item, "", events)


@final
class ReasoningItem:
    """Reasoning: summaries (`s0`, `s1`...) and open text (`c0`...) become one block."""

    __slots__ = ("_is_paused", "_last", "_said")

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._last = ""
        self._is_paused = False

    def delta(self, place: str, text: str, events: list[Event]) -> None:
        """More of the text at `place`."""
        if not text:
            return
        if self._last not in ("", place):
            text = BETWEEN + text
        self._last = place
        self._said.add(place)
        self._is_paused = False
        events.append(ThinkingDelta(text=text))

    def part_done(self, place: str, text: str, events: list[Event]) -> None:
        """The text at `place` is whole; it is said now if it was not before."""
        if place not in self._said:
            self.delta(place, text, events)

    def pause(self, events: list[Event]) -> None:
        """Another item says something before this one is whole."""
        if self._said and not self._is_paused:
            events.append(ThinkingEnd(signature=None))
            self._is_paused = True

    def finish(self, item: Mapping[str, Any], maker: str, events: list[Event]) -> None:
        """The item is whole, and sealed for its maker."""
        for mark, name in (("s", "summary"), ("c", "content")):
            for number, part in enumerate(list_of(item.get(name))):
                if isinstance(part, dict):
                    self.part_done(f"{mark}{number}", text_of(part.get("text")), events)
        signature = reasoning_signature(item, maker)
        if self._is_paused:
            # Its block has ended: the seal came too late to be carried.
            if signature is not None:
                events.append(OpaqueEvent(dialect=DIALECT_NAME, type=HIDDEN))
        elif self._said or signature is not None:
            if not self._said:
                events.append(ThinkingDelta(text=""))
            events.append(ThinkingEnd(signature=signature))
        _tell_lost(item, maker, events)


@final
class CallItem:
    """A call of a function or of a free-form tool; `number` counts calls from 0."""

    __slots__ = ("_custom", "_held", "_is_begun", "_place", "_size", "number")

    def __init__(self, place: int, number: int, *, custom: bool) -> None:
        self._place = place
        self.number = number
        self._custom = custom
        self._held: list[str] = []
        self._size = 0
        self._is_begun = False

    def begin(self, item: Mapping[str, Any], events: list[Event]) -> None:
        """The item has come, perhaps without a name yet: then what it says is held back."""
        name = text_of(item.get("name"))
        if self._is_begun or not name:
            return
        self._is_begun = True
        identity = call_id(item, self._place)
        events.append(ToolCallStart(index=self.number, id=identity, name=name, custom=self._custom))
        if self._held:
            events.append(ToolCallDelta(index=self.number, json="".join(self._held)))

    def delta(self, text: str, events: list[Event]) -> None:
        """More of the arguments or the input."""
        if not text:
            return
        self._size += len(text)
        if self._is_begun:
            events.append(ToolCallDelta(index=self.number, json=text))
        else:
            self._held.append(text)

    def whole(self, text: str, events: list[Event]) -> None:
        """All of it, which is said now if no piece was before."""
        if not self._size:
            self.delta(text, events)

    def pause(self, _: list[Event]) -> None:
        """Calls may interleave with anything."""

    def finish(self, item: Mapping[str, Any], _: str, events: list[Event]) -> None:
        """The call is whole. BrokenAnswer for one without a name."""
        self.begin(item, events)
        if not self._is_begun:
            raise BrokenAnswer(broken("upstream sent a tool call without a name"))
        self.whole(text_of(item.get("input" if self._custom else "arguments")), events)
        events.append(ToolCallEnd(index=self.number))


@final
class OtherItem:
    """An item only its own dialect understands."""

    __slots__ = ("_type",)

    def __init__(self, type_name: str) -> None:
        self._type = type_name

    def pause(self, _: list[Event]) -> None:
        """Nothing is under way."""

    def finish(self, _item: Mapping[str, Any], _: str, events: list[Event]) -> None:
        """Name it as lost."""
        if self._type:
            events.append(OpaqueEvent(dialect=DIALECT_NAME, type=self._type))


StreamItem: TypeAlias = MessageItem | ReasoningItem | CallItem | OtherItem


def item_of(item: Mapping[str, Any], place: int, calls: int) -> StreamItem:
    """What an item of this type becomes; `calls` is how many calls came before."""
    kind = text_of(item.get("type"))
    match kind:
        case "message":
            return MessageItem()
        case "reasoning":
            return ReasoningItem()
        case _ if kind in CALLS:
            return CallItem(place, calls, custom=kind == "custom_tool_call")
        case _:
            return OtherItem(kind)


def _tell_lost(item: Mapping[str, Any], maker: str, events: list[Event]) -> None:
    for name in lost_of(item, maker):
        events.append(OpaqueEvent(dialect=DIALECT_NAME, type=name))
