"""Bytes of a `streamGenerateContent?alt=sse` stream, to neutral events (wire reference B.8).

There is no last event: a stream that ends after a finish reason is whole, any other was cut. The
counts in every response are cumulative, so the end waits for the last one.

>>> reader = GeminiStreamReader()
>>> data = b'data: {"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}'
>>> events = reader.feed(data + b"\\r\\n\\r\\n")
>>> [type(event).__name__ for event in events], reader.close()[0].failure.message
(['MessageStart', 'TextDelta'], 'upstream stream ended early')
"""

from typing import final

from lynkrc_runtime.protocol.conversation import BrokenAnswer, Event, Failure, StreamError
from lynkrc_runtime.protocol.dialect import ANY_TARGET, TargetFacts
from lynkrc_runtime.protocol.failures import broken
from lynkrc_runtime.protocol.gemini.response import MALFORMED, ResponseReader
from lynkrc_runtime.protocol.plain_deltas import PlainDeltas
from lynkrc_runtime.protocol.sse import EventTooLarge, SseParser

_CUT = broken("upstream stream ended early")
_DONE = b"[DONE]"
"""Not Gemini's: servers that speak like OpenAI too say it everywhere."""


@final
class GeminiStreamReader:
    """One upstream stream. After `MessageEnd` or `StreamError` it returns nothing more."""

    __slots__ = ("_is_over", "_parser", "_reader", "deltas")

    def __init__(self, facts: TargetFacts = ANY_TARGET) -> None:
        self._parser = SseParser()
        self._reader = ResponseReader(facts.maker)
        self._is_over = False
        self.deltas = PlainDeltas()

    @property
    def is_plain(self) -> bool:
        """See `StreamReader.is_plain`."""
        return False

    def feed(self, data: bytes) -> list[Event]:
        """Events completed by these bytes."""
        events: list[Event] = []
        if not self._is_over:
            self._fail(self._take(data, events), events)
        return events

    def plain(self, _data: bytes, _texts: list[str], /) -> int:
        """See `StreamReader.plain`: every event is read with care."""
        return 0

    def close(self) -> list[Event]:
        """The upstream ended: MessageEnd after a finish reason, else StreamError."""
        events: list[Event] = []
        if self._is_over:
            return events
        # The blank line, or the line end, may be missing after the last event.
        failure = self._take(b"\n\n", events)
        if failure == MALFORMED:
            # An event cut in two: behind the finish reason at most counts are lost.
            failure = None
        if failure is None:
            failure = self._end(events) if self._reader.is_whole else _CUT
        self._fail(failure, events)
        self._is_over = True
        return events

    def _take(self, data: bytes, events: list[Event]) -> Failure | None:
        try:
            for _, payload in self._parser.feed(data):
                if payload.strip() not in (b"", _DONE):
                    events += self._reader.read(payload)
        except EventTooLarge as error:
            return broken(str(error))
        except BrokenAnswer as error:
            return error.failure
        return None

    def _end(self, events: list[Event]) -> Failure | None:
        try:
            events += self._reader.end()
        except BrokenAnswer as error:
            return error.failure
        return None

    def _fail(self, failure: Failure | None, events: list[Event]) -> None:
        if failure is not None:
            events.append(StreamError(failure=failure))
            self._is_over = True
