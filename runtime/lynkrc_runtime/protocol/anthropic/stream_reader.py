"""The bytes of a Messages stream, to neutral events (wire reference A.1.6).

Blocks are told apart by their index; usage is cumulative; the stream is whole only with its
`message_stop`. Malformed data, an `error` event and a cut all end in one StreamError.

>>> reader = MessagesReader()
>>> reader.feed(b'event: error\\ndata: {"type":"error","error":{"type":"overloaded_error",')
[]
>>> [event.failure.status for event in reader.feed(b'"message":"Overloaded"}}\\n\\n')]
[529]
"""

from typing import Any, final

import msgspec

from lynkrc_runtime.protocol import sse
from lynkrc_runtime.protocol.anthropic.read_blocks import NAME
from lynkrc_runtime.protocol.anthropic.usage import read_stop, read_usage
from lynkrc_runtime.protocol.conversation import (
    BlockEnd,
    Event,
    Failure,
    MessageEnd,
    MessageStart,
    OpaqueEvent,
    RedactedThinkingBlock,
    RefusalDelta,
    Stop,
    StreamError,
    TextDelta,
    ThinkingDelta,
    ThinkingEnd,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
)
from lynkrc_runtime.protocol.dialect import ANY_TARGET, TargetFacts
from lynkrc_runtime.protocol.failures import broken, dig_message, failure_of
from lynkrc_runtime.protocol.outside import NOT_JSON
from lynkrc_runtime.protocol.plain_deltas import PlainDeltas, deltas

_DONE = b"[DONE]"


@final
class _Delta(msgspec.Struct):
    """Every member a delta may have; most have one. Some servers spell out the others as null."""

    type: str | None = None
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    signature: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: Any = None


@final
class _Message(msgspec.Struct):
    id: str | None = None
    model: str | None = None
    usage: Any = None


@final
class _Start(msgspec.Struct):
    """The head of a block."""

    type: str
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None


@final
class _Event(msgspec.Struct):
    """Every member an event may have."""

    type: str
    index: int | None = None
    delta: _Delta | None = None
    content_block: _Start | None = None
    message: _Message | None = None
    usage: Any = None


_decode = msgspec.json.Decoder(_Event).decode


def _said(payload: bytes, member: str, text: str | None) -> _Event | None:
    """What is read of a delta, with another text in the member."""
    event = _decode(payload)
    if event.type != "content_block_delta" or event.delta is None:
        return None
    if text is not None:
        setattr(event.delta, member, text)
    return event


@final
class _Block:
    """A block under way."""

    __slots__ = ("call", "has_json", "input", "signature", "type")

    def __init__(self, start: _Start) -> None:
        self.type = start.type
        self.call = -1
        self.input = start.input
        self.has_json = False
        self.signature = start.signature


class _Malformed(Exception):
    """The stream breaks its own rules."""


