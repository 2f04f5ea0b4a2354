"""Sections of settings to what a schema cannot say of them: names that are not there, parts that
do not fit together, and parts that do nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import final

from lynkrc.diagnostics import codes
from lynkrc.diagnostics.model import Code, Diagnostic, Label
from lynkrc.diagnostics.sema_codes import UNKNOWN_TARGET, UNKNOWN_TIER
from lynkrc.diagnostics.settings_codes import UNKNOWN_OWNER
from lynkrc.diagnostics.suggest import did_you_mean
from lynkrc.diagnostics.wording import shown
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode
from lynkrc.source.text import Span
from lynkrc.syntax.decode_resilience import BACKOFFS, BACKOFFS_HELP, backoffs_fit
from lynkrc.syntax.units import seconds
from lynkrc_runtime.settings import is_database


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class _Spec:
    """The sections by key, and the names they may use."""

    sections: Mapping[str, Node]
    tiers: Sequence[str]
    targets: Sequence[str]
    owners: Mapping[str, Sequence[str]]
    """Names of keys, teams and tenants."""

    def at(self, *path: str) -> Node | None:
        """The node at a path of keys."""
        node = self.sections.get(path[0])
        return _at(node, *path[1:])


def check_settings(
    sections: Mapping[str, Node], *, tiers: Sequence[str], targets: Sequence[str]
) -> list[Diagnostic]:
    """Every finding about sections that the schema has accepted."""
    spec = _Spec(
        sections=sections, tiers=tiers, targets=targets, owners=_owners(sections.get("keys"))
    )
    return [finding for check in _CHECKS for finding in check(spec)]


def _owners(keys: Node | None) -> Mapping[str, Sequence[str]]:
    entries = _entries(keys)
    return {
        "key": [key.text for key, _ in entries],
        "team": [*dict.fromkeys(_text(_at(value, "team")) for _, value in entries)],
        "tenant": [*dict.fromkeys(_text(_at(value, "tenant")) for _, value in entries)],
    }


def _check_targets(spec: _Spec) -> Iterator[Diagnostic]:
    places = [_at(value, "target") for _, value in _entries(spec.at("embeddings"))]
    places += [spec.at("cache", "semantic", "embedder")]
    for _, key in _entries(spec.at("keys")):
        places += _items(_at(key, "targets"))
    for budget in _items(spec.at("budgets")):
        places += _items(_at(budget, "targets"))
    for node in places:
        if node is not None and _text(node) not in spec.targets:
            yield _unknown(UNKNOWN_TARGET, "target", node, spec.targets)


def _check_tiers(spec: _Spec) -> Iterator[Diagnostic]:
    places = _items(spec.at("optimize", "tool_results", "tiers"))
    for _, key in _entries(spec.at("keys")):
        places += _items(_at(key, "tiers"))
    for node in places:
        if _text(node) not in spec.tiers:
            yield _unknown(UNKNOWN_TIER, "tier", node, spec.tiers)


def _check_owners(spec: _Spec) -> Iterator[Diagnostic]:
    for section, default in (("limits", "key"), ("budgets", "everyone")):
        for item in _items(spec.at(section)):
            written = _at(item, "per")
            yield from _check_owner(spec, written)
            yield from _check_only(spec, item, default if written is None else _text(written))
    for path in (("cache", "exact", "scope"), ("cache", "semantic", "scope"), ("memory", "scope")):
        yield from _check_owner(spec, spec.at(*path))


def _check_owner(spec: _Spec, node: Node | None) -> Iterator[Diagnostic]:
    owner = "" if node is None else _text(node)
    if node is not None and owner in ("team", "tenant") and not any(spec.owners[owner]):
        yield _finding(
            UNKNOWN_OWNER,
            f"no key has a {shown(owner)}",
            node.span,
            f"write `{owner}: NAME` in the keys, or choose another owner",
        )


def _check_only(spec: _Spec, item: Node, owner: str) -> Iterator[Diagnostic]:
    only = _at(item, "only")
    if only is None:
        return
    if owner == "everyone":
        yield _finding(
            codes.WITHOUT_USE,
            "`only` means nothing where everyone is counted together",
            _key_span(item, "only"),
            "write `per: key`, `per: team` or `per: tenant`, or remove `only`",
        )
        return
    known = [name for name in spec.owners[owner] if name]
    for node in _items(only):
        if known and _text(node) not in known:
            yield _unknown(UNKNOWN_OWNER, owner, node, known)
        elif not known and owner == "key":
            yield _finding(
                UNKNOWN_OWNER,
                f"there is no key {shown(_text(node))}: the spec has no `keys`",
                node.span,
                "name the keys under `keys`",
            )


def _unknown(code: Code, what: str, node: Node, known: Sequence[str]) -> Diagnostic:
    return _finding(
        code,
        f"there is no {what} {shown(_text(node))}",
        node.span,
        did_you_mean(_text(node), known, f"{what}s"),
    )


def _check_repetitions(spec: _Spec) -> Iterator[Diagnostic]:
    for section in ("limits", "budgets"):
        names = [_at(item, "name") for item in _items(spec.at(section))]
        yield from _repeated(names, "the name", "give one of the two another name")
    for proof, what in (("secret", "the secret"), ("sha256", "the digest")):
        nodes = [_at(key, proof) for _, key in _entries(spec.at("keys"))]
        yield from _repeated(nodes, what, "two keys must differ, or nobody knows whose it is")


def _repeated(nodes: Sequence[Node | None], what: str, help: str) -> Iterator[Diagnostic]:
    seen: dict[str, Node] = {}
    for node in nodes:
        if node is None:
            continue
        first = seen.setdefault(_text(node), node)
        if first is not node:
            yield Diagnostic(
                code=codes.REPEATED_ITEM,
                message=f"{what} {shown(_text(node))} stands twice",
                span=node.span,
                help=help,
                labels=(Label(span=first.span, message="first written here"),),
            )


_PLACES = {"redis": "url", "sqlite": "path"}
"""Store -> the key of `state` with its address."""


def _check_state(spec: _Spec) -> Iterator[Diagnostic]:
    state, own = spec.at("state"), spec.at("responses_store", "store")
    chosen = _text(_at(state, "store")) or "memory"
    used = {chosen: _at(state, "store")}
    if own is not None:
        used.setdefault(_text(own), own)
    for store, key in _PLACES.items():
        node = used.get(store)
        if node is not None and _at(state, key) is None:
            yield _finding(
                codes.MISSING_KEY,
                f"store {shown(store)} needs `state.{key}`",
                node.span,
                f"write {shown(key)} under `state`",
            )
        if store not in used and _at(state, key) is not None:
            yield _finding(
                codes.WITHOUT_USE,
                f"{shown(key)} is for store {shown(store)}, and this is {shown(chosen)}",
                _key_span(state, key),
                f"write `store: {store}`, or remove it",
            )
    if set(used) == {"memory"} and _at(state, "on_failure") is not None:
        yield _finding(
            codes.WITHOUT_USE,
            "`on_failure` means nothing to store `memory`, which is never down",
            _key_span(state, "on_failure"),
            "remove it, or choose another store",
        )


def _check_sessions(spec: _Spec) -> Iterator[Diagnostic]:
    sessions = spec.at("sessions")
    if _text(_at(sessions, "within")) != "off":
        return
    for key, _ in _entries(sessions):
        if key.text != "within":
            yield _finding(
                codes.WITHOUT_USE,
                f"{shown(key.text)} means nothing where sessions are off",
                key.span,
                "remove it, or write `within: turn` or `within: session`",
            )


def _check_observability(spec: _Spec) -> Iterator[Diagnostic]:
    prompts, traces = spec.at("observability", "prompts"), spec.at("observability", "traces")
    if _at(prompts, "ttl") is not None and _text(_at(prompts, "store")) in ("", "nothing"):
        yield _finding(
            codes.WITHOUT_USE,
            "`ttl` means nothing where nothing is stored",
            _key_span(prompts, "ttl"),
            "remove it, or write `store: ask` or `store: request`",
        )
    if _at(traces, "endpoint") is not None and _number(_at(traces, "sample")) == 0:
        yield _finding(
            codes.WITHOUT_USE,
            "no request is traced, so nothing is sent to `endpoint`",
            _key_span(traces, "endpoint"),
            "write `sample` with the percent of requests to trace, or remove it",
        )


def _check_files(spec: _Spec) -> Iterator[Diagnostic]:
    log, usage = spec.at("observability", "log"), spec.at("observability", "usage")
    if _at(log, "rotate") is not None and _at(log, "file") is None:
        yield _finding(
            codes.WITHOUT_USE,
            "`rotate` means nothing where lines go to standard error",
            _key_span(log, "rotate"),
            "write `file` with the file the lines go to, or remove it",
        )
    if _at(usage, "rotate") is not None and is_database(
        _text(_at(usage, "file")), _text(_at(usage, "store"))
    ):
        yield _finding(
            codes.WITHOUT_USE,
            "`rotate` means nothing for a database: it is one file",
            _key_span(usage, "rotate"),
            "remove it, or write `store: jsonl`",
        )


def _check_retry(spec: _Spec) -> Iterator[Diagnostic]:
    retry = spec.at("resilience", "retry")
    most = _at(retry, "max_backoff")
    if most is not None and not backoffs_fit(_seconds(_at(retry, "backoff")), _seconds(most)):
        yield _finding(codes.OUT_OF_RANGE, BACKOFFS, most.span, BACKOFFS_HELP)
    times = _at(retry, "times")
    if times is not None and _number(times) == 0:
        for key in ("backoff", "max_backoff"):
            if _at(retry, key) is not None:
                yield _finding(
                    codes.WITHOUT_USE,
                    f"{shown(key)} means nothing where nothing is tried again",
                    _key_span(retry, key),
                    "remove it, or write `times` with more than 0",
                )


_WITHIN = (("first_event", "total"), ("commit_after", "max_stream"))
"""Of the time limits, pairs of which the first must not be longer than the second."""


def _check_times(spec: _Spec) -> Iterator[Diagnostic]:
    timeouts = spec.at("resilience", "timeouts")
    for short, long in _WITHIN:
        lesser, greater = _at(timeouts, short), _at(timeouts, long)
        least, most = _seconds(lesser), _seconds(greater)
        if lesser is not None and least is not None and most is not None and least > most:
            yield _finding(
                codes.OUT_OF_RANGE,
                f"{shown(short)} is longer than {shown(long)}, which ends it before",
                lesser.span,
                f"write a time up to {shown(_text(greater))}, or a longer {shown(long)}",
            )
    for limit in _items(spec.at("limits")):
        within = _at(limit, "within")
        time = _seconds(within)
        if within is not None and time is not None and time < 1:
            yield _finding(
                codes.OUT_OF_RANGE,
                f"{shown(_text(within))} is less than a second, which is the least that is counted",
                within.span,
                "write `within: 1s` or more",
            )


def _check_labels(spec: _Spec) -> Iterator[Diagnostic]:
    for label in _items(spec.at("observability", "metrics", "labels")):
        yield from _check_owner(spec, label)


def _check_alerts(spec: _Spec) -> Iterator[Diagnostic]:
    for budget in _items(spec.at("budgets")):
        alerts = _items(_at(budget, "alert_at"))
        for before, alert in pairwise(alerts):
            if _number(alert) <= _number(before):
                yield _finding(
                    codes.OUT_OF_RANGE,
                    f"{shown(_text(alert))} does not rise: {shown(_text(before))} stands before it",
                    alert.span,
                    "write the percentages from the lowest to the highest",
                )


_CHECKS: tuple[Callable[[_Spec], Iterator[Diagnostic]], ...] = (
    _check_targets,
    _check_tiers,
    _check_owners,
    _check_repetitions,
    _check_state,
    _check_sessions,
    _check_observability,
    _check_files,
    _check_retry,
    _check_times,
    _check_labels,
    _check_alerts,
)
"""Each looks at its own sections; what is absent has no findings."""


def _at(node: Node | None, *path: str) -> Node | None:
    for key in path:
        node = node.get(key) if isinstance(node, MappingNode) else None
    return node


def _entries(node: Node | None) -> tuple[tuple[ScalarNode, Node], ...]:
    return node.entries if isinstance(node, MappingNode) else ()


def _items(node: Node | None) -> list[Node]:
    return list(node.items) if isinstance(node, SequenceNode) else []


def _text(node: Node | None) -> str:
    """The text of a scalar; nothing where it is absent."""
    return node.text if isinstance(node, ScalarNode) else ""


def _number(node: Node | None) -> float:
    """The number a scalar is; 0 where it is absent."""
    value = node.value if isinstance(node, ScalarNode) else 0
    return value if isinstance(value, int | float) else 0


def _seconds(node: Node | None) -> float | None:
    """A duration in seconds; None where it is absent or out of range."""
    value = node.value if isinstance(node, ScalarNode) else None
    found = seconds(value) if isinstance(value, str) else value
    return None if found is None else float(found)


def _key_span(node: Node | None, key: str) -> Span:
    """Where the key is written that `_at` found a value of."""
    found = node.key(key) if isinstance(node, MappingNode) else None
    if found is None:
        raise AssertionError(f"{key!r} was expected: {node!r}")
    return found.span


def _finding(code: Code, message: str, span: Span, help: str) -> Diagnostic:
    return Diagnostic(code=code, message=message, span=span, help=help)
