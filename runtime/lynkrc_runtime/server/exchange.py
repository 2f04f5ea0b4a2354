"""What is known of one client request so far, to its answer's headers and its outcome.

The `Exchange` is the only mutable thing of a request. Answer headers and the outcome are both
read from it, so they cannot disagree.
"""

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol, final

from msgspec import Struct

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.access.rights import EXPLAIN
from lynkrc_runtime.attempt import Attempts
from lynkrc_runtime.cost import NO_COST, charge, in_usd, micro_of
from lynkrc_runtime.decide import VERDICTS, Decision
from lynkrc_runtime.decision_headers import header_value
from lynkrc_runtime.metering.interface import UNMETERED, Visit
from lynkrc_runtime.protocol.conversation import Failure, Request, Stop, Usage
from lynkrc_runtime.protocol.dialect import ClientDialect, Problem
from lynkrc_runtime.protocol.estimate import estimate_tokens
from lynkrc_runtime.server.fix_ups import FixUp, fix_up_of
from lynkrc_runtime.server.gateway import Gateway
from lynkrc_runtime.server.headers import list_value
from lynkrc_runtime.server.plan import IDS, Plan
from lynkrc_runtime.server.problems import kind_of
from lynkrc_runtime.server.routes import Route
from lynkrc_runtime.server.traces import TRACE_ID, Asked, asked
from lynkrc_runtime.sessions.interface import ALONE, Session
from lynkrc_runtime.simulator import SIMULATED
from lynkrc_runtime.telemetry.outcome import Ending, Outcome
from lynkrc_runtime.telemetry.spans import Recorded

DENY = "deny"
"""The value of a target's `on_loss` by which a request is not sent with less than it said."""
_BY_POLICY = frozenset((Ending.DENIED, Ending.REFUSED, Ending.FORBIDDEN))
"""What the policy or a key says no to, it says no to again."""


# A member of an enumeration is looked up by its class's metaclass: this is asked every time.
_UNSETTLED = Ending.INTERNAL
_NO_WISHES: Mapping[str, str] = MappingProxyType({})


@final
class Incoming(Struct, frozen=True, kw_only=True, gc=False):
    """A client's request; `headers` have lower-case names, `arrived` is on the loop's clock.

    `repeated` names the headers that came more than once. `refused` is what is wrong with the
    request, where that was found before it was read.
    `caller` is None in open mode.
    `answer_id` (24 characters) and `created` (Unix seconds) go into an answer we write.
    """

    surface: str
    dialect: str
    headers: Mapping[str, str]
    repeated: frozenset[str]
    body: bytes
    request_id: str
    answer_id: str
    created: int
    arrived: float
    refused: Problem | None = None
    caller: Caller | None = None

    def __repr__(self) -> str:
        """Neither credentials nor what anybody said."""
        return f"Incoming(surface={self.surface!r}, request_id={self.request_id!r})"


class Client(Protocol):
    """The way back to the client. Every method raises ConnectionError when it has gone."""

    async def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """A whole answer."""
        ...

    async def start(self, headers: Mapping[str, str]) -> None:
        """Begin a streamed answer, status 200."""
        ...

    async def write(self, data: bytes) -> None:
        """More of it; returns when the client can take more, so `b""` only waits for that.

        A cancelled wait loses nothing: the bytes are on their way.
        """
        ...


