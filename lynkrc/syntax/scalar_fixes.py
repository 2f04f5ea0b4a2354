"""Findings about ambiguous scalars to the same with fixes: what may stand there says which is
meant.

Where only text may stand, quotes are right beyond doubt; elsewhere the reading of YAML 1.1 is a
guess.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lynkrc.diagnostics.codes import AMBIGUOUS_SCALAR
from lynkrc.diagnostics.model import Diagnostic, Fix
from lynkrc.source.fixes import replacing
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode
from lynkrc.source.quoting import quote
from lynkrc.source.scalars import resolve_plain, trap
from lynkrc.syntax.shape import Shape, root_shape

_TEXT = frozenset({"string"})


def with_scalar_fixes(findings: Sequence[Diagnostic], root: Node) -> list[Diagnostic]:
    """The findings about a document, those about ambiguous scalars with a fix."""
    if not any(finding.code == AMBIGUOUS_SCALAR for finding in findings):
        return list(findings)
    fixes = {node.span.start: _fix(node, types) for node, types in _scalars(root, root_shape())}
    return [
        replace(finding, fix=fixes.get(finding.span.start))
        if finding.code == AMBIGUOUS_SCALAR
        else finding
        for finding in findings
    ]


def _scalars(node: Node, shape: Shape) -> Iterator[tuple[ScalarNode, frozenset[str]]]:
    """Each ambiguous scalar with the types that may stand there; a key is text."""
    match node:
        case ScalarNode():
            if trap(node.text) is not None:
                yield node, shape.types()
        case SequenceNode(items=items):
            for item in items:
                yield from _scalars(item, shape.item())
        case MappingNode(entries=entries):
            for key, value in entries:
                if trap(key.text) is not None:
                    yield key, _TEXT
                yield from _scalars(value, shape.at(key.text))


def _fix(node: ScalarNode, types: frozenset[str]) -> Fix:
    found = trap(node.text)
    assert found is not None, "only ambiguous scalars get here"
    if types.isdisjoint({"boolean", "number", "integer"}):
        return replacing(node.span, quote(node.text), "quote it", safe="string" in types)
    if "boolean" in types and found.old in ("true", "false"):
        return replacing(node.span, found.old, f"write {found.old}", safe=False)
    plain = node.text.replace("_", "")
    if "_" in node.text and trap(plain) is None and not isinstance(resolve_plain(plain), str):
        return replacing(node.span, plain, f"write {plain}", safe=False)
    return replacing(node.span, quote(node.text), "quote it", safe=False)
