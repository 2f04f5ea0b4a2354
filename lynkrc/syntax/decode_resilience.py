"""Nodes of a provider's `timeouts`, `retry`, `breaker` and `concurrency` to their part of the tree.

A function reports a part whose values do not fit together, and gives what remains of it.
"""

from lynkrc.diagnostics import codes
from lynkrc.source.nodes import MappingNode
from lynkrc.syntax.config import Breaker, Concurrency, Retry, Timeouts
from lynkrc.syntax.decode_parts import Record, duration, mapping, optional_whole, required


def decode_timeouts(record: Record, provider: MappingNode) -> Timeouts:
    """Limits on time, in seconds."""
    node = _part(provider, "timeouts")
    return Timeouts(
        connect=_seconds(record, node, "connect"),
        first_event=_seconds(record, node, "first_event"),
        idle=_seconds(record, node, "idle"),
        total=_seconds(record, node, "total"),
    )


def decode_retry(record: Record, provider: MappingNode) -> Retry:
    """Retries; `max_backoff` is no less than `backoff`."""
    node = _part(provider, "retry")
    retry = Retry(
        times=_whole(node, "times"),
        backoff=_seconds(record, node, "backoff"),
        max_backoff=_seconds(record, node, "max_backoff"),
    )
    if node is not None and not backoffs_fit(retry.backoff, retry.max_backoff):
        record.report(
            codes.OUT_OF_RANGE, BACKOFFS, required(node, "max_backoff").span, BACKOFFS_HELP
        )
    return retry


BACKOFFS = "`max_backoff` is less than `backoff`"
BACKOFFS_HELP = "waits grow from `backoff` to `max_backoff`"


def backoffs_fit(first: float | None, most: float | None) -> bool:
    """Whether the two bounds of a wait can hold together; what is not written fits."""
    return first is None or most is None or first <= most


def decode_breaker(record: Record, provider: MappingNode) -> Breaker:
    """When a target is left alone."""
    node = _part(provider, "breaker")
    return Breaker(
        failures=_whole(node, "failures"),
        within=_seconds(record, node, "within"),
        open_for=_seconds(record, node, "open_for"),
        successes=_whole(node, "successes"),
    )


def decode_concurrency(record: Record, provider: MappingNode) -> Concurrency | None:
    """How many calls run at once; None where nothing is written of it."""
    node = _part(provider, "concurrency")
    limit = _whole(node, "limit")
    if node is None or limit is None:
        return None
    queue, wait = _whole(node, "queue"), node.key("wait")
    if queue == 0 and wait is not None:
        record.report(
            codes.WITHOUT_USE,
            "nothing waits where `queue` is 0",
            wait.span,
            "remove `wait`, or let some calls wait",
        )
    return Concurrency(limit=limit, queue=queue, wait=_seconds(record, node, "wait"))


def _part(provider: MappingNode, key: str) -> MappingNode | None:
    written = provider.get(key)
    return None if written is None else mapping(written)


def _seconds(record: Record, node: MappingNode | None, key: str) -> float | None:
    written = None if node is None else node.get(key)
    return None if written is None else duration(record, written)


def _whole(node: MappingNode | None, key: str) -> int | None:
    written = None if node is None else optional_whole(node, key)
    return None if written is None else written.value
