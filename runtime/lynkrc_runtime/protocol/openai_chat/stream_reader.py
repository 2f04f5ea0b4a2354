"""Bytes of a Chat stream, to neutral events (wire reference A.2.3, C.1.10).

Chat has one text and one list of calls, so a reader decides where blocks begin and end. Calls of
one answer may interleave and end together; the finish reason waits for the usage behind it.

>>> reader = ChatStreamReader()
>>> events = reader.feed(b'data: {"id":"c","choices":[{"delta":{"content":"Hi"}}]}\\n\\n')
>>> [type(event).__name__ for event in events]
['MessageStart', 'TextDelta']
>>> reader.close()[0].failure.message
'upstream stream ended early'
"""

from typing import Any, final

import msgspec

from lynkrc_runtime.protocol.conversation import (
    BrokenAnswer,
    Event,
    Failure,
    MessageEnd,
    MessageStart,
    RedactedThinking,
    RedactedThinkingBlock,
    RefusalDelta,
    StreamError,
    TextDelta,
    ThinkingDelta,
    ThinkingEnd,
    ToolCallDelta,
    Usage,
)
from lynkrc_runtime.protocol.dialect import ANY_TARGET, TargetFacts
from lynkrc_runtime.protocol.failures import broken, dig_value, failure_of
from lynkrc_runtime.protocol.openai_chat.answer import refuse_error
from lynkrc_runtime.protocol.openai_chat.reasoning import (
    add_details,
    carrier_of,
    details,
    part_reasoning,
    part_signature,
    read_reasoning,
    reasoning_text,
)
from lynkrc_runtime.protocol.openai_chat.stream_calls import StreamCalls
from lynkrc_runtime.protocol.openai_chat.think_tags import ThinkTags
from lynkrc_runtime.protocol.openai_chat.usage import FAILED, read_stop, read_usage
from lynkrc_runtime.protocol.outside import NOT_JSON
from lynkrc_runtime.protocol.plain_deltas import PlainDeltas, deltas
from lynkrc_runtime.protocol.sse import EventTooLarge, SseParser

_decode = msgspec.json.Decoder().decode
_NOT_JSON = broken("upstream sent a chunk that is not JSON")
_CUT = broken("upstream stream ended early")


