"""A token count asked for, to a number: the target's own where that is cheap, else an estimate.

Clients ask in bursts (26 in 40 ms) and cannot use an error, so this never gives an upstream's:
one short call to the target the same request would go to, a few at once, equal ones together, and
on anything unexpected the local estimate. Design: "Side calls".
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import final

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.access.rights import reaches
from lynkrc_runtime.decide import Outcome as Verdict
from lynkrc_runtime.features import RefusedRequest, RequestFacts
from lynkrc_runtime.protocol.conversation import BrokenAnswer, CannotTranslate, Request
from lynkrc_runtime.protocol.estimate import close_text, estimate_tokens
from lynkrc_runtime.server.answers import MAX_ERROR, read_all
from lynkrc_runtime.server.gateway import Gateway, read_request
from lynkrc_runtime.server.headers import upstream_headers
from lynkrc_runtime.server.lent import NoCredential, provider_headers
from lynkrc_runtime.server.makers import without_foreign
from lynkrc_runtime.server.routes import Route
from lynkrc_runtime.server.traces import TRACE_ID, Asked, asked, decide
from lynkrc_runtime.sessions.interface import Session
from lynkrc_runtime.upstream import UpstreamFault, UpstreamRequest

CALL_TIME = 5.0
"""Seconds a target has for counting, the wait for a free place included."""
CALLS_AT_ONCE = 4


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """`tokens` of the input; `estimated` when no target counted them; the id of its `trace`."""

    tokens: int
    estimated: bool
    trace: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What the answer's headers tell of the count."""
        headers = {"x-lynkr-transforms": "tokens-estimated"} if self.estimated else {}
        return headers if self.trace is None else headers | {TRACE_ID: self.trace}


@final
class TokenCounter:
    """Counts; knows the calls under way, and how many wait for each."""

    __slots__ = ("_places", "_running", "_waiting")

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(CALLS_AT_ONCE)
        self._running: dict[bytes, asyncio.Task[int | None]] = {}
        self._waiting: Counter[asyncio.Task[int | None]] = Counter()

    async def count(
        self,
        gateway: Gateway,
        headers: Mapping[str, str],
        repeated: frozenset[str],
        body: bytes,
        *,
        surface: str = "messages",
        dialect: str = "anthropic-messages",
        caller: Caller | None = None,
    ) -> Count:
        """Count a body to be counted, of a client of `dialect`. Raises MalformedRequest.

        Whom it would go to is decided as on that surface. It counts against no limit or budget.
        """
        request = read_request(gateway, dialect, body, headers)
        session = await gateway.sessions.find(request, headers, caller)
        facts = RequestFacts(
            surface=surface,
            headers=headers,
            repeated=repeated,
            team=None if caller is None else caller.team,
            tenant=None if caller is None else caller.tenant,
            session=session.facts,
        )
        trace = asked(gateway, headers, surface, caller)
        route = await _counting_route(gateway, request, facts, trace, session, caller)
        tokens = None if route is None else await self._ask(gateway, route, request, headers)
        identity = None if trace is None else trace.id
        gateway.metrics.side_call("count_tokens", "estimated" if tokens is None else "counted")
        if tokens is None:
            estimate = estimate_tokens(request, close_text)
            return Count(tokens=estimate, estimated=True, trace=identity)
        return Count(tokens=tokens, estimated=False, trace=identity)

    async def _ask(
        self, gateway: Gateway, route: Route, request: Request, headers: Mapping[str, str]
    ) -> int | None:
        way = route.ways[request.dialect]
        counting, url = way.dialect.counting, way.count_url
        assert counting is not None and url is not None, "the route can count"
        is_same = way.dialect.name == request.dialect
        if request.bound and not is_same:
            return None
        makers, name = gateway.makers, route.target.name
        if makers.is_shared:
            await makers.learn(request)
        request, facts, _ = without_foreign(
            request, way.facts, makers.foreign(request, name), passing=is_same
        )
        try:
            written = way.frame.count(counting.write(request, facts, headers))
            lent = provider_headers(route, headers, gateway.keys)
        except (CannotTranslate, NoCredential):
            return None
        call = UpstreamRequest(
            url=url,
            headers=upstream_headers(
                headers,
                same_dialect=is_same,
                dialect=way.dialect.name,
                written=written,
                provider=lent,
                accept="application/json",
            ),
            body=written.body,
            connect=route.connect,
            fresh=False,
            target=route.target.name,
            dialect=way.dialect.name,
            signer=route.signer,
            link=route.link,
        )
        where = repr((call.url, sorted(call.headers.items()))).encode()
        key = sha256(where + written.body).digest()
        running = self._running.get(key)
        if running is None:
            read = way.frame.read_count or counting.read
            running = asyncio.get_running_loop().create_task(self._call(route, call, read))
            self._running[key] = running
        self._waiting[running] += 1
        try:
            # Others may wait for the same count: only the last one's leaving ends it.
            return await asyncio.shield(running)
        finally:
            self._waiting[running] -= 1
            if not self._waiting[running]:
                del self._waiting[running], self._running[key]
                running.cancel()

    async def _call(
        self, route: Route, call: UpstreamRequest, read: Callable[[bytes], int]
    ) -> int | None:
        try:
            async with asyncio.timeout(CALL_TIME), self._places:
                response = await route.upstream.send(call)
                try:
                    body = await read_all(response, MAX_ERROR)
                finally:
                    response.close()
            if response.status == 200:
                return read(body)
        except (TimeoutError, UpstreamFault, BrokenAnswer):
            return None
        return None


async def _counting_route(
    gateway: Gateway,
    request: Request,
    facts: RequestFacts,
    trace: Asked | None,
    session: Session,
    caller: Caller | None,
) -> Route | None:
    """Who counts: the target this request would go to first, where it can.

    Else another of the decided ones that serves the same model at the same trust: another
    model counts otherwise, and nobody less trusted may see the prompt.
    """
    try:
        decision, _ = decide(gateway, request, facts, trace)
    except RefusedRequest:
        return None
    if decision.outcome is not Verdict.ROUTE or gateway.settings.dry_run:
        return None
    if caller is not None and not caller.may_reach_tier(decision.tier):
        return None
    targets = await session.order(decision, decision.targets)
    if trace is not None:
        trace.ordered(session.told)
    routes = [gateway.routes[index] for index in targets]
    if caller is not None:
        may_reach = reaches(caller, gateway.policy.dispatch, decision.tier)
        routes = [route for route in routes if may_reach(route.target.name)]
    if not routes:
        return None
    first, now = routes[0], asyncio.get_running_loop().time()
    for route in routes:
        is_alike = (route.target.model, route.provider.trust) == (
            first.target.model,
            first.provider.trust,
        )
        way = route.ways[request.dialect]
        is_open = gateway.watch.closed(route.index, now) is None
        if is_alike and is_open and way.count_url is not None and way.dialect.counting is not None:
            return route
    return None
