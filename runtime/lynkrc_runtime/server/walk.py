"""Candidates to an answer: each is tried when the attempt machine says so, until it gives up."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import assert_never

from lynkrc_runtime.attempt import Attempts, Candidate, GiveUp, Try, Wait
from lynkrc_runtime.metering.interface import UNMETERED
from lynkrc_runtime.metering.meter import unavailable
from lynkrc_runtime.server.exchange import Exchange
from lynkrc_runtime.server.hold import hold, release
from lynkrc_runtime.server.problems import problem_of
from lynkrc_runtime.state.interface import StoreDown
from lynkrc_runtime.telemetry.outcome import ENDING_OF, Ending


async def walk(
    exchange: Exchange,
    candidates: Sequence[Candidate],
    attempt: Callable[[Try], Awaitable[bool]],
) -> None:
    """Walk down the candidates; `attempt` returns whether the request is over.

    Where nothing is left to try the client is told why.
    """
    gateway, loop = exchange.gateway, exchange.loop
    exchange.first = candidates[0].target
    headers = exchange.incoming.headers
    is_limited = _TIMEOUT in headers or _DEADLINE in headers
    attempts = exchange.attempts = Attempts(
        candidates,
        exchange.incoming.arrived,
        client_limit(headers) if is_limited else None,
        _RETRIES in headers and client_retries(headers),
        gateway.random,
        gateway.watch,
    )
    while True:
        step = attempts.next(loop.time())
        if isinstance(step, Try):
            provider = gateway.routes[step.target].provider.name
            if exchange.visit is UNMETERED and gateway.places.take_free(provider):
                # The usual case: nothing has to be waited for or asked.
                try:
                    is_over = await attempt(step)
                finally:
                    gateway.places.release(provider)
            else:
                try:
                    held = await hold(exchange, step)
                except StoreDown:
                    problem, extra = problem_of(
                        unavailable(), None, exchange.dialect.name, exchange.incoming.request_id
                    )
                    await exchange.refuse(problem, Ending.UNAVAILABLE, extra)
                    return
                is_over = False
                if held is not None:
                    try:
                        is_over = await attempt(held)
                    finally:
                        release(exchange, held)
            if is_over:
                return
            exchange.route, exchange.transforms = None, ()
            continue
        match step:
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


_TIMEOUT, _DEADLINE = "x-stainless-timeout", "x-lynkr-deadline-ms"
_RETRIES = "x-stainless-retry-count"


def client_limit(headers: Mapping[str, str]) -> float | None:
    """Seconds the client will wait, by ``X-Stainless-Timeout`` and ``x-lynkr-deadline-ms``.

    Values that are no positive number (SDKs send words for "never") set no limit.
    """
    limits = []
    for name, unit in ((_TIMEOUT, 1.0), (_DEADLINE, 0.001)):
        said = headers.get(name)
        if said is None:
            continue
        try:
            limit = float(said) * unit
        except ValueError:
            continue
        if 0 < limit < float("inf"):
            limits.append(limit)
    return min(limits, default=None)


def client_retries(headers: Mapping[str, str]) -> bool:
    """Whether this is already a client's own retry."""
    count = headers.get(_RETRIES)
    if count is None:
        return False
    return count.isascii() and count.isdecimal() and count.strip("0") != ""
