"""One streamed attempt: upstream bytes to client bytes, with commit, keep-alives and time-outs.

Nothing reaches the client before the *commit*: the first content, tool call or finish; an error
until then still moves down the chain. When `commit_after` has passed since the request came, the
headers and what was held go out anyway. After commit a break ends with the dialect's error event,
never with a clean end.

Same dialect on both sides: whole events pass as the bytes they came in, and a reader beside them
sees usage, errors and the end. Otherwise every event is written anew.
"""

import asyncio
from typing import final

from lynkrc_runtime.attempt import Fault, Try
from lynkrc_runtime.protocol.conversation import (
    BlockEnd,
    BrokenAnswer,
    Event,
    Failure,
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
)
from lynkrc_runtime.protocol.dialect import AnswerContext
from lynkrc_runtime.protocol.failures import broken
from lynkrc_runtime.protocol.openai_chat.usage_chunk import strip_usage_chunk
from lynkrc_runtime.protocol.pieces import EventSplitter
from lynkrc_runtime.protocol.sse import EventTooLarge, SseParser
from lynkrc_runtime.server.answers import MAX_ERROR, is_empty, note_response, read_all
from lynkrc_runtime.server.exchange import Exchange
from lynkrc_runtime.server.gateway import Route
from lynkrc_runtime.server.problems import problem_of
from lynkrc_runtime.telemetry.outcome import Ending
from lynkrc_runtime.upstream import UpstreamFault, UpstreamRequest, UpstreamResponse

ERROR_BODY_TIME = 10.0
"""Seconds an upstream has to finish an error answer."""
DRAIN_TIME = 0.25
"""Seconds the end of a finished stream is waited for, so that its connection can be kept."""

SSE_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
}


@final
class _Failed(Exception):
    """The attempt is over; carries why."""

    def __init__(self, failure: Failure, fault: Fault) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.fault = fault


