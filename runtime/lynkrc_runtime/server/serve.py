"""One client request, from its bytes to its settled outcome: read, decide, attempt, settle.

Free of HTTP: the request comes as an `Incoming`, the way back is a `Client`.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, assert_never

from lynkrc_runtime.attempt import Attempts, GiveUp, Try, Wait
from lynkrc_runtime.decide import Decision
from lynkrc_runtime.decide import Outcome as Verdict
from lynkrc_runtime.dispatch import Deny
from lynkrc_runtime.features import RefusedRequest, RequestFacts
from lynkrc_runtime.pick import order
from lynkrc_runtime.protocol.anthropic import require_max_tokens
from lynkrc_runtime.protocol.conversation import MalformedRequest, Request
from lynkrc_runtime.server.exchange import Client, Exchange, Incoming
from lynkrc_runtime.server.gateway import Gateway, read_request
from lynkrc_runtime.server.local import respond
from lynkrc_runtime.server.problems import malformed, problem_of
from lynkrc_runtime.server.relay import attempt
from lynkrc_runtime.simulator import UnknownBehaviour, parse_wishes
from lynkrc_runtime.telemetry.log import Level, place_of
from lynkrc_runtime.telemetry.outcome import ENDING_OF, Ending

OTHERWISE_DENY = Deny(status=403, message="the routing policy allows no target for this request")
"""The answer of `otherwise: deny`, which has no rule to take words from."""
SIMULATE = "x-lynkr-simulate"
"""Chooses simulator behaviours by target; read under ``--dry-run`` only."""


async def serve(gateway: Gateway, incoming: Incoming, client: Client) -> None:
    """Serve one request and settle it, however it ends. The client's leaving is no error.

    Cancelled when the client goes: the upstream call is closed before this returns.
    """
    exchange = Exchange(gateway, incoming, client)
    gateway.metrics.arrived()
    try:
        await _run(exchange)
    except (asyncio.CancelledError, ConnectionError) as gone:
        _abort(exchange)
        if isinstance(gone, asyncio.CancelledError):
            raise
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
        await _confess(exchange)
    finally:
        # Not awaited, so nothing can interrupt it: every request is settled exactly once.
        outcome = exchange.outcome(asyncio.get_running_loop().time())
        gateway.metrics.settled(outcome)
        gateway.log.outcome(gateway.policy.dispatch, outcome)


async def _confess(exchange: Exchange) -> None:
    """Tell the client of a mistake of ours, by an answer, or by an event in the one begun."""
    problem = exchange.problem(500, "an error inside the gateway")
    try:
        if exchange.status == 0:
            await exchange.refuse(problem, Ending.INTERNAL)
        elif exchange.request is not None and exchange.request.options.stream:
            await exchange.client.write(exchange.dialect.error_event(problem))
    except ConnectionError:
        return


def _abort(exchange: Exchange) -> None:
    """End what runs. An ending that has been settled stays: nobody left before it."""
    if exchange.ending is Ending.INTERNAL:
        exchange.ending = Ending.ABORTED
    if exchange.attempts is not None:
        exchange.charge()
        exchange.attempts.aborted(asyncio.get_running_loop().time())


async def _run(exchange: Exchange) -> None:
    gateway, incoming = exchange.gateway, exchange.incoming
    try:
        request = read_request(gateway, incoming.dialect, incoming.body, incoming.headers)
        if incoming.surface == "messages":
            require_max_tokens(request)
        exchange.request = request
        if gateway.settings.dry_run and SIMULATE in incoming.headers:
            exchange.wishes = parse_wishes(incoming.headers[SIMULATE])
        vector = gateway.policy.extractor.extract(
            request,
            RequestFacts(
                surface=incoming.surface, headers=incoming.headers, repeated=incoming.repeated
            ),
        )
    except MalformedRequest as error:
        await exchange.refuse(malformed(error, incoming.request_id), Ending.MALFORMED)
        return
    except RefusedRequest as error:
        await exchange.refuse(exchange.problem(400, error.message, error.field), Ending.MALFORMED)
        return
    except UnknownBehaviour as error:
        await exchange.refuse(exchange.problem(400, str(error), SIMULATE), Ending.MALFORMED)
        return
    decision = exchange.decision = gateway.decider.decide(vector)
    match decision.outcome:
        case Verdict.ROUTE:
            await _walk(exchange, request, decision)
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


async def _walk(exchange: Exchange, request: Request, decision: Decision) -> None:
    gateway, loop = exchange.gateway, asyncio.get_running_loop()
    stream = request.options.stream
    targets = order(decision, random=gateway.random, rotation=gateway.rotation)
    exchange.first = targets[0]
    attempts = exchange.attempts = Attempts(
        [
            gateway.routes[index].streamed if stream else gateway.routes[index].whole
            for index in targets
        ],
        now=exchange.incoming.arrived,
        client_limit=client_limit(exchange.incoming.headers),
        client_retries=client_retries(exchange.incoming.headers),
        random=gateway.random,
    )
    while True:
        step = attempts.next(loop.time())
        match step:
            case Try():
                if await attempt(exchange, request, step):
                    return
                exchange.route, exchange.transforms = None, ()
            case Wait():
                await asyncio.sleep(step.seconds)
            case GiveUp():
                target = None
                if step.target is not None:
                    target = gateway.routes[step.target].target.name
                problem, extra = problem_of(
                    step.failure, target, exchange.dialect.name, exchange.incoming.request_id
                )
                await exchange.refuse(problem, ENDING_OF[step.failure.kind], extra)
                return
            case _:
                assert_never(step)


def client_limit(headers: Mapping[str, str]) -> float | None:
    """Seconds the client will wait, by ``X-Stainless-Timeout`` and ``x-lynkr-deadline-ms``.

    Values that are no positive number (SDKs send words for "never") set no limit.
    """
    limits = []
    for name, unit in (("x-stainless-timeout", 1.0), ("x-lynkr-deadline-ms", 0.001)):
        try:
            limit = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        if 0 < limit < float("inf"):
            limits.append(limit)
    return min(limits, default=None)


def client_retries(headers: Mapping[str, str]) -> bool:
    """Whether this is already a client's own retry."""
    count = headers.get("x-stainless-retry-count", "")
    return count.isascii() and count.isdecimal() and count.strip("0") != ""


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
