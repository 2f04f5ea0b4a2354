"""A request that was read to what is known of its caller, or to the refusal of it.

Rates are counted and the session is found before anything is decided, since rules may read both.
"""

from collections.abc import Sequence

from lynkrc_runtime.access.rights import reaches
from lynkrc_runtime.decide import Decision
from lynkrc_runtime.feature_table import EMBEDDINGS
from lynkrc_runtime.features import RequestFacts
from lynkrc_runtime.metering.interface import NoMeter, Over
from lynkrc_runtime.protocol.conversation import Request
from lynkrc_runtime.reading import SessionFacts
from lynkrc_runtime.server.exchange import Exchange
from lynkrc_runtime.server.problems import problem_of
from lynkrc_runtime.sessions.interface import ALONE, NoSessions
from lynkrc_runtime.telemetry.outcome import Ending

_NOTHING_KNOWN = ALONE.facts


def admitted(exchange: Exchange) -> RequestFacts | None:
    """What `admit` gives where nothing is counted and no request belongs to a session.

    None elsewhere: there is somebody to ask.
    """
    gateway = exchange.gateway
    if type(gateway.meter) is not NoMeter or type(gateway.sessions) is not NoSessions:
        return None
    return _facts(exchange, _NOTHING_KNOWN, 0)


async def admit(exchange: Exchange, request: Request) -> RequestFacts | None:
    """What features need beside the request; None where it is refused and the client knows."""
    gateway, incoming = exchange.gateway, exchange.incoming
    caller = incoming.caller
    arrival = await gateway.meter.arrive(incoming.request_id, caller, exchange.input_estimate)
    if isinstance(arrival, Over):
        problem, extra = problem_of(
            arrival.failure, None, exchange.dialect.name, incoming.request_id
        )
        await exchange.refuse(problem, arrival.ending, extra)
        return None
    exchange.visit = arrival
    exchange.session = await gateway.sessions.find(request, incoming.headers, caller)
    return _facts(exchange, exchange.session.facts, exchange.visit.used_pct)


def _facts(exchange: Exchange, session: SessionFacts, budget_used: int) -> RequestFacts:
    incoming, caller = exchange.incoming, exchange.incoming.caller
    return RequestFacts(
        surface=incoming.surface,
        headers=incoming.headers,
        repeated=incoming.repeated,
        team=None if caller is None else caller.team,
        tenant=None if caller is None else caller.tenant,
        session=session,
        budget_used=budget_used,
        tokens=exchange.input_estimate,
    )


async def within_reach(
    exchange: Exchange, decision: Decision, targets: Sequence[int]
) -> Sequence[int]:
    """Of the decided targets those that the caller's key reaches.

    None of them: the client knows why. A key takes away and never adds.
    """
    caller = exchange.incoming.caller
    if caller is None or not (caller.tiers or caller.targets):
        return targets
    dispatch = exchange.gateway.policy.dispatch
    names = dispatch.targets
    if not caller.may_reach_tier(decision.tier):
        message = f"key {caller.name} does not reach tier {decision.tier}"
    else:
        # What makes embeddings is in no tier's chain: such a request is bound by targets alone.
        is_embedding = exchange.incoming.surface == EMBEDDINGS
        may_reach = caller.may_reach if is_embedding else reaches(caller, dispatch, decision.tier)
        reached = [target for target in targets if may_reach(names[target].name)]
        if reached:
            return reached
        decided = ", ".join(names[target].name for target in targets)
        message = f"key {caller.name} reaches none of the targets decided on: {decided}"
    await exchange.refuse(exchange.problem(403, message), Ending.FORBIDDEN)
    return ()
