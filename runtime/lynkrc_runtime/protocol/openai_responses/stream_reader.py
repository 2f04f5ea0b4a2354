"""Bytes of a Responses stream, to neutral events (wire reference A.3.3, C.5.5).

Items are told apart by their place in the output. What an item says is taken from its deltas, else
from its ``.done`` events, else from the item itself, else from the response at the end: servers
leave out any of them. Only a response that ended makes a whole stream.

>>> reader = ResponsesReader()
>>> data = b'data: {"type":"response.output_text.delta","output_index":0,"delta":"Hi"}\\n\\n'
>>> [type(event).__name__ for event in reader.feed(data)]
['MessageStart', 'TextDelta']
>>> reader.close()[0].failure.message
'upstream stream ended early'
"""

from typing import Any, TypeVar, final

import msgspec

from lynkrc_runtime.protocol.conversation import (
    BrokenAnswer,
    Event,
    Failure,
    MessageEnd,
    MessageStart,
    StreamError,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    Usage,
)
from lynkrc_runtime.protocol.dialect import ANY_TARGET, TargetFacts
from lynkrc_runtime.protocol.failures import broken, dig_value, failure_of
from lynkrc_runtime.protocol.openai_responses.read_answer import failure_in
from lynkrc_runtime.protocol.openai_responses.read_output import list_of, text_of
from lynkrc_runtime.protocol.openai_responses.stream_items import (
    CallItem,
    MessageItem,
    ReasoningItem,
    StreamItem,
    item_of,
)
from lynkrc_runtime.protocol.openai_responses.usage import read_stop, read_usage
from lynkrc_runtime.protocol.outside import NOT_JSON
from lynkrc_runtime.protocol.plain_deltas import PlainDeltas, deltas
from lynkrc_runtime.protocol.sse import EventTooLarge, SseParser

_CUT = broken("upstream stream ended early")
_NOT_JSON = broken("upstream sent an event that is not JSON")
_DONE = b"[DONE]"
_ENDS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")


@final
class _Event(msgspec.Struct):
    """The members of events that are read; every other one is skipped unread."""

    type: Any = None
    output_index: Any = None
    content_index: Any = None
    summary_index: Any = None
    delta: Any = None
    text: Any = None
    refusal: Any = None
    arguments: Any = None
    input: Any = None
    item: Any = None
    part: Any = None
    response: Any = None
    error: Any = None


_T = TypeVar("_T", MessageItem, ReasoningItem, CallItem)
_decode = msgspec.json.Decoder(_Event).decode


def _said(payload: bytes, _member: str, text: str | None) -> _Event | None:
    """What is read of a delta, with another text."""
    event = _decode(payload)
    if not text_of(event.type).endswith(".delta") or isinstance(event.response, dict):
        return None
    if text is not None:
        event.delta = text
    return event


