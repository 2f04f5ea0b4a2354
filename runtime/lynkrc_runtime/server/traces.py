"""Requests that ask why to their traces: put together on the way, kept in the gateway's store.

A request asks by ``x-lynkr-explain: 1``; without the header nothing here is worked out. A trace is
kept when the decision is made, and again when the request is settled, then with what happened. It
holds no text of the request and no value of a header (see `lynkrc_runtime.trace`).
"""

import secrets
from collections.abc import Mapping
from typing import Any, final

from lynkrc_runtime.access.caller import Caller
from lynkrc_runtime.access.rights import EXPLAIN
from lynkrc_runtime.attempt import AttemptRecord
from lynkrc_runtime.decide import Decision
from lynkrc_runtime.dispatch import Dispatch
from lynkrc_runtime.features import RefusedRequest, RequestFacts, SlotValue
from lynkrc_runtime.protocol.conversation import Request
from lynkrc_runtime.server.gateway import Gateway, Policy
from lynkrc_runtime.server.trace_store import TraceStore
from lynkrc_runtime.telemetry.outcome import Outcome, milliseconds
from lynkrc_runtime.trace import trace_of

TRACE_ID = "x-lynkr-trace-id"


@final
class Asked:
    """The trace of a request under way that asked for one; `id` is what the client is told."""

    __slots__ = ("_policy", "_store", "_trace", "id")

    def __init__(self, store: TraceStore, policy: Policy, surface: str) -> None:
        self.id = f"tr_{secrets.token_hex(12)}"
        self._store = store
        self._policy = policy
        self._trace = trace_of(bundle=policy.digest, surface=surface, dispatch=policy.dispatch)

    def refused(self) -> None:
        """There is nothing to decide by."""
        self._store.put(self.id, self._trace)

    def decided(self, features: list[SlotValue], decision: Decision) -> None:
        """The request was decided by these features."""
        policy = self._policy
        self._trace = trace_of(
            bundle=policy.digest,
            surface=self._trace["surface"],
            dispatch=policy.dispatch,
            features=features,
            explained=policy.explain([feature.value for feature in features]),
            decision=decision,
        )
        self._store.put(self.id, self._trace)

    def ordered(self, told: Mapping[str, Any] | None) -> None:
        """The session said which of the decided targets goes first, and why."""
        self._trace["session"] = told
        self._store.put(self.id, self._trace)

    def settled(self, outcome: Outcome) -> None:
        """The request has ended."""
        self._trace["served"] = _served(self._policy.dispatch, outcome)
        self._store.put(self.id, self._trace)


def asked(
    gateway: Gateway, headers: Mapping[str, str], surface: str, caller: Caller | None
) -> Asked | None:
    """The trace of a request; None where its headers do not ask for one, or its key may not."""
    if headers.get(EXPLAIN) != "1" or (caller is not None and not caller.debug):
        return None
    return Asked(gateway.traces, gateway.policy, surface)


def decide(
    gateway: Gateway, request: Request, facts: RequestFacts, trace: Asked | None
) -> tuple[Decision, list[int]]:
    """The decision, and the vector it was made by. Raises RefusedRequest.

    A request that asks for its trace is explained on the way.
    """
    extractor = gateway.policy.extractor
    if trace is None:
        vector = extractor.extract(request, facts)
        return gateway.decider.decide(vector), vector
    try:
        features = extractor.explain(request, facts)
    except RefusedRequest:
        trace.refused()
        raise
    vector = [feature.value for feature in features]
    decision = gateway.decider.decide(vector)
    trace.decided(features, decision)
    return decision, vector


def _served(dispatch: Dispatch, outcome: Outcome) -> dict[str, Any]:
    return {
        "request_id": outcome.request_id,
        "stream": outcome.stream,
        "status": outcome.status,
        "class": outcome.ending,
        "target": None if outcome.target is None else dispatch.targets[outcome.target].name,
        "fallback": outcome.fallback,
        "attempts": [_attempt(dispatch, record) for record in outcome.attempts],
        "cost_micro_usd": None if outcome.cost is None else outcome.cost.total,
        "duration_ms": milliseconds(outcome.seconds),
    }


def _attempt(dispatch: Dispatch, record: AttemptRecord) -> dict[str, Any]:
    failure = record.failure
    return {
        "target": dispatch.targets[record.target].name,
        "result": record.result,
        "fault": record.fault,
        "class": None if failure is None else failure.kind.value,
        "status": None if failure is None else failure.status,
        "duration_ms": milliseconds(record.seconds),
    }