@final
class ChatStreamReader:
    """One upstream stream. After `MessageEnd` or `StreamError` it returns nothing more."""

    __slots__ = (
        "_calls",
        "_details",
        "_facts",
        "_finish",
        "_has_refusal",
        "_held_text",
        "_in_thinking",
        "_is_over",
        "_is_started",
        "_keeps_details",
        "_matched",
        "_parser",
        "_said_plain",
        "_signature",
        "_tags",
        "_usage",
        "deltas",
    )

    def __init__(self, facts: TargetFacts = ANY_TARGET) -> None:
        self._facts = facts
        self._keeps_details = facts.shape.reasoning_field == "reasoning_details"
        self._parser = SseParser()
        self.deltas = PlainDeltas()
        self._calls = StreamCalls()
        self._is_started = False
        self._is_over = False
        self._in_thinking = False
        self._signature: str | None = None
        self._said_plain = False
        self._details: list[dict[str, Any]] = []
        self._tags = ThinkTags() if facts.shape.think_tags else None
        self._has_refusal = False
        self._held_text: list[str] = []
        self._finish: str | None = None
        self._matched: Any = None
        self._usage: Usage | None = None

    @property
    def is_plain(self) -> bool:
        """See `StreamReader.is_plain`."""
        # Arguments are remembered: a server may send them twice.
        is_said = self.deltas.is_known and type(self.deltas.like) is not ToolCallDelta
        return is_said and not self._is_over and self._parser.is_between

    def feed(self, data: bytes) -> list[Event]:
        """Events completed by these bytes."""
        texts: list[str] = []
        end = self.plain(data, texts)
        events = deltas(self.deltas.like, texts) if texts else []
        if not self._is_over and end < len(data):
            failure = self._take(data[end:] if end else data, events)
            if failure is not None:
                self._fail(failure, events)
        return events

    def plain(self, data: bytes, texts: list[str]) -> int:
        """See `StreamReader.plain`."""
        if self._is_over or not self._parser.is_between:
            return 0
        end, like = self.deltas.take(data, texts), self.deltas.like
        if end and type(like) is ToolCallDelta and not self._calls.more(like.index, texts):
            texts.clear()
            return 0
        return end

    def close(self) -> list[Event]:
        """The upstream ended: MessageEnd after a finish reason or ``[DONE]``, else StreamError."""
        events: list[Event] = []
        if self._is_over:
            return events
        # Some servers leave out the blank line, or the line end, after their last event.
        failure = self._take(b"\n\n", events)
        if events and isinstance(events[-1], MessageEnd):
            return events
        if failure is None or failure == _NOT_JSON:
            # An event cut in two: behind the finish reason at most the usage is lost.
            failure = _CUT if self._finish is None else self._close_answer(events)
        if failure is not None:
            self._fail(failure, events)
        return events

    def _take(self, data: bytes, events: list[Event]) -> Failure | None:
        before, is_whole = -1, self._parser.is_between
        try:
            for name, payload in self._parser.feed(data):
                before = len(events)
                self._event(name, payload.strip(), events)
                if self._is_over:
                    break
        except EventTooLarge as error:
            return broken(str(error))
        except BrokenAnswer as error:
            return error.failure
        if before >= 0:
            self._learn(data, events[before:], is_whole=is_whole)
        return None

    def _learn(self, data: bytes, said: list[Event], *, is_whole: bool) -> None:
        """Know the last event again, where all that follows of it is what it said."""
        is_plain = self._tags is None and not self._keeps_details and self._signature is None
        match said:
            case [TextDelta() as event] if is_plain:
                self.deltas.learn(data, event, "content", _said, is_whole=is_whole)
            case [ThinkingDelta() as event] if is_plain:
                member = "reasoning_content" if b'"reasoning_content"' in data else "reasoning"
                self.deltas.learn(data, event, member, _said, is_whole=is_whole)
            case [ToolCallDelta() as event]:
                self.deltas.learn(data, event, "arguments", _said, is_whole=is_whole)
            case _:
                self.deltas.forget()

    def _close_answer(self, events: list[Event]) -> Failure | None:
        try:
            self._end(events)
        except BrokenAnswer as error:
            return error.failure
        return None

    def _event(self, name: str, payload: bytes, events: list[Event]) -> None:
        if not payload:
            return
        if payload == b"[DONE]":
            if not self._is_started:
                raise BrokenAnswer(broken("upstream stream ended without an answer"))
            self._end(events)
            return
        try:
            chunk = _decode(payload)
        except NOT_JSON as error:
            raise BrokenAnswer(_NOT_JSON) from error
        if name == "error":
            message, code, kind, param = dig_value(chunk)
            raise BrokenAnswer(failure_of(200, message or "upstream error", code, kind, param))
        refuse_error(chunk)
        self._chunk(chunk, events)

    def _chunk(self, chunk: dict[str, Any], events: list[Event]) -> None:
        choices = chunk.get("choices")
        choices = choices if isinstance(choices, list) else []
        self._read_usage(chunk)
        # Azure's first chunk has neither id, nor model, nor choices: the next one has.
        if not self._is_started and (choices or chunk.get("id")):
            self._start(chunk, events)
        for choice in choices:
            if isinstance(choice, dict) and not choice.get("index"):
                self._choice(choice, events)

    def _start(self, chunk: dict[str, Any], events: list[Event]) -> None:
        self._is_started = True
        answer_id, model = (_text(chunk.get(name)) for name in ("id", "model"))
        self._calls.answer = (answer_id, chunk.get("created"))
        usage = self._usage or Usage(reported=False)
        events.append(MessageStart(id=answer_id, model=model, usage=usage))

    def _read_usage(self, chunk: dict[str, Any]) -> None:
        groq = chunk.get("x_groq")
        if isinstance(groq, dict):
            self._usage = read_usage(groq.get("usage")) or self._usage
        self._usage = read_usage(chunk.get("usage")) or self._usage

    def _choice(self, choice: dict[str, Any], events: list[Event]) -> None:
        self._usage = read_usage(choice.get("usage")) or self._usage
        delta = choice.get("delta")
        if isinstance(delta, dict):
            self._delta(delta, events)
        finish = choice.get("finish_reason")
        if isinstance(finish, str) and finish:
            if finish in FAILED:
                text = f"upstream ended with finish_reason {finish}"
                raise BrokenAnswer(failure_of(200, text, FAILED[finish]))
            self._finish = finish
            self._matched = choice.get("stop_reason")

    def _delta(self, delta: dict[str, Any], events: list[Event]) -> None:
        # Most deltas have none of them.
        if "reasoning_content" in delta or "reasoning" in delta or "reasoning_details" in delta:
            self._reasoning(delta, events)
        content = delta.get("content")
        if isinstance(content, str) and self._tags is None:
            self._say(content, events)
        elif isinstance(content, str):
            self._text(content, events)
        elif isinstance(content, list):
            self._parts(content, events)
        refusal = delta.get("refusal")
        if isinstance(refusal, str) and refusal:
            self._end_thinking(events)
            self._has_refusal = True
            events.append(RefusalDelta(text=refusal))
        calls = delta.get("tool_calls")
        calls = calls if isinstance(calls, list) else []
        entries = [entry for entry in calls if isinstance(entry, dict)]
        legacy = delta.get("function_call")
        if isinstance(legacy, dict):
            entries.append({"index": 0, "function": legacy})
        if entries:
            self._end_thinking(events)
        for entry in entries:
            self._calls.add(entry, events)

    def _parts(self, parts: list[Any], events: list[Event]) -> None:
        for part in parts:
            if not isinstance(part, dict):
                continue
            thought = part_reasoning(part)
            if thought is not None:
                self._signature = part_signature(part) or self._signature
                self._thinking(thought, events)
            else:
                self._text(_text(part.get("text")), events)

    def _reasoning(self, delta: dict[str, Any], events: list[Event]) -> None:
        if self._keeps_details:
            add_details(self._details, details(delta))
            self._thinking(reasoning_text(delta), events)
            return
        is_plain = "reasoning_details" not in delta
        # A gateway like this one sends whole entries behind the text they repeat.
        is_said = self._said_plain and self._in_thinking and not is_plain
        blocks = [held.block for held in read_reasoning(delta)]
        if is_said:
            # The text under way is signed before a block of its own begins.
            blocks.sort(key=lambda block: isinstance(block, RedactedThinking))
        for block in blocks:
            if isinstance(block, RedactedThinking):
                self._end_thinking(events)
                events.append(RedactedThinkingBlock(data=block.data))
                continue
            if self._signature is not None:
                # It is whole: what comes now is the next one.
                self._end_thinking(events)
            self._signature = block.signature or self._signature
            self._thinking("" if is_said else block.text, events)
            self._said_plain = is_plain

    def _text(self, text: str, events: list[Event]) -> None:
        if self._tags is None:
            self._say(text, events)
            return
        for is_thinking, piece in self._tags.feed(text):
            self._tagged(is_thinking, piece, events)

    def _tagged(self, is_thinking: bool, piece: str, events: list[Event]) -> None:
        if is_thinking:
            self._thinking(piece, events)
        else:
            self._say(piece, events)

    def _thinking(self, text: str, events: list[Event]) -> None:
        if not text and not self._signature and (self._in_thinking or not self._details):
            return
        self._in_thinking = True
        events.append(ThinkingDelta(text=text))

    def _end_thinking(self, events: list[Event]) -> None:
        if self._in_thinking:
            signature = self._signature or carrier_of(self._details, self._facts)
            events.append(ThinkingEnd(signature=signature))
        self._in_thinking, self._signature, self._said_plain = False, None, False
        self._details = []

    def _say(self, text: str, events: list[Event]) -> None:
        if not text:
            return
        self._end_thinking(events)
        # A text can only follow calls that are whole; behind an open one it waits for the end.
        if self._held_text or not self._calls.end_whole(events):
            self._held_text.append(text)
        else:
            events.append(TextDelta(text=text))

    def _end(self, events: list[Event]) -> None:
        for is_thinking, piece in self._tags.close() if self._tags is not None else ():
            self._tagged(is_thinking, piece, events)
        self._end_thinking(events)
        self._calls.end(events)
        if self._held_text:
            events.append(TextDelta(text="".join(self._held_text)))
        stop, sequence = read_stop(
            self._finish,
            self._matched,
            has_calls=self._calls.count > 0,
            has_refusal=self._has_refusal,
        )
        usage = self._usage or Usage(reported=False)
        events.append(MessageEnd(stop=stop, stop_sequence=sequence, usage=usage))
        self._is_over = True

    def _fail(self, failure: Failure, events: list[Event]) -> None:
        events.append(StreamError(failure=failure))
        self._is_over = True


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _of_one_call(delta: dict[str, Any]) -> dict[str, Any] | None:
    """What a delta says of a call that was named before; None where it says anything else."""
    match delta.get("tool_calls"):
        case [{"function": dict(function)} as entry] if "custom" not in entry:
            return None if function.get("name") else function
        case _:
            return None


def _said(payload: bytes, member: str, text: str | None) -> Any:
    """A chunk that says a text and nothing else, with another text in the member; else None."""
    match chunk := _decode(payload):
        case {"choices": [{"delta": dict(delta)} as choice]}:
            function = _of_one_call(delta) if member == "arguments" else None
            told = {name for name, value in delta.items() if value and name != "role"}
            more = (chunk.get("usage"), chunk.get("x_groq"))
            if told != ({member} if function is None else {"tool_calls"}) or any(more):
                return None
            if choice.get("usage") or choice.get("finish_reason"):
                return None
            if isinstance(delta.get("function_call"), dict):
                # A call, though it says nothing of it yet.
                return None
            if text is not None:
                (delta if function is None else function)[member] = text
            chunk.pop("obfuscation", None)
            return chunk
        case _:
            return None