@final
class ResponsesReader:
    """Feed bytes at any split; take events. After the last one nothing comes."""

    __slots__ = (
        "_all",
        "_calls",
        "_done",
        "_is_over",
        "_is_started",
        "_items",
        "_maker",
        "_open",
        "_parser",
        "deltas",
    )

    def __init__(self, facts: TargetFacts = ANY_TARGET) -> None:
        self._maker = facts.maker
        self._parser = SseParser()
        self.deltas = PlainDeltas()
        self._items: dict[int, StreamItem] = {}
        """Items under way by their place in the output."""
        self._done: set[int] = set()
        self._all: list[StreamItem] = []
        self._open: StreamItem | None = None
        """The item whose block is open."""
        self._calls = 0
        self._is_started = False
        self._is_over = False

    @property
    def is_plain(self) -> bool:
        """See `StreamReader.is_plain`."""
        return not self._is_over and self._parser.is_between and self.deltas.is_known

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
        return self.deltas.take(data, texts)

    def close(self) -> list[Event]:
        """The upstream ended; only an event with the ended response makes that a proper end."""
        events: list[Event] = []
        if self._is_over:
            return events
        # The last event counts even where its blank line was lost; one cut in two does not.
        failure = self._take(b"\n\n", events)
        if not self._is_over:
            self._fail(_CUT if failure in (None, _NOT_JSON) else failure, events)
        return events

    def _take(self, data: bytes, events: list[Event]) -> Failure | None:
        before, is_whole = -1, self._parser.is_between
        try:
            for name, payload in self._parser.feed(data):
                if payload and payload.strip() != _DONE:
                    before = len(events)
                    self._read(name, payload, events)
                if self._is_over:
                    break
        except EventTooLarge as error:
            return broken(str(error))
        except BrokenAnswer as error:
            return error.failure
        match events[before:] if before >= 0 else None:
            case None:
                pass
            case [TextDelta() | ThinkingDelta() | ToolCallDelta() as event]:
                self.deltas.learn(data, event, "delta", _said, is_whole=is_whole)
            case _:
                self.deltas.forget()
        return None

    def _fail(self, failure: Failure, events: list[Event]) -> None:
        self._is_over = True
        events.append(StreamError(failure=failure))

    def _read(self, name: str, payload: bytes, events: list[Event]) -> None:
        try:
            event = _decode(payload)
        except NOT_JSON as error:
            raise BrokenAnswer(_NOT_JSON) from error
        kind = text_of(event.type) or name
        response = event.response
        if kind == "error" or (event.error is not None and not isinstance(response, dict)):
            raise BrokenAnswer(_error(payload))
        if not isinstance(response, dict):
            if kind in _ENDS:
                raise BrokenAnswer(broken(f"upstream sent {kind} without its response"))
            self._part(kind.removeprefix("response."), event, events)
            return
        self._start(response, events)
        if kind in _ENDS:
            self._end(kind, response, events)

    def _start(self, response: dict[str, Any], events: list[Event]) -> None:
        if self._is_started:
            return
        self._is_started = True
        usage = read_usage(response.get("usage")) or Usage(reported=False)
        answer_id, model = text_of(response.get("id")), text_of(response.get("model"))
        events.append(MessageStart(id=answer_id, model=model, usage=usage))

    def _part(self, kind: str, event: _Event, events: list[Event]) -> None:
        place = _index(event.output_index)
        match kind:
            case "output_text.delta" | "refusal.delta":
                self._at(place, MessageItem, "message", events).delta(
                    _index(event.content_index),
                    text_of(event.delta),
                    is_refusal=kind == "refusal.delta",
                    events=events,
                )
            case "function_call_arguments.delta":
                self._at(place, CallItem, "function_call", events).delta(
                    text_of(event.delta), events
                )
            case "custom_tool_call_input.delta":
                self._at(place, CallItem, "custom_tool_call", events).delta(
                    text_of(event.delta), events
                )
            case "reasoning_summary_text.delta" | "reasoning_text.delta":
                self._at(place, ReasoningItem, "reasoning", events).delta(
                    _reasoning_place(event), text_of(event.delta), events
                )
            case "output_item.added":
                self._added(place, event.item, events)
            case "output_item.done":
                if place not in self._done or place in self._items:
                    self._item_done(place, event.item, events)
            case _ if place not in self._done or place in self._items:
                self._part_done(kind, place, event, events)
            case _:
                pass

    def _part_done(self, kind: str, place: int, event: _Event, events: list[Event]) -> None:
        match kind:
            case "output_text.done" | "refusal.done" | "content_part.done":
                part = {"type": "refusal" if kind == "refusal.done" else "output_text"}
                part |= {"text": event.text, "refusal": event.refusal}
                if isinstance(event.part, dict):
                    part = event.part
                if part.get("type") in ("output_text", "refusal"):
                    self._at(place, MessageItem, "message", events).part_done(
                        _index(event.content_index), part, events
                    )
            case "function_call_arguments.done":
                self._at(place, CallItem, "function_call", events).whole(
                    text_of(event.arguments), events
                )
            case "custom_tool_call_input.done":
                self._at(place, CallItem, "custom_tool_call", events).whole(
                    text_of(event.input), events
                )
            case "reasoning_summary_text.done" | "reasoning_text.done":
                self._at(place, ReasoningItem, "reasoning", events).part_done(
                    _reasoning_place(event), text_of(event.text), events
                )
            case _:
                # Progress of hosted tools, annotations, and what is not invented yet.
                pass

    def _at(self, place: int, kind: type[_T], name: str, events: list[Event]) -> _T:
        """The item under way at a place, made if none was announced. It is now the open one."""
        item = self._items.get(place)
        if not isinstance(item, kind):
            item = self._make(place, {"type": name}, events)
        assert isinstance(item, kind), "made for this type"
        self._turn_to(item, events)
        return item

    def _make(self, place: int, item: dict[str, Any], events: list[Event]) -> StreamItem:
        self._start({}, events)
        before = self._items.pop(place, None)
        if before is not None:
            before.finish({}, self._maker, events)
        made = self._items[place] = item_of(item, place, self._calls)
        self._calls += isinstance(made, CallItem)
        self._all.append(made)
        return made

    def _turn_to(self, item: StreamItem, events: list[Event]) -> None:
        """A text or a reasoning that another item follows is no longer open."""
        if self._open is not item and self._open is not None:
            self._open.pause(events)
        self._open = item

    def _added(self, place: int, item: Any, events: list[Event]) -> None:
        if not isinstance(item, dict):
            return
        made = self._make(place, item, events)
        if isinstance(made, CallItem):
            self._turn_to(made, events)
            made.begin(item, events)

    def _item_done(self, place: int, item: Any, events: list[Event]) -> None:
        whole: dict[str, Any] = item if isinstance(item, dict) else {}
        under_way = self._items.get(place)
        if under_way is None:
            under_way = self._make(place, whole, events)
        self._turn_to(under_way, events)
        under_way.finish(whole, self._maker, events)
        self._open = None
        del self._items[place]
        self._done.add(place)

    def _end(self, kind: str, response: dict[str, Any], events: list[Event]) -> None:
        response.setdefault("status", kind.removeprefix("response."))
        failure = failure_in(response)
        if failure is not None:
            raise BrokenAnswer(failure)
        output = list_of(response.get("output"))
        for place, item in enumerate(output if len(output) > len(self._done) else ()):
            if place not in self._done:
                self._item_done(place, item, events)
        for place in sorted(self._items):
            self._item_done(place, {}, events)
        stop = read_stop(
            response,
            has_calls=self._calls > 0,
            has_refusal=any(isinstance(i, MessageItem) and i.has_refusal for i in self._all),
        )
        usage = read_usage(response.get("usage")) or Usage(reported=False)
        events.append(MessageEnd(stop=stop, stop_sequence=None, usage=usage))
        self._is_over = True


def _error(payload: bytes) -> Failure:
    """The failure of an error event, flat or nested."""
    try:
        value = msgspec.json.decode(payload)
    except NOT_JSON:
        # What the reader of events skips unread is only looked at here.
        return _NOT_JSON
    if isinstance(value.get("error"), dict | str):
        value = {"error": value["error"]}
    else:
        value.pop("type", None)
    message, code, kind, param = dig_value(value)
    return failure_of(0, message or "upstream error", code, kind, param)


def _reasoning_place(event: _Event) -> str:
    """Where a piece of reasoning belongs: a summary has an index of its own."""
    if event.summary_index is not None:
        return f"s{_index(event.summary_index)}"
    return f"c{_index(event.content_index)}"


def _index(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else 0
