"""A query of Prometheus to the metrics and labels it asks for, held against those there are."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import promql_parser
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase
from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Call,
    MatrixSelector,
    ParenExpr,
    SubqueryExpr,
    UnaryExpr,
    VectorSelector,
)

from lynkrc_runtime.telemetry.fetches import Fetches
from lynkrc_runtime.telemetry.metrics import Metrics
from lynkrc_runtime.telemetry.reloads import Reloads
from lynkrc_runtime.telemetry.tallies import Histogram
from lynkrc_runtime.telemetry.workers import WorkerCounts

OF_PROMETHEUS = frozenset({"job", "instance"})
"""Labels of the scrape, which every series has."""
_VARIABLES = {"$__rate_interval": "5m", "$__range": "1h", "$__interval": "1m"}


def exposed() -> dict[str, frozenset[str]]:
    """The names of all series a gateway shows, with their labels."""
    found: dict[str, frozenset[str]] = {}
    registries = (
        Metrics(version="1").registry,
        Reloads()._registry,
        WorkerCounts()._registry,
        Fetches()._registry,
    )
    for registry in registries:
        for metric, names in registry._collector_to_names.items():
            if names:
                found |= _series(metric, registry)
    return found


def _series(metric: Any, registry: CollectorRegistry) -> dict[str, frozenset[str]]:
    if isinstance(metric, Histogram):
        labels = frozenset(metric.labels)
        name = metric.name
        return {f"{name}_bucket": labels | {"le"}, f"{name}_sum": labels, f"{name}_count": labels}
    assert isinstance(metric, MetricWrapperBase), metric
    labels = frozenset(metric._labelnames)
    end = {"counter": "_total", "gauge": ""}[str(metric._type)]
    return {f"{metric._name}{end}": labels}


def parsed(query: str) -> Any:
    """The tree of a query; a dashboard's variables stand for a value. ValueError if it is none."""
    for name, value in _VARIABLES.items():
        query = query.replace(name, value)
    return promql_parser.parse(re.sub(r"\$\{?\w+\}?", "x", query))


def selectors(tree: Any) -> Iterator[VectorSelector]:
    """Every series a tree asks for."""
    if isinstance(tree, VectorSelector):
        yield tree
    for child in _children(tree):
        yield from selectors(child)


def _children(tree: Any) -> list[Any]:
    match tree:
        case MatrixSelector():
            return [tree.vector_selector]
        case AggregateExpr() | ParenExpr() | SubqueryExpr() | UnaryExpr():
            return [tree.expr]
        case BinaryExpr():
            return [tree.lhs, tree.rhs]
        case Call():
            return list(tree.args)
        case _:
            return []


def faults(query: str, known: Mapping[str, frozenset[str]]) -> list[str]:
    """What a query asks for that nothing has."""
    tree = parsed(query)
    wrong: list[str] = []
    for one in selectors(tree):
        if one.name is None or one.name not in known:
            wrong.append(f"no metric {one.name}")
            continue
        asked = {matcher.name for matcher in one.matchers.matchers}
        wrong += [
            f"{one.name} has no label {name}"
            for name in sorted(asked - known[one.name] - OF_PROMETHEUS)
        ]
    return wrong + _wrong_groups(tree, known)


def _labels(tree: Any, known: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The labels that every series of a tree may have."""
    if isinstance(tree, VectorSelector):
        return known.get(tree.name or "", frozenset()) | OF_PROMETHEUS
    if isinstance(tree, AggregateExpr):
        kept = set() if tree.modifier is None else set(tree.modifier.labels)
        by = tree.modifier is None or "By" in str(tree.modifier.type)
        inner = _labels(tree.expr, known)
        return frozenset(kept & inner) if by else inner - kept
    found = [_labels(child, known) for child in _children(tree)]
    return frozenset().union(*found)


def _wrong_groups(tree: Any, known: Mapping[str, frozenset[str]]) -> list[str]:
    wrong: list[str] = []
    if isinstance(tree, AggregateExpr) and tree.modifier is not None:
        lacking = set(tree.modifier.labels) - _labels(tree.expr, known)
        wrong += [f"{tree.expr} has no label {name}" for name in sorted(lacking)]
    for child in _children(tree):
        wrong += _wrong_groups(child, known)
    return wrong


def legend_faults(query: str, legend: str, known: Mapping[str, frozenset[str]]) -> list[str]:
    """Labels that a legend shows and the query's series do not have."""
    shown = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", legend))
    lacking = shown - _labels(parsed(query), known)
    return [f"{json.dumps(legend)}: no label {name}" for name in sorted(lacking)]