@final
class MessagesReader:
    """Feed bytes at any split; take events. After the last one nothing comes."""

    __slots__ = (
        "_blocks",
        "_calls",
        "_ended",
        "_parser",
        "_said",
        "_started",
        "_stop",
        "_stop_sequence",
        "_usage",
        "deltas",
    )

    def __init__(self, _: TargetFacts = ANY_TARGET) -> None:
        self._parser = sse.SseParser()
        self.deltas = PlainDeltas()
        self._blocks: dict[int, _Block] = {}
        self._calls = 0
        self._started = False
        self._said = False
        self._ended = False
        self._stop: str | None = None
        self._stop_sequence: str | None = None
        self._usage = Usage(reported=False)

    @property
    def is_plain(self) -> bool:
        """See `StreamReader.is_plain`."""
        return not self._ended and self._parser.is_between and self.deltas.is_known

    def feed(self, data: bytes) -> list[Event]:
        """Events completed by these bytes."""
        if self._ended:
            return []
        texts: list[str] = []
        end = self.plain(data, texts)
        events = deltas(self.deltas.like, texts) if texts else []
        if end == len(data):
            return events
        data = data[end:] if end else data
        before, is_whole = -1, self._parser.is_between
        try:
            for _name, payload in self._parser.feed(data):
                if not self._ended and payload and payload != _DONE:
                    before = len(events)
                    self._read(payload, events)
        except sse.EventTooLarge as error:
            self._break(broken(str(error)), events)
        except _Malformed as error:
            self._break(broken(f"upstream sent a malformed stream: {error}"), events)
        if before >= 0:
            self._learn(data, events[before:], is_whole=is_whole)
        return events

    def _learn(self, data: bytes, said: list[Event], *, is_whole: bool) -> None:
        """Know the last event again, where all that follows of it is what it said."""
        match said:
            case [TextDelta() as event]:
                self.deltas.learn(data, event, "text", _said, is_whole=is_whole)
            case [ThinkingDelta() as event]:
                self.deltas.learn(data, event, "thinking", _said, is_whole=is_whole)
            case [ToolCallDelta() as event]:
                self.deltas.learn(data, event, "partial_json", _said, is_whole=is_whole)
            case _:
                self.deltas.forget()

    def plain(self, data: bytes, texts: list[str]) -> int:
        """See `StreamReader.plain`."""
        if self._ended or not self._parser.is_between:
            return 0
        return self.deltas.take(data, texts)

    def close(self) -> list[Event]:
        """The upstream ended; only `message_stop` makes that a proper end."""
        # The last event counts even where its blank line was lost.
        events = self.feed(b"\n\n")
        if not self._ended:
            self._break(broken("upstream stream ended early"), events)
        return events

    def _break(self, failure: Failure, events: list[Event]) -> None:
        self._ended = True
        events.append(StreamError(failure=failure))

    def _read(self, payload: bytes, events: list[Event]) -> None:
        try:
            event = _decode(payload)
        except NOT_JSON as error:
            if b'"error"' in payload and dig_message(payload)[0]:
                self._error(payload, events)
                return
            raise _Malformed(str(error)) from error
        match event.type:
            case "content_block_delta":
                self._block_delta(event, events)
            case "content_block_start":
                self._block_start(event, events)
            case "content_block_stop":
                self._block_stop(event.index or 0, events)
            case "ping":
                pass
            case "message_start":
                self._message_start(event, events)
            case "message_delta":
                self._message_delta(event, events)
            case "message_stop":
                self._message_stop(events)
            case "error":
                self._error(payload, events)
            case _ if self._started:
                events.append(OpaqueEvent(dialect=NAME, type=event.type))
            case _:
                # Before the start nothing can be lost: it is no part of an answer.
                pass

    def _error(self, payload: bytes, events: list[Event]) -> None:
        message, code, kind, param = dig_message(payload)
        self._break(failure_of(0, message or "upstream error", code, kind, param), events)

    def _message_start(self, event: _Event, events: list[Event]) -> None:
        message = event.message
        if message is None or self._started:
            raise _Malformed("message_start without a message, or twice")
        self._started = True
        self._usage = read_usage(message.usage, self._usage)
        events.append(
            MessageStart(id=message.id or "", model=message.model or "", usage=self._usage)
        )

    def _block_start(self, event: _Event, events: list[Event]) -> None:
        start = event.content_block
        index = event.index or 0
        if start is None or not self._started or index in self._blocks:
            raise _Malformed("content_block_start without a block, before its message, or twice")
        block = _Block(start)
        self._blocks[index] = block
        self._said = True
        match start.type:
            case "text":
                if start.text:
                    events.append(TextDelta(text=start.text))
            case "thinking":
                events.append(ThinkingDelta(text=start.thinking or ""))
            case "redacted_thinking":
                events.append(RedactedThinkingBlock(data=start.data or ""))
            case "tool_use":
                block.call = self._calls
                self._calls += 1
                events.append(
                    ToolCallStart(index=block.call, id=start.id or "", name=start.name or "")
                )
            case _:
                events.append(OpaqueEvent(dialect=NAME, type=start.type))

    def _block_delta(self, event: _Event, events: list[Event]) -> None:
        index = event.index or 0
        delta, block = event.delta, self._blocks.get(index)
        if delta is None or block is None:
            raise _Malformed(f"a delta for block {index}, which is not open")
        match block.type, delta.type:
            case "text", "text_delta":
                if delta.text:
                    events.append(TextDelta(text=delta.text))
            case "tool_use", "input_json_delta":
                if delta.partial_json:
                    block.has_json = True
                    events.append(ToolCallDelta(index=block.call, json=delta.partial_json))
            case "thinking", "thinking_delta":
                events.append(ThinkingDelta(text=delta.thinking or ""))
            case "thinking", "signature_delta":
                block.signature = delta.signature
            case "text", _:
                events.append(OpaqueEvent(dialect=NAME, type=delta.type or "delta"))
            case _:
                # Parts of a block already named as opaque, or not worth a loss of their own.
                pass

    def _block_stop(self, index: int, events: list[Event]) -> None:
        block = self._blocks.pop(index, None)
        if block is None:
            raise _Malformed(f"the end of block {index}, which is not open")
        match block.type:
            case "text":
                events.append(BlockEnd())
            case "thinking":
                events.append(ThinkingEnd(signature=block.signature or None))
            case "tool_use":
                if not block.has_json and block.input:
                    # Some servers give the whole input in the head.
                    whole = msgspec.json.encode(block.input).decode()
                    events.append(ToolCallDelta(index=block.call, json=whole))
                events.append(ToolCallEnd(index=block.call))
            case _:
                pass

    def _message_delta(self, event: _Event, events: list[Event]) -> None:
        self._usage = read_usage(event.usage, self._usage)
        delta = event.delta
        if delta is None:
            return
        self._stop = delta.stop_reason or self._stop
        self._stop_sequence = delta.stop_sequence or self._stop_sequence
        details = delta.stop_details
        explanation = details.get("explanation") if isinstance(details, dict) else None
        is_refused = self._started and not self._said and delta.stop_reason == "refusal"
        if is_refused and isinstance(explanation, str):
            events.append(RefusalDelta(text=explanation))

    def _message_stop(self, events: list[Event]) -> None:
        if not self._started:
            raise _Malformed("message_stop before message_start")
        for index in sorted(self._blocks):
            self._block_stop(index, events)
        self._ended = True
        stop: Stop = read_stop(self._stop, has_calls=self._calls > 0)
        events.append(MessageEnd(stop=stop, stop_sequence=self._stop_sequence, usage=self._usage))
