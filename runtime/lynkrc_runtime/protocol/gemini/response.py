"""`GenerateContentResponse`s of one answer, to neutral events (wire reference B.8, C.3).

A whole answer is one of them, a stream many: both are read by the same `ResponseReader`.

>>> reader = ResponseReader("")
>>> events = reader.read(b'{"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}')
>>> [type(event).__name__ for event in events], reader.is_whole
(['MessageStart', 'TextDelta'], False)
"""

from typing import Any, final

import msgspec

from lynkrc_runtime.protocol import carrier
from lynkrc_runtime.protocol.conversation import (
    BlockEnd,
    BrokenAnswer,
    Event,
    Failure,
    MessageEnd,
    MessageStart,
    OpaqueEvent,
    RefusalDelta,
    Stop,
    TextDelta,
    ThinkingDelta,
    ThinkingEnd,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
)
from lynkrc_runtime.protocol.failures import broken, failure_of, value_failure
from lynkrc_runtime.protocol.gemini.usage import FAILED, read_stop, read_usage
from lynkrc_runtime.protocol.outside import NOT_JSON

NAME = "gemini"
"""The dialect."""

MALFORMED = broken("upstream sent a response that is malformed")

_BLOCKED = "PROHIBITED_CONTENT"
"""The finish reason that stands for a prompt that was not answered at all."""


@final
class _Call(msgspec.Struct):
    """A call; `args` as the model wrote them, so that no number is spelled anew."""

    name: Any = None
    id: Any = None
    args: msgspec.Raw = msgspec.Raw()


@final
class _Part(msgspec.Struct, rename="camel"):
    text: Any = None
    thought: Any = None
    thought_signature: Any = None
    function_call: _Call | None = None
    executable_code: Any = None
    code_execution_result: Any = None
    inline_data: Any = None
    file_data: Any = None


@final
class _Content(msgspec.Struct):
    parts: list[_Part] | None = None


@final
class _Candidate(msgspec.Struct, rename="camel"):
    content: _Content | None = None
    index: Any = 0
    finish_reason: Any = None
    finish_message: Any = None
    grounding_metadata: Any = None
    citation_metadata: Any = None
    url_context_metadata: Any = None
    logprobs_result: Any = None


@final
class _Response(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] | None = None
    prompt_feedback: Any = None
    usage_metadata: Any = None
    model_version: Any = None
    response_id: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(_Response).decode
_LOST_OF_CANDIDATE = {
    "grounding_metadata": "groundingMetadata",
    "citation_metadata": "citationMetadata",
    "url_context_metadata": "urlContextMetadata",
    "logprobs_result": "logprobsResult",
}


