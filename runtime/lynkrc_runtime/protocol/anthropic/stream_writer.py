"""Neutral events, to the bytes of a Messages stream (wire reference A.1.6, C.1.10).

`message_start` comes first and once; blocks are numbered without gaps and never overlap. Where an
upstream's calls interleave, the earliest unfinished one is streamed and everything else waits, in
order. Pieces of arguments go out only while they are the beginning of valid JSON.
"""

from collections import deque
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, assert_never, final

import msgspec

from lynkrc_runtime.protocol import carrier, sse
from lynkrc_runtime.protocol.anthropic.errors import error_event
from lynkrc_runtime.protocol.anthropic.usage import settle_stop, write_stop, write_usage
from lynkrc_runtime.protocol.anthropic.write_blocks import ID_LIMIT
from lynkrc_runtime.protocol.conversation import (
    BlockEnd,
    Delta,
    Event,
    MessageEnd,
    MessageStart,
    OpaqueEvent,
    RedactedThinkingBlock,
    RefusalDelta,
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
from lynkrc_runtime.protocol.failures import broken, stream_problem
from lynkrc_runtime.protocol.free_form import wrapped
from lynkrc_runtime.protocol.json_prefix import JsonPrefix
from lynkrc_runtime.protocol.known_tools import originals_of
from lynkrc_runtime.protocol.naming import legal_id

_DELTAS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "text": ("text_delta", "text"),
        "thinking": ("thinking_delta", "thinking"),
        "tool_use": ("input_json_delta", "partial_json"),
    }
)
"""Type and member of the deltas of each kind of block."""
_COMMENT = b": keep-alive\n\n"
_PING = sse.event_bytes("ping", {"type": "ping"})


@final
class _Call:
    """A call under way: what came of its arguments, and whether they may still go out."""

    __slots__ = ("begun", "is_raw", "name", "prefix", "waiting", "wrapped")

    def __init__(self, name: str, *, is_raw: bool) -> None:
        self.name = name
        self.is_raw = is_raw
        """A free-form call: its input is held back and given as the text of an object."""
        self.prefix = JsonPrefix()
        self.begun = False
        self.waiting: list[str] = []
        self.wrapped = False
        """The arguments are no object: they are held back and given as one (C.1.4)."""

    @property
    def is_told(self) -> bool:
        """Whether the client has every piece so far, and is to have the next as it comes."""
        return self.begun and not self.is_raw and not self.wrapped and not self.waiting


class _BadArguments(Exception):
    """The model wrote arguments that no client could parse."""


