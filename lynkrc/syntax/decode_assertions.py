"""Nodes of `assert` to the assertions of the tree."""

from collections.abc import Iterator

from lynkrc.source.nodes import MappingNode
from lynkrc.syntax.config import Assertion, AssertionKind, Located, Name, Number
from lynkrc.syntax.decode_parts import (
    Record,
    allows,
    duration,
    name_once,
    number,
    optional_name,
    required,
    required_name,
)
from lynkrc.syntax.expr import Expr

_EXPRESSIONS = (
    AssertionKind.NEVER,
    AssertionKind.ALWAYS,
    AssertionKind.REACHABLE,
    AssertionKind.MONOTONE,
)


def decode_assertions(record: Record, root: MappingNode) -> Iterator[Assertion]:
    """The sound assertions, in the order written."""
    seen: dict[str, Name] = {}
    for node in record.items(root, "assert", *(kind.value for kind in _EXPRESSIONS)):
        before = len(record.findings)
        kind = next(kind for kind in AssertionKind if node.get(kind.value) is not None)
        name = optional_name(node, "name")
        if name is not None:
            name_once(record, name, seen)
        expression = _expression(record, node, kind)
        amount = _amount(record, node, kind)
        if len(record.findings) > before:
            continue
        yield Assertion(
            name=name,
            kind=kind,
            expression=expression,
            amount=amount,
            file=required_name(node, kind.value) if kind is AssertionKind.SAME_AS else None,
            waive=optional_name(node, "waive"),
            allow=allows(node),
            span=node.span,
        )


def _expression(record: Record, node: MappingNode, kind: AssertionKind) -> Expr | None:
    return record.expression(required(node, kind.value)) if kind in _EXPRESSIONS else None


def _amount(record: Record, node: MappingNode, kind: AssertionKind) -> Number | None:
    match kind:
        case AssertionKind.MAX_COST_USD:
            value: float | None = float(number(required(node, kind.value)))
        case AssertionKind.MAX_LATENCY:
            value = duration(record, required(node, kind.value))
        case _:
            return None
    return None if value is None else Located(value=value, span=required(node, kind.value).span)
