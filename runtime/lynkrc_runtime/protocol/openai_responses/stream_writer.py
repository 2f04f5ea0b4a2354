"""Neutral events, to the events of a Responses stream (wire reference A.3.3, C.5.5).

Every item is told of when it begins, in pieces, and once more when it is done; the response at the
end holds the done items. Items of calls may be open side by side, each with its own index.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, assert_never, final

from lynkrc_runtime.protocol import sse
from lynkrc_runtime.protocol.conversation import (
    BlockEnd,
    Delta,
    Event,
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
from lynkrc_runtime.protocol.dialect import AnswerContext, Problem
from lynkrc_runtime.protocol.estimate import estimate_text
from lynkrc_runtime.protocol.failures import stream_problem
from lynkrc_runtime.protocol.free_form import unwrapped
from lynkrc_runtime.protocol.openai_chat.answer import DECLINED
from lynkrc_runtime.protocol.openai_responses.errors import response_error
from lynkrc_runtime.protocol.openai_responses.output_items import (
    COMPLETED,
    IN_PROGRESS,
    Json,
    Offered,
    call_id,
    carried_redacted,
    carried_signature,
    custom_item,
    function_item,
    item_id,
    last_status,
    message_item,
    offered_by,
    outcome,
    reasoning_item,
    refusal_part,
    text_part,
)
from lynkrc_runtime.protocol.openai_responses.response_object import response_base, write_usage

_KEEP_ALIVE = b": keep-alive\n\n"


@final
class _Item:
    """An item under way. `kind` is its type, `pieces` the text so far of it or of its open part."""

    __slots__ = (
        "around",
        "call",
        "head",
        "id",
        "index",
        "is_raw",
        "kind",
        "part",
        "parts",
        "pieces",
    )

    def __init__(self, kind: str, index: int, context: AnswerContext) -> None:
        self.kind = kind
        self.index = index
        self.id = item_id(kind, context, index)
        self.pieces: list[str] = []
        self.parts: list[Json] = []
        self.part: str | None = None
        """Kind of the open part of a message or a summary: output_text, refusal, summary_text."""
        self.around: tuple[bytes, bytes, bytes] | None = None
        """What stands around number and text of a delta, once there was one of the open part."""
        self.call = ""
        self.head: Json = {}
        self.is_raw = False
        """The pieces of a free-form call are its input as it is, not JSON around it."""

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@final
class ResponsesStreamWriter:
    """One client's stream. After the end or an error it writes nothing more."""

    __slots__ = (
        "_base",
        "_calls",
        "_context",
        "_done",
        "_ended",
        "_is_over",
        "_message",
        "_next",
        "_offered",
        "_out",
        "_refused",
        "_said",
        "_sequence",
        "_started",
        "_thought",
        "_tokens",
    )

    def __init__(self, context: AnswerContext) -> None:
        self._context = context
        self._base: Json = {}
        self._offered: Offered | None = None
        self._out: list[bytes] = []
        self._sequence = 0
        self._next = 0
        self._done: dict[int, Json] = {}
        self._calls: dict[int, _Item] = {}
        self._message: _Item | None = None
        self._thought: _Item | None = None
        self._ended: _Item | None = None
        """A call that is whole; done once it is known that it was not cut off."""
        self._tokens = 0
        self._said = self._refused = self._started = self._is_over = False

    def write(self, event: Event) -> bytes:
        """The bytes this event adds."""
        if not self._is_over:
            if type(event) is TextDelta and event.text:
                item = self._open_item(event)
                if item is not None:
                    return self._more(item, event.text)
            self._take(event)
        return self._taken()

    def pen(self, like: Delta) -> Callable[[str], bytes] | None:
        """See `StreamWriter.pen`."""
        item = None if self._is_over else self._open_item(like)
        return None if item is None else partial(self._more, item)

    def _open_item(self, like: Delta) -> _Item | None:
        """Of which it says more; None where something is to be told of first."""
        if self._ended is not None:
            return None
        if type(like) is TextDelta:
            item = self._message
            return item if item is not None and item.part == "output_text" else None
        if type(like) is ThinkingDelta:
            item = self._thought
            return item if item is not None and item.part is not None else None
        assert isinstance(like, ToolCallDelta)
        item = self._calls.get(like.index)
        return item if item is not None and item.kind == "function_call" else None

    def _more(self, item: _Item, text: str) -> bytes:
        """More of what is open of the item."""
        self._tokens += estimate_text(text)
        item.pieces.append(text)
        before, middle, behind = item.around or _spelling(item)
        number = self._sequence
        self._sequence = number + 1
        return b"%b%d%b%b%b" % (before, number, middle, sse.to_json(text), behind)

    def fail(self, problem: Problem) -> bytes:
        """See `StreamWriter.fail`: the response failed; begun first where it had not."""
        if self._is_over:
            return b""
        self._is_over = True
        self._start()
        self._end("failed", error=response_error(problem))
        return self._taken()

    def keep_alive(self) -> bytes:
        """A comment: an event without data would break clients (wire reference A.0)."""
        return _KEEP_ALIVE

    def passed(self, piece: bytes, events: list[Event], /) -> None:
        """See `StreamWriter.passed`: an error of ours must go on with its ids and numbers."""
        self._sequence += b"data:" in piece
        if self._started:
            return
        for event in events:
            if isinstance(event, MessageStart):
                self._started = True
                self._base = response_base(self._context)
                if event.id:
                    self._base["id"] = event.id

    def passed_plain(self, count: int, /) -> None:
        """See `StreamWriter.passed_plain`: each has a number."""
        self._sequence += count

    def _taken(self) -> bytes:
        data = b"".join(self._out)
        self._out.clear()
        return data

    def _take(self, event: Event) -> None:
        self._start()
        match event:
            case MessageStart() | OpaqueEvent():
                return
            case MessageEnd():
                self._finish(event)
                return
            case StreamError():
                self._out.append(self.fail(stream_problem(event, self._context.request_id)))
                return
            case _:
                self._settle()
        match event:
            case TextDelta(text=text):
                self._say("output_text", text)
            case RefusalDelta(text=text):
                self._say("refusal", text)
            case BlockEnd():
                self._end_part()
            case ThinkingDelta(text=text):
                self._think(text)
            case ThinkingEnd(signature=signature):
                self._think("")
                self._end_thought(signature)
            case RedactedThinkingBlock(data=data):
                self._end_text(COMPLETED)
                item = self._new("reasoning")
                self._begin(item, reasoning_item(item.id, "", None))
                self._finish_item(item, reasoning_item(item.id, "", carried_redacted(data)))
            case ToolCallStart():
                self._begin_call(event)
            case ToolCallDelta(index=index, json=piece):
                self._argue(self._calls[index], piece)
            case ToolCallEnd(index=index):
                self._ended = self._calls.pop(index)
            case _:
                assert_never(event)

    # -- the response ------------------------------------------------------------------------

    def _start(self) -> None:
        if self._started:
            return
        self._started = True
        self._base = response_base(self._context)
        self._emit("response.created", response=self._base)
        self._emit("response.in_progress", response=self._base)

    def _finish(self, event: MessageEnd) -> None:
        if event.stop is Stop.REFUSAL and not self._said:
            self._say("refusal", DECLINED)
        # An upstream may end well without closing its calls one by one.
        whole = [] if self._ended is None else [self._ended]
        for item in sorted((*whole, *self._calls.values()), key=lambda item: item.index):
            is_last = item.index == self._next - 1
            self._end_call(item, last_status(event.stop) if is_last else COMPLETED)
        self._end_text(last_status(event.stop))
        self._is_over = True
        usage = event.usage
        if not usage.reported:
            usage = Usage(input=self._context.input_estimate(), output=self._tokens)
        ending, details = outcome(event.stop, refused=self._refused)
        self._end(ending, incomplete_details=details, usage=write_usage(usage))

    def _end(self, status: str, **members: Any) -> None:
        output = [self._done[index] for index in sorted(self._done)]
        response = self._base | {"status": status, "output": output, **members}
        self._emit(f"response.{status}", response=response)

    def _emit(self, name: str, /, **members: Any) -> None:
        value = {"type": name, "sequence_number": self._sequence, **members}
        self._sequence += 1
        self._out.append(sse.event_bytes(name, value))

    # -- items -------------------------------------------------------------------------------

    def _begin(self, item: _Item, value: Json) -> None:
        self._next += 1
        self._emit("response.output_item.added", output_index=item.index, item=value)

    def _new(self, kind: str) -> _Item:
        return _Item(kind, self._next, self._context)

    def _finish_item(self, item: _Item, value: Json) -> None:
        self._done[item.index] = value
        self._emit("response.output_item.done", output_index=item.index, item=value)

    def _of(self, item: _Item, event: str, /, **members: Any) -> None:
        """An event inside an item."""
        self._emit(f"response.{event}", item_id=item.id, output_index=item.index, **members)

    def _settle(self) -> None:
        """The call that has ended is done: more came after it."""
        item, self._ended = self._ended, None
        if item is not None:
            self._end_call(item, COMPLETED)

    def _end_text(self, status: str) -> None:
        """Close the message and the reasoning that are open."""
        if self._thought is not None:
            self._end_thought(None)
        self._end_part()
        item, self._message = self._message, None
        if item is not None:
            self._finish_item(item, message_item(item.id, item.parts, status))

    # -- what is said ------------------------------------------------------------------------

    def _say(self, kind: str, text: str) -> None:
        if not text:
            return
        self._said = True
        self._refused = self._refused or kind == "refusal"
        self._tokens += estimate_text(text)
        item = self._message
        if item is None:
            self._end_text(COMPLETED)
            item = self._message = self._new("message")
            self._begin(item, message_item(item.id, [], IN_PROGRESS))
        if item.part != kind:
            self._end_part()
            item.part = kind
            place = len(item.parts)
            part = text_part("") if kind == "output_text" else refusal_part("")
            self._of(item, "content_part.added", content_index=place, part=part)
        item.pieces.append(text)
        place = len(item.parts)
        if kind == "output_text":
            self._of(item, "output_text.delta", content_index=place, delta=text, logprobs=[])
        else:
            self._of(item, "refusal.delta", content_index=place, delta=text)

    def _end_part(self) -> None:
        item = self._message
        if item is None or item.part is None:
            return
        text, place = item.text, len(item.parts)
        if item.part == "output_text":
            part = text_part(text)
            self._of(item, "output_text.done", content_index=place, text=text, logprobs=[])
        else:
            part = refusal_part(text)
            self._of(item, "refusal.done", content_index=place, refusal=text)
        self._of(item, "content_part.done", content_index=place, part=part)
        item.parts.append(part)
        item.pieces.clear()
        item.part = item.around = None

    # -- what is thought ---------------------------------------------------------------------

    def _think(self, text: str) -> None:
        item = self._thought
        if item is None:
            self._end_text(COMPLETED)
            item = self._thought = self._new("reasoning")
            self._begin(item, reasoning_item(item.id, "", None))
        if not text:
            return
        self._tokens += estimate_text(text)
        if item.part is None:
            item.part = "summary_text"
            part = {"type": "summary_text", "text": ""}
            self._of(item, "reasoning_summary_part.added", summary_index=0, part=part)
        item.pieces.append(text)
        self._of(item, "reasoning_summary_text.delta", summary_index=0, delta=text)

    def _end_thought(self, signature: str | None) -> None:
        item, self._thought = self._thought, None
        if item is None:
            return
        text = item.text
        if text:
            part = {"type": "summary_text", "text": text}
            self._of(item, "reasoning_summary_text.done", summary_index=0, text=text)
            self._of(item, "reasoning_summary_part.done", summary_index=0, part=part)
        carried = carried_signature(signature, self._context.model)
        self._finish_item(item, reasoning_item(item.id, text, carried))

    # -- what is called ----------------------------------------------------------------------

    def _begin_call(self, event: ToolCallStart) -> None:
        self._end_text(COMPLETED)
        if self._offered is None:
            self._offered = offered_by(self._context.request)
        head, is_free_form = self._offered.head(event.name)
        item = self._new("custom_tool_call" if event.custom or is_free_form else "function_call")
        item.head, item.is_raw = head, event.custom
        item.call = call_id(event.id, self._context, item.index)
        self._said = True
        self._calls[event.index] = item
        self._tokens += estimate_text(event.name)
        self._begin(item, self._call_value(item, "", IN_PROGRESS))

    def _argue(self, item: _Item, piece: str) -> None:
        if not piece:
            return
        self._tokens += estimate_text(piece)
        item.pieces.append(piece)
        if item.kind == "function_call":
            self._of(item, "function_call_arguments.delta", delta=piece)
        elif item.is_raw:
            self._of(item, "custom_tool_call_input.delta", delta=piece)

    def _end_call(self, item: _Item, status: str) -> None:
        text = item.text
        if item.kind == "function_call":
            if not text:
                text = "{}"
                self._of(item, "function_call_arguments.delta", delta=text)
            self._of(item, "function_call_arguments.done", arguments=text)
        else:
            if not item.is_raw:
                text = unwrapped(text)
                self._of(item, "custom_tool_call_input.delta", delta=text)
            self._of(item, "custom_tool_call_input.done", input=text)
        self._finish_item(item, self._call_value(item, text, status))

    def _call_value(self, item: _Item, text: str, status: str) -> Json:
        if item.kind == "function_call":
            return function_item(item.id, item.call, item.head, text, status)
        return custom_item(item.id, item.call, item.head, text)


def _spelling(item: _Item) -> tuple[bytes, bytes, bytes]:
    """What stands around the number and the text of a delta of the item's open part."""
    more: Json = {}
    match item.kind:
        case "message":
            name, place, more = "output_text", {"content_index": len(item.parts)}, {"logprobs": []}
        case "reasoning":
            name, place = "reasoning_summary_text", {"summary_index": 0}
        case _:
            name, place = "function_call_arguments", {}
    name = f"response.{name}.delta"
    value = {"type": name, "sequence_number": 0, "item_id": item.id, "output_index": item.index}
    head, behind = sse.around(sse.event_bytes(name, value | place | {"delta": ""} | more), "delta")
    before, number, middle = head.partition(b'"sequence_number":')
    item.around = (before + number, middle[1:], behind)
    return item.around
