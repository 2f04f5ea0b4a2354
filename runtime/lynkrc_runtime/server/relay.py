"""One attempt: a request written for its target, a whole answer relayed to the client.

`attempt` returns whether the request is over. Before commit every failure is told to the attempt
machine and leaves the client untouched. Design: "Attempts" and "Pass-through".
"""

from collections.abc import Awaitable, Sequence
from dataclasses import replace

import msgspec

from lynkrc_runtime.attempt import Fault, Try
from lynkrc_runtime.protocol.conversation import (
    Answer,
    BrokenAnswer,
    CannotTranslate,
    Failure,
    FailureClass,
    Request,
    Usage,
)
from lynkrc_runtime.protocol.dialect import AnswerContext
from lynkrc_runtime.protocol.estimate import estimate_blocks
from lynkrc_runtime.protocol.failures import broken
from lynkrc_runtime.protocol.losses import losses_in
from lynkrc_runtime.protocol.stops import ENFORCED, cut_answer
from lynkrc_runtime.providers.frames import PLAIN
from lynkrc_runtime.server.answers import (
    MAX_ANSWER,
    is_empty,
    note_response,
    read_all,
    read_error,
)
from lynkrc_runtime.server.deadline import deadline
from lynkrc_runtime.server.echo import echo_answer
from lynkrc_runtime.server.exchange import DENY, Exchange
from lynkrc_runtime.server.fix_ups import WITHOUT_THINKING, edited
from lynkrc_runtime.server.headers import upstream_headers
from lynkrc_runtime.server.lent import (
    ELSEWHERE,
    NoCredential,
    blamed,
    is_elsewhere,
    provider_headers,
)
from lynkrc_runtime.server.makers import without_foreign
from lynkrc_runtime.server.routes import Route
from lynkrc_runtime.server.stream import StreamRelay
from lynkrc_runtime.telemetry.outcome import Ending
from lynkrc_runtime.upstream import UpstreamFault, UpstreamRequest, UpstreamResponse

_SERVED = Ending.SERVED


def attempt(exchange: Exchange, request: Request, step: Try) -> Awaitable[bool]:
    """Make the attempt. True: the client has its answer, or the break of it.

    The request is written before this returns.
    """
    attempts = exchange.attempts
    assert attempts is not None
    route = exchange.gateway.routes[step.target]
    if route.lent and is_elsewhere(route, attempts, exchange.gateway.routes):
        attempts.skipped(ELSEWHERE, Fault.UNSENT, exchange.loop.time())
        return _unsent()
    try:
        call = _write(exchange, request, route, step)
    except CannotTranslate as misfit:
        attempts.failed(misfit_of(misfit), Fault.UNSENT, exchange.loop.time())
        return _unsent()
    except NoCredential as lacking:
        attempts.failed(lacking.failure, Fault.UNSENT, exchange.loop.time())
        return _unsent()
    if request.options.stream:
        context = _context(exchange, request, route)
        return StreamRelay(exchange, route, call, context, step).run()
    return _whole(exchange, request, route, call, step)


async def _unsent() -> bool:
    return False


def _context(exchange: Exchange, request: Request, route: Route) -> AnswerContext:
    """What an answer of the target is written with."""
    incoming = exchange.incoming
    return AnswerContext(
        request=request,
        id=incoming.answer_id,
        model=exchange.gateway.named(request.model, route.target.model),
        created=incoming.created,
        input_estimate=exchange.input_estimate,
        request_id=incoming.request_id,
    )


def misfit_of(misfit: CannotTranslate) -> Failure:
    """The failure of a request that cannot be put to its target."""
    return Failure(
        kind=FailureClass.MISFIT,
        status=0,
        message=misfit.message,
        param=misfit.feature,
        context_overflow=misfit.context_overflow,
    )