@final
class MessagesWriter:
    """One answer's stream. `write` may return b'' while something is held back."""

    __slots__ = (
        "_around",
        "_call",
        "_call_index",
        "_calls",
        "_context",
        "_declines",
        "_ended",
        "_ids",
        "_later",
        "_names",
        "_next",
        "_open",
        "_out",
        "_refused",
        "_started",
        "_tokens",
        "_waiting",
    )

    def __init__(self, context: AnswerContext) -> None:
        self._context = context
        self._names: Mapping[str, str] | None = None
        self._out: list[bytes] = []
        self._open: str | None = None
        self._around: tuple[bytes, bytes] | None = None
        """What stands around the text of a delta of the open block, once there was one."""
        self._declines = False
        self._next = 0
        self._call: _Call | None = None
        self._call_index = -1
        self._later: deque[list[Event]] = deque()
        """What waits, in order: an event alone, or all that came of a call."""
        self._waiting: dict[int, list[Event]] = {}
        """Those of calls that are not whole, by index."""
        self._calls = 0
        self._ids: set[str] = set()
        self._started = False
        self._refused = False
        self._ended = False
        self._tokens = 0

    def write(self, event: Event) -> bytes:
        """The bytes this event adds; nothing after the end or an error."""
        if self._ended:
            return b""
        # Most events: more of the block that is open, and nothing waits.
        if type(event) is TextDelta or type(event) is ThinkingDelta:
            text = event.text if self._is_open(event) else ""
            if text:
                return self._piece(text)
        try:
            self._take(event)
        except _BadArguments as error:
            self._fail(StreamError(failure=broken(str(error))))
        data = b"".join(self._out)
        self._out.clear()
        return data

    def pen(self, like: Delta) -> Callable[[str], bytes] | None:
        """See `StreamWriter.pen`."""
        if type(like) is ToolCallDelta:
            call = self._call
            is_same = call is not None and like.index == self._call_index and not self._ended
            return self._argue if is_same and call is not None and call.is_told else None
        return self._piece if self._is_open(like) else None

    def _is_open(self, like: Delta) -> bool:
        """Whether it says more of the text or the reasoning that is open, and nothing waits."""
        if type(like) is TextDelta:
            is_same = self._open == "text" and not self._declines
        else:
            is_same = self._open == "thinking" and type(like) is ThinkingDelta
        return is_same and not self._ended

    def _piece(self, text: str) -> bytes:
        """More of the block that is open."""
        self._tokens += estimate_text(text)
        before, behind = self._around or self._spelling()
        return b"".join((before, sse.to_json(text), behind))

    def keep_alive(self) -> bytes:
        """A comment before `message_start`, a ping after it."""
        if self._ended:
            return b""
        return _PING if self._started else _COMMENT

    def fail(self, problem: Problem) -> bytes:
        """See `StreamWriter.fail`."""
        if self._ended:
            return b""
        self._ended = True
        return error_event(problem)

    def passed(self, _piece: bytes, events: list[Event], /) -> None:
        """See `StreamWriter.passed`: pings are legal once the message has started."""
        if not self._started:
            self._started = any(isinstance(event, MessageStart) for event in events)

    def passed_plain(self, _count: int, /) -> None:
        """See `StreamWriter.passed_plain`: the message has started by then."""

    def _take(self, event: Event) -> None:
        match event:
            case StreamError():
                self._fail(event)
            case MessageEnd():
                self._finish(event)
            case MessageStart():
                self._start(event.usage)
            case _ if self._must_wait(event):
                self._wait(event)
            case _:
                self._handle(event)
                self._resume()

    def _must_wait(self, event: Event) -> bool:
        """Whether a call is being streamed and the event is not of it."""
        if self._call is None:
            return False
        if isinstance(event, ToolCallDelta | ToolCallEnd):
            return event.index != self._call_index
        return True

    def _wait(self, event: Event) -> None:
        if isinstance(event, ToolCallDelta | ToolCallEnd):
            self._waiting[event.index].append(event)
            return
        waiting: list[Event] = [event]
        self._later.append(waiting)
        if isinstance(event, ToolCallStart):
            self._waiting[event.index] = waiting

    def _resume(self) -> None:
        """Take up what waited, as far as the next unfinished call lets it."""
        while self._call is None and self._later:
            for event in self._later.popleft():
                self._handle(event)
            # What comes of a call that goes on need not wait any more.
            self._waiting.pop(self._call_index, None)

    def _handle(self, event: Event) -> None:
        if not self._started:
            self._start(Usage())
        match event:
            case TextDelta(text=text):
                self._text(text, declines=False)
            case RefusalDelta(text=text):
                self._refused = True
                self._text(text, declines=True)
            case ThinkingDelta(text=text):
                self._thinking(text)
            case ThinkingEnd(signature=signature):
                self._thinking("")
                self._close(signature)
            case RedactedThinkingBlock(data=data):
                self._close()
                self._begin("redacted_thinking", {"data": data})
                self._close()
            case ToolCallStart():
                self._begin_call(event)
            case ToolCallDelta(json=piece):
                self._arguments(piece)
            case ToolCallEnd():
                self._end_call()
            case BlockEnd():
                if self._open == "text":
                    self._close()
            case OpaqueEvent():
                pass
            case MessageStart() | MessageEnd() | StreamError():
                raise ValueError(f"not part of a block: {event}")
            case _:
                assert_never(event)

    # -- the frame ---------------------------------------------------------------------------

    def _start(self, usage: Usage) -> None:
        if self._started:
            return
        self._started = True
        if not usage.input + usage.cache_read + usage.cache_write:
            usage = Usage(input=self._context.input_estimate())
        message: dict[str, Any] = {
            "id": f"msg_{self._context.id}",
            "type": "message",
            "role": "assistant",
            "model": self._context.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": write_usage(usage),
        }
        self._emit("message_start", message=message)

    def _finish(self, event: MessageEnd) -> None:
        self._start(event.usage)
        while self._call is not None:
            # The upstream ended well without closing its calls one by one.
            self._end_call()
            self._resume()
        self._close()
        if not self._next:
            # Some clients want at least one block.
            self._begin("text", {"text": ""})
            self._close()
        stop = settle_stop(event.stop, has_calls=self._calls > 0, refused=self._refused)
        usage = event.usage
        if not usage.reported:
            usage = Usage(input=self._context.input_estimate(), output=self._tokens)
        self._emit(
            "message_delta",
            delta=write_stop(stop, event.stop_sequence),
            usage=write_usage(usage),
        )
        self._emit("message_stop")
        self._ended = True

    def _fail(self, error: StreamError) -> None:
        self._out.append(self.fail(stream_problem(error, self._context.request_id)))

    def _emit(self, name: str, **members: Any) -> None:
        self._out.append(sse.event_bytes(name, {"type": name, **members}))

    # -- blocks ------------------------------------------------------------------------------

    def _begin(self, kind: str, members: dict[str, Any]) -> None:
        self._open, self._around = kind, None
        self._emit("content_block_start", index=self._next, content_block={"type": kind, **members})

    def _delta(self, kind: str, member: str, value: str) -> None:
        delta = {"type": kind, member: value}
        self._emit("content_block_delta", index=self._next, delta=delta)

    def _spelling(self) -> tuple[bytes, bytes]:
        """What stands around the texts of the open block."""
        assert self._open is not None
        kind, member = _DELTAS[self._open]
        value = {"type": "content_block_delta", "index": self._next}
        event = sse.event_bytes(
            "content_block_delta", value | {"delta": {"type": kind, member: ""}}
        )
        self._around = sse.around(event, member)
        return self._around

    def _close(self, signature: str | None = None) -> None:
        if self._open is None:
            return
        if self._open == "thinking":
            signature = signature or carrier.mark(self._context.model)
            self._delta("signature_delta", "signature", signature)
        self._emit("content_block_stop", index=self._next)
        self._open = None
        self._next += 1

    def _text(self, text: str, *, declines: bool) -> None:
        """More of a text; a refusal is one of its own, as in a whole answer."""
        if not text:
            return
        if self._open != "text" or declines != self._declines:
            self._close()
            self._begin("text", {"text": ""})
        self._declines = declines
        self._tokens += estimate_text(text)
        self._delta("text_delta", "text", text)

    def _thinking(self, text: str) -> None:
        if self._open != "thinking":
            self._close()
            self._begin("thinking", {"thinking": "", "signature": ""})
        if text:
            self._tokens += estimate_text(text)
            self._delta("thinking_delta", "thinking", text)

    def _argue(self, piece: str) -> bytes:
        """More of the arguments of a call that is told of as it comes."""
        call = self._call
        if call is None or self._ended:
            return b""
        if not call.prefix.feed(piece):
            self._fail(StreamError(failure=broken(_malformed(call))))
            return self._out.pop()
        return self._piece(piece)

    # -- calls -------------------------------------------------------------------------------

    def _begin_call(self, event: ToolCallStart) -> None:
        self._close()
        call_id = legal_id(event.id or f"{self._context.id}.{self._next}", limit=ID_LIMIT)
        if call_id in self._ids:
            call_id = f"{call_id}__{self._next}"
        self._ids.add(call_id)
        if self._names is None:
            self._names = originals_of(self._context.request.tools)
        name = self._names.get(event.name, event.name)
        self._call = _Call(name, is_raw=event.custom)
        self._call_index = event.index
        self._calls += 1
        self._begin("tool_use", {"id": call_id, "name": name, "input": {}})

    def _arguments(self, piece: str) -> None:
        call = self._call
        if call is None:
            raise ValueError("arguments for a call that is not open")
        self._tokens += estimate_text(piece)
        if call.is_raw:
            call.waiting.append(piece)
            return
        if not call.prefix.feed(piece):
            raise _BadArguments(_malformed(call))
        if not call.begun and piece.strip():
            call.begun = True
            call.wrapped = not piece.lstrip().startswith("{")
        call.waiting.append(piece)
        if call.begun and not call.wrapped:
            self._delta("input_json_delta", "partial_json", "".join(call.waiting))
            call.waiting.clear()

    def _end_call(self) -> None:
        call = self._call
        if call is None:
            raise ValueError("the end of a call that is not open")
        self._call = None
        if call.is_raw:
            self._delta("input_json_delta", "partial_json", wrapped("".join(call.waiting)))
        elif call.wrapped:
            text = "".join((*call.waiting, call.prefix.closing())).strip()
            if text != "null":
                whole = msgspec.json.encode({"value": msgspec.Raw(text)}).decode()
                self._delta("input_json_delta", "partial_json", whole)
        elif call.begun and not call.prefix.is_complete:
            # Pieces cannot be recalled: close what the model left open.
            self._delta("input_json_delta", "partial_json", call.prefix.closing())
        self._close()


def _malformed(call: _Call) -> str:
    return f"the model wrote malformed arguments for the tool {call.name}"
