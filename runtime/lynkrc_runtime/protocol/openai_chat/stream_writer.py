"""Neutral events, to the chunks of a Chat stream (wire reference A.2.3, C.1.11).

Every chunk has the same id, time and model. Calls are numbered over calls only; id and name come
once, since clients append what comes again.
"""

from collections.abc import Callable, Mapping
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
    RedactedThinking,
    RedactedThinkingBlock,
    RefusalDelta,
    Stop,
    StreamError,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ThinkingEnd,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)
from lynkrc_runtime.protocol.dialect import AnswerContext, Problem
from lynkrc_runtime.protocol.failures import stream_problem
from lynkrc_runtime.protocol.free_form import unwrapped
from lynkrc_runtime.protocol.known_tools import originals_of
from lynkrc_runtime.protocol.openai_chat.answer import DECLINED
from lynkrc_runtime.protocol.openai_chat.call_ids import made_id
from lynkrc_runtime.protocol.openai_chat.errors import error_event
from lynkrc_runtime.protocol.openai_chat.reasoning_details import Details
from lynkrc_runtime.protocol.openai_chat.usage import write_finish, write_usage

_DONE = b"data: [DONE]\n\n"
_KEEP_ALIVE = b": keep-alive\n\n"


@final
class _Call:
    """A call the client has been told of. `pieces` collects a free-form call, else None.

    `is_raw`: they are its input as it is, not JSON around it.
    """

    __slots__ = ("around", "has_arguments", "is_raw", "number", "pieces")

    def __init__(self, number: int, *, is_free_form: bool, is_raw: bool) -> None:
        self.number = number
        self.has_arguments = False
        self.around: tuple[bytes, bytes] | None = None
        self.is_raw = is_raw
        self.pieces: list[str] | None = [] if is_free_form else None


