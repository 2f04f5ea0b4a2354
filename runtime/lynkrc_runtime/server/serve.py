"""One client request, from its bytes to its settled outcome: read, decide, attempt, settle.

Free of HTTP: the request comes as an `Incoming`, the way back is a `Client`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeAlias, assert_never

from lynkrc_runtime.decide import Decision
from lynkrc_runtime.decide import Outcome as Verdict
from lynkrc_runtime.dispatch import Deny
from lynkrc_runtime.features import RefusedRequest
from lynkrc_runtime.metering.interface import UNMETERED
from lynkrc_runtime.pick import order
from lynkrc_runtime.protocol.anthropic import require_max_tokens
from lynkrc_runtime.protocol.conversation import MalformedRequest, Request
from lynkrc_runtime.protocol.dialect import Problem
from lynkrc_runtime.server.admit import admit, admitted, within_reach
from lynkrc_runtime.server.exchange import Client, Exchange, Incoming
from lynkrc_runtime.server.gateway import Gateway, read_request
from lynkrc_runtime.server.local import respond
from lynkrc_runtime.server.problems import malformed, overloaded
from lynkrc_runtime.server.recording import record
from lynkrc_runtime.server.relay import attempt
from lynkrc_runtime.server.stream import LAST_WORDS_TIME
from lynkrc_runtime.server.traces import decide
from lynkrc_runtime.server.walk import walk
from lynkrc_runtime.sessions.interface import ALONE
from lynkrc_runtime.simulator import UnknownBehaviour, parse_wishes
from lynkrc_runtime.telemetry.log import Level, place_of
from lynkrc_runtime.telemetry.outcome import Ending

Run: TypeAlias = Callable[[Exchange], Awaitable[None]]
"""Serves an exchange up to its ending; settling is not its part."""

OTHERWISE_DENY = Deny(status=403, message="the routing policy allows no target for this request")
"""The answer of `otherwise: deny`, which has no rule to take words from."""
_ROUTE: Final = Verdict.ROUTE
SIMULATE = "x-lynkr-simulate"
"""Chooses simulator behaviours by target; read under ``--dry-run`` only."""


async def serve(
    gateway: Gateway, incoming: Incoming, client: Client, run: Run | None = None
) -> None:
    """Serve one request and settle it, however it ends. The client's leaving is no error.

    `run` is what is done with it; without one it is a conversation, to be decided about.
    Cancelled when the client goes: the upstream call is closed before this returns.
    """
    exchange = Exchange(gateway, incoming, client)
    gateway.metrics.arrived()
    running = gateway.stopping.enters()
    try:
        await (run or _converse)(exchange)
    except (asyncio.CancelledError, ConnectionError) as gone:
        _abort(exchange)
        if isinstance(gone, asyncio.CancelledError):
            if not gateway.stopping.was_cut(running):
                raise
            await _part(exchange)
    except Exception as mistake:
        # The one place where a mistake of ours must still become an answer in the client's
        # dialect. The message may hold a piece of a prompt: only its type and place are logged.
        _abort(exchange)
        exchange.ending = Ending.INTERNAL
        gateway.log.line(
            Level.ERROR,
            "mistake",
            request_id=incoming.request_id,
            type=type(mistake).__name__,
            place=place_of(mistake),
        )
        # Not raised further: aiohttp would log the message, and cut a stream without a word.
        await _tell(exchange, exchange.problem(500, "an error inside the gateway"))
    finally:
        gateway.stopping.leaves(running)
        # It leads back here through the stream, and an old bundle is to go with its last request.
        exchange.fail = None
        # Not awaited, so nothing can interrupt it: every request is settled exactly once.
        outcome = exchange.outcome(exchange.loop.time())
        if exchange.visit is not UNMETERED:
            exchange.visit.leave(outcome)
        if exchange.session is not ALONE:
            exchange.session.settled(outcome)
        dispatch = gateway.policy.dispatch
        gateway.metrics.settled(dispatch, outcome)
        gateway.log.outcome(dispatch, outcome)
        gateway.recent.settled(dispatch, gateway.policy.digest, outcome)
        gateway.board.settled(dispatch, outcome)
        if gateway.usage_log is not None:
            record(gateway.usage_log, exchange, outcome)
        if exchange.trace is not None:
            exchange.trace.settled(outcome)
        if exchange.span is not None:
            exchange.span.settled(outcome)


async def _part(exchange: Exchange) -> None:
    """The gateway stops and waits no longer: an answer under way is never ended as if whole."""
    if exchange.ending is Ending.ABORTED:
        exchange.ending = Ending.TRANSIENT if exchange.status == 0 else Ending.BROKEN
    status, again = overloaded(exchange.dialect.name)
    await _tell(exchange, exchange.problem(status, "the gateway is stopping"), again)


async def _tell(
    exchange: Exchange, problem: Problem, extra: Mapping[str, str] | None = None
) -> None:
    """Tell the client of a problem of ours, by an answer, or by an event in the one begun."""
    try:
        if exchange.status == 0:
            await exchange.refuse(problem, exchange.ending, extra, status=problem.status)
        elif exchange.fail is not None and (data := exchange.fail(problem)):
            async with asyncio.timeout(LAST_WORDS_TIME):
                await exchange.client.write(data)
    except (ConnectionError, TimeoutError):
        # It has gone, or takes nothing: nobody waits for it to come back.
        return


def _abort(exchange: Exchange) -> None:
    """End what runs. An ending that has been settled stays: nobody left before it."""
    if exchange.ending is Ending.INTERNAL:
        exchange.ending = Ending.ABORTED
    if exchange.attempts is not None:
        try:
            exchange.charge()
        finally:
            # A mistake in there must not leave a probe running for ever.
            exchange.attempts.aborted(exchange.loop.time())


async def _converse(exchange: Exchange) -> None:
    gateway, incoming = exchange.gateway, exchange.incoming
    if incoming.refused is not None:
        is_ours = incoming.refused.status == 503
        ending = Ending.UNAVAILABLE if is_ours else Ending.MALFORMED
        await exchange.refuse(incoming.refused, ending)
        return
    try:
        request = read_request(gateway, incoming.dialect, incoming.body, incoming.headers)
        if incoming.surface == "messages":
            require_max_tokens(request)
        exchange.request = request
        if gateway.settings.dry_run:
            exchange.wishes = wishes_of(exchange)
        facts = admitted(exchange) or await admit(exchange, request)
        if facts is None:
            return
        decision, vector = decide(gateway, request, facts, exchange.trace)
        exchange.vector = vector
    except MalformedRequest as error:
        await exchange.refuse(malformed(error, incoming.request_id), Ending.MALFORMED)
        return
    except RefusedRequest as error:
        await exchange.refuse(exchange.problem(400, error.message, error.field), Ending.MALFORMED)
        return
    except UnknownBehaviour as error:
        await exchange.refuse(exchange.problem(400, str(error), SIMULATE), Ending.MALFORMED)
        return
    exchange.decision = decision
    if decision.outcome is _ROUTE:
        await _route(exchange, request, decision)
        return
    match decision.outcome:
        case Verdict.DENY:
            deny = decision.deny or OTHERWISE_DENY
            problem = exchange.problem(deny.status, deny.message)
            await exchange.refuse(problem, Ending.DENIED, status=deny.status)
        case Verdict.REFUSE:
            message = refusal_message(gateway.policy.explain(vector))
            await exchange.refuse(exchange.problem(400, message), Ending.REFUSED)
        case Verdict.RESPOND:
            await respond(exchange, request, decision.respond or "")
        case _:
            assert_never(decision.outcome)


def _route(exchange: Exchange, request: Request, decision: Decision) -> Awaitable[None]:
    """Have the targets tried in their order."""
    gateway, targets = exchange.gateway, decision.targets
    if (
        decision.varies
        or exchange.incoming.caller is not None
        or exchange.session is not ALONE
        or exchange.trace is not None
        or gateway.makers.is_shared
    ):
        return _in_order(exchange, request, decision)
    return _try(exchange, request, decision, targets)


async def _in_order(exchange: Exchange, request: Request, decision: Decision) -> None:
    """Find the order of the targets, and what the caller's key leaves of them."""
    gateway = exchange.gateway
    targets: Sequence[int] = decision.targets
    if decision.varies:
        targets = order(
            decision,
            random=gateway.random,
            rotation=gateway.rotation,
            watch=gateway.watch,
            now=exchange.incoming.arrived,
            streams=request.options.stream,
        )
    if exchange.incoming.caller is not None:
        targets = await within_reach(exchange, decision, targets)
        if not targets:
            return
    if exchange.session is not ALONE:
        targets = await exchange.session.order(decision, targets)
    if exchange.trace is not None:
        exchange.trace.ordered(exchange.session.told)
    if gateway.makers.is_shared:
        await gateway.makers.learn(request)
    await _try(exchange, request, decision, targets)


def _try(
    exchange: Exchange, request: Request, decision: Decision, targets: Sequence[int]
) -> Awaitable[None]:
    plan = exchange.plan = exchange.gateway.plans.of(decision)
    candidates = plan.candidates(targets, request.options.stream)
    return walk(exchange, candidates, partial(attempt, exchange, request))


def wishes_of(exchange: Exchange) -> Mapping[str, str]:
    """What a client wants simulated, under ``--dry-run`` alone. Raises UnknownBehaviour."""
    headers = exchange.incoming.headers
    is_heard = exchange.gateway.settings.dry_run and SIMULATE in headers
    return parse_wishes(headers[SIMULATE]) if is_heard else {}


def refusal_message(explained: Mapping[str, Any]) -> str:
    """Why no target can take the request, from the bundle's explanation of the decision.

    >>> refusal_message({"chains": [{"targets": [{"target": "a", "dropped_by": ["need vision"]}]}]})
    'no target can take this request: a (need vision)'
    """
    reasons: dict[str, None] = {}
    for chain in explained["chains"]:
        for row in chain["targets"]:
            reasons[f"{row['target']} ({', '.join(row['dropped_by'])})"] = None
    return f"no target can take this request: {', '.join(reasons)}"
