"""One streamed attempt: upstream bytes to client bytes, with commit, keep-alives and time-outs.

Nothing reaches the client before the *commit*: the first content, tool call or finish; an error
until then still moves down the chain. When `commit_after` has passed since the request came, the
headers and what was held go out anyway. After commit a break ends with the dialect's error event,
never with a clean end.
"""

import asyncio
from typing import final

from lynkrc_runtime.attempt import Fault, Try
from lynkrc_runtime.protocol.conversation import BrokenAnswer, Failure
from lynkrc_runtime.protocol.dialect import AnswerContext
from lynkrc_runtime.protocol.failures import broken
from lynkrc_runtime.server.answers import note_response, read_error
from lynkrc_runtime.server.exchange import Exchange
from lynkrc_runtime.server.flow import Flow
from lynkrc_runtime.server.lent import blamed
from lynkrc_runtime.server.problems import problem_of
from lynkrc_runtime.server.routes import Route
from lynkrc_runtime.telemetry.outcome import Ending
from lynkrc_runtime.upstream import UpstreamFault, UpstreamRequest, UpstreamResponse

DRAIN_TIME = 0.25
"""Seconds the end of a finished stream is waited for, so that its connection can be kept."""
LAST_WORDS_TIME = 10.0
"""Seconds a client has to take the error event of a broken stream."""
STALL_TIME = 300.0
"""Seconds a client may take nothing at all of what it was sent; then it is as good as gone."""

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
        "_exchange",
        "_flow",
        "_heard",
        "_held",
        "_is_writing",
        "_last_read",
        "_last_write",
        "_loop",
        "_route",
        "_step",
        "_way",
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
        self._step = step
        self._loop = asyncio.get_running_loop()
        self._way = route.ways[exchange.dialect.name]
        unwrap = self._way.frame.unwrap
        self._flow = Flow(
            self._way.dialect,
            exchange.dialect,
            context,
            self._way.facts,
            None if unwrap is None else unwrap(),
            stops=exchange.stops,
            echoes=exchange.gateway.echoes,
        )
        exchange.fail = self._flow.fail
        self._held: list[bytes] = []
        self._commit_at = exchange.incoming.arrived + route.times.commit_after
        self._committed = False
        self._committed_at = 0.0
        self._byte_seen = self._heard = False
        self._is_writing = False
        self._last_read = self._last_write = self._loop.time()

    async def run(self) -> bool:
        """Relay. True: the request is over, served or broken."""
        attempts = self._exchange.attempts
        assert attempts is not None
        response: UpstreamResponse | None = None
        try:
            try:
                response = await self._send()
                await self._check(response)
                try:
                    await self._relay(response)
                finally:
                    self._note()
                # The client has everything: that it leaves from here on is no abort.
                self._exchange.charge()
                self._exchange.fixed()
                attempts.served(self._loop.time())
                self._exchange.ending = Ending.SERVED
                if not self._flow.is_cut:
                    await _drain(response)
            finally:
                if response is not None:
                    response.close()
        except (_Failed, UpstreamFault) as failed:
            return await self._fail(failed.failure, failed.fault)
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
        dialect = self._way.dialect
        types = self._way.stream_types
        kind = response.named(("content-type",)).get("content-type", types[0])
        if response.status == 200 and kind.lower().startswith(types):
            return
        body = await read_error(response)
        if response.status != 200:
            failure = dialect.read_failure(response.status, response.headers, body)
            raise _Failed(blamed(self._route, failure), Fault.ANSWERED)
        try:
            answer = dialect.read_answer(body, self._way.facts)
        except BrokenAnswer as fault:
            raise _Failed(fault.failure, Fault.BROKEN) from fault
        if answer.usage.reported:
            # Nobody gets it, and it is paid for all the same.
            self._exchange.usage, self._exchange.is_whole = answer.usage, True
        raise _Failed(broken("the answer to a streamed request is no stream"), Fault.BROKEN)

    async def _relay(self, response: UpstreamResponse) -> None:
        while not self._flow.has_ended:
            chunk: bytes | None = None
            try:
                async with asyncio.timeout_at(self._due()[0]) as limit:
                    if self._committed:
                        # A task of its own: whatever wakes it need not go down through all
                        # that waits for this attempt. Who cancels us cancels it.
                        pumping = self._loop.create_task(self._pump(response))
                        pumping.add_done_callback(_looked_at)
                        await pumping
                    else:
                        chunk = await response.read()
            except TimeoutError:
                if not limit.expired():
                    raise
                self._raise_failure()
                if self._is_writing:
                    # It was the client that kept us waiting, not the upstream, and nothing more
                    # is read for it before it has taken what it was sent.
                    await self._write_by(b"", self._stalled())
                    self._last_read = self._last_write = self._loop.time()
                due, is_end = self._due()
                # What came meanwhile may have put off the moment: only silence is acted on.
                if due <= self._loop.time():
                    await self._mind(is_end)
            if chunk is not None:
                await self._take(chunk)

    async def _pump(self, response: UpstreamResponse) -> None:
        """Relay what comes after the commit, until the end.

        Every event puts off the moment silence is acted on, so one timer serves many of them. It
        may cut short the wait for a slow client; the bytes are on their way by then.
        """
        flow, now = self._flow, self._loop.time
        read, one, feed = response.read, flow.one, flow.feed
        write = self._exchange.client.write
        while not flow.has_ended:
            chunk = await read()
            if not self._heard:
                await self._take(chunk)
                continue
            data = one(chunk)
            if data is not None:
                self._is_writing = True
                await write(data)
                self._is_writing = False
                self._last_read = self._last_write = now()
                continue
            # What `_take` does, for the many events that nothing is left to be noted of.
            out = feed(chunk)
            if flow.signatures:
                self._remember()
            if out:
                self._is_writing = True
                await write(out[0] if len(out) == 1 else b"".join(out))
                self._is_writing = False
                self._last_read = self._last_write = now()
            else:
                self._last_read = now()
            if flow.failure is not None:
                self._raise_failure()

    def _remember(self) -> None:
        """Which target made what the answer was signed with."""
        flow = self._flow
        self._exchange.gateway.makers.remember(flow.signatures, self._route.target.name)
        flow.signatures.clear()

    async def _take(self, chunk: bytes) -> None:
        """Relay what these bytes complete; b'' is the upstream's end."""
        self._byte_seen = True
        flow = self._flow
        out = flow.feed(chunk)
        if flow.signatures:
            self._remember()
        if not self._heard and flow.failure is None and flow.has_content:
            self._heard = True
            if self._exchange.attempts is not None:
                self._exchange.attempts.heard(self._loop.time())
        if not self._committed:
            self._held += out
            if self._heard:
                await self._commit()
        elif out:
            await self._write(b"".join(out))
        # Only now: a wait for the client is no silence of the upstream.
        self._last_read = self._loop.time()
        self._raise_failure()

    def _note(self) -> None:
        """What came of the answer, however it ended; until then nobody asks."""
        exchange, flow = self._exchange, self._flow
        exchange.usage, exchange.is_whole = flow.usage, flow.has_ended and not flow.is_cut
        exchange.streamed, exchange.stop = flow.streamed, flow.stop
        exchange.losses = tuple(flow.lost)

    def _raise_failure(self) -> None:
        failure = self._flow.failure
        if failure is not None:
            raise _Failed(failure, Fault.ANSWERED if failure.status else Fault.BROKEN)

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
            end = min(self._last_read + self._route.idle, self._last_moment())
        act = (
            self._last_write + self._route.times.keep_alive if self._committed else self._commit_at
        )
        return (end, True) if end <= act else (act, False)

    async def _mind(self, is_end: bool) -> None:
        """Silence: give up, commit, or keep the client's connection alive."""
        if is_end:
            raise self._silence()
        if not self._committed:
            await self._commit()
        else:
            await self._write_by(self._flow.keep_alive(), self._stalled())

    def _silence(self) -> _Failed:
        """Why a silence ends the attempt: the target fell silent, or the time for it is over."""
        limit = self._last_moment() if self._committed else self._step.deadline
        if self._byte_seen and self._loop.time() >= limit:
            return _Failed(broken("the answer took longer than it may"), Fault.LATE)
        fault = Fault.BROKEN if self._byte_seen else Fault.TIMEOUT
        return _Failed(broken("the upstream fell silent"), fault)

    async def _commit(self) -> None:
        exchange = self._exchange
        assert exchange.attempts is not None
        exchange.attempts.committed()
        exchange.status = 200
        self._committed = True
        self._committed_at = self._last_write = exchange.began = self._loop.time()
        await exchange.client.start(exchange.headers() | SSE_HEADERS)
        held, self._held = b"".join(self._held), []
        if held:
            await self._write_by(held, self._stalled())

    async def _write(self, data: bytes) -> None:
        self._is_writing = True
        await self._exchange.client.write(data)
        self._is_writing = False
        self._last_write = self._loop.time()

    async def _write_by(self, data: bytes, moment: float) -> None:
        """Write; a client that takes nothing until `moment` is as good as gone."""
        try:
            async with asyncio.timeout_at(moment):
                await self._write(data)
        except TimeoutError as error:
            raise ConnectionResetError("the client does not read its answer") from error

    def _stalled(self) -> float:
        """When a client that takes nothing from now on is as good as gone."""
        return min(self._loop.time() + STALL_TIME, self._last_moment())

    def _last_moment(self) -> float:
        """When a committed stream ends in any case."""
        return self._committed_at + self._route.times.max_stream

    async def _fail(self, failure: Failure, fault: Fault) -> bool:
        """Tell the attempt machine; after commit, also the client."""
        exchange = self._exchange
        assert exchange.attempts is not None
        if exchange.usage is not None or self._committed:
            # A target that reported nothing before it failed is not known to have done anything.
            exchange.charge()
        if exchange.fix_up(failure, self._loop.time()):
            exchange.forget_answer()
            return False
        exchange.attempts.failed(failure, fault, self._loop.time())
        if not self._committed:
            exchange.forget_answer()
            return False
        exchange.ending = Ending.BROKEN
        problem, _ = problem_of(
            failure, self._route.target.name, exchange.dialect.name, exchange.incoming.request_id
        )
        await self._write_by(self._flow.fail(problem), self._loop.time() + LAST_WORDS_TIME)
        return True


def _looked_at(pumping: "asyncio.Task[None]") -> None:
    """Nobody may be left to hear how it ended: what it found is in the flow too."""
    if not pumping.cancelled():
        pumping.exception()


async def _drain(response: UpstreamResponse) -> None:
    """Wait a moment for the end of a stream that said everything, to keep its connection."""
    try:
        async with asyncio.timeout(DRAIN_TIME):
            await response.read()
    except (TimeoutError, UpstreamFault):
        # The answer is whole and relayed; only the connection is not worth keeping.
        return


def _abandon(sending: "asyncio.Task[UpstreamResponse]") -> None:
    """Nobody waits for this call any more: stop it, or close the answer that just came."""

    def close(task: "asyncio.Task[UpstreamResponse]") -> None:
        if not task.cancelled() and task.exception() is None:
            task.result().close()

    sending.cancel()
    sending.add_done_callback(close)
