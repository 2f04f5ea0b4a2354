"""Bytes of an Ollama stream, to neutral events (wire reference B.10, C.4).

Every line is a piece of the message; the last says ``done`` and brings the counts. Calls come
whole. An error may stand in a line's place, though the status was 200.

>>> reader = OllamaStreamReader()
>>> events = reader.feed(b'{"model":"m","message":{"content":"Hi"},"done":false}\\n')
>>> [type(event).__name__ for event in events]
['MessageStart', 'TextDelta']
>>> reader.close()[0].failure.message
'upstream stream ended early'
"""

from typing import final

from lynkrc_runtime.protocol.carrier import mark
from lynkrc_runtime.protocol.conversation import (
    BlockEnd,
    BrokenAnswer,
    Event,
    Failure,
    MessageEnd,
    MessageStart,
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
from lynkrc_runtime.protocol.failures import broken
from lynkrc_runtime.protocol.ndjson import LineSplitter
from lynkrc_runtime.protocol.ollama.wire import (
    Call,
    Line,
    read_call,
    read_line,
    read_stop,
    read_usage,
)
from lynkrc_runtime.protocol.plain_deltas import PlainDeltas
from lynkrc_runtime.protocol.sse import EventTooLarge

_CUT = broken("upstream stream ended early")


@final
class OllamaStreamReader:
    """One upstream stream. After `MessageEnd` or `StreamError` it returns nothing more."""

    __slots__ = (
        "_answer",
        "_calls",
        "_ids",
        "_in_text",
        "_in_thinking",
        "_is_over",
        "_lines",
        "_maker",
        "deltas",
    )

    def __init__(self, facts: TargetFacts = ANY_TARGET) -> None:
        self._maker = facts.maker
        self._lines = LineSplitter()
        self._answer: tuple[str, str] | None = None
        """Model and time of the first line."""
        self._calls = 0
        self._ids: set[str] = set()
        self._in_thinking = False
        self._in_text = False
        self._is_over = False
        self.deltas = PlainDeltas()

    @property
    def is_plain(self) -> bool:
        """See `StreamReader.is_plain`."""
        return False

    def feed(self, data: bytes) -> list[Event]:
        """Events completed by these bytes."""
        events: list[Event] = []
        if self._is_over:
            return events
        try:
            for line in self._lines.feed(data):
                if self._line(read_line(line), events):
                    break
        except EventTooLarge as error:
            self._fail(broken(str(error)), events)
        except BrokenAnswer as error:
            self._fail(error.failure, events)
        return events

    def plain(self, _data: bytes, _texts: list[str], /) -> int:
        """See `StreamReader.plain`: every event is read with care."""
        return 0

    def close(self) -> list[Event]:
        """The upstream ended: StreamError unless a line said ``done``."""
        events: list[Event] = []
        if self._is_over:
            return events
        # The last line may lack its end.
        rest = self._lines.rest()
        failure = _CUT
        try:
            if rest and self._line(read_line(rest), events):
                return events
        except BrokenAnswer as error:
            if rest.endswith(b"}"):
                # A whole line: what is wrong with it is not that it was cut.
                failure = error.failure
        self._fail(failure, events)
        return events

    def _line(self, line: Line, events: list[Event]) -> bool:
        """Whether it was the last."""
        if self._answer is None:
            if line.message is None and not line.done:
                raise BrokenAnswer(broken("upstream sent a line without a message"))
            self._answer = (line.model, line.created_at)
            events.append(MessageStart(id="", model=line.model, usage=Usage(reported=False)))
        said = line.message
        if said is not None:
            if said.thinking:
                self._end_text(events)
                self._in_thinking = True
                events.append(ThinkingDelta(text=said.thinking))
            if said.content:
                self._end_thinking(events)
                self._in_text = True
                events.append(TextDelta(text=said.content))
            for call in said.tool_calls or ():
                self._call(call, self._answer, events)
        if line.done:
            self._end_thinking(events)
            stop = read_stop(line.done_reason, has_calls=self._calls > 0)
            events.append(MessageEnd(stop=stop, stop_sequence=None, usage=read_usage(line)))
            self._is_over = True
        return line.done

    def _call(self, call: Call, answer: tuple[str, str], events: list[Event]) -> None:
        self._end_thinking(events)
        self._end_text(events)
        number = self._calls
        read = read_call(call, answer, number)
        call_id = f"{read.id}__{number}" if read.id in self._ids else read.id
        self._ids.add(call_id)
        self._calls += 1
        events.append(ToolCallStart(index=number, id=call_id, name=read.name))
        events.append(ToolCallDelta(index=number, json=read.arguments))
        events.append(ToolCallEnd(index=number))

    def _end_thinking(self, events: list[Event]) -> None:
        if self._in_thinking:
            events.append(ThinkingEnd(signature=mark(self._maker)))
        self._in_thinking = False

    def _end_text(self, events: list[Event]) -> None:
        if self._in_text:
            events.append(BlockEnd())
        self._in_text = False

    def _fail(self, failure: Failure, events: list[Event]) -> None:
        events.append(StreamError(failure=failure))
        self._is_over = True
