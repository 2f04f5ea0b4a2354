"""A study to what its proofs take for granted, in words: only what its assertions lean on."""

from collections.abc import Iterator, Mapping

from lynkrc.analysis.study import Study
from lynkrc.ir.assertion import Kind
from lynkrc.ir.ranges import slots_read

_OF_FEATURES: Mapping[str, str] = {
    "tier": "what reads `tier` speaks of requests that have one: not of those that are denied, "
    "answered by a rule, or pinned to a target",
    "target.first": "`target.first` is the decided order: sessions and breakers may begin with "
    "another target of the chain",
    "target.trust": "the trust of a provider is declared, not checked",
}

_OF_KINDS: Mapping[Kind, str] = {
    Kind.MAX_COST_USD: "the input is at most 1.1 times its estimate, prices are as declared, every "
    "attempt is billed in full, one answer is asked for (`n` is 1), none is longer than the "
    "target's `max_output`, and tools that the provider runs cost nothing",
    Kind.MAX_LATENCY: "time-outs are kept; the time of the gateway itself is not counted",
    Kind.MONOTONE: "of two requests, all other features are equal",
}

_STATE = ("key", "session", "budget")


def assumptions(subject: Study) -> tuple[str, ...]:
    """One sentence each; empty without assertions."""
    return tuple(_assumptions(subject)) if subject.assertions.items else ()


def _assumptions(subject: Study) -> Iterator[str]:
    read = {
        subject.assertions.slots[slot].feature
        for one in subject.assertions.items
        if one.guard is not None
        for slot in slots_read(one.guard)
    }
    kinds = {one.kind for one in subject.assertions.items}
    calls = len(subject.table.calls)
    yield (
        f"all {calls} kinds of upstream calls (retries, fallbacks and side calls among them) go to "
        "targets of the decided chain"
    )
    yield from (text for feature, text in _OF_FEATURES.items() if feature in read)
    yield from (text for kind, text in _OF_KINDS.items() if kind in kinds)
    features = {slot.feature for slot in subject.domain.slots}
    if any(feature.split(".")[0] in _STATE for feature in features):
        yield "keys, sessions and budgets may have any value of their range"