@final
class StreamRelay:
    """The state of one streamed attempt."""

    __slots__ = (
        "_byte_seen",
        "_call",
        "_commit_at",
        "_committed",
        "_committed_at",
        "_context",
        "_ended",
        "_exchange",
        "_held",
        "_last_read",
        "_last_write",
        "_loop",
        "_passing",
        "_produced",
        "_reader",
        "_route",
        "_splitter",
        "_step",
        "_strips_usage",
        "_times",
        "_writer",
    )

    def __init__(
        self,
        exchange: Exchange,
        route: Route,
        call: UpstreamRequest,
        context: AnswerContext,
        step: Try,
    ) -> None:
        self._exchange = exchange
        self._route = route
        self._call = call
        self._context = context
        self._step = step
        self._loop = asyncio.get_running_loop()
        self._times = exchange.gateway.settings.times
        self._passing = route.dialect is exchange.dialect
        self._reader = route.dialect.stream_reader()
        # On a pass-through the writer writes nothing; it only knows which keep-alive is legal.
        self._writer = exchange.dialect.stream_writer(context)
        self._splitter = EventSplitter()
        self._strips_usage = (
            self._passing
            and context.request.dialect == "openai-chat"
            and not context.request.options.include_usage
        )
        self._held: list[bytes] = []
        self._commit_at = exchange.incoming.arrived + self._times.commit_after
        self._committed = False
        self._committed_at = 0.0
        self._byte_seen = False
        self._last_read = self._last_write = self._loop.time()
        self._produced = False
        self._ended: MessageEnd | None = None

    async def run(self) -> bool:
        """Relay. True: the request is over, served or broken."""
        attempts = self._exchange.attempts
        assert attempts is not None
        response: UpstreamResponse | None = None
        try:
            response = await self._send()
            await self._check(response)
            await self._relay(response)
        except (_Failed, UpstreamFault) as failed:
            return await self._fail(failed.failure, failed.fault)
        finally:
            if response is not None:
                response.close()
        attempts.served(self._loop.time())
        self._exchange.ending = Ending.SERVED
        return True

    # -- the upstream ------------------------------------------------------------------------

    async def _send(self) -> UpstreamResponse:
        """Wait for the answer's headers, minding the clock of the client's side meanwhile."""
        sending = self._loop.create_task(self._route.upstream.send(self._call))
        try:
            while not sending.done():
                due, is_end = self._due()
                await asyncio.wait((sending,), timeout=max(0.0, due - self._loop.time()))
                if not sending.done():
                    await self._mind(is_end)
            response = sending.result()
        except BaseException:
            _abandon(sending)
            raise
        note_response(self._exchange, response)
        return response

    async def _check(self, response: UpstreamResponse) -> None:
        """Raise unless the answer is a stream."""
        kind = response.headers.get("content-type", "text/event-stream")
        if response.status == 200 and kind.lower().startswith("text/event-stream"):
            return
        try:
            async with asyncio.timeout(ERROR_BODY_TIME):
                body = await read_all(response, MAX_ERROR)
        except TimeoutError:
            body = b""
        dialect = self._route.dialect
        if response.status != 200:
            failure = dialect.read_failure(response.status, response.headers, body)
            raise _Failed(failure, Fault.ANSWERED)
        try:
            dialect.read_answer(body)
        except BrokenAnswer as answer:
            raise _Failed(answer.failure, Fault.BROKEN) from answer
        raise _Failed(broken("the answer to a streamed request is no stream"), Fault.BROKEN)

    async def _relay(self, response: UpstreamResponse) -> None:
        while self._ended is None:
            due, is_end = self._due()
            try:
                async with asyncio.timeout_at(due):
                    chunk = await response.read()
            except TimeoutError:
                await self._mind(is_end)
                continue
            self._last_read = self._loop.time()
            self._byte_seen = True
            await self._take(chunk)
        try:
            async with asyncio.timeout(DRAIN_TIME):
                await response.read()
        except (TimeoutError, UpstreamFault):
            # The answer is whole and relayed; only the connection is not worth keeping.
            return

    async def _take(self, chunk: bytes) -> None:
        """Relay what these bytes complete; b'' is the upstream's end."""
        out: list[bytes] = []
        try:
            failure = self._pass_on(chunk, out) if self._passing else self._rewrite(chunk, out)
        except EventTooLarge as error:
            failure = broken(str(error))
        if not self._committed:
            self._held += out
            if failure is None and self._produced:
                await self._commit()
        elif out:
            await self._write(b"".join(out))
        if failure is not None:
            raise _Failed(failure, Fault.ANSWERED if failure.status else Fault.BROKEN)

    def _pass_on(self, chunk: bytes, out: list[bytes]) -> Failure | None:
        pieces = self._splitter.feed(chunk) if chunk else [self._splitter.rest]
        for piece in pieces:
            events = self._reader.feed(piece) if piece else []
            if not chunk:
                events += self._reader.close()
            for event in events:
                if isinstance(event, MessageStart):
                    self._writer.write(event)
                failure = self._note(event)
                if failure is not None:
                    # The upstream's own error event is replaced by ours, with our request id.
                    return failure
            if piece and self._is_wanted(piece):
                out.append(piece)
        return None

    def _is_wanted(self, piece: bytes) -> bool:
        """False for the usage chunk of a Chat stream that we asked for and the client did not."""
        if not self._strips_usage or b'"usage"' not in piece:
            return True
        return all(strip_usage_chunk(data) is not None for _, data in SseParser().feed(piece))

    def _rewrite(self, chunk: bytes, out: list[bytes]) -> Failure | None:
        events = self._reader.feed(chunk) if chunk else self._reader.close()
        for event in events:
            failure = self._note(event)
            if failure is not None:
                return failure
            if data := self._writer.write(event):
                out.append(data)
        return None

    def _note(self, event: Event) -> Failure | None:
        """Learn from an event; the failure it tells of, if it does."""
        match event:
            case StreamError():
                return event.failure
            case MessageStart():
                self._exchange.usage = event.usage
            case MessageEnd():
                if not self._passing and is_empty(self._produced, event.stop, event.usage):
                    return broken("the answer is empty")
                self._exchange.usage = event.usage
                self._ended = event
                self._produced = True
            case TextDelta() | RefusalDelta() | ThinkingDelta():
                self._produced = self._produced or bool(event.text)
            case (
                ToolCallStart()
                | ToolCallDelta()
                | ToolCallEnd()
                | ThinkingEnd()
                | RedactedThinkingBlock()
                | OpaqueEvent()
            ):
                self._produced = True
            case BlockEnd():
                pass
        return None

    # -- the client --------------------------------------------------------------------------

    def _due(self) -> tuple[float, bool]:
        """When silence must be acted on, and whether that ends the attempt."""
        step = self._step
        if not self._byte_seen:
            end = step.deadline if step.first_by is None else step.first_by
            if not self._committed:
                end = min(end, step.deadline)
        elif not self._committed:
            end = step.deadline
        else:
            end = min(
                self._last_read + self._route.idle, self._committed_at + self._times.max_stream
            )
        act = self._last_write + self._times.keep_alive if self._committed else self._commit_at
        return (end, True) if end <= act else (act, False)

    async def _mind(self, is_end: bool) -> None:
        """Silence: give up, commit, or keep the client's connection alive."""
        if is_end:
            fault = Fault.BROKEN if self._byte_seen else Fault.TIMEOUT
            raise _Failed(broken("the upstream fell silent"), fault)
        if not self._committed:
            await self._commit()
        else:
            await self._write(self._writer.keep_alive())

    async def _commit(self) -> None:
        exchange = self._exchange
        assert exchange.attempts is not None
        exchange.attempts.committed()
        exchange.status = 200
        self._committed = True
        self._committed_at = self._last_write = self._loop.time()
        await exchange.client.start(exchange.headers() | SSE_HEADERS)
        held, self._held = b"".join(self._held), []
        if held:
            await self._write(held)

    async def _write(self, data: bytes) -> None:
        await self._exchange.client.write(data)
        self._last_write = self._loop.time()

    async def _fail(self, failure: Failure, fault: Fault) -> bool:
        """Tell the attempt machine; after commit, also the client."""
        exchange = self._exchange
        assert exchange.attempts is not None
        exchange.attempts.failed(failure, fault, self._loop.time())
        if not self._committed:
            exchange.usage = None
            return False
        exchange.ending = Ending.BROKEN
        problem, _ = problem_of(
            failure, self._route.target.name, exchange.dialect.name, exchange.incoming.request_id
        )
        await self._write(exchange.dialect.error_event(problem))
        return True


def _abandon(sending: "asyncio.Task[UpstreamResponse]") -> None:
    """Nobody waits for this call any more: stop it, or close the answer that just came."""

    def close(task: "asyncio.Task[UpstreamResponse]") -> None:
        if not task.cancelled() and task.exception() is None:
            task.result().close()

    sending.cancel()
    sending.add_done_callback(close)