@final
class Exchange:
    """What is known of one request so far."""

    __slots__ = (
        "_estimate",
        "_fixes",
        "attempts",
        "began",
        "client",
        "decision",
        "dialect",
        "ending",
        "fail",
        "first",
        "gateway",
        "incoming",
        "is_whole",
        "loop",
        "losses",
        "plan",
        "request",
        "route",
        "sent",
        "session",
        "simulated",
        "span",
        "status",
        "stop",
        "stops",
        "streamed",
        "trace",
        "transforms",
        "upstream_id",
        "usage",
        "vector",
        "visit",
        "wishes",
    )

    def __init__(self, gateway: Gateway, incoming: Incoming, client: Client) -> None:
        self.gateway = gateway
        self.incoming = incoming
        self.client = client
        self.loop = asyncio.get_running_loop()
        self.dialect: ClientDialect = gateway.dialects[incoming.dialect]
        self.trace: Asked | None = None
        if EXPLAIN in incoming.headers:
            self.trace = asked(gateway, incoming.headers, incoming.surface, incoming.caller)
        tracing = gateway.tracing
        self.span: Recorded | None = None
        """What it is recorded with for a collector."""
        if tracing is not None:
            self.span = tracing.begins(incoming.headers, incoming.repeated, incoming.arrived)
        self.request: Request | None = None
        self.decision: Decision | None = None
        self.plan: Plan | None = None
        """What follows from the decision, where that was looked up."""
        self.vector: list[int] | None = None
        """What the policy read of the request."""
        self.first: int | None = None
        """The target that is tried first."""
        self.attempts: Attempts | None = None
        self.visit: Visit = UNMETERED
        """What is counted of it."""
        self.session: Session = ALONE
        """What it belongs to."""
        self.wishes: Mapping[str, str] = _NO_WISHES
        self.route: Route | None = None
        self.transforms: tuple[str, ...] = ()
        self.losses: tuple[str, ...] = ()
        """Names of what the answer said and the client's dialect has no place for."""
        self.stops: tuple[str, ...] = ()
        """Stop sequences that end the answer here, as the target was not sent all of them."""
        self.sent = ("", b"{}")
        """Address and body of the last attempt's request, for what its failure says of it."""
        self._estimate: int | None = None
        self._fixes: dict[int, tuple[FixUp, ...]] = {}
        self.fail: Callable[[Problem], bytes] | None = None
        """Writes the error that ends the stream under way."""
        self.usage: Usage | None = None
        """What the running attempt, or else the last one, reported."""
        self.is_whole = False
        """Whether its answer came to its end."""
        self.stop: Stop | None = None
        """Why its answer ended."""
        self.streamed = 0
        """Tokens of the answer that came, by our estimate."""
        self.upstream_id: str | None = None
        self.simulated = False
        self.status = 0
        self.began: float | None = None
        """When its streamed answer began, on the loop's clock."""
        self.ending = _UNSETTLED

    def headers(self) -> dict[str, str]:
        """The headers of the answer, from what is known now: a dict of their own."""
        decision, route, attempts = self.decision, self.route, self.attempts
        identity = self.incoming.request_id
        if decision is None:
            headers = dict.fromkeys(IDS, identity)
            headers["x-lynkr-bundle"] = self.gateway.policy.digest
        else:
            plan = self.plan
            if plan is None:
                plan = self.gateway.plans.of(decision)
            if route is None:
                headers = plan.headers(None, False).copy()
            else:
                headers = plan.headers(route.index, self._is_fallback()).copy()
            for name in IDS:
                headers[name] = identity
        if self.trace is not None:
            headers[TRACE_ID] = self.trace.id
        if attempts is not None:
            headers["x-lynkr-attempts"] = str(attempts.calls)
        if self.transforms:
            headers["x-lynkr-transforms"] = list_value(self.transforms)
        if self.upstream_id is not None:
            headers["x-lynkr-upstream-request-id"] = header_value(self.upstream_id)
        if self.simulated:
            headers[SIMULATED] = "1"
        return headers

    def whole_headers(self) -> dict[str, str]:
        """The headers of an answer that is sent at once, when what it cost is known."""
        headers = self.headers()
        if self.losses:
            headers["x-lynkr-losses"] = list_value(self.losses)
        cost = NO_COST if self.attempts is None else self.attempts.cost()
        if cost is not None:
            headers["x-lynkr-cost-usd"] = in_usd(micro_of(cost))
        return headers

    def forget_answer(self) -> None:
        """Nothing is known of the answer to come."""
        self.usage, self.is_whole, self.streamed, self.losses = None, False, 0, ()
        self.stop = None

    def charge(self) -> None:
        """Charge the running attempt, if one runs, for what came of it so far."""
        attempts, route, usage = self.attempts, self.route, self.usage
        if attempts is None or route is None or attempts.running is None:
            return
        is_known = usage is not None and usage.reported
        estimate = 0 if is_known else self.input_estimate()
        attempts.charged(charge(usage, route.prices, self.is_whole, estimate, self.streamed))

    def outcome(self, now: float) -> Outcome:
        """The record of the ended request."""
        incoming, request, decision = self.incoming, self.request, self.decision
        route, attempts = self.route, self.attempts
        caller, arrived = incoming.caller, incoming.arrived
        model, stream = "", False
        if request is not None:
            model, stream = request.model, request.options.stream
        tier = rule = score = verdict = None
        if decision is not None:
            tier, rule, score = decision.tier, decision.rule, decision.score
            verdict = VERDICTS[decision.outcome]
        # In the order of its fields: so many keywords would be put into a dict first, each time.
        return Outcome(
            incoming.request_id,
            incoming.surface,
            incoming.dialect,
            model,
            stream,
            self.ending,
            self.status,
            now - arrived,
            None if self.began is None else self.began - arrived,
            tier,
            rule,
            score,
            verdict,
            None if self.vector is None else tuple(self.vector),
            None if route is None else route.index,
            self._is_fallback(),
            0 if attempts is None else attempts.calls,
            () if attempts is None else tuple(attempts.records),
            self.usage,
            self.stop,
            self.transforms,
            self.losses,
            None if caller is None else caller.name,
            None if caller is None else caller.team,
            None if caller is None else caller.tenant,
            self._client() if self.gateway.metrics.tells_client else None,
        )

    def most_output(self, route: Route) -> int:
        """Tokens an answer of the target may have."""
        asked = None if self.request is None else self.request.options.max_tokens
        limit = route.target.max_output
        return limit if asked is None else min(asked, limit)

    def input_estimate(self) -> int:
        """Tokens of the request, worked out once: for its features, for limits and budgets, and
        for answers whose upstream tells the true count too late.
        """
        if self.request is None:
            return 0
        if self._estimate is None:
            self._estimate = estimate_tokens(self.request)
        return self._estimate

    async def refuse(
        self,
        problem: Problem,
        ending: Ending,
        extra: Mapping[str, str] | None = None,
        *,
        status: int | None = None,
    ) -> None:
        """Answer with an error in the client's dialect; `status` overrides the dialect's choice."""
        self.ending = ending
        chosen, body = self.dialect.write_problem(problem)
        self.status = chosen if status is None else status
        headers = self.whole_headers()
        headers["content-type"] = "application/json"
        if extra:
            headers |= extra
        if ending in _BY_POLICY:
            headers["x-should-retry"] = "false"
        await self.client.answer(self.status, headers, body)

    def say_whose(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """The headers of the running attempt, which name its span where it is recorded."""
        if self.span is None or self.attempts is None:
            return headers
        named = dict(headers)
        self.span.context.send(named, len(self.attempts.records))
        return named

    def fixes_of(self, route: Route) -> tuple[FixUp, ...]:
        """The fix-ups of a request to the target: those known to help, and those found by now."""
        if not self._fixes and not self.gateway.fix_ups.known:
            return ()
        found = self._fixes.get(route.index, ())
        rows = {fix.row.name for fix in found}
        memory, dialect = self.gateway.fix_ups, self._dialect_at(route)
        known = () if self._is_own(route) else memory.of(route.target.name, dialect)
        return (*(fix for fix in known if fix.row.name not in rows), *found)

    def fix_up(self, failure: Failure, now: float) -> bool:
        """Whether the failed attempt is made again with the edit that its failure asks for.

        A target that may lose nothing (`on_loss: deny`) is not asked for less than was said.
        """
        attempts, route = self.attempts, self.route
        if attempts is None or route is None:
            return False
        may_lose = route.target.on_loss != DENY
        fix = fix_up_of(failure, *self.sent, self.fixes_of(route), may_lose=may_lose)
        if fix is None or (self._is_own(route) and fix.row.lasts):
            return False
        if not attempts.fixed_up(failure, now):
            return False
        self._fixes[route.index] = (*self._fixes.get(route.index, ()), fix)
        return True

    def fixed(self) -> None:
        """The target served: what helped it is remembered."""
        if self._fixes and self.route is not None and self._fixes.get(self.route.index):
            dialect = self._dialect_at(self.route)
            self.gateway.fix_ups.helped(self.route.target.name, dialect, self.fixes_of(self.route))

    def problem(self, status: int, message: str, param: str | None = None) -> Problem:
        """A problem of this request."""
        return Problem(
            status=status,
            kind=kind_of(status),
            message=message,
            param=param,
            request_id=self.incoming.request_id,
        )

    def _client(self) -> str | None:
        """The name of the client's profile."""
        if self.request is None:
            return None
        extractor = self.gateway.policy.extractor
        return extractor.client(self.request, self.incoming.headers.get("user-agent"))

    def _is_own(self, route: Route) -> bool:
        """Whether the client speaks to this very model: what it says there is not improved."""
        request = self.request
        if request is None or request.model != route.target.model:
            return False
        return self._dialect_at(route) == request.dialect

    def _dialect_at(self, route: Route) -> str:
        """The dialect the target is called in for this client."""
        return route.ways[self.dialect.name].dialect.name

    def _is_fallback(self) -> bool:
        route, first = self.route, self.first
        return route is not None and first is not None and first != route.index
