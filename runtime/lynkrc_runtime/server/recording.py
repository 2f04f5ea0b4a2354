"""An ended request to the usage log: its own record, and what it tells of those before it."""

from lynkrc_runtime.feature_table import EMBEDDINGS
from lynkrc_runtime.server.exchange import Exchange
from lynkrc_runtime.server.walk import client_retries
from lynkrc_runtime.telemetry.outcome import Outcome
from lynkrc_runtime.telemetry.usage_log import UsageLog


def record(usage_log: UsageLog, exchange: Exchange, outcome: Outcome) -> None:
    """Have it recorded; never waits, and never fails.

    Signals come first, so none of them is taken for one about this request.
    """
    policy = exchange.gateway.policy
    session = _notice(usage_log, exchange, outcome)
    usage_log.settled(policy.dispatch, policy.digest, outcome, session)


def _notice(usage_log: UsageLog, exchange: Exchange, outcome: Outcome) -> str | None:
    """Record what the request tells of those before; the name of its session."""
    gateway, incoming, request = exchange.gateway, exchange.incoming, exchange.request
    noticing = gateway.noticing
    if noticing is None or request is None or incoming.surface == EMBEDDINGS:
        return None
    placed = noticing.placing.place(
        request,
        incoming.headers,
        incoming.caller,
        is_sent_again=client_retries(incoming.headers),
    )
    noticed = noticing.signals.settled(placed.step, outcome, gateway.policy.digest)
    for judged, signal in noticed:
        usage_log.signalled(judged.request_id, judged.bundle, judged.key, signal)
        gateway.metrics.judged(signal.value)
    return placed.session