@final
class ResponseReader:
    """The responses of one answer, in order; `maker` seals what must return to the model."""

    __slots__ = (
        "_calls",
        "_finish",
        "_has_said",
        "_in_text",
        "_in_thinking",
        "_is_started",
        "_maker",
        "_message",
        "_usage",
    )

    def __init__(self, maker: str) -> None:
        self._maker = maker
        self._is_started = False
        self._in_thinking = False
        self._in_text = False
        self._has_said = False
        self._calls = 0
        self._finish: str | None = None
        self._message = ""
        self._usage: Usage | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the answer said how it ended."""
        return self._finish is not None

    def read(self, body: bytes) -> list[Event]:
        """The events of one response. Raises BrokenAnswer."""
        response = _parse(body)
        if response.error is not None:
            raise BrokenAnswer(value_failure(200, {}, {"error": response.error}))
        events: list[Event] = []
        self._usage = read_usage(response.usage_metadata) or self._usage
        if not self._is_started:
            self._is_started = True
            usage = self._usage or Usage(reported=False)
            answer_id, model = _text(response.response_id), _text(response.model_version)
            events.append(MessageStart(id=answer_id, model=model, usage=usage))
        for candidate in response.candidates or ():
            if candidate.index:
                events.append(_lost("candidates"))
            else:
                self._candidate(candidate, events)
        feedback = response.prompt_feedback
        if isinstance(feedback, dict) and feedback.get("blockReason") and not response.candidates:
            self._finish = self._finish or _BLOCKED
            self._message = self._message or _text(feedback.get("blockReasonMessage"))
        return events

    def end(self) -> list[Event]:
        """The last events of an answer that is whole. Raises BrokenAnswer."""
        finish = self._finish
        if finish is None:
            raise BrokenAnswer(broken("upstream's answer has no finish reason"))
        if finish in FAILED:
            # A bad gateway, as the wire reference has it (C.3, "finishReason").
            detail = f": {self._message}" if self._message else ""
            raise BrokenAnswer(failure_of(200, f"upstream ended with {finish}{detail}", "502"))
        events: list[Event] = []
        self._end_thinking(events)
        stop = read_stop(finish, has_calls=self._calls > 0)
        if stop is Stop.REFUSAL and self._message and not self._has_said:
            events.append(RefusalDelta(text=self._message))
        usage = self._usage or Usage(reported=False)
        events.append(MessageEnd(stop=stop, stop_sequence=None, usage=usage))
        return events

    def _candidate(self, candidate: _Candidate, events: list[Event]) -> None:
        for part in (candidate.content and candidate.content.parts) or ():
            self._part(part, events)
        for member, name in _LOST_OF_CANDIDATE.items():
            if getattr(candidate, member):
                events.append(_lost(name))
        if isinstance(candidate.finish_reason, str) and candidate.finish_reason:
            self._finish = candidate.finish_reason
            self._message = _text(candidate.finish_message)

    def _part(self, part: _Part, events: list[Event]) -> None:
        signature = _text(part.thought_signature)
        text = _text(part.text)
        if part.function_call is not None:
            self._sign(signature, events)
            self._call(part.function_call, events)
        elif part.thought:
            self._think(text, signature, events)
        elif text:
            if self._in_text and signature:
                # Its text has begun: what comes before it cannot be said any more.
                events.append(_lost("thoughtSignature"))
            elif not self._in_text:
                self._sign(signature, events)
            self._say(text, events)
        elif part.executable_code is not None:
            self._sign(signature, events)
            self._say(_code(part.executable_code), events)
        elif part.code_execution_result is not None:
            self._sign(signature, events)
            self._say(_outcome(part.code_execution_result), events)
        elif part.inline_data is not None or part.file_data is not None:
            events.append(_lost("inlineData" if part.inline_data is not None else "fileData"))
        elif signature:
            self._sign_nothing(signature, events)

    def _think(self, text: str, signature: str, events: list[Event]) -> None:
        self._end_text(events)
        self._in_thinking = True
        events.append(ThinkingDelta(text=text))
        if signature:
            self._sign(signature, events)

    def _say(self, text: str, events: list[Event]) -> None:
        if text:
            self._end_thinking(events)
            self._in_text = self._has_said = True
            events.append(TextDelta(text=text))

    def _sign(self, signature: str, events: list[Event]) -> None:
        """Before the part that carries `signature`: what a client replays with it."""
        sealed = carrier.seal(carrier.GEMINI, signature, self._maker) if signature else None
        if signature and sealed is None:
            events.append(_lost("thoughtSignature"))
        if sealed is not None and not self._in_thinking:
            self._end_text(events)
            self._in_thinking = True
            events.append(ThinkingDelta(text=""))
        self._end_thinking(events, sealed)

    def _sign_nothing(self, signature: str, events: list[Event]) -> None:
        """A signature on an empty text, which no request needs back.

        Reasoning under way takes it; a block of its own behind the answer would only stand where
        clients look for the last text.
        """
        if self._in_thinking:
            self._sign(signature, events)
        else:
            events.append(_lost("thoughtSignature"))

    def _end_thinking(self, events: list[Event], signature: str | None = None) -> None:
        if self._in_thinking:
            events.append(ThinkingEnd(signature=signature))
        self._in_thinking = False

    def _end_text(self, events: list[Event]) -> None:
        if self._in_text:
            events.append(BlockEnd())
        self._in_text = False

    def _call(self, call: _Call, events: list[Event]) -> None:
        self._end_text(events)
        self._has_said = True
        index = self._calls
        self._calls += 1
        # Without an id of the model's, the writer for the client makes one.
        events.append(ToolCallStart(index=index, id=_text(call.id), name=_text(call.name)))
        arguments = _arguments(call.args)
        if arguments:
            events.append(ToolCallDelta(index=index, json=arguments))
        events.append(ToolCallEnd(index=index))


def _parse(body: bytes) -> _Response:
    stripped = body.strip()
    if not stripped:
        raise BrokenAnswer(broken("upstream answered with an empty body"))
    if stripped[:1] == b"<":
        raise BrokenAnswer(broken("upstream answered with a web page, not JSON"))
    if stripped[:1] == b"[":
        # An error may come as a list of one.
        raise BrokenAnswer(_failure_of_list(stripped))
    try:
        return _decode(stripped)
    except NOT_JSON as error:
        raise BrokenAnswer(MALFORMED) from error


def _failure_of_list(body: bytes) -> Failure:
    try:
        items = msgspec.json.decode(body)
    except NOT_JSON:
        return broken("upstream answered with something else than an object")
    if items and isinstance(items[0], dict) and items[0].get("error"):
        return value_failure(200, {}, items[0])
    return broken("upstream answered with something else than an object")


def _arguments(args: msgspec.Raw) -> str:
    """The text of the arguments; '' without any. Raises BrokenAnswer."""
    given = bytes(args)
    try:
        value = msgspec.json.decode(given) if given else None
        return given.decode() if value is not None else ""
    except NOT_JSON as error:
        raise BrokenAnswer(MALFORMED) from error


def _code(given: Any) -> str:
    code = _text(given.get("code")) if isinstance(given, dict) else ""
    language = _text(given.get("language")).lower() if isinstance(given, dict) else ""
    return f"\n```{language}\n{code}\n```\n" if code else ""


def _outcome(given: Any) -> str:
    output = _text(given.get("output")) if isinstance(given, dict) else ""
    return f"\n```\n{output}\n```\n" if output else ""


def _lost(name: str) -> OpaqueEvent:
    return OpaqueEvent(dialect=NAME, type=name)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
