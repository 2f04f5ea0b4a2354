"""The frames of a Converse stream, to neutral events (wire reference B.5, C.2).

Text and reasoning begin without a word: their first delta opens the block. Usage comes last, after
`messageStop`, in `metadata`; a stream that ends between the two is whole, without usage.
"""

import base64
import binascii
from typing import Any, final

import msgspec

from lynkrc_runtime.protocol.bedrock_converse.errors import frame_failure
from lynkrc_runtime.protocol.bedrock_converse.families import NAME, family_of
from lynkrc_runtime.protocol.bedrock_converse.usage import (
    MALFORMED,
    matched_stop,
    read_stop,
    read_usage,
)
from lynkrc_runtime.protocol.conversation import (
    BlockEnd,
    Event,
    Failure,
    MessageEnd,
    MessageStart,
    OpaqueEvent,
    RedactedThinkingBlock,
    StreamError,
    TextDelta,
    ThinkingDelta,
    ThinkingEnd,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
)
from lynkrc_runtime.protocol.dialect import TargetFacts
from lynkrc_runtime.protocol.event_stream import BrokenFrames, Frame, FrameReader
from lynkrc_runtime.protocol.failures import broken
from lynkrc_runtime.protocol.outside import NOT_JSON
from lynkrc_runtime.protocol.plain_deltas import PlainDeltas


class _ToolUse(msgspec.Struct):
    id: str | None = msgspec.field(default=None, name="toolUseId")
    name: str | None = None
    type: str | None = None
    input: str | None = None


class _Reasoning(msgspec.Struct):
    text: str | None = None
    signature: str | None = None
    redacted: str | None = msgspec.field(default=None, name="redactedContent")


class _Delta(msgspec.Struct):
    """Exactly one member is there."""

    text: str | None = None
    tool: _ToolUse | None = msgspec.field(default=None, name="toolUse")
    reasoning: _Reasoning | None = msgspec.field(default=None, name="reasoningContent")
    citation: Any = None


class _Start(msgspec.Struct):
    """Results and pictures begin so, too: nothing of them has a neutral name."""

    tool: _ToolUse | None = msgspec.field(default=None, name="toolUse")


class _Event(msgspec.Struct):
    """Every member an event may have; `p` is padding."""

    index: int = msgspec.field(default=0, name="contentBlockIndex")
    start: _Start | None = None
    delta: _Delta | None = None
    reason: str | None = msgspec.field(default=None, name="stopReason")
    fields: Any = msgspec.field(default=None, name="additionalModelResponseFields")
    usage: Any = None


_decode = msgspec.json.Decoder(_Event).decode

_CONTENT = frozenset(
    ("messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop")
)
_TEXT, _THINKING, _CALL, _OTHER = "text", "thinking", "call", "other"


@final
class _Block:
    """A block under way; `redacted` are its pieces, in base64."""

    __slots__ = ("call", "kind", "redacted", "signature")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.call = -1
        self.signature = ""
        self.redacted: list[str] = []


