"""Stream events, to the whole answer they add up to, and an answer to events.

>>> from lynkrc_runtime.protocol.conversation import Text, Usage, Stop
>>> answer = Answer(id="a", model="m", blocks=(Text(text="Hi"),), stop=Stop.END,
...                 stop_sequence=None, usage=Usage(input=1, output=1))
>>> fold(unfold(answer)) == answer
True
"""

from collections.abc import Iterable
from typing import assert_never, final

from lynkrc_runtime.protocol.conversation import (
    Answer,
    Block,
    BlockEnd,
    BrokenAnswer,
    Document,
    Event,
    Image,
    MessageEnd,
    MessageStart,
    Opaque,
    OpaqueEvent,
    RedactedThinking,
    RedactedThinkingBlock,
    Refusal,
    RefusalDelta,
    StreamError,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ThinkingEnd,
    ToolCall,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    ToolResult,
)
from lynkrc_runtime.protocol.failures import broken


def fold(events: Iterable[Event]) -> Answer:
    """The answer; BrokenAnswer where the stream broke or never ended."""
    start: MessageStart | None = None
    blocks = _Blocks()
    for event in events:
        match event:
            case MessageStart():
                start = event
            case MessageEnd():
                return Answer(
                    id=start.id if start else "",
                    model=start.model if start else "",
                    blocks=blocks.close(),
                    stop=event.stop,
                    stop_sequence=event.stop_sequence,
                    usage=event.usage,
                    lost=tuple(blocks.lost),
                )
            case StreamError():
                raise BrokenAnswer(event.failure)
            case _:
                blocks.add(event)
    raise BrokenAnswer(broken("the stream ended without its last event"))


@final
class _Blocks:
    """Blocks under way: pieces of the open one, calls by index, in order of their beginning."""

    __slots__ = ("_calls", "_done", "_open", "_pieces", "lost")

    def __init__(self) -> None:
        self._done: list[Block | int] = []
        self._calls: dict[int, tuple[ToolCallStart, list[str]]] = {}
        self._open: type[Text] | type[Refusal] | type[Thinking] | None = None
        self._pieces: list[str] = []
        self.lost: dict[str, None] = {}

    def add(self, event: Event) -> None:
        match event:
            case TextDelta(text=text):
                self._piece(Text, text)
            case RefusalDelta(text=text):
                self._piece(Refusal, text)
            case ThinkingDelta(text=text):
                self._piece(Thinking, text)
            case ThinkingEnd(signature=signature):
                self._piece(Thinking, "")
                self._close_open(signature)
            case RedactedThinkingBlock(data=data):
                self._close_open(None)
                self._done.append(RedactedThinking(data=data))
            case ToolCallStart():
                self._close_open(None)
                self._done.append(event.index)
                self._calls[event.index] = (event, [])
            case ToolCallDelta():
                self._calls[event.index][1].append(event.json)
            case ToolCallEnd():
                pass
            case BlockEnd():
                self._close_open(None)
            case OpaqueEvent():
                self.lost[event.type] = None
            case MessageStart() | MessageEnd() | StreamError():
                raise ValueError(f"not part of a block: {event}")
            case _:
                assert_never(event)

    def close(self) -> tuple[Block, ...]:
        self._close_open(None)
        return tuple(self._call(item) if isinstance(item, int) else item for item in self._done)

    def _piece(self, kind: type[Text] | type[Refusal] | type[Thinking], text: str) -> None:
        if self._open is not kind:
            self._close_open(None)
            self._open = kind
        self._pieces.append(text)

    def _close_open(self, signature: str | None) -> None:
        text, kind = "".join(self._pieces), self._open
        self._pieces, self._open = [], None
        if kind is Thinking:
            self._done.append(Thinking(text=text, signature=signature))
        elif kind is Text and text:
            self._done.append(Text(text=text))
        elif kind is Refusal and text:
            self._done.append(Refusal(text=text))

    def _call(self, index: int) -> ToolCall:
        start, pieces = self._calls[index]
        text = "".join(pieces)
        return ToolCall(
            id=start.id,
            name=start.name,
            arguments=text if start.custom else text or "{}",
            custom=start.custom,
        )


def unfold(answer: Answer) -> list[Event]:
    """The events of a stream that gives this answer; blocks only requests hold are left out."""
    events: list[Event] = [MessageStart(id=answer.id, model=answer.model, usage=answer.usage)]
    calls = 0
    for block in answer.blocks:
        match block:
            case Text():
                events += (TextDelta(text=block.text), BlockEnd())
            case Refusal():
                events += (RefusalDelta(text=block.text), BlockEnd())
            case Thinking():
                events += (ThinkingDelta(text=block.text), ThinkingEnd(signature=block.signature))
            case RedactedThinking():
                events.append(RedactedThinkingBlock(data=block.data))
            case ToolCall():
                start = ToolCallStart(
                    index=calls, id=block.id, name=block.name, custom=block.custom
                )
                events.append(start)
                events.append(ToolCallDelta(index=calls, json=block.arguments))
                events.append(ToolCallEnd(index=calls))
                calls += 1
            case Opaque():
                events.append(OpaqueEvent(dialect=block.dialect, type=block.type))
            case Image() | Document() | ToolResult():
                pass
            case _:
                assert_never(block)
    end = MessageEnd(stop=answer.stop, stop_sequence=answer.stop_sequence, usage=answer.usage)
    events.append(end)
    return events