def _write(exchange: Exchange, request: Request, route: Route, step: Try) -> UpstreamRequest:
    """The upstream request; the exchange learns its changes. Raises CannotTranslate,
    and NoCredential.
    """
    client_headers, gateway = exchange.incoming.headers, exchange.gateway
    way, target = route.ways[request.dialect], route.target
    if request.bound and not way.same:
        name = request.bound[0]
        raise CannotTranslate(name, f"{name}: the target does not keep what it stands for")
    facts, stream = way.facts, request.options.stream
    url = way.stream_url if stream else way.url
    stripped: tuple[str, ...] = ()
    foreign = gateway.makers.foreign(request, target.name)
    if foreign:
        request, facts, stripped = without_foreign(request, facts, foreign, passing=way.same)
    fixes = exchange.fixes_of(route)
    if fixes and any(fix.row.name == WITHOUT_THINKING for fix in fixes):
        facts = replace(facts, without_thinking=True)
    write = way.write
    written = write(request, facts, client_headers)
    if fixes:
        sent = edited(url, written.body, fixes)
        url = sent.url
        transforms = tuple(dict.fromkeys((*written.transforms, *sent.changes)))
        body = msgspec.json.encode(sent.body) if sent.changes else written.body
        written = msgspec.structs.replace(written, body=body, transforms=transforms)
    exchange.sent = (url, written.body)
    if target.on_loss == DENY:
        refuse_loss(target.name, (*stripped, *written.transforms))
    if way.frame is not PLAIN:
        written = way.frame.request(written)
    exchange.route = route
    if stripped or written.transforms:
        changes = tuple(dict.fromkeys((*stripped, *written.transforms)))
        exchange.transforms = changes
        exchange.stops = request.options.stop if ENFORCED in changes else ()
    else:
        exchange.transforms = exchange.stops = ()
    # Told of the answer to come, which may begin without one: nothing of the last one is left.
    exchange.upstream_id, exchange.simulated = None, False
    dialect = way.dialect.name
    headers = upstream_headers(
        client_headers,
        same_dialect=way.same,
        dialect=dialect,
        written=written,
        provider=provider_headers(route, client_headers, gateway.keys),
        accept=way.stream_types[0] if stream else "application/json",
    )
    if exchange.span is not None:
        headers = exchange.say_whose(headers)
    simulate = route.simulate
    if exchange.wishes:
        simulate = exchange.wishes.get(target.name, simulate)
    return UpstreamRequest(
        url=url,
        headers=headers,
        body=written.body,
        connect=route.connect,
        fresh=step.fresh,
        target=target.name,
        dialect=dialect,
        signer=route.signer,
        link=route.link,
        simulate=simulate,
    )


def refuse_loss(target: str, transforms: Sequence[str]) -> None:
    """CannotTranslate where the target's dialect or model would not carry the request whole."""
    lost = losses_in(transforms)
    if lost:
        raise CannotTranslate(
            lost[0].removeprefix("dropped="),
            f"{target} would lose something of the request, and the routing denies that "
            f"(on_loss: deny): {', '.join(lost)}",
        )


async def fetch(
    exchange: Exchange, route: Route, call: UpstreamRequest, step: Try
) -> tuple[UpstreamResponse, bytes] | None:
    """The whole answer of the upstream; None where there is none, and the attempts know why."""
    loop = exchange.loop
    attempts = exchange.attempts
    assert attempts is not None
    try:
        with deadline(step.deadline, loop):
            response = await route.upstream.send(call)
            try:
                note_response(exchange, response)
                body = await (
                    read_all(response, MAX_ANSWER)
                    if response.status == 200
                    else read_error(response)
                )
            finally:
                response.close()
    except TimeoutError:
        attempts.failed(broken("no answer in the time allowed"), Fault.TIMEOUT, loop.time())
        return None
    except UpstreamFault as fault:
        attempts.failed(fault.failure, fault.fault, loop.time())
        return None
    return response, body


async def _whole(
    exchange: Exchange, request: Request, route: Route, call: UpstreamRequest, step: Try
) -> bool:
    loop = exchange.loop
    attempts = exchange.attempts
    assert attempts is not None
    fetched = await fetch(exchange, route, call, step)
    if fetched is None:
        return False
    response, body = fetched
    way = route.ways[request.dialect]
    dialect = way.dialect
    if response.status != 200:
        failure = dialect.read_failure(response.status, response.headers, body)
        failure = blamed(route, failure)
        if exchange.fix_up(failure, loop.time()):
            return False
        attempts.failed(failure, Fault.ANSWERED, loop.time())
        return False
    passing = way.same
    try:
        answer = dialect.read_answer(body, way.facts)
    except BrokenAnswer as fault:
        attempts.failed(fault.failure, Fault.BROKEN, loop.time())
        return False
    exchange.gateway.makers.learn_from(answer.blocks, route.target.name)
    cut = cut_answer(answer, exchange.stops) if exchange.stops else None
    if cut is not None:
        answer, passing = cut, False
    if not passing:
        if is_empty(bool(answer.blocks), answer.stop, answer.usage):
            exchange.usage, exchange.is_whole = answer.usage, True
            _note_end(exchange, answer)
            exchange.charge()
            exchange.forget_answer()
            attempts.failed(broken("the answer is empty"), Fault.BROKEN, loop.time())
            return False
        body = exchange.dialect.write_answer(answer, _context(exchange, request, route))
        exchange.losses = answer.lost
    elif exchange.gateway.echoes:
        body = echo_answer(body, request.model)
    _note_end(exchange, answer)
    await deliver(exchange, answer.usage, body)
    return True


async def deliver(exchange: Exchange, usage: Usage, body: bytes) -> None:
    """Give the client the answer of the running attempt, which has then served."""
    exchange.usage, exchange.is_whole = usage, True
    exchange.charge()
    headers = exchange.whole_headers()
    headers["content-type"] = "application/json"
    await exchange.client.answer(200, headers, body)
    # Not before: until it is kept, where it is to be, the client can still be told of a mistake.
    exchange.status = 200
    exchange.fixed()
    if exchange.attempts is not None:
        exchange.attempts.served(exchange.loop.time())
    exchange.ending = _SERVED


def _note_end(exchange: Exchange, answer: Answer) -> None:
    exchange.stop = answer.stop
    if not answer.usage.reported:
        exchange.streamed = estimate_blocks(answer.blocks)
