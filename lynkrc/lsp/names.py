"""The nodes of a document to every place where something is named: definitions and uses.

Names in expressions are found where they stand, also inside folded and quoted scalars.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import assert_never, final

from lynkrc.lsp.roles import (
    DEFINING_KEYS,
    DEFINING_VALUES,
    USING_KEYS,
    USING_VALUES,
    Kind,
    role,
)
from lynkrc.lsp.spot import ITEM, Path
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode
from lynkrc.source.scalar_map import Place, place_in
from lynkrc.source.text import Span
from lynkrc.syntax.expr import Call, Comparison, Expr, ListLiteral, Ref, StringLiteral
from lynkrc.syntax.parse import KEYWORDS, children, parse_expression
from lynkrc.syntax.shape import Shape, root_shape
from lynkrc_runtime.feature_table import FEATURES, Parameter

ENUMS: Mapping[str, Kind] = MappingProxyType(
    {
        "client": Kind.CLIENT,
        "rule": Kind.RULE,
        "session.tier": Kind.TIER,
        "target": Kind.TARGET,
        "target.provider": Kind.PROVIDER,
        "target.trust": Kind.TRUST,
        "tier": Kind.TIER,
    }
)
"""Enums of expressions whose members are names of the spec."""

_WORD = re.compile(
    r"""(?P<text>"[^"]*"|'[^']*')|(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_]\w*)*)"""
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """A name where it stands; the span is that of the name alone, without quotes."""

    kind: Kind
    name: str
    span: Span = field(repr=False)
    defines: bool = False
    bare: bool = False
    """It stands in an expression without quotes."""
    call: Call | None = None
    """The call whose function it is."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """One node of a document: where it stands and what may stand there."""

    path: Path
    node: Node
    shape: Shape
    is_key: bool


def walk(root: Node) -> Iterator[At]:
    """Every key and node, in the order of the text; a key before its value."""
    stack: list[At] = [At(path=(), node=root, shape=root_shape(), is_key=False)]
    while stack:
        at = stack.pop()
        yield at
        if at.is_key:
            continue
        below: list[At] = []
        match at.node:
            case ScalarNode():
                pass
            case SequenceNode(items=items):
                shape, path = at.shape.item(), (*at.path, ITEM)
                below = [At(path=path, node=item, shape=shape, is_key=False) for item in items]
            case MappingNode(entries=entries):
                for key, value in entries:
                    path, shape = (*at.path, key.text), at.shape.at(key.text)
                    below.append(At(path=path, node=key, shape=shape, is_key=True))
                    below.append(At(path=path, node=value, shape=shape, is_key=False))
            case _:
                assert_never(at.node)
        stack.extend(reversed(below))


def at_offset(root: Node, offset: int) -> At | None:
    """The innermost key or scalar that holds an offset; its end counts too."""
    found = None
    for at in walk(root):
        span = at.node.span
        if span.start <= offset <= span.end and isinstance(at.node, ScalarNode):
            found = at
    return found


def is_expression(at: At) -> bool:
    """Whether the text of a value is an expression."""
    if at.is_key or not isinstance(at.node, ScalarNode):
        return False
    return takes_expression(at.path, at.shape)


def takes_expression(path: Path, shape: Shape) -> bool:
    """Whether a scalar at a place is an expression."""
    return shape.is_expression or role(DEFINING_KEYS, path) is Kind.FEATURE


def occurrences(root: Node, features: Collection[str]) -> list[Occurrence]:
    """Every name of a document; `features` are the named expressions it may use."""
    found: list[Occurrence] = []
    for at in walk(root):
        if not isinstance(at.node, ScalarNode):
            continue
        if is_expression(at):
            found += _in_text(at.node, features)
        else:
            found += _in_scalar(at, at.node)
    return found


def _in_scalar(at: At, node: ScalarNode) -> Iterator[Occurrence]:
    tables = (DEFINING_KEYS, USING_KEYS) if at.is_key else (DEFINING_VALUES, USING_VALUES)
    for table, defines in zip(tables, (True, False), strict=True):
        kind = role(table, at.path)
        if kind is not None and node.text:
            span = place_in(node)(0, len(node.text))
            yield Occurrence(kind=kind, name=node.text, span=span, defines=defines)


def _in_text(node: ScalarNode, features: Collection[str]) -> Iterable[Occurrence]:
    place = place_in(node)
    expr, _ = parse_expression(node.text, place)
    if expr is None:
        return _loose(node.text, place, features)
    return _in_expression(expr, features)


def _loose(text: str, place: Place, features: Collection[str]) -> Iterator[Occurrence]:
    """Names of an expression that cannot be read: what they mean follows from them alone."""
    for match in _WORD.finditer(text):
        name = match["name"]
        if name is None or name in KEYWORDS:
            continue
        kind = Kind.FEATURE if name in features else Kind.LANGUAGE
        yield Occurrence(kind=kind, name=name, span=place(*match.span()), bare=True)


def _in_expression(expr: Expr, features: Collection[str]) -> Iterator[Occurrence]:
    match expr:
        case Ref(name=name, span=span):
            is_own = name in features and name not in FEATURES
            kind = Kind.FEATURE if is_own else Kind.LANGUAGE
            yield Occurrence(kind=kind, name=name, span=span, bare=True)
        case Call():
            yield from _in_call(expr, features)
        case Comparison(operands=operands):
            kinds = [found for one in operands if (found := _enum(one)) is not None]
            for one in operands:
                if kinds and _enum(one) is None:
                    yield from _members(one, kinds[0], features)
                else:
                    yield from _in_expression(one, features)
        case _:
            for child in children(expr):
                yield from _in_expression(child, features)


def _in_call(call: Call, features: Collection[str]) -> Iterator[Occurrence]:
    yield Occurrence(kind=Kind.LANGUAGE, name=call.name, span=call.name_span, bare=True, call=call)
    feature = FEATURES.get(call.name)
    over_lexicon = feature is not None and feature.parameter is Parameter.TEXT_AND_LEXICON
    for index, argument in enumerate(call.args):
        if over_lexicon and index == 1:
            yield from _members(argument, Kind.LEXICON, features)
        else:
            yield from _in_expression(argument, features)


def _enum(expr: Expr) -> Kind | None:
    return ENUMS.get(expr.name) if isinstance(expr, Ref) else None


def _members(expr: Expr, kind: Kind, features: Collection[str]) -> Iterator[Occurrence]:
    """Names opposite an enum, or where a lexicon is named: bare, quoted, or a list of them."""
    match expr:
        case Ref(name=name, span=span):
            yield Occurrence(kind=kind, name=name, span=span, bare=True)
        case StringLiteral(value=value, span=span):
            start = span.text.find(value)
            if start >= 0 and value:
                begin = span.start + start
                inner = Span(file=span.file, start=begin, end=begin + len(value))
                yield Occurrence(kind=kind, name=value, span=inner)
        case ListLiteral(items=items):
            for item in items:
                yield from _members(item, kind, features)
        case _:
            yield from _in_expression(expr, features)