@final
class ConverseReader:
    """Feed bytes at any split; take events. After the last one nothing comes."""

    __slots__ = (
        "_block",
        "_calls",
        "_ended",
        "_fields",
        "_frames",
        "_index",
        "_is_claude",
        "_reason",
        "_started",
        "_stopped",
        "deltas",
    )

    def __init__(self, facts: TargetFacts) -> None:
        self._frames = FrameReader()
        self._is_claude = family_of(facts.model).claude
        self._block: _Block | None = None
        self._index = 0
        self._calls = 0
        self._started = False
        self._stopped = False
        self._ended = False
        self._reason: str | None = None
        self._fields: Any = None
        self.deltas = PlainDeltas()

    @property
    def is_plain(self) -> bool:
        """See `StreamReader.is_plain`."""
        return False

    def feed(self, data: bytes) -> list[Event]:
        """Events completed by these bytes."""
        events: list[Event] = []
        if self._ended:
            return events
        try:
            self._take(data, events)
        except BrokenFrames as error:
            self._break(broken(f"upstream sent a malformed stream: {error}"), events)
        return events

    def _take(self, data: bytes, events: list[Event]) -> None:
        for frame in self._frames.feed(data):
            self._read(frame, events)
            if self._ended:
                # What stands behind the end is not even looked at.
                return

    def plain(self, _data: bytes, _texts: list[str], /) -> int:
        """See `StreamReader.plain`: every event is read with care."""
        return 0

    def close(self) -> list[Event]:
        """The upstream ended; after `messageStop` that is a proper end."""
        events: list[Event] = []
        if self._ended:
            return events
        if self._stopped:
            self._end(Usage(reported=False), events)
        else:
            self._break(broken("upstream stream ended early"), events)
        return events

    def _break(self, failure: Failure, events: list[Event]) -> None:
        self._ended = True
        events.append(StreamError(failure=failure))

    def _read(self, frame: Frame, events: list[Event]) -> None:
        if frame.kind != "event":
            self._break(frame_failure(frame), events)
            return
        try:
            event = _decode(frame.payload)
        except NOT_JSON as error:
            self._break(broken(f"upstream sent a malformed {frame.name}: {error}"), events)
            return
        if self._stopped and frame.name in _CONTENT:
            text = f"{frame.name} behind messageStop"
            self._break(broken(f"upstream sent a malformed stream: {text}"), events)
            return
        match frame.name:
            case "contentBlockDelta":
                self._delta(event, events)
            case "contentBlockStart":
                self._start(event, events)
            case "contentBlockStop":
                if event.index == self._index:
                    self._close(events)
            case "messageStart":
                self._begin(events)
            case "messageStop":
                self._message_stop(event, events)
            case "metadata":
                if self._stopped:
                    self._end(read_usage(event.usage), events)
            case _ if self._started:
                events.append(OpaqueEvent(dialect=NAME, type=frame.name or "event"))
            case _:
                # Before the start nothing can be lost: it is no part of an answer.
                pass

    def _begin(self, events: list[Event]) -> None:
        if not self._started:
            self._started = True
            events.append(MessageStart(id="", model="", usage=Usage(reported=False)))

    def _start(self, event: _Event, events: list[Event]) -> None:
        self._begin(events)
        tool = (event.start or _Start()).tool
        if tool is None or tool.type is not None:
            self._open(_OTHER, event.index, events)
            name = "contentBlock" if tool is None else tool.type or ""
            events.append(OpaqueEvent(dialect=NAME, type=name))
            return
        self._close(events)
        block = self._open(_CALL, event.index, events)
        block.call = self._calls
        self._calls += 1
        events.append(ToolCallStart(index=block.call, id=tool.id or "", name=tool.name or ""))

    def _delta(self, event: _Event, events: list[Event]) -> None:
        self._begin(events)
        delta, index = event.delta or _Delta(), event.index
        if self._block is not None and self._block.kind is _OTHER and self._index == index:
            return
        if delta.text is not None:
            self._open(_TEXT, index, events)
            if delta.text:
                events.append(TextDelta(text=delta.text))
        elif delta.reasoning is not None:
            self._reasoning(delta.reasoning, index, events)
        elif delta.tool is not None:
            block = self._block
            if block is None or block.kind is not _CALL or self._index != index:
                text = f"a call's input in block {index}, which is none"
                self._break(broken(f"upstream sent a malformed stream: {text}"), events)
            elif delta.tool.input:
                events.append(ToolCallDelta(index=block.call, json=delta.tool.input))
        elif delta.citation is not None:
            events.append(OpaqueEvent(dialect=NAME, type="citations"))

    def _reasoning(self, piece: _Reasoning, index: int, events: list[Event]) -> None:
        block = self._open(_THINKING, index, events)
        if piece.redacted is not None:
            block.redacted.append(piece.redacted)
        elif piece.signature is not None:
            block.signature += piece.signature
            events.append(ThinkingDelta(text=""))
        else:
            events.append(ThinkingDelta(text=piece.text or ""))

    def _open(self, kind: str, index: int, events: list[Event]) -> _Block:
        """The block of this index; a new one where none of the kind is open there.

        Blocks come one after the other: one that never said so ends where the next begins.
        """
        block = self._block
        if block is None or block.kind is not kind or self._index != index:
            self._close(events)
            block = _Block(kind)
            self._block, self._index = block, index
        return block

    def _close(self, events: list[Event]) -> None:
        block, self._block = self._block, None
        if block is None:
            return
        if block.kind is _TEXT:
            events.append(BlockEnd())
        elif block.kind is _CALL:
            events.append(ToolCallEnd(index=block.call))
        elif block.redacted:
            events.append(RedactedThinkingBlock(data=_joined(block.redacted)))
        elif block.kind is _THINKING:
            signature = block.signature if self._is_claude else ""
            events.append(ThinkingEnd(signature=signature or None))

    def _message_stop(self, event: _Event, events: list[Event]) -> None:
        self._begin(events)
        if event.reason in MALFORMED:
            reason = f"the model's answer could not be read: {event.reason}"
            self._break(broken(reason), events)
            return
        self._close(events)
        self._stopped = True
        self._reason, self._fields = event.reason, event.fields

    def _end(self, usage: Usage, events: list[Event]) -> None:
        self._ended = True
        events.append(
            MessageEnd(
                stop=read_stop(self._reason, has_calls=self._calls > 0),
                stop_sequence=matched_stop(self._fields),
                usage=usage,
            )
        )


def _joined(pieces: list[str]) -> str:
    """Pieces that were each encoded alone, as one."""
    if len(pieces) == 1:
        return pieces[0]
    try:
        return base64.b64encode(b"".join(map(base64.b64decode, pieces))).decode()
    except (binascii.Error, ValueError):
        return "".join(pieces)