@final
class ChatStreamWriter:
    """One client's stream. After the end or an error it writes nothing more."""

    __slots__ = (
        "_around",
        "_calls",
        "_context",
        "_details",
        "_free_form",
        "_has_refusal",
        "_has_said",
        "_is_over",
        "_is_started",
        "_names",
        "_thought",
        "_with_usage",
    )

    def __init__(self, context: AnswerContext) -> None:
        tools = context.request.tools
        self._context = context
        self._around: dict[str, tuple[bytes, bytes]] = {}
        """What stands around the text of a delta, by its member."""
        self._names: Mapping[str, str] | None = None
        self._free_form = {tool.name for tool in tools if tool.kind == "custom"}
        self._with_usage = context.request.options.include_usage
        self._calls: dict[int, _Call] = {}
        self._is_started = False
        self._is_over = False
        self._has_said = False
        self._has_refusal = False
        self._details = Details()
        self._thought: list[str] = []

    def write(self, event: Event) -> bytes:
        """The bytes this event adds."""
        if self._is_over:
            return b""
        match event:
            # Most are one: cases are tried one after the other.
            case TextDelta(text=text):
                self._has_said = self._has_said or bool(text)
                return self._signed(None) + self._start() + self._content(text) if text else b""
            case MessageStart():
                return self._start()
            case RefusalDelta(text=text):
                self._has_refusal = self._has_refusal or bool(text)
                return self._signed(None) + self._delta({"refusal": text}) if text else b""
            case ThinkingDelta(text=text):
                return self._start() + self._reasoning(text) if text else b""
            case ThinkingEnd(signature=signature):
                self._details.add(Thinking(text="".join(self._thought), signature=signature))
                self._thought.clear()
                return b""
            case RedactedThinkingBlock(data=data):
                self._details.add(RedactedThinking(data=data))
                return b""
            case ToolCallStart():
                return self._call_start(event)
            case ToolCallDelta():
                return self._call_delta(event)
            case ToolCallEnd(index=index):
                return self._call_end(self._calls[index])
            case BlockEnd() | OpaqueEvent():
                # Chat has neither blocks nor a place for what only one dialect understands.
                return b""
            case MessageEnd():
                return self._end(event)
            case StreamError():
                return self.fail(stream_problem(event, self._context.request_id))
            case _:
                assert_never(event)

    def pen(self, like: Delta) -> Callable[[str], bytes] | None:
        """See `StreamWriter.pen`."""
        if not self._is_started or self._is_over:
            return None
        if type(like) is TextDelta:
            if not self._has_said or self._details.waits:
                return None
            return sse.pen(self._around.get("content") or self._spelling("content"))
        if type(like) is ThinkingDelta:
            return self._reasoning
        assert isinstance(like, ToolCallDelta)
        call = self._calls.get(like.index)
        # The call is told of, and has had arguments of its own.
        return None if call is None or call.around is None else partial(_arguments, call.around)

    def keep_alive(self) -> bytes:
        """A comment: an event without data would break clients (wire reference A.0)."""
        return _KEEP_ALIVE

    def fail(self, problem: Problem) -> bytes:
        """See `StreamWriter.fail`."""
        if self._is_over:
            return b""
        self._is_over = True
        return error_event(problem)

    def passed(self, _piece: bytes, _events: list[Event], /) -> None:
        """See `StreamWriter.passed`: nothing of Chat's depends on what came before."""

    def passed_plain(self, _count: int, /) -> None:
        """See `StreamWriter.passed_plain`: nothing of Chat's depends on what came before."""

    def _start(self) -> bytes:
        if self._is_started:
            return b""
        self._is_started = True
        return self._chunk({"role": "assistant", "content": ""}, None)

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return self._start() + self._chunk(delta, None)

    def _content(self, text: str) -> bytes:
        """A delta of nothing but a text: most of a stream, and alike but for that."""
        before, behind = self._around.get("content") or self._spelling("content")
        return b"".join((before, sse.to_json(text), behind))

    def _reasoning(self, text: str) -> bytes:
        self._thought.append(text)
        member = "reasoning_content"
        before, behind = self._around.get(member) or self._spelling(member)
        return b"".join((before, sse.to_json(text), behind))

    def _spelling(self, member: str) -> tuple[bytes, bytes]:
        """What stands around the text of such a delta."""
        chunk = self._chunk({member: ""}, None)
        around = self._around[member] = sse.around(chunk, member)
        return around

    def _signed(self, call_id: str | None) -> bytes:
        """What the reasoning before this is signed with, if it is."""
        entries = self._details.take(call_id)
        return self._delta({"reasoning_details": entries}) if entries else b""

    def _call_start(self, event: ToolCallStart) -> bytes:
        if self._names is None:
            self._names = originals_of(self._context.request.tools)
        name = self._names.get(event.name, event.name)
        call = _Call(
            len(self._calls),
            is_free_form=event.custom or name in self._free_form,
            is_raw=event.custom,
        )
        self._calls[event.index] = call
        context = self._context
        call_id = event.id or made_id(context.id, context.created, call.number)
        signed = self._signed(call_id)
        entry: dict[str, Any] = {"index": call.number, "id": call_id}
        if call.pieces is None:
            entry |= {"type": "function", "function": {"name": name, "arguments": ""}}
        else:
            entry |= {"type": "custom", "custom": {"name": name, "input": ""}}
        return signed + self._delta({"tool_calls": [entry]})

    def _call_delta(self, event: ToolCallDelta) -> bytes:
        call = self._calls[event.index]
        if not event.json:
            return b""
        if call.pieces is not None:
            call.pieces.append(event.json)
            return b""
        call.has_arguments = True
        if call.around is None:
            entry = {"index": call.number, "function": {"arguments": ""}}
            call.around = sse.around(self._chunk({"tool_calls": [entry]}, None), "arguments")
        return self._start() + _arguments(call.around, event.json)

    def _call_end(self, call: _Call) -> bytes:
        if call.pieces is not None:
            text = "".join(call.pieces)
            text = text if call.is_raw else unwrapped(text)
            call.pieces.clear()
            entry: dict[str, Any] = {"index": call.number, "custom": {"input": text}}
        elif call.has_arguments:
            return b""
        else:
            entry = {"index": call.number, "function": {"arguments": "{}"}}
        return self._delta({"tool_calls": [entry]})

    def _end(self, event: MessageEnd) -> bytes:
        self._is_over = True
        written = self._signed(None) + self._start()
        if event.stop is Stop.REFUSAL and not (self._has_said or self._has_refusal or self._calls):
            self._has_refusal = True
            written += self._delta({"refusal": DECLINED})
        finish = write_finish(
            event.stop, has_calls=bool(self._calls), has_refusal=self._has_refusal
        )
        written += self._chunk({}, finish)
        if self._with_usage and event.usage.reported:
            chunk = self._base([])
            chunk["usage"] = write_usage(event.usage)
            written += sse.data_bytes(chunk)
        return written + _DONE

    def _chunk(self, delta: dict[str, Any], finish: str | None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        chunk = self._base([choice])
        if self._with_usage:
            chunk["usage"] = None
        return sse.data_bytes(chunk)

    def _base(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{self._context.id}",
            "object": "chat.completion.chunk",
            "created": self._context.created,
            "model": self._context.model,
            "choices": choices,
        }


def _arguments(around: tuple[bytes, bytes], text: str) -> bytes:
    """More of the arguments of a call."""
    return b"".join((around[0], sse.to_json(text), around[1]))
