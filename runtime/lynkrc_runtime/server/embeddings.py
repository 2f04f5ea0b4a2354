"""``POST /v1/embeddings``: a requested name to its declared target, never by score, and no other.

Vectors of different models do not compare, so nothing falls back. What the policy says of the
target still holds: the request is put to it as if the target were pinned, and `deny` and `require`
answer as they do there. Design: "Embeddings".
"""

import asyncio
from dataclasses import replace
from typing import assert_never

from lynkrc_runtime.attempt import Fault, Try
from lynkrc_runtime.decide import Decision
from lynkrc_runtime.decide import Outcome as Verdict
from lynkrc_runtime.feature_table import EMBEDDINGS
from lynkrc_runtime.features import RefusedRequest
from lynkrc_runtime.protocol.conversation import (
    BrokenAnswer,
    CannotTranslate,
    MalformedRequest,
    Usage,
)
from lynkrc_runtime.protocol.embeddings.answer import write_answer
from lynkrc_runtime.protocol.embeddings.policy import (
    DIALECT,
    RULE,
    as_conversation,
    pinned,
    target_of,
)
from lynkrc_runtime.protocol.embeddings.request import EmbeddingRequest, read_request
from lynkrc_runtime.protocol.failures import read_failure
from lynkrc_runtime.server.admit import admit, within_reach
from lynkrc_runtime.server.exchange import DENY, Exchange
from lynkrc_runtime.server.gateway import refuse_repeated
from lynkrc_runtime.server.headers import upstream_headers
from lynkrc_runtime.server.lent import NoCredential, blamed, provider_headers
from lynkrc_runtime.server.problems import malformed
from lynkrc_runtime.server.relay import deliver, fetch, misfit_of, refuse_loss
from lynkrc_runtime.server.routes import EmbeddingWay, Route
from lynkrc_runtime.server.serve import OTHERWISE_DENY, SIMULATE, refusal_message, wishes_of
from lynkrc_runtime.server.traces import decide
from lynkrc_runtime.server.walk import walk
from lynkrc_runtime.simulator import UnknownBehaviour
from lynkrc_runtime.telemetry.outcome import Ending
from lynkrc_runtime.upstream import UpstreamRequest


async def embed(exchange: Exchange) -> None:
    """Serve a request for embeddings up to its ending."""
    gateway, incoming = exchange.gateway, exchange.incoming
    try:
        refuse_repeated(gateway, incoming.body)
        asked = read_request(incoming.body)
        exchange.wishes = wishes_of(exchange)
    except MalformedRequest as error:
        await exchange.refuse(malformed(error, incoming.request_id), Ending.MALFORMED)
        return
    except UnknownBehaviour as error:
        await exchange.refuse(exchange.problem(400, str(error), SIMULATE), Ending.MALFORMED)
        return
    exchange.request = as_conversation(asked, asked.model)
    name = target_of(gateway.policy.dispatch.settings.embeddings, asked.model)
    if name is None:
        await _unknown(exchange, asked.model)
        return
    route = next(one for one in gateway.routes if one.target.name == name)
    decision = await _allowed(exchange, asked, route)
    if decision is None:
        return
    exchange.decision = replace(decision, rule=RULE)
    way = route.embedding
    if way is None:
        message = f"target {name}: kind {route.provider.kind} makes no embeddings"
        await exchange.refuse(exchange.problem(400, message, "model"), Ending.MISFIT)
        return
    await walk(exchange, [route.whole], lambda step: _attempt(exchange, asked, route, way, step))


async def _unknown(exchange: Exchange, model: str) -> None:
    declared = exchange.gateway.policy.dispatch.settings.embeddings
    message = (
        f"no target makes embeddings for model {model!r}: name it in the section `embeddings`"
        if declared
        else "embeddings are not served: the policy has no section `embeddings`"
    )
    problem = replace(exchange.problem(404, message, "model"), code="model_not_found")
    await exchange.refuse(problem, Ending.REFUSED)


