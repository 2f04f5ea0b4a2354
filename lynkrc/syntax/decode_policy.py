"""Nodes of `lexicons`, `features`, `score`, `tiers` and `rules` to their part of the tree."""

from collections.abc import Iterator

from lynkrc.diagnostics import codes
from lynkrc.diagnostics.model import Diagnostic, Label
from lynkrc.diagnostics.wording import shown
from lynkrc.source.nodes import MappingNode, Node, ScalarNode, SequenceNode
from lynkrc.source.scalar_map import place_in
from lynkrc.syntax.config import (
    Deny,
    Dimension,
    Lexicon,
    LexiconEntry,
    Name,
    NamedExpression,
    Rule,
    Score,
    Tier,
)
from lynkrc.syntax.decode_parts import (
    Record,
    mapping,
    name_of,
    names,
    number,
    optional_name,
    optional_number,
    optional_whole,
    scalar,
)
from lynkrc.syntax.expr import Expr
from lynkrc.syntax.pattern_parse import parse_pattern


def decode_lexicons(record: Record, root: MappingNode) -> Iterator[Lexicon]:
    """The sound lexicons, in the order written; an entry that cannot be read is left out."""
    for key, value in record.entries(root, "lexicons"):
        name = record.new_name(key)
        entries = tuple(_lexicon_entries(record, value))
        if name is not None:
            yield Lexicon(name=name, entries=entries, span=value.span)


def _lexicon_entries(record: Record, node: Node) -> Iterator[LexiconEntry]:
    written: list[tuple[ScalarNode, float | None]]
    match node:
        case SequenceNode(items=items):
            written = [(scalar(item), None) for item in items]
        case MappingNode(entries=entries):
            written = [(key, float(number(weight))) for key, weight in entries]
        case ScalarNode():
            raise AssertionError(f"a list or a mapping was expected: {node!r}")
    for entry, weight in written:
        pattern, findings = parse_pattern(entry.text, entry.span, place_in(entry))
        record.findings.extend(findings)
        if pattern is not None:
            yield LexiconEntry(
                pattern=pattern,
                weight=1.0 if weight is None else weight,
                weighted=weight is not None,
            )


def decode_features(record: Record, root: MappingNode) -> Iterator[NamedExpression]:
    """The sound named expressions, in the order written."""
    for key, value in record.entries(root, "features"):
        name, expression = record.new_name(key), record.expression(value)
        if name is not None and expression is not None:
            yield NamedExpression(name=name, expression=expression, span=value.span)


def decode_score(record: Record, root: MappingNode) -> Score | None:
    """The score with its sound dimensions; None where it is not written."""
    node = root.get("score")
    if not isinstance(node, MappingNode):
        return None
    use, offset = node.get("use"), node.get("offset")
    return Score(
        use=name_of(use) if use is not None and record.is_sound(use) else None,
        offset=optional_number(node, "offset")
        if offset is not None and record.is_sound(offset)
        else None,
        dimensions=tuple(_dimensions(record, node)),
        span=node.span,
    )


def _dimensions(record: Record, score: MappingNode) -> Iterator[Dimension]:
    for key, value in record.entries(score, "dimensions", "value"):
        node = mapping(value)
        written = node.get("value")
        expression = None if written is None else record.expression(written)
        if written is not None and expression is None:
            continue
        yield Dimension(
            name=name_of(key),
            weight=optional_number(node, "weight"),
            value=expression,
            terms=optional_name(node, "terms"),
            over=optional_name(node, "over"),
            span=node.span,
        )


def decode_tiers(record: Record, root: MappingNode) -> Iterator[Tier]:
    """The sound tiers, in the order written."""
    seen: dict[str, Name] = {}
    for node in record.items(root, "tiers"):
        name = _name_once(record, node, seen)
        if name is not None and record.new_name(scalar(_written(node, "name"))) is not None:
            yield Tier(
                name=name,
                up_to=optional_whole(node, "up_to"),
                chain=names(node.get("chain")),
                span=node.span,
            )


def decode_rules(record: Record, root: MappingNode) -> Iterator[Rule]:
    """The sound rules, in the order written."""
    seen: dict[str, Name] = {}
    for node in record.items(root, "rules", "when", "require"):
        name = _name_once(record, node, seen)
        expressions: dict[str, Expr | None] = {
            key: record.expression(value)
            for key in ("when", "require")
            if (value := node.get(key)) is not None
        }
        if name is None or None in expressions.values():
            continue
        yield Rule(
            name=name,
            when=expressions.get("when"),
            tier=optional_name(node, "tier"),
            floor=optional_name(node, "floor"),
            ceiling=optional_name(node, "ceiling"),
            add=optional_number(node, "add"),
            require=expressions.get("require"),
            deny=_deny(node),
            span=node.span,
        )


def _deny(rule: MappingNode) -> Deny | None:
    written = rule.get("deny")
    if written is None:
        return None
    node = mapping(written)
    status, message = _written(node, "status"), _written(node, "message")
    return Deny(status=int(number(status)), message=scalar(message).text)


def _name_once(record: Record, node: MappingNode, seen: dict[str, Name]) -> Name | None:
    """The item's name; None when an item before it has the same."""
    name = name_of(_written(node, "name"))
    first = seen.setdefault(name.value, name)
    if first is name:
        return name
    record.findings.append(
        Diagnostic(
            code=codes.REPEATED_ITEM,
            message=f"the name {shown(name.value)} stands twice",
            span=name.span,
            help="give one of the two another name",
            labels=(Label(span=first.span, message="first written here"),),
        )
    )
    return None


def _written(node: MappingNode, key: str) -> Node:
    value = node.get(key)
    if value is None:
        raise AssertionError(f"{key!r} was expected: {node!r}")
    return value