async def _allowed(exchange: Exchange, asked: EmbeddingRequest, route: Route) -> Decision | None:
    """The decision for the target alone; None where the policy forbids it and the client knows."""
    gateway = exchange.gateway
    request = pinned(asked, route.target.name)
    facts = await admit(exchange, request)
    if facts is None:
        return None
    try:
        decision, vector = decide(gateway, request, facts, exchange.trace)
        exchange.vector = vector
    except RefusedRequest as error:
        await exchange.refuse(exchange.problem(400, error.message, error.field), Ending.MALFORMED)
        return None
    match decision.outcome:
        case Verdict.ROUTE if route.index in decision.targets:
            reached = await within_reach(exchange, decision, [route.index])
            return decision if reached else None
        case Verdict.ROUTE:
            message = f"the routing policy does not allow target {route.target.name} here"
            await exchange.refuse(exchange.problem(403, message), Ending.DENIED)
        case Verdict.REFUSE:
            message = refusal_message(gateway.policy.explain(vector))
            await exchange.refuse(exchange.problem(400, message), Ending.REFUSED)
        case Verdict.DENY | Verdict.RESPOND:
            exchange.decision = decision
            deny = decision.deny or OTHERWISE_DENY
            problem = exchange.problem(deny.status, deny.message)
            if decision.outcome is Verdict.RESPOND:
                # What stands behind such a rule has not been asked: the request goes nowhere.
                words = f"rule {decision.rule} answers in words, which are no embedding"
                problem = replace(problem, message=words)
            await exchange.refuse(problem, Ending.DENIED, status=deny.status)
        case _:
            assert_never(decision.outcome)
    return None


async def _attempt(
    exchange: Exchange, asked: EmbeddingRequest, route: Route, way: EmbeddingWay, step: Try
) -> bool:
    attempts, loop = exchange.attempts, asyncio.get_running_loop()
    assert attempts is not None
    try:
        lent = provider_headers(route, exchange.incoming.headers, exchange.gateway.keys)
        written = way.form.write(asked, route.target.model, way.takes)
        if route.target.on_loss == DENY:
            refuse_loss(route.target.name, written.transforms)
    except CannotTranslate as misfit:
        attempts.failed(misfit_of(misfit), Fault.UNSENT, loop.time())
        return False
    except NoCredential as lacking:
        attempts.failed(lacking.failure, Fault.UNSENT, loop.time())
        return False
    exchange.route, exchange.transforms = route, written.transforms
    exchange.upstream_id, exchange.simulated = None, False
    headers = upstream_headers(
        exchange.incoming.headers,
        same_dialect=False,
        dialect=DIALECT,
        written=written,
        provider=lent,
        accept="application/json",
    )
    headers = exchange.say_whose(headers)
    call = UpstreamRequest(
        url=way.url,
        headers=headers,
        body=written.body,
        connect=route.connect,
        fresh=step.fresh,
        target=route.target.name,
        dialect=EMBEDDINGS,
        signer=route.signer,
        link=route.link,
        simulate=exchange.wishes.get(route.target.name, route.simulate),
    )
    fetched = await fetch(exchange, route, call, step)
    if fetched is None:
        return False
    response, body = fetched
    if response.status != 200:
        failure = read_failure(response.status, response.headers, body)
        attempts.failed(blamed(route, failure), Fault.ANSWERED, loop.time())
        return False
    usage: Usage | None = None
    try:
        found = way.form.read(body)
        usage = found.usage or Usage(input=exchange.input_estimate(), reported=False)
        named = exchange.gateway.named(asked.model, route.target.model)
        answer = write_answer(found, asked, named, usage)
    except BrokenAnswer as fault:
        if usage is not None:
            # Vectors were made, though not as asked: they are paid for.
            exchange.usage, exchange.is_whole = usage, True
            exchange.charge()
            exchange.forget_answer()
        attempts.failed(fault.failure, Fault.BROKEN, loop.time())
        return False
    await deliver(exchange, usage, answer)
    return True
